//! The sigmoid's polynomial with another factor in its free slot.
//!
//! A product M * s(t) costs no more levels than s(t) alone: with the leading coefficient folded into M,
//!
//! ```text
//!   degree 1:  M' t                                     1 level from t
//!   degree 3:  (M' t) (t^2 + b)                         2 levels from t
//!   degree 5:  (M' t) ((t^2 + b)^2 + c)                 3
//!   degree 7:  ((M' t) (t^2 + b)) (t^4 + p t^2 + q)     3
//! ```
//! where M' is M times the leading coefficient; c0 M is added by itself. (ePrint 2020/1483, section 6, for the cubic.)
//!
//! t may come multiplied by a number k, which then is in the product to the power of the degree: see [`super::spec`] for what k is good
//! for.

use arras_toolkit::Slots;

use crate::{plain::FitError, sigmoid::Approximation};

/// The odd part of a polynomial, factored; coefficients are of t' = t / B.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Activation {
    /// The constant.
    pub(super) constant: f64,
    /// The leading coefficient, to be folded into the other factor.
    pub(super) leading: f64,
    /// B.
    pub(super) bound: f64,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Linear,
    Cubic { b: f64 },
    Quintic { b: f64, c: f64 },
    Septic { b: f64, p: f64, q: f64 },
}

impl Activation {
    pub(super) fn new(approximation: &Approximation) -> Result<Self, FitError> {
        let form = match approximation.normalized()[..] {
            [_] => Form::Linear,
            [d1, d3] => Form::Cubic { b: d1 / d3 },
            [d1, d3, d5] => {
                let b = d3 / d5 / 2.0;
                Form::Quintic {
                    b,
                    c: d1 / d5 - b * b,
                }
            }
            [d1, d3, d5, d7] => {
                // x^3 + a x^2 + .. with x = t^2 has a real root -b.
                let (a2, a1, a0) = (d5 / d7, d3 / d7, d1 / d7);
                let b = -real_root(a2, a1, a0);
                let p = a2 - b;
                Form::Septic {
                    b,
                    p,
                    q: a1 - b * p,
                }
            }
            _ => {
                return Err(FitError::Hyperparameter {
                    what: "degree of the sigmoid's polynomial",
                    value: approximation.degree() as f64,
                    allowed: "training circuits evaluate degrees 1, 3, 5 and 7",
                });
            }
        };
        Ok(Self {
            constant: approximation.constant(),
            leading: approximation.leading(),
            bound: approximation.bound(),
            form,
        })
    }

    /// What `s(t) - c0` needs of `k t` besides `k t` itself.
    pub(super) fn powers(&self, t: &Slots, k: f64) -> Powers {
        let (k2, k4) = (k * k, k.powi(4));
        let factors = match self.form {
            Form::Linear => (None, None),
            Form::Cubic { b } => (None, Some(t.square().add_scalar(k2 * b))),
            Form::Quintic { b, c } => {
                let quartic = t.square().add_scalar(k2 * b).square();
                (None, Some(quartic.add_scalar(k4 * c)))
            }
            Form::Septic { b, p, q } => {
                let square = t.square();
                let quadratic = square
                    .square()
                    .add(&square.multiply_scalar(k2 * p))
                    .add_scalar(k4 * q);
                (Some(square.add_scalar(k2 * b)), Some(quadratic))
            }
        };
        Powers {
            t: t.clone(),
            middle: factors.0,
            last: factors.1,
        }
    }
}

/// `k t` and the factors of the polynomial there.
#[derive(Clone, Debug)]
pub(super) struct Powers {
    t: Slots,
    middle: Option<Slots>,
    last: Option<Slots>,
}

impl Powers {
    /// `M * (s(t) - c0)` where `scaled` is M times the leading coefficient over k to the power of the degree.
    pub(super) fn times(&self, scaled: &Slots) -> Slots {
        let product = scaled.multiply(&self.t);
        let factors = [&self.middle, &self.last].into_iter().flatten();
        factors.fold(product, |product, factor| product.multiply(factor))
    }

    /// The same with other ciphertexts of the batch: one for each of `units`.
    pub(super) fn pick(&self, units: &[usize]) -> Self {
        Self {
            t: self.t.pick(units),
            middle: self.middle.as_ref().map(|m| m.pick(units)),
            last: self.last.as_ref().map(|l| l.pick(units)),
        }
    }
}

/// A real root of x^3 + a x^2 + b x + c, by bisection within Cauchy's bound.
fn real_root(a: f64, b: f64, c: f64) -> f64 {
    let bound = 1.0 + a.abs().max(b.abs()).max(c.abs());
    let value = |x: f64| ((x + a) * x + b) * x + c;
    let (mut low, mut high) = (-bound, bound);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if value(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}
