//! Files: written whole or not at all, read within a bound.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::stream::append;
use super::{WireError, read_container};

/// What to do when the file to be written exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it alone and return [`WireError::AlreadyExists`].
    Refuse,
    /// Replace it in one step: a reader sees the old file or the new one.
    Replace,
}

/// Writes a file whole or not at all.
///
/// `write` fills a temporary file in the folder of `path`, which is flushed, synced to the disk and then renamed to
/// `path`; on unix the folder is synced too. If anything fails, the temporary file is removed and `path` is as before.
/// (A process killed on the way leaves a file `.arras-*.partial` behind, which may be deleted.) A symbolic link at
/// `path` is replaced itself, not followed.
///
/// With [`Overwrite::Refuse`] the check and the rename are one step where the platform has one, so of two writers one
/// gets the error.
///
/// A `private` file can be read and written by its owner only, from the moment it is created (mode 0600 on unix;
/// elsewhere the folder's permissions decide), whatever the mode of a file it replaces; and its bytes go to the
/// system without another copy in this process. Any other file gets mode 0666 less the process's umask.
///
/// # Errors
/// What `write` returns, with `path` added ([`WireError::in_file`]); [`WireError::AlreadyExists`]; [`WireError::Io`]
/// naming what the operating system refused. If only the last step fails, syncing the folder, the file is in place.
pub fn write_atomically<T>(
    path: &Path,
    overwrite: Overwrite,
    private: bool,
    write: impl FnOnce(&mut dyn Write) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let folder = folder_of(path)?;
    // The decision is made by the rename below; this only spares the work of writing a file that will be refused.
    if overwrite == Overwrite::Refuse && path.symlink_metadata().is_ok() {
        return Err(WireError::AlreadyExists {
            path: path.to_owned(),
        });
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".arras-").suffix(".partial");
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt;
        std::fs::Permissions::from_mode(if private { 0o600 } else { 0o666 })
    };
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut temporary = builder
        .tempfile_in(&folder)
        .map_err(|source| WireError::io("create a temporary file in", &folder, source))?;

    let file = temporary.as_file_mut();
    let result = if private {
        write(file)
    } else {
        let mut buffered = BufWriter::with_capacity(1 << 20, file);
        write(&mut buffered).and_then(|value| {
            buffered.flush()?;
            Ok(value)
        })
    }
    .map_err(|error| error.in_file(path))?;
    temporary
        .as_file()
        .sync_all()
        .map_err(|source| WireError::io("sync", path, source))?;

    let persisted = match overwrite {
        Overwrite::Refuse => temporary.persist_noclobber(path),
        Overwrite::Replace => temporary.persist(path),
    };
    if let Err(failed) = persisted {
        if overwrite == Overwrite::Refuse
            && failed.error.kind() == std::io::ErrorKind::AlreadyExists
        {
            return Err(WireError::AlreadyExists {
                path: path.to_owned(),
            });
        }
        return Err(WireError::io(
            "move the finished file to",
            path,
            failed.error,
        ));
    }
    sync_folder(&folder)?;
    Ok(result)
}

fn folder_of(path: &Path) -> Result<PathBuf, WireError> {
    if path.file_name().is_none() {
        return Err(WireError::io(
            "write a file at",
            path,
            std::io::ErrorKind::InvalidFilename.into(),
        ));
    }
    Ok(match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    })
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), WireError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        Ok(()) => Ok(()),
        // Some network file systems have no such operation, and a folder may be writable without being readable.
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::InvalidInput
                    | std::io::ErrorKind::Unsupported
                    | std::io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        Err(source) => Err(WireError::io("sync the folder", folder, source)),
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), WireError> {
    Ok(())
}

fn open(path: &Path) -> Result<File, WireError> {
    File::open(path).map_err(|source| WireError::io("open", path, source))
}

fn check_end(input: &mut impl Read, path: &Path, read: u64) -> Result<(), WireError> {
    let mut one = [0u8; 1];
    match input.read(&mut one) {
        Ok(0) => Ok(()),
        Ok(_) => Err(WireError::TrailingBytes {
            what: "container",
            expected: read,
            found: read.saturating_add(1),
        }
        .in_file(path)),
        Err(source) => Err(WireError::io("read", path, source)),
    }
}

