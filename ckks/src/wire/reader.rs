//! Reading a container row by row: from memory, or as it arrives.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read},
    path::Path,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::container::{check_payload_len, decode_header};
use super::error::check_bounds;
use super::file::open_file;
use super::pack::{packed_row_len, residue_bits, unpack_row};
use super::ternary::{packed_ternary_len, unpack_ternary_row};
use super::{CHECKSUM_LEN, ObjectKind, PREFIX_LEN, Prefix, WireError, checked_rows_len, peek};

/// Memory grows by at most this much ahead of the bytes that have arrived.
const CHUNK: usize = 1 << 15;

fn read_error(source: std::io::Error) -> WireError {
    WireError::Stream {
        operation: "read from",
        source,
    }
}

/// Appends the next `len` bytes of `input` to `bytes`. Whatever `len` claims, `bytes` grows to at most twice what has
/// arrived plus one chunk.
pub(super) fn append(
    input: &mut impl Read,
    bytes: &mut Vec<u8>,
    len: u64,
    what: &'static str,
) -> Result<(), WireError> {
    let mut missing = len;
    while missing > 0 {
        let step = usize::try_from(missing).map_or(CHUNK, |missing| missing.min(CHUNK));
        let start = bytes.len();
        // Amortized (doubling) growth; never more than is still missing when that is little.
        bytes
            .try_reserve(step)
            .map_err(|_| WireError::OutOfMemory { what, bytes: len })?;
        let read = input
            .by_ref()
            .take(step as u64)
            .read_to_end(bytes)
            .map_err(read_error)?;
        missing -= read as u64;
        if read < step {
            return Err(WireError::Truncated {
                what,
                needed: len,
                available: len - missing,
            });
        }
        debug_assert_eq!(bytes.len(), start + step);
    }
    Ok(())
}

fn read_prefix(input: &mut impl Read, most: u64) -> Result<(Prefix, Vec<u8>), WireError> {
    let mut bytes = Vec::with_capacity(PREFIX_LEN);
    match append(input, &mut bytes, PREFIX_LEN as u64, "container's prefix") {
        // What did arrive says more about a foreign file than its length does.
        Ok(()) | Err(WireError::Truncated { .. }) => {}
        Err(error) => return Err(error),
    }
    let prefix = peek(&bytes)?;
    let len = prefix.container_len()?;
    check_bounds("length of the container", len, 0..=most)?;
    Ok((prefix, bytes))
}

/// That `input` ends here.
///
/// # Errors
/// [`WireError::TrailingBytes`] if it goes on, [`WireError::Stream`] if it fails.
pub(super) fn expect_end(input: &mut impl Read) -> Result<(), WireError> {
    let mut one = [0];
    loop {
        return match input.read(&mut one) {
            Ok(0) => Ok(()),
            Ok(_) => Err(WireError::TrailingBytes {
                what: "file, after its container,",
                expected: 0,
                found: 1,
            }),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(source) => Err(read_error(source)),
        };
    }
}

/// A container that is read from front to back, one row at a time.
///
/// In memory ([`Reader::from_bytes`]) lengths and checksum are verified before anything is read. Of what arrives
/// ([`Reader::new`]) the checksum is known at the end: what is built from the rows is to be dropped unless [`Reader::finish`]
/// succeeds. They are checked to be canonical all the same, and a checksum that anybody can compute says nothing about who wrote
/// them.
///
/// The prefix's payload length is a claim until the bytes have arrived. Compare it with what the header implies
/// ([`Reader::expect_payload_len`]), and allocate row by row. Errors name the row, counted over all rows read so far.
///
/// As a [`Read`] it is its payload, for containers within containers.
pub struct Reader<R> {
    input: R,
    prefix: Prefix,
    header: Vec<u8>,
    /// Of what was read so far; none if the checksum was verified before.
    hasher: Option<Zeroizing<blake3::Hasher>>,
    /// Of the part of the payload that is being read, if somebody asked for it.
    part: Option<Zeroizing<blake3::Hasher>>,
    unread: u64,
    row: u64,
    buffer: Zeroizing<Vec<u8>>,
}

/// Prints what the prefix says, not the payload, which may be a secret.
impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl<R> Reader<R> {
    fn at_payload(
        input: R,
        prefix: Prefix,
        header: Vec<u8>,
        hasher: Option<Zeroizing<blake3::Hasher>>,
    ) -> Self {
        Self {
            input,
            prefix,
            header,
            hasher,
            part: None,
            unread: prefix.payload_len,
            row: 0,
            buffer: Zeroizing::default(),
        }
    }
}

