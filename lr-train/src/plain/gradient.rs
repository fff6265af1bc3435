//! Gradient descent without momentum.

use ndarray::{Array1, Array2};

use super::{History, PlainSettings, ascent, check};
use crate::Result;

/// Trains from `start` by `w+ = w + g`, beginning with the rate and minibatch of iteration `first`.
///
/// # Errors
/// [`Length`](crate::data::DataError::Length), [`Hyperparameter`](super::FitError::Hyperparameter),
/// [`Diverged`](super::FitError::Diverged).
pub fn gradient_descent(
    z: &Array2<f64>,
    settings: &PlainSettings,
    first: usize,
    start: Array1<f64>,
) -> Result<History> {
    check(z, settings, &start)?;
    let mut w = start;
    let mut history = History::new(first, settings.sigmoid.bound());
    let end = first + settings.iterations;
    for (t, rows) in (first..end).zip(settings.batches.starting_at(first)) {
        let gamma = settings.rate.at(t)? / rows.len() as f64;
        let (g, largest) = ascent(z, &rows, &w, &settings.sigmoid);
        w.scaled_add(gamma, &g);
        history.push(&w, largest)?;
    }
    Ok(history)
}
