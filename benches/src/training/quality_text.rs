//! The qualities as text.

use std::fmt::Write as _;

use super::quality::{FOLD_SEEDS, Qualities, Row};

const UNKNOWN: &str = "–";
const HEADER: [&str; 16] = [
    "data",
    "tested on",
    "rows",
    "features",
    "k",
    "mb",
    "plain acc.",
    "plain AUC",
    "twin acc.",
    "encr. acc.",
    "twin AUC",
    "encr. AUC",
    "ref. AUC",
    "weight err.",
    "circuit, N, rounds",
    "server / all s",
];

impl Qualities {
    /// The table as Markdown, with the checks.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from(
            "# What encrypted training learns\n\nFrom `cargo run --release -p arras-benches --bin quality`.\n\n",
        );
        self.origin(&mut text);
        let mut line = |cells: &[String]| {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        };
        line(&HEADER.map(str::to_owned));
        line(&HEADER.map(|_| "---".to_owned()));
        self.table.iter().for_each(|row| line(&cells(row)));
        text.push('\n');
        self.end(&mut text);
        text
    }

    /// The table for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.origin(&mut text);
        let mut lines = vec![HEADER.map(str::to_owned)];
        lines.extend(self.table.iter().map(cells));
        let width = |c: usize| lines.iter().map(|l| l[c].chars().count()).max();
        let widths: Vec<usize> = (0..HEADER.len()).map(|c| width(c).unwrap_or(0)).collect();
        for line in &lines {
            for (c, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _ = match c {
                    0 | 1 => write!(text, "{cell:<width$}  "),
                    _ => write!(text, "{cell:>width$}  "),
                };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text.push('\n');
        self.end(&mut text);
        text
    }

    fn origin(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{}; commit {}; {} threads; load at the start {}.\n",
            self.machine,
            self.commit.as_deref().unwrap_or("unknown"),
            self.threads,
            self.load.map_or(UNKNOWN.into(), |l| format!("{l:.1}"))
        );
    }

    fn end(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "plain: plaintext training, mean and standard deviation over seeds (of minibatches, or {FOLD_SEEDS} of folds). twin: plaintext training with the\n\
             seed of the encrypted one, same minibatches, constants and polynomial. ref.: a simulation of the published training in the reference's {folds} folds.\n\
             weight err.: the largest after any round. Seconds of folds are those of all folds together.\n",
            folds = super::quality::FOLDS
        );
        for row in &self.table {
            if let Some(reference) = row.reference_auc {
                let off = reference - row.plaintext.auc;
                let spread = row.deviation.map_or(String::new(), |d| {
                    format!(
                        ", {:+.1} standard deviations of one draw of folds",
                        off / d.auc
                    )
                });
                let _ = writeln!(
                    text,
                    "    reference AUC of {}, {}: {off:+.4} from the plaintext mean{spread}",
                    row.data, row.protocol
                );
            }
        }
        text.push('\n');
        for check in &self.checks {
            let sign = if check.at_least { ">=" } else { "<=" };
            let word = if check.passed() { "ok    " } else { "FAILED" };
            let _ = writeln!(
                text,
                "    {word} {}: {:.3e} {sign} {:.3e}",
                check.what, check.value, check.bound
            );
        }
        let _ = writeln!(text, "\nRun time {:.0} s.", self.seconds);
    }
}

fn cells(row: &Row) -> [String; HEADER.len()] {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let run = row.encrypted.as_ref();
    let of = |f: &dyn Fn(&super::quality::Encrypted) -> String| run.map_or(UNKNOWN.into(), f);
    let spread = |text: String, deviation: Option<String>| match deviation {
        Some(deviation) => format!("{text} ± {deviation}"),
        None => text,
    };
    [
        row.data.clone(),
        row.protocol.clone(),
        row.rows.to_string(),
        row.features.to_string(),
        row.iterations.to_string(),
        row.minibatch.to_string(),
        spread(
            percent(row.plaintext.accuracy),
            row.deviation.map(|d| format!("{:.2}", 100.0 * d.accuracy)),
        ),
        spread(
            format!("{:.4}", row.plaintext.auc),
            row.deviation.map(|d| format!("{:.4}", d.auc)),
        ),
        of(&|r| percent(r.twin.accuracy)),
        of(&|r| percent(r.score.accuracy)),
        of(&|r| format!("{:.4}", r.twin.auc)),
        of(&|r| format!("{:.4}", r.score.auc)),
        row.reference_auc
            .map_or(UNKNOWN.into(), |auc| format!("{auc:.3}")),
        of(&|r| format!("{:.1e}", r.weight_error)),
        of(&|r| format!("{}, 2^{}, {}", r.circuit, r.log_n, lengths(&r.rounds))),
        of(&|r| format!("{:.1} / {:.1}", r.server_seconds, r.seconds)),
    ]
}

/// Iterations of rounds: `7 x 4 + 1 x 4`.
fn lengths(rounds: &[usize]) -> String {
    let runs = rounds.chunk_by(|a, b| a == b);
    runs.map(|run| format!("{}x{}", run.len(), run[0]))
        .collect::<Vec<_>>()
        .join(" + ")
}
