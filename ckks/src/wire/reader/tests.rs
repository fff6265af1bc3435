//! Containers and payloads, sound and damaged, in memory and as they arrive.

use super::super::mutate::refresh_checksum;
use super::super::{MAX_HEADER_LEN, checked_rows_len, container_to_vec, pack::pack_row};
use super::*;

const KIND: ObjectKind = ObjectKind::Ciphertext;

fn parse(bytes: &[u8]) -> Result<Reader<&[u8]>, WireError> {
    Reader::from_bytes(bytes, KIND)
}

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
    let container = parse(&bytes).unwrap();
    assert_eq!(container.header::<Header>().unwrap(), header());
    assert_eq!(container.payload(), (0..50).collect::<Vec<u8>>());
    assert_eq!(peek(&bytes).unwrap(), container.prefix());
    let len = peek(&bytes[..PREFIX_LEN]).unwrap().container_len();
    assert_eq!(len.unwrap(), bytes.len() as u64);
    container.expect_payload_len(50).unwrap();
    refused! { container.expect_payload_len(49) => WireError::PayloadLength { implied: 49, found: 50 } }
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
            assert!(parse(&bytes).is_err(), "byte {at} ^ {change:#x}");
        }
    }
}

#[test]
fn every_truncation_is_named() {
    let good = sample();
    for len in 0..good.len() {
        let error = parse(&good[..len]).unwrap_err();
        assert!(
            matches!(error, WireError::Truncated { available, needed, .. }
                if available == len as u64 && needed > available),
            "{len}: {error}"
        );
    }
    let mut longer = good;
    longer.push(0);
    refused! { parse(&longer) => WireError::TrailingBytes { .. } }
}

#[test]
fn each_field_has_its_error() {
    refused! {
        parse(b"not an Arras file at all, but long enough") => WireError::BadMagic { found } if found == b"not an A",
        parse(&with(8, &[3, 0])) => WireError::UnsupportedVersion { found: 3 },
        // Version 2 of what holds no values.
        parse(&with(8, &[2, 0, ObjectKind::Model.code() as u8])) => WireError::UnsupportedVersion { found: 2 },
        parse(&with(10, &[200, 1])) => WireError::UnknownKind { found: 456 },
        parse(&with(12, &[1])) => WireError::UnknownFlags { found: 1 },
        Reader::from_bytes(&sample(), ObjectKind::SecretKey) => WireError::WrongKind { expected: ObjectKind::SecretKey, found: ObjectKind::Ciphertext },
    }
}

#[test]
fn hostile_lengths_are_refused_before_anything_is_allocated() {
    // An allocation of any of these sizes would abort the test.
    for payload_len in [51, 1 << 40, 1 << 62, u64::MAX - 100] {
        refused! { parse(&with(20, &u64::to_le_bytes(payload_len))) => WireError::Truncated { .. } }
    }
    refused! {
        parse(&with(20, &u64::MAX.to_le_bytes())) => WireError::SizeOverflow { .. },
        parse(&with(16, &MAX_HEADER_LEN.to_le_bytes())) => WireError::Truncated { .. },
        parse(&with(16, &(MAX_HEADER_LEN + 1).to_le_bytes())) => WireError::OutOfBounds { .. },
    }
}

fn with_raw_header(header: &[u8]) -> Vec<u8> {
    let mut bytes = Prefix::of(KIND, header, 0).to_bytes().to_vec();
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
    let container = parse(&bytes).unwrap();
    refused! { container.header::<Header>() => WireError::HeaderMalformed { .. } }

    let good = postcard::to_stdvec(&header()).unwrap();
    for len in 0..good.len() {
        let bytes = with_raw_header(&good[..len]);
        refused! { parse(&bytes).unwrap().header::<Header>() => WireError::HeaderMalformed { .. } }
    }
    let mut longer = good;
    longer.push(0);
    let bytes = with_raw_header(&longer);
    refused! { parse(&bytes).unwrap().header::<Header>() => WireError::TrailingBytes { what: "header", .. } }
    // 5 as a varint of two bytes.
    let bytes = with_raw_header(&[0x85, 0]);
    refused! { parse(&bytes).unwrap().header::<u32>() => WireError::HeaderNotCanonical { found: 2, canonical: 1, .. } }
}

