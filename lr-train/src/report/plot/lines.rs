//! Curves by iteration.

use std::ops::Range;

use arras_toolkit::text::power_of_ten;
use plotters::{
    prelude::{
        ChartBuilder, Circle, Cross, IntoDynElement, LineSeries, PathElement, RGBColor,
        TriangleMarker,
    },
    style::{Color, ShapeStyle},
};

use super::{Drawn, GRID, INK, REFERENCE, colour, draw, most_whole, text, ticks};
use crate::report::{
    ReportError,
    data::{Point, Series},
};

const HEIGHT: u32 = 300;

/// How points of a curve look, so that curves that lie on each other can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Marker {
    Circle,
    Triangle,
    Cross,
    Dot,
    Bar,
}

impl Marker {
    /// Of the i-th circuit.
    pub(in crate::report) fn of(i: usize) -> Self {
        [
            Self::Circle,
            Self::Triangle,
            Self::Cross,
            Self::Dot,
            Self::Bar,
        ][i % 5]
    }
}

struct Curve {
    colour: RGBColor,
    marker: Option<Marker>,
    points: Vec<(f64, f64)>,
}

struct Axis {
    range: Range<f64>,
    /// At most so many numbers stand along it.
    most: usize,
    label: Box<dyn Fn(f64) -> String>,
    title: &'static str,
}

/// Accuracy on test rows of plaintext and encrypted training; `index` gives a circuit's number among all.
pub(in crate::report) fn accuracy(
    plaintext: &[Point],
    encrypted: &[Series],
    index: impl Fn(&str) -> usize,
) -> Result<String, ReportError> {
    let mut curves = vec![Curve {
        colour: REFERENCE,
        marker: None,
        points: points(plaintext, |v| v * 100.0),
    }];
    curves.extend(encrypted.iter().map(|s| curve(s, &index, |v| v * 100.0)));
    let (low, high) = extent(&curves).unwrap_or((0.0, 100.0));
    // Some room around the curves, but no axis beyond what an accuracy can be.
    let margin = ((high - low) * 0.12).max(0.5);
    let (low, high) = ((low - margin).max(0.0), (high + margin).min(100.4));
    let (range, most) = (low..high, 6);
    // As many as the distance of two ticks has.
    let ticks = ticks(range.clone(), most);
    let distance = ticks.windows(2).next().map_or(1.0, |two| two[1] - two[0]);
    let decimals = (-distance.log10() - 1e-9).ceil().max(0.0) as usize;
    let axis = Axis {
        range,
        most,
        label: Box::new(move |v| format!("{v:.decimals$} %")),
        title: "accuracy on test rows",
    };
    chart("accuracy by iteration", &axis, &curves)
}

/// Largest weight error by iteration, on a logarithmic axis. Errors of 0 have no place on it and are left out.
pub(in crate::report) fn weight_error(
    encrypted: &[Series],
    index: impl Fn(&str) -> usize,
) -> Result<String, ReportError> {
    let curves: Vec<Curve> = encrypted
        .iter()
        .map(|s| curve(s, &index, f64::log10))
        .collect();
    let (low, high) = extent(&curves).unwrap_or((-6.0, 0.0));
    let low = (low - 0.15).floor();
    let high = (high + 0.15).ceil().max(low + 1.0);
    let axis = Axis {
        range: low..high,
        most: most_whole(&(low..high), 7),
        label: Box::new(|v| power_of_ten(v.round() as i32)),
        title: "largest error of a weight",
    };
    chart("weight error by iteration", &axis, &curves)
}

fn curve(series: &Series, index: impl Fn(&str) -> usize, value: impl Fn(f64) -> f64) -> Curve {
    let i = index(&series.circuit);
    Curve {
        colour: colour(i),
        marker: Some(Marker::of(i)),
        points: points(&series.points, value),
    }
}

fn points(points: &[Point], value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    points
        .iter()
        .map(|p| (p.iteration as f64, value(p.value)))
        .filter(|p| p.1.is_finite())
        .collect()
}

fn extent(curves: &[Curve]) -> Option<(f64, f64)> {
    let values = curves.iter().flat_map(|c| &c.points).map(|p| p.1);
    values.fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

fn chart(figure: &'static str, y: &Axis, curves: &[Curve]) -> Result<String, ReportError> {
    let iterations = || curves.iter().flat_map(|c| &c.points).map(|p| p.0);
    let first = iterations().fold(f64::INFINITY, f64::min).min(1.0);
    let last = iterations().fold(first + 1.0, f64::max);
    draw(figure, HEIGHT, |area| -> Drawn {
        area.draw_text(y.title, &text(), (0, 4))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(34)
            .margin_right(6)
            .x_label_area_size(48)
            .y_label_area_size(58)
            .build_cartesian_2d(first - 0.3..last + 0.3, y.range.clone())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .light_line_style(GRID.mix(0.0))
            .axis_style(INK)
            .label_style(text())
            .axis_desc_style(text())
            .x_desc("iterations")
            .x_labels(most_whole(&(first..last), 9))
            .y_labels(y.most)
            .x_label_formatter(&|v| format!("{v:.0}"))
            .y_label_formatter(&|v| (y.label)(*v))
            .draw()?;
        for curve in curves {
            // The reference is broad and below: what lies on it stays visible.
            let width = if curve.marker.is_some() { 2 } else { 7 };
            let opacity = if curve.marker.is_some() { 1.0 } else { 0.45 };
            let line = curve.colour.mix(opacity).stroke_width(width);
            chart.draw_series(LineSeries::new(curve.points.iter().copied(), line))?;
            let Some(marker) = curve.marker else {
                continue;
            };
            let stroke: ShapeStyle = curve.colour.stroke_width(2);
            let filled: ShapeStyle = curve.colour.filled();
            for &at in &curve.points {
                let element = match marker {
                    Marker::Circle => Circle::new(at, 6, stroke).into_dyn(),
                    Marker::Triangle => TriangleMarker::new(at, 6, filled).into_dyn(),
                    Marker::Cross => Cross::new(at, 5, stroke).into_dyn(),
                    Marker::Dot => Circle::new(at, 3, filled).into_dyn(),
                    Marker::Bar => {
                        let half = (y.range.end - y.range.start) * 0.03;
                        PathElement::new([(at.0, at.1 - half), (at.0, at.1 + half)], stroke)
                            .into_dyn()
                    }
                };
                chart.draw_series(std::iter::once(element))?;
            }
        }
        Ok(())
    })
}
