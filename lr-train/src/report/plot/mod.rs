//! Figures as SVG for the page.
//!
//! Figures are drawn on white with the colours below; the page's style sheet replaces each colour by its variable, which is how
//! figures follow the light or dark mode. All have one width, small enough that their letters can be read on a phone.

mod bars;
mod lines;
mod quality;
mod shapes;

use std::ops::Range;

use plotters::{
    coord::{
        Shift,
        ranged1d::{BoldPoints, Ranged},
        types::RangedCoordf64,
    },
    prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend},
    style::{FontTransform, IntoFont, TextStyle},
};

pub(super) use bars::{kinds, time_by_kind};
pub(super) use lines::{Marker, accuracy, weight_error};
pub(super) use quality::{MODEL, calibration, roc};
pub(super) use shapes::shapes;

use super::ReportError;

/// Width of every figure in units of its view box.
const WIDTH: u32 = 440;
/// Size of letters; the SVG backend writes 1.24 times less.
const LETTERS: f64 = 17.0;
/// Width of an average letter, to cut long names.
const LETTER_WIDTH: f64 = 7.4;

/// Letters and axes.
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
/// Lines behind data.
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xdf, 0xe2);
/// What everything else is compared with: plaintext training, or all that is left over.
pub(super) const REFERENCE: RGBColor = RGBColor(0x8c, 0x95, 0x9f);
/// Colours that differ for all common kinds of colour vision (Okabe and Ito's).
pub(super) const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x7a, 0x5c, 0x3e),
];

/// The palette's colour of the i-th thing.
pub(super) fn colour(i: usize) -> RGBColor {
    PALETTE[i % PALETTE.len()]
}

/// A colour as the SVG backend writes it.
pub(super) fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws a figure and gives its SVG element, to be put into a page.
fn draw(
    figure: &'static str,
    height: u32,
    content: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<String, ReportError> {
    let mut svg = String::new();
    let drawn = (|| {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        content(&area)?;
        area.present()?;
        Ok(())
    })();
    drawn.map_err(|error: Box<dyn std::error::Error>| ReportError::Figure {
        figure,
        reason: error.to_string(),
    })?;
    // The element in place of the backend's: it scales with the page, has a name for screen readers, and inside HTML needs no
    // namespace.
    let inner = svg.split_once('>').map_or("", |(_, rest)| rest);
    Ok(format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{figure}\">{inner}"
    ))
}

/// Round numbers along an axis, at most this many.
fn ticks(range: Range<f64>, most: usize) -> Vec<f64> {
    RangedCoordf64::from(range).key_points(BoldPoints(most))
}

/// How many numbers may stand along an axis, at most this many, if they are to be whole: no more than there are whole numbers, so that
/// none lies between two of these.
fn most_whole(range: &Range<f64>, most: usize) -> usize {
    most.min((range.end - range.start) as usize + 1)
}

/// Whole numbers along an axis that begins and ends with one, at most this many.
fn whole_ticks(range: Range<f64>, most: usize) -> Vec<f64> {
    let most = most_whole(&range, most);
    ticks(range, most)
}

fn text() -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&INK)
}

fn text_right() -> TextStyle<'static> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    text()
        .pos(Pos::new(HPos::Right, VPos::Top))
        .transform(FontTransform::None)
}

fn text_centred() -> TextStyle<'static> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    text().pos(Pos::new(HPos::Center, VPos::Top))
}

/// A name with what follows it, the name cut if both do not fit the figure's width.
fn caption(name: &str, rest: &str) -> String {
    let letters = (f64::from(WIDTH) / LETTER_WIDTH) as usize;
    let most = letters.saturating_sub(rest.chars().count()).max(4);
    let mut caption: String = if name.chars().count() > most {
        name.chars().take(most - 1).chain(['…']).collect()
    } else {
        name.to_owned()
    };
    caption.push_str(rest);
    caption.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let near = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{found:?}");
            let mut pairs = found.iter().zip(expected);
            assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        };
        near(ticks(0.0..1.0, 6), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        near(ticks(91.0..98.7, 5), &[92.0, 94.0, 96.0, 98.0]);
        near(ticks(0.0..97.0, 5), &[0.0, 20.0, 40.0, 60.0, 80.0]);
        near(ticks(3.0..3.0, 5), &[3.0]);
        assert_eq!(whole_ticks(1.0..3.0, 7), [1.0, 2.0, 3.0]);
        assert_eq!(whole_ticks(1.0..1.0, 7), [1.0]);
        assert_eq!(
            whole_ticks(0.0..29.0, 7),
            [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]
        );
        assert_eq!(whole_ticks(-7.0..-3.0, 7), [-7.0, -6.0, -5.0, -4.0, -3.0]);
        for last in 0..200 {
            let ticks = whole_ticks(0.0..f64::from(last), 9);
            assert!(ticks.len() <= 9, "{ticks:?}");
            assert!(ticks.iter().all(|t| t.fract() == 0.0), "{ticks:?}");
            assert!(ticks.len() > 2 || last < 2, "{ticks:?}");
        }
    }
}
