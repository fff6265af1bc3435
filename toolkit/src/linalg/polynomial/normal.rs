//! One form for both bases.
//!
//! Ciphertext arithmetic uses the Dickson polynomials E_i(y, alpha): E_1 = y, E_(a+b) = E_a E_b - alpha^b E_(a-b) for a > b,
//! E_2a = E_a^2 - 2 alpha^a. They are the powers of y for alpha = 0, and 2 r^i T_i(y / (2 r)) for alpha = r^2: Chebyshev polynomials
//! of an interval of half-width 2 r that need no product with a number for r = 1. So the half-width of an interval need not be made exactly
//! 1 by a product that costs a level: an integer k, which is free, takes it near 2, and alpha takes the rest as long as
//! the values E_i, of magnitude up to 2 r^i, neither grow nor shrink by more than [`SLACK`].

use super::series::{Basis, Polynomial};
use crate::circuit::slots::{LARGEST_INTEGER, is_free};

/// What r^i may come to, or 1 / r^i, for the largest i in use: 3 bits of precision are spent to save a level.
const SLACK: f64 = 8.0;

/// A polynomial in y = (x - shift) factor: the constant and the sum of `terms[i]` E_i(y, alpha) for i > 0.
#[derive(Clone, Debug)]
pub(super) struct Normal {
    pub(super) shift: f64,
    pub(super) factor: f64,
    pub(super) alpha: f64,
    pub(super) terms: Vec<f64>,
}

pub(super) fn power(base: f64, exponent: usize) -> f64 {
    (0..exponent).fold(1.0, |p, _| p * base)
}

impl Normal {
    pub(super) fn of(p: &Polynomial) -> Self {
        let degree = p.degree();
        let (low, high) = p.interval();
        // The highest E_i that a split by halves multiplies with.
        let top = if degree < 2 { 0 } else { 1 << degree.ilog2() };
        match p.basis() {
            Basis::Monomial => {
                let radius = low.abs().max(high.abs());
                let factor = if degree < 2 {
                    1.0
                } else if radius <= 1.0 {
                    (1.0 / radius).floor().clamp(1.0, LARGEST_INTEGER)
                } else if power(radius, top) <= SLACK {
                    1.0
                } else {
                    1.0 / radius
                };
                Self {
                    shift: 0.0,
                    factor,
                    alpha: 0.0,
                    terms: scaled(p.coefficients(), 1.0, factor),
                }
            }
            Basis::Chebyshev => {
                let shift = 0.5 * (low + high);
                let half = 0.5 * (high - low);
                let (factor, ratio) = if degree < 2 {
                    (1.0, 0.5 * half)
                } else {
                    fold(half, top).unwrap_or((2.0 / half, 1.0))
                };
                Self {
                    shift,
                    factor,
                    alpha: if degree < 2 { 0.0 } else { ratio * ratio },
                    terms: scaled(p.coefficients(), 0.5, ratio),
                }
            }
        }
    }

    /// Levels that y costs.
    pub(super) fn levels(&self) -> usize {
        usize::from(!is_free(self.factor))
    }

    /// The value at y.
    pub(super) fn eval(&self, y: f64) -> f64 {
        let (mut b1, mut b2) = (0.0, 0.0);
        for &e in self.terms.iter().skip(1).rev() {
            (b1, b2) = (e + y * b1 - self.alpha * b2, b1);
        }
        self.terms[0] + y * b1 - 2.0 * self.alpha * b2
    }
}

/// Coefficients divided by powers of `base` and all but the constant times `factor`.
fn scaled(coefficients: &[f64], factor: f64, base: f64) -> Vec<f64> {
    let mut scale = factor;
    coefficients
        .iter()
        .enumerate()
        .map(|(i, &c)| {
            if i == 0 {
                return c;
            }
            scale /= base;
            c * scale
        })
        .collect()
}

/// An integer k with k half = 2 r, and r, if r stays within the slack up to the power `top`.
fn fold(half: f64, top: usize) -> Option<(f64, f64)> {
    let off = |r: f64| r.max(1.0 / r);
    let wanted = 2.0 / half;
    [wanted.floor(), wanted.ceil()]
        .into_iter()
        .map(|k| k.clamp(1.0, LARGEST_INTEGER))
        .map(|k| {
            let r = 0.5 * k * half;
            // What rounding the interval's ends leaves does not deserve products of its own.
            let r = if (r - 1.0).abs() < 4.0 * f64::EPSILON {
                1.0
            } else {
                r
            };
            (k, r)
        })
        .min_by(|a, b| off(a.1).total_cmp(&off(b.1)))
        .filter(|&(_, r)| power(off(r), top) <= SLACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bases_keep_their_values() {
        let c = [0.3, -1.0, 0.0, 2.0, 0.25, -0.5, 0.125, 1.5, 0.7];
        for (low, high) in [
            (-1.0, 1.0),
            (2.0, 5.0),
            (-16.0, 16.0),
            (0.0, 0.3),
            (-0.9, 1.2),
        ] {
            for n in 1..=c.len() {
                let chebyshev = Polynomial::chebyshev(&c[..n], low, high).unwrap();
                let monomial = Polynomial::monomial(&c[..n])
                    .unwrap()
                    .on(low, high)
                    .unwrap();
                for p in [chebyshev, monomial] {
                    let normal = Normal::of(&p);
                    for x in [low, high, 0.4 * low + 0.6 * high] {
                        let y = (x - normal.shift) * normal.factor;
                        let (a, b) = (normal.eval(y), p.eval(x));
                        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{p:?} at {x}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_interval_costs_a_level_only_where_it_must() {
        let levels = |degree: usize, low, high| {
            let p = Polynomial::chebyshev(&vec![0.3; degree + 1], low, high).unwrap();
            Normal::of(&p).levels()
        };
        for degree in 0..=64 {
            assert_eq!(levels(degree, -1.0, 1.0), 0);
            assert_eq!(levels(degree, 3.0, 5.0), 0);
            assert_eq!(levels(degree, 0.0, 4.0), 0);
            assert_eq!(levels(degree, -16.0, 16.0), usize::from(degree > 1));
            assert_eq!(levels(degree, 2.0, 5.0), usize::from(degree > 7));
        }
    }
}
