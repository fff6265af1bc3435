//! What a search holds.

use crate::{
    plain::{FirstStep, Rate},
    preprocess::Scheme,
    sigmoid::Approximation,
    split::Order,
};

/// Settings that are given: the search chooses the others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Given {
    /// The normalization.
    pub scheme: Option<Scheme>,
    /// The polynomial in place of the sigmoid.
    pub activation: Option<Approximation>,
    /// The learning rate.
    pub rate: Option<Rate>,
    /// The penalty on squares of weights, at least 0.
    pub penalty: Option<f64>,
    /// Rows of a minibatch; all rows if there are fewer.
    pub minibatch: Option<usize>,
    /// Iterations.
    pub iterations: Option<usize>,
    /// The order of rows; if none is given, shuffled by the search's seed.
    pub order: Option<Order>,
    /// How momentum begins: never searched, with a whole step by default.
    pub first_step: FirstStep,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            scheme: None,
            activation: None,
            rate: None,
            penalty: None,
            minibatch: None,
            iterations: None,
            order: None,
            first_step: FirstStep::Full,
        }
    }
}

impl Given {
    /// Whether nothing is left to choose.
    pub fn is_all(&self) -> bool {
        self.scheme.is_some()
            && self.activation.is_some()
            && self.rate.is_some()
            && self.penalty.is_some()
            && self.minibatch.is_some()
            && self.iterations.is_some()
    }
}
