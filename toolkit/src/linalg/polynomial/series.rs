//! Polynomials in one variable, in clear.

use arras_hal::Named;
use serde::{Deserialize, Serialize};

use crate::{Result, ToolkitError, ToolkitErrorKind};

/// The largest degree.
pub const MAX_DEGREE: usize = 255;

/// What the coefficients of a polynomial are multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// x^i.
    Monomial,
    /// T_i(u), the Chebyshev polynomial of the first kind, with u = (2x - a - b) / (b - a) on the interval [a, b].
    Chebyshev,
}

/// A polynomial on an interval, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolynomialSpec {
    /// What the coefficients belong to.
    pub basis: Basis,
    /// Coefficients, that of degree 0 first.
    pub coefficients: Vec<f64>,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// A polynomial of degree at most [`MAX_DEGREE`] on an interval [a, b], in which the values it is applied to must lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PolynomialSpec", into = "PolynomialSpec")]
pub struct Polynomial {
    basis: Basis,
    coefficients: Vec<f64>,
    low: f64,
    high: f64,
}

impl TryFrom<PolynomialSpec> for Polynomial {
    type Error = ToolkitError;

    fn try_from(spec: PolynomialSpec) -> Result<Self> {
        let PolynomialSpec {
            basis,
            mut coefficients,
            low,
            high,
        } = spec;
        let degree = checked_degree(&coefficients, low, high).named("polynomial")?;
        coefficients.truncate(degree + 1);
        Ok(Self {
            basis,
            coefficients,
            low,
            high,
        })
    }
}

impl From<Polynomial> for PolynomialSpec {
    fn from(p: Polynomial) -> Self {
        Self {
            basis: p.basis,
            coefficients: p.coefficients,
            low: p.low,
            high: p.high,
        }
    }
}

impl Polynomial {
    /// The sum of `coefficients[i]` x^i for x in [-1, 1]; [`Polynomial::on`] says another interval.
    ///
    /// # Errors
    /// As [`Polynomial::chebyshev`].
    pub fn monomial(coefficients: &[f64]) -> Result<Self> {
        PolynomialSpec {
            basis: Basis::Monomial,
            coefficients: coefficients.to_vec(),
            low: -1.0,
            high: 1.0,
        }
        .try_into()
    }

    /// The sum of `coefficients[i]` T_i(u), with u = (2x - a - b) / (b - a), for x in [a, b] = [`low`, `high`].
    ///
    /// # Errors
    /// [`ToolkitErrorKind::EmptyList`] without coefficients; [`ToolkitErrorKind::NonFinite`]; [`ToolkitErrorKind::OutOfRange`] unless
    /// a < b and the degree is at most [`MAX_DEGREE`].
    pub fn chebyshev(coefficients: &[f64], low: f64, high: f64) -> Result<Self> {
        PolynomialSpec {
            basis: Basis::Chebyshev,
            coefficients: coefficients.to_vec(),
            low,
            high,
        }
        .try_into()
    }

    /// The same function of x, to be applied to values in [`low`, `high`]. Chebyshev coefficients change with the interval.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::OutOfRange`] unless low < high; [`ToolkitErrorKind::NonFinite`].
    pub fn on(&self, low: f64, high: f64) -> Result<Self> {
        let same = PolynomialSpec {
            basis: Basis::Monomial,
            coefficients: self.coefficients.clone(),
            low,
            high,
        };
        match self.basis {
            Basis::Monomial => same.try_into(),
            Basis::Chebyshev => Self::interpolate(|x| self.eval(x), low, high, self.degree()),
        }
    }

