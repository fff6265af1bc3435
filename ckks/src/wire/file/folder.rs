//! Folders that appear whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::WireError;
use super::lock::Lock;
use super::{PARTIAL, RANDOM, is_leftover, sync_folder};

/// Tries to remove a folder that others still write to.
const REMOVALS: usize = 3;

/// A folder that takes its place in one step, at whatever instant the process ends, and with it the place of the one that was there.
///
/// ```text
///   PARENT/.NAME.lock                  held from `create` to `commit`
///   PARENT/.NAME.XXXXXX.partial/NAME   what was made so far, for its owner only; changes places with PARENT/NAME in one step
/// ```
/// Files are made in [`AtomicFolder::folder`]. [`AtomicFolder::commit`] syncs it, lets it change places with what is there, syncs the
/// parent, and only then removes what was there. Dropped without that it leaves no trace. What a killed process left, new or old, is
/// removed by the next that makes NAME, which can name it ([`AtomicFolder::leftovers`]).
///
/// Where the system cannot exchange folders, the old one is first renamed to `PARENT/NAME.old-XXXXXX`: a process killed at that instant
/// leaves it there, for its owner to rename back.
///
/// No symbolic link is followed, neither at NAME nor below; folders that are not this user's are left alone.
#[derive(Debug)]
pub struct AtomicFolder {
    path: PathBuf,
    parent: PathBuf,
    staging: TempDir,
    folder: PathBuf,
    leftovers: Vec<PathBuf>,
    // Last: it is let go when the staging folder is gone.
    _lock: Lock,
}

impl AtomicFolder {
    /// Claims the folder at `path`, which may exist, and makes an empty one to fill. Folders above it are made, too.
    ///
    /// # Errors
    /// [`WireError::Busy`]; [`WireError::Io`] naming what the operating system refused: a link or a file at `path`, too.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, WireError> {
        let path = path.as_ref();
        let refused = |kind: ErrorKind| WireError::io("make a folder at", path, kind.into());
        let name = path
            .file_name()
            .ok_or_else(|| refused(ErrorKind::InvalidFilename))?;
        let there = path.symlink_metadata();
        if there.is_ok_and(|there| !there.is_dir()) {
            return Err(refused(ErrorKind::NotADirectory));
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent)
            .map_err(|source| WireError::io("make the folder", &parent, source))?;
        let lock = Lock::take(&parent, name, path)?;
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).rand_bytes(RANDOM).suffix(PARTIAL);
        super::set_mode(&mut builder, 0o700);
        let staging = builder
            .tempdir_in(&parent)
            .map_err(|source| WireError::io("make a temporary folder in", &parent, source))?;
        let leftovers = clear(&parent, &prefix, staging.path())?;
        let folder = staging.path().join(name);
        fs::create_dir(&folder)
            .map_err(|source| WireError::io("make the folder", &folder, source))?;
        Ok(Self {
            path: path.to_owned(),
            parent,
            staging,
            folder,
            leftovers,
            _lock: lock,
        })
    }

    /// Where the folder will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder to fill.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What processes that were killed had left, and is gone now.
    pub fn leftovers(&self) -> &[PathBuf] {
        &self.leftovers
    }

    /// Puts the folder in its place and removes what was there.
    ///
    /// # Errors
    /// [`WireError::Io`]. If it is the last step that fails, the new folder is in place, and the error names where the old one is.
    pub fn commit(self) -> Result<(), WireError> {
        self.commit_by(exchange)
    }

    fn commit_by(self, exchange: Exchange) -> Result<(), WireError> {
        sync_all(&self.folder)?;
        let set_aside = match self.path.symlink_metadata() {
            Ok(old) if old.is_dir() => {
                fs::set_permissions(&self.folder, old.permissions()).map_err(|source| {
                    WireError::io("set the permissions of", &self.folder, source)
                })?;
                self.replace(exchange)?
            }
            // Nothing is there, or what the system will refuse to replace.
            _ => {
                let moved = fs::rename(&self.folder, &self.path);
                moved.map_err(|source| {
                    WireError::io("move the finished folder to", &self.path, source)
                })?;
                None
            }
        };
        // Until the new folder's place is certain, the old one stays.
        if let Err(error) = sync_folder(&self.parent) {
            let _ = self.staging.keep();
            return Err(error);
        }
        if let Some(old) = set_aside {
            remove(&old)?;
        }
        remove(&self.staging.keep())
    }

    /// Changes places with what is there; returns where that is now, unless it is in the staging folder.
    fn replace(&self, exchange: Exchange) -> Result<Option<PathBuf>, WireError> {
        let failed =
            |source: io::Error| WireError::io("exchange the folder at", &self.path, source);
        match exchange(&self.folder, &self.path) {
            Ok(()) => return Ok(None),
            Err(error) if !is_unsupported(&error) => return Err(failed(error)),
            Err(_) => {}
        }
        let unique = self.staging.path().file_name().unwrap_or_default();
        let unique = unique.to_string_lossy();
        let unique = unique.trim_end_matches(PARTIAL);
        let unique = unique.rsplit('.').next().unwrap_or_default();
        let mut old = self.path.clone().into_os_string();
        old.push(format!(".old-{unique}"));
        let old = PathBuf::from(old);
        fs::rename(&self.path, &old).map_err(failed)?;
        fs::rename(&self.folder, &self.path).map_err(|source| {
            // Back to what was; if that fails, too, the error names the place that the folder had.
            let _ = fs::rename(&old, &self.path);
            failed(source)
        })?;
        Ok(Some(old))
    }
}

