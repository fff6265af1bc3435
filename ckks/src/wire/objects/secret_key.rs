//! Secret keys: private files, and buffers that are overwritten.

use std::{
    io::{Read, Write},
    path::Path,
};

use arras_hal::SecretEngine;
use zeroize::Zeroizing;

use super::{
    super::{
        Container, Overwrite, PayloadRead, PayloadWriter, WireError, container_to_vec,
        read_secret_bounded, write_atomically, write_container,
    },
    checked_len,
    header::{Header, SecretKeyHeader},
    open_stream,
};
use crate::{Context, Result, SecretKey};

const READ: &str = "read a secret key";

/// More than the largest secret key: at N = 2^17 it is 32 KiB, and a specification is at most a few KiB.
const MOST: usize = 1 << 16;

fn read<S: SecretEngine>(
    context: &Context<S>,
    payload: &mut impl PayloadRead,
) -> Result<SecretKey<S>> {
    let mut coefficients = Zeroizing::new(vec![0; context.params().n()]);
    payload.ternary(&mut coefficients)?;
    SecretKey::from_coefficients(context, coefficients)
}

/// Bytes and files of secret keys, on engines that may hold secrets.
impl<S: SecretEngine> SecretKey<S> {
    fn encoded(&self) -> Result<(SecretKeyHeader, u64)> {
        let params = self.context().params();
        let header = SecretKeyHeader {
            spec: params.spec().clone(),
        };
        let len = header.payload_len(params)?;
        Ok((header, len))
    }

    fn write_payload(&self, out: &mut PayloadWriter<'_>) -> Result<(), WireError> {
        out.ternary(self.coefficients())
    }

    /// The key as one container, in memory that is overwritten when it is dropped.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) if there is no memory.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let (header, len) = self.encoded()?;
        let write = |out: &mut PayloadWriter<'_>| self.write_payload(out);
        Ok(Zeroizing::new(container_to_vec(
            SecretKeyHeader::KIND,
            &header,
            len,
            write,
        )?))
    }

    /// Writes the key as one container and returns the bytes written. No copy stays behind in this process; what `out`
    /// does with the bytes is for the caller to know. For files use [`SecretKey::save`].
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_to(&self, out: &mut dyn Write) -> Result<u64> {
        let (header, len) = self.encoded()?;
        let write = |out: &mut PayloadWriter<'_>| self.write_payload(out);
        Ok(write_container(
            out,
            SecretKeyHeader::KIND,
            &header,
            len,
            write,
        )?)
    }

    /// Writes a private file (mode 0600 on unix), whole or not at all, and returns its length.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`]; [`WireError::Io`] naming the file.
    pub fn save(&self, path: impl AsRef<Path>, overwrite: Overwrite) -> Result<u64> {
        let (header, len) = self.encoded()?;
        Ok(write_atomically(path.as_ref(), overwrite, true, |out| {
            write_container(out, SecretKeyHeader::KIND, &header, len, |out| {
                self.write_payload(out)
            })
        })?)
    }

    /// Reads a key from one container, trusting nothing in it.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) says what is wrong with the bytes; [`CkksErrorKind::ParametersMismatch`](crate::CkksErrorKind::ParametersMismatch) if the key was made with
    /// other parameters; the engine's if it has no memory.
    pub fn from_bytes(bytes: &[u8], context: &Context<S>) -> Result<Self> {
        let container = Container::parse_as(bytes, SecretKeyHeader::KIND)?;
        let header: SecretKeyHeader = container.header()?;
        container.expect_payload_len(checked_len(READ, &header, context.params())?)?;
        let mut payload = container.rows();
        let key = read(context, &mut payload)?;
        payload.finish()?;
        Ok(key)
    }

    /// Reads one container from a stream and stops right after it. The reader's own buffers, if it has any, are not
    /// overwritten.
    ///
    /// # Errors
    /// As [`SecretKey::from_bytes`], and if `input` fails.
    pub fn read_from(input: impl Read, context: &Context<S>) -> Result<Self> {
        let (_, mut payload) = open_stream::<SecretKeyHeader, _>(READ, input, context.params())?;
        let key = read(context, &mut payload)?;
        payload.finish()?;
        Ok(key)
    }

    /// Reads a file that [`SecretKey::save`] wrote.
    ///
    /// # Errors
    /// As [`SecretKey::from_bytes`], naming the file, and if the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>, context: &Context<S>) -> Result<Self> {
        let path = path.as_ref();
        // A longer file is no secret key: its prefix says what it is.
        let bytes = match read_secret_bounded(path, MOST) {
            Err(WireError::FileTooLong { .. }) => {
                return super::from_file(path, |input| Self::read_from(input, context));
            }
            bytes => bytes?,
        };
        Self::from_bytes(&bytes, context).map_err(|error| error.in_file(path))
    }
}
