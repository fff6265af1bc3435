//! Everything that a user is told about a model on labelled rows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Confusion, Quality, auc, check, log_loss};
use crate::{data::DataError, sigmoid::sigma};

/// More points than this of a curve show nothing more.
const MOST_POINTS: usize = 257;

/// From which probability a row is taken for positive: a number above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Threshold(f64);

impl Threshold {
    /// # Errors
    /// [`DataError::Threshold`] unless it is above 0 and below 1.
    pub fn new(probability: f64) -> Result<Self, DataError> {
        if probability > 0.0 && probability < 1.0 {
            return Ok(Self(probability));
        }
        Err(DataError::Threshold { value: probability })
    }

    /// The probability.
    pub fn probability(self) -> f64 {
        self.0
    }

    /// The score whose sigmoid it is; 0 for one half.
    pub fn score(self) -> f64 {
        (self.0 / (1.0 - self.0)).ln()
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self(0.5)
    }
}

impl TryFrom<f64> for Threshold {
    type Error = DataError;

    fn try_from(probability: f64) -> Result<Self, DataError> {
        Self::new(probability)
    }
}

impl From<Threshold> for f64 {
    fn from(threshold: Threshold) -> Self {
        threshold.0
    }
}

/// A fifth of the rows in the order of their probabilities: whether these are what happens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fifth {
    /// Rows.
    pub rows: usize,
    /// Mean of the probabilities predicted for them.
    pub predicted: f64,
    /// Share of positive rows among them.
    pub observed: f64,
}

/// A point of the ROC curve: what a threshold gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RocPoint {
    /// Rows of at least this probability are taken for positive; above 1 for none.
    pub threshold: f64,
    /// Share of negative rows taken for positive.
    pub false_positive_rate: f64,
    /// Share of positive rows taken for positive.
    pub true_positive_rate: f64,
}

/// What must be said in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remark {
    /// All rows are of one class: nothing that compares classes is known.
    RowsOfOneClass,
    /// The model says the positive (true) or negative class for every row.
    OneClassPredicted(bool),
    /// The share of right answers is below that of the larger class.
    WorseThanLargerClass,
    /// Probabilities are no better than the share of the positive class said for every row.
    NoBetterThanShare,
    /// Positive rows score below negative ones more often than above.
    RanksAgainstClasses,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RowsOfOneClass => "all rows are of one class: how well classes are told apart is unknown",
            Self::OneClassPredicted(_) => {
                "the model says one class for every row: look at the threshold (`decrypt --threshold balanced`), or train longer or with other settings"
            }
            Self::WorseThanLargerClass => {
                "worse than guessing: saying the larger class for every row is right more often"
            }
            Self::NoBetterThanShare => {
                "the probabilities are no better than the share of the positive class said for every row: calibrate them (`decrypt --data`), or train longer"
            }
            Self::RanksAgainstClasses => {
                "worse than guessing: positive rows score below negative ones more often than above (AUC below 0.5)"
            }
        })
    }
}

/// Everything about a model on labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Assessment {
    /// Rows.
    pub rows: usize,
    /// Share of the positive class among them.
    pub base_rate: f64,
    /// Share of the larger class: the accuracy of saying it for every row.
    pub larger_class: f64,
    /// From which probability a row is taken for positive.
    pub threshold: Threshold,
    /// Share of rows taken for what they are.
    pub accuracy: f64,
    /// [`Confusion::balanced_accuracy`].
    pub balanced_accuracy: Option<f64>,
    /// [`Confusion::precision`].
    pub precision: Option<f64>,
    /// [`Confusion::recall`].
    pub recall: Option<f64>,
    /// [`Confusion::f1`].
    pub f1: Option<f64>,
    /// Area under the ROC curve; none if the rows are of one class.
    pub auc: Option<f64>,
    /// Mean log loss of the probabilities.
    pub log_loss: f64,
    /// That of the base rate said for every row.
    pub base_log_loss: f64,
    /// Fifths of the rows by probability, the lowest first; fewer than five rows are one part each.
    pub calibration: Vec<Fifth>,
    /// The counts.
    pub confusion: Confusion,
    /// The ROC curve from (0, 0) to (1, 1), 257 points at most; empty if the rows are of one class.
    pub roc: Vec<RocPoint>,
    /// What must be said in words.
    pub remarks: Vec<Remark>,
}

