//! What a report tells.

use serde::{Deserialize, Serialize};

use super::{
    comparison::{Comparison, Timing},
    machine::Machine,
    shape::CircuitShape,
};
use crate::metrics::Quality;

/// The data that was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSummary {
    /// The data set's name.
    pub name: String,
    /// Rows to train on.
    pub training_rows: usize,
    /// Rows to test on.
    pub test_rows: usize,
    /// Features in use, without the intercept.
    pub features: usize,
    /// Features left out because they are constant.
    pub dropped: usize,
    /// The label of the negative class.
    pub negative: String,
    /// The label of the positive class.
    pub positive: String,
}

/// What was planned for one circuit before any key existed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// The circuit's name.
    pub circuit: String,
    /// Iterations of a round.
    pub iterations: usize,
    /// Rounds; between two of them the client decrypts and re-encrypts the weights.
    pub rounds: usize,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// log2 of the ring degree N.
    pub log_n: u32,
    /// Levels.
    pub levels: usize,
    /// Digits of key switching.
    pub dnum: usize,
    /// log2 of the product of all moduli.
    pub log_qp: f64,
    /// Largest log2(QP) that is secure for N.
    pub log_qp_bound: f64,
    /// Evaluation keys.
    pub keys: usize,
    /// Their bytes.
    pub key_bytes: u64,
    /// Bytes of encrypted inputs.
    pub input_bytes: u64,
    /// Memory that the server will need, in bytes.
    pub server_bytes: Option<u64>,
    /// Error of a weight that the noise model predicts.
    pub predicted_error: Option<f64>,
    /// Training time that measured costs predict, in seconds.
    pub predicted_seconds: Option<f64>,
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The owner of the data and of the secret key.
    Client,
    /// The training service.
    Server,
}

/// A part of the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What is done.
    pub name: String,
    /// By whom.
    pub side: Side,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Bytes that it wrote to be sent, if any.
    pub bytes: Option<u64>,
}

/// A value after an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Iterations done.
    pub iteration: usize,
    /// The value.
    pub value: f64,
}

/// Values of one circuit by iteration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The circuit's name.
    pub circuit: String,
    /// The values, iterations rising.
    pub points: Vec<Point>,
}

/// Time of one kind of operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindSeconds {
    /// The kind, for example `rotate`.
    pub kind: String,
    /// Seconds of all its operations.
    pub seconds: f64,
}

/// Where a circuit's time goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitTimes {
    /// The circuit's name.
    pub circuit: String,
    /// Where the times come from.
    pub timing: Timing,
    /// Threads they are for.
    pub threads: usize,
    /// The kinds, none twice.
    pub kinds: Vec<KindSeconds>,
}

/// A trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// The circuit that trained it.
    pub circuit: String,
    /// The intercept's weight.
    pub intercept: f64,
    /// Every feature's name and weight.
    pub weights: Vec<Weight>,
    /// Quality on the test rows.
    pub quality: Quality,
    /// The same of the plaintext twin, if it was trained.
    pub plaintext_quality: Option<Quality>,
}

/// A feature's weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// The feature.
    pub feature: String,
    /// Its weight.
    pub weight: f64,
}

/// The whole story of a training. Parts that are empty or `None` are left out of what is shown. Numbers are finite; others are shown
/// as unknown or left out of plots, and JSON has no way to store them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingReport {
    /// What the page is called.
    pub title: String,
    /// The machine.
    pub machine: Machine,
    /// The commit that ran, if known.
    pub commit: Option<String>,
    /// The day, as it should be shown. None makes output that is equal for equal runs.
    pub date: Option<String>,
    /// The data.
    pub data: Option<DataSummary>,
    /// The plans, one per circuit.
    pub plans: Vec<PlanSummary>,
    /// What was done, in order.
    pub stages: Vec<Stage>,
    /// Share of test rows taken for what they are, from 0 to 1, of weights trained on plaintexts.
    pub plaintext_accuracy: Vec<Point>,
    /// The same of decrypted weights.
    pub accuracy: Vec<Series>,
    /// Largest difference of a decrypted weight from the plaintext twin's.
    pub weight_error: Vec<Series>,
    /// Depth and width of the circuits.
    pub shapes: Vec<CircuitShape>,
    /// Where the time goes.
    pub times: Vec<CircuitTimes>,
    /// The circuits side by side.
    pub comparison: Option<Comparison>,
    /// The model.
    pub model: Option<ModelSummary>,
}

impl TrainingReport {
    /// A report that tells nothing yet.
    pub fn new(title: impl Into<String>, machine: Machine) -> Self {
        Self {
            title: title.into(),
            machine,
            commit: None,
            date: None,
            data: None,
            plans: Vec::new(),
            stages: Vec::new(),
            plaintext_accuracy: Vec::new(),
            accuracy: Vec::new(),
            weight_error: Vec::new(),
            shapes: Vec::new(),
            times: Vec::new(),
            comparison: None,
            model: None,
        }
    }

    /// The circuits' names in the order in which they first occur: a circuit has the same colour in every figure.
    pub(super) fn circuits(&self) -> Vec<&str> {
        let names = (self.comparison.iter())
            .flat_map(|c| &c.rows)
            .map(|row| row.circuit.as_str())
            .chain(self.shapes.iter().map(|s| s.circuit.as_str()))
            .chain(self.accuracy.iter().map(|s| s.circuit.as_str()))
            .chain(self.weight_error.iter().map(|s| s.circuit.as_str()))
            .chain(self.times.iter().map(|t| t.circuit.as_str()));
        let mut circuits = Vec::new();
        for name in names {
            if !circuits.contains(&name) {
                circuits.push(name);
            }
        }
        circuits
    }
}
