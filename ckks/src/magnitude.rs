//! How large values may be: the one rule that encryption, encoding and evaluation follow.
//!
//! Every ciphertext carries a *bound*: no slot of any ciphertext of its batch holds a value of a larger magnitude, up to the scheme's
//! error. The bound is declared where data are encrypted and never computed from encrypted data; operations carry it on, and refuse
//! results that their level cannot hold:
//!
//! | operation | bound of the result |
//! |---|---|
//! | sum, difference | sum of the bounds |
//! | product | product of the bounds |
//! | sum of products, weighted sum | sum of the products |
//! | with a plaintext or a scalar | the same, with its largest magnitude |
//! | rotation, conjugate, times i, negative, lower level, relinearized, rescaled, picked | unchanged |
//! | sum of rotations | times the number of rotations |
//! | joined batches | the largest |
//!
//! A pending product at the square of a scale has the headroom of the level on which its rescale lands: `Q_(l+1) / (2 s_(l+1)^2) = Q_l / (2 s_l)`.

use num_complex::Complex64;

use crate::{CkksErrorKind, Result, params::Parameters};

/// `bound`, if `level`, which exists, holds such values.
///
/// # Errors
/// [`CkksErrorKind::Overflow`]; what is not a number fits nowhere.
pub(crate) fn held(params: &Parameters, level: usize, bound: f64) -> Result<f64> {
    let headroom = params.headroom(level);
    if bound <= headroom {
        return Ok(bound);
    }
    Err(CkksErrorKind::Overflow {
        bound,
        headroom,
        level,
    }
    .into())
}

/// A bound as a caller declares or assumes it.
///
/// # Errors
/// [`CkksErrorKind::OutOfRange`].
pub(crate) fn declared(what: &'static str, bound: f64) -> Result<f64> {
    if bound.is_finite() && bound.is_sign_positive() {
        return Ok(bound);
    }
    let range = "finite numbers from 0".into();
    let value = bound;
    Err(CkksErrorKind::OutOfRange { what, value, range }.into())
}

/// The largest magnitude of values. What is not finite is left out: the encoder refuses it, naming its slot.
pub(crate) fn largest<V: Copy + Into<Complex64>>(values: &[V]) -> f64 {
    let magnitude = |&value: &V| {
        let z: Complex64 = value.into();
        // The same for real numbers, and no square root.
        if z.im == 0.0 { z.re.abs() } else { z.norm() }
    };
    // Magnitudes are ordered as their bits are, and a maximum of integers is quicker than one of numbers that may be NaN.
    let bits = values.iter().map(|value| magnitude(value).to_bits());
    let largest = bits.filter(|&bits| bits < f64::INFINITY.to_bits()).max();
    f64::from_bits(largest.unwrap_or(0))
}

/// A bound as files have it: in single precision, rounded up. `None` where that is no less than the level's headroom, which says
/// nothing.
pub(crate) fn written(params: &Parameters, level: usize, bound: f64) -> Option<f32> {
    let near = bound as f32;
    let up = if f64::from(near) < bound {
        near.next_up()
    } else {
        near
    };
    (f64::from(up) < params.headroom(level)).then_some(up)
}
