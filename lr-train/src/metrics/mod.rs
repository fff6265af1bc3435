//! How good a model is on labelled rows.

mod accuracy;
mod assessment;
mod several;

pub use accuracy::Accuracy;
pub use assessment::{Assessment, Fifth, Remark, RocPoint, Threshold};
pub(crate) use several::highest;
pub use several::{ClassFigures, SeveralClasses};

use serde::{Deserialize, Serialize};

use crate::data::DataError;

/// How many rows of each class were taken for which; a row is taken for positive if its score is above 0, that is its
/// probability above 1/2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Confusion {
    /// Positive rows taken for positive.
    pub true_positive: usize,
    /// Negative rows taken for positive.
    pub false_positive: usize,
    /// Negative rows taken for negative.
    pub true_negative: usize,
    /// Positive rows taken for negative.
    pub false_negative: usize,
}

impl Confusion {
    /// Counts.
    ///
    /// # Errors
    /// [`DataError::Length`], [`DataError::NotFinite`], [`DataError::EmptyTable`] without rows.
    pub fn count(scores: &[f64], labels: &[bool]) -> Result<Self, DataError> {
        Self::count_above(0.0, scores, labels)
    }

    /// Counts with rows taken for positive whose score is above `bound`.
    ///
    /// # Errors
    /// As [`Confusion::count`].
    pub fn count_above(bound: f64, scores: &[f64], labels: &[bool]) -> Result<Self, DataError> {
        check("confusion counts", scores, labels)?;
        let mut counts = Self::default();
        for (&score, &label) in scores.iter().zip(labels) {
            *match (score > bound, label) {
                (true, true) => &mut counts.true_positive,
                (true, false) => &mut counts.false_positive,
                (false, false) => &mut counts.true_negative,
                (false, true) => &mut counts.false_negative,
            } += 1;
        }
        Ok(counts)
    }

    /// All rows.
    pub fn rows(&self) -> usize {
        self.true_positive + self.false_positive + self.true_negative + self.false_negative
    }

    /// Share of rows taken for what they are, from 0 to 1.
    pub fn accuracy(&self) -> f64 {
        (self.true_positive + self.true_negative) as f64 / self.rows() as f64
    }

    /// Share of positive rows taken for positive; none without positive rows.
    pub fn recall(&self) -> Option<f64> {
        share(self.true_positive, self.true_positive + self.false_negative)
    }

    /// Share of negative rows taken for negative; none without negative rows.
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negative, self.true_negative + self.false_positive)
    }

    /// Share of positive rows among those taken for positive; none if no row is.
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// The mean of [`Self::recall`] and [`Self::specificity`]: 1/2 for guessing, whatever the shares of the classes.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.recall()? + self.specificity()?) / 2.0)
    }

    /// The harmonic mean of [`Self::precision`] and [`Self::recall`]; none without positive rows and predictions.
    pub fn f1(&self) -> Option<f64> {
        let twice = 2 * self.true_positive;
        share(twice, twice + self.false_positive + self.false_negative)
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// `ln(1 + exp(-margin))`.
pub(crate) fn loss_of_margin(margin: f64) -> f64 {
    // exp of a negative number only, so that nothing overflows.
    (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
}

/// Area under the ROC curve: the probability that a positive row scores above a negative one, ties counted half.
///
/// # Errors
/// As [`Confusion::count`]; [`DataError::OneClass`].
pub fn auc(scores: &[f64], labels: &[bool]) -> Result<f64, DataError> {
    check("area under the curve", scores, labels)?;
    let positives = labels.iter().filter(|&&l| l).count();
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(DataError::OneClass {
            what: "area under the curve",
            rows: labels.len(),
            value: if positives > 0 {
                "positive"
            } else {
                "negative"
            }
            .to_owned(),
        });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    // Pairs won, counted twice so that ties stay whole numbers.
    let (mut twice_won, mut below) = (0u128, 0u128);
    // -0.0 and 0.0 are equal scores though the order tells them apart.
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let up = tied.iter().filter(|&&i| labels[i]).count() as u128;
        let down = tied.len() as u128 - up;
        twice_won += up * (2 * below + down);
        below += down;
    }
    Ok(twice_won as f64 / (2.0 * positives as f64 * negatives as f64))
}

/// Mean of `ln(1 + exp(-y score))`, y = +-1: the loss that training minimizes.
///
/// # Errors
/// As [`Confusion::count`].
pub fn log_loss(scores: &[f64], labels: &[bool]) -> Result<f64, DataError> {
    check("log loss", scores, labels)?;
    let sum: f64 = scores
        .iter()
        .zip(labels)
        .map(|(&score, &label)| loss_of_margin(if label { score } else { -score }))
        .sum();
    Ok(sum / scores.len() as f64)
}

/// Everything about one set of rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quality {
    /// Share of rows taken for what they are.
    pub accuracy: f64,
    /// Area under the ROC curve; none if the rows are of one class.
    pub auc: Option<f64>,
    /// Mean log loss.
    pub log_loss: f64,
    /// The counts.
    pub confusion: Confusion,
}

