//! Files: written whole or not at all, read within a bound.

mod folder;
mod lock;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use self::folder::AtomicFolder;
use self::lock::Lock;
use super::WireError;
use super::reader::append;

/// What to do when the file to be written exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it alone and return [`WireError::AlreadyExists`].
    Refuse,
    /// Replace it in one step: a reader sees the old file or the new one.
    Replace,
}

/// A file that appears whole or not at all, at whatever instant the process ends.
///
/// ```text
///   FOLDER/.NAME.lock            held from `create` to `commit`
///   FOLDER/.NAME.XXXXXX.partial  what was written so far; moved to FOLDER/NAME in one step
/// ```
/// It is claimed before what goes into it is computed: a second writer of the same file gets [`WireError::Busy`]. Written to as any
/// [`Write`], then put in its place by [`AtomicFile::commit`], which syncs file and folder. Dropped without that, or when anything
/// fails, it leaves no trace and the file at the path is as before. A process that is killed leaves the two hidden files behind; the
/// next that makes NAME removes them. A symbolic link at the path is replaced itself, not followed.
///
/// A private file can be read and written by its owner only, from the moment it is created (mode 0600 on unix; elsewhere the
/// folder's permissions decide), whatever the mode of a file it replaces; and its bytes go to the system without another copy in
/// this process. Any other file gets mode 0666 less the process's umask.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    folder: PathBuf,
    overwrite: Overwrite,
    out: BufWriter<NamedTempFile>,
    // Last: it is let go when the temporary file is gone.
    lock: Lock,
}

impl AtomicFile {
    /// Claims the file at `path`.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`] if `overwrite` refuses; [`WireError::Busy`]; [`WireError::Io`] naming what the operating system
    /// refused.
    pub fn create(path: impl AsRef<Path>, overwrite: Overwrite) -> Result<Self, WireError> {
        Self::claim(path.as_ref(), overwrite, 0o666, 1 << 20)
    }

    /// [`AtomicFile::create`] of a private file.
    ///
    /// # Errors
    /// As [`AtomicFile::create`].
    pub fn create_private(path: impl AsRef<Path>, overwrite: Overwrite) -> Result<Self, WireError> {
        Self::claim(path.as_ref(), overwrite, 0o600, 0)
    }

