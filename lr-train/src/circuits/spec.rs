//! What a training circuit is recorded for.
//!
//! The client multiplies the data of iteration i by k_i / B. So t comes out k_i times as large, k_i^d in the polynomial of degree d, and
//! a gradient has k_i^(d + 1): with B gamma c_d = +- k_i^(d + 1) no product of the server needs a public factor before it, and
//! its level is saved.

use std::fmt;

use arras_toolkit::circuit::Summing;
use serde::{Deserialize, Serialize};

use super::{CircuitError, Gain, activation::Activation, single_chain::converted};
use crate::{
    plain::{FirstStep, FitError, Rate, etas_from},
    sigmoid::Approximation,
};

/// Below this, dividing by 1 - eta costs more precision than a level is worth: in the first iteration of all it is 0.01, 6.6 bits.
const SMALLEST_DIVISOR: f64 = 0.25;

/// Which training circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// Iterations one after the other: matrix x column vector, polynomial with Z^T folded in, momentum.
    Baseline,
    /// No mask and no momentum level: data encoded twice side by side.
    MaskFree,
    /// Unrolled, pipelined, duplicated computation. Two interleaved chains whose difference grows: use it for up to
    /// [`Kind::longest_run`] iterations.
    LowDepth,
    /// One chain of alternating kind.
    SingleChain,
    /// The single chain without masks.
    SingleChainMaskFree,
}

impl Kind {
    /// All, the baseline first.
    pub const ALL: [Self; 5] = [
        Self::Baseline,
        Self::MaskFree,
        Self::LowDepth,
        Self::SingleChain,
        Self::SingleChainMaskFree,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::MaskFree => "mask-free",
            Self::LowDepth => "low-depth",
            Self::SingleChain => "single-chain",
            Self::SingleChainMaskFree => "single-chain-mask-free",
        }
    }

    /// Whether it needs Gram matrices of neighbouring minibatches, which bound the minibatch.
    pub fn uses_gram(self) -> bool {
        !matches!(self, Self::Baseline | Self::MaskFree)
    }

    /// Whether features fill only half of a unit's columns.
    pub(crate) fn halves_columns(self) -> bool {
        matches!(self, Self::MaskFree | Self::SingleChainMaskFree)
    }

    /// The most iterations, over all rounds since the start, for which it is numerically safe; `None` if there is no limit. The low-depth
    /// circuit keeps two chains of one value; what separates them is amplified by every iteration.
    pub fn longest_run(self) -> Option<usize> {
        (self == Self::LowDepth).then_some(12)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Kind {
    type Err = CircuitError;

    fn from_str(name: &str) -> Result<Self, CircuitError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| CircuitError::UnknownCircuit { given: name.into() })
    }
}

/// Constants of one iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Learning rate over the rows of the minibatch.
    pub gamma: f64,
    /// Momentum: `v+ = (1 - eta) w+ + eta w`. 0 is plain gradient descent.
    pub eta: f64,
    /// What of v stays in `w+ = keep v + g`, but for the intercept, which stays whole: 1 less the rate times the penalty; 1 without one.
    pub keep: f64,
}

impl Step {
    /// Without a penalty.
    pub fn new(gamma: f64, eta: f64) -> Self {
        Self {
            gamma,
            eta,
            keep: 1.0,
        }
    }

    /// [`Step::keep`] for each feature.
    pub(super) fn kept(self) -> Gain {
        Gain {
            intercept: 1.0,
            rest: self.keep,
        }
    }

    /// What the point after this iteration has of v: `(1 - eta) keep`.
    pub(super) fn carried(self) -> Gain {
        self.kept().times(1.0 - self.eta)
    }
}

/// Where training starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// w = v = 0, known to everybody: the first iteration is cheaper.
    Zero,
    /// Encrypted w and v: a later round.
    Encrypted,
}

/// What a circuit returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Results {
    /// The weights w_k.
    Model,
    /// w_k and w_{k-1}: a round from which the client can go on.
    State,
}

/// Where the constants of gradients are: of `g = gamma (X^T c + X^T q(X v))`, with the polynomial's odd part q, that is X^T c.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Constants {
    /// In the rows, which are signed with labels: all constants are the polynomial's.
    #[default]
    InRows,
    /// Apart from the rows, one of the client's for each row: their sums are inputs, vectors of features and, beside Gram matrices, of
    /// rows.
    Apart,
}