#[test]
fn debug_does_not_print_the_payload() {
    let bytes = sample();
    let text = format!("{:?}", parse(&bytes).unwrap());
    assert!(
        text.contains("Ciphertext") && !text.contains("48, 49"),
        "{text}"
    );
}

const WIDE: [u32; 2] = [97, 1_073_479_681];

/// A payload without its container.
fn rows_of(payload: &[u8]) -> Reader<&[u8]> {
    let prefix = Prefix::of(KIND, &[], payload.len() as u64);
    Reader::at_payload(payload, prefix, vec![], None)
}

fn packed(values: &[u32], n: usize) -> Vec<u8> {
    let mut payload = Vec::new();
    for (row, &q) in values.chunks(n).zip(WIDE.iter().cycle()) {
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
        checked_rows_len(10, &WIDE, 2).unwrap()
    );
    let mut rows = rows_of(&payload);
    let read = rows.residue_rows(10, &WIDE, 2).unwrap();
    assert_eq!((rows.row, rows.remaining()), (4, 0));
    rows.finish().unwrap();
    assert_eq!(read, values);
}

#[test]
fn errors_name_the_row() {
    let mut payload = packed(&[5; 40], 10);
    // Row 2 is modulo 97 again: seven bits, all set, are 127.
    let third = 9 + 38;
    payload[third] = 0x7f;
    let outcome = rows_of(&payload).residue_rows(10, &WIDE, 2);
    refused! { outcome => WireError::NonCanonicalResidue { row: 2, index: 0, residue: 127, modulus: 97 } }
}

#[test]
fn too_little_and_too_much() {
    let payload = packed(&[5; 20], 10);
    refused! {
        rows_of(&payload[..payload.len() - 1]).residue_rows(10, &WIDE, 1) => WireError::Truncated { needed: 38, available: 37, .. }
    }
    let mut rows = rows_of(&payload);
    rows.residues(97, &mut [0; 10]).unwrap();
    refused! { rows.finish() => WireError::TrailingBytes { found: 38, .. } }
}

#[test]
fn rows_of_impossible_sizes_are_refused() {
    let payload = packed(&[5; 40], 10);
    for (n, polys) in [(usize::MAX, 1), (10, usize::MAX), (1 << 40, 1 << 40)] {
        let result = rows_of(&payload).residue_rows(n, &WIDE, polys);
        refused! { result => WireError::SizeOverflow { .. } | WireError::OutOfMemory { .. } | WireError::Truncated { .. } }
    }
    for (n, moduli, polys) in [(10, &WIDE[..0], usize::MAX), (0, &WIDE, 9), (10, &WIDE, 0)] {
        let rows = rows_of(&payload).residue_rows(n, moduli, polys);
        assert!(rows.unwrap().is_empty());
    }
}

#[test]
fn seeds_and_ternary_rows() {
    let mut rows = rows_of(&[1, 2, 3, 4, 0b1101_0001]);
    assert_eq!(rows.next_bytes(4).unwrap(), [1, 2, 3, 4]);
    let mut coefficients = [9; 4];
    rows.ternary(&mut coefficients).unwrap();
    assert_eq!(coefficients, [1, 0, 1, -1]);
    assert!(rows.next_bytes(1).is_err());
    rows.finish().unwrap();
}

const MODULI: [u32; 2] = [97, 193];

fn streamed() -> Vec<u8> {
    container_to_vec(ObjectKind::Ciphertext, &MODULI, 30, |out| {
        out.residue_rows(8, &MODULI, &(0..32).collect::<Vec<_>>())
    })
    .unwrap()
}

fn read_rows(mut bytes: &[u8]) -> Result<Vec<u32>, WireError> {
    let mut reader = Reader::new(&mut bytes, 1 << 20)?;
    let moduli: [u32; 2] = reader.header()?;
    reader.expect_payload_len(30)?;
    let values = reader.residue_rows(8, &moduli, 2)?;
    reader.finish_at_end()?;
    Ok(values)
}

/// Reads a container for its checksum only, and says how long it is.
fn skip(input: &mut impl Read, most: u64) -> Result<u64, WireError> {
    let mut reader = Reader::new(input, most)?;
    reader.skip()?;
    let len = reader.prefix().container_len();
    reader.finish()?;
    len
}

#[test]
fn rows_stream() {
    assert_eq!(read_rows(&streamed()).unwrap(), (0..32).collect::<Vec<_>>());
}

