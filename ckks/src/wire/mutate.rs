//! Damage to valid containers, for tests: what a hostile or broken sender might send.
//!
//! A [`Mutator`] is a pure function of (seed, index): mutant `index` can be made again alone. Two kinds of mutants
//! matter. With a stale checksum they test the container; with a fresh one ([`refresh_checksum`]) they reach the reader
//! of the object, so three of four get a fresh one. Mutations lean to what readers trust: the length fields and the
//! varints of the header (dimensions, lists of limbs, lengths of lists).
//!
//! [`drive`] runs a reader over many mutants. The reader returns the re-encoding of what it accepted, and `drive`
//! insists that it is the mutant itself: whatever is accepted has one encoding.

use std::ops::Range;

use super::{CHECKSUM_LEN, PREFIX_LEN};

mod drive;

// Readers of objects drive their own tests with these.
#[allow(unused_imports)]
pub(crate) use drive::{Tally, drive};

/// Replaces the last 32 bytes by the checksum of the others. Does nothing to shorter inputs.
pub(crate) fn refresh_checksum(bytes: &mut [u8]) {
    if let Some((signed, checksum)) = bytes.split_last_chunk_mut::<CHECKSUM_LEN>() {
        *checksum = *blake3::hash(signed).as_bytes();
    }
}

/// One damaged container, and how it came to be.
pub(crate) struct Mutant {
    /// The bytes to read.
    pub(crate) bytes: Vec<u8>,
    /// Whether the checksum was computed again after the damage.
    pub(crate) fresh_checksum: bool,
    /// What was done, in order.
    pub(crate) steps: Vec<String>,
}

/// Makes [`Mutant`]s of valid containers.
pub(crate) struct Mutator {
    state: u64,
}

/// Values that readers get wrong: signs, widths (`!0 >> 32` is the largest `u32`), powers of two and the limits of this crate.
const EXTREMES: [u64; 22] = [
    0,
    1,
    2,
    3,
    17,
    18,
    63,
    64,
    127,
    128,
    255,
    256,
    257,
    1 << 15,
    1 << 16,
    131_073,
    1 << 20,
    !0 >> 32,
    1 << 32,
    !0 >> 1,
    1 << 63,
    !0,
];

const EXTREME_BYTES: [u8; 10] = [0, 1, 2, 0x7f, 0x80, 0x81, 0xaa, 0xfe, 0xff, 0x40];

impl Mutator {
    /// The mutator of mutant `index` of the sequence of `seed`.
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        let mut mutator = Self {
            state: seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        mutator.next();
        mutator
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if that is 0.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % (bound.max(1) as u64)) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A mutant of `valid`, by one to three steps; `donors` are other containers to splice from.
    pub(crate) fn mutate(&mut self, valid: &[u8], donors: &[Vec<u8>]) -> Mutant {
        let mut bytes = valid.to_vec();
        let mut steps = Vec::new();
        let fresh_checksum = self.below(4) != 0;
        for _ in 0..1 + self.below(3) * self.below(2) {
            steps.push(self.step(&mut bytes, donors));
        }
        if fresh_checksum {
            refresh_checksum(&mut bytes);
        }
        Mutant {
            bytes,
            fresh_checksum,
            steps,
        }
    }

    fn step(&mut self, bytes: &mut Vec<u8>, donors: &[Vec<u8>]) -> String {
        match self.below(16) {
            0 | 1 => self.flip_bit(bytes),
            2 => self.overwrite(bytes),
            3 => self.truncate(bytes),
            4 => self.extend(bytes),
            5 => self.splice(bytes, donors),
            6 | 7 => self.prefix_field(bytes),
            8..=11 => self.header_varint(bytes),
            12 => self.header_bytes(bytes),
            13 => self.resize_payload(bytes),
            _ => self.payload_values(bytes),
        }
    }

    fn flip_bit(&mut self, bytes: &mut [u8]) -> String {
        let (at, bit) = (self.below(bytes.len()), self.below(8));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        format!("flip bit {bit} of byte {at}")
    }