impl From<&Assessment> for Quality {
    fn from(of: &Assessment) -> Self {
        Self {
            accuracy: of.accuracy,
            auc: of.auc,
            log_loss: of.log_loss,
            confusion: of.confusion,
        }
    }
}

impl Assessment {
    /// Measures scores, whose sigmoids are probabilities, against labels.
    ///
    /// # Errors
    /// As [`Confusion::count`].
    pub fn measure(
        scores: &[f64],
        labels: &[bool],
        threshold: Threshold,
    ) -> Result<Self, DataError> {
        let confusion = Confusion::count_above(threshold.score(), scores, labels)?;
        let rows = confusion.rows();
        let positives = confusion.true_positive + confusion.false_negative;
        let base_rate = positives as f64 / rows as f64;
        let mut assessment = Self {
            rows,
            base_rate,
            larger_class: base_rate.max(1.0 - base_rate),
            threshold,
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            precision: confusion.precision(),
            recall: confusion.recall(),
            f1: confusion.f1(),
            auc: match auc(scores, labels) {
                Ok(area) => Some(area),
                Err(DataError::OneClass { .. }) => None,
                Err(error) => return Err(error),
            },
            log_loss: log_loss(scores, labels)?,
            base_log_loss: entropy(base_rate),
            calibration: fifths(scores, labels),
            confusion,
            roc: roc(scores, labels)?,
            remarks: vec![],
        };
        assessment.remarks = assessment.found();
        Ok(assessment)
    }

    /// The figures that reports compare.
    pub fn quality(&self) -> Quality {
        Quality {
            accuracy: self.accuracy,
            auc: self.auc,
            log_loss: self.log_loss,
            confusion: self.confusion,
        }
    }

    fn found(&self) -> Vec<Remark> {
        let said_positive = self.confusion.true_positive + self.confusion.false_positive;
        if self.auc.is_none() {
            return vec![Remark::RowsOfOneClass];
        }
        let mut remarks = vec![];
        if said_positive == 0 || said_positive == self.rows {
            remarks.push(Remark::OneClassPredicted(said_positive > 0));
        }
        // Another threshold than one half may give right answers away for balance.
        if self.threshold == Threshold::default() && self.accuracy < self.larger_class {
            remarks.push(Remark::WorseThanLargerClass);
        }
        if self.auc.is_some_and(|area| area < 0.5) {
            remarks.push(Remark::RanksAgainstClasses);
        } else if self.log_loss >= self.base_log_loss {
            remarks.push(Remark::NoBetterThanShare);
        }
        remarks
    }
}

/// Log loss of a share of positive rows said for every row.
fn entropy(share: f64) -> f64 {
    [share, 1.0 - share]
        .into_iter()
        .filter(|p| *p > 0.0)
        .map(|p| -p * p.ln())
        .sum()
}

fn fifths(scores: &[f64], labels: &[bool]) -> Vec<Fifth> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (rows, parts) = (order.len(), order.len().min(5));
    (0..parts)
        .map(|part| {
            let of = &order[part * rows / parts..(part + 1) * rows / parts];
            let count = of.len() as f64;
            Fifth {
                rows: of.len(),
                predicted: of.iter().map(|&i| sigma(scores[i])).sum::<f64>() / count,
                observed: of.iter().filter(|&&i| labels[i]).count() as f64 / count,
            }
        })
        .collect()
}

