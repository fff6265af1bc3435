//! Programs that train: what they share.
//!
//! ```text
//!   data        data sets from a folder, or the built-in ones
//!   encrypted   one training circuit: parameters, plan, keys, runs, decryption
//!   founding    the circuits against the baseline
//!   models      what the measurements are held against
//!   plans       plans held to runs
//!   quality     what encrypted training learns, beside training on plaintexts
//!   reference_folds  the folds behind the reference figures of the clinical sets
//! ```

pub mod data;
pub mod encrypted;
pub mod founding;
pub mod models;
pub mod plans;
pub mod quality;
mod quality_text;
pub mod reference_folds;

use std::{fs, path::Path};

use crate::Result;

/// Writes a file, naming it if that fails.
///
/// # Errors
/// The operating system's.
pub fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

/// Makes a folder before minutes of measurements, so that a mistyped one is found out first.
///
/// # Errors
/// The operating system's.
pub fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| format!("--out {}: {error}", folder.display()))?;
    Ok(())
}
