//! How good a model is: what thresholds give, and whether probabilities are what happens.

use plotters::{
    prelude::{ChartBuilder, Circle, LineSeries},
    style::Color,
};

use super::{Drawn, GRID, INK, REFERENCE, colour, draw, text};
use crate::{
    metrics::{Fifth, RocPoint},
    report::ReportError,
};

const HEIGHT: u32 = 400;

/// The number of the model's colour and marker.
pub(in crate::report) const MODEL: usize = 3;

/// The ROC curve, beside that of a model that knows nothing.
pub(in crate::report) fn roc(points: &[RocPoint]) -> Result<String, ReportError> {
    let curve = points
        .iter()
        .map(|p| (p.false_positive_rate, p.true_positive_rate));
    let axes = (
        "share of negative rows taken for positive",
        "share of positive rows found",
    );
    square("ROC curve", axes, &curve.collect::<Vec<_>>(), false)
}

/// What happened beside what was predicted, by fifths of the rows.
pub(in crate::report) fn calibration(fifths: &[Fifth]) -> Result<String, ReportError> {
    let points = fifths.iter().map(|fifth| (fifth.predicted, fifth.observed));
    let axes = ("mean probability predicted", "share of positive rows");
    square("calibration", axes, &points.collect::<Vec<_>>(), true)
}

/// Shares against shares, beside the diagonal.
fn square(
    figure: &'static str,
    (across, up): (&'static str, &'static str),
    points: &[(f64, f64)],
    marked: bool,
) -> Result<String, ReportError> {
    draw(figure, HEIGHT, |area| -> Drawn {
        area.draw_text(up, &text(), (0, 4))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(34)
            .margin_right(16)
            .x_label_area_size(48)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(GRID.mix(0.0))
            .axis_style(INK)
            .label_style(text())
            .axis_desc_style(text())
            .x_desc(across)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|v| format!("{v:.1}"))
            .y_label_formatter(&|v| format!("{v:.1}"))
            .draw()?;
        let reference = REFERENCE.mix(0.45).stroke_width(7);
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], reference))?;
        let line = colour(MODEL).stroke_width(2);
        chart.draw_series(LineSeries::new(points.iter().copied(), line))?;
        if marked {
            let dots = points
                .iter()
                .map(|&at| Circle::new(at, 5, colour(MODEL).filled()));
            chart.draw_series(dots)?;
        }
        Ok(())
    })
}
