//! Rows of residues packed to the width of their modulus.
//!
//! Value `i` of a row occupies bits `i * bits .. (i + 1) * bits` of the row, counted from the least significant bit
//! of its first byte; the row is padded with zero bits to a whole byte. Eight values take exactly `bits` bytes.

use super::error::{WireError, check_len};

/// Bits that a residue modulo `q` takes: ceil(log2 q), in `1..=32`.
///
/// # Errors
/// [`WireError::BadModulus`] for `q` below 2.
pub(super) fn residue_bits(q: u32) -> Result<u32, WireError> {
    match q {
        0 | 1 => Err(WireError::BadModulus { modulus: q }),
        _ => Ok(width(q)),
    }
}

/// ceil(log2 q); 0 for q = 1, and 32 (of a wrapped q - 1) for q = 0, which the callers have excluded.
fn width(q: u32) -> u32 {
    u32::BITS - q.wrapping_sub(1).leading_zeros()
}

/// Bytes of a packed row of `n` residues modulo `q`: ceil(n * ceil(log2 q) / 8). Saturates at `usize::MAX`, which no
/// slice reaches.
pub(super) fn packed_row_len(n: usize, q: u32) -> usize {
    let bits = width(q) as usize;
    // Eight at a time, so that the product does not overflow for any n that is the length of a slice of u32.
    (n / 8)
        .saturating_mul(bits)
        .saturating_add((n % 8 * bits).div_ceil(8))
}

/// The first value that is not below `q`, if there is one.
fn first_non_canonical(values: &[u32], q: u32) -> Result<(), WireError> {
    // A maximum vectorizes, a search that may stop early does not; the search runs on the way out only.
    let largest = values.iter().copied().fold(0, u32::max);
    if largest < q {
        return Ok(());
    }
    match values.iter().position(|&value| value >= q) {
        Some(index) => Err(WireError::NonCanonicalResidue {
            row: 0,
            index,
            residue: values.get(index).copied().unwrap_or(largest),
            modulus: q,
        }),
        None => Ok(()),
    }
}

/// Packs `values`, each in `[0, q)`, into `packed`, which has exactly [`packed_row_len`] bytes.
///
/// # Errors
/// [`WireError::BadModulus`] for `q` below 2, [`WireError::DimensionMismatch`] for a `packed` of another length,
/// [`WireError::NonCanonicalResidue`] (as row 0) for a value outside `[0, q)`. Nothing is written then.
pub(super) fn pack_row(values: &[u32], q: u32, packed: &mut [u8]) -> Result<(), WireError> {
    let bits = residue_bits(q)?;
    check_len("packed row", packed_row_len(values.len(), q), packed.len())?;
    first_non_canonical(values, q)?;

    let mut words = packed.chunks_mut(4);
    // Invariant: `filled` < 32 bits of `pending` are taken before each value, so at most 63 after it.
    let (mut pending, mut filled) = (0u64, 0u32);
    for &value in values {
        pending |= u64::from(value) << filled;
        filled += bits;
        if filled >= 32 {
            if let Some(word) = words.next() {
                word.copy_from_slice(&(pending as u32).to_le_bytes());
            }
            pending >>= 32;
            filled -= 32;
        }
    }
    if let Some(word) = words.next() {
        for (byte, last) in word.iter_mut().zip((pending as u32).to_le_bytes()) {
            *byte = last;
        }
    }
    Ok(())
}

