//! What can be wrong with a container, its payload or its file.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::{BOUNDED_VERSION, FORMAT_VERSION, MAX_HEADER_LEN, ObjectKind};

/// Why an object could not be written or read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The first eight bytes are not those of an Arras container.
    #[error(
        "not an Arras file: it starts with {found:02x?}, an Arras file with \"\\x89ARRAS\\r\\n\"; \
         choose a file that arras wrote, and move files in binary mode"
    )]
    BadMagic {
        /// The bytes found, at most eight.
        found: Vec<u8>,
    },
    /// The container was written in a format that this build does not read.
    #[error(
        "the container has format version {found}; this build reads version {FORMAT_VERSION}, and {BOUNDED_VERSION} of values: \
         use the release that wrote it, or write the object again"
    )]
    UnsupportedVersion {
        /// The version found.
        found: u16,
    },
    /// The number in the kind field stands for no object that this build knows.
    #[error("the container holds an object of kind {found}, which this build does not know")]
    UnknownKind {
        /// The number found.
        found: u16,
    },
    /// The container is sound but holds something else.
    #[error(
        "this is the wrong object: {found}, where {expected} is expected; pass the file that holds the {expected}"
    )]
    WrongKind {
        /// What the reader wanted.
        expected: ObjectKind,
        /// What the container holds.
        found: ObjectKind,
    },
    /// A reserved flag is set.
    #[error("the container sets the flags {found:#010x}; format version {FORMAT_VERSION} has none")]
    UnknownFlags {
        /// The flags found.
        found: u32,
    },
    /// Values with a bound that is no number or that their level cannot hold.
    #[error(
        "the container says that its values are at most {found:e}; bounds are from 0 to below {most:.4e}, what the level holds: \
         make the file again"
    )]
    ValueBound {
        /// The bound found.
        found: f32,
        /// What a bound may be, at most.
        most: f64,
    },
    /// The input ends too early.
    #[error(
        "the {what} is cut short: {needed} bytes are needed, {available} are there; copy the file again"
    )]
    Truncated {
        /// What ends too early.
        what: &'static str,
        /// Bytes needed.
        needed: u64,
        /// Bytes there.
        available: u64,
    },
    /// The input goes on after its end.
    #[error(
        "the {what} ends after {expected} bytes, but at least {found} are there; copy the file again"
    )]
    TrailingBytes {
        /// What has bytes after its end.
        what: &'static str,
        /// Where it should end.
        expected: u64,
        /// Bytes seen, at least one more than expected.
        found: u64,
    },
    /// The bytes changed after they were written.
    #[error(
        "the container's checksum does not match its bytes: it was damaged; copy or write the file again"
    )]
    ChecksumMismatch,
    /// A number is outside what this build accepts.
    #[error("the {what} is {value}; at least {least} and at most {most} are accepted")]
    OutOfBounds {
        /// What the number says.
        what: &'static str,
        /// The number found.
        value: u64,
        /// The least accepted.
        least: u64,
        /// The most accepted.
        most: u64,
    },
    /// A size does not fit in 64 bits, or in this machine's address space.
    #[error(
        "the size of the {what} does not fit this machine's integers; use fewer polynomials or limbs"
    )]
    SizeOverflow {
        /// What is too large.
        what: &'static str,
    },
    /// The machine refused the memory for an object of an accepted size.
    #[error("no memory for the {bytes} bytes of the {what}")]
    OutOfMemory {
        /// What needed the memory.
        what: &'static str,
        /// How much.
        bytes: u64,
    },
    /// The header is not the postcard encoding of the struct that the kind calls for.
    #[error("the header of the {kind} cannot be decoded ({source}); write the object again")]
    HeaderMalformed {
        /// The kind of the container.
        kind: ObjectKind,
        /// The decoder's reason.
        source: postcard::Error,
    },
    /// The header decodes, but is not the one encoding of what it decodes to.
    #[error(
        "the header of the {kind} is {found} bytes that are not the canonical encoding of what they say \
         (that has {canonical}); write the object again"
    )]
    HeaderNotCanonical {
        /// The kind of the container.
        kind: ObjectKind,
        /// Its header length.
        found: usize,
        /// The length of the canonical encoding.
        canonical: usize,
    },
    /// The header to be written cannot be encoded.
    #[error(
        "the header of the {kind} cannot be encoded in at most {MAX_HEADER_LEN} bytes: {source}"
    )]
    HeaderUnencodable {
        /// The kind of the container.
        kind: ObjectKind,
        /// The encoder's reason.
        source: postcard::Error,
    },
    /// The payload's length differs from what the header (or the writer's caller) implies.
    #[error("the payload has {found} bytes, but its dimensions imply {implied}")]
    PayloadLength {
        /// The length the dimensions imply.
        implied: u64,
        /// The length found or written.
        found: u64,
    },
    /// A residue is not below its modulus.
    #[error("residue {residue} at index {index} of row {row} is not below its modulus {modulus}")]
    NonCanonicalResidue {
        /// The row, counted from the start of the payload.
        row: u64,
        /// The index in the row.
        index: usize,
        /// The residue found.
        residue: u32,
        /// The row's modulus.
        modulus: u32,
    },
    /// A row's last byte has bits set past the last value.
    #[error("row {row} has nonzero padding bits after its last value")]
    NonzeroPadding {
        /// The row, counted from the start of the payload.
        row: u64,
    },
    /// A ternary row holds something other than -1, 0 and 1. The position is not named: the row is secret.
    #[error("ternary row {row} holds a value other than -1, 0 and 1")]
    NotTernary {
        /// The row, counted from the start of the payload.
        row: u64,
    },
    /// A modulus is too small to have residues.
    #[error("modulus {modulus} has no residues to pack; moduli are at least 2")]
    BadModulus {
        /// The modulus given.
        modulus: u32,
    },
    /// Two lengths that must agree do not.
    #[error("the {what} has length {found}, expected {expected}")]
    DimensionMismatch {
        /// What has the wrong length.
        what: &'static str,
        /// The length expected.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// The limbs of an object are not those that its level allows.
    #[error(
        "the {kind} lists limb {limb} at position {position}; the limbs of its level are {first} to {last}, in \
         ascending order"
    )]
    LimbList {
        /// The kind of the container.
        kind: ObjectKind,
        /// The position of the first limb at fault.
        position: usize,
        /// The limb found there.
        limb: u16,
        /// The first limb of the level.
        first: usize,
        /// The last limb of the level.
        last: usize,
    },
    /// The file to be written exists and must not be replaced.
    #[error("{} exists already; name another file, or write with Overwrite::Replace", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// Another writer, of this process or another, is making the file.
    #[error("{}: another process is writing this file; wait for it or name another output", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file is longer than its reader accepts.
    #[error("{} is longer than the {most} bytes accepted here", path.display())]
    FileTooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes accepted.
        most: u64,
    },
    /// The operating system refused an operation on a file.
    #[error("cannot {operation} {}: {source}; {advice}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A stream without a name failed.
    #[error("cannot {operation} the stream: {source}; {}", advice_for(source))]
    Stream {
        /// What was tried.
        operation: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The contents of a file are at fault.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<WireError>,
    },
}

