//! A container whose bytes are in memory: parsed without a copy.

use serde::{Deserialize, Serialize};

use super::{ObjectKind, PayloadRows, WireError};

/// The first eight bytes of every container.
pub const MAGIC: [u8; 8] = *b"\x89ARRAS\r\n";
/// The format version that this build writes, and the only one it reads.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes before the header.
pub const PREFIX_LEN: usize = 28;
/// Bytes of the BLAKE3 checksum.
pub const CHECKSUM_LEN: usize = 32;
/// The most bytes a header may have: 1 MiB.
pub const MAX_HEADER_LEN: u32 = 1 << 20;

/// What the first [`PREFIX_LEN`] bytes of a container say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The format version; [`FORMAT_VERSION`].
    pub version: u16,
    /// What the container says it holds.
    pub kind: ObjectKind,
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

    pub(super) fn to_bytes(self) -> [u8; PREFIX_LEN] {
        let mut bytes = [0; PREFIX_LEN];
        let fields = MAGIC
            .into_iter()
            .chain(self.version.to_le_bytes())
            .chain(self.kind.code().to_le_bytes())
            .chain(0u32.to_le_bytes())
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
/// [`WireError::UnknownFlags`], [`WireError::UnknownKind`], [`WireError::OutOfBounds`] (header length),
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
    if version != FORMAT_VERSION {
        return Err(WireError::UnsupportedVersion { found: version });
    }
    if flags != 0 {
        return Err(WireError::UnknownFlags { found: flags });
    }
    let kind = ObjectKind::try_from(kind)?;
    check_header_len(u64::from(header_len))?;
    let prefix = Prefix {
        version,
        kind,
        header_len,
        payload_len,
    };
    prefix.container_len()?;
    Ok(prefix)
}

pub(super) fn check_header_len(len: u64) -> Result<(), WireError> {
    if len > u64::from(MAX_HEADER_LEN) {
        return Err(WireError::OutOfBounds {
            what: "header length",
            value: len,
            least: 0,
            most: u64::from(MAX_HEADER_LEN),
        });
    }
    Ok(())
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

/// A container in memory whose prefix, lengths and checksum were found sound. Borrows its bytes.
#[derive(Clone, Copy)]
pub struct Container<'a> {
    prefix: Prefix,
    header: &'a [u8],
    payload: &'a [u8],
}

/// Prints what the prefix says, not the payload, which may be a secret.
impl std::fmt::Debug for Container<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl<'a> Container<'a> {
    /// Parses `bytes`, which are one whole container and nothing else. Allocates nothing; hashes the bytes only once
    /// their lengths agree.
    ///
    /// # Errors
    /// Those of [`peek`], then [`WireError::Truncated`] or [`WireError::TrailingBytes`] if `bytes` has another length
    /// than the prefix says, then [`WireError::ChecksumMismatch`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        Self::parse_after(bytes, peek(bytes)?)
    }

    /// [`Container::parse`] for a container that must hold `kind`; another kind is refused before anything is hashed.
    ///
    /// # Errors
    /// Those of [`Container::parse`], and [`WireError::WrongKind`].
    pub fn parse_as(bytes: &'a [u8], kind: ObjectKind) -> Result<Self, WireError> {
        let prefix = peek(bytes)?;
        prefix.expect_kind(kind)?;
        Self::parse_after(bytes, prefix)
    }

    fn parse_after(bytes: &'a [u8], prefix: Prefix) -> Result<Self, WireError> {
        let (needed, available) = (prefix.container_len()?, bytes.len() as u64);
        let truncated = WireError::Truncated {
            what: "container",
            needed,
            available,
        };
        if available < needed {
            return Err(truncated);
        }
        if available > needed {
            return Err(WireError::TrailingBytes {
                what: "container",
                expected: needed,
                found: available,
            });
        }
        // The lengths add up to that of a slice, so the conversions and splits below succeed.
        let split = || {
            let (signed, checksum) = bytes.split_last_chunk::<CHECKSUM_LEN>()?;
            let (_, rest) = signed.split_at_checked(PREFIX_LEN)?;
            let (header, payload) =
                rest.split_at_checked(usize::try_from(prefix.header_len).ok()?)?;
            Some((signed, checksum, header, payload))
        };
        let Some((signed, checksum, header, payload)) = split() else {
            return Err(truncated);
        };
        if blake3::hash(signed) != *checksum {
            return Err(WireError::ChecksumMismatch);
        }
        Ok(Self {
            prefix,
            header,
            payload,
        })
    }

    /// What the first bytes say.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// What the container holds.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        self.prefix.kind
    }

    /// Decodes the header, which must be exactly the postcard encoding of an `H`.
    ///
    /// Memory is proportional to the header as long as `H` holds no sequence of zero-sized elements; such a type must
    /// not be used, because a few bytes can claim any number of them.
    ///
    /// # Errors
    /// [`WireError::HeaderMalformed`], [`WireError::TrailingBytes`] or [`WireError::HeaderNotCanonical`].
    pub fn header<H>(&self) -> Result<H, WireError>
    where
        H: Deserialize<'a> + Serialize,
    {
        decode_header(self.prefix.kind, self.header)
    }

    /// # Errors
    /// [`WireError::PayloadLength`] unless the payload has exactly `implied` bytes. Readers ask this before they
    /// allocate anything that the header's dimensions call for.
    pub fn expect_payload_len(&self, implied: u64) -> Result<(), WireError> {
        check_payload_len(implied, self.prefix.payload_len)
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The payload, to be read row by row.
    #[must_use]
    pub fn rows(&self) -> PayloadRows<'a> {
        PayloadRows::new(self.payload)
    }
}

