//! The objects of the scheme as containers.
//!
//! Every header starts with the full parameter specification, so that a file explains itself ([`inspect`]) and an
//! object is never read against other parameters than its own. The payload is rows of packed residues:
//!
//! | kind | header, after the specification | payload |
//! |---|---|---|
//! | parameter set | | |
//! | secret key | | N ternary coefficients, 2 bits each |
//! | public key | seed | `[limb][N]` of b, all limbs but the special ones after the first |
//! | switching key | kind, level budget, seed | `[digit][limb][N]` of b |
//! | evaluation key set | a list of the above | the keys' payloads, one after the other |
//! | plaintext | level, weights or not, batch | `[batch][limb][N]` |
//! | ciphertext | level, batch, components, pending, limbs | `[component][batch][limb][N]` |
//! | seeded ciphertext | level, batch, seed | `[batch][limb][N]` of component 0 |
//!
//! Numbers in a header are checked against the parameters and [`Limits`](super::Limits), and the payload's length
//! against what they imply, before anything of that size is allocated. Writers apply the same checks, so that what was
//! written can be read. Reading holds at most 8 times the input and 64 KiB in memory, besides what the parameters that are
//! read for call for (a secret key is expanded over all primes, a loaded evaluation key over both halves).

mod ciphertexts;
mod header;
mod inspect;
mod keys;
mod methods;
mod parameters;
mod secret_key;
mod sizes;
#[cfg(test)]
mod tests;

pub use inspect::{Inspection, KeySummary, ObjectSummary, inspect};
pub use sizes::{
    ObjectBytes, ciphertext_bytes, evaluation_key_bytes, evaluation_key_set_bytes,
    evaluation_key_set_bytes_by_level, seeded_ciphertext_bytes,
};

use std::{
    borrow::Cow,
    fs::File,
    io::{BufReader, Read, Write},
    path::Path,
};

use arras_hal::{Backend, Named};

use self::header::Header;
use super::{
    Container, ContainerReader, Overwrite, PayloadRead, PayloadRows, PayloadWriter, WireError,
    container_to_vec, write_atomically, write_container,
};
use crate::{
    CkksError, CkksErrorKind, Context, Result, context::abbreviate, params::Parameters,
    params::ParametersSpec,
};

/// What an object is read for: parameters, or a context that has them.
trait Home: Copy {
    fn params(&self) -> &Parameters;
}

impl Home for &Parameters {
    fn params(&self) -> &Parameters {
        self
    }
}

impl<B: Backend> Home for &Context<B> {
    fn params(&self) -> &Parameters {
        Context::params(self)
    }
}

/// Rows to be written, `[polys][moduli][N]`.
struct Rows<'a> {
    moduli: Vec<u32>,
    words: Cow<'a, [u32]>,
}

/// A payload that may have arrived already.
trait Source: PayloadRead {
    /// Whether this many bytes are known to be there.
    fn holds(&self, bytes: u64) -> bool;
}

impl Source for PayloadRows<'_> {
    fn holds(&self, bytes: u64) -> bool {
        bytes <= self.remaining() as u64
    }
}

impl<R: Read> Source for ContainerReader<R> {
    fn holds(&self, _: u64) -> bool {
        false
    }
}

/// An object whose payload is rows of residues.
trait Object<'h>: Sized {
    /// The operation that errors name.
    const READ: &'static str;
    /// Its header.
    type Header: Header;
    /// What it is read for.
    type Home: Home;

    fn params(&self) -> &Parameters;
    fn header(&self) -> Self::Header;
    fn rows(&self) -> Result<Vec<Rows<'_>>>;
    /// Reads the payload of a header that was checked.
    fn read(header: Self::Header, home: Self::Home, payload: &mut impl Source) -> Result<Self>;
}

