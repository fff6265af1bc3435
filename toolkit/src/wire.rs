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

use std::{io::Read, path::Path};

use arras_ckks::{
    CkksError,
    wire::{
        self, AtomicFile, ObjectKind, Overwrite, Reader, WireError, container_to_vec,
        write_container,
    },
};

use arras_hal::Named;

use crate::{CiphertextBatch, Layout, Result, ToolkitError, ToolkitErrorKind, WithLayout};

impl From<WireError> for ToolkitErrorKind {
    fn from(error: WireError) -> Self {
        CkksError::from(error).into()
    }
}

/// Names the file in which bytes are wrong.
fn in_file(error: ToolkitError, path: &Path) -> ToolkitError {
    error.map_kind(|kind| match kind {
        ToolkitErrorKind::Ckks(error) => error.in_file(path).into(),
        kind => kind,
    })
}

/// The checked layout, after which the container of the ciphertexts comes.
fn layout<R: Read>(reader: &Reader<R>) -> Result<Layout> {
    let layout: Layout = reader.header()?;
    layout.check().named("read an encrypted object")?;
    Ok(layout)
}

fn read<C: CiphertextBatch>(
    mut reader: Reader<impl Read>,
    home: C::Home<'_>,
) -> Result<WithLayout<C>> {
    let layout = layout(&reader)?;
    let ciphertext = C::read_from(&mut reader, home)?;
    reader.finish_at_end()?;
    WithLayout::new(layout, ciphertext)
}

impl<C: CiphertextBatch> WithLayout<C> {
    /// The object as one container.
    ///
    /// # Errors
    /// Those of the ciphertexts: no memory, an engine that has failed.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let ciphertexts = self.ciphertext().encode()?;
        let length = ciphertexts.len() as u64;
        container_to_vec(C::KIND, self.layout(), length, |payload| {
            Ok(payload.bytes(&ciphertexts)?)
        })
    }

    /// Writes a file, whole or not at all ([`AtomicFile`]), and returns its length.
    ///
    /// # Errors
    /// As `to_bytes`; [`WireError::AlreadyExists`]; [`WireError::Busy`]; what the operating system refused.
    pub fn save(&self, path: impl AsRef<Path>, overwrite: Overwrite) -> Result<u64> {
        let mut file = AtomicFile::create(path, overwrite)?;
        let ciphertexts = self.ciphertext().encode()?;
        let length = ciphertexts.len() as u64;
        let written = write_container(&mut file, C::KIND, self.layout(), length, |payload| {
            payload.bytes(&ciphertexts)
        })
        .map_err(|error: WireError| error.in_file(file.path()))?;
        file.commit()?;
        Ok(written)
    }

    /// Reads the object from one container, trusting nothing in it. Memory stays within a small multiple of `bytes`.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](arras_ckks::CkksErrorKind::Wire) says what is wrong with the bytes; [`ToolkitErrorKind::DoesNotFit`] refuses layouts that do not exist,
    /// [`ToolkitErrorKind::WrongInput`] ciphertexts that are not those of the layout; [`CkksErrorKind::ParametersMismatch`](arras_ckks::CkksErrorKind::ParametersMismatch) if they were made
    /// with other parameters.
    pub fn from_bytes(bytes: &[u8], home: C::Home<'_>) -> Result<Self> {
        read(Reader::from_bytes(bytes, C::KIND)?, home)
    }

    /// Reads a file that `save` wrote, as it comes from the disk.
    ///
    /// # Errors
    /// As `from_bytes`, naming the file where the bytes are wrong, and if the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>, home: C::Home<'_>) -> Result<Self> {
        let path = path.as_ref();
        let inner = || {
            let reader = Reader::open(path)?;
            reader.prefix().expect_kind(C::KIND)?;
            read(reader, home)
        };
        inner().map_err(|error| in_file(error, path))
    }
}

/// What is in the container of an encrypted object.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
/// Those of [`Encrypted::from_bytes`](crate::Encrypted::from_bytes) and [`wire::inspect`]; [`WireError::WrongKind`] for another object.
pub fn inspect(bytes: &[u8]) -> Result<Inspection> {
    let kind = match wire::peek(bytes)?.kind {
        ObjectKind::SeededEncryptedArray => ObjectKind::SeededEncryptedArray,
        _ => ObjectKind::EncryptedArray,
    };
    let reader = Reader::from_bytes(bytes, kind)?;
    Ok(Inspection {
        layout: layout(&reader)?,
        ciphertexts: wire::inspect(reader.payload())?,
    })
}
