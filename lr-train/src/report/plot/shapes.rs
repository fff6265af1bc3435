//! Depth and width of circuits: a lane for each, as long as the circuit is deep and as high as it is wide.

use plotters::{
    prelude::{PathElement, Rectangle},
    style::Color,
};

use super::{Drawn, GRID, INK, WIDTH, caption, colour, draw, text, text_centred, whole_ticks};
use crate::report::{ReportError, shape::CircuitShape};

const CAPTION: i32 = 24;
const LANE: i32 = 64;
const GAP: i32 = 14;
const AXIS: i32 = 50;
const LEFT: i32 = 8;
const RIGHT: i32 = 14;

/// All circuits with the same scales; `index` gives a circuit's number among all.
pub(in crate::report) fn shapes(
    shapes: &[CircuitShape],
    index: impl Fn(&str) -> usize,
) -> Result<String, ReportError> {
    let lanes = shapes.len() as i32;
    let bottom = lanes * (CAPTION + LANE + GAP);
    let levels = shapes
        .iter()
        .map(|s| s.levels.len())
        .max()
        .unwrap_or(1)
        .max(1);
    let widest = shapes
        .iter()
        .map(CircuitShape::width)
        .max()
        .unwrap_or(1)
        .max(1);
    let step = f64::from(WIDTH as i32 - LEFT - RIGHT) / levels as f64;
    let x = |level: f64| LEFT + (level * step).round() as i32;
    let height = |work: usize| (work as f64 / widest as f64 * f64::from(LANE)).round() as i32;
    draw(
        "depth and width of the circuits",
        (bottom + AXIS) as u32,
        |area| -> Drawn {
            // Ticks stand under the middle of their level's column.
            let ticks = whole_ticks(0.0..(levels - 1) as f64, 9);
            for &tick in &ticks {
                let at = x(tick + 0.5);
                area.draw_text(&format!("{tick:.0}"), &text_centred(), (at, bottom + 4))?;
            }
            area.draw_text(
                "levels consumed",
                &text_centred(),
                (WIDTH as i32 / 2, bottom + 26),
            )?;
            for (lane, shape) in shapes.iter().enumerate() {
                let top = lane as i32 * (CAPTION + LANE + GAP);
                let floor = top + CAPTION + LANE;
                let fill = colour(index(&shape.circuit));
                let rest = format!(": depth {}, width {}", shape.depth, shape.width());
                area.draw_text(&caption(&shape.circuit, &rest), &text(), (LEFT, top + 2))?;
                for &tick in &ticks {
                    let at = x(tick + 0.5);
                    area.draw(&PathElement::new([(at, top + CAPTION), (at, floor)], GRID))?;
                }
                for (level, work) in shape.levels.iter().enumerate() {
                    let (left, right) = (x(level as f64), x(level as f64 + 1.0) - 1);
                    for (amount, opacity) in [(work.operations, 0.4), (work.key_switches, 1.0)] {
                        if amount > 0 {
                            let corners = [(left, floor - height(amount).max(1)), (right, floor)];
                            area.draw(&Rectangle::new(corners, fill.mix(opacity).filled()))?;
                        }
                    }
                }
                let end = x(shape.levels.len() as f64);
                area.draw(&PathElement::new([(LEFT, floor), (end, floor)], INK))?;
            }
            Ok(())
        },
    )
}
