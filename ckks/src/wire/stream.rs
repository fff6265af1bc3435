//! Reading a container that arrives: from a file too large to hold twice, or from a connection.

use std::io::Read;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::container::{check_payload_len, decode_header};
use super::payload::check_finished;
use super::{CHECKSUM_LEN, ObjectKind, PREFIX_LEN, PayloadRead, Prefix, WireError, peek};

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
    if len > most {
        return Err(WireError::OutOfBounds {
            what: "length of the container",
            value: len,
            least: 0,
            most,
        });
    }
    Ok((prefix, bytes))
}

/// Reads one container of at most `most` bytes from `input` into memory and stops right after it, so that another may
/// follow. The bytes are complete but not verified: pass them to [`super::Container::parse`].
///
/// Memory grows with what arrives, not with what the prefix claims. Secret keys are read with
/// [`super::read_secret_bounded`] instead, which leaves no copies behind.
///
/// # Errors
/// Those of [`peek`], [`WireError::OutOfBounds`] if the container says it is longer than `most`,
/// [`WireError::Truncated`] if `input` ends before it does, [`WireError::OutOfMemory`], [`WireError::Stream`].
pub fn read_container(input: &mut impl Read, most: u64) -> Result<Vec<u8>, WireError> {
    let (prefix, mut bytes) = read_prefix(input, most)?;
    let rest = prefix.container_len()? - PREFIX_LEN as u64;
    append(input, &mut bytes, rest, "container after its prefix")?;
    Ok(bytes)
}

/// Reads a container row by row, holding one row at a time, and verifies the checksum at the end.
///
/// Rows are handed out before the checksum is known: what is built from them is to be dropped unless
/// [`ContainerReader::finish`] succeeds. They are checked to be canonical all the same, and a checksum that anybody
/// can compute says nothing about who wrote them.
///
/// The prefix's payload length is a claim until the bytes have arrived. Compare it with what the header implies
/// ([`ContainerReader::expect_payload_len`]), and allocate row by row.
pub struct ContainerReader<R> {
    input: R,
    prefix: Prefix,
    header: Vec<u8>,
    hasher: blake3::Hasher,
    unread: u64,
    row: u64,
    buffer: Zeroizing<Vec<u8>>,
}

impl<R: Read> ContainerReader<R> {
    /// Reads the prefix and the header of a container of at most `most` bytes.
    ///
    /// # Errors
    /// Those of [`read_container`].
    pub fn new(mut input: R, most: u64) -> Result<Self, WireError> {
        let (prefix, start) = read_prefix(&mut input, most)?;
        let mut header = Vec::new();
        append(
            &mut input,
            &mut header,
            u64::from(prefix.header_len),
            "header",
        )?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&start);
        hasher.update(&header);
        Ok(Self {
            input,
            prefix,
            header,
            hasher,
            unread: prefix.payload_len,
            row: 0,
            buffer: Zeroizing::default(),
        })
    }

    /// What the first bytes say.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// What the container says it holds.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        self.prefix.kind
    }

    /// Decodes the header; see [`super::Container::header`]. Not verified by the checksum yet.
    ///
    /// # Errors
    /// Those of [`super::Container::header`].
    pub fn header<'h, H>(&'h self) -> Result<H, WireError>
    where
        H: Deserialize<'h> + Serialize,
    {
        decode_header(self.prefix.kind, &self.header)
    }

    /// # Errors
    /// [`WireError::PayloadLength`] unless the payload says it has exactly `implied` bytes.
    pub fn expect_payload_len(&self, implied: u64) -> Result<(), WireError> {
        check_payload_len(implied, self.prefix.payload_len)
    }

    /// Bytes of the payload not read yet.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.unread
    }

    /// Verifies the checksum and returns the stream, which stands right after the container.
    ///
    /// # Errors
    /// [`WireError::TrailingBytes`] if part of the payload was not read, [`WireError::Truncated`],
    /// [`WireError::ChecksumMismatch`], [`WireError::Stream`].
    pub fn finish(mut self) -> Result<R, WireError> {
        check_finished(self.unread)?;
        let mut checksum = Vec::with_capacity(CHECKSUM_LEN);
        append(
            &mut self.input,
            &mut checksum,
            CHECKSUM_LEN as u64,
            "checksum",
        )?;
        let computed = self.hasher.finalize();
        // The hasher keeps the last block of the payload.
        self.hasher.zeroize();
        if computed.as_bytes() != checksum.as_slice() {
            return Err(WireError::ChecksumMismatch);
        }
        Ok(self.input)
    }
}

