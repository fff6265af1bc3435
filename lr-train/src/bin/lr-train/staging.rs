//! Outputs that are whole or absent, at whatever instant the process ends.
//!
//! ```text
//!   FOLDER/.NAME.partial/lock     held while NAME is being made
//!   FOLDER/.NAME.partial/NAME     the finished file, moved to FOLDER/NAME in one step
//!   FOLDER/.NAME.partial/.arras-* the file being written
//! ```
//! A process that is killed leaves the folder `.NAME.partial` behind; the next one that makes NAME empties it. The lock tells a folder
//! that was left behind from one in use.

use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use arras::ckks::wire::WireError;

use crate::failure::Failure;

/// The right to make an output.
#[derive(Debug)]
pub(crate) struct Staging {
    target: PathBuf,
    folder: PathBuf,
    name: PathBuf,
    replace: bool,
    lock: Option<File>,
}

impl Staging {
    /// Claims an output and clears what an earlier process left of it.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`] without `force`, [`Failure::Busy`], [`Failure::Io`].
    pub(crate) fn claim(target: &Path, force: bool) -> Result<Self, Failure> {
        let Some(name) = target.file_name() else {
            return Err(Failure::Usage(format!(
                "--out {}: name a file",
                target.display()
            )));
        };
        if !force && target.symlink_metadata().is_ok() {
            return Err(WireError::AlreadyExists {
                path: target.to_owned(),
            }
            .into());
        }
        if target.is_dir() {
            return Err(Failure::File {
                path: target.to_owned(),
                reason: "is a folder; name a file".into(),
            });
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut folder = std::ffi::OsString::from(".");
        folder.push(name);
        folder.push(".partial");
        let folder = parent.join(folder);
        let lock = lock(&folder, target)?;
        let this = Self {
            target: target.to_owned(),
            name: folder.join(name),
            folder,
            replace: force,
            lock: Some(lock),
        };
        this.clear()?;
        Ok(this)
    }

    /// Where to write. The file there need not be written in one step.
    pub(crate) fn path(&self) -> &Path {
        &self.name
    }

    /// Moves the finished file into its place.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`] if somebody else has put a file there meanwhile; [`Failure::Io`].
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let failed = Failure::io("move the finished file to", &self.target);
        if self.replace {
            fs::rename(&self.name, &self.target).map_err(failed)?;
        } else {
            // A link, unlike a move, refuses to replace; file systems without links get the move.
            match fs::hard_link(&self.name, &self.target) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(WireError::AlreadyExists {
                        path: self.target.clone(),
                    }
                    .into());
                }
                Err(_) => fs::rename(&self.name, &self.target).map_err(failed)?,
            }
        }
        if let Some(parent) = self.folder.parent()
            && let Ok(parent) = File::open(parent)
        {
            // Not every system can sync a folder; the file is complete either way.
            let _ = parent.sync_all();
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), Failure> {
        let failed = || Failure::io("clear", &self.folder);
        for entry in fs::read_dir(&self.folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            if entry.file_name() != "lock" {
                fs::remove_file(entry.path()).map_err(failed())?;
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next process that makes this output.
        let _ = self.clear();
        let _ = fs::remove_file(self.folder.join("lock"));
        let _ = fs::remove_dir(&self.folder);
        self.lock = None;
    }
}

fn lock(folder: &Path, target: &Path) -> Result<File, Failure> {
    let path = folder.join("lock");
    loop {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(Failure::io("create", folder)(error));
            }
            _ => {}
        }
        let file = match File::create(&path) {
            // Another process finished and took the folder away.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(Failure::io("create", &path))?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Busy {
                    path: target.to_owned(),
                });
            }
            // A file system without locks: two processes may disturb each other, but not damage an output.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
        // Between creating and locking, the one who held it may have removed it, and another made one anew.
        if is_still_at(&file, &path) {
            return Ok(file);
        }
    }
}

/// Whether the open file is the one with this name.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether the open file is the one with this name: here an open file cannot be removed.
#[cfg(not(unix))]
fn is_still_at(_: &File, path: &Path) -> bool {
    path.exists()
}
