//! Writing a container to a stream, row by row.

use std::io::Write;

use serde::Serialize;
use zeroize::Zeroizing;

use super::container::{check_payload_len, encode_header};
use super::pack::{pack_row, packed_row_len, residue_bits};
use super::ternary::{pack_ternary_row, packed_ternary_len};
use super::{ObjectKind, Prefix, WireError};

/// Takes the rows of a payload and passes them on, packed and hashed. Holds one packed row at a time, and zeroizes it.
pub struct PayloadWriter<'w> {
    out: &'w mut dyn Write,
    hasher: Zeroizing<blake3::Hasher>,
    declared: u64,
    written: u64,
    rows: u64,
    packed: Zeroizing<Vec<u8>>,
}

impl PayloadWriter<'_> {
    /// Writes bytes as they are.
    ///
    /// # Errors
    /// [`WireError::PayloadLength`] if the payload gets longer than it was declared, before anything is written;
    /// [`WireError::Stream`] if the stream fails.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let written = self.written.saturating_add(bytes.len() as u64);
        if written > self.declared {
            check_payload_len(self.declared, written)?;
        }
        self.hasher.update(bytes);
        self.out.write_all(bytes)?;
        self.written = written;
        Ok(())
    }

    /// Writes a row of residues in `[0, modulus)`.
    ///
    /// # Errors
    /// [`WireError::BadModulus`]; [`WireError::NonCanonicalResidue`], naming the row; those of [`PayloadWriter::bytes`].
    pub fn residues(&mut self, modulus: u32, values: &[u32]) -> Result<(), WireError> {
        residue_bits(modulus)?;
        self.packed_row(packed_row_len(values.len(), modulus), |packed| {
            pack_row(values, modulus, packed)
        })
    }

    /// Writes rows of `n` residues in the order `[polys][limbs][n]`: the moduli take turns. `values` has
    /// `polys * moduli.len() * n` elements for some number of polynomials.
    ///
    /// # Errors
    /// Those of [`PayloadWriter::residues`], and [`WireError::DimensionMismatch`] if `values` holds no whole number of
    /// polynomials.
    pub fn residue_rows(
        &mut self,
        n: usize,
        moduli: &[u32],
        values: &[u32],
    ) -> Result<(), WireError> {
        check_whole_polys(n, moduli, values.len())?;
        for (row, &modulus) in values.chunks_exact(n.max(1)).zip(moduli.iter().cycle()) {
            self.residues(modulus, row)?;
        }
        Ok(())
    }

    /// Writes a row of coefficients in {-1, 0, 1}.
    ///
    /// # Errors
    /// [`WireError::NotTernary`], naming the row; those of [`PayloadWriter::bytes`].
    pub fn ternary(&mut self, coefficients: &[i8]) -> Result<(), WireError> {
        self.packed_row(packed_ternary_len(coefficients.len()), |packed| {
            pack_ternary_row(coefficients, packed)
        })
    }

    fn packed_row(
        &mut self,
        len: usize,
        pack: impl FnOnce(&mut [u8]) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let mut packed = std::mem::take(&mut self.packed);
        if packed.capacity() < len {
            // A new buffer instead of a larger one: growing may copy and leave the old bytes behind.
            packed = Zeroizing::new(Vec::with_capacity(len));
        }
        packed.resize(len, 0);
        pack(&mut packed).map_err(|error| error.at_row(self.rows))?;
        self.bytes(&packed)?;
        self.packed = packed;
        self.rows += 1;
        Ok(())
    }
}