/// Reads a file of at most `most` bytes, of any format. Memory grows with what is read.
///
/// # Errors
/// [`WireError::FileTooLong`], [`WireError::OutOfMemory`] or [`WireError::Io`].
pub fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    // One byte more than is accepted: a file that delivers it is too long.
    match append(&mut open(path)?, &mut bytes, most.saturating_add(1), "file") {
        Err(WireError::Truncated { .. }) => Ok(bytes),
        Ok(()) => Err(WireError::FileTooLong {
            path: path.to_owned(),
            most,
        }),
        Err(WireError::Stream { source, .. }) => Err(WireError::io("read", path, source)),
        Err(error) => Err(error.in_file(path)),
    }
}

/// Reads a file of at most `most` bytes into memory that is zeroized when it is dropped. The buffer is allocated once
/// at its final size of `most` bytes, so that no copies are left behind by growth: `most` is to be the largest size of
/// the object in question, not a generous guess.
///
/// # Errors
/// Those of [`read_bounded`].
pub fn read_secret_bounded(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let mut file = open(path)?;
    let mut bytes = Zeroizing::new(Vec::new());
    bytes
        .try_reserve_exact(most)
        .map_err(|_| WireError::OutOfMemory {
            what: "file",
            bytes: most as u64,
        })?;
    bytes.resize(most, 0);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(WireError::io("read", path, source)),
        }
    }
    bytes.truncate(filled);
    if filled == most {
        check_end(&mut file, path, most as u64).map_err(|error| match error {
            WireError::InFile { .. } => WireError::FileTooLong {
                path: path.to_owned(),
                most: most as u64,
            },
            system => system,
        })?;
    }
    Ok(bytes)
}