    fn claim(
        path: &Path,
        overwrite: Overwrite,
        mode: u32,
        buffer: usize,
    ) -> Result<Self, WireError> {
        let refused = |kind: ErrorKind| WireError::io("write a file at", path, kind.into());
        let name = path
            .file_name()
            .ok_or_else(|| refused(ErrorKind::InvalidFilename))?;
        // `commit` decides; this only spares the work of making a file that will be refused.
        if overwrite == Overwrite::Refuse && path.symlink_metadata().is_ok() {
            return Err(WireError::AlreadyExists {
                path: path.to_owned(),
            });
        }
        if path.is_dir() {
            return Err(refused(ErrorKind::IsADirectory));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let lock = Lock::take(&folder, name, path)?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        clear(&folder, &prefix)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).rand_bytes(RANDOM).suffix(PARTIAL);
        set_mode(&mut builder, mode);
        let temporary = builder
            .tempfile_in(&folder)
            .map_err(|source| WireError::io("create a temporary file in", &folder, source))?;
        Ok(Self {
            path: path.to_owned(),
            folder,
            overwrite,
            out: BufWriter::with_capacity(buffer, temporary),
            lock,
        })
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether no other writer can claim the file meanwhile. On a file system without locks one can; each still writes a whole file.
    pub fn is_exclusive(&self) -> bool {
        self.lock.is_exclusive()
    }

    /// Puts the file in its place.
    ///
    /// With [`Overwrite::Refuse`] the check and the move are one step where the platform has one.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`] if somebody else has put a file there meanwhile; [`WireError::Io`]. If only the last step fails,
    /// syncing the folder, the file is in place.
    pub fn commit(self) -> Result<(), WireError> {
        let path = &self.path;
        let temporary = self
            .out
            .into_inner()
            .map_err(|error| WireError::io("write to", path, error.into_error()))?;
        temporary
            .as_file()
            .sync_all()
            .map_err(|source| WireError::io("sync", path, source))?;
        let persisted = match self.overwrite {
            Overwrite::Replace => temporary.persist(path),
            Overwrite::Refuse => match temporary.persist_noclobber(path) {
                // A file system that can neither link nor move without replacing.
                Err(failed)
                    if failed.error.kind() != ErrorKind::AlreadyExists
                        && path.symlink_metadata().is_err() =>
                {
                    failed.file.persist(path)
                }
                other => other,
            },
        };
        match persisted {
            Ok(_) => sync_folder(&self.folder),
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => {
                Err(WireError::AlreadyExists { path: self.path })
            }
            Err(failed) => Err(WireError::io(
                "move the finished file to",
                path,
                failed.error,
            )),
        }
    }

    /// Writes `bytes` and commits.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn write_and_commit(mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.write_all(bytes)
            .map_err(|source| WireError::io("write to", &self.path, source))?;
        self.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Random characters in the name of a temporary file; none of them is a dot.
const RANDOM: usize = 6;
const PARTIAL: &str = ".partial";

/// Whether this is a name that a temporary file or folder with this prefix has. It can be told from those of any other prefix, because
/// what stands between prefix and suffix has no dot.
fn is_leftover(name: &std::ffi::OsStr, prefix: &std::ffi::OsStr) -> bool {
    let random = name
        .as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes())
        .and_then(|rest| rest.strip_suffix(PARTIAL.as_bytes()));
    random.is_some_and(|r| r.len() == RANDOM && !r.contains(&b'.'))
}

/// Removes what a killed process left of this file.
fn clear(folder: &Path, prefix: &std::ffi::OsStr) -> Result<(), WireError> {
    let failed = |source| WireError::io("read", folder, source);
    let entries = match std::fs::read_dir(folder) {
        // A folder may be writable without being readable.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_ours = is_leftover(&entry.file_name(), prefix);
        // A link or a folder of that name is not.
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|source| WireError::io("remove", &path, source))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(builder: &mut tempfile::Builder<'_, '_>, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
fn set_mode(_: &mut tempfile::Builder<'_, '_>, _: u32) {}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), WireError> {
    use ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    // Some network file systems have no such operation, and a folder may be writable without being readable.
    let harmless = [InvalidInput, Unsupported, PermissionDenied];
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(source) if !harmless.contains(&source.kind()) => {
            Err(WireError::io("sync the folder", folder, source))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), WireError> {
    Ok(())
}

/// Opens a file to read it. A pipe that nobody writes to is empty; it does not keep its reader waiting for a writer.
///
/// # Errors
/// [`WireError::Io`], naming the file.
pub fn open_file(path: &Path) -> Result<File, WireError> {
    open_without_waiting(path).map_err(|source| WireError::io("open", path, source))
}

#[cfg(unix)]
fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use std::os::unix::fs::OpenOptionsExt;
    let no_wait = OFlags::NONBLOCK;
    let mut options = File::options();
    options
        .read(true)
        .custom_flags(no_wait.bits().cast_signed());
    let file = options.open(path)?;
    // Only opening: what a writer has yet to write is waited for.
    fcntl_setfl(&file, fcntl_getfl(&file)?.difference(no_wait))?;
    Ok(file)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// Reads a file of at most `most` bytes, of any format. Memory grows with what is read.
///
/// # Errors
/// [`WireError::FileTooLong`], [`WireError::OutOfMemory`] or [`WireError::Io`].
pub fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    // One byte more than is accepted: a file that delivers it is too long.
    match append(
        &mut open_file(path)?,
        &mut bytes,
        most.saturating_add(1),
        "file",
    ) {
        Err(WireError::Truncated { .. }) => Ok(bytes),
        Ok(()) => Err(WireError::FileTooLong {
            path: path.to_owned(),
            most,
        }),
        Err(WireError::Stream { source, .. }) => Err(WireError::io("read", path, source)),
        Err(error) => Err(error.in_file(path)),
    }
}
