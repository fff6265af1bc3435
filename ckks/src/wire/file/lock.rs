//! One writer of a file at a time.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::WireError;

#[cfg(unix)]
const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// The right to make a file: a lock on an empty hidden file beside it, which is removed with the lock.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    exclusive: bool,
    _held: File,
}

impl Lock {
    /// Takes the lock of the file `name` in `folder`, or says who is in the way: another writer of `target`.
    pub(super) fn take(folder: &Path, name: &OsStr, target: &Path) -> Result<Self, WireError> {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".lock");
        let path = folder.join(hidden);
        loop {
            // Whoever made the folder may have put a link here: it is not followed.
            if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
                let kind = ErrorKind::AlreadyExists;
                return Err(WireError::io("take for a lock", &path, kind.into()));
            }
            let mut options = File::options();
            options.write(true).create(true).truncate(false);
            // Nor is one that is put here right now.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NO_LINK);
            let file = options
                .open(&path)
                .map_err(|source| WireError::io("create a temporary file in", folder, source))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(WireError::Busy {
                        path: target.to_owned(),
                    });
                }
                // A file system without locks: two writers may disturb each other, but not damage a file.
                Err(TryLockError::Error(_)) => return Ok(Self::of(path, file, false)),
            }
            // Between opening and locking, the one who held it may have removed it, and another made a new one.
            if is_still_at(&file, &path) {
                return Ok(Self::of(path, file, true));
            }
        }
    }

    fn of(path: PathBuf, held: File, exclusive: bool) -> Self {
        Self {
            path,
            exclusive,
            _held: held,
        }
    }

    /// Whether nobody else can hold it: the file system has locks.
    pub(super) fn is_exclusive(&self) -> bool {
        self.exclusive
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is let go, which happens when the file is closed.
        // One that cannot be removed is in nobody's way.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the open file is the one with this name.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether the open file is the one with this name: here an open file cannot be removed.
#[cfg(not(unix))]
fn is_still_at(_: &File, path: &Path) -> bool {
    path.exists()
}
