//! Reports as one HTML page.
//!
//! Nothing is fetched and nothing runs, which the page's content security policy states, too.

mod figures;
mod tables;

use arras_toolkit::text;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Comparison, Ratios, ReportError, TrainingReport};

const STYLE: &str = include_str!("../style.css");

impl TrainingReport {
    /// The report as a page of its own: plots as inline SVG, no script, nothing to fetch.
    ///
    /// # Errors
    /// [`ReportError::Figure`] if a plot could not be drawn.
    pub fn to_html(&self) -> Result<String, ReportError> {
        let body = html! {
            header {
                h1 { (self.title) }
                @if let Some(data) = &self.data {
                    p {
                        (data.name) ": " (data.positive) " against " (data.negative) ", "
                        (text::count(data.training_rows)) " rows to train on, "
                        (text::count(data.test_rows)) " to test on, "
                        (text::count(data.features)) " features"
                        @if data.dropped > 0 {
                            " (" (text::count(data.dropped)) " constant ones left out)"
                        }
                        "."
                    }
                }
                (origin(&self.machine.to_string(), &self.commit, &self.date))
                (self.tiles())
            }
            @if !self.plans.is_empty() { (tables::plans(&self.plans)) }
            @if !self.stages.is_empty() { (tables::stages(&self.stages)) }
            (self.figures()?)
            @if let Some(comparison) = &self.comparison {
                section {
                    h2 { "Circuits side by side" }
                    (tables::comparison(comparison, Some(self)))
                }
            }
            @if let Some(model) = &self.model { (tables::model(model)) }
            (self.assessed()?)
        };
        Ok(page(&self.title, &body))
    }

    /// The numbers that a reader looks for first.
    fn tiles(&self) -> Markup {
        let mut tiles: Vec<(String, String)> = Vec::new();
        let mut tile = |name: &str, value: Option<String>| {
            tiles.extend(value.map(|value| (name.to_owned(), value)));
        };
        if let Some(model) = &self.model {
            let plaintext = model.plaintext_quality.map(|q| text::percent(q.accuracy));
            tile(
                &format!("accuracy, trained encrypted ({})", model.circuit),
                Some(text::percent(model.quality.accuracy)),
            );
            tile("accuracy, trained on plaintexts", plaintext);
            let auc = model.quality.auc.map(|a| text::fixed(a, 4));
            tile("AUC, trained encrypted", auc);
        }
        if let Some(comparison) = &self.comparison {
            // With the most threads that the circuit ran with.
            let speed = |(r, row): (Ratios, _)| Some((r.speed.last()?.ratio, row));
            let others = comparison
                .ratios()
                .into_iter()
                .zip(&comparison.rows)
                .skip(1);
            let best = others
                .filter_map(speed)
                .filter(|(ratio, _)| ratio.is_finite())
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((ratio, row)) = best {
                let name = format!("speed against the baseline ({})", row.circuit);
                tile(&name, Some(text::ratio(ratio)));
            }
            let errors = comparison.rows.iter().filter_map(|row| row.weight_error);
            let worst = errors.filter(|e| e.is_finite()).reduce(f64::max);
            tile("worst weight error", worst.map(text::scientific));
        }
        html! {
            @if !tiles.is_empty() {
                dl.tiles { @for (name, value) in &tiles { div { dt { (name) } dd { (value) } } } }
            }
        }
    }
}

impl Comparison {
    /// The comparison as a page of its own.
    ///
    /// # Errors
    /// None now; [`ReportError`] leaves room for figures.
    pub fn to_html(&self) -> Result<String, ReportError> {
        let title = format!("Training circuits on {}", self.data);
        let body = html! {
            header { h1 { (title) } (origin(&self.machine.to_string(), &self.commit, &self.date)) }
            section { (tables::comparison(self, None)) }
        };
        Ok(page(&title, &body))
    }
}

fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}

fn origin(machine: &str, commit: &Option<String>, date: &Option<String>) -> Markup {
    html! {
        p.note {
            (machine)
            @if let Some(commit) = commit { " · commit " (commit) }
            @if let Some(date) = date { " · " (date) }
        }
    }
}