fn write_rows(n: usize, rows: &[Rows<'_>], out: &mut PayloadWriter<'_>) -> Result<(), WireError> {
    rows.iter()
        .try_for_each(|part| out.residue_rows(n, &part.moduli, &part.words))
}

fn to_bytes<'h, O: Object<'h>>(object: &O) -> Result<Vec<u8>> {
    let (header, params) = (object.header(), object.params());
    let len = header.payload_len(params)?;
    let rows = object.rows()?;
    Ok(container_to_vec(O::Header::KIND, &header, len, |out| {
        write_rows(params.n(), &rows, out)
    })?)
}

fn write_to<'h, O: Object<'h>>(object: &O, out: &mut dyn Write) -> Result<u64> {
    let (header, params) = (object.header(), object.params());
    let len = header.payload_len(params)?;
    let rows = object.rows()?;
    Ok(write_container(
        out,
        O::Header::KIND,
        &header,
        len,
        |out| write_rows(params.n(), &rows, out),
    )?)
}

fn save<'h, O: Object<'h>>(object: &O, path: &Path, overwrite: Overwrite) -> Result<u64> {
    let (header, params) = (object.header(), object.params());
    let len = header.payload_len(params)?;
    let rows = object.rows()?;
    Ok(write_atomically(path, overwrite, false, |out| {
        write_container(out, O::Header::KIND, &header, len, |out| {
            write_rows(params.n(), &rows, out)
        })
    })?)
}

fn from_bytes<'h, O: Object<'h>>(bytes: &[u8], home: O::Home) -> Result<O> {
    let container = Container::parse_as(bytes, O::Header::KIND)?;
    let header: O::Header = container.header()?;
    container.expect_payload_len(checked_len(O::READ, &header, home.params())?)?;
    let mut rows = container.rows();
    let object = O::read(header, home, &mut rows)?;
    rows.finish()?;
    Ok(object)
}

fn read_from<'h, O: Object<'h>, R: Read>(input: R, home: O::Home) -> Result<(O, R)> {
    let (header, mut reader) = open_stream::<O::Header, R>(O::READ, input, home.params())?;
    let object = O::read(header, home, &mut reader)?;
    Ok((object, reader.finish()?))
}

/// The checked header of a container that arrives, and the rest of it.
///
/// The length needs no other bound: the payload's is what the header implies, and memory grows with what arrives.
fn open_stream<H: Header, R: Read>(
    op: &'static str,
    input: R,
    params: &Parameters,
) -> Result<(H, ContainerReader<R>)> {
    let reader = ContainerReader::new(input, u64::MAX)?;
    reader.prefix().expect_kind(H::KIND)?;
    let header: H = reader.header()?;
    reader.expect_payload_len(checked_len(op, &header, params)?)?;
    Ok((header, reader))
}

/// Reads the one container in a file.
fn from_file<T>(path: &Path, read: impl FnOnce(&mut BufReader<File>) -> Result<T>) -> Result<T> {
    let file = File::open(path).map_err(|source| WireError::io("open", path, source))?;
    let mut input = BufReader::with_capacity(1 << 20, file);
    read(&mut input)
        .and_then(|object| {
            expect_end(&mut input)?;
            Ok(object)
        })
        .map_err(|error| error.in_file(path))
}

fn expect_end(input: &mut impl Read) -> Result<(), WireError> {
    let mut one = [0];
    loop {
        return match input.read(&mut one) {
            Ok(0) => Ok(()),
            Ok(_) => Err(WireError::TrailingBytes {
                what: "file, after its container,",
                expected: 0,
                found: 1,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => Err(WireError::Stream {
                operation: "read from",
                source,
            }),
        };
    }
}

/// The payload length that a header implies, after everything in it was checked.
fn checked_len<H: Header>(op: &'static str, header: &H, params: &Parameters) -> Result<u64> {
    check_spec(op, params, header.spec())?;
    header.payload_len(params)
}

fn check_spec(op: &'static str, given: &Parameters, found: &ParametersSpec) -> Result<()> {
    if given.spec() == found {
        return Ok(());
    }
    let found = found
        .fingerprint()
        .map_err(crate::params::ParamsError::from)?;
    let kind = CkksErrorKind::ParametersMismatch {
        left: abbreviate(&given.fingerprint()),
        right: abbreviate(&found),
    };
    Err(CkksError::from(kind).named(op))
}

/// The next rows of a payload, `[polys][moduli][n]`. Memory grows with what has arrived.
fn read_rows(
    payload: &mut impl Source,
    n: usize,
    moduli: &[u32],
    polys: usize,
) -> Result<Vec<u32>, WireError> {
    /// Residues reserved ahead of those that have arrived: 16 KiB.
    const AHEAD: usize = 1 << 12;
    let bytes = super::checked_rows_len(n, moduli, polys)?;
    let overflow = WireError::SizeOverflow {
        what: "rows of residues",
    };
    let total = n
        .checked_mul(moduli.len())
        .and_then(|poly| poly.checked_mul(polys))
        .ok_or(overflow)?;
    let first = if payload.holds(bytes) {
        total
    } else {
        total.min(AHEAD)
    };
    let no_memory = |_| WireError::OutOfMemory {
        what: "rows of residues",
        bytes: total as u64 * 4,
    };
    let mut words = Vec::new();
    words.try_reserve_exact(first).map_err(no_memory)?;
    for _ in 0..polys {
        for &modulus in moduli {
            let start = words.len();
            words.try_reserve(n).map_err(no_memory)?;
            words.resize(start + n, 0);
            if let Some(row) = words.get_mut(start..) {
                payload.residues(modulus, row)?;
            }
        }
    }
    Ok(words)
}
