//! The methods that every object of rows has.

/// Gives a type its methods for bytes, streams and files.
macro_rules! object_methods {
    ([$($generics:tt)*] $type:ty, $home:ty) => {
        impl<$($generics)*> $type {
            /// The object as one container.
            ///
            /// # Errors
            /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) if its dimensions are outside what readers accept or there
            /// is no memory; [`CkksErrorKind::Hal`](crate::CkksErrorKind::Hal) if it is on an engine that has failed.
            pub fn to_bytes(&self) -> $crate::Result<Vec<u8>> {
                super::to_bytes(self)
            }

            /// Writes the object as one container, row by row, and returns the bytes written. Small rows are small
            /// writes: wrap a file or a connection in a [`BufWriter`](std::io::BufWriter).
            ///
            /// # Errors
            /// As `to_bytes`, and if `out` fails.
            pub fn write_to(&self, out: &mut dyn std::io::Write) -> $crate::Result<u64> {
                super::write_to(self, out)
            }

            /// Bytes of the container that `to_bytes` and `write_to` make.
            ///
            /// # Errors
            /// As `to_bytes`.
            pub fn container_len(&self) -> $crate::Result<u64> {
                super::container_len(self)
            }

            /// Writes a file, whole or not at all ([`AtomicFile`](crate::wire::AtomicFile)), and returns its length.
            ///
            /// # Errors
            /// As `write_to`, naming the file, and
            /// [`WireError::AlreadyExists`](crate::wire::WireError::AlreadyExists) and
            /// [`WireError::Busy`](crate::wire::WireError::Busy).
            pub fn save(
                &self,
                path: impl AsRef<std::path::Path>,
                overwrite: $crate::wire::Overwrite,
            ) -> $crate::Result<u64> {
                let file = $crate::wire::AtomicFile::create(path, overwrite)?;
                super::save(file, |out| self.write_to(out))
            }

            /// Reads the object from one container, trusting nothing in it. Memory stays within a small multiple of
            /// `bytes`.
            ///
            /// # Errors
            /// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) says what is wrong with the bytes;
            /// [`CkksErrorKind::ParametersMismatch`](crate::CkksErrorKind::ParametersMismatch) if the object was made with
            /// other parameters; [`CkksErrorKind::Hal`](crate::CkksErrorKind::Hal) for a Galois element that the ring does not
            /// have, or if an engine fails.
            pub fn from_bytes(bytes: &[u8], home: $home) -> $crate::Result<Self> {
                super::from_bytes(bytes, home)
            }

            /// Reads one container from a stream and stops right after it. Memory grows with what arrives, not with
            /// what a header claims. Many small reads reach `input`: wrap a file or a connection in a
            /// [`BufReader`](std::io::BufReader).
            ///
            /// # Errors
            /// As `from_bytes`, and if `input` fails.
            pub fn read_from(input: impl std::io::Read, home: $home) -> $crate::Result<Self> {
                super::read_from(input, home)
            }

            /// Reads a file that `save` wrote.
            ///
            /// # Errors
            /// As `from_bytes`, naming the file, and if the file cannot be read.
            pub fn from_file(
                path: impl AsRef<std::path::Path>,
                home: $home,
            ) -> $crate::Result<Self> {
                super::from_file(path.as_ref(), |input| super::read_from(input, home))
            }
        }
    };
}

pub(super) use object_methods;
