//! What a training is to be.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ModelKind, Result, TrainError,
    circuits::{Kind, Spec, Step},
    plain::{FirstStep, FitError, PlainSettings, Rate, View, kept},
    sigmoid::Approximation,
    split::{Minibatches, Order},
};

/// Which circuit trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum CircuitChoice {
    /// The fastest that fits, by the costs that the planner is given.
    #[default]
    Auto,
    /// This one.
    Given(Kind),
}

impl fmt::Display for CircuitChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Given(kind) => kind.fmt(f),
        }
    }
}

impl std::str::FromStr for CircuitChoice {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self> {
        if name == "auto" {
            return Ok(Self::Auto);
        }
        Ok(Self::Given(name.parse()?))
    }
}

impl TryFrom<String> for CircuitChoice {
    type Error = TrainError;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl From<CircuitChoice> for String {
    fn from(choice: CircuitChoice) -> Self {
        choice.to_string()
    }
}

/// What moves the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Nesterov's accelerated gradient.
    #[default]
    Nesterov,
    /// Plain gradient descent.
    GradientDescent,
    /// Newton's method with a fixed diagonal bound of the Hessian. The client scales features by the root of the bound's inverse and
    /// weights back; the server runs gradient descent.
    FixedHessian,
}

/// How weights move, whatever the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    optimizer: Optimizer,
    first_step: FirstStep,
    penalty: f64,
}

impl Rule {
    /// With a penalty that suits rates up to 1, if there is one: circuits are as deep with any.
    pub(super) fn of_any_rate(mut self) -> Self {
        if self.penalty > 0.0 {
            self.penalty = 0.1;
        }
        self
    }

    /// Constants of iterations `first .. first + count` with minibatches of `rows` rows.
    ///
    /// # Errors
    /// [`FitError::Hyperparameter`] from rate and penalty.
    pub(super) fn steps(
        self,
        rate: &Rate,
        rows: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<Step>, FitError> {
        let mut steps = match self.optimizer {
            Optimizer::Nesterov => {
                Spec::nesterov_steps_from(self.first_step, rate, rows, first, count)
            }
            Optimizer::GradientDescent | Optimizer::FixedHessian => {
                Spec::descent_steps(rate, rows, first, count)
            }
        }?;
        for (t, step) in (first..).zip(&mut steps) {
            step.keep = kept(rate.at(t)?, self.penalty)?;
        }
        Ok(steps)
    }
}

/// How iterations are spread over rounds. Between two rounds the client decrypts and re-encrypts the optimizer's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rounds {
    /// All in one.
    #[default]
    One,
    /// This many, of equal lengths or one less.
    Count(usize),
    /// Rounds of this many iterations, the last with what is left.
    Of(usize),
    /// As few as the levels allow: the largest ring of [`PlannerOptions::log_n`](super::PlannerOptions::log_n), as a rule.
    Fewest,
    /// As many as make the server's work least, which can be one for each iteration on a small ring. Time for refreshes is not counted.
    Fastest,
}

/// What a training is to be, before anything is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The model.
    #[serde(default, skip_serializing_if = "ModelKind::is_default")]
    pub model: ModelKind,
    /// The circuit.
    #[serde(default)]
    pub circuit: CircuitChoice,
    /// Rows of a minibatch; all rows if there are fewer.
    pub minibatch: usize,
    /// Iterations in all.
    pub iterations: usize,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Rounds.
    #[serde(default)]
    pub rounds: Rounds,
    /// The learning rate.
    pub rate: Rate,
    /// In which order rows come into minibatches.
    pub order: Order,
    /// The polynomial of the model's link: in place of the sigmoid, or t itself.
    pub activation: Approximation,
    /// The penalty on squares of weights, the intercept apart; see [`PlainSettings::penalty`].
    #[serde(default)]
    pub penalty: f64,
    /// How momentum begins.
    #[serde(default)]
    pub first_step: FirstStep,
}

impl Settings {
    /// Nesterov's gradient with rate 1, the cubic on [-16, 16], rows shuffled by seed 0, in one round of the fastest circuit, with
    /// the published beginning of the momentum and without a penalty.
    pub fn new(minibatch: usize, iterations: usize) -> Self {
        Self {
            model: ModelKind::Logistic,
            circuit: CircuitChoice::Auto,
            minibatch,
            iterations,
            optimizer: Optimizer::Nesterov,
            rounds: Rounds::One,
            rate: Rate::Constant(1.0),
            order: Order::Shuffled { seed: 0 },
            activation: Approximation::cubic_16(),
            penalty: 0.0,
            first_step: FirstStep::Published,
        }
    }

    /// With this model, and its polynomial where it has one of its own.
    #[must_use]
    pub fn model(mut self, model: ModelKind) -> Self {
        self.model = model;
        self.activation = model.polynomial().unwrap_or(self.activation);
        self
    }

    /// With this circuit.
    #[must_use]
    pub fn circuit(mut self, kind: Kind) -> Self {
        self.circuit = CircuitChoice::Given(kind);
        self
    }

