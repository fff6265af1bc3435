//! Reports as plain text for terminals.

use arras_toolkit::text::{self, Table, printable};

use super::{Comparison, TrainingReport};
use crate::metrics::Quality;

impl Comparison {
    /// The table for a terminal of `width` columns: a column per circuit, in blocks if not all fit.
    pub fn to_text(&self, width: usize) -> String {
        let mut header = vec![String::new()];
        header.extend(self.rows.iter().map(|row| printable(&row.circuit)));
        let mut rows = Vec::new();
        for group in self.table() {
            if !rows.is_empty() {
                rows.push(vec![String::new()]);
            }
            rows.push(vec![group.name.to_owned()]);
            rows.extend(group.lines.into_iter().map(|line| {
                let mut cells = vec![format!("  {}", line.name)];
                cells.extend(line.cells);
                cells
            }));
        }
        let mut out = origin(&self.data, &self.commit, &self.date);
        out.push_str(&format!("{}\n\n", printable(&self.machine.to_string())));
        out.push_str(&Table::new(header).with_rows(rows).to_text(width));
        out
    }
}

impl TrainingReport {
    /// The report for a terminal of `width` columns: plan, stages, quality and comparison. Curves, shapes and times by kind are on
    /// the [page](Self::to_html).
    pub fn to_text(&self, width: usize) -> String {
        let mut parts = vec![format!("{}\n", printable(&self.title))];
        if let Some(data) = &self.data {
            parts.push(format!(
                "{}: {} rows to train on, {} to test on, {} features ({} constant ones left out), {} against {}\n",
                printable(&data.name),
                text::count(data.training_rows),
                text::count(data.test_rows),
                data.features,
                data.dropped,
                printable(&data.positive),
                printable(&data.negative),
            ));
        }
        if !self.plans.is_empty() {
            let header = ["plan", "N", "levels", "dnum", "keys", "key bytes", "inputs"];
            let rows = self.plans.iter().map(|p| {
                vec![
                    printable(&p.circuit),
                    text::power_of_two(p.log_n),
                    p.levels.to_string(),
                    p.dnum.to_string(),
                    p.keys.to_string(),
                    text::bytes(p.key_bytes),
                    text::bytes(p.input_bytes),
                ]
            });
            parts.push(Table::new(header).with_rows(rows).to_text(width));
        }
        if !self.stages.is_empty() {
            let rows = self.stages.iter().map(|stage| {
                vec![
                    printable(&stage.name),
                    stage.side.name().to_owned(),
                    text::seconds(stage.seconds),
                    stage.bytes.map_or(String::new(), text::bytes),
                ]
            });
            let table = Table::new(["stage", "side", "time", "sends"]);
            parts.push(table.with_rows(rows).to_text(width));
        }
        if let Some(model) = &self.model {
            let line = |name: String, q: &Quality| {
                let auc = text::or_unknown(q.auc.map(|a| text::fixed(a, 4)));
                let log_loss = text::fixed(q.log_loss, 4);
                vec![name, text::percent(q.accuracy), auc, log_loss]
            };
            let encrypted = format!("{}, encrypted", printable(&model.circuit));
            let plaintext = model.plaintext_quality.iter();
            let rows = [line(encrypted, &model.quality)]
                .into_iter()
                .chain(plaintext.map(|q| line("plaintext".into(), q)));
            let table = Table::new(["quality", "accuracy", "AUC", "log loss"]);
            parts.push(table.with_rows(rows).to_text(width));
        }
        parts.extend(self.comparison.iter().map(|c| c.to_text(width)));
        parts.join("\n")
    }
}

fn origin(data: &str, commit: &Option<String>, date: &Option<String>) -> String {
    let mut parts = vec![printable(data)];
    parts.extend(commit.iter().map(|c| format!("commit {}", printable(c))));
    parts.extend(date.iter().map(|d| printable(d)));
    format!("{}\n", parts.join(", "))
}
