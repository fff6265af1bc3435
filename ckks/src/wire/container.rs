//! What every container starts with: prefix and header.

use serde::{Deserialize, Serialize};

use super::ObjectKind;
use super::error::{WireError, check_bounds};

/// The first eight bytes of every container.
pub const MAGIC: [u8; 8] = *b"\x89ARRAS\r\n";
/// The format version of everything but values of which a bound is known.
pub const FORMAT_VERSION: u16 = 1;
/// The format version of plaintexts and ciphertexts of whose values a bound is known: [`Prefix::bound`].
pub const BOUNDED_VERSION: u16 = 2;
/// Bytes before the header.
pub const PREFIX_LEN: usize = 28;
/// Bytes of the BLAKE3 checksum.
pub const CHECKSUM_LEN: usize = 32;
/// The most bytes a header may have: 1 MiB.
pub const MAX_HEADER_LEN: u32 = 1 << 20;

/// What the first [`PREFIX_LEN`] bytes of a container say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prefix {
    /// The format version: [`BOUNDED_VERSION`] with a bound, [`FORMAT_VERSION`] without.
    pub version: u16,
    /// What the container says it holds.
    pub kind: ObjectKind,
    /// What the magnitudes of the values do not exceed, of kinds that hold values; finite, not negative. A hint from whoever wrote the file.
    pub bound: Option<f32>,
    /// Bytes of the header, at most [`MAX_HEADER_LEN`].
    pub header_len: u32,
    /// Bytes of the payload. Not yet compared with what is there.
    pub payload_len: u64,
}

impl Prefix {
    /// Bytes of the whole container, checksum included.
    ///
    /// # Errors
    /// [`WireError::SizeOverflow`] if they are more than a `u64` counts.
    pub fn container_len(&self) -> Result<u64, WireError> {
        self.payload_len
            .checked_add(u64::from(self.header_len))
            .and_then(|len| len.checked_add((PREFIX_LEN + CHECKSUM_LEN) as u64))
            .ok_or(WireError::SizeOverflow { what: "container" })
    }

    /// # Errors
    /// [`WireError::WrongKind`] if the container holds anything but `expected`.
    pub fn expect_kind(&self, expected: ObjectKind) -> Result<(), WireError> {
        if self.kind == expected {
            Ok(())
        } else {
            Err(WireError::WrongKind {
                expected,
                found: self.kind,
            })
        }
    }

    /// The prefix before a header whose length was checked.
    pub(super) fn of(kind: ObjectKind, header: &[u8], payload_len: u64) -> Self {
        Self {
            version: FORMAT_VERSION,
            kind,
            bound: None,
            header_len: u32::try_from(header.len()).unwrap_or(MAX_HEADER_LEN),
            payload_len,
        }
    }

    /// The prefix of values of which this is known.
    pub(super) fn with_bound(self, bound: Option<f32>) -> Self {
        let version = if bound.is_some() {
            BOUNDED_VERSION
        } else {
            FORMAT_VERSION
        };
        Self {
            version,
            bound,
            ..self
        }
    }

    pub(super) fn to_bytes(self) -> [u8; PREFIX_LEN] {
        let mut bytes = [0; PREFIX_LEN];
        let fields = MAGIC
            .into_iter()
            .chain(self.version.to_le_bytes())
            .chain(self.kind.code().to_le_bytes())
            .chain(self.bound.map_or(0, f32::to_bits).to_le_bytes())
            .chain(self.header_len.to_le_bytes())
            .chain(self.payload_len.to_le_bytes());
        for (byte, field) in bytes.iter_mut().zip(fields) {
            *byte = field;
        }
        bytes
    }
}

/// Splits `N` bytes off the front of `bytes`; the caller has counted them.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    match bytes.split_first_chunk::<N>() {
        Some((&first, rest)) => {
            *bytes = rest;
            first
        }
        None => [0; N],
    }
}

