//! Circuits side by side.

use arras_toolkit::text::{self, UNKNOWN};
use serde::{Deserialize, Serialize};

use super::machine::Machine;

/// Where times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Medians of this many runs.
    Measured {
        /// Runs.
        runs: usize,
    },
    /// From measured costs of single operations; the circuit itself did not run.
    Estimated,
}

/// Time with a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadSeconds {
    /// Threads.
    pub threads: usize,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// One circuit with its own parameters. What was not measured is `None`. Numbers are finite; others are shown as unknown, and JSON
/// has no way to store them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitRow {
    /// The circuit's name.
    pub circuit: String,
    /// Iterations, k.
    pub iterations: usize,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// Levels consumed.
    pub depth: usize,
    /// log2 of the ring degree N.
    pub log_n: u32,
    /// log2 of the product of all moduli.
    pub log_qp: f64,
    /// Largest log2(QP) that is secure for N.
    pub log_qp_bound: f64,
    /// Digits of key switching.
    pub dnum: usize,
    /// Products of two ciphertexts.
    pub multiplications: usize,
    /// Key switches.
    pub key_switches: usize,
    /// Bytes of encrypted inputs as they are sent.
    pub input_bytes: u64,
    /// Bytes of the evaluation keys as they are sent.
    pub key_bytes: u64,
    /// The most memory that the server's process held, in bytes.
    pub peak_bytes: Option<u64>,
    /// Where the times of this row come from.
    pub timing: Timing,
    /// Training time by threads.
    pub seconds: Vec<ThreadSeconds>,
    /// Steps on the longest chain of dependent steps.
    pub critical_steps: usize,
    /// Costs of the operations on the most costly chain, in seconds: what unlimited cores would need.
    pub critical_seconds: Option<f64>,
    /// Costs of all operations, in seconds: what one thread needs.
    pub work_seconds: Option<f64>,
    /// Time with unlimited cores and key switches whose cost grows with the square of the levels, in no unit (see
    /// [`CircuitShape::model_cost`](super::CircuitShape::model_cost)).
    pub model_cost: f64,
    /// Largest difference of a weight from the plaintext twin's.
    pub weight_error: Option<f64>,
    /// Share of test rows taken for what they are, from 0 to 1.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve, from 0 to 1.
    pub auc: Option<f64>,
}

impl CircuitRow {
    /// Seconds with this many threads.
    pub fn seconds_with(&self, threads: usize) -> Option<f64> {
        let found = self.seconds.iter().find(|t| t.threads == threads);
        found.map(|t| t.seconds)
    }
}

/// How many times less a circuit needs than the baseline (more than 1 is better), or more where the name says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    /// Baseline's seconds over this circuit's, for each number of threads both have.
    pub speed: Vec<ThreadSpeed>,
    /// The same of the critical paths.
    pub critical_path: Option<f64>,
    /// The same of the model's costs.
    pub model: f64,
    /// This circuit's encrypted input bytes over the baseline's.
    pub inputs: f64,
    /// This circuit's ciphertext multiplications over the baseline's.
    pub multiplications: f64,
}

/// Speed against the baseline with a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadSpeed {
    /// Threads.
    pub threads: usize,
    /// Baseline's seconds over this circuit's.
    pub ratio: f64,
}

/// Circuits on one data set and machine; the first row is the baseline of all ratios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The machine.
    pub machine: Machine,
    /// The commit that ran, if known.
    pub commit: Option<String>,
    /// The day, as it should be shown. None makes output that is equal for equal runs.
    pub date: Option<String>,
    /// The data set.
    pub data: String,
    /// The circuits.
    pub rows: Vec<CircuitRow>,
}

/// Lines of the comparison that belong together.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) lines: Vec<Line>,
}

/// One figure of all circuits.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
}

impl Comparison {
    /// Each circuit against the first one with the same minibatch; none without rows. A row without a baseline of its minibatch is
    /// compared with the first row.
    pub fn ratios(&self) -> Vec<Ratios> {
        let Some(first) = self.rows.first() else {
            return Vec::new();
        };
        self.rows
            .iter()
            .map(|row| {
                let same =
                    |r: &&CircuitRow| r.circuit == first.circuit && r.minibatch == row.minibatch;
                ratios(self.rows.iter().find(same).unwrap_or(first), row)
            })
            .collect()
    }

    /// Whether some times are estimates.
    pub fn has_estimates(&self) -> bool {
        self.rows.iter().any(|r| r.timing == Timing::Estimated)
    }

