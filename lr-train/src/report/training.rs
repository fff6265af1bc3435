//! The whole report.

use serde::{Deserialize, Serialize};

use super::{
    AssessedRows, CircuitShape, CircuitTimes, Comparison, DataSummary, Machine, ModelSummary,
    PlanSummary, Point, ReportError, Series, Stage,
};

/// The whole story of a training. Parts that are empty or `None` are left out of what is shown. Numbers are finite; others are shown
/// as unknown or left out of plots, and JSON has no way to store them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// How good it is with its calibration and threshold, and on which rows.
    #[serde(default)]
    pub assessment: Option<AssessedRows>,
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
            assessment: None,
        }
    }

    /// The report as indented JSON.
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
