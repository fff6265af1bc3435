//! What training leaves behind.

use ndarray::Array1;

use super::FitError;
use crate::TrainError;

/// One iteration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Iteration {
    /// The weights after it, intercept first.
    pub weights: Array1<f64>,
    /// The largest `|z v|` among its rows.
    pub largest_t: f64,
    /// The row that has it, from 0.
    pub row: usize,
    /// The largest entry of the gradient, times its rate: what was added to the weights.
    pub largest_step: f64,
}

/// All iterations of a run, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    first: usize,
    bound: f64,
    iterations: Vec<Iteration>,
}

impl History {
    pub(crate) fn new(first: usize, bound: f64) -> Self {
        Self {
            first,
            bound,
            iterations: Vec::new(),
        }
    }

    /// Adds an iteration, unless the run has diverged.
    pub(super) fn push(&mut self, iteration: Iteration) -> Result<(), FitError> {
        if !iteration.weights.iter().all(|w| w.is_finite()) {
            return Err(FitError::Diverged {
                iteration: self.first + self.iterations.len(),
                largest: self.largest_t(),
                bound: self.bound,
            });
        }
        self.iterations.push(iteration);
        Ok(())
    }

    /// Adds the iterations that follow.
    pub(crate) fn append(&mut self, mut next: Self) {
        self.iterations.append(&mut next.iterations);
    }

    /// The error of the iterations that follow, with the largest input of those before.
    pub(crate) fn diverged_after(&self, error: TrainError) -> TrainError {
        match error {
            TrainError::Fit(FitError::Diverged {
                iteration,
                largest,
                bound,
            }) => FitError::Diverged {
                iteration,
                largest: largest.max(self.largest_t()),
                bound,
            }
            .into(),
            other => other,
        }
    }

    /// The number of the first iteration: 0 unless training went on from a state.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The iterations.
    pub fn iterations(&self) -> &[Iteration] {
        &self.iterations
    }

    /// The weights after the last iteration; none if there was no iteration.
    pub fn weights(&self) -> Option<&Array1<f64>> {
        self.iterations.last().map(|i| &i.weights)
    }

    /// The largest `|z v|` of all iterations.
    pub fn largest_t(&self) -> f64 {
        self.iterations
            .iter()
            .map(|i| i.largest_t)
            .fold(0.0, f64::max)
    }

    /// Where the approximation's interval was left first. Outside, the polynomial is no longer near the sigmoid: results may still be good, but
    /// nothing promises it.
    pub fn left_interval(&self) -> Option<LeftInterval> {
        let mut numbered = (self.first..).zip(&self.iterations);
        let (iteration, of) = numbered.find(|(_, of)| of.largest_t > self.bound)?;
        Some(LeftInterval {
            iteration,
            row: of.row,
            largest_t: of.largest_t,
        })
    }
}

/// An iteration that left the approximation's interval.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeftInterval {
    /// Its number, from 0.
    pub iteration: usize,
    /// The row that was farthest outside, from 0.
    pub row: usize,
    /// How far: its `|z v|`.
    pub largest_t: f64,
}
