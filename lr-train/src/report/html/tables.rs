//! The page's tables.

use arras_toolkit::text;
use maud::{Markup, html};

use super::origin;
use crate::metrics::Assessment;
use crate::report::{
    TrainingReport,
    columns::{Columns, Group},
    comparison::Comparison,
    data::{ModelSummary, PlanSummary, Side, Stage},
};

/// Weights shown, the largest ones.
const WEIGHTS: usize = 12;

/// A table with a column under each head.
fn columns<'h>(heads: impl ExactSizeIterator<Item = &'h str>, groups: &[Group]) -> Markup {
    let width = heads.len();
    html! {
        table {
            thead { tr { th scope="col" {} @for head in heads { th scope="col" { (head) } } } }
            @for group in groups {
                tbody {
                    @if !group.name.is_empty() {
                        tr.group { th scope="rowgroup" { (group.name) } td colspan=(width) {} }
                    }
                    @for line in &group.lines {
                        tr { th scope="row" { (line.name) } @for cell in &line.cells { td { (cell) } } }
                    }
                }
            }
        }
    }
}

pub(super) fn plans(plans: &[PlanSummary]) -> Markup {
    let groups = Columns::new(plans)
        .line("iterations", |p| {
            Some(match p.rounds {
                0 | 1 => text::count(p.iterations),
                rounds => format!("{rounds} × {}", p.iterations),
            })
        })
        .line("minibatch rows", |p| Some(text::count(p.minibatch)))
        .line("N", |p| Some(text::power_of_two(p.log_n)))
        .line("levels", |p| Some(text::count(p.levels)))
        .line("dnum", |p| Some(text::count(p.dnum)))
        .line("log₂(QP), at most", |p| {
            let [log_qp, bound] = [p.log_qp, p.log_qp_bound].map(|bits| text::fixed(bits, 0));
            Some(format!("{log_qp}, {bound}"))
        })
        .line("evaluation keys", |p| Some(text::count(p.keys)))
        .line("their size", |p| Some(text::bytes(p.key_bytes)))
        .line("encrypted inputs", |p| Some(text::bytes(p.input_bytes)))
        .line("memory on the server", |p| p.server_bytes.map(text::bytes))
        .line("predicted error", |p| {
            p.predicted_error.map(text::scientific)
        })
        .line("predicted time", |p| p.predicted_seconds.map(text::seconds))
        .known();
    html! {
        section {
            h2 { "Plan" }
            div.scroll.wide tabindex="0" { (columns(plans.iter().map(|p| &*p.circuit), &groups)) }
        }
    }
}

pub(super) fn stages(stages: &[Stage]) -> Markup {
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
                                td.text { (stage.side.name()) }
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

pub(super) fn comparison(comparison: &Comparison, shown_in: Option<&TrainingReport>) -> Markup {
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
            (columns(comparison.rows.iter().map(|row| &*row.circuit), &comparison.table()))
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

pub(super) fn model(model: &ModelSummary) -> Markup {
    let mut largest: Vec<_> = model.weights.iter().collect();
    largest.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    largest.truncate(WEIGHTS);
    let most = largest.first().map_or(1.0, |w| w.weight.abs());
    let mut qualities = vec![("trained encrypted", model.quality)];
    qualities.extend(
        model
            .plaintext_quality
            .map(|q| ("trained on plaintexts", q)),
    );
    let groups = Columns::new(&qualities)
        .line("accuracy", |(_, q)| Some(text::percent(q.accuracy)))
        .line("AUC", |(_, q)| q.auc.map(|a| text::fixed(a, 4)))
        .line("log loss", |(_, q)| Some(text::fixed(q.log_loss, 4)))
        .line("true positive", |(_, q)| {
            Some(text::count(q.confusion.true_positive))
        })
        .line("false positive", |(_, q)| {
            Some(text::count(q.confusion.false_positive))
        })
        .line("true negative", |(_, q)| {
            Some(text::count(q.confusion.true_negative))
        })
        .line("false negative", |(_, q)| {
            Some(text::count(q.confusion.false_negative))
        })
        .all();
    html! {
        section {
            h2 { "Model" }
            div.figures {
                div {
                    h3 { "On test rows, by " (model.circuit) }
                    div.scroll tabindex="0" { (columns(qualities.iter().map(|(name, _)| *name), &groups)) }
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

/// What a model has beside what one has that knows nothing.
pub(super) fn assessment(of: &Assessment) -> Markup {
    let shares = |share: Option<f64>| text::or_unknown(share.map(text::percent));
    let lines = [
        ("rows", text::count(of.rows), String::new()),
        (
            "accuracy",
            text::percent(of.accuracy),
            format!(
                "{}, by saying the larger class",
                text::percent(of.larger_class)
            ),
        ),
        (
            "balanced accuracy",
            shares(of.balanced_accuracy),
            text::percent(0.5),
        ),
        (
            "log loss",
            text::fixed(of.log_loss, 4),
            format!("{}, by saying its share", text::fixed(of.base_log_loss, 4)),
        ),
        (
            "precision",
            shares(of.precision),
            text::percent(of.base_rate),
        ),
        ("recall", shares(of.recall), String::new()),
        (
            "threshold",
            text::fixed(of.threshold.probability(), 3),
            String::new(),
        ),
    ];
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr { th scope="col" {} th scope="col" { "the model" } th scope="col" { "one that knows nothing" } } }
                tbody {
                    @for (name, model, nothing) in &lines {
                        tr { th scope="row" { (name) } td { (model) } td { (nothing) } }
                    }
                }
            }
        }
        @for remark in &of.remarks { p.note { (remark) "." } }
    }
}

/// A weight with a true minus sign, so that columns line up.
fn signed(weight: f64) -> String {
    text::fixed(weight, 3).replace('-', "−")
}
