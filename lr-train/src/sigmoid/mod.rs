//! The sigmoid and polynomials in its place.
//!
//! Training needs `sigma(-t) = 1 / (1 + exp(t))` of `t = z v`. Ciphertexts can only be added and multiplied, so a polynomial stands
//! in for it on an interval `[-B, B]`; outside it leaves the sigmoid quickly. `sigma(-t) - 1/2` is odd, hence so is every polynomial
//! here: `c0 + c1 t + c3 t^3 + ..`.
//!
//! Circuits carry `t' = t / B`, which stays within [-1, 1] ([`Approximation::normalized`]): powers of t itself reach `B^degree` and
//! their errors with them.

mod error;
mod exact;
mod fit;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use error::SigmoidError;
pub use exact::sigma;

/// The highest degree that is fitted. Beyond it the monomial coefficients cancel so much that digits are lost.
pub const MAX_DEGREE: usize = 15;
/// The narrowest interval, as its half B: within it a line is already nearer than 0.0007.
pub const MIN_BOUND: f64 = 0.5;
/// The widest interval, as its half B.
pub const MAX_BOUND: f64 = 1024.0;
/// The most that a term is on the interval: a hundred times more than any approximation of degree 15 has.
const MAX_TERM: f64 = (1u32 << 20) as f64;

/// Where an approximation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Origin {
    /// Coefficients from the literature.
    Published,
    /// Least squares over the interval, all points weighing the same.
    LeastSquares,
    /// Smallest largest error.
    Minimax,
    /// Coefficients given by the caller.
    Given,
}

/// A polynomial for `sigma(-t)` on `[-B, B]`: `1/2` plus odd powers of t.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Approximation {
    odd: Vec<f64>,
    bound: f64,
    origin: Origin,
}

impl Approximation {
    /// Degree 3 on [-16, 16]: 0.5 - 0.0843 t + 0.0002 t^3 (ePrint 2018/662).
    pub fn cubic_16() -> Self {
        Self::published(&[-0.0843, 0.0002], 16.0)
    }

    /// Degree 3 on [-8, 8]: 0.5 - 0.15012 t + 0.001593 t^3 (ePrint 2018/254, in the digits of its program; first in 2018/074).
    pub fn cubic_8() -> Self {
        Self::published(&[-0.15012, 0.001593], 8.0)
    }

    /// Degree 5 on [-8, 8]: 0.5 - 0.19131 t + 0.0045963 t^3 - 0.0000412332 t^5 (as [`Self::cubic_8`]).
    ///
    /// The least-squares fit has the same digits but for the last coefficient, -0.0000422302; the published one has the smaller largest
    /// error, 0.047 against 0.061.
    pub fn quintic_8() -> Self {
        Self::published(&[-0.19131, 0.004_596_3, -0.000_041_233_2], 8.0)
    }

    /// Degree 7 on [-8, 8]: 0.5 - 0.216884 t + 0.00819276 t^3 - 0.000165861 t^5 + 0.00000119581 t^7 (as [`Self::cubic_8`]).
    pub fn septic_8() -> Self {
        Self::published(
            &[-0.216_884, 0.008_192_76, -0.000_165_861, 0.000_001_195_81],
            8.0,
        )
    }

    /// `-t`, of which only the odd part matters: the pull of squared errors, in linear regression. Exact everywhere; `bound` is what inner
    /// products are assumed to keep to.
    ///
    /// # Errors
    /// [`SigmoidError::Approximation`] unless [`MIN_BOUND`] <= `bound` <= [`MAX_BOUND`].
    pub fn linear(bound: f64) -> Result<Self, SigmoidError> {
        Self::given(vec![-1.0], bound)
    }

    /// Whether it is [`Approximation::linear`], on any interval.
    pub fn is_linear(&self) -> bool {
        self.odd == [-1.0]
    }