/// That `len` values are a whole number of polynomials of `moduli.len()` rows of `n`.
fn check_whole_polys(n: usize, moduli: &[u32], len: usize) -> Result<(), WireError> {
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

/// Writes a container of `kind` to `out`: `payload` is called once and writes exactly `payload_len` bytes. Only the
/// header and one row are held in memory. Returns the bytes written.
///
/// Many small writes reach `out` if the rows are small; wrap it in a [`std::io::BufWriter`] unless it holds a secret.
/// On an error, `out` has part of a container.
///
/// # Errors
/// [`WireError::HeaderUnencodable`] or [`WireError::OutOfBounds`] for a header that does not encode in
/// [`MAX_HEADER_LEN`](super::MAX_HEADER_LEN) bytes, [`WireError::SizeOverflow`] for an impossible payload length,
/// [`WireError::PayloadLength`] if `payload` writes another number of bytes, [`WireError::Stream`] if `out` fails, and
/// what `payload` returns.
pub fn write_container<H: Serialize + ?Sized, E: From<WireError>>(
    out: &mut dyn Write,
    kind: ObjectKind,
    header: &H,
    payload_len: u64,
    payload: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
) -> Result<u64, E> {
    let header = encode_header(kind, header)?;
    let prefix = Prefix::of(kind, &header, payload_len);
    write_encoded(out, prefix, &header, payload)?;
    Ok(prefix.container_len()?)
}

/// BLAKE3 of the container that [`write_container`] would write, its checksum included. The payload is hashed once.
///
/// # Errors
/// Those of [`write_container`].
pub(super) fn container_digest<H: Serialize + ?Sized, E: From<WireError>>(
    kind: ObjectKind,
    header: &H,
    payload_len: u64,
    payload: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
) -> Result<[u8; 32], E> {
    let header = encode_header(kind, header)?;
    let prefix = Prefix::of(kind, &header, payload_len);
    let hasher = write_encoded(&mut std::io::sink(), prefix, &header, payload)?;
    Ok(digest_of(hasher))
}

/// A hasher that is given the beginning of a container, up to its payload.
pub(super) fn hasher_of(prefix: Prefix, header: &[u8]) -> Zeroizing<blake3::Hasher> {
    // Zeroized when it is dropped: the hasher keeps the last block of the payload.
    let mut hasher = Zeroizing::new(blake3::Hasher::new());
    hasher.update(&prefix.to_bytes());
    hasher.update(header);
    hasher
}

/// BLAKE3 of a whole container, from the hasher of all of it but its checksum.
pub(super) fn digest_of(mut hasher: Zeroizing<blake3::Hasher>) -> [u8; 32] {
    let checksum = hasher.finalize();
    hasher.update(checksum.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Returns the hasher of everything but the checksum.
fn write_encoded<E: From<WireError>>(
    out: &mut dyn Write,
    prefix: Prefix,
    header: &[u8],
    payload: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
) -> Result<Zeroizing<blake3::Hasher>, E> {
    // Too long for its length field.
    prefix.container_len()?;
    let hasher = hasher_of(prefix, header);
    out.write_all(&prefix.to_bytes())
        .and_then(|()| out.write_all(header))
        .map_err(WireError::from)?;
    let mut writer = PayloadWriter {
        out,
        hasher,
        declared: prefix.payload_len,
        written: 0,
        rows: 0,
        packed: Zeroizing::default(),
    };
    payload(&mut writer)?;
    check_payload_len(prefix.payload_len, writer.written)?;
    let checksum = writer.hasher.finalize();
    writer
        .out
        .write_all(checksum.as_bytes())
        .and_then(|()| writer.out.flush())
        .map_err(WireError::from)?;
    Ok(writer.hasher)
}

/// [`write_container`] to memory. The vector is allocated once at its final length, so no copy of a secret payload is
/// left behind by growth; wrap the result in [`Zeroizing`] where that matters.
///
/// # Errors
/// Those of [`write_container`], and [`WireError::OutOfMemory`].
pub fn container_to_vec<H: Serialize + ?Sized, E: From<WireError>>(
    kind: ObjectKind,
    header: &H,
    payload_len: u64,
    payload: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let header = encode_header(kind, header)?;
    let prefix = Prefix::of(kind, &header, payload_len);
    let total = prefix.container_len().unwrap_or(u64::MAX);
    let mut bytes = Zeroizing::new(Vec::new());
    usize::try_from(total)
        .ok()
        .and_then(|total| bytes.try_reserve_exact(total).ok())
        .ok_or(WireError::OutOfMemory {
            what: "container",
            bytes: total,
        })?;
    write_encoded(&mut *bytes, prefix, &header, payload)?;
    Ok(std::mem::take(&mut *bytes))
}

#[cfg(test)]
mod tests {
    use super::super::{CHECKSUM_LEN, MAX_HEADER_LEN, PREFIX_LEN, Reader, checked_rows_len};
    use super::*;

    #[test]
    fn rows_come_back_and_the_vector_never_grew() {
        let (n, moduli) = (16, [97u32, 40_961, 1_073_479_681]);
        let values: Vec<u32> = (0..2 * 3 * 16).map(|i| i % 97).collect();
        let secret: Vec<i8> = (0..16).map(|i| i % 3 - 1).collect();
        let len = 32 + checked_rows_len(n, &moduli, 2).unwrap() + 4;
        let bytes = container_to_vec(ObjectKind::SwitchingKey, "header", len, |out| {
            out.bytes(&[7; 32])?;
            out.residue_rows(n, &moduli, &values)?;
            out.ternary(&secret)
        })
        .unwrap();
        assert_eq!(bytes.len(), bytes.capacity());

        let mut rows = Reader::from_bytes(&bytes, ObjectKind::SwitchingKey).unwrap();
        assert_eq!(rows.header::<&str>().unwrap(), "header");
        assert_eq!(rows.next_bytes(32).unwrap(), [7; 32]);
        let mut ternary = vec![0; 16];
        let read = rows.residue_rows(n, &moduli, 2).unwrap();
        rows.ternary(&mut ternary).unwrap();
        rows.finish().unwrap();
        assert_eq!((read, ternary), (values, secret));
    }

    #[test]
    fn a_payload_of_another_length_is_an_error() {
        let write = |declared, bytes: &[u8]| {
            container_to_vec(ObjectKind::Model, &(), declared, |out| out.bytes(bytes))
        };
        assert!(write(3, b"abc").is_ok());
        for declared in [0, 2, 4] {
            refused! { write(declared, b"abc") => WireError::PayloadLength { implied, found: 3 } if *implied == declared }
        }
    }

    #[test]
    fn buffers_hold_whole_polynomials() {
        let write = |n, moduli: &[u32], len| {
            container_to_vec(ObjectKind::Model, &(), 1000, |out| {
                out.residue_rows(n, moduli, &vec![5; len])
            })
        };
        let moduli = [97, 1_073_479_681];
        for (n, len) in [(10, 30), (10, 41), (0, 1), (usize::MAX, 1)] {
            refused! { write(n, &moduli, len) => WireError::DimensionMismatch { .. } | WireError::SizeOverflow { .. } }
        }
        refused! { write(10, &[], 1) => WireError::DimensionMismatch { .. } }
        // Nothing at all is the wrong length only.
        refused! { write(0, &moduli, 0) => WireError::PayloadLength { .. } }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for declared in [u64::MAX, u64::MAX - 60, 1 << 62] {
            let result =
                container_to_vec(ObjectKind::Model, &(), declared, |_| Ok::<_, WireError>(()));
            refused! { result => WireError::OutOfMemory { .. } }
        }
        let huge = vec![0u8; MAX_HEADER_LEN as usize];
        refused! {
            container_to_vec(ObjectKind::Model, &huge, 0, |_| Ok::<_, WireError>(())) => WireError::OutOfBounds { what: "header length", .. }
        }
    }

    #[test]
    fn a_bad_row_is_named() {
        let outcome = container_to_vec(ObjectKind::Plaintext, &(), 14, |out| {
            out.residues(97, &[1; 8])?;
            out.residues(97, &[1, 2, 97, 4, 5, 6, 7, 8])
        });
        refused! { outcome => WireError::NonCanonicalResidue { row: 1, index: 2, residue: 97, modulus: 97 } }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_says_so() {
        let mut full = std::fs::File::create("/dev/full").unwrap();
        let error = write_container(&mut full, ObjectKind::Model, &(), 3, |out| {
            out.bytes(b"abc")
        })
        .unwrap_err();
        says! { error => ["free some space"] }
        refused! { Err::<(), _>(error) => WireError::Stream { source, .. } if source.kind() == std::io::ErrorKind::StorageFull }
    }

    #[test]
    fn a_full_disk_at_any_byte_is_an_error() {
        let write = |room: usize| {
            let mut disk = vec![0u8; room];
            let mut rest = disk.as_mut_slice();
            write_container(&mut rest, ObjectKind::Model, &7u8, 14, |out| {
                out.residues(97, &[1; 8])?;
                out.residues(97, &[2; 8])
            })
        };
        let total = PREFIX_LEN + 1 + 14 + CHECKSUM_LEN;
        assert_eq!(write(total).unwrap(), total as u64);
        for room in 0..total {
            refused! { write(room) => WireError::Stream { .. } }
        }
    }
}
