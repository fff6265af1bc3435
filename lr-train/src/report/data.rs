//! What a report tells.

use arras_ckks::params::max_log2_qp;
use arras_toolkit::OpCount;
use serde::{Deserialize, Serialize};

use super::comparison::Timing;
use crate::{
    data::Dataset,
    metrics::{Assessment, Quality},
    preprocess::Preprocessor,
    trainer::{PlanReport, TrainingPlan},
};

/// The data that was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl DataSummary {
    /// Rows to train on and to test on under one name.
    pub fn new(
        name: impl Into<String>,
        train: &Dataset,
        test: &Dataset,
        preprocessor: &Preprocessor,
    ) -> Self {
        Self {
            name: name.into(),
            training_rows: train.rows(),
            test_rows: test.rows(),
            features: preprocessor.features(),
            dropped: preprocessor.dropped().len(),
            negative: train.classes().negative.clone(),
            positive: train.classes().positive.clone(),
        }
    }
}

/// What was planned for one circuit before any key existed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl PlanSummary {
    /// What a plan and its report say.
    pub fn new(plan: &TrainingPlan, report: &PlanReport) -> Self {
        let chosen = &report.chosen;
        Self {
            circuit: chosen.kind.name().into(),
            iterations: chosen.rounds.iter().copied().max().unwrap_or(0),
            rounds: chosen.rounds.len(),
            minibatch: plan.minibatch(),
            log_n: chosen.log_n,
            levels: chosen.levels,
            dnum: chosen.dnum,
            log_qp: chosen.log2_qp,
            log_qp_bound: max_log2_qp(chosen.log_n).map_or(f64::NAN, f64::from),
            keys: chosen.keys,
            key_bytes: chosen.key_file_bytes,
            input_bytes: chosen.data_bytes,
            server_bytes: Some(chosen.memory.total()),
            predicted_error: report.predicted_error,
            predicted_seconds: chosen.seconds.first().map(|s| s.seconds),
        }
    }
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

impl Side {
    /// The side in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// A part of the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl Stage {
    /// A part that took so many seconds.
    pub fn new(name: impl Into<String>, side: Side, seconds: f64, bytes: Option<u64>) -> Self {
        Self {
            name: name.into(),
            side,
            seconds,
            bytes,
        }
    }
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
#[non_exhaustive]
pub struct Series {
    /// The circuit's name.
    pub circuit: String,
    /// The values, iterations rising.
    pub points: Vec<Point>,
}

impl Series {
    /// Values of a circuit.
    pub fn new(circuit: impl Into<String>, points: Vec<Point>) -> Self {
        Self {
            circuit: circuit.into(),
            points,
        }
    }
}

/// Time of one kind of operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KindSeconds {
    /// The kind, for example `rotate`.
    pub kind: String,
    /// Seconds of all its operations.
    pub seconds: f64,
}

/// Where a circuit's time goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl CircuitTimes {
    /// The kinds of operations that took time by a count with costs.
    pub fn new(
        circuit: impl Into<String>,
        timing: Timing,
        threads: usize,
        count: &OpCount,
    ) -> Self {
        let kinds = count.kinds().iter().filter(|(_, of)| of.seconds > 0.0);
        Self {
            circuit: circuit.into(),
            timing,
            threads,
            kinds: kinds
                .map(|(kind, of)| KindSeconds {
                    kind: kind.clone(),
                    seconds: of.seconds,
                })
                .collect(),
        }
    }
}

/// A trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl ModelSummary {
    /// Weights, the intercept's first, of the columns that a normalization keeps; `quality` is theirs.
    pub fn new(
        circuit: impl Into<String>,
        preprocessor: &Preprocessor,
        weights: &[f64],
        quality: Quality,
    ) -> Self {
        let (intercept, weights) = weights
            .split_first()
            .map_or((0.0, &[][..]), |(i, w)| (*i, w));
        let named = preprocessor.kept().zip(weights);
        Self {
            circuit: circuit.into(),
            intercept,
            weights: named
                .map(|((_, feature), &weight)| Weight {
                    feature: feature.to_owned(),
                    weight,
                })
                .collect(),
            quality,
            plaintext_quality: None,
        }
    }
}

/// How good a model is, and on which rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssessedRows {
    /// Which rows, in words.
    pub rows: String,
    /// Everything about the model on them.
    pub assessment: Assessment,
}

impl AssessedRows {
    /// What was found on these rows.
    pub fn new(rows: impl Into<String>, assessment: Assessment) -> Self {
        Self {
            rows: rows.into(),
            assessment,
        }
    }
}

/// A feature's weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Weight {
    /// The feature.
    pub feature: String,
    /// Its weight.
    pub weight: f64,
}
