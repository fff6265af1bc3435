//! Reports as plain text for terminals.

use super::{
    comparison::Comparison,
    data::{Side, TrainingReport},
    format::{self, printable},
};

/// A table with a header, the first column flush left and the others flush right, cut into blocks of columns that fit the width.
struct Table {
    header: Vec<String>,
    /// Rows; one without cells is a heading.
    rows: Vec<Vec<String>>,
}

impl Table {
    fn render(&self, width: usize) -> String {
        let columns = self.header.len();
        let size = |text: &String| text.chars().count();
        let widths: Vec<usize> = (0..columns)
            .map(|c| {
                let cells = self.rows.iter().filter(|row| row.len() > 1);
                cells
                    .filter_map(|row| row.get(c))
                    .chain(self.header.get(c))
                    .map(size)
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let (label, rest) = widths.split_first().map_or((0, &[][..]), |(a, b)| (*a, b));
        let mut out = String::new();
        let mut from = 0;
        while from < rest.len() {
            // At least one column, however narrow the terminal.
            let mut used = label + 2 + rest[from];
            let mut to = from + 1;
            while to < rest.len() && used + 2 + rest[to] <= width {
                used += 2 + rest[to];
                to += 1;
            }
            if from > 0 {
                out.push('\n');
            }
            let mut line = |cells: &[String]| {
                let mut text = format!("{:<label$}", cells.first().map_or("", String::as_str));
                for c in from..to {
                    let cell = cells.get(c + 1).map_or("", String::as_str);
                    text.push_str(&format!("  {cell:>w$}", w = rest[c]));
                }
                out.push_str(text.trim_end());
                out.push('\n');
            };
            line(&self.header);
            line(&[("─".repeat(used))]);
            self.rows.iter().for_each(|row| line(row));
            from = to;
        }
        out
    }
}

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
        out.push_str(&Table { header, rows }.render(width));
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
                format::count(data.training_rows),
                format::count(data.test_rows),
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
                    format::power_of_two(p.log_n),
                    p.levels.to_string(),
                    p.dnum.to_string(),
                    p.keys.to_string(),
                    format::bytes(p.key_bytes),
                    format::bytes(p.input_bytes),
                ]
            });
            parts.push(table(&header, rows.collect()).render(width));
        }
        if !self.stages.is_empty() {
            let rows = self.stages.iter().map(|stage| {
                vec![
                    printable(&stage.name),
                    match stage.side {
                        Side::Client => "client".to_owned(),
                        Side::Server => "server".to_owned(),
                    },
                    format::seconds(stage.seconds),
                    stage.bytes.map_or(String::new(), format::bytes),
                ]
            });
            parts.push(table(&["stage", "side", "time", "sends"], rows.collect()).render(width));
        }
        if let Some(model) = &self.model {
            let line = |name: String, q: &crate::metrics::Quality| {
                vec![
                    name,
                    format::percent(q.accuracy),
                    q.auc
                        .map_or(format::UNKNOWN.to_owned(), |a| format::fixed(a, 4)),
                    format::fixed(q.log_loss, 4),
                ]
            };
            let mut rows = vec![line(
                format!("{}, encrypted", printable(&model.circuit)),
                &model.quality,
            )];
            rows.extend(
                model
                    .plaintext_quality
                    .iter()
                    .map(|q| line("plaintext".into(), q)),
            );
            parts.push(table(&["quality", "accuracy", "AUC", "log loss"], rows).render(width));
        }
        parts.extend(self.comparison.iter().map(|c| c.to_text(width)));
        parts.join("\n")
    }
}

fn table(header: &[&str], rows: Vec<Vec<String>>) -> Table {
    Table {
        header: header.iter().map(|&h| h.to_owned()).collect(),
        rows,
    }
}

fn origin(data: &str, commit: &Option<String>, date: &Option<String>) -> String {
    let mut parts = vec![printable(data)];
    parts.extend(commit.iter().map(|c| format!("commit {}", printable(c))));
    parts.extend(date.iter().map(|d| printable(d)));
    format!("{}\n", parts.join(", "))
}