/// Where the cause of a [`WireError`] lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// In what was to be read: it is damaged, something else, or of another version.
    Contents,
    /// In what was to be written: the caller's numbers make no container.
    Caller,
    /// In the operating system, or in another process.
    System,
    /// In the machine's memory.
    Memory,
}

/// That a number is among those accepted.
pub(super) fn check_bounds(
    what: &'static str,
    value: u64,
    accepted: RangeInclusive<u64>,
) -> Result<(), WireError> {
    if accepted.contains(&value) {
        return Ok(());
    }
    let (least, most) = accepted.into_inner();
    Err(WireError::OutOfBounds {
        what,
        value,
        least,
        most,
    })
}

/// That a length is the one that is needed.
pub(super) fn check_len(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), WireError> {
    if expected == found {
        return Ok(());
    }
    Err(WireError::DimensionMismatch {
        what,
        expected,
        found,
    })
}

/// What a person can do about a system error.
fn advice_for(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path, and create the folder first",
        io::ErrorKind::PermissionDenied => "check who owns the file and its folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space or choose another disk, then try again"
        }
        io::ErrorKind::ReadOnlyFilesystem => "choose a folder that can be written to",
        io::ErrorKind::IsADirectory => "name a file, not a folder",
        io::ErrorKind::NotADirectory => "a part of the path is a file, not a folder",
        io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput => "choose another file name",
        _ => "try again, or use another disk",
    }
}

impl WireError {
    /// Where the cause lies, for a program that decides what to do without knowing every error.
    pub fn cause(&self) -> Cause {
        match self {
            Self::BadMagic { .. }
            | Self::UnsupportedVersion { .. }
            | Self::UnknownKind { .. }
            | Self::WrongKind { .. }
            | Self::UnknownFlags { .. }
            | Self::ValueBound { .. }
            | Self::Truncated { .. }
            | Self::TrailingBytes { .. }
            | Self::ChecksumMismatch
            | Self::OutOfBounds { .. }
            | Self::SizeOverflow { .. }
            | Self::HeaderMalformed { .. }
            | Self::HeaderNotCanonical { .. }
            | Self::PayloadLength { .. }
            | Self::NonCanonicalResidue { .. }
            | Self::NonzeroPadding { .. }
            | Self::NotTernary { .. }
            | Self::LimbList { .. }
            | Self::FileTooLong { .. } => Cause::Contents,
            Self::HeaderUnencodable { .. }
            | Self::BadModulus { .. }
            | Self::DimensionMismatch { .. } => Cause::Caller,
            Self::AlreadyExists { .. }
            | Self::Busy { .. }
            | Self::Io { .. }
            | Self::Stream { .. } => Cause::System,
            Self::OutOfMemory { .. } => Cause::Memory,
            Self::InFile { source, .. } => source.cause(),
        }
    }

    /// An error of the operating system on `path`, with advice chosen by its kind.
    pub(crate) fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            operation,
            path: path.to_owned(),
            advice: match (operation, source.kind()) {
                ("open" | "read", io::ErrorKind::NotFound) => "check the path",
                _ => advice_for(&source),
            },
            source,
        }
    }

    /// Names the file in which this error came up: a nameless stream becomes the file, anything wrong with the
    /// bytes is wrapped, and errors that name a path already stay as they are.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Stream { operation, source } => Self::io(operation, path, source),
            named @ (Self::Io { .. }
            | Self::InFile { .. }
            | Self::AlreadyExists { .. }
            | Self::Busy { .. }
            | Self::FileTooLong { .. }) => named,
            contents => Self::InFile {
                path: path.to_owned(),
                source: Box::new(contents),
            },
        }
    }

    /// Replaces the row of an error in a single row, which knows itself only as row 0.
    pub(crate) fn at_row(mut self, number: u64) -> Self {
        if let Self::NonCanonicalResidue { row, .. }
        | Self::NonzeroPadding { row }
        | Self::NotTernary { row } = &mut self
        {
            *row = number;
        }
        self
    }
}

/// What goes wrong when a container is written to a stream.
impl From<io::Error> for WireError {
    fn from(source: io::Error) -> Self {
        Self::Stream {
            operation: "write to",
            source,
        }
    }
}
