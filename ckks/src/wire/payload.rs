//! Reading a payload row by row, from memory or from a stream.

use super::WireError;
use super::pack::{packed_row_len, residue_bits, unpack_row};
use super::ternary::{packed_ternary_len, unpack_ternary_row};

/// A payload that is consumed from front to back. One reader of an object, written against this trait, serves a
/// container in memory ([`PayloadRows`]) and one that arrives ([`super::ContainerReader`]).
///
/// Errors name the row, counted over all rows read so far.
pub trait PayloadRead {
    /// The next `len` bytes of the payload, unpacked by nobody.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the payload has fewer left; a stream adds its own.
    fn bytes(&mut self, len: usize) -> Result<&[u8], WireError>;

    /// The number of rows read so far, and of the row that comes next.
    fn row(&self) -> u64;

    /// Counts a row; the provided methods call it after each.
    fn end_row(&mut self);

    /// The next `N` bytes, for seeds and digests.
    ///
    /// # Errors
    /// Those of [`PayloadRead::bytes`].
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError>
    where
        Self: Sized,
    {
        let bytes = self.bytes(N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| WireError::DimensionMismatch {
            what: "array of bytes",
            expected: N,
            found: bytes.len(),
        })
    }

    /// The next row: `values.len()` residues modulo `modulus`.
    ///
    /// # Errors
    /// Those of [`PayloadRead::bytes`] and [`unpack_row`]; the latter name this row.
    fn residues(&mut self, modulus: u32, values: &mut [u32]) -> Result<(), WireError> {
        residue_bits(modulus)?;
        let row = self.row();
        let packed = self.bytes(packed_row_len(values.len(), modulus))?;
        unpack_row(packed, modulus, values).map_err(|error| error.at_row(row))?;
        self.end_row();
        Ok(())
    }

    /// The next rows, `n` residues each, in the order `[polys][limbs][n]`: the moduli take turns. `values` has
    /// `polys * moduli.len() * n` elements for some number of polynomials.
    ///
    /// # Errors
    /// Those of [`PayloadRead::residues`], and [`WireError::DimensionMismatch`] if `values` holds no whole number of
    /// polynomials.
    fn residue_rows(
        &mut self,
        n: usize,
        moduli: &[u32],
        values: &mut [u32],
    ) -> Result<(), WireError> {
        check_whole_polys(n, moduli, values.len())?;
        for (row, &modulus) in values.chunks_exact_mut(n.max(1)).zip(moduli.iter().cycle()) {
            self.residues(modulus, row)?;
        }
        Ok(())
    }

    /// The next row: `coefficients.len()` of them, each -1, 0 or 1.
    ///
    /// # Errors
    /// Those of [`PayloadRead::bytes`] and [`unpack_ternary_row`]; the latter name this row.
    fn ternary(&mut self, coefficients: &mut [i8]) -> Result<(), WireError> {
        let row = self.row();
        let packed = self.bytes(packed_ternary_len(coefficients.len()))?;
        unpack_ternary_row(packed, coefficients).map_err(|error| error.at_row(row))?;
        self.end_row();
        Ok(())
    }
}

/// That `len` values are a whole number of polynomials of `moduli.len()` rows of `n`.
pub(super) fn check_whole_polys(n: usize, moduli: &[u32], len: usize) -> Result<(), WireError> {
    let poly = n
        .checked_mul(moduli.len())
        .ok_or(WireError::SizeOverflow { what: "polynomial" })?;
    let whole = match len.checked_rem(poly) {
        Some(rest) => rest == 0,
        None => len == 0,
    };
    if whole {
        return Ok(());
    }
    Err(WireError::DimensionMismatch {
        what: "buffer of rows, whole polynomials,",
        expected: len.checked_next_multiple_of(poly).unwrap_or(0),
        found: len,
    })
}

/// A payload in memory.
#[derive(Clone)]
pub struct PayloadRows<'a> {
    rest: &'a [u8],
    row: u64,
}

