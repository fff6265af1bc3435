//! Secret keys: private files, and buffers that are overwritten.

use std::{
    io::{Read, Write},
    path::Path,
};

use arras_hal::{Named, SecretEngine};
use zeroize::Zeroizing;

use super::{
    super::{
        AtomicFile, Overwrite, PayloadWriter, Reader, WireError, container_to_vec, file,
        write_container,
    },
    header::{Fields, Header, SecretKeyFields},
    open_bytes, open_stream, save,
};
use crate::{Context, Result, SecretKey};

const READ: &str = "read a secret key";

/// More than the largest secret key: at N = 2^17 it is 32 KiB, and a specification is at most a few KiB.
const MOST: usize = 1 << 16;

fn read<S: SecretEngine, R: Read>(
    context: &Context<S>,
    mut payload: Reader<R>,
) -> Result<SecretKey<S>> {
    let mut coefficients = Zeroizing::new(vec![0; context.params().n()]);
    payload.ternary(&mut coefficients)?;
    payload.finish()?;
    SecretKey::from_coefficients(context, coefficients)
}

/// Bytes and files of secret keys, on engines that may hold secrets.
impl<S: SecretEngine> SecretKey<S> {
    fn head(&self) -> Result<(Header<SecretKeyFields>, u64)> {
        let params = self.context().params();
        let header = Header::new(params, SecretKeyFields);
        let len = header.fields.payload_len(params)?;
        Ok((header, len))
    }

    /// The key as one container, in memory that is overwritten when it is dropped.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) if there is no memory.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let (header, len) = self.head()?;
        let payload = |out: &mut PayloadWriter<'_>| out.ternary(self.coefficients());
        let bytes = container_to_vec(SecretKeyFields::KIND, &header, len, payload)?;
        Ok(Zeroizing::new(bytes))
    }

    /// Writes the key as one container and returns the bytes written. No copy stays behind in this process; what `out`
    /// does with the bytes is for the caller to know. For files use [`SecretKey::save`].
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_to(&self, out: &mut dyn Write) -> Result<u64> {
        let (header, len) = self.head()?;
        let payload = |out: &mut PayloadWriter<'_>| out.ternary(self.coefficients());
        Ok(write_container(
            out,
            SecretKeyFields::KIND,
            &header,
            len,
            payload,
        )?)
    }

    /// Writes a private file (mode 0600 on unix), whole or not at all, and returns its length.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`]; [`WireError::Busy`]; [`WireError::Io`] naming the file.
    pub fn save(&self, path: impl AsRef<Path>, overwrite: Overwrite) -> Result<u64> {
        save(AtomicFile::create_private(path, overwrite)?, |out| {
            self.write_to(out)
        })
    }

    /// Reads a key from one container, trusting nothing in it.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) says what is wrong with the bytes;
    /// [`CkksErrorKind::ParametersMismatch`](crate::CkksErrorKind::ParametersMismatch) if the key was made with other parameters; the
    /// engine's if it has no memory.
    pub fn from_bytes(bytes: &[u8], context: &Context<S>) -> Result<Self> {
        let (SecretKeyFields, payload) = open_bytes(bytes, context.params()).named(READ)?;
        read(context, payload)
    }

    /// Reads one container from a stream and stops right after it. The reader's own buffers, if it has any, are not
    /// overwritten.
    ///
    /// # Errors
    /// As [`SecretKey::from_bytes`], and if `input` fails.
    pub fn read_from(input: impl Read, context: &Context<S>) -> Result<Self> {
        let (SecretKeyFields, payload) = open_stream(input, context.params()).named(READ)?;
        read(context, payload)
    }

    /// Reads a file that [`SecretKey::save`] wrote.
    ///
    /// # Errors
    /// As [`SecretKey::from_bytes`], naming the file, and if the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>, context: &Context<S>) -> Result<Self> {
        let path = path.as_ref();
        // Allocated once, so that growth leaves no copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 1));
        file::open_file(path)?
            .take(MOST as u64)
            .read_to_end(&mut bytes)
            .map_err(|source| WireError::io("read", path, source))?;
        // A file that goes on is no secret key: its prefix says what it is, or that bytes follow.
        Self::from_bytes(&bytes, context).map_err(|error| error.in_file(path))
    }
}