/// What a training circuit is recorded for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Spec {
    /// The circuit.
    pub kind: Kind,
    /// Slots of a ciphertext.
    pub slots: usize,
    /// Features, the intercept among them.
    pub features: usize,
    /// The most rows of a minibatch.
    pub minibatch: usize,
    /// Constants of each iteration.
    pub steps: Vec<Step>,
    /// The polynomial in place of the sigmoid.
    pub activation: Approximation,
    /// Where the constants of gradients are.
    pub constants: Constants,
    /// Trainings side by side on the same rows, each with constants of its own. More than one needs [`Constants::Apart`].
    pub chains: usize,
    /// Where training starts.
    pub start: Start,
    /// What it returns.
    pub results: Results,
    /// How sums of rotations are added up.
    pub summing: Summing,
}

impl Spec {
    /// From zero to a model with the cubic on [-16, 16], for ciphertexts of `slots` slots and minibatches of up to `minibatch` rows with
    /// `features` features, the intercept among them.
    pub fn new(
        kind: Kind,
        slots: usize,
        features: usize,
        minibatch: usize,
        steps: Vec<Step>,
    ) -> Self {
        Self {
            kind,
            slots,
            features,
            minibatch,
            steps,
            activation: Approximation::cubic_16(),
            constants: Constants::InRows,
            chains: 1,
            start: Start::Zero,
            results: Results::Model,
            summing: Summing::default(),
        }
    }

    /// With ciphertexts of this many slots.
    #[must_use]
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// With this polynomial.
    #[must_use]
    pub fn activation(mut self, activation: Approximation) -> Self {
        self.activation = activation;
        self
    }

    /// With constants of gradients there.
    #[must_use]
    pub fn constants(mut self, constants: Constants) -> Self {
        self.constants = constants;
        self
    }

    /// With so many trainings side by side.
    #[must_use]
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// From this start.
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// To these results.
    #[must_use]
    pub fn results(mut self, results: Results) -> Self {
        self.results = results;
        self
    }

    /// With sums of rotations added up this way.
    #[must_use]
    pub fn summing(mut self, summing: Summing) -> Self {
        self.summing = summing;
        self
    }

    /// Iterations.
    pub fn iterations(&self) -> usize {
        self.steps.len()
    }

    /// Whether t of an iteration is known to be zero: the first one from zero.
    pub(super) fn starts_at(&self, iteration: usize) -> bool {
        iteration == 0 && self.start == Start::Zero
    }

    /// What gradients of an iteration are wanted times: gamma, or what a circuit folds into it.
    pub(super) fn gradient_factor(&self, iteration: usize) -> f64 {
        let step = self.steps[iteration];
        match self.kept_share(iteration) {
            Some(keep) => step.gamma * keep,
            None => step.gamma,
        }
    }

    /// 1 - eta of an iteration for which the mask-free circuit makes (1 - eta) g in place of g.
    pub(super) fn kept_share(&self, iteration: usize) -> Option<f64> {
        let keep = 1.0 - self.steps[iteration].eta;
        let folds = self.kind == Kind::MaskFree
            && iteration + 1 < self.iterations()
            && !self.starts_at(iteration)
            && keep.abs() >= SMALLEST_DIVISOR;
        folds.then_some(keep)
    }

    /// k of an iteration.
    pub(super) fn scale(&self, iteration: usize) -> f64 {
        let leading = self.activation.leading();
        let factor = self.activation.bound() * self.gradient_factor(iteration) * leading;
        if factor == 0.0 {
            return 1.0;
        }
        factor
            .abs()
            .powf(1.0 / (self.activation.degree() as f64 + 1.0))
    }

    /// What scores are assumed not to exceed: the interval of the polynomial. Without masks, sums over windows of columns that are not one row's
    /// stand beside them, which zeros meet later; all may be four times as large.
    pub(crate) fn assumed_scores(&self) -> f64 {
        let windows = if self.kind.halves_columns() { 4.0 } else { 1.0 };
        windows * self.activation.bound()
    }

