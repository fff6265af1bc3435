//! What a candidate is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    plain::{FirstStep, PlainSettings, Rate},
    preprocess::Scheme,
    sigmoid::{Approximation, SigmoidError},
    split::{Minibatches, Order},
    trainer::Settings,
};

/// Everything that a search chooses. Momentum begins with a whole step ([`FirstStep::Full`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Setting {
    /// The normalization.
    pub scheme: Scheme,
    /// Degree of the least-squares polynomial.
    pub degree: usize,
    /// Half its interval.
    pub bound: f64,
    /// The learning rate.
    pub rate: f64,
    /// The penalty on squares of weights.
    pub penalty: f64,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// Iterations.
    pub iterations: usize,
    /// Seed of the order of rows.
    pub seed: u64,
}

impl Setting {
    /// The polynomial.
    ///
    /// # Errors
    /// As [`Approximation::least_squares`].
    pub fn activation(&self) -> Result<Approximation, SigmoidError> {
        Approximation::least_squares(self.degree, self.bound)
    }

    /// What to plan.
    ///
    /// # Errors
    /// As [`Setting::activation`].
    pub fn settings(&self) -> Result<Settings, SigmoidError> {
        Ok(Settings::new(self.minibatch, self.iterations)
            .rate(Rate::Constant(self.rate))
            .activation(self.activation()?)
            .penalty(self.penalty)
            .first_step(FirstStep::Full)
            .order(Order::Shuffled { seed: self.seed }))
    }

    /// The twin in the clear for this many rows.
    ///
    /// # Errors
    /// As [`Setting::activation`] and [`Minibatches::new`].
    pub fn plain(&self, rows: usize) -> crate::Result<PlainSettings> {
        self.plain_with(rows, self.activation()?)
    }

    /// The same with a polynomial that was fitted before.
    pub(super) fn plain_with(
        &self,
        rows: usize,
        activation: Approximation,
    ) -> crate::Result<PlainSettings> {
        let order = Order::Shuffled { seed: self.seed };
        let batches = Minibatches::new(rows, self.minibatch, order)?;
        Ok(PlainSettings::new(self.iterations, batches)
            .rate(Rate::Constant(self.rate))
            .approximation(activation)
            .penalty(self.penalty)
            .first_step(FirstStep::Full))
    }

    /// Levels of one round with the shallowest circuit: two an iteration, one more above degree 3.
    pub fn levels(&self) -> usize {
        let each = if self.degree > 3 { 3 } else { 2 };
        each * self.iterations + 1
    }

    /// What the server has to do, up to a factor: operations on ciphertexts of 2^14 numbers, dearer with every level.
    pub(super) fn cost(&self, features: usize) -> f64 {
        let entries = (self.minibatch * features) as f64 / f64::from(1u32 << 14);
        (self.levels() * self.iterations) as f64 * entries.max(1.0)
    }

    /// Options of `lr-train plan` and `encrypt` that ask for it.
    pub fn arguments(&self) -> String {
        format!(
            "--normalize {} --sigmoid {}:{} --lr {} --l2 {} --first-step full --minibatch {} --iterations {} --order {}",
            self.scheme.name(),
            self.degree,
            self.bound,
            self.rate,
            self.penalty,
            self.minibatch,
            self.iterations,
            self.seed
        )
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            degree,
            bound,
            rate,
            penalty,
            minibatch,
            iterations,
            ..
        } = self;
        write!(
            f,
            "{}, degree {degree} on [-{bound}, {bound}], rate {rate}, L2 {penalty}, minibatch {minibatch}, {iterations} steps",
            self.scheme.name()
        )
    }
}