    /// The table with a column per circuit; lines without any number are left out.
    pub(super) fn table(&self) -> Vec<Group> {
        let ratios = self.ratios();
        let mut threads: Vec<usize> = self
            .rows
            .iter()
            .flat_map(|r| r.seconds.iter().map(|t| t.threads))
            .collect();
        threads.sort_unstable();
        threads.dedup();
        let with = |n: usize| format!("{n} thread{}", if n == 1 { "" } else { "s" });

        let mut time = Vec::new();
        for &n in &threads {
            time.push(self.line(&with(n), |r| r.seconds_with(n).map(text::seconds)));
        }
        time.push(self.line("critical path", |r| r.critical_seconds.map(text::seconds)));
        time.push(self.line("total work", |r| r.work_seconds.map(text::seconds)));
        time.push(self.line("times are", |r| {
            Some(match r.timing {
                Timing::Measured { runs: 1 } => "of 1 run".to_owned(),
                Timing::Measured { runs } => format!("medians of {runs}"),
                Timing::Estimated => "estimated".to_owned(),
            })
        }));

        let mut against = Vec::new();
        let line = |name: String, value: &dyn Fn(&Ratios) -> Option<f64>| Line {
            name,
            cells: ratios
                .iter()
                .map(|r| cell(value(r).map(text::ratio)))
                .collect(),
        };
        for &n in &threads {
            against.push(line(format!("speed, {}", with(n)), &|r| {
                let found = r.speed.iter().find(|s| s.threads == n);
                found.map(|s| s.ratio)
            }));
        }
        against.push(line("speed, critical path".into(), &|r| r.critical_path));
        against.push(line("speed, model".into(), &|r| Some(r.model)));
        against.push(line("input bytes".into(), &|r| Some(r.inputs)));
        against.push(line("multiplications".into(), &|r| Some(r.multiplications)));

        let mut groups = vec![
            Group {
                name: "Parameters",
                lines: vec![
                    self.line("iterations", |r| Some(text::count(r.iterations))),
                    self.line("minibatch rows", |r| Some(text::count(r.minibatch))),
                    self.line("depth", |r| Some(text::count(r.depth))),
                    self.line("N", |r| Some(text::power_of_two(r.log_n))),
                    self.line("log₂(QP)", |r| Some(text::fixed(r.log_qp, 0))),
                    self.line("at most", |r| Some(text::fixed(r.log_qp_bound, 0))),
                    self.line("dnum", |r| Some(text::count(r.dnum))),
                ],
            },
            Group {
                name: "Operations",
                lines: vec![
                    self.line("multiplications", |r| Some(text::count(r.multiplications))),
                    self.line("key switches", |r| Some(text::count(r.key_switches))),
                    self.line("critical steps", |r| Some(text::count(r.critical_steps))),
                ],
            },
            Group {
                name: "Sizes",
                lines: vec![
                    self.line("encrypted inputs", |r| Some(text::bytes(r.input_bytes))),
                    self.line("evaluation keys", |r| Some(text::bytes(r.key_bytes))),
                    self.line("peak memory", |r| r.peak_bytes.map(text::bytes)),
                ],
            },
            Group {
                name: "Time",
                lines: time,
            },
            Group {
                name: "Result",
                lines: vec![
                    self.line("worst weight error", |r| {
                        r.weight_error.map(text::scientific)
                    }),
                    self.line("accuracy", |r| r.accuracy.map(text::percent)),
                    self.line("AUC", |r| r.auc.map(|a| text::fixed(a, 4))),
                ],
            },
            Group {
                name: "Against the baseline",
                lines: against,
            },
        ];
        for group in &mut groups {
            group
                .lines
                .retain(|line| line.cells.iter().any(|c| c != UNKNOWN));
        }
        groups.retain(|group| !group.lines.is_empty());
        groups
    }

    fn line(&self, name: &str, value: impl Fn(&CircuitRow) -> Option<String>) -> Line {
        Line {
            name: name.to_owned(),
            cells: self.rows.iter().map(|row| cell(value(row))).collect(),
        }
    }
}

fn cell(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

fn ratios(base: &CircuitRow, row: &CircuitRow) -> Ratios {
    Ratios {
        speed: row
            .seconds
            .iter()
            .filter_map(|own| {
                Some(ThreadSpeed {
                    threads: own.threads,
                    ratio: base.seconds_with(own.threads)? / own.seconds,
                })
            })
            .collect(),
        critical_path: base
            .critical_seconds
            .zip(row.critical_seconds)
            .map(|(b, r)| b / r),
        model: base.model_cost / row.model_cost,
        inputs: row.input_bytes as f64 / base.input_bytes as f64,
        multiplications: row.multiplications as f64 / base.multiplications as f64,
    }
}
