//! Polynomials that approximate functions.

use arras_hal::Named;

use super::series::{Polynomial, check_degree, check_interval, finite};
use crate::Result;

impl Polynomial {
    /// The polynomial of a degree that agrees with `f` in the degree + 1 Chebyshev points of [`low`, `high`], in the Chebyshev
    /// basis. For smooth functions its largest error is within a small factor (about 1 + 2/pi ln(degree + 1)) of the best one.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::OutOfRange`] unless low < high and the degree is at most [`super::MAX_DEGREE`];
    /// [`crate::ToolkitErrorKind::NonFinite`] where `f` is not finite.
    pub fn interpolate(f: impl Fn(f64) -> f64, low: f64, high: f64, degree: usize) -> Result<Self> {
        let n = degree + 1;
        let values = sample(&f, low, high, degree, n).named("interpolate")?;
        let coefficients: Vec<f64> = (0..n)
            .map(|k| {
                let sum: f64 = (0..n)
                    .map(|j| values[j] * cos_pi((2 * j + 1) * k, 2 * n))
                    .sum();
                sum * if k == 0 { 1.0 } else { 2.0 } / n as f64
            })
            .collect();
        Self::chebyshev(&coefficients, low, high)
    }

    /// The polynomial of a degree with the least sum of (weight(x) (p(x) - f(x)))^2 over 16 (degree + 1) Chebyshev points of
    /// [`low`, `high`], in the Chebyshev basis. With weight 1 / |f| the relative error is small.
    ///
    /// # Errors
    /// As [`Polynomial::interpolate`]; the weight too must be finite.
    pub fn least_squares(
        f: impl Fn(f64) -> f64,
        weight: impl Fn(f64) -> f64,
        low: f64,
        high: f64,
        degree: usize,
    ) -> Result<Self> {
        let (terms, n) = (degree + 1, 16 * (degree + 1));
        let weights = sample(&weight, low, high, degree, n).named("least_squares")?;
        let values = sample(&f, low, high, degree, n).named("least_squares")?;
        let mut rest: Vec<f64> = values.iter().zip(&weights).map(|(v, w)| v * w).collect();
        // Weighted columns T_k, orthonormalized one after the other (twice: once leaves rounding errors), their
        // combinations kept in terms of T.
        let mut columns: Vec<(Vec<f64>, Vec<f64>)> = vec![];
        let mut coefficients = vec![0.0; terms];
        for k in 0..terms {
            let mut column: Vec<f64> = (0..n)
                .map(|j| weights[j] * cos_pi((2 * j + 1) * k, 2 * n))
                .collect();
            let mut combination = vec![0.0; terms];
            combination[k] = 1.0;
            for _ in 0..2 {
                for (other, of) in &columns {
                    let part = dot(&column, other);
                    subtract(&mut column, part, other);
                    subtract(&mut combination, part, of);
                }
            }
            let norm = dot(&column, &column).sqrt();
            if norm == 0.0 {
                // A weight that vanishes in all but a few points says nothing about this term.
                continue;
            }
            column.iter_mut().for_each(|x| *x /= norm);
            combination.iter_mut().for_each(|x| *x /= norm);
            let part = dot(&rest, &column);
            subtract(&mut rest, part, &column);
            subtract(&mut coefficients, -part, &combination);
            columns.push((column, combination));
        }
        Self::chebyshev(&coefficients, low, high)
    }

