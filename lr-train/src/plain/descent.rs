//! Gradient descent without momentum, by the gradient itself or through a fixed bound of the Hessian.

use ndarray::{Array1, Array2};

use super::{History, PlainSettings, View, run};
use crate::Result;

/// Trains from `start` by `w+ = w + g`, beginning with the rate and minibatch of iteration `first`.
///
/// # Errors
/// [`Length`](crate::data::DataError::Length), [`Hyperparameter`](super::FitError::Hyperparameter),
/// [`Diverged`](super::FitError::Diverged).
pub fn gradient_descent<'a>(
    examples: impl Into<View<'a>>,
    settings: &PlainSettings,
    first: usize,
    start: Array1<f64>,
) -> Result<History> {
    let (history, _) = run(
        examples.into(),
        settings,
        first,
        start,
        |g| g,
        |_, next| next,
    )?;
    Ok(history)
}

/// The diagonal of a bound of the Hessian, per row of data: `h_j = 1/(4 n) sum_i |z_ij| sum_k |z_ik|` (Bonte and Vercauteren, ePrint
/// 2018/233, section 2).
///
/// The Hessian of the loss is at most `X^T X / 4` in every point, since the sigmoid's slope is at most 1/4; by Gershgorin's theorem that
/// is at most the diagonal matrix of its rows' absolute sums. One such matrix serves all iterations, and its inverse is F numbers. The
/// source takes features that are not negative; absolute values make it hold for all. Signs of labels do not matter, so signed rows
/// serve.
pub fn hessian_bound(z: &Array2<f64>) -> Array1<f64> {
    let mut sum = Array1::zeros(z.ncols());
    for row in z.rows() {
        let total: f64 = row.iter().map(|v| v.abs()).sum();
        for (h, v) in sum.iter_mut().zip(row) {
            *h += v.abs() * total;
        }
    }
    sum / (4.0 * z.nrows() as f64)
}

/// Newton's method with a fixed bound in place of the Hessian: trains from `start` by `w+ = w + g / h`, h from all rows
/// ([`hessian_bound`]), beginning with the rate and minibatch of iteration `first`. With all rows, the exact sigmoid and rates up to 1 the
/// loss never grows.
///
/// # Errors
/// As [`gradient_descent`].
pub fn fixed_hessian(
    z: &Array2<f64>,
    settings: &PlainSettings,
    first: usize,
    start: Array1<f64>,
) -> Result<History> {
    // A column of zeros has no gradient either: its weight stays.
    let inverse = hessian_bound(z).mapv(|h| if h > 0.0 { 1.0 / h } else { 0.0 });
    let direction = |g| g * &inverse;
    let (history, _) = run(z.into(), settings, first, start, direction, |_, next| next)?;
    Ok(history)
}