impl<R: Read> PayloadRead for ContainerReader<R> {
    fn bytes(&mut self, len: usize) -> Result<&[u8], WireError> {
        if len as u64 > self.unread {
            return Err(WireError::Truncated {
                what: "payload",
                needed: len as u64,
                available: self.unread,
            });
        }
        self.buffer.clear();
        append(&mut self.input, &mut self.buffer, len as u64, "payload")?;
        self.hasher.update(&self.buffer);
        self.unread -= len as u64;
        Ok(&self.buffer)
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
    use super::super::{Container, container_to_vec};
    use super::*;

    const MODULI: [u32; 2] = [97, 193];

    fn sample() -> Vec<u8> {
        container_to_vec(ObjectKind::Ciphertext, &MODULI, 30, |out| {
            out.residue_rows(8, &MODULI, &(0..32).collect::<Vec<_>>())
        })
        .unwrap()
    }

    fn read_rows(mut bytes: &[u8]) -> Result<Vec<u32>, WireError> {
        let mut reader = ContainerReader::new(&mut bytes, 1 << 20)?;
        let moduli: [u32; 2] = reader.header()?;
        reader.expect_payload_len(30)?;
        let mut values = vec![0; 32];
        reader.residue_rows(8, &moduli, &mut values)?;
        reader.finish()?;
        Ok(values)
    }

    #[test]
    fn rows_stream() {
        assert_eq!(read_rows(&sample()).unwrap(), (0..32).collect::<Vec<_>>());
    }

    #[test]
    fn every_damage_and_truncation_is_detected() {
        let good = sample();
        for at in 0..good.len() {
            for change in [1, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] ^= change;
                assert!(read_rows(&bytes).is_err(), "byte {at}");
                let read = read_container(&mut bytes.as_slice(), 1 << 20);
                assert!(
                    read.is_err() || Container::parse(&read.unwrap()).is_err(),
                    "byte {at}"
                );
            }
            let error = read_rows(&good[..at]).unwrap_err();
            assert!(
                matches!(error, WireError::Truncated { .. }),
                "{at}: {error}"
            );
            let error = read_container(&mut &good[..at], 1 << 20).unwrap_err();
            assert!(
                matches!(error, WireError::Truncated { .. }),
                "{at}: {error}"
            );
        }
    }

    #[test]
    fn containers_can_follow_one_another() {
        let mut two = sample();
        two.extend(sample());
        let mut input = two.as_slice();
        for _ in 0..2 {
            assert_eq!(read_container(&mut input, 1 << 20).unwrap(), sample());
        }
        assert!(input.is_empty());
    }

    #[test]
    fn an_unread_payload_is_an_error() {
        let bytes = sample();
        let reader = ContainerReader::new(bytes.as_slice(), 1 << 20).unwrap();
        assert!(matches!(
            reader.finish(),
            Err(WireError::TrailingBytes { found: 30, .. })
        ));
    }

    #[test]
    fn the_callers_maximum_holds() {
        let bytes = sample();
        let len = bytes.len() as u64;
        assert!(read_container(&mut bytes.as_slice(), len).is_ok());
        assert!(matches!(
            read_container(&mut bytes.as_slice(), len - 1),
            Err(WireError::OutOfBounds { value, .. }) if value == len
        ));
    }

    #[test]
    fn foreign_input_is_named_even_when_short() {
        assert!(matches!(
            read_container(&mut &b"GIF89a"[..], 1 << 20),
            Err(WireError::BadMagic { .. })
        ));
        assert!(matches!(
            read_container(&mut &b""[..], 1 << 20),
            Err(WireError::Truncated {
                needed: 28,
                available: 0,
                ..
            })
        ));
    }

    #[test]
    fn memory_follows_what_arrives_not_what_is_claimed() {
        for there in [0usize, 1000, 3 << 20] {
            let mut bytes = Vec::new();
            let input = vec![0u8; there];
            let error = append(&mut input.as_slice(), &mut bytes, 1 << 60, "claim").unwrap_err();
            assert!(
                matches!(error, WireError::Truncated { available, .. } if available == there as u64)
            );
            assert!(
                bytes.capacity() <= 2 * there + 2 * CHUNK,
                "{} for {there}",
                bytes.capacity()
            );
        }
        // And end to end: a payload of 2^60 bytes is claimed, thirty are there.
        let mut bytes = sample();
        bytes[20..28].copy_from_slice(&(1u64 << 60).to_le_bytes());
        assert!(matches!(
            read_container(&mut bytes.as_slice(), u64::MAX),
            Err(WireError::Truncated { .. })
        ));
    }

    #[test]
    fn a_failing_stream_keeps_its_reason() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
        }
        assert!(matches!(
            ContainerReader::new(Broken, 1 << 20).err(),
            Some(WireError::Stream { source, .. })
                if source.kind() == std::io::ErrorKind::ConnectionReset
        ));
    }
}
