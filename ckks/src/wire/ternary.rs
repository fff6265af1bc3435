//! Ternary rows (secret keys) at two bits a coefficient.
//!
//! A coefficient is its own two-bit two's complement: `00` is 0, `01` is 1, `11` is -1, and `10` is an error. Four
//! coefficients share a byte, the first in its lowest bits; bits after the last coefficient are zero. Neither branches
//! nor addresses depend on the coefficients.

use super::error::{WireError, check_len};

/// Bytes of a packed ternary row of `n` coefficients: ceil(n / 4).
pub(super) const fn packed_ternary_len(n: usize) -> usize {
    n.div_ceil(4)
}

fn check_packed(n: usize, found: usize) -> Result<(), WireError> {
    check_len("packed ternary row", packed_ternary_len(n), found)
}

/// 1 for the code `10`, 0 for the three that stand for a coefficient.
fn is_bad_code(code: u8) -> u8 {
    (code >> 1) & !code & 1
}

/// Two bits as a signed number: -2, -1, 0 or 1.
fn sign_extend(code: u8) -> i8 {
    ((code << 6) as i8) >> 6
}

/// Packs coefficients in {-1, 0, 1} into `packed`, which has exactly [`packed_ternary_len`] bytes.
///
/// On an error the contents of `packed` are unspecified.
///
/// # Errors
/// [`WireError::DimensionMismatch`] for a `packed` of another length, [`WireError::NotTernary`] (as row 0) for any
/// other coefficient.
pub(super) fn pack_ternary_row(coefficients: &[i8], packed: &mut [u8]) -> Result<(), WireError> {
    check_packed(coefficients.len(), packed.len())?;
    let mut bad = 0u8;
    for (byte, group) in packed.iter_mut().zip(coefficients.chunks(4)) {
        *byte = 0;
        for (i, &coefficient) in group.iter().enumerate() {
            let code = coefficient as u8 & 3;
            bad |= is_bad_code(code) | (sign_extend(code) ^ coefficient) as u8;
            *byte |= code << (2 * i);
        }
    }
    if bad == 0 {
        Ok(())
    } else {
        Err(WireError::NotTernary { row: 0 })
    }
}

/// Unpacks `coefficients.len()` coefficients from `packed`, which has exactly [`packed_ternary_len`] bytes.
///
/// On an error the contents of `coefficients` are unspecified.
///
/// # Errors
/// [`WireError::DimensionMismatch`] for a `packed` of another length, [`WireError::NotTernary`] (as row 0) if the code
/// `10` occurs, [`WireError::NonzeroPadding`] (as row 0) if a bit after the last coefficient is set.
pub(super) fn unpack_ternary_row(packed: &[u8], coefficients: &mut [i8]) -> Result<(), WireError> {
    check_packed(coefficients.len(), packed.len())?;
    let (mut bad, mut padding) = (0u8, 0u8);
    for (&byte, group) in packed.iter().zip(coefficients.chunks_mut(4)) {
        let mut rest = byte;
        for coefficient in group {
            let code = rest & 3;
            bad |= is_bad_code(code);
            *coefficient = sign_extend(code);
            rest >>= 2;
        }
        padding |= rest;
    }
    if bad != 0 {
        Err(WireError::NotTernary { row: 0 })
    } else if padding != 0 {
        Err(WireError::NonzeroPadding { row: 0 })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_bytes() {
        let mut packed = [0xff; 2];
        pack_ternary_row(&[1, 0, -1, 1, -1], &mut packed).unwrap();
        assert_eq!(packed, [0b0111_0001, 0b0000_0011]);
    }

    #[test]
    fn every_byte_decodes_or_is_refused() {
        for byte in 0..=u8::MAX {
            let mut coefficients = [9; 4];
            let has_bad = (0..4).any(|i| byte >> (2 * i) & 3 == 0b10);
            match unpack_ternary_row(&[byte], &mut coefficients) {
                Ok(()) => {
                    assert!(!has_bad);
                    let mut back = [0];
                    pack_ternary_row(&coefficients, &mut back).unwrap();
                    assert_eq!(back, [byte]);
                }
                Err(error) => assert!(has_bad && matches!(error, WireError::NotTernary { .. })),
            }
        }
    }

    #[test]
    fn every_other_coefficient_is_refused() {
        for value in i8::MIN..=i8::MAX {
            let result = pack_ternary_row(&[0, value], &mut [0]);
            assert_eq!(result.is_ok(), (-1..=1).contains(&value), "{value}");
        }
    }

    #[test]
    fn padding_and_lengths() {
        refused! { unpack_ternary_row(&[0b0100_0000], &mut [0; 3]) => WireError::NonzeroPadding { .. } }
        assert!(pack_ternary_row(&[0; 5], &mut [0]).is_err());
        assert!(unpack_ternary_row(&[0; 3], &mut [0; 8]).is_err());
        assert!(unpack_ternary_row(&[], &mut []).is_ok());
    }

    proptest! {
        #[test]
        fn round_trip(coefficients in prop::collection::vec(-1i8..=1, 0..100)) {
            let mut packed = vec![0xff; packed_ternary_len(coefficients.len())];
            pack_ternary_row(&coefficients, &mut packed).unwrap();
            let mut back = vec![5; coefficients.len()];
            unpack_ternary_row(&packed, &mut back).unwrap();
            prop_assert_eq!(back, coefficients);
        }
    }
}
