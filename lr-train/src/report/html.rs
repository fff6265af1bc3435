//! Reports as one HTML page.
//!
//! Nothing is fetched and nothing runs, which the page's content security policy states, too.

use arras_toolkit::text::{self, UNKNOWN};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Comparison, ReportError,
    comparison::Timing,
    data::{ModelSummary, PlanSummary, Side, Stage, TrainingReport},
    plot::{self, Marker},
};
use crate::metrics::Quality;

const STYLE: &str = include_str!("style.css");
/// Weights shown, the largest ones.
const WEIGHTS: usize = 12;

/// A line of a table: its name, and its cell for each column.
type Line<'a, T> = (&'a str, &'a dyn Fn(&T) -> String);

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
            @if !self.plans.is_empty() { (plans(&self.plans)) }
            @if !self.stages.is_empty() { (stages(&self.stages)) }
            (self.figures()?)
            @if let Some(comparison) = &self.comparison {
                section {
                    h2 { "Circuits side by side" }
                    (comparison_table(comparison, Some(self)))
                }
            }
            @if let Some(model) = &self.model { (model_section(model)) }
        };
        Ok(page(&self.title, &body))
    }

    /// The numbers that a reader looks for first.
    fn tiles(&self) -> Markup {
        let mut tiles: Vec<(String, String)> = Vec::new();
        if let Some(model) = &self.model {
            tiles.push((
                format!("accuracy, trained encrypted ({})", model.circuit),
                text::percent(model.quality.accuracy),
            ));
            tiles.extend(model.plaintext_quality.iter().map(|q| {
                (
                    "accuracy, trained on plaintexts".to_owned(),
                    text::percent(q.accuracy),
                )
            }));
            tiles.extend(
                (model.quality.auc).map(|a| ("AUC, trained encrypted".into(), text::fixed(a, 4))),
            );
        }
        let best = |f: &dyn Fn(usize, &super::Ratios) -> Option<f64>| {
            let comparison = self.comparison.as_ref()?;
            let ratios = comparison.ratios();
            let all = ratios.iter().enumerate().skip(1);
            all.filter_map(|(i, r)| Some((f(i, r)?, i)))
                .filter(|(ratio, _)| ratio.is_finite())
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(ratio, i)| (ratio, comparison.rows[i].circuit.clone()))
        };
        // With the most threads that the circuit ran with.
        let speed = best(&|_, r| r.speed.last().map(|s| s.ratio));
        tiles.extend(speed.map(|(ratio, circuit)| {
            (
                format!("speed against the baseline ({circuit})"),
                text::ratio(ratio),
            )
        }));
        let errors = (self.comparison.iter())
            .flat_map(|c| &c.rows)
            .filter_map(|row| row.weight_error)
            .filter(|e| e.is_finite());
        tiles.extend(
            errors
                .reduce(f64::max)
                .map(|e| ("worst weight error".into(), text::scientific(e))),
        );
        html! {
            @if !tiles.is_empty() {
                dl.tiles { @for (name, value) in &tiles { div { dt { (name) } dd { (value) } } } }
            }
        }
    }

    fn figures(&self) -> Result<Markup, ReportError> {
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
            let keys: Vec<_> = self
                .weight_error
                .iter()
                .map(|s| curve_key(&s.circuit))
                .collect();
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
            figures.push(figure(
                "Time by kind of operation",
                &keys,
                &svg,
                &self.times_note(),
            ));
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

    fn times_note(&self) -> String {
        let mut threads: Vec<usize> = self.times.iter().map(|t| t.threads).collect();
        threads.sort_unstable();
        threads.dedup();
        let threads: Vec<String> = threads
            .into_iter()
            .map(|n| format!("{n} thread{}", if n == 1 { "" } else { "s" }))
            .collect();
        let how = if self.times.iter().any(|t| t.timing == Timing::Estimated) {
            "Estimated from measured costs of single operations"
        } else {
            "Measured"
        };
        format!("{how}, {}.", threads.join(" and "))
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
            section { (comparison_table(self, None)) }
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

fn curve_swatch(i: usize) -> Markup {
    let colour = plot::hex(plot::colour(i));
    html! {
        svg viewBox="0 0 26 14" aria-hidden="true" {
            line x1="0" y1="7" x2="26" y2="7" stroke=(colour) stroke-width="2" {}
            @match Marker::of(i) {
                Marker::Circle => circle cx="13" cy="7" r="5" fill="none" stroke=(colour) stroke-width="2" {},
                Marker::Triangle => polygon points="13,1 18,11 8,11" fill=(colour) {},
                Marker::Cross => path d="M8 2L18 12M18 2L8 12" stroke=(colour) stroke-width="2" {},
                Marker::Dot => circle cx="13" cy="7" r="3" fill=(colour) {},
                Marker::Bar => path d="M13 1L13 13" stroke=(colour) stroke-width="2" {},
            }
        }
    }
}

fn band_swatch() -> Markup {
    html! {
        svg viewBox="0 0 26 14" aria-hidden="true" {
            line x1="0" y1="7" x2="26" y2="7" stroke=(plot::hex(plot::REFERENCE)) stroke-width="7" opacity="0.45" {}
        }
    }
}

fn rect_swatch(colour: plotters::style::RGBColor, opacity: f64) -> Markup {
    html! {
        svg viewBox="0 0 26 14" aria-hidden="true" {
            rect x="6" y="0" width="14" height="14" rx="2" fill=(plot::hex(colour)) opacity=(opacity) {}
        }
    }
}

fn plans(plans: &[PlanSummary]) -> Markup {
    let optional = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let rows: [Line<'_, PlanSummary>; 12] = [
        ("iterations", &|p| match p.rounds {
            0 | 1 => text::count(p.iterations),
            rounds => format!("{rounds} × {}", p.iterations),
        }),
        ("minibatch rows", &|p| text::count(p.minibatch)),
        ("N", &|p| text::power_of_two(p.log_n)),
        ("levels", &|p| text::count(p.levels)),
        ("dnum", &|p| text::count(p.dnum)),
        ("log₂(QP), at most", &|p| {
            format!(
                "{}, {}",
                text::fixed(p.log_qp, 0),
                text::fixed(p.log_qp_bound, 0)
            )
        }),
        ("evaluation keys", &|p| text::count(p.keys)),
        ("their size", &|p| text::bytes(p.key_bytes)),
        ("encrypted inputs", &|p| text::bytes(p.input_bytes)),
        ("memory on the server", &|p| {
            optional(p.server_bytes.map(text::bytes))
        }),
        ("predicted error", &|p| {
            optional(p.predicted_error.map(text::scientific))
        }),
        ("predicted time", &|p| {
            optional(p.predicted_seconds.map(text::seconds))
        }),
    ];
    html! {
        section {
            h2 { "Plan" }
            div.scroll.wide tabindex="0" {
                table {
                    thead { tr { th scope="col" {} @for p in plans { th scope="col" { (p.circuit) } } } }
                    tbody {
                        @for (name, cell) in rows {
                            @let cells = plans.iter().map(cell).collect::<Vec<_>>();
                            @if cells.iter().any(|c| c != UNKNOWN) {
                                tr { th scope="row" { (name) } @for c in cells { td { (c) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn stages(stages: &[Stage]) -> Markup {
    let longest = stages.iter().map(|s| s.seconds).fold(0.0, f64::max);
    let total: f64 = stages.iter().map(|s| s.seconds).sum();
    let sends = stages.iter().any(|s| s.bytes.is_some());
    html! {
        section {
            h2 { "Timeline" }
            div.scroll tabindex="0" {
                table.full {
                    thead {
                        tr {
                            th scope="col" { "stage" }
                            th.narrow.text scope="col" { "side" }
                            th.narrow scope="col" { "time" }
                            @if sends { th.narrow scope="col" { "sends" } }
                            th.narrow scope="col" {}
                        }
                    }
                    tbody {
                        @for stage in stages {
                            tr {
                                th scope="row" { (stage.name) }
                                td.text { @match stage.side { Side::Client => "client", Side::Server => "server" } }
                                td { (text::seconds(stage.seconds)) }
                                @if sends { td { @if let Some(b) = stage.bytes { (text::bytes(b)) } } }
                                td.bars { (bar(stage.seconds / longest, stage.side == Side::Server)) }
                            }
                        }
                    }
                }
            }
            p.note { "In all " (text::seconds(total)) "." }
        }
    }
}

/// A bar of this share of its cell's width.
fn bar(share: f64, second: bool) -> Markup {
    let percent = if share.is_finite() {
        (share * 100.0).clamp(0.0, 100.0)
    } else {
        0.0
    };
    html! { span.bar.server[second] style={ "width:" (format!("{percent:.1}")) "%" } {} }
}

fn comparison_table(comparison: &Comparison, shown_in: Option<&TrainingReport>) -> Markup {
    let same_origin = shown_in.is_some_and(|r| {
        (&r.machine, &r.commit, &r.date)
            == (&comparison.machine, &comparison.commit, &comparison.date)
    });
    html! {
        @if !same_origin && shown_in.is_some() {
            (origin(&comparison.machine.to_string(), &comparison.commit, &comparison.date))
        }
        @if shown_in.is_some() { p { "Data: " (comparison.data) "." } }
        div.scroll.wide tabindex="0" {
            table {
                thead { tr { th scope="col" {} @for row in &comparison.rows { th scope="col" { (row.circuit) } } } }
                @for group in comparison.table() {
                    tbody {
                        tr.group { th scope="rowgroup" { (group.name) } td colspan=(comparison.rows.len()) {} }
                        @for line in &group.lines {
                            tr { th scope="row" { (line.name) } @for cell in &line.cells { td { (cell) } } }
                        }
                    }
                }
            }
        }
        p.note {
            "Ratios are against the first circuit with the same minibatch; speeds above 1 are faster. \
             The model has unlimited cores and key switches whose cost grows with the square of the levels. \
             Critical path and total work are sums of costs of single operations."
            @if comparison.has_estimates() {
                " So are estimated times: those circuits did not run."
            }
        }
    }
}

fn model_section(model: &ModelSummary) -> Markup {
    let mut largest: Vec<_> = model.weights.iter().collect();
    largest.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    largest.truncate(WEIGHTS);
    let most = largest.first().map_or(1.0, |w| w.weight.abs());
    let qualities: Vec<(&str, &Quality)> = std::iter::once(("trained encrypted", &model.quality))
        .chain(
            model
                .plaintext_quality
                .iter()
                .map(|q| ("trained on plaintexts", q)),
        )
        .collect();
    let rows: [Line<'_, Quality>; 7] = [
        ("accuracy", &|q| text::percent(q.accuracy)),
        ("AUC", &|q| {
            q.auc.map_or(UNKNOWN.to_owned(), |a| text::fixed(a, 4))
        }),
        ("log loss", &|q| text::fixed(q.log_loss, 4)),
        ("true positive", &|q| text::count(q.confusion.true_positive)),
        ("false positive", &|q| {
            text::count(q.confusion.false_positive)
        }),
        ("true negative", &|q| text::count(q.confusion.true_negative)),
        ("false negative", &|q| {
            text::count(q.confusion.false_negative)
        }),
    ];
    html! {
        section {
            h2 { "Model" }
            div.figures {
                div {
                    h3 { "On test rows, by " (model.circuit) }
                    div.scroll tabindex="0" {
                        table {
                            thead { tr { th scope="col" {} @for (name, _) in &qualities { th scope="col" { (name) } } } }
                            tbody {
                                @for (name, cell) in rows {
                                    tr { th scope="row" { (name) } @for (_, q) in &qualities { td { (cell(q)) } } }
                                }
                            }
                        }
                    }
                }
                div {
                    h3 {
                        @if model.weights.len() > WEIGHTS {
                            "Largest " (WEIGHTS) " of " (text::count(model.weights.len())) " weights"
                        } @else { "Weights" }
                    }
                    div.scroll tabindex="0" {
                        table.full {
                            thead { tr { th scope="col" { "feature" } th.narrow scope="col" { "weight" } th.narrow scope="col" {} } }
                            tbody {
                                @for w in &largest {
                                    tr {
                                        th scope="row" { (w.feature) }
                                        td { (signed(w.weight)) }
                                        td.bars { (bar(w.weight.abs() / most, w.weight < 0.0)) }
                                    }
                                }
                                tr { th scope="row" { "intercept" } td { (signed(model.intercept)) } td {} }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A weight with a true minus sign, so that columns line up.
fn signed(weight: f64) -> String {
    text::fixed(weight, 3).replace('-', "−")
}
