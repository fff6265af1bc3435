//! Scores to probabilities: two numbers that the client fits after training.

use ndarray::{Array1, array};
use serde::{Deserialize, Serialize};

use super::{FitError, exact::solve};
use crate::{
    data::DataError,
    metrics::{Confusion, log_loss},
};

/// Newton's method in two dimensions settles long before.
const MOST_STEPS: usize = 100;

/// `a s + b` in place of a score s, so that its sigmoid is a probability (Platt, "Probabilistic outputs for support vector machines", 1999;
/// Newton's method by Lin, Lin and Weng, 2007). Ranks of rows, and so the area under the curve, stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Calibration {
    /// a, above 0.
    pub slope: f64,
    /// b.
    pub intercept: f64,
    /// Rows it was fitted on.
    pub rows: usize,
    /// Share of the positive class among them.
    pub positive_share: f64,
    /// Log loss on them before.
    pub log_loss_before: f64,
    /// And after.
    pub log_loss_after: f64,
}

impl Calibration {
    /// Fits to scores and labels. Labels are taken for `(P + 1) / (P + 2)` and `1 / (N + 2)` with P positive and N negative rows, so that
    /// rows that scores separate give finite numbers.
    ///
    /// # Errors
    /// [`FitError::AgainstClasses`] where scores do not rise with the positive class; [`FitError::Unsettled`]; [`DataError::Length`],
    /// [`DataError::NotFinite`], [`DataError::EmptyTable`], [`DataError::OneClass`].
    pub fn fit(scores: &[f64], labels: &[bool]) -> crate::Result<Self> {
        let rows = Confusion::count(scores, labels)?.rows();
        let positives = labels.iter().filter(|&&l| l).count();
        if positives == 0 || positives == rows {
            return Err(DataError::OneClass {
                what: "calibration",
                rows,
                value: if positives > 0 {
                    "positive"
                } else {
                    "negative"
                }
                .into(),
            }
            .into());
        }
        let (p, n) = (positives as f64, (rows - positives) as f64);
        let (high, low) = ((p + 1.0) / (p + 2.0), 1.0 / (n + 2.0));
        // Newton's method on scores of unit size, so that its tolerances mean something.
        let size = scores.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        if size == 0.0 {
            return Err(FitError::AgainstClasses { slope: 0.0 }.into());
        }
        let unit: Vec<f64> = scores.iter().map(|s| s / size).collect();
        let target = |label: bool| if label { high } else { low };
        let mut at = array![0.0, ((p + 1.0) / (n + 1.0)).ln()];
        let mut value = cross_entropy(&unit, labels, target, &at);
        for step in 0.. {
            let (mut g0, mut g1) = (0.0, 0.0);
            let (mut h00, mut h01, mut h11) = (1e-12, 0.0, 1e-12);
            for (&s, &label) in unit.iter().zip(labels) {
                let q = logistic(at[0] * s + at[1]);
                let (r, w) = (q - target(label), q * (1.0 - q));
                g0 += r * s;
                g1 += r;
                h00 += w * s * s;
                h01 += w * s;
                h11 += w;
            }
            let gradient = array![g0, g1];
            let hessian = array![[h00, h01], [h01, h11]];
            let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs())) / rows as f64;
            if largest < 1e-10 {
                break;
            }
            let unsettled = FitError::Unsettled {
                steps: step,
                largest,
            };
            if step == MOST_STEPS {
                return Err(unsettled.into());
            }
            let Ok(direction) = solve(hessian, gradient) else {
                // All scores are equal.
                return Err(FitError::AgainstClasses { slope: 0.0 }.into());
            };
            let mut length = 1.0;
            let next = loop {
                let next = &at - &(&direction * length);
                let better = cross_entropy(&unit, labels, target, &next);
                if better < value {
                    value = better;
                    break Some(next);
                }
                length /= 2.0;
                if length < 1e-9 {
                    break None;
                }
            };
            match next {
                Some(next) => at = next,
                None if largest < 1e-6 => break,
                None => return Err(unsettled.into()),
            }
        }
        let (slope, intercept) = (at[0] / size, at[1]);
        if !(slope > 0.0 && slope.is_finite() && intercept.is_finite()) {
            return Err(FitError::AgainstClasses { slope }.into());
        }
        let after: Vec<f64> = scores.iter().map(|s| slope * s + intercept).collect();
        Ok(Self {
            slope,
            intercept,
            rows,
            positive_share: p / rows as f64,
            log_loss_before: log_loss(scores, labels)?,
            log_loss_after: log_loss(&after, labels)?,
        })
    }

    /// The calibrated score: its sigmoid is the probability.
    pub fn apply(&self, score: f64) -> f64 {
        self.slope * score + self.intercept
    }
}

