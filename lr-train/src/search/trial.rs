//! One training in the clear on one fold.

use ndarray::{Array1, Array2};

use super::Setting;
use crate::{
    Result, TrainError,
    data::Dataset,
    metrics::{Confusion, auc, log_loss},
    plain::{Calibration, FitError, PlainSettings, State, View, exact, nesterov, scores},
    preprocess::{PreprocessError, Preprocessor, Scheme, signed_rows},
    split::Split,
};

/// A fold with its columns normalized as the rows to train on say.
pub(super) struct Fold {
    z: Array2<f64>,
    train: Array2<f64>,
    train_labels: Vec<bool>,
    test: Array2<f64>,
    test_labels: Vec<bool>,
}

/// What one fold says of a number of iterations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    pub(super) log_loss: f64,
    pub(super) auc: f64,
    pub(super) accuracy: f64,
}

/// A candidate on one fold.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// After each number of iterations that was asked for.
    pub(super) scores: Vec<Option<Score>>,
    /// Where it left its interval.
    pub(super) left: Option<Left>,
}

/// Where a training left its interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// Iterations begun.
    pub(super) iterations: usize,
    /// The inner product, infinite where weights are no numbers any more.
    pub(super) largest: f64,
}

impl Run {
    /// Of a fold that cannot be normalized.
    pub(super) fn silent(numbers: usize) -> Self {
        Self {
            scores: vec![None; numbers],
            left: None,
        }
    }
}

/// Trains from a state: the next one, or where it leaves its interval.
pub(super) fn within<'a>(
    examples: impl Into<View<'a>>,
    plain: &PlainSettings,
    state: State,
) -> Result<Result<State, Left>> {
    let (iteration, largest) = match nesterov(examples, plain, state) {
        Err(TrainError::Fit(FitError::Diverged { iteration, .. })) => (iteration, f64::INFINITY),
        Err(error) => return Err(error),
        Ok((history, next)) => match history.left_interval() {
            Some(left) => (left.iteration, left.largest_t),
            None => return Ok(Ok(next)),
        },
    };
    Ok(Err(Left {
        iterations: iteration + 1,
        largest,
    }))
}

impl Fold {
    /// None for columns that the scheme cannot normalize in this fold.
    pub(super) fn new(data: &Dataset, split: &Split, scheme: Scheme) -> Result<Option<Self>> {
        let (train, test) = (data.select(&split.train)?, data.select(&split.test)?);
        let fitted = match Preprocessor::fit(&train, scheme) {
            Err(PreprocessError::AllConstant { .. } | PreprocessError::Unnormalizable { .. }) => {
                return Ok(None);
            }
            other => other?,
        };
        let normalized = fitted.apply(&train)?;
        Ok(Some(Self {
            z: signed_rows(&normalized, train.labels())?,
            train: normalized,
            train_labels: train.labels().to_vec(),
            test: fitted.apply(&test)?,
            test_labels: test.labels().to_vec(),
        }))
    }

    /// Trains a candidate and judges it after each of some numbers of iterations; none from where it left its interval.
    pub(super) fn trial(&self, setting: &Setting, after: &[usize]) -> Result<Run> {
        let mut run = Run::silent(after.len());
        let mut state = State::zero(self.z.ncols());
        let mut plain = setting.plain(&self.z)?;
        for (&iterations, score) in after.iter().zip(&mut run.scores) {
            plain.iterations = iterations - state.iteration;
            let next = match within(&self.z, &plain, state)? {
                Ok(next) => next,
                Err(left) => {
                    run.left = Some(left);
                    break;
                }
            };
            *score = self.judge(&next.w)?;
            state = next;
        }
        Ok(run)
    }

    /// None for weights that do not rank rows at all.
    fn judge(&self, weights: &Array1<f64>) -> Result<Option<Score>> {
        let seen = scores(&self.train, weights)?;
        let calibration = match Calibration::fit(&seen, &self.train_labels) {
            Err(TrainError::Fit(FitError::AgainstClasses { .. } | FitError::Unsettled { .. })) => {
                return Ok(None);
            }
            other => other?,
        };
        self.score(weights, |score| calibration.apply(score))
            .map(Some)
    }

    /// The optimum itself.
    pub(super) fn exact(&self) -> Result<Score> {
        let penalty = 1.0 / self.z.nrows() as f64;
        self.score(&exact(&self.z, penalty)?.weights, |score| score)
    }

    fn score(&self, weights: &Array1<f64>, calibrated: impl Fn(f64) -> f64) -> Result<Score> {
        let unseen: Vec<f64> = (scores(&self.test, weights)?.into_iter())
            .map(calibrated)
            .collect();
        Ok(Score {
            log_loss: log_loss(&unseen, &self.test_labels)?,
            auc: auc(&unseen, &self.test_labels)?,
            accuracy: Confusion::count(&unseen, &self.test_labels)?.accuracy(),
        })
    }
}

/// The largest eigenvalue of `Z^T Z / n`: what a rate has to be small beside.
pub(super) fn largest_eigenvalue(z: &Array2<f64>) -> f64 {
    let mut v = Array1::<f64>::ones(z.ncols());
    let mut value = 1.0;
    for _ in 0..40 {
        let length = v.dot(&v).sqrt();
        if length == 0.0 {
            return 1.0;
        }
        v /= length;
        let mut next = Array1::zeros(z.ncols());
        for row in z.rows() {
            next.scaled_add(row.dot(&v) / z.nrows() as f64, &row);
        }
        value = v.dot(&next);
        v = next;
    }
    value
}