    /// k of an iteration to the power of the polynomial's degree: what products with its powers of t have.
    pub(super) fn scale_of_products(&self, iteration: usize) -> f64 {
        self.scale(iteration).powi(self.activation.degree() as i32)
    }

    /// The earlier iterations whose gradients an iteration meets through Gram matrices, the last one first: weights lack what these gave.
    pub(super) fn met_through_grams(&self, iteration: usize) -> Vec<usize> {
        match self.kind {
            Kind::Baseline | Kind::MaskFree => vec![],
            Kind::LowDepth => iteration.checked_sub(1).into_iter().collect(),
            Kind::SingleChain | Kind::SingleChainMaskFree => (0..iteration)
                .rev()
                .step_by(2)
                .filter(|&j| j + 1 == iteration || !converted(j, self.iterations()))
                .collect(),
        }
    }

    /// What v of an iteration has of an earlier one's gradient.
    pub(super) fn share_of_gradient(&self, earlier: usize, iteration: usize) -> Gain {
        let (mut v, mut w) = (Gain::ZERO, Gain::ZERO);
        for (i, step) in (earlier..iteration).zip(&self.steps[earlier..]) {
            let fresh = Gain::all(f64::from(u8::from(i == earlier)));
            let next = v.after(step.kept()).plus(fresh);
            v = next.times(1.0 - step.eta).plus(w.times(step.eta));
            w = next;
        }
        v
    }

    /// Constants of Nesterov's accelerated gradient for iterations `first .. first + count`, minibatches of `rows` rows.
    ///
    /// # Errors
    /// [`FitError::Hyperparameter`] from the rate.
    pub fn nesterov_steps(
        rate: &Rate,
        rows: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<Step>, FitError> {
        Self::nesterov_steps_from(FirstStep::Published, rate, rows, first, count)
    }

    /// The same with another beginning of the momentum.
    ///
    /// # Errors
    /// As [`Spec::nesterov_steps`].
    pub fn nesterov_steps_from(
        start: FirstStep,
        rate: &Rate,
        rows: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<Step>, FitError> {
        let etas = etas_from(start, first + count).into_iter().skip(first);
        steps(rate, rows, first, etas)
    }

    /// Constants of plain gradient descent: no momentum.
    ///
    /// # Errors
    /// As [`Spec::nesterov_steps`].
    pub fn descent_steps(
        rate: &Rate,
        rows: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<Step>, FitError> {
        steps(rate, rows, first, std::iter::repeat_n(0.0, count))
    }

    /// # Errors
    /// [`FitError::Hyperparameter`] for no iteration, no feature, no row or constants that are not finite.
    pub(crate) fn check(&self) -> Result<(), FitError> {
        let counts = [
            (
                "number of iterations",
                self.steps.len(),
                "train at least 1 iteration",
            ),
            (
                "number of features",
                self.features,
                "there is at least the intercept",
            ),
            (
                "number of trainings side by side",
                self.chains,
                "there is at least 1",
            ),
            (
                "rows of a minibatch",
                self.minibatch,
                "a minibatch has at least 1 row",
            ),
        ];
        for (what, value, allowed) in counts {
            FitError::expect_within(what, value, 1..=usize::MAX, allowed)?;
        }
        if self.constants == Constants::InRows {
            let allowed = "signed rows have one label each";
            FitError::expect_within(
                "number of trainings side by side",
                self.chains,
                1..=1,
                allowed,
            )?;
        }
        for step in &self.steps {
            for (what, value) in [
                ("gamma", step.gamma),
                ("eta", step.eta),
                ("keep", step.keep),
            ] {
                if !value.is_finite() {
                    return Err(FitError::Hyperparameter {
                        what,
                        value,
                        allowed: "constants of iterations are finite numbers",
                    });
                }
            }
        }
        Activation::new(&self.activation)?;
        Ok(())
    }
}

/// Constants of iterations from `first` with these momenta.
fn steps(
    rate: &Rate,
    rows: usize,
    first: usize,
    etas: impl Iterator<Item = f64>,
) -> Result<Vec<Step>, FitError> {
    let step = |(t, eta)| {
        let gamma = rate.at(t)? / rows as f64;
        Ok(Step::new(gamma, eta))
    };
    (first..).zip(etas).map(step).collect()
}
