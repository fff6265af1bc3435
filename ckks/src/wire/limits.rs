//! Bounds on what a header may ask for, and sizes computed without overflow. They cover every parameter set of this crate.
//!
//! A reader checks every dimension of a header against these before it computes a size from them, and every size against the
//! bytes that are there before it allocates.

use super::error::{WireError, check_bounds, check_len};
use super::pack::{packed_row_len, residue_bits};

/// The most ciphertexts (or plaintexts) in one batch.
const MAX_BATCH: u32 = 1 << 15;
/// The most RNS limbs in a polynomial.
const MAX_LIMBS: u32 = 256;
/// The largest log2 of the ring degree N.
const MAX_LOG_N: u32 = 17;
/// The most polynomials in one object.
const MAX_POLYS: u32 = 1 << 16;

fn within(what: &'static str, value: u64, most: u32) -> Result<usize, WireError> {
    check_bounds(what, value, 1..=u64::from(most))?;
    usize::try_from(value).map_err(|_| WireError::SizeOverflow { what })
}

/// The ring degree `2^log_n`.
pub(super) fn degree(log_n: u64) -> Result<usize, WireError> {
    Ok(1 << within("log2 of the ring degree", log_n, MAX_LOG_N)?)
}

/// A batch size.
pub(super) fn batch(batch: u64) -> Result<usize, WireError> {
    within("batch size", batch, MAX_BATCH)
}

/// [`checked_rows_len`] after `n`, the number of moduli and `polys` were found within what readers accept.
///
/// # Errors
/// [`WireError::OutOfBounds`] for a dimension outside its limit, [`WireError::DimensionMismatch`] for an `n` that is no power of
/// two, and those of [`checked_rows_len`].
pub(super) fn rows_len(n: usize, moduli: &[u32], polys: usize) -> Result<u64, WireError> {
    if !n.is_power_of_two() {
        let next = n.checked_next_power_of_two().unwrap_or(0);
        check_len("ring degree, a power of two,", next, n)?;
    }
    degree(u64::from(n.trailing_zeros()))?;
    within("number of limbs", moduli.len() as u64, MAX_LIMBS)?;
    within("number of polynomials", polys as u64, MAX_POLYS)?;
    checked_rows_len(n, moduli, polys)
}

/// Bytes of `polys` polynomials, each with one packed row of `n` residues per modulus.
///
/// # Errors
/// [`WireError::BadModulus`] for a modulus below 2, [`WireError::SizeOverflow`] if the result is no `u64`.
pub fn checked_rows_len(n: usize, moduli: &[u32], polys: usize) -> Result<u64, WireError> {
    let overflow = || WireError::SizeOverflow {
        what: "rows of residues",
    };
    // packed_row_len saturates; that cannot happen for a length that a slice of residues can have.
    if n > isize::MAX as usize / size_of::<u32>() {
        return Err(overflow());
    }
    let mut poly = 0u64;
    for &modulus in moduli {
        residue_bits(modulus)?;
        poly = poly
            .checked_add(packed_row_len(n, modulus) as u64)
            .ok_or_else(overflow)?;
    }
    poly.checked_mul(polys as u64).ok_or_else(overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_bounded_on_both_sides() {
        assert_eq!(degree(17).unwrap(), 1 << 17);
        assert_eq!(degree(1).unwrap(), 2);
        for log_n in [0, 18, 31, 64, 3000, u64::MAX] {
            refused! { degree(log_n) => WireError::OutOfBounds { value, .. } if *value == log_n }
        }
        for (limbs, polys, fits) in [
            (256, 1, true),
            (257, 1, false),
            (0, 1, false),
            (1, 1 << 16, true),
            (1, (1 << 16) + 1, false),
            (1, 0, false),
        ] {
            assert_eq!(rows_len(8, &vec![97; limbs], polys).is_ok(), fits);
        }
        assert!(batch(1 << 15).is_ok() && batch(0).is_err() && batch(u64::MAX).is_err());
    }

    #[test]
    fn sizes_are_exact_or_refused() {
        // 8 residues of 25 and 30 bits are 25 and 30 bytes.
        let moduli = [(1 << 25) - 39, (1 << 30) - 35];
        assert_eq!(checked_rows_len(8, &moduli, 3).unwrap(), 3 * 55);
        assert_eq!(rows_len(8, &moduli, 3).unwrap(), 3 * 55);
        assert_eq!(checked_rows_len(0, &moduli, 3).unwrap(), 0);
        refused! { checked_rows_len(8, &[7, 1], 1) => WireError::BadModulus { modulus: 1 } }
        for (n, polys) in [
            (usize::MAX, 1),
            (usize::MAX / 8, usize::MAX),
            (1 << 17, usize::MAX),
        ] {
            refused! { checked_rows_len(n, &moduli, polys) => WireError::SizeOverflow { .. } }
        }
    }

    #[test]
    fn degrees_that_are_no_power_of_two_are_refused() {
        for n in [0, 1, 3, 12, (1 << 17) + 2, 1 << 18] {
            assert!(rows_len(n, &[97], 1).is_err(), "{n}");
        }
    }
}