impl Quality {
    /// Measures scores (`w . (1, x)` per row) against labels.
    ///
    /// # Errors
    /// As [`Confusion::count`].
    pub fn measure(scores: &[f64], labels: &[bool]) -> Result<Self, DataError> {
        let confusion = Confusion::count(scores, labels)?;
        Ok(Self {
            accuracy: confusion.accuracy(),
            auc: match auc(scores, labels) {
                Ok(area) => Some(area),
                Err(DataError::OneClass { .. }) => None,
                Err(error) => return Err(error),
            },
            log_loss: log_loss(scores, labels)?,
            confusion,
        })
    }
}

fn check(op: &'static str, scores: &[f64], labels: &[bool]) -> Result<(), DataError> {
    DataError::expect_length(op, "scores", scores.len(), labels.len())?;
    if scores.is_empty() {
        return Err(DataError::EmptyTable { header: false });
    }
    match scores.iter().position(|s| !s.is_finite()) {
        Some(row) => Err(DataError::NotFinite {
            what: op,
            row,
            column: 0,
            value: scores[row],
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_and_accuracy() {
        let counts = Confusion::count(
            &[1.0, 0.0, -1.0, 2.0, -0.5],
            &[true, true, false, false, false],
        )
        .unwrap();
        let expected = Confusion {
            true_positive: 1,
            false_positive: 1,
            true_negative: 2,
            false_negative: 1,
        };
        assert_eq!(counts, expected);
        assert_eq!(counts.accuracy(), 0.6);
    }

    #[test]
    fn areas_of_known_cases() {
        let labels = [false, false, true, true];
        assert_eq!(auc(&[1.0, 2.0, 3.0, 4.0], &labels).unwrap(), 1.0);
        assert_eq!(auc(&[4.0, 3.0, 2.0, 1.0], &labels).unwrap(), 0.0);
        assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &labels).unwrap(), 0.75);
        assert_eq!(auc(&[7.0; 4], &labels).unwrap(), 0.5);
        assert_eq!(auc(&[-0.0, 0.0, 0.0, -0.0], &labels).unwrap(), 0.5);
        assert!(matches!(
            auc(&[1.0], &[true]),
            Err(DataError::OneClass { .. })
        ));
    }

    #[test]
    fn loss_of_known_cases() {
        assert_relative_eq!(log_loss(&[0.0, 0.0], &[true, false]).unwrap(), 2f64.ln());
        assert_relative_eq!(log_loss(&[2.0], &[false]).unwrap(), (1.0 + 2f64.exp()).ln());
        assert_relative_eq!(
            log_loss(&[-2.0], &[false]).unwrap(),
            (1.0 + (-2f64).exp()).ln()
        );
        assert_eq!(log_loss(&[-5000.0], &[true]).unwrap(), 5000.0);
    }

    #[test]
    fn bad_scores_are_refused() {
        assert!(matches!(
            Quality::measure(&[1.0], &[]),
            Err(DataError::Length { .. })
        ));
        assert!(matches!(
            Quality::measure(&[], &[]),
            Err(DataError::EmptyTable { .. })
        ));
        assert!(matches!(
            Quality::measure(&[0.0, f64::NAN], &[true, false]),
            Err(DataError::NotFinite { row: 1, .. })
        ));
        assert_eq!(Quality::measure(&[1.0], &[true]).unwrap().auc, None);
    }

    proptest! {
        #[test]
        fn the_area_counts_pairs(rows in proptest::collection::vec((-3i8..4, any::<bool>()), 2..40)) {
            let (scores, labels): (Vec<f64>, Vec<bool>) =
                rows.iter().map(|(s, l)| (f64::from(*s), *l)).unzip();
            let (mut won, mut pairs) = (0.0, 0.0);
            for (a, la) in scores.iter().zip(&labels) {
                for (b, lb) in scores.iter().zip(&labels) {
                    if *la && !lb {
                        pairs += 1.0;
                        won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                    }
                }
            }
            prop_assume!(pairs > 0.0);
            prop_assert!((auc(&scores, &labels).unwrap() - won / pairs).abs() < 1e-12);
        }
    }
}
