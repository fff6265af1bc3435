//! Fits of odd polynomials to `f(x) = sigma(-B x) - 1/2` on [-1, 1]; by symmetry only [0, 1] is looked at.
//!
//! The toolkit fits any function, in points and with weights; here are the integral's projections and the smallest largest error, which it
//! does not have. Its cosine is another, and starting points of other last bits give other coefficients, which stored plans and models hold:
//! so nothing is shared.
//!
//! Both work in a basis of orthogonal polynomials and convert to powers of x at the end. No function of the platform's
//! mathematical library is used, so the coefficients are the same everywhere.

use super::{SigmoidError, sigma};

/// Intervals of the grid on which errors are looked for.
const GRID: usize = 20_000;
/// Intervals of Simpson's rule; even.
const SIMPSON: usize = 20_000;

/// Points from 0 to `end`.
pub(super) fn grid(end: f64) -> impl Iterator<Item = f64> {
    (0..=GRID).map(move |i| end * (i as f64 / GRID as f64))
}

fn target(x: f64, bound: f64) -> f64 {
    sigma(-bound * x) - 0.5
}

/// Coefficients of x, x^3, .. of the least-squares fit: the projections on Legendre's polynomials of odd degree.
pub(super) fn least_squares(degree: usize, bound: f64) -> Vec<f64> {
    let mut projections = vec![0.0; degree + 1];
    for (i, x) in (0..=SIMPSON).map(|i| (i, i as f64 / SIMPSON as f64)) {
        let weight = match i {
            0 | SIMPSON => 1.0,
            _ if i % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let value = weight / (3.0 * SIMPSON as f64) * target(x, bound);
        let legendre = legendre(degree, x);
        for k in (1..=degree).step_by(2) {
            // Over [-1, 1] the product is even: twice the half; P_k has square norm 2 / (2 k + 1).
            projections[k] += (2 * k + 1) as f64 * value * legendre[k];
        }
    }
    // Powers of x of each P_k, by the recursion (k + 1) P_{k+1} = (2 k + 1) x P_k - k P_{k-1}.
    odd_powers(&projections, |k| {
        let k = k as f64;
        ((2.0 * k + 1.0) / (k + 1.0), k / (k + 1.0))
    })
}

fn legendre(degree: usize, x: f64) -> Vec<f64> {
    let mut p = vec![1.0, x];
    for k in 1..degree {
        let n = k as f64;
        p.push(((2.0 * n + 1.0) * x * p[k] - n * p[k - 1]) / (n + 1.0));
    }
    p
}

fn chebyshev(degree: usize, x: f64) -> Vec<f64> {
    let mut t = vec![1.0, x];
    for k in 1..degree {
        t.push(2.0 * x * t[k] - t[k - 1]);
    }
    t
}

/// Turns coefficients in a basis with `p_{k+1} = a_k x p_k - b_k p_{k-1}`, `p_0 = 1`, `p_1 = x`, into those of x, x^3, ..
fn odd_powers(coefficients: &[f64], recursion: impl Fn(usize) -> (f64, f64)) -> Vec<f64> {
    let degree = coefficients.len() - 1;
    let mut previous = vec![0.0; degree + 1];
    let mut current = previous.clone();
    previous[0] = 1.0;
    current[1] = 1.0;
    let mut sum = vec![0.0; degree + 1];
    for k in 1..=degree {
        for (s, c) in sum.iter_mut().zip(&current) {
            *s += coefficients[k] * c;
        }
        let (a, b) = recursion(k);
        let next = (0..=degree)
            .map(|i| a * if i > 0 { current[i - 1] } else { 0.0 } - b * previous[i])
            .collect();
        previous = std::mem::replace(&mut current, next);
    }
    sum.into_iter().skip(1).step_by(2).collect()
}

/// Coefficients of x, x^3, .. of the fit with the smallest largest error, by Remez's exchange.
///
/// The n odd Chebyshev polynomials form a Haar system on (0, 1], so the best fit's error takes its largest value with alternating
/// sign in n + 1 points of it.
pub(super) fn minimax(degree: usize, bound: f64) -> Result<Vec<f64>, SigmoidError> {
    const ROUNDS: usize = 100;
    let n = degree.div_ceil(2);
    // The extrema of T_{2n+1} in (0, 1]: those of the error if f were a polynomial of the next odd degree.
    let mut points: Vec<f64> = (0..=n)
        .map(|j| cosine(std::f64::consts::PI * j as f64 / (2 * n + 1) as f64))
        .rev()
        .collect();
    // De la Vallee-Poussin: no fit is better than the level of any such interpolation.
    let mut lower = 0.0f64;
    let mut best = (f64::INFINITY, Vec::new());
    for _ in 0..ROUNDS {
        let (coefficients, level) = interpolate(&points, degree, bound);
        if !level.is_finite() {
            break;
        }
        lower = lower.max(level.abs());
        let error = |x: f64| {
            let basis = chebyshev(degree, x);
            let fit: f64 = (0..n).map(|k| coefficients[k] * basis[2 * k + 1]).sum();
            fit - target(x, bound)
        };
        let extrema = extrema(error, n + 1);
        let largest = extrema.iter().map(|&(_, e)| e.abs()).fold(0.0, f64::max);
        if largest < best.0 {
            best = (largest, coefficients);
        }
        // Errors near the rounding of doubles do not alternate any more.
        if best.0 <= lower * (1.0 + 1e-9) + 1e-15 || extrema.len() < n + 1 {
            break;
        }
        points = extrema.into_iter().map(|(x, _)| x).collect();
    }
    let (largest, coefficients) = best;
    if largest > lower * 1.001 + 1e-14 {
        return Err(SigmoidError::MinimaxDiverged {
            degree,
            bound,
            rounds: ROUNDS,
        });
    }
    let mut all = vec![0.0; degree + 1];
    for (k, c) in coefficients.into_iter().enumerate() {
        all[2 * k + 1] = c;
    }
    Ok(odd_powers(&all, |_| (2.0, 1.0)))
}

/// The odd Chebyshev coefficients and the level h with `fit - f = +h, -h, +h, ..` in the points.
fn interpolate(points: &[f64], degree: usize, bound: f64) -> (Vec<f64>, f64) {
    let n = points.len() - 1;
    let mut rows: Vec<Vec<f64>> = points
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let basis = chebyshev(degree, x);
            let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
            (0..n)
                .map(|k| basis[2 * k + 1])
                .chain([sign, target(x, bound)])
                .collect()
        })
        .collect();
    let mut solution = solve(&mut rows);
    let level = solution.pop().unwrap_or(f64::NAN);
    (solution, level)
}