/// The sigmoid by the platform's exponential: many times as fast, and last bits do not matter here.
fn logistic(t: f64) -> f64 {
    let e = (-t.abs()).exp();
    if t >= 0.0 {
        1.0 / (1.0 + e)
    } else {
        e / (1.0 + e)
    }
}

fn cross_entropy(
    scores: &[f64],
    labels: &[bool],
    target: impl Fn(bool) -> f64,
    at: &Array1<f64>,
) -> f64 {
    let one = |(&s, &label): (&f64, &bool)| {
        let f = at[0] * s + at[1];
        // ln(1 + exp(f)) - target f, without an exponential of a positive number.
        f.max(0.0) + (-f.abs()).exp().ln_1p() - target(label) * f
    };
    scores.iter().zip(labels).map(one).sum()
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::{TrainError, sigmoid::sigma};

    /// Scores whose class is drawn with the probability `sigma(a s + b)`, in exact shares.
    #[test]
    fn the_numbers_behind_the_labels_are_found() {
        let (a, b) = (0.4, -0.7);
        let (mut scores, mut labels) = (vec![], vec![]);
        for i in -40..=40 {
            let s = f64::from(i) / 4.0;
            let p = sigma(a * s + b);
            for k in 0..1000 {
                scores.push(s);
                labels.push((f64::from(k) + 0.5) / 1000.0 < p);
            }
        }
        let fit = Calibration::fit(&scores, &labels).unwrap();
        assert_relative_eq!(fit.slope, a, max_relative = 0.01);
        assert_relative_eq!(fit.intercept, b, max_relative = 0.01);
        assert!(fit.log_loss_after < fit.log_loss_before);
        assert_eq!(fit.rows, 81_000);
    }

    #[test]
    fn scores_a_million_times_as_large_give_the_same_probabilities() {
        let scores = [-2.0, -1.0, 0.5, 0.1, 1.0, 3.0, -0.5];
        let labels = [false, false, true, false, true, true, true];
        let fit = Calibration::fit(&scores, &labels).unwrap();
        let large = scores.map(|s| s * 1e6);
        let other = Calibration::fit(&large, &labels).unwrap();
        assert_relative_eq!(fit.apply(0.3), other.apply(0.3e6), max_relative = 1e-6);
    }

    #[test]
    fn separated_scores_have_finite_numbers_and_useless_ones_are_refused() {
        let labels = [false, false, true, true];
        let fit = Calibration::fit(&[-2.0, -1.0, 1.0, 2.0], &labels).unwrap();
        assert!(fit.slope > 0.0 && fit.slope < 10.0, "{fit:?}");
        for scores in [[2.0, 1.0, -1.0, -2.0], [0.0; 4], [1.5; 4]] {
            assert!(
                matches!(
                    Calibration::fit(&scores, &labels),
                    Err(TrainError::Fit(FitError::AgainstClasses { .. }))
                ),
                "{scores:?}"
            );
        }
        assert!(matches!(
            Calibration::fit(&[1.0, 2.0], &[true, true]),
            Err(TrainError::Data(DataError::OneClass { .. }))
        ));
    }
}
