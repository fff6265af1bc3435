//! The encoder.

use std::fmt;
use std::sync::Arc;

use num_complex::Complex64;
use zeroize::Zeroizing;

use super::fft::SpecialFft;
use super::{EncodingError, IntCoefficients};

/// The base-2 logarithm of the smallest ring degree.
pub const MIN_LOG_N: u32 = 4;
/// The base-2 logarithm of the largest ring degree.
pub const MAX_LOG_N: u32 = 17;

/// Real and imaginary parts times the scale stay below this in absolute value. A coefficient is a mean of
/// slots times roots of unity, at most `sqrt(2)` times the largest part: below `2^121`.
const PART_BOUND: f64 = (1u128 << 120) as f64;
/// Coefficients to decode reach at most this.
const COEFFICIENT_BOUND: f64 = (1u128 << 126) as f64;
/// With scales from here to its inverse no quotient or product overflows.
const MAX_SCALE: f64 = (1u128 << 126) as f64;

/// Encodes vectors of numbers as integer polynomials of one ring degree `N`, and decodes them.
///
/// Clones share their tables. Rounding is to the nearest integer, ties to even.
#[derive(Clone)]
pub struct Encoder {
    log_n: u32,
    fft: Arc<SpecialFft>,
}

impl Encoder {
    /// An encoder for `N = 2^log_n`, with tables of `8 N` bytes.
    ///
    /// # Errors
    ///
    /// [`BadRingDegree`](EncodingError::BadRingDegree) unless `log_n` is in
    /// [`MIN_LOG_N`]`..=`[`MAX_LOG_N`].
    pub fn new(log_n: u32) -> Result<Self, EncodingError> {
        if !(MIN_LOG_N..=MAX_LOG_N).contains(&log_n) {
            return Err(EncodingError::BadRingDegree { log_n });
        }
        Ok(Self {
            log_n,
            fft: Arc::new(SpecialFft::new(log_n - 1)),
        })
    }

    /// The ring degree `N`: coefficients of a polynomial.
    pub fn n(&self) -> usize {
        1 << self.log_n
    }

    /// The number of slots, `N/2`.
    pub fn slots(&self) -> usize {
        self.n() / 2
    }