/// The curve, thinned to [`MOST_POINTS`] with both its ends.
fn roc(scores: &[f64], labels: &[bool]) -> Result<Vec<RocPoint>, DataError> {
    check("ROC curve", scores, labels)?;
    let positives = labels.iter().filter(|&&l| l).count();
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return Ok(vec![]);
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut up, mut down) = (0, 0);
    let mut points = vec![RocPoint {
        threshold: 2.0,
        false_positive_rate: 0.0,
        true_positive_rate: 0.0,
    }];
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let right = tied.iter().filter(|&&i| labels[i]).count();
        up += right;
        down += tied.len() - right;
        points.push(RocPoint {
            threshold: sigma(scores[tied[0]]),
            false_positive_rate: down as f64 / negatives as f64,
            true_positive_rate: up as f64 / positives as f64,
        });
    }
    let last = points.len() - 1;
    if last < MOST_POINTS {
        return Ok(points);
    }
    let steps = MOST_POINTS - 1;
    Ok((0..=steps).map(|i| points[i * last / steps]).collect())
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    /// Figures by scikit-learn for the same ten rows.
    #[test]
    fn figures_are_those_of_scikit_learn() {
        let scores = [2.0, 1.5, -0.3, 0.2, -1.0, -2.0, 0.6, -0.8, 3.0, -0.1];
        let labels = [
            true, true, true, false, false, false, true, false, true, false,
        ];
        let found = Assessment::measure(&scores, &labels, Threshold::default()).unwrap();
        let close = |a: Option<f64>, b: f64| assert_relative_eq!(a.unwrap(), b, epsilon = 1e-9);
        close(Some(found.accuracy), 0.8);
        close(found.balanced_accuracy, 0.8);
        close(found.precision, 0.8);
        close(found.recall, 0.8);
        close(found.f1, 0.8);
        close(found.auc, 0.92);
        close(Some(found.log_loss), 0.392_259_773);
        close(Some(found.base_log_loss), 2f64.ln());
        assert_eq!(found.calibration.len(), 5);
        assert_eq!(found.calibration[4].observed, 1.0);
        assert_relative_eq!(
            found.calibration[4].predicted,
            (sigma(2.0) + sigma(3.0)) / 2.0
        );
        assert!(found.remarks.is_empty(), "{:?}", found.remarks);
        let trapezes: f64 = found
            .roc
            .windows(2)
            .map(|p| {
                (p[1].false_positive_rate - p[0].false_positive_rate)
                    * (p[1].true_positive_rate + p[0].true_positive_rate)
                    / 2.0
            })
            .sum();
        close(Some(trapezes), 0.92);
    }

    #[test]
    fn models_that_say_nothing_are_told_so() {
        let labels = [true, false, false, false];
        let said = |scores: &[f64]| {
            let found = Assessment::measure(scores, &labels, Threshold::default()).unwrap();
            found.remarks
        };
        assert_eq!(
            said(&[-1.0, -1.1, -1.2, -1.3]),
            [Remark::OneClassPredicted(false)]
        );
        assert_eq!(
            said(&[-1.0, 2.0, 2.0, 1.0]),
            [Remark::WorseThanLargerClass, Remark::RanksAgainstClasses]
        );
        assert_eq!(said(&[9.0, 8.0, -1.0, -1.0]), [Remark::NoBetterThanShare]);
        let one = Assessment::measure(&[1.0, 2.0], &[true, true], Threshold::default()).unwrap();
        assert_eq!(one.remarks, [Remark::RowsOfOneClass]);
        assert!(one.roc.is_empty());
        assert_eq!(one.base_log_loss, 0.0);
    }

    #[test]
    fn thresholds_are_probabilities() {
        let labels = [true, true, false, false];
        let scores = [1.0, -0.5, -1.0, -3.0];
        let low = Threshold::new(0.3).unwrap();
        let found = Assessment::measure(&scores, &labels, low).unwrap();
        assert_eq!(found.accuracy, 1.0);
        assert_relative_eq!(sigma(low.score()), 0.3, max_relative = 1e-14);
        for bad in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(matches!(
                Threshold::new(bad),
                Err(DataError::Threshold { .. })
            ));
        }
    }

    #[test]
    fn long_curves_are_thinned_and_keep_their_ends() {
        let scores: Vec<f64> = (0..5000).map(f64::from).collect();
        let labels: Vec<bool> = (0..5000).map(|i| i % 3 == 0).collect();
        let curve = roc(&scores, &labels).unwrap();
        assert_eq!(curve.len(), MOST_POINTS);
        let ends = [curve[0], curve[MOST_POINTS - 1]]
            .map(|p| (p.false_positive_rate, p.true_positive_rate));
        assert_eq!(ends, [(0.0, 0.0), (1.0, 1.0)]);
    }
}