/// Reads a file that is one container of at most `most` bytes, and nothing after it. A file of another format is
/// refused after its first bytes. The container is not verified yet: pass the bytes to [`super::Container::parse`].
///
/// # Errors
/// Those of [`read_container`] and [`WireError::TrailingBytes`], naming the file; [`WireError::Io`].
pub fn read_container_file(path: &Path, most: u64) -> Result<Vec<u8>, WireError> {
    let mut file = open(path)?;
    let bytes = read_container(&mut file, most).map_err(|error| error.in_file(path))?;
    check_end(&mut file, path, bytes.len() as u64)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{Container, ObjectKind, container_to_vec, write_container};
    use super::*;

    fn files_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn put(path: &Path, overwrite: Overwrite, text: &[u8]) -> Result<(), WireError> {
        write_atomically(path, overwrite, false, |out| Ok(out.write_all(text)?))
    }

    #[test]
    fn a_container_goes_to_a_file_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.arras");
        let written = write_atomically(&path, Overwrite::Refuse, false, |out| {
            write_container(out, ObjectKind::Model, &7u8, 5, |payload| {
                payload.bytes(b"hello")
            })
        })
        .unwrap();
        let bytes = read_container_file(&path, 1 << 20).unwrap();
        assert_eq!(bytes.len() as u64, written);
        assert_eq!(Container::parse(&bytes).unwrap().payload(), b"hello");
        assert_eq!(files_in(folder.path()), ["x.arras"]);
    }

    #[test]
    fn an_error_leaves_nothing_behind_and_the_old_file_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let fail = |overwrite| {
            write_atomically::<()>(&path, overwrite, false, |out| {
                out.write_all(&[1; 3 << 20])?;
                Err(WireError::ChecksumMismatch)
            })
            .unwrap_err()
        };
        let error = fail(Overwrite::Refuse);
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert!(files_in(folder.path()).is_empty());

        put(&path, Overwrite::Refuse, b"old").unwrap();
        fail(Overwrite::Replace);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(files_in(folder.path()), ["x"]);
    }

    #[test]
    fn while_writing_the_target_does_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_atomically(&path, Overwrite::Refuse, true, |out| {
            out.write_all(b"half")?;
            assert!(!path.exists());
            assert_eq!(files_in(folder.path()).len(), 1);
            Ok(out.write_all(b"whole")?)
        })
        .unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"halfwhole");
    }

    #[test]
    fn refuse_and_replace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        put(&path, Overwrite::Refuse, b"first").unwrap();
        assert!(matches!(
            put(&path, Overwrite::Refuse, b"second"),
            Err(WireError::AlreadyExists { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        put(&path, Overwrite::Replace, b"third").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"third");
        assert_eq!(files_in(folder.path()), ["x"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let result = write_atomically(&path, Overwrite::Refuse, false, |out| {
            std::fs::write(&path, b"theirs").unwrap();
            Ok(out.write_all(b"ours")?)
        });
        assert!(matches!(result, Err(WireError::AlreadyExists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert_eq!(files_in(folder.path()), ["x"]);
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_private_from_their_creation() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = folder.path().join("secret");
        write_atomically(&path, Overwrite::Refuse, true, |out| {
            let partial = folder.path().join(&files_in(folder.path())[0]);
            assert_eq!(mode(&partial), 0o600);
            Ok(out.write_all(b"s")?)
        })
        .unwrap();
        assert_eq!(mode(&path), 0o600);

        // Replacing a file that anybody may read does not inherit its mode.
        let open = folder.path().join("open");
        std::fs::write(&open, b"").unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_atomically(&open, Overwrite::Replace, true, |out| {
            Ok(out.write_all(b"s")?)
        })
        .unwrap();
        assert_eq!(mode(&open), 0o600);

        // And a file that is not private is as the umask says, as for any file created here.
        let plain = folder.path().join("plain");
        put(&plain, Overwrite::Refuse, b"p").unwrap();
        let reference = folder.path().join("reference");
        File::create(&reference).unwrap();
        assert_eq!(mode(&plain), mode(&reference));
    }

    #[test]
    fn impossible_places_are_errors_that_name_them() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no such folder").join("x");
        let error = put(&missing, Overwrite::Refuse, b"").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("no such folder") && text.contains("create the folder"),
            "{text}"
        );
        for path in ["", "/", ".."] {
            assert!(matches!(
                put(Path::new(path), Overwrite::Replace, b""),
                Err(WireError::Io { .. })
            ));
        }
        // A folder in the way.
        let error = put(folder.path(), Overwrite::Replace, b"").unwrap_err();
        assert!(matches!(error, WireError::Io { .. }), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_names_the_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let error = write_atomically(&path, Overwrite::Refuse, true, |_| {
            write_container(&mut full, ObjectKind::Model, &(), 1, |out| out.bytes(b"x"))
        })
        .unwrap_err();
        assert!(
            matches!(&error, WireError::Io { path: named, source, .. }
                if *named == path && source.kind() == std::io::ErrorKind::StorageFull),
            "{error}"
        );
        assert!(files_in(folder.path()).is_empty());
    }

    #[test]
    fn reading_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for len in [0usize, 1, 1 << 20, (1 << 20) + 1] {
            std::fs::write(&path, vec![7u8; len]).unwrap();
            assert_eq!(read_bounded(&path, len as u64).unwrap(), vec![7; len]);
            assert_eq!(*read_secret_bounded(&path, len).unwrap(), vec![7; len]);
            assert_eq!(*read_secret_bounded(&path, len + 9).unwrap(), vec![7; len]);
            if len > 0 {
                assert!(matches!(
                    read_bounded(&path, len as u64 - 1),
                    Err(WireError::FileTooLong { .. })
                ));
                assert!(matches!(
                    read_secret_bounded(&path, len - 1),
                    Err(WireError::FileTooLong { .. })
                ));
            }
        }
        assert!(read_bounded(&path, u64::MAX).is_ok());
        assert!(matches!(
            read_bounded(&folder.path().join("absent"), 1),
            Err(WireError::Io {
                operation: "open",
                ..
            })
        ));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_endless_file_is_refused_at_the_bound() {
        let zero = Path::new("/dev/zero");
        assert!(matches!(
            read_bounded(zero, 1 << 20),
            Err(WireError::FileTooLong { .. })
        ));
        assert!(matches!(
            read_secret_bounded(zero, 99),
            Err(WireError::FileTooLong { .. })
        ));
        assert!(matches!(
            read_container_file(zero, 1 << 20),
            Err(WireError::InFile { source, .. }) if matches!(*source, WireError::BadMagic { .. })
        ));
    }

    #[test]
    fn a_container_file_ends_where_the_container_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut bytes = container_to_vec(ObjectKind::Model, &(), 1, |out| out.bytes(b"x")).unwrap();
        bytes.push(0);
        std::fs::write(&path, &bytes).unwrap();
        let error = read_container_file(&path, 1 << 20).unwrap_err();
        assert!(
            matches!(&error, WireError::InFile { source, .. }
                if matches!(**source, WireError::TrailingBytes { .. })),
            "{error}"
        );
    }
}
