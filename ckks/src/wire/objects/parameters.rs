//! Parameter sets.

use std::{
    io::{Read, Write},
    path::Path,
};

use super::{
    super::{
        AtomicFile, ObjectKind, Overwrite, Reader, WireError, container_to_vec, write_container,
    },
    from_file, save,
};
use crate::{
    Result,
    params::{Parameters, ParametersSpec, ParamsError},
};

const KIND: ObjectKind = ObjectKind::Parameters;

pub(super) type Validate = fn(ParametersSpec) -> Result<Parameters, ParamsError>;

fn read<R: Read>(reader: Reader<R>, validate: Validate) -> Result<Parameters> {
    reader.expect_payload_len(0)?;
    let spec: ParametersSpec = reader.header()?;
    reader.finish()?;
    Ok(validate(spec)?)
}

pub(super) fn read_stream(input: impl Read, validate: Validate) -> Result<Parameters> {
    let reader = Reader::new(input, u64::MAX)?;
    reader.prefix().expect_kind(KIND)?;
    read(reader, validate)
}

/// Bytes and files. The methods that read refuse sets without security; those named `.._allowing_insecure` are for
/// tests: who calls them on input from elsewhere lets that input switch encryption off.
impl Parameters {
    /// The set as one container.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) if there is no memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(container_to_vec(KIND, self.spec(), 0, |_| {
            Ok::<_, WireError>(())
        })?)
    }

    /// Writes the set as one container and returns the bytes written.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_to(&self, out: &mut dyn Write) -> Result<u64> {
        write_container(out, KIND, self.spec(), 0, |_| Ok(()))
    }

    /// Writes a file, whole or not at all, and returns its length.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`]; [`WireError::Busy`]; [`WireError::Io`] naming the file.
    pub fn save(&self, path: impl AsRef<Path>, overwrite: Overwrite) -> Result<u64> {
        save(AtomicFile::create(path, overwrite)?, |out| {
            self.write_to(out)
        })
    }

    /// Reads a set from one container and validates it; insecure sets are refused.
    ///
    /// # Errors
    /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) says what is wrong with the bytes, a [`ParamsError`] what is wrong
    /// with the set.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read(Reader::from_bytes(bytes, KIND)?, Self::try_from)
    }

    /// [`Parameters::from_bytes`] that accepts sets without any security
    /// ([`Parameters::from_spec_allowing_insecure`]). **For tests only.**
    ///
    /// # Errors
    /// As [`Parameters::from_bytes`].
    pub fn from_bytes_allowing_insecure(bytes: &[u8]) -> Result<Self> {
        read(
            Reader::from_bytes(bytes, KIND)?,
            Self::from_spec_allowing_insecure,
        )
    }

    /// Reads one container from a stream and stops right after it; insecure sets are refused.
    ///
    /// # Errors
    /// As [`Parameters::from_bytes`], and if `input` fails.
    pub fn read_from(input: impl Read) -> Result<Self> {
        read_stream(input, Self::try_from)
    }

    /// Reads a file that [`Parameters::save`] wrote; insecure sets are refused.
    ///
    /// # Errors
    /// As [`Parameters::from_bytes`], naming the file, and if the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        from_file(path.as_ref(), |input| read_stream(input, Self::try_from))
    }

    /// [`Parameters::from_file`] that accepts sets without any security
    /// ([`Parameters::from_spec_allowing_insecure`]). **For tests only.**
    ///
    /// # Errors
    /// As [`Parameters::from_file`].
    pub fn from_file_allowing_insecure(path: impl AsRef<Path>) -> Result<Self> {
        from_file(path.as_ref(), |input| {
            read_stream(input, Self::from_spec_allowing_insecure)
        })
    }
}