impl<'a> Reader<&'a [u8]> {
    /// Opens `bytes`, which are one whole container of this kind and nothing else. They are hashed only once kind and lengths
    /// agree; memory is taken for the header only.
    ///
    /// # Errors
    /// Those of [`peek`]; [`WireError::WrongKind`]; [`WireError::Truncated`] or [`WireError::TrailingBytes`] if `bytes` has another
    /// length than the prefix says; [`WireError::ChecksumMismatch`].
    pub fn from_bytes(bytes: &'a [u8], kind: ObjectKind) -> Result<Self, WireError> {
        let prefix = peek(bytes)?;
        prefix.expect_kind(kind)?;
        let (needed, available) = (prefix.container_len()?, bytes.len() as u64);
        if available > needed {
            return Err(WireError::TrailingBytes {
                what: "container",
                expected: needed,
                found: available,
            });
        }
        // If the lengths agree, the conversion and the splits succeed.
        let split = || {
            let (signed, checksum) = bytes.split_last_chunk::<CHECKSUM_LEN>()?;
            let (_, rest) = signed.split_at_checked(PREFIX_LEN)?;
            let (header, payload) =
                rest.split_at_checked(usize::try_from(prefix.header_len).ok()?)?;
            Some((signed, checksum, header, payload))
        };
        let Some((signed, checksum, header, payload)) = split().filter(|_| available == needed)
        else {
            return Err(WireError::Truncated {
                what: "container",
                needed,
                available,
            });
        };
        if blake3::hash(signed) != *checksum {
            return Err(WireError::ChecksumMismatch);
        }
        Ok(Self::at_payload(payload, prefix, header.to_vec(), None))
    }

    /// The payload that was not read yet.
    pub fn payload(&self) -> &'a [u8] {
        self.input
    }
}

impl Reader<BufReader<File>> {
    /// [`Reader::new`] of a file, however long.
    ///
    /// # Errors
    /// As [`Reader::new`], and [`WireError::Io`], naming the file.
    pub fn open(path: &Path) -> Result<Self, WireError> {
        let input = BufReader::with_capacity(1 << 20, open_file(path)?);
        Self::new(input, u64::MAX).map_err(|error| error.in_file(path))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the prefix and the header of a container of at most `most` bytes; what follows it in `input` is left there.
    ///
    /// # Errors
    /// Those of [`peek`], [`WireError::OutOfBounds`] if the container says it is longer than `most`, [`WireError::Truncated`] if
    /// `input` ends before the header does, [`WireError::OutOfMemory`], [`WireError::Stream`].
    pub fn new(mut input: R, most: u64) -> Result<Self, WireError> {
        let (prefix, start) = read_prefix(&mut input, most)?;
        let mut header = Vec::new();
        let len = u64::from(prefix.header_len);
        append(&mut input, &mut header, len, "header")?;
        let mut hasher = Zeroizing::new(blake3::Hasher::new());
        hasher.update(&start);
        hasher.update(&header);
        Ok(Self::at_payload(input, prefix, header, Some(hasher)))
    }

    /// What the first bytes say.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// Decodes the header, which must be exactly the postcard encoding of an `H`. Of a container that arrives it is not verified
    /// yet.
    ///
    /// Memory is proportional to the header as long as `H` holds no sequence of zero-sized elements; such a type must
    /// not be used, because a few bytes can claim any number of them.
    ///
    /// # Errors
    /// [`WireError::HeaderMalformed`], [`WireError::TrailingBytes`] or [`WireError::HeaderNotCanonical`].
    pub fn header<'h, H>(&'h self) -> Result<H, WireError>
    where
        H: Deserialize<'h> + Serialize,
    {
        decode_header(self.prefix.kind, &self.header)
    }

