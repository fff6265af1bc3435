//! The model that training is after, without approximation: Newton's method on the client (iteratively reweighted least squares). Of a
//! linear model the first step is the solution of the normal equations.

use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::{Examples, FitError, View, check_rows, dot};
use crate::{Result, data::DataError, metrics::loss_of_margin, sigmoid::sigma};

/// Newton's method settles in a handful of steps; data for which it does not in this many have no finite optimum.
const MOST_STEPS: usize = 60;
/// Steps end when they move no score by more than this.
const SETTLED: f64 = 1e-9;
/// The last step may be one whose gain rounding hides, if it moves no score by more than this.
const NEAR: f64 = 1e-4;
/// A gradient whose largest entry is below this is zero but for rounding.
const VANISHED: f64 = 1e-13;
/// A pivot below this share of its diagonal entry is a column that the others make up.
const COLLINEAR: f64 = 1e-11;

/// The best weights for some rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exact {
    /// The weights, intercept first.
    pub weights: Array1<f64>,
    /// Newton steps.
    pub steps: usize,
    /// The mean loss without the penalty.
    pub loss: f64,
}

/// What a model loses by a score t.
#[derive(Clone, Copy)]
enum Loss<'a> {
    /// `ln(1 + exp(-t))` of signed rows.
    Logistic,
    /// `(y - t)^2 / 2`.
    Squared(ArrayView1<'a, f64>),
}

impl Loss<'_> {
    fn value(self, row: usize, t: f64) -> f64 {
        match self {
            Self::Logistic => loss_of_margin(t),
            Self::Squared(y) => (y[row] - t).powi(2) / 2.0,
        }
    }

    /// Its first two derivatives.
    fn derivatives(self, row: usize, t: f64) -> (f64, f64) {
        match self {
            Self::Logistic => {
                let wrong = sigma(-t);
                (-wrong, wrong * (1.0 - wrong))
            }
            Self::Squared(y) => (t - y[row], 1.0),
        }
    }
}

/// Minimizes the mean loss over rows plus `penalty / 2 * sum w_j^2` over all weights but the intercept: of signed rows
/// `ln(1 + exp(-z w))`, of rows with constants, which are targets y then, `(y - x w)^2 / 2`, which is ridge regression.
///
/// `penalty` is per row: C of other programs is `1 / (penalty rows)`. With `penalty` above 0 there is always one answer. Ridge regression's alpha of other
/// programs, with a sum of squares without a half, is `penalty rows`.
///
/// # Errors
/// [`FitError::Hyperparameter`] for a penalty that is negative or not finite; without a penalty [`FitError::Separable`] and
/// [`FitError::Collinear`]; [`DataError::Length`](crate::data::DataError::Length) without rows.
pub fn exact<'a>(examples: impl Into<View<'a>>, penalty: f64) -> Result<Exact> {
    let View { rows: z, constants } = examples.into();
    let trainings = constants.map_or(1, Array2::ncols);
    DataError::expect_length("exact training", "columns of constants", trainings, 1)?;
    let loss = constants.map_or(Loss::Logistic, |c| Loss::Squared(c.column(0)));
    expect_penalty(penalty)?;
    check_rows(z)?;
    let mut weights = Array1::zeros(z.ncols());
    let mut value = objective(z, loss, &weights, penalty);
    let mut steps = 0;
    loop {
        let (gradient, hessian) = derivatives(z, loss, &weights, penalty);
        let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        let separated = z.rows().into_iter().all(|row| dot(row, &weights) > 0.0);
        if penalty == 0.0 && separated && matches!(loss, Loss::Logistic) {
            return Err(FitError::Separable { rows: z.nrows() }.into());
        }
        let direction = match solve(hessian, gradient) {
            Ok(direction) => direction,
            Err(column) if steps == 0 => return Err(FitError::Collinear { column }.into()),
            Err(_) => return Err(unsettled(z, penalty, largest)),
        };
        if matches!(loss, Loss::Squared(_)) {
            // The solution itself.
            (weights, steps) = (weights - &direction, 1);
            break;
        }
        let rows = z.rows().into_iter();
        let moved = rows.fold(0.0f64, |m, row| m.max(dot(row, &direction).abs()));
        if moved < SETTLED {
            break;
        }
        // A gradient that vanishes while steps stay long belongs to an optimum that is infinitely far away.
        if steps == MOST_STEPS || (penalty == 0.0 && largest < VANISHED) {
            return Err(unsettled(z, penalty, largest));
        }
        match descend((z, loss), &weights, &direction, value, penalty) {
            Some(better) => (weights, value) = better,
            // Rounding hides what is left to gain.
            None if moved < NEAR => {
                weights -= &direction;
                break;
            }
            None => return Err(unsettled(z, penalty, largest)),
        }
        steps += 1;
    }
    let loss = objective(z, loss, &weights, 0.0);
    Ok(Exact {
        weights,
        steps,
        loss,
    })
}