pub(super) fn check_payload_len(implied: u64, found: u64) -> Result<(), WireError> {
    if implied == found {
        Ok(())
    } else {
        Err(WireError::PayloadLength { implied, found })
    }
}

#[cfg(test)]
mod tests {
    use super::super::container_to_vec;
    use super::super::mutate::refresh_checksum;
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Header {
        log_n: u8,
        moduli: Vec<u32>,
        label: String,
    }

    fn header() -> Header {
        Header {
            log_n: 3,
            moduli: vec![97, 193, 1_073_479_681],
            label: "toy".into(),
        }
    }

    fn sample() -> Vec<u8> {
        let payload: Vec<u8> = (0..50).collect();
        container_to_vec(ObjectKind::Ciphertext, &header(), 50, |out| {
            out.bytes(&payload)
        })
        .unwrap()
    }

    fn with(offset: usize, field: &[u8]) -> Vec<u8> {
        let mut bytes = sample();
        bytes[offset..offset + field.len()].copy_from_slice(field);
        refresh_checksum(&mut bytes);
        bytes
    }

    #[test]
    fn round_trip() {
        let bytes = sample();
        let container = Container::parse(&bytes).unwrap();
        assert_eq!(container.kind(), ObjectKind::Ciphertext);
        assert_eq!(container.header::<Header>().unwrap(), header());
        assert_eq!(container.payload(), (0..50).collect::<Vec<u8>>());
        assert_eq!(peek(&bytes).unwrap(), container.prefix());
        assert_eq!(
            peek(&bytes[..PREFIX_LEN]).unwrap().container_len().unwrap(),
            bytes.len() as u64
        );
        container.expect_payload_len(50).unwrap();
        assert!(matches!(
            container.expect_payload_len(49),
            Err(WireError::PayloadLength {
                implied: 49,
                found: 50
            })
        ));
    }