    /// Those of the literature, with the names that the command line has for them.
    pub fn of_the_literature() -> [(&'static str, Self); 4] {
        [
            ("cubic-16", Self::cubic_16()),
            ("cubic-8", Self::cubic_8()),
            ("quintic-8", Self::quintic_8()),
            ("septic-8", Self::septic_8()),
        ]
    }

    /// What the command line calls it: as in [`Self::of_the_literature`], or `DEGREE:HALF` for a least-squares fit; none for others.
    pub fn name(&self) -> Option<String> {
        if self.origin == Origin::LeastSquares {
            return Some(format!("{}:{}", self.degree(), self.bound));
        }
        let all = Self::of_the_literature();
        let named = all.iter().find(|(_, of)| of == self);
        named.map(|(name, _)| (*name).to_owned())
    }

    fn published(odd: &[f64], bound: f64) -> Self {
        Self {
            odd: odd.to_vec(),
            bound,
            origin: Origin::Published,
        }
    }

    /// The polynomial of the given odd degree with the smallest mean squared error on `[-bound, bound]`.
    ///
    /// # Errors
    /// [`SigmoidError::Approximation`] unless the degree is odd and at most [`MAX_DEGREE`], and [`MIN_BOUND`] <= `bound` <=
    /// [`MAX_BOUND`].
    pub fn least_squares(degree: usize, bound: f64) -> Result<Self, SigmoidError> {
        check(degree, bound)?;
        let fit = fit::least_squares(degree, bound);
        Ok(Self::from_normalized(&fit, bound, Origin::LeastSquares))
    }

    /// The polynomial of the given odd degree with the smallest largest error on `[-bound, bound]` (Remez's exchange).
    ///
    /// # Errors
    /// As [`Self::least_squares`]; [`SigmoidError::MinimaxDiverged`] if the error cannot be levelled to one part in a thousand.
    pub fn minimax(degree: usize, bound: f64) -> Result<Self, SigmoidError> {
        check(degree, bound)?;
        let fit = fit::minimax(degree, bound)?;
        Ok(Self::from_normalized(&fit, bound, Origin::Minimax))
    }

    /// A polynomial of the caller: `odd` are the coefficients of t, t^3, t^5, ..
    ///
    /// # Errors
    /// [`SigmoidError::Approximation`] as [`Self::least_squares`], and if a coefficient is not finite or the last one is 0.
    pub fn given(odd: Vec<f64>, bound: f64) -> Result<Self, SigmoidError> {
        Self::try_from(Stored {
            odd,
            bound,
            origin: Origin::Given,
        })
    }

    /// From the coefficients of t', t'^3, ..
    fn from_normalized(normalized: &[f64], bound: f64, origin: Origin) -> Self {
        let mut power = bound;
        let odd = normalized
            .iter()
            .map(|d| {
                let c = d / power;
                power *= bound * bound;
                c
            })
            .collect();
        Self { odd, bound, origin }
    }

    /// The degree, odd.
    pub fn degree(&self) -> usize {
        2 * self.odd.len() - 1
    }

    /// B, half the interval.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The coefficient of t^0.
    pub fn constant(&self) -> f64 {
        0.5
    }

    /// The coefficients of t, t^3, t^5, ..
    pub fn odd(&self) -> &[f64] {
        &self.odd
    }

    /// All coefficients, of t^0, t^1, .. up to the degree, with zeros where powers are even.
    pub fn coefficients(&self) -> Vec<f64> {
        let mut all = vec![0.0; self.degree() + 1];
        all[0] = self.constant();
        for (k, &c) in self.odd.iter().enumerate() {
            all[2 * k + 1] = c;
        }
        all
    }

    /// The coefficients of t', t'^3, .. of the same polynomial in `t' = t / B`: all powers of t' are within [-1, 1].
    pub fn normalized(&self) -> Vec<f64> {
        let mut power = self.bound;
        let normalize = |c| {
            let d = c * power;
            power *= self.bound * self.bound;
            d
        };
        self.odd.iter().map(normalize).collect()
    }

    /// The last of them.
    pub(crate) fn leading(&self) -> f64 {
        self.normalized().last().copied().unwrap_or(0.0)
    }

    /// Its value, by Horner's rule in t^2.
    pub fn eval(&self, t: f64) -> f64 {
        self.constant() + self.pull_back(t)
    }

    /// Its odd part: what draws inner products back, whatever the constants of gradients pull them to.
    pub(crate) fn pull_back(&self, t: f64) -> f64 {
        horner(&self.odd, t)
    }

    /// The largest distance from `sigma(-t)` on `[-B, B]`, on a grid of 20,001 points of the half (the error is even).
    pub fn max_error(&self) -> f64 {
        fit::grid(self.bound)
            .map(|t| (self.eval(t) - sigma(-t)).abs())
            .fold(0.0, f64::max)
    }
}

impl fmt::Display for Approximation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (degree, bound) = (self.degree(), self.bound);
        write!(f, "degree {degree} on [-{bound}, {bound}]")
    }
}