    /// The factors `exp(2 pi i 5^j / 8h)`, j below h, of the layer of butterflies of half-length h < N/2: a power of two.
    pub(crate) fn twiddles(&self, h: usize) -> impl Iterator<Item = Complex64> + '_ {
        self.fft.twiddles(h)
    }

    /// Encodes real or complex numbers, the first into slot 0; the slots that `values` does not reach are zero.
    ///
    /// # Errors
    ///
    /// [`TooManyValues`](EncodingError::TooManyValues) for more than [`slots`](Self::slots) values;
    /// [`NotFinite`](EncodingError::NotFinite) for NaN or an infinity;
    /// [`DoesNotFit`](EncodingError::DoesNotFit) if a part of a value times the scale reaches `2^120`;
    /// [`BadScale`](EncodingError::BadScale) unless the scale is in `2^-126 ..= 2^126`.
    pub fn encode<V: Copy + Into<Complex64>>(
        &self,
        values: &[V],
        scale: f64,
    ) -> Result<IntCoefficients, EncodingError> {
        let slots = self.slots();
        if values.len() > slots {
            let given = values.len();
            return Err(EncodingError::TooManyValues { given, slots });
        }
        check_scale(scale)?;
        let values = values.iter().map(|&value| -> Complex64 { value.into() });
        check_parts(values.clone(), scale)?;
        // The real and imaginary halves of the transform are the low and high coefficients.
        let mut buffer = Zeroizing::new(vec![0.0; self.n()]);
        let (re, im) = buffer.split_at_mut(slots);
        // Scaled first: sums of values near the end of the f64 range would overflow, scaled ones cannot.
        for ((re, im), value) in re.iter_mut().zip(im.iter_mut()).zip(values) {
            *re = value.re * scale;
            *im = value.im * scale;
        }
        self.fft.inverse_times_n(re, im);
        let shrink = 1.0 / slots as f64;
        for x in buffer.iter_mut() {
            *x = (*x * shrink).round_ties_even();
        }
        Ok(IntCoefficients::from_integers(&buffer))
    }

    /// Encodes the vector with `value` in every slot: the polynomial `a + b X^(N/2)`, because `X^(N/2)` is
    /// `i` in every slot. No transform is needed, and the error is that of one rounding.
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Self::encode), naming slot 0.
    pub fn encode_scalar(
        &self,
        value: Complex64,
        scale: f64,
    ) -> Result<IntCoefficients, EncodingError> {
        check_scale(scale)?;
        check_parts(std::iter::once(value), scale)?;
        let mut coefficients = Zeroizing::new(vec![0.0; self.n()]);
        coefficients[0] = (value.re * scale).round_ties_even();
        coefficients[self.slots()] = (value.im * scale).round_ties_even();
        Ok(IntCoefficients::from_integers(&coefficients))
    }

    /// The real parts of all slots of the polynomial with these `N` coefficients, divided by the scale.
    ///
    /// # Errors
    ///
    /// [`LengthMismatch`](EncodingError::LengthMismatch) unless there are `N` coefficients;
    /// [`CoefficientOutOfRange`](EncodingError::CoefficientOutOfRange) for NaN or beyond `2^126` in
    /// absolute value; [`BadScale`](EncodingError::BadScale) unless the scale is in `2^-126 ..= 2^126`.
    pub fn decode_real(&self, coefficients: &[f64], scale: f64) -> Result<Vec<f64>, EncodingError> {
        let slots = self.decode(coefficients, scale)?;
        Ok(slots[..self.slots()].iter().map(|re| re / scale).collect())
    }

    /// All slots of the polynomial with these `N` coefficients, divided by the scale.
    ///
    /// # Errors
    ///
    /// Those of [`decode_real`](Self::decode_real).
    pub fn decode_complex(
        &self,
        coefficients: &[f64],
        scale: f64,
    ) -> Result<Vec<Complex64>, EncodingError> {
        let slots = self.decode(coefficients, scale)?;
        let (re, im) = slots.split_at(self.slots());
        Ok(re
            .iter()
            .zip(im)
            .map(|(re, im)| Complex64 {
                re: re / scale,
                im: im / scale,
            })
            .collect())
    }

    /// The slots times the scale: real parts, then imaginary parts.
    fn decode(
        &self,
        coefficients: &[f64],
        scale: f64,
    ) -> Result<Zeroizing<Vec<f64>>, EncodingError> {
        check_scale(scale)?;
        if coefficients.len() != self.n() {
            return Err(EncodingError::LengthMismatch {
                operation: "decode",
                what: "coefficients",
                expected: self.n(),
                given: coefficients.len(),
            });
        }
        // NaN is in no range.
        let outside = |value: &f64| !(-COEFFICIENT_BOUND..=COEFFICIENT_BOUND).contains(value);
        if let Some(index) = coefficients.iter().position(outside) {
            return Err(EncodingError::CoefficientOutOfRange {
                index,
                value: coefficients[index],
                bound: COEFFICIENT_BOUND,
            });
        }
        let mut buffer = Zeroizing::new(coefficients.to_vec());
        let (re, im) = buffer.split_at_mut(self.slots());
        self.fft.forward(re, im);
        Ok(buffer)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("log_n", &self.log_n)
            .finish_non_exhaustive()
    }
}

fn check_scale(scale: f64) -> Result<(), EncodingError> {
    let min = 1.0 / MAX_SCALE;
    if !(min..=MAX_SCALE).contains(&scale) {
        return Err(EncodingError::BadScale {
            scale,
            min,
            max: MAX_SCALE,
        });
    }
    Ok(())
}

/// Checks that every part is finite and that the largest, times the scale, stays below [`PART_BOUND`].
fn check_parts(values: impl Iterator<Item = Complex64>, scale: f64) -> Result<(), EncodingError> {
    let (mut slot, mut largest) = (0, 0.0f64);
    for (j, value) in values.enumerate() {
        for part in [value.re, value.im] {
            if !part.is_finite() {
                return Err(EncodingError::NotFinite {
                    slot: j,
                    value: part,
                });
            }
            if part.abs() > largest.abs() {
                (slot, largest) = (j, part);
            }
        }
    }
    if largest.abs() * scale >= PART_BOUND {
        return Err(EncodingError::DoesNotFit {
            slot,
            value: largest,
            scale,
            bound: PART_BOUND,
        });
    }
    Ok(())
}