/// Removes a folder, links in it not followed, and what others who still have it open put there meanwhile.
fn remove(folder: &Path) -> Result<(), WireError> {
    for _ in 0..REMOVALS {
        if fs::remove_dir_all(folder).is_ok() || folder.symlink_metadata().is_err() {
            return Ok(());
        }
    }
    fs::remove_dir_all(folder).map_err(|source| WireError::io("remove", folder, source))
}

/// Lets two folders change places.
type Exchange = fn(&Path, &Path) -> io::Result<()>;

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether the system or this file system knows no exchange: old kernels answer that they have no such call or no such flag.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::InvalidInput
    )
}

/// Syncs a folder and all folders in it, the innermost first. Their files were synced when they were written.
fn sync_all(folder: &Path) -> Result<(), WireError> {
    let failed = |source| WireError::io("read", folder, source);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            sync_all(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// Removes what killed processes left of this folder, links not followed; `mine` is not among it.
fn clear(parent: &Path, prefix: &OsStr, mine: &Path) -> Result<Vec<PathBuf>, WireError> {
    let failed = |source| WireError::io("read", parent, source);
    let owned = mine.symlink_metadata().map_err(failed)?;
    let entries = match fs::read_dir(parent) {
        // A folder may be writable without being readable.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(vec![]),
        entries => entries.map_err(failed)?,
    };
    let mut removed = vec![];
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if !is_leftover(&entry.file_name(), prefix) || path.file_name() == mine.file_name() {
            continue;
        }
        // The entry itself, not what a link leads to.
        let Ok(there) = path.symlink_metadata() else {
            continue;
        };
        if there.is_dir() && same_owner(&there, &owned) {
            remove(&path)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

#[cfg(unix)]
fn same_owner(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    a.uid() == b.uid()
}

#[cfg(not(unix))]
fn same_owner(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn put(path: &Path, text: &str) -> Result<(), WireError> {
        let made = AtomicFolder::create(path)?;
        fs::create_dir(made.folder().join("inner")).unwrap();
        fs::write(made.folder().join("inner/x"), text).unwrap();
        made.commit()
    }

    #[test]
    fn a_folder_takes_the_place_of_another() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("above/keys");
        for text in ["old", "new"] {
            put(&path, text).unwrap();
            assert_eq!(fs::read_to_string(path.join("inner/x")).unwrap(), text);
            assert_eq!(listing(path.parent().unwrap()), ["keys"]);
        }
        let dropped = AtomicFolder::create(&path).unwrap();
        fs::write(dropped.folder().join("half"), "").unwrap();
        let busy = AtomicFolder::create(&path).unwrap_err();
        assert!(matches!(busy, WireError::Busy { .. }), "{busy}");
        drop(dropped);
        assert_eq!(listing(path.parent().unwrap()), ["keys"]);
        assert_eq!(fs::read_to_string(path.join("inner/x")).unwrap(), "new");
    }

    #[test]
    fn without_an_exchange_the_old_folder_is_set_aside_first() {
        let unsupported: Exchange = |_, _| Err(ErrorKind::Unsupported.into());
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("keys");
        put(&path, "old").unwrap();
        let made = AtomicFolder::create(&path).unwrap();
        fs::write(made.folder().join("x"), "new").unwrap();
        let set_aside = made.replace(unsupported).unwrap().unwrap();
        let name = set_aside.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("keys.old-") && name.len() == "keys.old-".len() + RANDOM);
        assert_eq!(
            fs::read_to_string(set_aside.join("inner/x")).unwrap(),
            "old"
        );
        assert_eq!(listing(&path), ["x"]);
        // Killed here, both are there; and the next run leaves the old one to its owner.
        drop(made);
        AtomicFolder::create(&path)
            .unwrap()
            .commit_by(unsupported)
            .unwrap();
        assert_eq!(listing(desk.path()), ["keys".to_owned(), name]);
        assert_eq!(listing(&path), [""; 0]);
        // A disk that fails in the exchange changes nothing.
        let full: Exchange = |_, _| Err(ErrorKind::StorageFull.into());
        let made = AtomicFolder::create(&path).unwrap();
        fs::write(made.folder().join("y"), "").unwrap();
        made.commit_by(full).unwrap_err();
        assert_eq!(listing(&path), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_s_links_are_followed_and_leftovers_are_named() {
        use std::os::unix::fs::symlink;
        let desk = tempfile::tempdir().unwrap();
        let path = |name: &str| desk.path().join(name);
        fs::create_dir(path("victim")).unwrap();
        fs::write(path("victim/secret"), "mine").unwrap();
        // A link where a leftover would be, one in a leftover, and one where the lock is.
        symlink(path("victim"), path(".keys.aaaaaa.partial")).unwrap();
        fs::create_dir(path(".keys.bbbbbb.partial")).unwrap();
        symlink(path("victim"), path(".keys.bbbbbb.partial/inner")).unwrap();
        let made = AtomicFolder::create(path("keys")).unwrap();
        assert_eq!(made.leftovers(), [path(".keys.bbbbbb.partial")]);
        made.commit().unwrap();
        assert_eq!(
            listing(desk.path()),
            [".keys.aaaaaa.partial", "keys", "victim"]
        );
        symlink(path("victim/secret"), path(".keys.lock")).unwrap();
        put(&path("keys"), "").unwrap_err();
        fs::remove_file(path(".keys.lock")).unwrap();
        // A link in the old folder goes, what it leads to stays; a link in the folder's place is no folder.
        symlink(path("victim"), path("keys/inner")).unwrap();
        put(&path("keys"), "").unwrap();
        symlink(path("victim"), path("other")).unwrap();
        put(&path("other"), "").unwrap_err();
        assert_eq!(fs::read_to_string(path("victim/secret")).unwrap(), "mine");
    }
}
