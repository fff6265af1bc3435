//! Circuits side by side.

use std::{collections::BTreeSet, fmt};

use arras_ckks::{Parameters, params::max_log2_qp};
use arras_toolkit::text;
use serde::{Deserialize, Serialize};

use super::{
    ReportError,
    columns::{Columns, Group},
    machine::Machine,
    shape::CircuitShape,
    threads,
};

/// Where times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Timing {
    /// Medians of this many runs.
    Measured {
        /// Runs.
        runs: usize,
    },
    /// From measured costs of single operations; the circuit itself did not run.
    Estimated,
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured { runs: 1 } => f.write_str("of 1 run"),
            Self::Measured { runs } => write!(f, "medians of {runs}"),
            Self::Estimated => f.write_str("estimated"),
        }
    }
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
#[non_exhaustive]
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
    /// A circuit and its parameters. Iterations, rows and bytes are 0 and nothing is measured until it is said.
    pub fn new(shape: &CircuitShape, params: &Parameters, timing: Timing) -> Self {
        Self {
            circuit: shape.circuit.clone(),
            iterations: 0,
            minibatch: 0,
            depth: shape.depth,
            log_n: params.log_n(),
            log_qp: params.log2_qp(),
            log_qp_bound: max_log2_qp(params.log_n()).map_or(f64::NAN, f64::from),
            dnum: params.dnum(),
            multiplications: shape.multiplications,
            key_switches: shape.key_switches(),
            input_bytes: 0,
            key_bytes: 0,
            peak_bytes: None,
            timing,
            seconds: Vec::new(),
            critical_steps: shape.critical_path,
            critical_seconds: None,
            work_seconds: None,
            model_cost: shape.model_cost,
            weight_error: None,
            accuracy: None,
            auc: None,
        }
    }

    /// Seconds with this many threads.
    pub fn seconds_with(&self, threads: usize) -> Option<f64> {
        let found = self.seconds.iter().find(|t| t.threads == threads);
        found.map(|t| t.seconds)
    }
}

/// How many times less a circuit needs than the baseline (more than 1 is better), or more where the name says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl Ratios {
    fn of(base: &CircuitRow, row: &CircuitRow) -> Self {
        let speed = |own: &ThreadSeconds| {
            Some(ThreadSpeed {
                threads: own.threads,
                ratio: base.seconds_with(own.threads)? / own.seconds,
            })
        };
        let critical = base.critical_seconds.zip(row.critical_seconds);
        Self {
            speed: row.seconds.iter().filter_map(speed).collect(),
            critical_path: critical.map(|(base, own)| base / own),
            model: base.model_cost / row.model_cost,
            inputs: row.input_bytes as f64 / base.input_bytes as f64,
            multiplications: row.multiplications as f64 / base.multiplications as f64,
        }
    }
}

/// Speed against the baseline with a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadSpeed {
    /// Threads.
    pub threads: usize,
    /// Baseline's seconds over this circuit's.
    pub ratio: f64,
}

/// Circuits on one data set and machine; the first row is the baseline of all ratios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl Comparison {
    /// A comparison without rows, on this data set.
    pub fn new(machine: Machine, data: impl Into<String>) -> Self {
        Self {
            machine,
            commit: None,
            date: None,
            data: data.into(),
            rows: Vec::new(),
        }
    }

    /// The comparison as indented JSON.
    ///
    /// # Errors
    /// [`ReportError::Json`] if the encoder fails.
    pub fn to_json(&self) -> Result<String, ReportError> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`ReportError::Json`] for anything else.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Each circuit against the first one with the same minibatch; none without rows. A row without a baseline of its minibatch is
    /// compared with the first row.
    pub fn ratios(&self) -> Vec<Ratios> {
        let Some(first) = self.rows.first() else {
            return Vec::new();
        };
        let baseline = |row: &CircuitRow| {
            let same = |r: &&CircuitRow| r.circuit == first.circuit && r.minibatch == row.minibatch;
            self.rows.iter().find(same).unwrap_or(first)
        };
        let rows = self.rows.iter();
        rows.map(|row| Ratios::of(baseline(row), row)).collect()
    }

    /// Whether some times are estimates.
    pub fn has_estimates(&self) -> bool {
        self.rows.iter().any(|r| r.timing == Timing::Estimated)
    }

    /// The table with a column per circuit; lines without any number are left out.
    pub(super) fn table(&self) -> Vec<Group> {
        let columns: Vec<(&CircuitRow, Ratios)> = self.rows.iter().zip(self.ratios()).collect();
        let seconds = self.rows.iter().flat_map(|r| &r.seconds);
        let counts: BTreeSet<usize> = seconds.map(|t| t.threads).collect();
        let mut table = Columns::new(&columns)
            .group("Parameters")
            .line("iterations", |(r, _)| Some(text::count(r.iterations)))
            .line("minibatch rows", |(r, _)| Some(text::count(r.minibatch)))
            .line("depth", |(r, _)| Some(text::count(r.depth)))
            .line("N", |(r, _)| Some(text::power_of_two(r.log_n)))
            .line("log₂(QP)", |(r, _)| Some(text::fixed(r.log_qp, 0)))
            .line("at most", |(r, _)| Some(text::fixed(r.log_qp_bound, 0)))
            .line("dnum", |(r, _)| Some(text::count(r.dnum)))
            .group("Operations")
            .line("multiplications", |(r, _)| {
                Some(text::count(r.multiplications))
            })
            .line("key switches", |(r, _)| Some(text::count(r.key_switches)))
            .line("critical steps", |(r, _)| {
                Some(text::count(r.critical_steps))
            })
            .group("Sizes")
            .line("encrypted inputs", |(r, _)| {
                Some(text::bytes(r.input_bytes))
            })
            .line("evaluation keys", |(r, _)| Some(text::bytes(r.key_bytes)))
            .line("peak memory", |(r, _)| r.peak_bytes.map(text::bytes))
            .group("Time");
        for &n in &counts {
            table = table.line(threads(n), |(r, _)| r.seconds_with(n).map(text::seconds));
        }
        table = table
            .line("critical path", |(r, _)| {
                r.critical_seconds.map(text::seconds)
            })
            .line("total work", |(r, _)| r.work_seconds.map(text::seconds))
            .line("times are", |(r, _)| Some(r.timing.to_string()))
            .group("Result")
            .line("worst weight error", |(r, _)| {
                r.weight_error.map(text::scientific)
            })
            .line("accuracy", |(r, _)| r.accuracy.map(text::percent))
            .line("AUC", |(r, _)| r.auc.map(|a| text::fixed(a, 4)))
            .group("Against the baseline");
        for &n in &counts {
            table = table.line(format!("speed, {}", threads(n)), |(_, r)| {
                let found = r.speed.iter().find(|s| s.threads == n);
                found.map(|s| text::ratio(s.ratio))
            });
        }
        table
            .line("speed, critical path", |(_, r)| {
                r.critical_path.map(text::ratio)
            })
            .line("speed, model", |(_, r)| Some(text::ratio(r.model)))
            .line("input bytes", |(_, r)| Some(text::ratio(r.inputs)))
            .line("multiplications", |(_, r)| {
                Some(text::ratio(r.multiplications))
            })
            .known()
    }
}