    /// The largest of |weight(x) (p(x) - f(x))| over 32 (degree + 1), at least 1024, Chebyshev points and both ends.
    pub fn largest_error(&self, f: impl Fn(f64) -> f64, weight: impl Fn(f64) -> f64) -> f64 {
        let (low, high) = self.interval();
        let n = (32 * (self.degree() + 1)).max(1024);
        (0..n)
            .map(|j| point(low, high, j, n))
            .chain([low, high])
            .map(|x| (weight(x) * (self.eval(x) - f(x))).abs())
            .fold(0.0, f64::max)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn subtract(a: &mut [f64], factor: f64, b: &[f64]) {
    for (x, y) in a.iter_mut().zip(b) {
        *x -= factor * y;
    }
}

/// Chebyshev point j of n in [low, high], the last first.
fn point(low: f64, high: f64, j: usize, n: usize) -> f64 {
    0.5 * (low + high) + 0.5 * (high - low) * cos_pi(2 * j + 1, 2 * n)
}

/// A function's values in n Chebyshev points, for a polynomial of a degree.
fn sample(
    f: impl Fn(f64) -> f64,
    low: f64,
    high: f64,
    degree: usize,
    n: usize,
) -> Result<Vec<f64>> {
    check_interval(low, high)?;
    check_degree(degree)?;
    (0..n)
        .map(|j| {
            let value = f(point(low, high, j, n));
            finite("value of the function", value, &[j]).map(|()| value)
        })
        .collect()
}

/// cos(pi numerator / denominator). Made of additions and multiplications only, so that coefficients have the same bits on
/// every platform. Error below 1e-15.
fn cos_pi(numerator: usize, denominator: usize) -> f64 {
    let mut n = numerator % (2 * denominator);
    if n > denominator {
        n = 2 * denominator - n;
    }
    // cos(pi - t) = -cos t, and cos(pi/2 - t) = sin t: only 0 <= t <= pi/4 is left.
    let (sign, n) = if 2 * n > denominator {
        (-1.0, denominator - n)
    } else {
        (1.0, n)
    };
    let angle = |numerator: usize, denominator: usize| {
        std::f64::consts::PI * numerator as f64 / denominator as f64
    };
    let series = |t: f64, first: f64, from: u32| {
        let (mut term, mut sum) = (first, first);
        for i in (from..from + 20).step_by(2) {
            term *= -t * t / f64::from(i * (i + 1));
            sum += term;
        }
        sum
    };
    if 4 * n <= denominator {
        sign * series(angle(n, denominator), 1.0, 1)
    } else {
        let t = angle(denominator - 2 * n, 2 * denominator);
        sign * series(t, t, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines() {
        for d in [1usize, 2, 3, 7, 64, 510] {
            for n in 0..4 * d {
                let expected = (std::f64::consts::PI * n as f64 / d as f64).cos();
                assert!((cos_pi(n, d) - expected).abs() < 2e-15 * (1 + n / d) as f64);
            }
        }
        assert_eq!(cos_pi(1, 2), 0.0);
    }

    #[test]
    fn least_squares_finds_a_polynomial_and_a_relative_fit() {
        let p = Polynomial::chebyshev(&[1.0, -2.0, 0.0, 0.5], 2.0, 5.0).unwrap();
        let q = Polynomial::least_squares(|x| p.eval(x), |x| 1.0 / x, 2.0, 5.0, 3).unwrap();
        for (a, b) in p.coefficients().iter().zip(q.coefficients()) {
            assert!((a - b).abs() < 1e-13);
        }
        let f = |x: f64| 1.0 / x.sqrt();
        let weighted = Polynomial::least_squares(f, f64::sqrt, 0.5, 50.0, 7).unwrap();
        let plain = Polynomial::interpolate(f, 0.5, 50.0, 7).unwrap();
        let squares = |p: &Polynomial| -> f64 {
            let points = (0..128).map(|j| point(0.5, 50.0, j, 128));
            points
                .map(|x| (x.sqrt() * (p.eval(x) - f(x))).powi(2))
                .sum()
        };
        assert!(squares(&weighted) < squares(&plain));
        // The least of all: any change of a coefficient makes it larger.
        for k in 0..8 {
            for change in [-1e-3, 1e-3] {
                let mut c = weighted.coefficients().to_vec();
                c[k] += change;
                let other = Polynomial::chebyshev(&c, 0.5, 50.0).unwrap();
                assert!(squares(&weighted) < squares(&other));
            }
        }
    }
}