/// Unpacks a row of `values.len()` residues modulo `q` from `packed`, which has exactly [`packed_row_len`] bytes.
///
/// On an error the contents of `values` are unspecified.
///
/// # Errors
/// [`WireError::BadModulus`] for `q` below 2, [`WireError::DimensionMismatch`] for a `packed` of another length,
/// [`WireError::NonCanonicalResidue`] (as row 0) for a value outside `[0, q)`, [`WireError::NonzeroPadding`] (as row
/// 0) if a bit after the last value is set: a row has one encoding.
pub(super) fn unpack_row(packed: &[u8], q: u32, values: &mut [u32]) -> Result<(), WireError> {
    let bits = residue_bits(q)?;
    check_len("packed row", packed_row_len(values.len(), q), packed.len())?;

    let mask = u64::from(u32::MAX >> (32 - bits));
    let mut words = packed.chunks(4);
    // Invariant: fewer than 32 bits are pending when a word is loaded, so at most 63 after it. The length was checked,
    // so the words suffice, and the last byte holds at least one bit of the last value, so every word is loaded.
    let (mut pending, mut filled) = (0u64, 0u32);
    for value in values.iter_mut() {
        if filled < bits {
            let word = match words.next() {
                Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
                Some(tail) => tail
                    .iter()
                    .rev()
                    .fold(0, |word, &byte| word << 8 | u32::from(byte)),
                None => 0,
            };
            pending |= u64::from(word) << filled;
            filled += 32;
        }
        *value = (pending & mask) as u32;
        pending >>= bits;
        filled -= bits;
    }
    if pending != 0 {
        return Err(WireError::NonzeroPadding { row: 0 });
    }
    first_non_canonical(values, q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, bit by bit.
    fn pack_bit_by_bit(values: &[u32], q: u32) -> Vec<u8> {
        let bits = (1..=32).find(|&bits| u64::from(q) <= 1 << bits).unwrap();
        let mut packed = vec![0u8; (values.len() * bits).div_ceil(8)];
        for (i, &value) in values.iter().enumerate() {
            for bit in 0..bits {
                let at = i * bits + bit;
                packed[at / 8] |= ((value >> bit & 1) as u8) << (at % 8);
            }
        }
        packed
    }

    fn packed(values: &[u32], q: u32) -> Vec<u8> {
        let mut out = vec![0xaa; packed_row_len(values.len(), q)];
        pack_row(values, q, &mut out).unwrap();
        out
    }

    #[test]
    fn the_example_of_the_module_docs() {
        assert_eq!(packed(&[1, 2, 3, 4], 5), [0b1101_0001, 0b0000_1000]);
    }

    #[test]
    fn every_width_and_length_round_trips_as_defined() {
        for bits in 1..=32u32 {
            let top = u32::MAX >> (32 - bits);
            // The smallest and the largest modulus of this width.
            for q in [(1u64 << (bits - 1)) + 1, u64::from(top), 1 << bits] {
                let Ok(q) = u32::try_from(q) else { continue };
                if q < 2 {
                    continue;
                }
                for n in (0..=70).chain([255, 256]) {
                    let values: Vec<u32> = (0..n as u32)
                        .map(|i| match i % 4 {
                            0 => q - 1,
                            1 => 0,
                            _ => i.wrapping_mul(0x9e37_79b9) % q,
                        })
                        .collect();
                    let row = packed(&values, q);
                    assert_eq!(row, pack_bit_by_bit(&values, q), "q {q} n {n}");
                    let mut back = vec![u32::MAX; n];
                    unpack_row(&row, q, &mut back).unwrap();
                    assert_eq!(back, values, "q {q} n {n}");
                }
            }
        }
    }

    #[test]
    fn widths() {
        for (q, bits) in [
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (1 << 25, 25),
            ((1 << 25) + 1, 26),
            (1_073_479_681, 30),
            (u32::MAX, 32),
        ] {
            assert_eq!(residue_bits(q).unwrap(), bits, "{q}");
            assert_eq!(packed_row_len(8, q), bits as usize);
        }
        for q in [0, 1] {
            refused! { residue_bits(q) => WireError::BadModulus { modulus } if *modulus == q }
            assert!(pack_row(&[0], q, &mut [0]).is_err());
            assert!(unpack_row(&[0], q, &mut [0]).is_err());
        }
        assert_eq!(packed_row_len(usize::MAX, u32::MAX), usize::MAX);
    }

    #[test]
    fn a_residue_not_below_its_modulus_is_named() {
        let q = 1_073_479_681;
        let mut values = vec![q - 1; 64];
        let mut row = packed(&values, q);
        values[37] = q;
        let forged = pack_bit_by_bit(&values, q);
        for outcome in [
            pack_row(&values, q, &mut row),
            unpack_row(&forged, q, &mut [0; 64]),
        ] {
            refused! { outcome => WireError::NonCanonicalResidue { index: 37, residue, modulus, .. } if [*residue, *modulus] == [q, q] }
        }
        assert_eq!(row, pack_bit_by_bit(&[q - 1; 64], q), "nothing was written");
    }

    #[test]
    fn padding_must_be_zero() {
        let q = 31;
        let row = packed(&[1, 2, 3], q);
        assert_eq!(row.len(), 2);
        let mut forged = row.clone();
        forged[1] |= 0x80;
        refused! { unpack_row(&forged, q, &mut [0; 3]) => WireError::NonzeroPadding { .. } }
    }

    #[test]
    fn lengths_must_agree() {
        let q = 97;
        for len in [0, 6, 8, 100] {
            refused! {
                pack_row(&[1; 8], q, &mut vec![0; len]) => WireError::DimensionMismatch { expected: 7, found, .. } if *found == len,
                unpack_row(&vec![0; len], q, &mut [0; 8]) => WireError::DimensionMismatch { expected: 7, found, .. } if *found == len,
            }
        }
    }

    proptest! {
        #[test]
        fn pack_then_unpack(q in 2u32.., seed in prop::collection::vec(any::<u32>(), 0..200)) {
            let values: Vec<u32> = seed.iter().map(|v| v % q).collect();
            let row = packed(&values, q);
            prop_assert_eq!(&row, &pack_bit_by_bit(&values, q));
            let mut back = vec![0; values.len()];
            unpack_row(&row, q, &mut back).unwrap();
            prop_assert_eq!(back, values);
        }

        /// What unpacks is what packing gives: no second encoding is accepted.
        #[test]
        fn unpack_then_pack(bits in 1u32..=32, below in any::<u32>(), n in 0usize..40, bytes in any::<[u8; 160]>()) {
            let span = 1u64 << (bits - 1);
            let q = (span + 1 + u64::from(below) % span).min(u64::from(u32::MAX)).max(2) as u32;
            let row = &bytes[..packed_row_len(n, q)];
            let mut values = vec![0; n];
            if unpack_row(row, q, &mut values).is_ok() {
                prop_assert_eq!(packed(&values, q), row);
            }
        }
    }
}
