//! The page's figures with their legends.

use std::collections::BTreeSet;

use arras_toolkit::text;
use maud::{Markup, PreEscaped, html};

use super::tables;
use crate::report::{
    AssessedRows, ReportError, TrainingReport,
    comparison::Timing,
    plot::{self, Marker},
    threads,
};

impl TrainingReport {
    pub(super) fn figures(&self) -> Result<Markup, ReportError> {
        let circuits = self.circuits();
        let index = |name: &str| circuits.iter().position(|c| *c == name).unwrap_or(0);
        let curve_key = |name: &str| {
            let i = index(name);
            (curve_swatch(i), name.to_owned())
        };
        let mut figures = Vec::new();
        if !(self.plaintext_accuracy.is_empty() && self.accuracy.is_empty()) {
            let mut keys = Vec::new();
            if !self.plaintext_accuracy.is_empty() {
                keys.push((band_swatch(), "plaintext".to_owned()));
            }
            keys.extend(self.accuracy.iter().map(|s| {
                let (swatch, name) = curve_key(&s.circuit);
                (swatch, format!("{name}, encrypted"))
            }));
            let svg = plot::accuracy(&self.plaintext_accuracy, &self.accuracy, index)?;
            figures.push(figure("Accuracy by iteration", &keys, &svg, ""));
        }
        if !self.weight_error.is_empty() {
            let curves = self.weight_error.iter();
            let keys: Vec<_> = curves.map(|s| curve_key(&s.circuit)).collect();
            let svg = plot::weight_error(&self.weight_error, index)?;
            let note = "Against the same circuit on plaintexts, on a logarithmic axis.";
            figures.push(figure("Weight error by iteration", &keys, &svg, note));
        }
        if !self.shapes.is_empty() {
            let keys = [
                (rect_swatch(plot::INK, 1.0), "key switches".to_owned()),
                (rect_swatch(plot::INK, 0.4), "all operations".to_owned()),
            ];
            let svg = plot::shapes(&self.shapes, index)?;
            let note = "As long as deep, as high as wide: operations on ciphertexts at each level, all lanes to one scale.";
            figures.push(figure("Depth and width of the circuits", &keys, &svg, note));
        }
        if !self.times.is_empty() {
            let keys: Vec<_> = plot::kinds(&self.times)
                .into_iter()
                .map(|(kind, colour)| {
                    let name = kind.map_or("all others".to_owned(), |k| k.replace('_', " "));
                    (rect_swatch(colour, 1.0), name)
                })
                .collect();
            let svg = plot::time_by_kind(&self.times)?;
            let note = self.times_note();
            figures.push(figure("Time by kind of operation", &keys, &svg, &note));
        }
        Ok(html! {
            @if !figures.is_empty() {
                section {
                    h2 { "Training and circuits" }
                    div.figures { @for figure in &figures { (figure) } }
                }
            }
        })
    }

    /// What thresholds give, and whether probabilities are what happens.
    pub(super) fn assessed(&self) -> Result<Markup, ReportError> {
        let Some(AssessedRows { rows, assessment }) = &self.assessment else {
            return Ok(html! {});
        };
        let mut figures = vec![];
        if !assessment.roc.is_empty() {
            let auc = assessment.auc.map(|auc| text::fixed(auc, 4));
            let keys = [
                (curve_swatch(plot::MODEL), "the model".to_owned()),
                (band_swatch(), "a model that knows nothing".to_owned()),
            ];
            let svg = plot::roc(&assessment.roc)?;
            let note = format!("Area under the curve: {}.", text::or_unknown(auc));
            figures.push(figure("What thresholds give", &keys, &svg, &note));
        }
        let keys = [
            (
                curve_swatch(plot::MODEL),
                "fifths of the rows, by probability".to_owned(),
            ),
            (band_swatch(), "what is predicted happens".to_owned()),
        ];
        let svg = plot::calibration(&assessment.calibration)?;
        let note = "Above the diagonal the model says too little, below it too much.";
        figures.push(figure(
            "Whether probabilities are what happens",
            &keys,
            &svg,
            note,
        ));
        Ok(html! {
            section {
                h2 { "On " (rows) }
                (tables::assessment(assessment))
                div.figures { @for figure in &figures { (figure) } }
            }
        })
    }

    fn times_note(&self) -> String {
        let all: BTreeSet<usize> = self.times.iter().map(|t| t.threads).collect();
        let all: Vec<String> = all.into_iter().map(threads).collect();
        let how = if self.times.iter().any(|t| t.timing == Timing::Estimated) {
            "Estimated from measured costs of single operations"
        } else {
            "Measured"
        };
        format!("{how}, {}.", all.join(" and "))
    }
}

fn figure(title: &str, keys: &[(Markup, String)], svg: &str, note: &str) -> Markup {
    html! {
        figure {
            figcaption {
                h3 { (title) }
                ul.legend { @for (swatch, name) in keys { li { (swatch) span { (name) } } } }
            }
            (PreEscaped(svg))
            p.note { (note) }
        }
    }
}

/// A picture for a legend.
fn swatch(content: &Markup) -> Markup {
    html! { svg viewBox="0 0 26 14" aria-hidden="true" { (content) } }
}

fn curve_swatch(i: usize) -> Markup {
    let colour = plot::hex(plot::colour(i));
    swatch(&html! {
        line x1="0" y1="7" x2="26" y2="7" stroke=(colour) stroke-width="2" {}
        @match Marker::of(i) {
            Marker::Circle => circle cx="13" cy="7" r="5" fill="none" stroke=(colour) stroke-width="2" {},
            Marker::Triangle => polygon points="13,1 18,11 8,11" fill=(colour) {},
            Marker::Cross => path d="M8 2L18 12M18 2L8 12" stroke=(colour) stroke-width="2" {},
            Marker::Dot => circle cx="13" cy="7" r="3" fill=(colour) {},
            Marker::Bar => path d="M13 1L13 13" stroke=(colour) stroke-width="2" {},
        }
    })
}

fn band_swatch() -> Markup {
    let colour = plot::hex(plot::REFERENCE);
    swatch(
        &html! { line x1="0" y1="7" x2="26" y2="7" stroke=(colour) stroke-width="7" opacity="0.45" {} },
    )
}

fn rect_swatch(colour: plotters::style::RGBColor, opacity: f64) -> Markup {
    let colour = plot::hex(colour);
    swatch(
        &html! { rect x="6" y="0" width="14" height="14" rx="2" fill=(colour) opacity=(opacity) {} },
    )
}