/// What stands for `sigma(-t)` in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Sigmoid {
    /// The function itself.
    Exact,
    /// A polynomial.
    Polynomial(Approximation),
}

impl Sigmoid {
    /// `sigma(-t)` or its approximation.
    pub fn eval(&self, t: f64) -> f64 {
        match self {
            Self::Exact => sigma(-t),
            Self::Polynomial(p) => p.eval(t),
        }
    }

    /// The same without its value at 0.
    pub(crate) fn pull_back(&self, t: f64) -> f64 {
        match self {
            Self::Exact => sigma(-t) - 0.5,
            Self::Polynomial(p) => p.pull_back(t),
        }
    }

    /// Half the interval on which it is meant; infinite for the function itself.
    pub fn bound(&self) -> f64 {
        match self {
            Self::Exact => f64::INFINITY,
            Self::Polynomial(p) => p.bound(),
        }
    }
}

/// An approximation as it is written down: not checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    odd: Vec<f64>,
    bound: f64,
    origin: Origin,
}

impl From<Approximation> for Stored {
    fn from(Approximation { odd, bound, origin }: Approximation) -> Self {
        Self { odd, bound, origin }
    }
}

impl TryFrom<Stored> for Approximation {
    type Error = SigmoidError;

    fn try_from(Stored { odd, bound, origin }: Stored) -> Result<Self, SigmoidError> {
        check((2 * odd.len()).saturating_sub(1), bound)?;
        let bad = odd.iter().find(|c| !c.is_finite());
        if let Some(&value) = bad.or(odd.last().filter(|&&c| c == 0.0)) {
            return Err(SigmoidError::Approximation {
                what: "coefficient",
                value,
                allowed: "coefficients are finite, and the last is not 0",
            });
        }
        let read = Self { odd, bound, origin };
        let large = |value: &f64| value.abs() > MAX_TERM;
        if let Some(value) = read.normalized().into_iter().find(large) {
            return Err(SigmoidError::Approximation {
                what: "coefficient times its power of half the interval",
                value,
                allowed: "the terms of an approximation are at most 2^20 on its interval",
            });
        }
        Ok(read)
    }
}

fn check(degree: usize, bound: f64) -> Result<(), SigmoidError> {
    if degree.is_multiple_of(2) || degree > MAX_DEGREE {
        return Err(SigmoidError::Approximation {
            what: "degree",
            value: degree as f64,
            allowed: "take an odd degree from 1 to 15",
        });
    }
    if !(MIN_BOUND..=MAX_BOUND).contains(&bound) {
        return Err(SigmoidError::Approximation {
            what: "half of the interval",
            value: bound,
            allowed: "take a number from 0.5 to 1024",
        });
    }
    Ok(())
}

fn horner(odd: &[f64], t: f64) -> f64 {
    let square = t * t;
    odd.iter().rev().fold(0.0, |sum, c| sum * square + c) * t
}

#[cfg(test)]
mod tests;