/// Reads the prefix of a container from its first bytes, of which at least [`PREFIX_LEN`] are needed; more are
/// ignored. Nothing is said about the rest: neither that it is there nor that it is sound.
///
/// # Errors
/// In this order: [`WireError::BadMagic`], [`WireError::Truncated`], [`WireError::UnsupportedVersion`],
/// [`WireError::UnknownFlags`], [`WireError::UnknownKind`], [`WireError::ValueBound`], [`WireError::OutOfBounds`] (header length),
/// [`WireError::SizeOverflow`].
pub fn peek(bytes: &[u8]) -> Result<Prefix, WireError> {
    let magic_there = bytes.len().min(MAGIC.len());
    if bytes.get(..magic_there) != MAGIC.get(..magic_there) {
        return Err(WireError::BadMagic {
            found: bytes.iter().copied().take(MAGIC.len()).collect(),
        });
    }
    let Some((_, mut fields)) = bytes
        .get(..PREFIX_LEN)
        .and_then(|prefix| prefix.split_at_checked(MAGIC.len()))
    else {
        return Err(WireError::Truncated {
            what: "container's prefix",
            needed: PREFIX_LEN as u64,
            available: bytes.len() as u64,
        });
    };
    let version = u16::from_le_bytes(take(&mut fields));
    let kind = u16::from_le_bytes(take(&mut fields));
    let flags = u32::from_le_bytes(take(&mut fields));
    let header_len = u32::from_le_bytes(take(&mut fields));
    let payload_len = u64::from_le_bytes(take(&mut fields));
    if version != FORMAT_VERSION && version != BOUNDED_VERSION {
        return Err(WireError::UnsupportedVersion { found: version });
    }
    if version == FORMAT_VERSION && flags != 0 {
        return Err(WireError::UnknownFlags { found: flags });
    }
    let kind = ObjectKind::try_from(kind)?;
    let bound = match version {
        FORMAT_VERSION => None,
        _ if !kind.holds_values() => return Err(WireError::UnsupportedVersion { found: version }),
        _ => Some(f32::from_bits(flags)),
    };
    if let Some(found) = bound.filter(|b| !(b.is_finite() && b.is_sign_positive())) {
        let most = f64::from(f32::MAX);
        return Err(WireError::ValueBound { found, most });
    }
    check_header_len(header_len.into())?;
    let prefix = Prefix {
        version,
        kind,
        bound,
        header_len,
        payload_len,
    };
    prefix.container_len()?;
    Ok(prefix)
}

fn check_header_len(len: u64) -> Result<(), WireError> {
    check_bounds("header length", len, 0..=u64::from(MAX_HEADER_LEN))
}

/// Decodes a header and insists that it is the encoding of what it decodes to. Without that, a varint written in more
/// bytes than it needs would give one object two encodings.
pub(super) fn decode_header<'a, H>(kind: ObjectKind, bytes: &'a [u8]) -> Result<H, WireError>
where
    H: Deserialize<'a> + Serialize,
{
    let malformed = |source| WireError::HeaderMalformed { kind, source };
    let (header, unread): (H, &[u8]) = postcard::take_from_bytes(bytes).map_err(malformed)?;
    if !unread.is_empty() {
        return Err(WireError::TrailingBytes {
            what: "header",
            expected: (bytes.len() - unread.len()) as u64,
            found: bytes.len() as u64,
        });
    }
    let canonical = postcard::to_stdvec(&header).map_err(malformed)?;
    if canonical != bytes {
        return Err(WireError::HeaderNotCanonical {
            kind,
            found: bytes.len(),
            canonical: canonical.len(),
        });
    }
    Ok(header)
}

/// Bytes of a container with this header and a payload of this length.
///
/// # Errors
/// [`WireError::HeaderUnencodable`], [`WireError::OutOfBounds`] for a header that is too long, [`WireError::SizeOverflow`].
pub fn container_len<H: Serialize + ?Sized>(
    kind: ObjectKind,
    header: &H,
    payload_len: u64,
) -> Result<u64, WireError> {
    Prefix::of(kind, &encode_header(kind, header)?, payload_len).container_len()
}

pub(super) fn encode_header<H: Serialize + ?Sized>(
    kind: ObjectKind,
    header: &H,
) -> Result<Vec<u8>, WireError> {
    let bytes = postcard::to_stdvec(header)
        .map_err(|source| WireError::HeaderUnencodable { kind, source })?;
    check_header_len(bytes.len() as u64)?;
    Ok(bytes)
}

pub(super) fn check_payload_len(implied: u64, found: u64) -> Result<(), WireError> {
    if implied == found {
        Ok(())
    } else {
        Err(WireError::PayloadLength { implied, found })
    }
}
