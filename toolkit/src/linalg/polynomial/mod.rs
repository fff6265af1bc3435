//! Polynomials of encrypted values, and what iterations of them give: inverses and roots.
//!
//! ```text
//!   Polynomial --on an interval--> basis with y near [-2, 2] or powers --split--> products --recorded--> Slots
//!   (series, fit)                  (normal)                             (plan)                (evaluate)
//! ```
//! Depth: ceil(log2(d + 1)) for degree d, in both bases, and one level more where the interval must be scaled by a number that
//! is not an integer:
//!
//! | basis | interval [a, b] | levels for the interval |
//! |---|---|---|
//! | either | degree at most 1 | 0 |
//! | monomial | within [-1, 1] | 0 |
//! | monomial | R = max(\|a\|, \|b\|) with R^m at most 8 | 0 |
//! | Chebyshev | half-width 2 / k with an integer k up to 1024: [-1, 1], [3, 5], [-2, 2] | 0 |
//! | Chebyshev | half-width h with (k h / 2)^m in [1/8, 8] for an integer k: [2, 5] up to degree 7 | 0 |
//! | either | any other: [-16, 16] | 1 |
//!
//! m is the largest power of two that is at most d. At most three bits of precision are spent to save the level. Shifting an interval
//! is an addition. Zero coefficients cost nothing; polynomials that are even or odd need about half of the powers.
//!
//! | degree | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 12 | 15 | 16 | 24 | 31 | 32 |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | levels | 2 | 2 | 3 | 3 | 3 | 3 | 4 | 4 | 4 | 5 | 5 | 5 | 6 |
//! | products | 1 | 2 | 3 | 3 | 4 | 5 | 5 | 6 | 8 | 8 | 10 | 13 | 12 |
//! | relinearizations | 1 | 2 | 3 | 3 | 3 | 4 | 4 | 5 | 7 | 7 | 8 | 10 | 9 |
//!
//! A product of ciphertexts is one relinearization unless it is summed with others: products that meet in a sum are
//! relinearized once.

mod evaluate;
mod fit;
mod iterate;
mod norm;
mod normal;
mod plan;
pub(crate) mod series;

pub use iterate::{Iteration, Stop};
pub use series::{Basis, MAX_DEGREE, PolynomialSpec};

use arras_hal::Named;

use super::{ColumnVector, Matrix, Object, RowVector, Scalar, record};
use crate::{Layout, Polynomial, Recorded, Result, Slots};

/// How a polynomial is evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Least depth; among the ways to it fewest products of ciphertexts: baby steps of every size are tried.
    #[default]
    Auto,
    /// Paterson and Stockmeyer's with 2^ceil(D / 2) baby steps, D = ceil(log2(degree + 1)): depth D whatever the coefficients.
    PatersonStockmeyer,
    /// All powers, then one linear combination: depth ceil(log2(degree)) + 1, degree - 1 products.
    PowerTree,
    /// Coefficient by coefficient (Horner's scheme, Clenshaw's for Chebyshev series): depth and about as many products as the degree, the
    /// fewest ciphertexts alive.
    Horner,
}

/// What an evaluation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Depth, with the interval's level if it has one.
    pub levels: usize,
    /// Products of two ciphertexts.
    pub products: usize,
    /// Products with a number that is not a small integer.
    pub scalar_products: usize,
}

impl Polynomial {
    /// What its evaluation on ciphertexts costs.
    pub fn cost(&self, method: Method) -> Cost {
        plan::Plan::new(&normal::Normal::of(self), method).1
    }
}

/// Records an entrywise operation on slots, as one operation of the circuit's author.
#[track_caller]
fn on_slots(name: &'static str, x: &Slots, body: impl FnOnce(&Layout) -> Result<Slots>) -> Slots {
    let (recorder, layout) = (x.recorder(), x.layout());
    let open = recorder.open(name, &[x], None, None);
    let value = body(&layout).unwrap_or_else(|error| {
        recorder.fail(error.named(name));
        Slots::failed(recorder, x.units())
    });
    recorder.close_with(open, layout);
    value
}

/// Records an entrywise operation on an object.
#[track_caller]
fn on_object<T: Object>(
    name: &'static str,
    x: &T,
    body: impl FnOnce(&Layout) -> Result<Slots>,
) -> T {
    let slots = x.recorded();
    record(name, &[x], Ok(x.layout()), |layout| {
        body(layout).unwrap_or_else(|error| {
            slots.recorder().fail(error.named(name));
            Slots::failed(slots.recorder(), slots.units())
        })
    })
}

macro_rules! entrywise {
    ($($name:ident by $record:ident),*) => {$(
        impl $name {
            /// The polynomial of every entry, at its least depth. Entries must lie in the polynomial's interval; the padding
            /// stays zero.
            #[track_caller]
            pub fn polynomial(&self, p: &Polynomial) -> Self {
                self.polynomial_by(p, Method::Auto)
            }

            /// The polynomial of every entry, by a method of the caller's choice.
            #[track_caller]
            pub fn polynomial_by(&self, p: &Polynomial, method: Method) -> Self {
                $record("polynomial", self, |layout| {
                    Ok(evaluate::polynomial(self.recorded(), layout, p, method))
                })
            }

            /// 1 / x of every entry x in [`low`, `high`], an interval without 0; the padding stays zero. Depth and error:
            /// [`Iteration::inverse`]. An error of the recording: an interval or precision that [`Iteration::inverse`] refuses.
            #[track_caller]
            pub fn inverse(&self, low: f64, high: f64, stop: Stop) -> Self {
                $record("inverse", self, |layout| {
                    Ok(Iteration::inverse(low, high, stop)?.apply(self.recorded(), layout))
                })
            }

            /// 1 / sqrt(x) of every entry x in [`low`, `high`], 0 < low; the padding stays zero. Depth and error:
            /// [`Iteration::inverse_sqrt`], which also says what is refused.
            #[track_caller]
            pub fn inverse_sqrt(&self, low: f64, high: f64, stop: Stop) -> Self {
                $record("inverse_sqrt", self, |layout| {
                    Ok(Iteration::inverse_sqrt(low, high, stop)?.apply(self.recorded(), layout))
                })
            }

            /// sqrt(x) of every entry x in [`low`, `high`], 0 < low; the padding stays zero. Depth and error:
            /// [`Iteration::sqrt`], which also says what is refused.
            #[track_caller]
            pub fn sqrt(&self, low: f64, high: f64, stop: Stop) -> Self {
                $record("sqrt", self, |layout| {
                    Ok(Iteration::sqrt(low, high, stop)?.apply(self.recorded(), layout))
                })
            }
        }
    )*};
}

entrywise!(
    Slots by on_slots,
    Matrix by on_object,
    RowVector by on_object,
    ColumnVector by on_object,
    Scalar by on_object
);
