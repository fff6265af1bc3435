//! Bounds on what a header may ask for, and sizes computed without overflow.

use super::WireError;
use super::pack::{packed_row_len, residue_bits};

/// The largest dimensions a reader accepts. A reader checks every dimension of a header against these before it
/// computes a size from them, and every size against the bytes that are there before it allocates.
///
/// The defaults cover every parameter set of this crate; a service may accept less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest log2 of the ring degree N.
    pub log_n: u32,
    /// Most RNS limbs in a polynomial.
    pub limbs: u32,
    /// Most polynomials in one object.
    pub polys: u32,
    /// Most ciphertexts (or plaintexts) in one batch.
    pub batch: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            log_n: 17,
            limbs: 256,
            polys: 1 << 16,
            batch: 1 << 15,
        }
    }
}

fn within(what: &'static str, value: u64, most: u32) -> Result<usize, WireError> {
    if value == 0 || value > u64::from(most) {
        return Err(WireError::OutOfBounds {
            what,
            value,
            least: 1,
            most: u64::from(most),
        });
    }
    usize::try_from(value).map_err(|_| WireError::SizeOverflow { what })
}

impl Limits {
    /// The ring degree `2^log_n`, for `log_n` in `1..=self.log_n`.
    ///
    /// # Errors
    /// [`WireError::OutOfBounds`] outside that range, [`WireError::SizeOverflow`] where `2^log_n` is no `usize`.
    pub fn degree(&self, log_n: u64) -> Result<usize, WireError> {
        let checked = within("log2 of the ring degree", log_n, self.log_n)?;
        u32::try_from(checked)
            .ok()
            .and_then(|shift| 1usize.checked_shl(shift))
            .ok_or(WireError::SizeOverflow {
                what: "ring degree",
            })
    }

    /// A number of limbs in `1..=self.limbs`.
    ///
    /// # Errors
    /// [`WireError::OutOfBounds`] outside that range.
    pub fn limbs(&self, limbs: u64) -> Result<usize, WireError> {
        within("number of limbs", limbs, self.limbs)
    }

    /// A number of polynomials in `1..=self.polys`.
    ///
    /// # Errors
    /// [`WireError::OutOfBounds`] outside that range.
    pub fn polys(&self, polys: u64) -> Result<usize, WireError> {
        within("number of polynomials", polys, self.polys)
    }

    /// A batch size in `1..=self.batch`.
    ///
    /// # Errors
    /// [`WireError::OutOfBounds`] outside that range.
    pub fn batch(&self, batch: u64) -> Result<usize, WireError> {
        within("batch size", batch, self.batch)
    }

    /// [`checked_rows_len`] after `n`, the number of moduli and `polys` were found within these limits.
    ///
    /// # Errors
    /// [`WireError::OutOfBounds`] for a dimension outside its limit or an `n` that is no power of two, and those
    /// of [`checked_rows_len`].
    pub fn rows_len(&self, n: usize, moduli: &[u32], polys: usize) -> Result<u64, WireError> {
        if !n.is_power_of_two() {
            return Err(WireError::DimensionMismatch {
                what: "ring degree, a power of two,",
                expected: n.checked_next_power_of_two().unwrap_or(0),
                found: n,
            });
        }
        self.degree(u64::from(n.trailing_zeros()))?;
        self.limbs(moduli.len() as u64)?;
        self.polys(polys as u64)?;
        checked_rows_len(n, moduli, polys)
    }
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
        let limits = Limits::default();
        assert_eq!(limits.degree(17).unwrap(), 1 << 17);
        assert_eq!(limits.degree(1).unwrap(), 2);
        for log_n in [0, 18, 31, 64, u64::MAX] {
            assert!(matches!(
                limits.degree(log_n),
                Err(WireError::OutOfBounds { value, .. }) if value == log_n
            ));
        }
        assert!(
            limits.limbs(256).is_ok() && limits.limbs(257).is_err() && limits.limbs(0).is_err()
        );
        assert!(limits.polys(1 << 16).is_ok() && limits.polys((1 << 16) + 1).is_err());
        assert!(limits.batch(1 << 15).is_ok() && limits.batch(u64::MAX).is_err());
    }

    #[test]
    fn a_limit_beyond_the_word_is_an_error_not_a_shift_overflow() {
        let limits = Limits {
            log_n: 4000,
            ..Limits::default()
        };
        assert!(matches!(
            limits.degree(3000),
            Err(WireError::SizeOverflow { .. })
        ));
    }

    #[test]
    fn sizes_are_exact_or_refused() {
        // 8 residues of 25 and 30 bits are 25 and 30 bytes.
        let moduli = [(1 << 25) - 39, (1 << 30) - 35];
        assert_eq!(checked_rows_len(8, &moduli, 3).unwrap(), 3 * 55);
        assert_eq!(Limits::default().rows_len(8, &moduli, 3).unwrap(), 3 * 55);
        assert_eq!(checked_rows_len(0, &moduli, 3).unwrap(), 0);
        assert!(matches!(
            checked_rows_len(8, &[7, 1], 1),
            Err(WireError::BadModulus { modulus: 1 })
        ));
        for (n, polys) in [
            (usize::MAX, 1),
            (usize::MAX / 8, usize::MAX),
            (1 << 17, usize::MAX),
        ] {
            assert!(matches!(
                checked_rows_len(n, &moduli, polys),
                Err(WireError::SizeOverflow { .. })
            ));
        }
    }

    #[test]
    fn degrees_that_are_no_power_of_two_are_refused() {
        for n in [0, 1, 3, 12, (1 << 17) + 2, 1 << 18] {
            assert!(Limits::default().rows_len(n, &[97], 1).is_err(), "{n}");
        }
    }
}
