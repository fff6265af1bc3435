//! Time by kind of operation: a stacked bar for each circuit.

use arras_toolkit::text::seconds;
use plotters::{
    prelude::{PathElement, RGBColor, Rectangle},
    style::Color,
};

use super::{
    Drawn, GRID, INK, PALETTE, REFERENCE, WIDTH, caption, colour, draw, text, text_centred,
    text_right, ticks,
};
use crate::report::{ReportError, data::CircuitTimes};

const CAPTION: i32 = 24;
const BAR: i32 = 26;
const GAP: i32 = 14;
const AXIS: i32 = 50;
const LEFT: i32 = 8;
const RIGHT: i32 = 24;

/// The kinds that have a colour of their own, largest first, with the rest under `None` at the end if there is any.
pub(in crate::report) fn kinds(times: &[CircuitTimes]) -> Vec<(Option<String>, RGBColor)> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for (kind, seconds) in times.iter().flat_map(positive) {
        match sums.iter_mut().find(|(name, _)| *name == kind) {
            Some((_, sum)) => *sum += seconds,
            None => sums.push((kind, seconds)),
        }
    }
    let total: f64 = sums.iter().map(|s| s.1).sum();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    // A kind that cannot be seen needs no colour.
    let own = sums
        .iter()
        .take(PALETTE.len())
        .take_while(|(_, seconds)| *seconds >= 0.01 * total)
        .count();
    let mut kinds: Vec<_> = sums[..own]
        .iter()
        .enumerate()
        .map(|(i, (name, _))| (Some((*name).to_owned()), colour(i)))
        .collect();
    if own < sums.len() {
        kinds.push((None, REFERENCE));
    }
    kinds
}

/// The bars.
pub(in crate::report) fn time_by_kind(times: &[CircuitTimes]) -> Result<String, ReportError> {
    let kinds = kinds(times);
    let total = |t: &CircuitTimes| positive(t).map(|(_, seconds)| seconds).sum::<f64>();
    let most = times.iter().map(total).fold(0.0, f64::max);
    let most = if most.is_normal() { most } else { 1.0 };
    let scale = f64::from(WIDTH as i32 - LEFT - RIGHT) / most;
    let x = |seconds: f64| LEFT + (seconds * scale).round() as i32;
    let bottom = times.len() as i32 * (CAPTION + BAR + GAP);
    draw(
        "time by kind of operation",
        (bottom + AXIS) as u32,
        |area| -> Drawn {
            let ticks = ticks(0.0..most, 6);
            for &tick in &ticks {
                let at = x(tick);
                let label = format!("{}", (tick * 1e9).round() / 1e9);
                area.draw_text(&label, &text_centred(), (at, bottom + 4))?;
            }
            let unit = "seconds of all operations";
            area.draw_text(unit, &text_centred(), (WIDTH as i32 / 2, bottom + 26))?;
            for (row, circuit) in times.iter().enumerate() {
                let top = row as i32 * (CAPTION + BAR + GAP);
                let seconds = seconds(total(circuit));
                let name = caption(&circuit.circuit, &format!("  {seconds}"));
                let name = name.strip_suffix(&seconds).unwrap_or(&name);
                area.draw_text(name.trim_end(), &text(), (LEFT, top + 2))?;
                area.draw_text(&seconds, &text_right(), (WIDTH as i32 - RIGHT, top + 2))?;
                let (upper, lower) = (top + CAPTION, top + CAPTION + BAR);
                for &tick in &ticks {
                    let at = x(tick);
                    area.draw(&PathElement::new([(at, upper), (at, lower)], GRID))?;
                }
                let mut from = 0.0;
                for (kind, fill) in &kinds {
                    let named = |name: &str| kinds.iter().any(|k| k.0.as_deref() == Some(name));
                    let part: f64 = positive(circuit)
                        .filter(|(name, _)| match kind {
                            Some(kind) => name == kind,
                            None => !named(name),
                        })
                        .map(|(_, seconds)| seconds)
                        .sum();
                    let (left, right) = (x(from), x(from + part));
                    from += part;
                    if right > left {
                        // A gap of one unit separates neighbours without colour, too.
                        let corners = [(left, upper), ((right - 1).max(left + 1), lower)];
                        area.draw(&Rectangle::new(corners, fill.filled()))?;
                    }
                }
                area.draw(&PathElement::new([(LEFT, upper), (LEFT, lower)], INK))?;
            }
            Ok(())
        },
    )
}

fn positive(times: &CircuitTimes) -> impl Iterator<Item = (&str, f64)> {
    times
        .kinds
        .iter()
        .map(|k| (k.kind.as_str(), k.seconds))
        .filter(|k| k.1.is_finite() && k.1 > 0.0)
}
