//! The container that every Arras object travels in, on disk and on the wire.
//!
//! ```text
//! offset  size
//!      0     8  magic          89 41 52 52 41 53 0d 0a   ("\x89ARRAS\r\n")
//!      8     2  version        u16                        FORMAT_VERSION
//!     10     2  kind           u16                        ObjectKind
//!     12     4  flags          u32                        zero
//!     16     4  header length  u32, H                     at most MAX_HEADER_LEN
//!     20     8  payload length u64, P
//!     28     H  header         postcard encoding of the kind's header struct, exactly H bytes
//!   28+H     P  payload        raw: rows of packed residues, packed ternary rows, seeds
//! 28+H+P    32  checksum       BLAKE3 of everything before it
//! ```
//!
//! What headers and payloads hold is in `docs/format.md` of the repository, byte by byte, with a reader in Python.
//!
//! All integers are little-endian. Nothing follows the checksum. The magic starts with a byte outside ASCII and ends
//! with a line break, so a transfer that strips the eighth bit or translates line ends is noticed at once.
//!
//! A row of residues is packed to the width of its modulus (`pack`):
//!
//! ```text
//! q = 5 (3 bits), residues 1 2 3 4
//!
//! byte 0 = 11 010 001              byte 1 = 0000 100 0
//!           |   |   +- residue 0              |    | +- high bit of residue 2
//!           |   +- residue 1                  |    +- residue 3
//!           +- low two bits of residue 2      +- zero padding
//! ```
//!
//! Every object has exactly one encoding: residues are below their modulus, padding bits are zero, the header is what
//! its own re-encoding gives, lengths are equal to what the header implies and flags are zero. Every reader treats its
//! input as hostile: lengths are compared with what remains before anything is allocated or hashed, and dimensions
//! are bounded.
//!
//! The checksum finds damage, not malice: anybody can compute it. Who may write a file is for the layer that moves it.
//!
//! # Writing and reading an object
//!
//! ```
//! use arras_ckks::wire::{ObjectKind, Reader, WireError, checked_rows_len, container_to_vec};
//!
//! let (n, moduli) = (4, [97u32, 193]);
//! let residues = [1u32, 2, 3, 96, 10, 20, 30, 192];
//! let payload_len = checked_rows_len(n, &moduli, 1)?;
//! let bytes = container_to_vec(ObjectKind::Plaintext, &(2u8, moduli), payload_len, |payload| {
//!     payload.residue_rows(n, &moduli, &residues)
//! })?;
//!
//! let mut reader = Reader::from_bytes(&bytes, ObjectKind::Plaintext)?;
//! let (log_n, moduli): (u8, [u32; 2]) = reader.header()?;
//! let n = 1usize << log_n;
//! reader.expect_payload_len(checked_rows_len(n, &moduli, 1)?)?;
//! let read = reader.residue_rows(n, &moduli, 1)?;
//! reader.finish()?;
//! assert_eq!(read, residues);
//! # Ok::<(), WireError>(())
//! ```
// Hostile input must not be able to reach a panicking index; the tests may index what they built.
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod container;
mod error;
mod file;
mod kind;
mod limits;
#[cfg(test)]
pub(crate) mod mutate;
mod objects;
mod pack;
mod reader;
mod ternary;
mod writer;

pub use container::{
    CHECKSUM_LEN, FORMAT_VERSION, MAGIC, MAX_HEADER_LEN, PREFIX_LEN, Prefix, container_len, peek,
};
pub use error::{Cause, WireError};
pub use file::{AtomicFile, AtomicFolder, Overwrite, open_file, read_bounded};
pub use kind::ObjectKind;
pub use limits::checked_rows_len;
pub use objects::{
    Inspection, KeySummary, ObjectBytes, ObjectSummary, ciphertext_bytes, evaluation_key_bytes,
    evaluation_key_set_bytes, evaluation_key_set_bytes_by_level, inspect, seeded_ciphertext_bytes,
};
pub use reader::Reader;
pub use writer::{PayloadWriter, container_to_vec, write_container};
