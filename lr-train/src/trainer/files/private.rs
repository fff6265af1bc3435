//! Who may look into the secret folder.

use std::path::Path;

#[cfg(unix)]
use crate::trainer::ExchangeError;
use crate::{Result, TrainError};

/// A folder that only its owner can enter, on unix; folders above it are made, too.
pub(super) fn private_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| TrainError::Write {
        path: path.to_owned(),
        error,
    })?;
    close(path)
}

/// Takes everybody else's rights to a folder that is this process's own; one of another user's is left as it is.
#[cfg(unix)]
pub(super) fn close(path: &Path) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let named = |error| TrainError::Read {
        path: path.to_owned(),
        error,
    };
    // What a link leads to is not ours to change.
    let there = path.symlink_metadata().map_err(named)?;
    if !there.is_dir()
        || there.mode() & 0o077 == 0
        || there.uid() != rustix::process::geteuid().as_raw()
    {
        return Ok(());
    }
    let closed = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700));
    closed.map_err(|error| TrainError::Write {
        path: path.to_owned(),
        error,
    })
}

/// Refuses what is there and is no file: a pipe without a writer would keep its reader waiting for ever.
pub(super) fn expect_file(path: &Path) -> Result<()> {
    match path.metadata() {
        Ok(there) if !there.is_file() => Err(TrainError::Read {
            path: path.to_owned(),
            error: std::io::Error::other("it is no file"),
        }),
        _ => Ok(()),
    }
}

/// Refuses what is no file, and a link out of a folder that somebody else may have made.
pub(super) fn expect_inside(folder: &Path, path: &Path) -> Result<()> {
    expect_file(path)?;
    let named = |error| TrainError::Read {
        path: path.to_owned(),
        error,
    };
    let file = path.canonicalize().map_err(named)?;
    if file.starts_with(folder.canonicalize().map_err(named)?) {
        return Ok(());
    }
    Err(named(std::io::Error::other(
        "it is a link that leads out of the folder",
    )))
}

/// A secret that others can read may have been read by them.
///
/// # Errors
/// [`ExchangeError::ReadableByOthers`] with the command that mends it.
#[cfg(unix)]
pub(super) fn expect_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let mode = path.metadata().map_or(0, |there| there.mode() & 0o777);
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(ExchangeError::ReadableByOthers {
        path: path.to_owned(),
        mode,
    }
    .into())
}

#[cfg(not(unix))]
pub(super) fn close(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn expect_private(_: &Path) -> Result<()> {
    Ok(())
}