/// The weights of [`exact`] for every training that examples hold side by side, one after the other: of several classes each against the
/// rest.
///
/// # Errors
/// As [`exact`].
pub(crate) fn exact_weights(examples: &Examples, penalty: f64) -> Result<Array1<f64>> {
    if examples.chains() == 1 {
        return Ok(exact(examples, penalty)?.weights);
    }
    let mut weights = vec![];
    for constants in examples.constants().into_iter().flat_map(|c| c.columns()) {
        // Of the class's own label: twice the constant.
        let signed = examples.rows() * &constants.insert_axis(Axis(1)) * 2.0;
        weights.extend(exact(&signed, penalty)?.weights);
    }
    Ok(weights.into())
}

/// # Errors
/// [`FitError::Hyperparameter`].
pub(super) fn expect_penalty(penalty: f64) -> Result<(), FitError> {
    if penalty.is_finite() && penalty >= 0.0 {
        return Ok(());
    }
    Err(FitError::Hyperparameter {
        what: "penalty",
        value: penalty,
        allowed: "the penalty on squares of weights is a number from 0",
    })
}

/// Weights that go on growing: some direction separates all rows, or all but those on it.
fn unsettled(z: &Array2<f64>, penalty: f64, largest: f64) -> crate::TrainError {
    if penalty == 0.0 {
        return FitError::Separable { rows: z.nrows() }.into();
    }
    FitError::Unsettled {
        steps: MOST_STEPS,
        largest,
    }
    .into()
}

fn objective(z: &Array2<f64>, loss: Loss<'_>, weights: &Array1<f64>, penalty: f64) -> f64 {
    let rows = z.rows().into_iter().enumerate();
    let losses = rows.map(|(at, row)| loss.value(at, dot(row, weights)));
    let squares: f64 = weights.iter().skip(1).map(|w| w * w).sum();
    losses.sum::<f64>() / z.nrows() as f64 + penalty / 2.0 * squares
}

/// The gradient and the Hessian of the objective.
fn derivatives(
    z: &Array2<f64>,
    loss: Loss<'_>,
    weights: &Array1<f64>,
    penalty: f64,
) -> (Array1<f64>, Array2<f64>) {
    let rows = z.nrows() as f64;
    let mut gradient = Array1::<f64>::zeros(z.ncols());
    let mut weighted = z.clone();
    let both = z.rows().into_iter().zip(weighted.rows_mut());
    for (at, (row, mut scaled)) in both.enumerate() {
        let (slope, curvature) = loss.derivatives(at, dot(row, weights));
        gradient.scaled_add(slope / rows, &row);
        scaled *= curvature / rows;
    }
    let mut hessian = z.t().dot(&weighted);
    for j in 1..z.ncols() {
        gradient[j] += penalty * weights[j];
        hessian[(j, j)] += penalty;
    }
    (gradient, hessian)
}

