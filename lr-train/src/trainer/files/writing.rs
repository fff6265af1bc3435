//! Files of containers.

use std::io::Write;

use arras_ckks::wire::AtomicFile;

use crate::{Result, TrainError};

/// Fills a file and puts it in its place; errors of writing name it. Returns what `write` does, the file's length.
pub(super) fn save(
    mut file: AtomicFile,
    write: impl FnOnce(&mut dyn Write) -> Result<u64>,
) -> Result<u64> {
    let written = write(&mut file).map_err(|error| match error {
        TrainError::Wire(error) => error.in_file(file.path()).into(),
        other => other,
    })?;
    file.commit()?;
    Ok(written)
}