    fn overwrite(&mut self, bytes: &mut [u8]) -> String {
        let (at, value) = (self.below(bytes.len()), self.pick(&EXTREME_BYTES));
        let len = self.pick(&[1usize, 1, 2, 4, 8]);
        for byte in bytes.iter_mut().skip(at).take(len) {
            *byte = value;
        }
        format!("set {len} bytes at {at} to {value:#04x}")
    }

    fn truncate(&mut self, bytes: &mut Vec<u8>) -> String {
        let len = if self.below(2) == 0 {
            bytes.len().saturating_sub(1 + self.below(64))
        } else {
            self.below(bytes.len())
        };
        bytes.truncate(len);
        format!("truncate to {len}")
    }

    fn extend(&mut self, bytes: &mut Vec<u8>) -> String {
        let (count, value) = (1 + self.below(100), self.pick(&EXTREME_BYTES));
        bytes.extend(std::iter::repeat_n(value, count));
        format!("append {count} bytes {value:#04x}")
    }

    fn splice(&mut self, bytes: &mut Vec<u8>, donors: &[Vec<u8>]) -> String {
        let own = bytes.clone();
        let donor = match self.below(donors.len() + 1) {
            0 => &own,
            i => &donors[i - 1],
        };
        let start = self.below(donor.len());
        let end = start + self.below(donor.len() - start + 1).min(1 + self.below(200));
        let at = self.below(bytes.len() + 1);
        // Replace a piece of the same length, insert, or replace everything from here.
        let until = match self.below(3) {
            0 => (at + end - start).min(bytes.len()),
            1 => at,
            _ => bytes.len(),
        };
        bytes.splice(at..until, donor[start..end].iter().copied());
        format!("replace {at}..{until} by {start}..{end} of a donor")
    }

    /// An extreme value, or one near `old`.
    fn value_near(&mut self, old: u64) -> u64 {
        match self.below(8) {
            0 => old.wrapping_add(1),
            1 => old.wrapping_sub(1),
            2 => old.wrapping_mul(2),
            3 => old / 2,
            4 => old ^ 1 << self.below(64),
            _ => self.pick(&EXTREMES),
        }
    }

    /// Version, kind, flags, header length or payload length; the lengths most often.
    fn prefix_field(&mut self, bytes: &mut [u8]) -> String {
        let at = self.pick(&[8, 10, 10, 12, 16, 16, 20, 20]);
        let len = match at {
            8 | 10 => 2,
            12 | 16 => 4,
            _ => 8,
        };
        let Some(field) = bytes.get_mut(at..at + len) else {
            return "nothing: no prefix".into();
        };
        let mut wide = [0; 8];
        wide[..len].copy_from_slice(field);
        let value = if at == 10 {
            self.below(12) as u64
        } else {
            self.value_near(u64::from_le_bytes(wide))
        };
        field.copy_from_slice(&value.to_le_bytes()[..len]);
        format!("set the {len}-byte field at {at} to {value}")
    }

    /// Where the header is, as far as the length field can be believed.
    fn header_range(bytes: &[u8]) -> Range<usize> {
        let len = bytes
            .get(16..20)
            .map_or(0, |f| u32::from_le_bytes([f[0], f[1], f[2], f[3]]) as usize);
        let end = bytes.len().saturating_sub(CHECKSUM_LEN).max(PREFIX_LEN);
        PREFIX_LEN..PREFIX_LEN.saturating_add(len).min(end)
    }

    /// Puts `new` in the place of `at` and, usually, the length field right again.
    fn replace_in_header(&mut self, bytes: &mut Vec<u8>, at: Range<usize>, new: &[u8]) -> bool {
        let grown = (new.len() as i64) - (at.len() as i64);
        bytes.splice(at, new.iter().copied());
        let consistent = self.below(8) != 0;
        if consistent && let Some(field) = bytes.get_mut(16..20) {
            let old = i64::from(u32::from_le_bytes([field[0], field[1], field[2], field[3]]));
            field.copy_from_slice(&((old + grown) as u32).to_le_bytes());
        }
        consistent
    }