    /// With this rate.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// With this optimizer.
    #[must_use]
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// With these rounds.
    #[must_use]
    pub fn rounds(mut self, rounds: Rounds) -> Self {
        self.rounds = rounds;
        self
    }

    /// With this polynomial.
    #[must_use]
    pub fn activation(mut self, activation: Approximation) -> Self {
        self.activation = activation;
        self
    }

    /// With this penalty.
    #[must_use]
    pub fn penalty(mut self, penalty: f64) -> Self {
        self.penalty = penalty;
        self
    }

    /// With this beginning of the momentum.
    #[must_use]
    pub fn first_step(mut self, first_step: FirstStep) -> Self {
        self.first_step = first_step;
        self
    }

    pub(super) fn rule(&self) -> Rule {
        Rule {
            optimizer: self.optimizer,
            first_step: self.first_step,
            penalty: self.penalty,
        }
    }

    /// With rows in this order.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The same training without encryption, on this many rows.
    ///
    /// # Errors
    /// As [`Minibatches::new`]: stratified orders need the rows, see [`Settings::plain_of`].
    pub fn plain(&self, rows: usize) -> Result<PlainSettings> {
        self.plain_with(Minibatches::new(rows, self.minibatch, self.order)?)
    }

    /// The same training without encryption, on these examples.
    ///
    /// # Errors
    /// As [`Minibatches::of`]; [`DataError::OrderNeedsLabels`](crate::data::DataError::OrderNeedsLabels) for a stratified order of examples without labels.
    pub fn plain_of<'a>(&self, examples: impl Into<View<'a>>) -> Result<PlainSettings> {
        let batches = Minibatches::of_examples(examples, self.minibatch, self.order)?;
        self.plain_with(batches)
    }

    fn plain_with(&self, batches: Minibatches) -> Result<PlainSettings> {
        Ok(PlainSettings::new(self.iterations, batches)
            .rate(self.rate.clone())
            .approximation(self.activation.clone())
            .penalty(self.penalty)
            .first_step(self.first_step))
    }

    /// Whether the planner decides how many rounds there are.
    pub(super) fn free_rounds(&self) -> bool {
        matches!(self.rounds, Rounds::Fewest | Rounds::Fastest)
    }

    /// Iterations of each round; `fewest` is the most of a round that the levels allow, for [`Rounds::Fewest`] and
    /// [`Rounds::Fastest`].
    pub(super) fn round_lengths(&self, fewest: usize) -> Vec<usize> {
        let all = self.iterations;
        let by_count = |count: usize| {
            let count = count.clamp(1, all.max(1));
            (0..count)
                .map(|r| all / count + usize::from(r < all % count))
                .collect()
        };
        match self.rounds {
            Rounds::One => vec![all],
            Rounds::Count(count) => by_count(count),
            Rounds::Of(length) => {
                let starts = (0..all).step_by(length.max(1));
                starts.map(|done| length.max(1).min(all - done)).collect()
            }
            Rounds::Fewest | Rounds::Fastest => by_count(all.div_ceil(fewest.max(1))),
        }
    }

    /// # Errors
    /// [`FitError::Hyperparameter`].
    pub(super) fn check(&self) -> Result<()> {
        let counts = [
            ("number of iterations", self.iterations, MAX_ITERATIONS),
            ("rows of a minibatch", self.minibatch, MAX_ROWS),
        ];
        for (what, value, most) in counts {
            let allowed = "at least 1 iteration and 1 row, at most 10,000 iterations and 2^24 rows";
            FitError::expect_within(what, value, 1..=most, allowed)?;
        }
        match self.rounds {
            Rounds::Count(count) => FitError::expect_within(
                "number of rounds",
                count,
                1..=self.iterations,
                "there is at least 1 round, and each has at least 1 iteration",
            )?,
            Rounds::Of(length) => FitError::expect_within(
                "iterations of a round",
                length,
                1..=usize::MAX,
                "a round has at least 1 iteration",
            )?,
            Rounds::One | Rounds::Fewest | Rounds::Fastest => {}
        }
        self.order.check()?;
        for t in 0..self.iterations {
            kept(self.rate.at(t)?, self.penalty)?;
        }
        self.model.check()?;
        self.model.expect_polynomial(&self.activation)?;
        if self.optimizer == Optimizer::FixedHessian && self.model != ModelKind::Logistic {
            return Err(FitError::Hyperparameter {
                what: "optimizer fixed-hessian with a penalty",
                value: self.penalty,
                allowed: "the fixed Hessian bounds the logistic loss: take nesterov or gradient-descent for other models",
            }
            .into());
        }
        if self.optimizer == Optimizer::FixedHessian && self.penalty > 0.0 {
            return Err(FitError::Hyperparameter {
                what: "penalty with the optimizer fixed-hessian",
                value: self.penalty,
                allowed: "the fixed Hessian bounds the loss without a penalty: take nesterov or gradient-descent",
            }
            .into());
        }
        Ok(())
    }
}

/// The most iterations of a plan.
pub const MAX_ITERATIONS: usize = 10_000;
/// The most rows of a data set.
pub const MAX_ROWS: usize = 1 << 24;
/// The most features, the intercept among them.
pub const MAX_FEATURES: usize = 1 << 20;
