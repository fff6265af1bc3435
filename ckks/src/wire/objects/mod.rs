//! The objects of the scheme as containers.
//!
//! Every header starts with the full parameter specification, so that a file explains itself ([`inspect`]) and an
//! object is never read against other parameters than its own. The payload is rows of packed residues. All of it is in
//! `docs/format.md`, byte by byte.
//!
//! Numbers in a header are checked against the parameters and bounds of their own, and the payload's length
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
    io::{BufReader, Read, Write},
    path::Path,
};

use arras_hal::{Backend, Named};
use zeroize::Zeroizing;

use self::header::{Fields, Header};
use super::{
    AtomicFile, PayloadWriter, Prefix, Reader, WireError,
    container::encode_header,
    container_to_vec, file,
    reader::expect_end,
    write_container,
    writer::{container_digest, digest_of, hasher_of},
};
use crate::{
    CkksErrorKind, Context, Result, context::abbreviate, params::Parameters, params::ParametersSpec,
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

/// An object whose payload is rows of residues.
trait Object<'h>: Sized {
    /// The operation that errors name.
    const READ: &'static str;
    /// What its header says besides the parameters.
    type Fields: Fields;
    /// What it is read for.
    type Home: Home;

    fn params(&self) -> &Parameters;
    fn fields(&self) -> Self::Fields;
    fn rows(&self) -> Result<Vec<Rows<'_>>>;
    /// Reads the payload of a header that was checked.
    fn read<R: Read>(
        fields: Self::Fields,
        home: Self::Home,
        payload: &mut Reader<R>,
    ) -> Result<Self>;
}

/// The header of an object and the length of its payload.
fn head<'h, O: Object<'h>>(object: &O) -> Result<(Header<O::Fields>, u64)> {
    let header = Header::new(object.params(), object.fields());
    let len = header.fields.payload_len(object.params())?;
    Ok((header, len))
}

fn write_rows(n: usize, rows: &[Rows<'_>], out: &mut PayloadWriter<'_>) -> Result<(), WireError> {
    rows.iter()
        .try_for_each(|part| out.residue_rows(n, &part.moduli, &part.words))
}

fn container_len<'h, O: Object<'h>>(object: &O) -> Result<u64> {
    sizes::container_bytes(object.params(), object.fields())
}

fn to_bytes<'h, O: Object<'h>>(object: &O) -> Result<Vec<u8>> {
    let (header, len) = head(object)?;
    let (n, rows) = (object.params().n(), object.rows()?);
    Ok(container_to_vec(O::Fields::KIND, &header, len, |out| {
        write_rows(n, &rows, out)
    })?)
}

fn write_to<'h, O: Object<'h>>(object: &O, out: &mut dyn Write) -> Result<u64> {
    let (header, len) = head(object)?;
    let (n, rows) = (object.params().n(), object.rows()?);
    let payload = |out: &mut PayloadWriter<'_>| write_rows(n, &rows, out);
    Ok(write_container(
        out,
        O::Fields::KIND,
        &header,
        len,
        payload,
    )?)
}

/// BLAKE3 of the container that [`to_bytes`] makes.
fn digest<'h, O: Object<'h>>(object: &O) -> Result<[u8; 32]> {
    let (header, len) = head(object)?;
    let (n, rows) = (object.params().n(), object.rows()?);
    let payload = |out: &mut PayloadWriter<'_>| write_rows(n, &rows, out);
    Ok(container_digest(O::Fields::KIND, &header, len, payload)?)
}

/// A hasher at the payload of the container that an object of these fields has.
fn hasher_at_payload<F: Fields>(
    params: &Parameters,
    fields: F,
) -> Result<Zeroizing<blake3::Hasher>> {
    let len = fields.payload_len(params)?;
    let header = encode_header(F::KIND, &Header::new(params, fields))?;
    Ok(hasher_of(Prefix::of(F::KIND, &header, len), &header))
}

/// Fills a file and puts it in its place; errors name it.
fn save(mut file: AtomicFile, write: impl FnOnce(&mut AtomicFile) -> Result<u64>) -> Result<u64> {
    let written = write(&mut file).map_err(|error| error.in_file(file.path()))?;
    file.commit()?;
    Ok(written)
}

fn from_bytes<'h, O: Object<'h>>(bytes: &[u8], home: O::Home) -> Result<O> {
    let (fields, payload) = open_bytes(bytes, home.params()).named(O::READ)?;
    read(fields, home, payload)
}

fn read_from<'h, O: Object<'h>>(input: impl Read, home: O::Home) -> Result<O> {
    let (fields, payload) = open_stream(input, home.params()).named(O::READ)?;
    read(fields, home, payload)
}

fn read<'h, O: Object<'h>, R: Read>(
    fields: O::Fields,
    home: O::Home,
    mut payload: Reader<R>,
) -> Result<O> {
    let object = O::read(fields, home, &mut payload)?;
    payload.finish()?;
    Ok(object)
}

/// The checked header of a container in memory, and its payload.
fn open_bytes<'b, F: Fields>(
    bytes: &'b [u8],
    params: &Parameters,
) -> Result<(F, Reader<&'b [u8]>)> {
    checked(Reader::from_bytes(bytes, F::KIND)?, params)
}

/// The checked header of a container that arrives, and the rest of it.
///
/// The length needs no other bound: the payload's is what the header implies, and memory grows with what arrives.
fn open_stream<F: Fields, R: Read>(input: R, params: &Parameters) -> Result<(F, Reader<R>)> {
    let reader = Reader::new(input, u64::MAX)?;
    reader.prefix().expect_kind(F::KIND)?;
    checked(reader, params)
}

fn checked<F: Fields, R: Read>(reader: Reader<R>, params: &Parameters) -> Result<(F, Reader<R>)> {
    let header: Header<F> = reader.header()?;
    check_spec(params, &header.spec)?;
    reader.expect_payload_len(header.fields.payload_len(params)?)?;
    Ok((header.fields, reader))
}

/// Reads the one container in a file.
fn from_file<T>(path: &Path, read: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
    let mut input = BufReader::with_capacity(1 << 20, file::open_file(path)?);
    read(&mut input)
        .and_then(|object| {
            expect_end(&mut input)?;
            Ok(object)
        })
        .map_err(|error| error.in_file(path))
}

fn check_spec(given: &Parameters, found: &ParametersSpec) -> Result<()> {
    if given.spec() == found {
        return Ok(());
    }
    let found = found
        .fingerprint()
        .map_err(crate::params::ParamsError::from)?;
    Err(CkksErrorKind::ParametersMismatch {
        left: abbreviate(&given.fingerprint()),
        right: abbreviate(&found),
    }
    .into())
}
