//! Encrypted objects as bytes and files.
//!
//! A container ([`arras_ckks::wire`]) of kind `EncryptedArray` or `SeededEncryptedArray`: its header is the layout, its payload the
//! container of the ciphertexts, which says for which parameters they are.
//!
//! ```text
//!   prefix | header: layout | payload: prefix | header: parameters, level, .. | rows | checksum | checksum
//! ```
//! What is read may come from anybody: the layout passes [`Layout::check`], the ciphertexts pass the scheme's reader, which takes
//! memory in proportion to the bytes that are there, and their number must be the layout's.

use std::path::Path;

use arras_ckks::{
    Ciphertext, CkksError, Context, Parameters, SeededCiphertext,
    wire::{
        self, Container, ObjectKind, Overwrite, WireError, container_to_vec, read_container_file,
        write_atomically, write_container,
    },
};
use arras_hal::{Backend, Named};

use crate::{Encrypted, Layout, Result, SeededEncrypted, ToolkitError, ToolkitErrorKind};

fn wire_error(error: WireError) -> ToolkitError {
    CkksError::from(error).into()
}

fn to_bytes(kind: ObjectKind, layout: &Layout, ciphertexts: &[u8]) -> Result<Vec<u8>> {
    container_to_vec(kind, layout, ciphertexts.len() as u64, |payload| {
        payload.bytes(ciphertexts)
    })
    .map_err(wire_error)
}

fn save(
    kind: ObjectKind,
    layout: &Layout,
    ciphertexts: &[u8],
    path: &Path,
    overwrite: Overwrite,
) -> Result<u64> {
    write_atomically(path, overwrite, false, |out| {
        let len = ciphertexts.len() as u64;
        write_container(out, kind, layout, len, |payload| payload.bytes(ciphertexts))
    })
    .map_err(wire_error)
}

/// The checked layout and the container of the ciphertexts.
fn parse(bytes: &[u8], kind: ObjectKind) -> Result<(Layout, &[u8])> {
    let container = Container::parse_as(bytes, kind).map_err(wire_error)?;
    let layout: Layout = container.header().map_err(wire_error)?;
    layout.check().named("read an encrypted object")?;
    Ok((layout, container.payload()))
}

fn from_file<T>(path: &Path, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let bytes = read_container_file(path, u64::MAX).map_err(wire_error)?;
    read(&bytes).map_err(|error| {
        error.map_kind(|kind| match kind {
            ToolkitErrorKind::Ckks(CkksError::Wire(error)) => {
                CkksError::from(error.in_file(path)).into()
            }
            kind => kind,
        })
    })
}

macro_rules! methods {
    ([$($generics:tt)*] $type:ty, $ciphertext:ty, $home:ty, $kind:ident) => {
        impl<$($generics)*> $type {
            /// The object as one container.
            ///
            /// # Errors
            /// Those of the ciphertexts: no memory, an engine that has failed.
            pub fn to_bytes(&self) -> Result<Vec<u8>> {
                to_bytes(ObjectKind::$kind, self.layout(), &self.ciphertext().to_bytes()?)
            }

            /// Writes a file, whole or not at all ([`write_atomically`]), and returns its length.
            ///
            /// # Errors
            /// As `to_bytes`; [`WireError::AlreadyExists`]; what the operating system refused.
            pub fn save(&self, path: impl AsRef<Path>, overwrite: Overwrite) -> Result<u64> {
                let ciphertexts = self.ciphertext().to_bytes()?;
                let kind = ObjectKind::$kind;
                save(kind, self.layout(), &ciphertexts, path.as_ref(), overwrite)
            }

            /// Reads the object from one container, trusting nothing in it. Memory stays within a small multiple of `bytes`.
            ///
            /// # Errors
            /// [`CkksError::Wire`] says what is wrong with the bytes; [`ToolkitErrorKind::DoesNotFit`] refuses layouts that do not
            /// exist, [`ToolkitErrorKind::WrongInput`] ciphertexts that are not those of the layout;
            /// [`CkksError::ParametersMismatch`] if they were made with other parameters.
            pub fn from_bytes(bytes: &[u8], home: $home) -> Result<Self> {
                let (layout, ciphertexts) = parse(bytes, ObjectKind::$kind)?;
                Self::new(layout, <$ciphertext>::from_bytes(ciphertexts, home)?)
            }

            /// Reads a file that `save` wrote.
            ///
            /// # Errors
            /// As `from_bytes`, naming the file where the bytes are wrong, and if the file cannot be read.
            pub fn from_file(path: impl AsRef<Path>, home: $home) -> Result<Self> {
                from_file(path.as_ref(), |bytes| Self::from_bytes(bytes, home))
            }
        }
    };
}

methods!([B: Backend] Encrypted<B>, Ciphertext<B>, &Context<B>, EncryptedArray);
methods!([] SeededEncrypted, SeededCiphertext, &Parameters, SeededEncryptedArray);

/// What is in the container of an encrypted object.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Its layout.
    pub layout: Layout,
    /// Its ciphertexts.
    pub ciphertexts: wire::Inspection,
}

/// Says what an encrypted object is without a key and without knowing its parameters, after verifying everything but the rows
/// and whether the ciphertexts are as many as the layout's. [`wire::inspect`] tells encrypted objects from others.
///
/// # Errors
/// Those of [`Encrypted::from_bytes`] and [`wire::inspect`]; [`WireError::WrongKind`] for another object.
pub fn inspect(bytes: &[u8]) -> Result<Inspection> {
    let kind = match wire::peek(bytes).map_err(wire_error)?.kind {
        ObjectKind::SeededEncryptedArray => ObjectKind::SeededEncryptedArray,
        _ => ObjectKind::EncryptedArray,
    };
    let (layout, ciphertexts) = parse(bytes, kind)?;
    Ok(Inspection {
        layout,
        ciphertexts: wire::inspect(ciphertexts)?,
    })
}
