//! Curves by iteration.

use std::ops::Range;

use arras_toolkit::text::power_of_ten;
use plotters::{
    coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
    prelude::{
        ChartBuilder, Circle, Cross, IntoDynElement, LineSeries, PathElement, RGBColor,
        TriangleMarker,
    },
    style::{Color, ShapeStyle},
};

use super::{Drawn, GRID, INK, REFERENCE, colour, draw, text, ticks};
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
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    label: Box<dyn Fn(f64) -> String>,
    title: &'static str,
}

/// A linear axis with its ticks where we want them.
struct Ticked {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
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
    let (ticks, decimals) = ticks::round(low, high, 5);
    let axis = Axis {
        low,
        high,
        ticks,
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
    let (low, high) = (
        (low - 0.15).floor(),
        (high + 0.15).ceil().max((low - 0.15).floor() + 1.0),
    );
    let every = ((high - low) / 6.0).ceil().max(1.0) as usize;
    let axis = Axis {
        low,
        high,
        ticks: (low as i64..=high as i64)
            .step_by(every)
            .map(|e| e as f64)
            .collect(),
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
    let x_ticks = ticks::whole(first as usize, last as usize, 8);
    draw(figure, HEIGHT, |area| -> Drawn {
        let x_axis = Ticked {
            low: first - 0.3,
            high: last + 0.3,
            ticks: x_ticks,
        };
        let y_axis = Ticked {
            low: y.low,
            high: y.high,
            ticks: y.ticks.clone(),
        };
        area.draw_text(y.title, &text(), (0, 4))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(34)
            .margin_right(6)
            .x_label_area_size(48)
            .y_label_area_size(58)
            .build_cartesian_2d(x_axis, y_axis)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .light_line_style(GRID.mix(0.0))
            .axis_style(INK)
            .label_style(text())
            .axis_desc_style(text())
            .x_desc("iterations")
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
                        let half = (y.high - y.low) * 0.03;
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
