//! Integer coefficients of an encoded message.

use std::fmt;

use arras_hal::{HalError, Workers};
use zeroize::Zeroizing;

use super::reduce::RowReducer;

/// Largest absolute value, exclusive, that is stored in 64 bits.
const SMALL_BOUND: f64 = (1u64 << 62) as f64;
/// Largest absolute value, exclusive, that is stored at all.
const WIDE_BOUND: f64 = (1u128 << 126) as f64;

/// The integer coefficients of a polynomial of `Z[X]/(X^N + 1)`, `X^0` first.
///
/// They hold the message, so they are erased on drop and their `Debug` output shows only their number.
#[derive(Clone)]
pub struct IntCoefficients {
    storage: Storage,
    max_bits: u32,
}

/// 64 bits where every coefficient is below `2^62` in absolute value, 128 bits otherwise.
#[derive(Clone)]
enum Storage {
    Small(Zeroizing<Vec<i64>>),
    Wide(Zeroizing<Vec<i128>>),
}

impl IntCoefficients {
    /// From integers in f64, each below `2^126` in absolute value.
    pub(super) fn from_integers(values: &[f64]) -> Self {
        let max = values.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
        assert!(
            max < WIDE_BOUND,
            "coefficients of an encoded vector reach 2^126"
        );
        let storage = if max < SMALL_BOUND {
            Storage::Small(Zeroizing::new(values.iter().map(|&v| v as i64).collect()))
        } else {
            Storage::Wide(Zeroizing::new(values.iter().map(|&v| v as i128).collect()))
        };
        Self {
            storage,
            max_bits: 128 - (max as u128).leading_zeros(),
        }
    }

    /// The number of coefficients, `N`.
    pub fn len(&self) -> usize {
        match &self.storage {
            Storage::Small(values) => values.len(),
            Storage::Wide(values) => values.len(),
        }
    }

    /// Whether there are no coefficients; an [`Encoder`](super::Encoder) never gives that.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bits of the largest absolute value: 0 if all coefficients are zero, else `b` with
    /// `2^(b-1) <= max < 2^b`. The message is recovered from its residues only if it stays below half the
    /// modulus.
    pub fn max_bits(&self) -> u32 {
        self.max_bits
    }

    /// Writes the residues modulo `q`, in `[0, q)`, to `out`. The time depends on the length and on
    /// whether coefficients reach 62 bits, not otherwise on their values.
    ///
    /// # Panics
    ///
    /// If `q < 2` or `out` has not exactly [`len`](Self::len) words: both come from the parameters, not
    /// from the message.
    pub fn residues_into(&self, q: u32, out: &mut [u32]) {
        assert!(
            q >= 2,
            "residues modulo {q}: the modulus must be at least 2"
        );
        assert_eq!(
            out.len(),
            self.len(),
            "residues of {} coefficients into a row of {}",
            self.len(),
            out.len()
        );
        let reducer = RowReducer::new(q);
        match &self.storage {
            Storage::Small(values) => reducer.reduce_i64(values, out),
            Storage::Wide(values) => reducer.reduce_i128(values, out),
        }
    }

    /// The integers themselves.
    #[cfg(test)]
    pub(super) fn to_i128(&self) -> Vec<i128> {
        match &self.storage {
            Storage::Small(values) => values.iter().map(|&v| i128::from(v)).collect(),
            Storage::Wide(values) => values.to_vec(),
        }
    }

    #[cfg(test)]
    pub(super) fn is_small(&self) -> bool {
        matches!(self.storage, Storage::Small(_))
    }
}

impl fmt::Debug for IntCoefficients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntCoefficients")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Residues of encoded vectors, `[vectors][moduli][n]`, in parallel.
///
/// # Errors
/// As [`Workers::check`].
pub(crate) fn residue_rows(
    workers: &Workers,
    encoded: &[IntCoefficients],
    moduli: &[u32],
    n: usize,
    words: &mut [u32],
) -> Result<(), HalError> {
    workers.each_chunk(words, n, |i, row| {
        if let (Some(vector), Some(&q)) =
            (encoded.get(i / moduli.len()), moduli.get(i % moduli.len()))
        {
            vector.residues_into(q, row);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_and_bits_follow_the_largest_coefficient() {
        let p = |e: i32| 2f64.powi(e);
        for (values, small, bits) in [
            (vec![0.0, -0.0], true, 0),
            (vec![1.0, 0.0], true, 1),
            (vec![-3.0, 2.0], true, 2),
            (vec![4.0, -3.0], true, 3),
            (vec![p(62) - 512.0, 0.0], true, 62),
            (vec![-p(62), 1.0], false, 63),
            (vec![p(120), -p(121)], false, 122),
        ] {
            let c = IntCoefficients::from_integers(&values);
            assert_eq!(
                (c.is_small(), c.max_bits(), c.len()),
                (small, bits, 2),
                "{values:?}"
            );
            let want: Vec<i128> = values.iter().map(|&v| v as i128).collect();
            assert_eq!(c.to_i128(), want);
            let mut row = [0; 2];
            c.residues_into(1_073_479_681, &mut row);
            for (r, w) in row.iter().zip(want) {
                assert_eq!(i128::from(*r), w.rem_euclid(1_073_479_681));
            }
        }
    }

    #[test]
    fn debug_shows_no_coefficient() {
        let c = IntCoefficients::from_integers(&[123_456.0, -654_321.0]);
        assert_eq!(format!("{c:?}"), "IntCoefficients { len: 2, .. }");
    }

    #[test]
    #[should_panic(expected = "residues of 2 coefficients into a row of 3")]
    fn rows_have_the_length_of_the_polynomial() {
        IntCoefficients::from_integers(&[1.0, 2.0]).residues_into(17, &mut [0; 3]);
    }
}