    #[test]
    fn the_layout_is_what_the_docs_say() {
        let bytes = container_to_vec(ObjectKind::SecretKey, &(7u8, 300u32), 3, |out| {
            out.bytes(b"xyz")
        })
        .unwrap();
        let mut expected = b"\x89ARRAS\r\n".to_vec();
        expected.extend([1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([7, 0xac, 2]);
        expected.extend(b"xyz");
        expected.extend(blake3::hash(&expected).as_bytes());
        assert_eq!(bytes, expected);
    }

    #[test]
    fn every_change_of_one_byte_is_detected() {
        let good = sample();
        for at in 0..good.len() {
            for change in 1..=u8::MAX {
                let mut bytes = good.clone();
                bytes[at] ^= change;
                assert!(Container::parse(&bytes).is_err(), "byte {at} ^ {change:#x}");
            }
        }
    }

    #[test]
    fn every_truncation_is_named() {
        let good = sample();
        for len in 0..good.len() {
            let error = Container::parse(&good[..len]).unwrap_err();
            assert!(
                matches!(error, WireError::Truncated { available, needed, .. }
                    if available == len as u64 && needed > available),
                "{len}: {error}"
            );
        }
        let mut longer = good;
        longer.push(0);
        assert!(matches!(
            Container::parse(&longer),
            Err(WireError::TrailingBytes { .. })
        ));
    }

    #[test]
    fn each_field_has_its_error() {
        assert!(matches!(
            Container::parse(b"not an Arras file at all, but long enough"),
            Err(WireError::BadMagic { found }) if found == b"not an A"
        ));
        assert!(matches!(
            Container::parse(&with(8, &[2, 0])),
            Err(WireError::UnsupportedVersion { found: 2 })
        ));
        assert!(matches!(
            Container::parse(&with(10, &[200, 1])),
            Err(WireError::UnknownKind { found: 456 })
        ));
        assert!(matches!(
            Container::parse(&with(12, &[1])),
            Err(WireError::UnknownFlags { found: 1 })
        ));
        assert!(matches!(
            Container::parse_as(&sample(), ObjectKind::SecretKey),
            Err(WireError::WrongKind {
                expected: ObjectKind::SecretKey,
                found: ObjectKind::Ciphertext
            })
        ));
    }

    #[test]
    fn hostile_lengths_are_refused_before_anything_is_allocated() {
        // An allocation of any of these sizes would abort the test.
        for payload_len in [51, 1 << 40, 1 << 62, u64::MAX - 100] {
            assert!(matches!(
                Container::parse(&with(20, &u64::to_le_bytes(payload_len))),
                Err(WireError::Truncated { .. })
            ));
        }
        assert!(matches!(
            Container::parse(&with(20, &u64::MAX.to_le_bytes())),
            Err(WireError::SizeOverflow { .. })
        ));
        assert!(matches!(
            Container::parse(&with(16, &MAX_HEADER_LEN.to_le_bytes())),
            Err(WireError::Truncated { .. })
        ));
        assert!(matches!(
            Container::parse(&with(16, &(MAX_HEADER_LEN + 1).to_le_bytes())),
            Err(WireError::OutOfBounds { .. })
        ));
    }

    fn with_raw_header(header: &[u8]) -> Vec<u8> {
        let mut bytes = Prefix {
            version: FORMAT_VERSION,
            kind: ObjectKind::Parameters,
            header_len: header.len() as u32,
            payload_len: 0,
        }
        .to_bytes()
        .to_vec();
        bytes.extend(header);
        bytes.extend([0; CHECKSUM_LEN]);
        refresh_checksum(&mut bytes);
        bytes
    }

    #[test]
    fn hostile_headers_are_refused() {
        // A list that claims 2^63 elements and holds two.
        let mut claims = vec![3];
        claims.extend([0xff; 9]);
        claims.extend([1, 97, 97]);
        let bytes = with_raw_header(&claims);
        let container = Container::parse(&bytes).unwrap();
        assert!(matches!(
            container.header::<Header>(),
            Err(WireError::HeaderMalformed { .. })
        ));

        let good = postcard::to_stdvec(&header()).unwrap();
        for len in 0..good.len() {
            let bytes = with_raw_header(&good[..len]);
            assert!(matches!(
                Container::parse(&bytes).unwrap().header::<Header>(),
                Err(WireError::HeaderMalformed { .. })
            ));
        }
        let mut longer = good;
        longer.push(0);
        let bytes = with_raw_header(&longer);
        assert!(matches!(
            Container::parse(&bytes).unwrap().header::<Header>(),
            Err(WireError::TrailingBytes { what: "header", .. })
        ));
        // 5 as a varint of two bytes.
        let bytes = with_raw_header(&[0x85, 0]);
        assert!(matches!(
            Container::parse(&bytes).unwrap().header::<u32>(),
            Err(WireError::HeaderNotCanonical {
                found: 2,
                canonical: 1,
                ..
            })
        ));
    }

    #[test]
    fn debug_does_not_print_the_payload() {
        let bytes = sample();
        let text = format!("{:?}", Container::parse(&bytes).unwrap());
        assert!(
            text.contains("Ciphertext") && !text.contains("48, 49"),
            "{text}"
        );
    }
}