/// Gaussian elimination with row pivots on an augmented matrix.
fn solve(rows: &mut [Vec<f64>]) -> Vec<f64> {
    let n = rows.len();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))
            .unwrap_or(column);
        rows.swap(column, pivot);
        let (upper, lower) = rows.split_at_mut(column + 1);
        let pivot = &upper[column];
        for row in lower {
            let factor = row[column] / pivot[column];
            for (r, p) in row.iter_mut().zip(pivot).skip(column) {
                *r -= factor * p;
            }
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| rows[i][j] * x[j]).sum();
        x[i] = (rows[i][n] - known) / rows[i][i];
    }
    x
}

/// The extremum (place, value) of each stretch of one sign on the grid, refined by a parabola; if there are more than `wanted`, the
/// smaller of the two at the ends is left out until they fit.
fn extrema(error: impl Fn(f64) -> f64, wanted: usize) -> Vec<(f64, f64)> {
    let step = 1.0 / GRID as f64;
    // The error is 0 at 0, which belongs to no stretch.
    let values: Vec<f64> = grid(1.0).map(&error).collect();
    let mut found: Vec<(usize, f64)> = Vec::new();
    for (i, &e) in values.iter().enumerate().skip(1) {
        match found.last_mut() {
            Some(last) if (last.1 < 0.0) == (e < 0.0) => {
                if e.abs() > last.1.abs() {
                    *last = (i, e);
                }
            }
            _ => found.push((i, e)),
        }
    }
    let mut found: Vec<(f64, f64)> = found
        .into_iter()
        .map(|(i, e)| {
            let x = i as f64 * step;
            if i == GRID {
                return (x, e);
            }
            let (left, right) = (values[i - 1], values[i + 1]);
            let curvature = left - 2.0 * e + right;
            if curvature == 0.0 {
                return (x, e);
            }
            let refined = x + step * (0.5 * (left - right) / curvature).clamp(-1.0, 1.0);
            let value = error(refined);
            if value.abs() > e.abs() {
                (refined, value)
            } else {
                (x, e)
            }
        })
        .collect();
    while found.len() > wanted {
        let (first, last) = (found[0].1.abs(), found[found.len() - 1].1.abs());
        if first < last {
            found.remove(0);
        } else {
            found.pop();
        }
    }
    found
}

/// `cos(x)` for 0 <= x < 1.6, to 1e-15.
fn cosine(x: f64) -> f64 {
    let square = x * x;
    let mut sum = 1.0;
    for k in (1..=11).rev() {
        sum = 1.0 - sum * square / f64::from((2 * k - 1) * 2 * k);
    }
    sum
}