impl<'a> PayloadRows<'a> {
    /// Reads `payload` from its start.
    #[must_use]
    pub fn new(payload: &'a [u8]) -> Self {
        Self {
            rest: payload,
            row: 0,
        }
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// # Errors
    /// [`WireError::TrailingBytes`] unless everything was read.
    pub fn finish(self) -> Result<(), WireError> {
        check_finished(self.rest.len() as u64)
    }
}

pub(super) fn check_finished(unread: u64) -> Result<(), WireError> {
    if unread == 0 {
        return Ok(());
    }
    Err(WireError::TrailingBytes {
        what: "rest of the payload",
        expected: 0,
        found: unread,
    })
}

impl PayloadRead for PayloadRows<'_> {
    fn bytes(&mut self, len: usize) -> Result<&[u8], WireError> {
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else {
            return Err(WireError::Truncated {
                what: "payload",
                needed: len as u64,
                available: self.rest.len() as u64,
            });
        };
        self.rest = rest;
        Ok(bytes)
    }

    fn row(&self) -> u64 {
        self.row
    }

    fn end_row(&mut self) {
        self.row += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{checked_rows_len, pack_row};
    use super::*;

    const MODULI: [u32; 2] = [97, 1_073_479_681];

    fn packed(values: &[u32], n: usize) -> Vec<u8> {
        let mut payload = Vec::new();
        for (row, &q) in values.chunks(n).zip(MODULI.iter().cycle()) {
            let mut packed = vec![0; packed_row_len(n, q)];
            pack_row(row, q, &mut packed).unwrap();
            payload.extend(packed);
        }
        payload
    }

    #[test]
    fn rows_take_turns_with_their_moduli() {
        let values: Vec<u32> = (0..40).collect();
        let payload = packed(&values, 10);
        assert_eq!(
            payload.len() as u64,
            checked_rows_len(10, &MODULI, 2).unwrap()
        );
        let mut rows = PayloadRows::new(&payload);
        let mut read = vec![0; 40];
        rows.residue_rows(10, &MODULI, &mut read).unwrap();
        assert_eq!((rows.row(), rows.remaining()), (4, 0));
        rows.finish().unwrap();
        assert_eq!(read, values);
    }

    #[test]
    fn errors_name_the_row() {
        let mut payload = packed(&[5; 40], 10);
        // Row 2 is modulo 97 again: seven bits, all set, are 127.
        let third = 9 + 38;
        payload[third] = 0x7f;
        let error = PayloadRows::new(&payload)
            .residue_rows(10, &MODULI, &mut [0; 40])
            .unwrap_err();
        assert!(
            matches!(
                error,
                WireError::NonCanonicalResidue {
                    row: 2,
                    index: 0,
                    residue: 127,
                    modulus: 97
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn too_little_and_too_much() {
        let payload = packed(&[5; 20], 10);
        assert!(matches!(
            PayloadRows::new(&payload[..payload.len() - 1]).residue_rows(10, &MODULI, &mut [0; 20]),
            Err(WireError::Truncated {
                needed: 38,
                available: 37,
                ..
            })
        ));
        let mut rows = PayloadRows::new(&payload);
        rows.residues(97, &mut [0; 10]).unwrap();
        assert!(matches!(
            rows.finish(),
            Err(WireError::TrailingBytes { found: 38, .. })
        ));
    }

    #[test]
    fn buffers_hold_whole_polynomials() {
        let payload = packed(&[5; 40], 10);
        for (n, len) in [(10, 30), (10, 41), (0, 1)] {
            assert!(
                PayloadRows::new(&payload)
                    .residue_rows(n, &MODULI, &mut vec![0; len])
                    .is_err()
            );
        }
        assert!(
            PayloadRows::new(&payload)
                .residue_rows(10, &[], &mut [0])
                .is_err()
        );
        assert!(
            PayloadRows::new(&payload)
                .residue_rows(0, &MODULI, &mut [])
                .is_ok()
        );
        assert!(
            PayloadRows::new(&payload)
                .residue_rows(usize::MAX, &MODULI, &mut [0])
                .is_err()
        );
    }

    #[test]
    fn seeds_and_ternary_rows() {
        let mut rows = PayloadRows::new(&[1, 2, 3, 4, 0b1101_0001]);
        assert_eq!(rows.array::<4>().unwrap(), [1, 2, 3, 4]);
        let mut coefficients = [9; 4];
        rows.ternary(&mut coefficients).unwrap();
        assert_eq!(coefficients, [1, 0, 1, -1]);
        assert!(rows.array::<1>().is_err());
        rows.finish().unwrap();
    }
}