/// The next weights and their objective: the whole Newton step, or as small a part of it as makes progress; none where nothing does.
fn descend(
    (z, loss): (&Array2<f64>, Loss<'_>),
    weights: &Array1<f64>,
    direction: &Array1<f64>,
    value: f64,
    penalty: f64,
) -> Option<(Array1<f64>, f64)> {
    let mut length = 1.0;
    for _ in 0..40 {
        let next = weights - &(direction * length);
        let better = objective(z, loss, &next, penalty);
        if better < value {
            return Some((next, better));
        }
        length /= 2.0;
    }
    None
}

/// The solution of `a x = b` for a positive definite matrix, by Cholesky's decomposition; the column whose pivot vanishes if it is none.
pub(super) fn solve(mut a: Array2<f64>, mut b: Array1<f64>) -> Result<Array1<f64>, usize> {
    let n = b.len();
    for j in 0..n {
        let diagonal = a[(j, j)];
        for k in 0..j {
            a[(j, j)] -= a[(j, k)] * a[(j, k)];
        }
        let pivot = a[(j, j)];
        if !(pivot.is_finite() && pivot > COLLINEAR * diagonal) {
            return Err(j);
        }
        let root = pivot.sqrt();
        a[(j, j)] = root;
        for i in j + 1..n {
            let sum: f64 = (0..j).map(|k| a[(i, k)] * a[(j, k)]).sum();
            a[(i, j)] = (a[(i, j)] - sum) / root;
        }
    }
    for i in 0..n {
        let sum: f64 = (0..i).map(|k| a[(i, k)] * b[k]).sum();
        b[i] = (b[i] - sum) / a[(i, i)];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|k| a[(k, i)] * b[k]).sum();
        b[i] = (b[i] - sum) / a[(i, i)];
    }
    Ok(b)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;
    use crate::{
        TrainError,
        data::{Dataset, builtin},
        metrics::auc,
        plain::{Examples, scores},
        preprocess::{Preprocessor, Scheme, signed_rows, with_intercept},
    };

    fn prepared(data: &Dataset) -> (Array2<f64>, Array2<f64>) {
        let fitted = Preprocessor::fit(data, Scheme::Standard).unwrap();
        let x = fitted.apply(data).unwrap();
        (signed_rows(&x, data.labels()).unwrap(), x)
    }

    /// scikit-learn 1.8, `LogisticRegression(C=.., solver="newton-cholesky", tol=1e-12)` on standardized columns.
    #[test]
    fn weights_are_those_of_scikit_learn() {
        let cancer = builtin::breast_cancer().unwrap();
        let digits = builtin::digits().unwrap();
        for (data, c, intercept, first, loss, area) in [
            (
                &cancer,
                1.0,
                -0.214_502_717_397_373_53,
                [
                    0.363_092_531_906_473_34,
                    0.387_675_442_408_594_7,
                    0.351_062_118_667_711_9,
                ],
                0.053_391_857_502_225_706,
                0.997_449_923_365_572_7,
            ),
            (
                &cancer,
                0.01,
                -0.623_808_535_301_478_7,
                [
                    0.227_286_885_534_032_6,
                    0.192_924_200_757_358_47,
                    0.224_873_314_651_771_4,
                ],
                0.162_494_997_264_326_78,
                0.994_159_928_122_192_2,
            ),
            (
                &digits,
                1.0,
                -0.863_276_039_175_904_2,
                [
                    -0.309_294_436_699_584_2,
                    -0.033_027_920_299_673_6,
                    -0.242_433_627_467_276_17,
                ],
                0.010_794_287_265_098_5,
                1.0,
            ),
        ] {
            let (z, x) = prepared(data);
            let fit = exact(&z, 1.0 / (c * data.rows() as f64)).unwrap();
            assert_relative_eq!(fit.weights[0], intercept, max_relative = 1e-6);
            for (j, w) in first.iter().enumerate() {
                assert_relative_eq!(fit.weights[j + 1], *w, max_relative = 1e-6);
            }
            assert_relative_eq!(fit.loss, loss, max_relative = 1e-8);
            let scores = scores(&x, &fit.weights).unwrap();
            assert_relative_eq!(
                auc(&scores, data.labels()).unwrap(),
                area,
                max_relative = 1e-12
            );
        }
    }

    /// Eight rows without a penalty, by the same program.
    #[test]
    fn no_penalty_is_the_likelihood_s_own_optimum() {
        let x = array![
            [0.5, 1.2],
            [1.5, -0.3],
            [2.5, 0.7],
            [3.0, -1.1],
            [0.2, 0.4],
            [1.1, 2.0],
            [2.2, -0.6],
            [2.9, 0.1]
        ];
        let labels = [false, true, false, true, false, true, true, false];
        let fit = exact(&signed_rows(&x, &labels).unwrap(), 0.0).unwrap();
        for (w, expected) in fit.weights.iter().zip([
            0.055_742_378_571_343_58,
            0.083_245_365_540_967_05,
            -0.688_328_607_797_036,
        ]) {
            assert_relative_eq!(*w, expected, max_relative = 1e-8);
        }
        assert_relative_eq!(fit.loss, 0.639_352_343_539_090_7, max_relative = 1e-12);
    }

    /// scikit-learn 1.8, `Ridge(alpha=..)` on columns as they are, whose intercept has no penalty either.
    #[test]
    fn ridge_is_that_of_scikit_learn() {
        let x = array![[0.5, 1.2], [1.5, -0.3], [2.5, 0.7], [3.0, -1.1], [0.2, 0.4]];
        let y = array![1.0, 2.0, 2.5, 4.0, 0.0];
        let examples = Examples::new(with_intercept(&x), y).unwrap();
        for (alpha, expected) in [
            (
                0.0,
                [
                    0.27826089162409184,
                    1.0830995276533346,
                    -0.25685646783459576,
                ],
            ),
            (
                2.0,
                [0.7357431574828841, 0.7921499581503689, -0.30918940574695863],
            ),
        ] {
            let fit = exact(&examples, alpha / 5.0).unwrap();
            for (w, expected) in fit.weights.iter().zip(expected) {
                assert_relative_eq!(*w, expected, max_relative = 1e-10);
            }
        }
        let twice = array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
        let examples = Examples::new(with_intercept(&twice), array![1.0, 0.0, 2.0]).unwrap();
        let error = exact(&examples, 0.0).unwrap_err();
        assert!(matches!(
            error,
            TrainError::Fit(FitError::Collinear { column: 2 })
        ));
    }

    fn refused(x: &Array2<f64>, labels: &[bool], penalty: f64) -> FitError {
        match exact(&signed_rows(x, labels).unwrap(), penalty) {
            Err(TrainError::Fit(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn separable_and_collinear_data_are_told_apart_and_have_an_answer_with_a_penalty() {
        let apart = array![[1.0], [2.0], [3.0], [4.0]];
        let labels = [false, false, true, true];
        assert!(matches!(
            refused(&apart, &labels, 0.0),
            FitError::Separable { rows: 4 }
        ));
        // All rows but two on the border.
        let border = array![[1.0], [2.0], [2.0], [3.0]];
        assert!(matches!(
            refused(&border, &[false, false, true, true], 0.0),
            FitError::Separable { rows: 4 }
        ));
        let twice = array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [2.5, 5.0]];
        let mixed = [false, true, false, true];
        assert!(matches!(
            refused(&twice, &mixed, 0.0),
            FitError::Collinear { column: 2 }
        ));
        for (x, labels) in [(&apart, labels), (&border, labels), (&twice, mixed)] {
            let fit = exact(&signed_rows(x, &labels).unwrap(), 0.01).unwrap();
            assert!(fit.weights.iter().all(|w| w.is_finite()), "{fit:?}");
        }
        for penalty in [-1.0, f64::NAN, f64::INFINITY] {
            let error = refused(&apart, &labels, penalty);
            assert!(matches!(error, FitError::Hyperparameter { .. }));
        }
    }
}