    /// What the coefficients belong to.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// The coefficients, that of degree 0 first, up to the last that is not zero.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The interval [a, b].
    pub fn interval(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The degree; 0 of the zero polynomial.
    pub fn degree(&self) -> usize {
        self.coefficients.len() - 1
    }

    /// The value at x, by Horner's or Clenshaw's scheme. Defined outside the interval too, where Chebyshev series grow fast.
    pub fn eval(&self, x: f64) -> f64 {
        match self.basis {
            Basis::Monomial => self.coefficients.iter().rev().fold(0.0, |s, c| s * x + c),
            Basis::Chebyshev => {
                let u = (2.0 * x - self.low - self.high) / (self.high - self.low);
                let (mut b1, mut b2) = (0.0, 0.0);
                for &c in self.coefficients.iter().skip(1).rev() {
                    (b1, b2) = (c + 2.0 * u * b1 - b2, b1);
                }
                self.coefficients[0] + u * b1 - b2
            }
        }
    }

    /// The same polynomial in the Chebyshev basis of its interval, by interpolation in degree + 1 points.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::NonFinite`] if values on the interval overflow.
    pub fn to_chebyshev(&self) -> Result<Self> {
        match self.basis {
            Basis::Chebyshev => Ok(self.clone()),
            Basis::Monomial => {
                Self::interpolate(|x| self.eval(x), self.low, self.high, self.degree())
            }
        }
    }

    /// The same polynomial in powers of x. Coefficients grow like 2.4^degree on intervals about 0 and faster elsewhere, and
    /// as many digits of the values are lost: for small degrees.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::NonFinite`] if coefficients overflow.
    pub fn to_monomial(&self) -> Result<Self> {
        if self.basis == Basis::Monomial {
            return Ok(self.clone());
        }
        let n = self.coefficients.len();
        let (slope, shift) = (
            2.0 / (self.high - self.low),
            -(self.low + self.high) / (self.high - self.low),
        );
        // Powers of x of T_(i-1) and T_i, and T_(i+1) = 2 u T_i - T_(i-1).
        let mut before = vec![0.0; n];
        let mut current = vec![0.0; n];
        current[0] = 1.0;
        let mut sum = vec![0.0; n];
        for (i, &c) in self.coefficients.iter().enumerate() {
            for (s, t) in sum.iter_mut().zip(&current) {
                *s += c * t;
            }
            let factor = if i == 0 { 1.0 } else { 2.0 };
            let next = (0..n)
                .map(|j| {
                    let lower = if j == 0 { 0.0 } else { current[j - 1] };
                    factor * (slope * lower + shift * current[j]) - before[j]
                })
                .collect();
            before = std::mem::replace(&mut current, next);
        }
        Self::monomial(&sum)?.on(self.low, self.high)
    }
}

/// The degree of coefficients on an interval that make a polynomial.
fn checked_degree(coefficients: &[f64], low: f64, high: f64) -> Result<usize> {
    check_interval(low, high)?;
    if coefficients.is_empty() {
        return Err(ToolkitErrorKind::EmptyList.into());
    }
    for (i, &c) in coefficients.iter().enumerate() {
        finite("coefficient", c, &[i])?;
    }
    let degree = coefficients.iter().rposition(|&c| c != 0.0).unwrap_or(0);
    check_degree(degree).map(|()| degree)
}

pub(super) fn check_interval(low: f64, high: f64) -> Result<()> {
    finite("end of the interval", low, &[0])?;
    finite("end of the interval", high, &[1])?;
    if low < high && (high - low).is_finite() {
        return Ok(());
    }
    Err(ToolkitError::out_of_range(
        "lower end of the interval",
        low,
        format!(
            "numbers below its upper end {high}; give the smaller end first and leave some width"
        ),
    ))
}

pub(super) fn check_degree(degree: usize) -> Result<()> {
    if degree <= MAX_DEGREE {
        return Ok(());
    }
    Err(ToolkitError::out_of_range(
        "degree",
        degree as f64,
        format!("0 to {MAX_DEGREE}; fit the function with a lower degree"),
    ))
}

pub(super) fn finite(what: &str, value: f64, index: &[usize]) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(ToolkitErrorKind::NonFinite {
        what: what.into(),
        value,
        index: index.to_vec(),
    }
    .into())
}
