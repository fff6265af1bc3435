//! What a candidate is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ModelKind,
    plain::{FirstStep, PlainSettings, Rate, View},
    preprocess::Scheme,
    sigmoid::Approximation,
    split::{ClassWeights, Order},
    trainer::Settings,
};

/// Everything that a search chooses or holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Setting {
    /// The normalization.
    pub scheme: Scheme,
    /// The polynomial in place of the sigmoid.
    pub activation: Approximation,
    /// The learning rate.
    pub rate: Rate,
    /// The penalty on squares of weights.
    pub penalty: f64,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// Iterations.
    pub iterations: usize,
    /// How momentum begins.
    pub first_step: FirstStep,
    /// The order of rows.
    pub order: Order,
}

impl Setting {
    /// Settings of a training, with the circuit and the rounds of [`Settings::new`].
    pub fn settings(&self) -> Settings {
        let model = match self.activation.is_linear() {
            true => ModelKind::Linear,
            false => ModelKind::Logistic,
        };
        Settings::new(self.minibatch, self.iterations)
            .model(model)
            .rate(self.rate.clone())
            .activation(self.activation.clone())
            .penalty(self.penalty)
            .first_step(self.first_step)
            .order(self.order)
    }

    /// The twin in the clear for these examples.
    ///
    /// # Errors
    /// As [`Settings::plain_of`].
    pub fn plain<'a>(&self, examples: impl Into<View<'a>>) -> crate::Result<PlainSettings> {
        self.settings().plain_of(examples)
    }

    /// Levels of one round with the shallowest circuit: two an iteration, one more above degree 3, one less of a line.
    pub fn levels(&self) -> usize {
        let each = match self.activation.degree() {
            1 => 1,
            3 => 2,
            _ => 3,
        };
        each * self.iterations + 1
    }

    /// What the server has to do, up to a factor: operations on ciphertexts of 2^14 numbers, dearer with every level.
    pub(super) fn cost(&self, features: usize) -> f64 {
        let entries = (self.minibatch * features) as f64 / f64::from(1u32 << 14);
        (self.levels() * self.iterations) as f64 * entries.max(1.0)
    }

    /// Options of `lr-train plan` that ask for it; none for polynomials and rates that the command line has no words for.
    pub fn arguments(&self) -> Option<String> {
        let (rate, schedule) = match self.rate {
            Rate::Constant(rate) => (rate, ""),
            Rate::Harmonic(rate) => (rate, " --schedule harmonic"),
            Rate::Given(_) => return None,
        };
        let first_step = match self.first_step {
            FirstStep::Published => "published",
            FirstStep::Full => "full",
        };
        let order = match self.order {
            Order::Original => "original".to_owned(),
            Order::Shuffled { seed } => seed.to_string(),
            Order::Stratified { seed, weights } => {
                let weights = match weights {
                    ClassWeights::Equal => String::new(),
                    ClassWeights::Balanced => " --class-weights balanced".to_owned(),
                    ClassWeights::Given { negative, positive } => {
                        format!(" --class-weights {negative},{positive}")
                    }
                };
                format!("stratified:{seed}{weights}")
            }
        };
        let polynomial = match self.activation.is_linear() {
            true => "--model linear".to_owned(),
            false => format!("--sigmoid {}", self.activation.name()?),
        };
        Some(format!(
            "--normalize {} {polynomial} --lr {rate}{schedule} --l2 {} --first-step {first_step} --minibatch {} --iterations {} --order {order}",
            self.scheme.name(),
            self.penalty,
            self.minibatch,
            self.iterations,
        ))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            activation,
            penalty,
            minibatch,
            iterations,
            ..
        } = self;
        let rate = match &self.rate {
            Rate::Constant(rate) => rate.to_string(),
            Rate::Harmonic(rate) => format!("{rate}/t"),
            Rate::Given(_) => "of each step its own".to_owned(),
        };
        let steps = if *iterations == 1 { "step" } else { "steps" };
        write!(
            f,
            "{}, {activation}, rate {rate}, L2 {penalty}, minibatch {minibatch}, {iterations} {steps}",
            self.scheme.name()
        )
    }
}
