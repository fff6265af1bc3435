//! Four charts, both axes logarithmic: a straight line is a power.

use plotters::{
    coord::combinators::IntoLogRange,
    prelude::{
        ChartBuilder, Circle, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend, WHITE,
    },
    series::DashedLineSeries,
    style::{Color, ShapeStyle},
};

use super::Curve;
use crate::Result;

const SIZE: (u32, u32) = (900, 700);
const MEASURED: RGBColor = RGBColor(0x0b, 0x57, 0xd0);
const MODEL: RGBColor = RGBColor(0xc2, 0x5e, 0x00);
/// Beyond the points on every side, as a factor.
const ROOM: f64 = 1.25;

pub(super) fn draw(curves: &[Curve]) -> Result<String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, curve) in root.split_evenly((2, 2)).iter().zip(curves) {
            let points = &curve.points;
            let ys = points
                .iter()
                .flat_map(|&(_, measured, model)| [measured * 1e3, model * 1e3]);
            let (low, high) = ys.fold((f64::INFINITY, 0.0), |(low, high), y: f64| {
                (low.min(y), f64::max(high, y))
            });
            let ends = points.first().zip(points.last());
            let (first, last) = ends.map_or((1.0, 2.0), |(a, b)| (a.0 as f64, b.0 as f64));
            let mut chart = ChartBuilder::on(area)
                .caption(format!("ms by {}", curve.of), ("sans-serif", 18))
                .margin(12)
                .x_label_area_size(32)
                .y_label_area_size(52)
                .build_cartesian_2d(
                    (first / ROOM..last * ROOM).log_scale(),
                    (low / ROOM..high * ROOM).log_scale(),
                )?;
            chart
                .configure_mesh()
                .x_desc(curve.of)
                .x_label_formatter(&|x| format!("{x:.0}"))
                .y_label_formatter(&|y| format!("{}", (y * 1e3).round() / 1e3))
                .draw()?;
            let line = |colour: &RGBColor| ShapeStyle::from(colour).stroke_width(2);
            let model = points.iter().map(|&(x, _, y)| (x as f64, y * 1e3));
            chart
                .draw_series(DashedLineSeries::new(model, 6, 4, line(&MODEL)))?
                .label("model")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], MODEL));
            let measured = || points.iter().map(|&(x, y, _)| (x as f64, y * 1e3));
            chart
                .draw_series(LineSeries::new(measured(), line(&MEASURED)))?
                .label("measured")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], MEASURED));
            chart.draw_series(measured().map(|at| Circle::new(at, 4, MEASURED.filled())))?;
            chart
                .configure_series_labels()
                .background_style(WHITE)
                .draw()?;
        }
        root.present()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_every_curve() {
        let curve = |of| Curve {
            of,
            fixed: "all else".into(),
            points: vec![(1, 1e-3, 1.1e-3), (2, 2e-3, 2.2e-3)],
        };
        let svg = draw(&[curve("N"), curve("level"), curve("batch"), curve("threads")]).unwrap();
        for name in ["N", "level", "batch", "threads"] {
            assert!(svg.contains(&format!("ms by {name}")), "{name}");
        }
        assert_eq!(svg.matches("<circle").count(), 8);
    }
}