    /// Replaces a varint of the header by another value, now and then in more bytes than it needs.
    fn header_varint(&mut self, bytes: &mut Vec<u8>) -> String {
        let header = Self::header_range(bytes);
        if header.is_empty() || bytes.len() < header.end {
            return "nothing: no header".into();
        }
        let mut start = header.start + self.below(header.len());
        // Back to the first byte of this varint: a byte without the top bit ends the one before it.
        while start > header.start && bytes[start - 1] & 0x80 != 0 {
            start -= 1;
        }
        let len = bytes[start..header.end]
            .iter()
            .position(|byte| byte & 0x80 == 0)
            .map_or(header.end - start, |last| last + 1);
        let old = bytes[start..start + len]
            .iter()
            .rev()
            .fold(0u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
        let value = self.value_near(old);
        let mut varint = Vec::new();
        let mut rest = value;
        while rest >= 0x80 {
            varint.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        varint.push(rest as u8);
        let overlong = self.below(8) == 0;
        if overlong && let Some(last) = varint.last_mut() {
            *last |= 0x80;
            varint.push(0);
        }
        let consistent = self.replace_in_header(bytes, start..start + len, &varint);
        format!(
            "header varint at {start}: {old} becomes {value} (overlong {overlong}, length fixed {consistent})"
        )
    }

    /// Removes, doubles or inserts a few bytes of the header.
    fn header_bytes(&mut self, bytes: &mut Vec<u8>) -> String {
        let header = Self::header_range(bytes);
        if header.is_empty() || bytes.len() < header.end {
            return "nothing: no header".into();
        }
        let start = header.start + self.below(header.len());
        let end = (start + 1 + self.below(8)).min(header.end);
        let (what, new) = match self.below(3) {
            0 => ("removed", Vec::new()),
            1 => ("doubled", bytes[start..end].repeat(2)),
            _ => ("replaced", vec![self.pick(&EXTREME_BYTES); self.below(12)]),
        };
        let consistent = self.replace_in_header(bytes, start..end, &new);
        format!("header bytes {start}..{end} {what} (length fixed {consistent})")
    }

    /// Makes the payload longer or shorter and its length field agree.
    fn resize_payload(&mut self, bytes: &mut Vec<u8>) -> String {
        let payload = Self::payload_range(bytes);
        if bytes.len() < payload.end + CHECKSUM_LEN {
            return "nothing: no payload".into();
        }
        let at = payload.start + self.below(payload.len() + 1);
        let grown = if self.below(2) == 0 {
            let count = 1 + self.below(64);
            bytes.splice(at..at, std::iter::repeat_n(0, count));
            count as i64
        } else {
            let end = (at + 1 + self.below(64)).min(payload.end);
            bytes.drain(at..end.max(at));
            -((end.max(at) - at) as i64)
        };
        let len = (payload.len() as i64 + grown) as u64;
        bytes[20..28].copy_from_slice(&len.to_le_bytes());
        format!("payload resized by {grown} at {at}")
    }

    fn payload_range(bytes: &[u8]) -> Range<usize> {
        let start = Self::header_range(bytes).end;
        start..bytes.len().saturating_sub(CHECKSUM_LEN).max(start)
    }

    /// A run of set bits in the payload: residues above their modulus, the fourth ternary code, padding.
    fn payload_values(&mut self, bytes: &mut [u8]) -> String {
        let payload = Self::payload_range(bytes);
        let len = self.pick(&[1usize, 4, 5, 8]);
        let at = payload.start
            + match self.below(3) {
                0 => payload.len().saturating_sub(len),
                _ => self.below(payload.len()),
            };
        let value = self.pick(&[0xffu8, 0xff, 0x80, 0xaa, 0]);
        for byte in bytes.iter_mut().take(payload.end).skip(at).take(len) {
            *byte = value;
        }
        format!("payload: {len} bytes at {at} set to {value:#04x}")
    }
}