    /// The header as it is encoded, for formats whose first field says how to decode the rest.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header
    }

    /// # Errors
    /// [`WireError::PayloadLength`] unless the payload says it has exactly `implied` bytes. Readers ask this before they
    /// allocate anything that the header's dimensions call for.
    pub fn expect_payload_len(&self, implied: u64) -> Result<(), WireError> {
        check_payload_len(implied, self.prefix.payload_len)
    }

    /// Runs `read`, and gives `hasher` the bytes of the payload that it takes as [`Reader::next_bytes`] or by rows.
    pub(super) fn hashing<T, E>(
        &mut self,
        hasher: Zeroizing<blake3::Hasher>,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<(T, Zeroizing<blake3::Hasher>), E> {
        self.part = Some(hasher);
        let read = read(self);
        let hasher = self.part.take().unwrap_or_default();
        Ok((read?, hasher))
    }

    /// Bytes of the payload not read yet.
    pub fn remaining(&self) -> u64 {
        self.unread
    }

    /// The next `len` bytes of the payload as they are.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the payload has fewer left, or the input ends before; [`WireError::Stream`].
    pub fn next_bytes(&mut self, len: usize) -> Result<&[u8], WireError> {
        if len as u64 > self.unread {
            return Err(WireError::Truncated {
                what: "payload",
                needed: len as u64,
                available: self.unread,
            });
        }
        self.buffer.clear();
        append(&mut self.input, &mut self.buffer, len as u64, "payload")?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.buffer);
        }
        if let Some(part) = &mut self.part {
            part.update(&self.buffer);
        }
        self.unread -= len as u64;
        Ok(&self.buffer)
    }

    /// The next row: `values.len()` residues modulo `modulus`.
    ///
    /// # Errors
    /// Those of [`Reader::next_bytes`]; [`WireError::BadModulus`]; [`WireError::NonCanonicalResidue`] and
    /// [`WireError::NonzeroPadding`], naming the row.
    pub fn residues(&mut self, modulus: u32, values: &mut [u32]) -> Result<(), WireError> {
        residue_bits(modulus)?;
        let row = self.row;
        let packed = self.next_bytes(packed_row_len(values.len(), modulus))?;
        unpack_row(packed, modulus, values).map_err(|error| error.at_row(row))?;
        self.row += 1;
        Ok(())
    }

    /// The next rows of residues, `[polys][moduli][n]`: the moduli take turns. Memory grows with what has arrived.
    ///
    /// # Errors
    /// Those of [`Reader::residues`]; [`WireError::SizeOverflow`]; [`WireError::OutOfMemory`].
    pub fn residue_rows(
        &mut self,
        n: usize,
        moduli: &[u32],
        polys: usize,
    ) -> Result<Vec<u32>, WireError> {
        /// Residues reserved ahead of those that have arrived: 16 KiB.
        const AHEAD: usize = 1 << 12;
        let what = "rows of residues";
        let bytes = checked_rows_len(n, moduli, polys)?;
        let total = n
            .checked_mul(moduli.len())
            .and_then(|poly| poly.checked_mul(polys))
            .ok_or(WireError::SizeOverflow { what })?;
        if total == 0 {
            return Ok(vec![]);
        }
        let is_there = self.hasher.is_none() && bytes <= self.unread;
        let first = if is_there { total } else { total.min(AHEAD) };
        let no_memory = |_| WireError::OutOfMemory {
            what,
            bytes: (total as u64).saturating_mul(4),
        };
        let mut words = Vec::new();
        words.try_reserve_exact(first).map_err(no_memory)?;
        for _ in 0..polys {
            for &modulus in moduli {
                let start = words.len();
                words.try_reserve(n).map_err(no_memory)?;
                words.resize(start + n, 0);
                self.residues(modulus, words.get_mut(start..).unwrap_or_default())?;
            }
        }
        Ok(words)
    }

    /// The next row: `coefficients.len()` of them, each -1, 0 or 1.
    ///
    /// # Errors
    /// Those of [`Reader::next_bytes`]; [`WireError::NotTernary`] and [`WireError::NonzeroPadding`], naming the row.
    pub fn ternary(&mut self, coefficients: &mut [i8]) -> Result<(), WireError> {
        let row = self.row;
        let packed = self.next_bytes(packed_ternary_len(coefficients.len()))?;
        unpack_ternary_row(packed, coefficients).map_err(|error| error.at_row(row))?;
        self.row += 1;
        Ok(())
    }

    /// Reads the rest of the payload for the sake of the checksum.
    ///
    /// # Errors
    /// Those of [`Reader::next_bytes`].
    pub fn skip(&mut self) -> Result<(), WireError> {
        const PIECE: u64 = 1 << 16;
        while self.unread > 0 {
            self.next_bytes(self.unread.min(PIECE) as usize)?;
        }
        Ok(())
    }

    /// Verifies that the payload was read to its end, and the checksum. The input, if it was passed as `&mut`, stands right after
    /// the container.
    ///
    /// # Errors
    /// [`WireError::TrailingBytes`] if part of the payload was not read, [`WireError::Truncated`],
    /// [`WireError::ChecksumMismatch`], [`WireError::Stream`].
    pub fn finish(mut self) -> Result<(), WireError> {
        self.check()
    }

    /// [`Reader::finish`] of a container after which the input ends.
    ///
    /// # Errors
    /// Those of [`Reader::finish`], and [`WireError::TrailingBytes`].
    pub fn finish_at_end(mut self) -> Result<(), WireError> {
        self.check()?;
        expect_end(&mut self.input)
    }

    fn check(&mut self) -> Result<(), WireError> {
        if self.unread > 0 {
            return Err(WireError::TrailingBytes {
                what: "rest of the payload",
                expected: 0,
                found: self.unread,
            });
        }
        let Some(hasher) = &self.hasher else {
            return Ok(());
        };
        let mut checksum = Vec::with_capacity(CHECKSUM_LEN);
        let len = CHECKSUM_LEN as u64;
        append(&mut self.input, &mut checksum, len, "checksum")?;
        if hasher.finalize().as_bytes() != checksum.as_slice() {
            return Err(WireError::ChecksumMismatch);
        }
        Ok(())
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.unread).map_or(out.len(), |unread| unread.min(out.len()));
        let (out, _) = out.split_at_mut(most);
        let read = self.input.read(out)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(out.get(..read).unwrap_or_default());
        }
        self.unread -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