#[test]
fn every_damage_and_truncation_of_a_stream_is_detected() {
    let good = streamed();
    for at in 0..good.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= change;
            assert!(read_rows(&bytes).is_err(), "byte {at}");
            assert!(skip(&mut bytes.as_slice(), 1 << 20).is_err(), "byte {at}");
        }
        refused! {
            read_rows(&good[..at]) => WireError::Truncated { .. },
            skip(&mut &good[..at], 1 << 20) => WireError::Truncated { .. },
        }
    }
    let longer = [&good[..], &[0]].concat();
    refused! { read_rows(&longer) => WireError::TrailingBytes { .. } }
}

#[test]
fn containers_can_follow_one_another() {
    let mut two = streamed();
    two.extend(streamed());
    let mut input = two.as_slice();
    for left in [two.len() / 2, 0] {
        skip(&mut input, 1 << 20).unwrap();
        assert_eq!(input.len(), left);
    }
}

/// The payload of a container is an input of its own, which ends where the payload does.
#[test]
fn containers_can_hold_one_another() {
    let inner = streamed();
    let outer = container_to_vec(KIND, &(), inner.len() as u64, |out| out.bytes(&inner)).unwrap();
    let mut in_memory = parse(&outer).unwrap();
    let mut arriving = Reader::new(outer.as_slice(), 1 << 20).unwrap();
    skip(&mut in_memory, 1 << 20).unwrap();
    skip(&mut arriving, 1 << 20).unwrap();
    assert_eq!((in_memory.remaining(), arriving.remaining()), (0, 0));
    in_memory.finish_at_end().unwrap();
    arriving.finish_at_end().unwrap();

    // One that says it is longer than what holds it, and damage around it.
    let short = &inner[..inner.len() - 1];
    let bytes = container_to_vec(KIND, &(), short.len() as u64, |out| out.bytes(short)).unwrap();
    let mut reader = Reader::new(bytes.as_slice(), 1 << 20).unwrap();
    refused! { skip(&mut reader, 1 << 20) => WireError::Truncated { .. } }
    let mut damaged = outer;
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let mut reader = Reader::new(damaged.as_slice(), 1 << 20).unwrap();
    skip(&mut reader, 1 << 20).unwrap();
    assert!(matches!(reader.finish(), Err(WireError::ChecksumMismatch)));
}

#[test]
fn an_unread_payload_is_an_error() {
    let bytes = streamed();
    let reader = Reader::new(bytes.as_slice(), 1 << 20).unwrap();
    refused! { reader.finish() => WireError::TrailingBytes { found: 30, .. } }
}

#[test]
fn the_callers_maximum_holds() {
    let bytes = streamed();
    let len = bytes.len() as u64;
    assert!(skip(&mut bytes.as_slice(), len).is_ok());
    refused! { skip(&mut bytes.as_slice(), len - 1) => WireError::OutOfBounds { value, .. } if *value == len }
}

#[test]
fn foreign_input_is_named_even_when_short() {
    refused! {
        skip(&mut &b"GIF89a"[..], 1 << 20) => WireError::BadMagic { .. },
        skip(&mut &b""[..], 1 << 20) => WireError::Truncated { needed: 28, available: 0, .. },
    }
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
    let mut bytes = streamed();
    bytes[20..28].copy_from_slice(&(1u64 << 60).to_le_bytes());
    refused! { skip(&mut bytes.as_slice(), u64::MAX) => WireError::Truncated { .. } }
    let mut reader = Reader::new(bytes.as_slice(), u64::MAX).unwrap();
    refused! { reader.next_bytes(1 << 60) => WireError::Truncated { .. } }
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
        Reader::new(Broken, 1 << 20).err(),
        Some(WireError::Stream { source, .. })
            if source.kind() == std::io::ErrorKind::ConnectionReset
    ));
}

#[test]
fn an_interrupted_read_at_the_end_is_tried_again() {
    struct Interrupted<'a>(u32, &'a [u8]);
    impl Read for Interrupted<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 % 2 {
                1 => Err(ErrorKind::Interrupted.into()),
                _ => self.1.read(out),
            }
        }
    }
    expect_end(&mut Interrupted(0, &[])).unwrap();
    assert!(expect_end(&mut Interrupted(0, &[1])).is_err());
    let bytes = streamed();
    let mut reader = Reader::new(Interrupted(0, &bytes), 1 << 20).unwrap();
    reader.skip().unwrap();
    reader.finish_at_end().unwrap();
}
