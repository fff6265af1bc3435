//! Nesterov's accelerated gradient, the optimizer of encrypted training (ePrint 2018/254, section 3; 2018/662).

use ndarray::Array1;

use super::{FitError, History, PlainSettings, View, check, run};
use serde::{Deserialize, Serialize};

use crate::{Result, data::DataError};

/// Momentum coefficients `eta_0 .. eta_{count - 1}` with `eta_t = (1 - alpha_t) / alpha_{t+1}`, `alpha_0 = 0.01`,
/// `alpha_{t+1} = (1 + sqrt(1 + 4 alpha_t^2)) / 2`. The first is 0.9899, the second nearly 0, all later ones negative, towards -1.
pub fn etas(count: usize) -> Vec<f64> {
    etas_from(FirstStep::Published, count)
}

/// How Nesterov's momentum begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FirstStep {
    /// `alpha_0 = 0.01`, as published: of the first step v keeps a hundredth, so that it is all but lost.
    #[default]
    Published,
    /// `alpha_0 = 1`: v keeps the first step, and one iteration less gives as much.
    Full,
}

impl FirstStep {
    fn alpha(self) -> f64 {
        match self {
            Self::Published => 0.01,
            Self::Full => 1.0,
        }
    }
}

/// [`etas`] for another beginning; with [`FirstStep::Full`] the first is 0 and all later ones are negative.
pub fn etas_from(start: FirstStep, count: usize) -> Vec<f64> {
    let mut alpha = start.alpha();
    (0..count)
        .map(|_| {
            let next = (1.0 + (1.0 + 4.0 * alpha * alpha).sqrt()) / 2.0;
            let eta = (1.0 - alpha) / next;
            alpha = next;
            eta
        })
        .collect()
}

/// Where the optimizer stands between two iterations.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Iterations done, which is the number of the next one.
    pub iteration: usize,
    /// The weights w, intercept first.
    pub w: Array1<f64>,
    /// The point v at which the next gradient is taken.
    pub v: Array1<f64>,
}

impl State {
    /// The beginning: w = v = 0.
    pub fn zero(weights: usize) -> Self {
        Self {
            iteration: 0,
            w: Array1::zeros(weights),
            v: Array1::zeros(weights),
        }
    }

    /// After some iterations without momentum: v is the weights.
    pub(crate) fn at_rest(iteration: usize, w: Array1<f64>) -> Self {
        let v = w.clone();
        Self { iteration, w, v }
    }

    /// After k = `iteration` iterations, from the last two weights: `v_k = (1 - eta) w_k + eta w_{k-1}`, `eta = eta_{k-1}`. A round of
    /// encrypted training returns these two, and v costs it no level.
    ///
    /// # Errors
    /// [`FitError::Hyperparameter`] if `iteration` is 0; [`DataError::Length`].
    pub fn from_last_two(
        start: FirstStep,
        iteration: usize,
        w: Array1<f64>,
        previous: &Array1<f64>,
    ) -> Result<Self> {
        const OP: &str = "state from the last two weights";
        DataError::expect_length(OP, "weights before the last", previous.len(), w.len())?;
        let Some(&eta) = etas_from(start, iteration).last() else {
            return Err(FitError::Hyperparameter {
                what: "number of iterations done",
                value: 0.0,
                allowed: "the last two weights exist after at least 1 iteration; begin with State::zero",
            }.into());
        };
        let v = momentum(eta, &w, previous);
        Ok(Self { iteration, w, v })
    }
}

/// Trains from a state: `w+ = keep v + g` (keep is 1 without a penalty), `v+ = (1 - eta) w+ + eta w`. Rates, momentum and minibatches go on from the state's iteration,
/// so that two rounds give the bits of one.
///
/// # Errors
/// [`DataError::Length`], [`FitError::Hyperparameter`], [`FitError::Diverged`].
pub fn nesterov<'a>(
    examples: impl Into<View<'a>>,
    settings: &PlainSettings,
    start: State,
) -> Result<(History, State)> {
    let examples = examples.into();
    check(examples, settings, &start.w)?;
    let State {
        iteration: first,
        mut w,
        v,
    } = start;
    let end = first + settings.iterations;
    let etas = etas_from(settings.first_step, end);
    let advance = |t: usize, next: Array1<f64>| {
        let v = momentum(etas[t], &next, &w);
        w = next;
        v
    };
    let (history, v) = run(examples, settings, first, v, |g| g, advance)?;
    let end = State {
        iteration: end,
        w,
        v,
    };
    Ok((history, end))
}

fn momentum(eta: f64, w: &Array1<f64>, previous: &Array1<f64>) -> Array1<f64> {
    w.iter()
        .zip(previous)
        .map(|(w, p)| (1.0 - eta) * w + eta * p)
        .collect()
}
