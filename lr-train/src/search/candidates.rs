//! What is tried: every combination of what is not given.

use super::{Given, Options, Setting};
use crate::{
    Result,
    data::Dataset,
    plain::{FitError, Rate},
    preprocess::{PreprocessError, Preprocessor, Scheme},
    sigmoid::{Approximation, SigmoidError},
    trainer::{MAX_ITERATIONS, MAX_ROWS},
};

use super::trial::largest_eigenvalue;

/// Numbers of iterations that are judged.
const ITERATIONS: [usize; 8] = [3, 4, 6, 8, 12, 16, 24, 32];
const SCHEMES: [Scheme; 4] = [
    Scheme::StandardClipped,
    Scheme::MaxAbs,
    Scheme::Robust,
    Scheme::LogStandard,
];
const DEGREES: [usize; 3] = [3, 5, 7];
const BOUNDS: [f64; 4] = [8.0, 16.0, 24.0, 32.0];
pub(super) const PENALTIES: [f64; 5] = [0.0, 0.003, 0.01, 0.03, 0.1];
/// Shares of the largest rate at which full batches are sure to settle.
const RATES: [f64; 3] = [0.2, 0.5, 1.0];
/// A full batch of more rows than this is not tried.
const LARGEST_BATCH: usize = 1024;
/// The smaller minibatch that is tried.
const SMALL_BATCH: usize = 128;
/// Rates are made for at most so many rows.
const ROWS_FOR_RATES: usize = 1000;

impl Given {
    /// # Errors
    /// [`FitError::Hyperparameter`] for what no training takes.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let counts = [
            ("number of iterations", self.iterations, MAX_ITERATIONS),
            ("rows of a minibatch", self.minibatch, MAX_ROWS),
        ];
        for (what, value, most) in counts {
            let allowed = "at least 1 iteration and 1 row, at most 10,000 iterations and 2^24 rows";
            FitError::expect_within(what, value.unwrap_or(1), 1..=most, allowed)?;
        }
        if let Some(rate) = &self.rate {
            rate.at(0)?;
        }
        if let Some(order) = self.order {
            order.check()?;
        }
        crate::plain::kept(0.0, self.penalty.unwrap_or(0.0))?;
        Ok(())
    }

    /// After how many iterations candidates are judged.
    pub(super) fn after(&self, most: usize) -> Vec<usize> {
        if let Some(iterations) = self.iterations {
            return vec![iterations];
        }
        let mut after: Vec<usize> = ITERATIONS.into_iter().filter(|&n| n <= most).collect();
        if after.is_empty() {
            after.push(most);
        }
        after
    }

    pub(super) fn schemes(&self) -> Vec<Scheme> {
        self.scheme.map_or(SCHEMES.to_vec(), |scheme| vec![scheme])
    }

    fn activations(&self) -> Result<Vec<Approximation>, SigmoidError> {
        if let Some(activation) = &self.activation {
            return Ok(vec![activation.clone()]);
        }
        let all = DEGREES.into_iter().flat_map(|d| BOUNDS.map(|b| (d, b)));
        all.map(|(degree, bound)| Approximation::least_squares(degree, bound))
            .collect()
    }

    pub(super) fn penalties(&self) -> Vec<f64> {
        self.penalty.map_or(PENALTIES.to_vec(), |l| vec![l])
    }

    pub(super) fn minibatches(&self, rows: usize) -> Vec<usize> {
        if let Some(minibatch) = self.minibatch {
            return vec![minibatch];
        }
        let mut batches = vec![rows.min(LARGEST_BATCH)];
        if rows > 2 * SMALL_BATCH {
            batches.push(SMALL_BATCH);
        }
        batches
    }

    /// Shares of the reciprocal of the loss's largest curvature, in two digits.
    pub(super) fn rates(&self, curvature: f64) -> Vec<Rate> {
        if let Some(rate) = &self.rate {
            return vec![rate.clone()];
        }
        let share = |share| Rate::Constant(two_digits(share / curvature));
        RATES.map(share).to_vec()
    }
}

/// All settings that are tried, each of one iteration.
pub(super) fn candidates(data: &Dataset, options: &Options<'_>) -> Result<Vec<Setting>> {
    let given = &options.given;
    let (penalties, batches) = (given.penalties(), given.minibatches(data.rows()));
    let activations = given.activations()?;
    let some = super::ladder::at_most(data, ROWS_FOR_RATES, options.seed)?;
    let mut found = vec![];
    for scheme in given.schemes() {
        let fitted = match Preprocessor::fit(&some, scheme) {
            // Others may do.
            Err(PreprocessError::Unnormalizable { .. }) if given.scheme.is_none() => continue,
            other => other?,
        };
        let z = fitted.signed(&some, fitted.features() + 1)?;
        let curvature = largest_eigenvalue(&z);
        for activation in &activations {
            for rate in given.rates(activation.odd()[0].abs() * curvature) {
                let first = rate.at(0)?;
                for (&minibatch, &penalty) in
                    (batches.iter()).flat_map(|b| penalties.iter().map(move |p| (b, p)))
                {
                    // What was asked for is left to training to refuse.
                    let asked = given.penalty.is_some() && given.rate.is_some();
                    if penalty * first >= 0.5 && !asked {
                        continue;
                    }
                    found.push(Setting {
                        scheme,
                        activation: activation.clone(),
                        rate: rate.clone(),
                        penalty,
                        minibatch,
                        iterations: 1,
                        first_step: given.first_step,
                        order: options.order(),
                    });
                }
            }
        }
    }
    Ok(found)
}

fn two_digits(x: f64) -> f64 {
    let unit = 10f64.powi(x.log10().floor() as i32 - 1);
    // Through text, so that 0.3 is the double that is written 0.3.
    let text = format!("{:.12}", (x / unit).round() * unit);
    text.parse().unwrap_or(x)
}
