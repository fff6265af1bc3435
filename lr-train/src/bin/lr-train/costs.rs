//! Files of measured costs.

use std::path::Path;

use arras::{
    ckks::wire::read_bounded,
    toolkit::cost::{CostTable, CostTableSpec},
};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Tables of one machine.
#[derive(Serialize, Deserialize)]
struct CostFile {
    version: u32,
    tables: Vec<CostTableSpec>,
}

const VERSION: u32 = 1;

fn wrong(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::file(
        path,
        format!(
            "is not a file of costs ({reason}); measure with `lr-train devices --measure --out FILE`"
        ),
    )
}

/// Reads tables: JSON where the name ends so, else TOML.
///
/// # Errors
/// [`Failure::File`] and what the system refuses.
pub(crate) fn read(path: &Path) -> Result<Vec<CostTable>, Failure> {
    let bytes = read_bounded(path, 1 << 26)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| wrong(path, error))?;
    let file: CostFile = if is_json(path) {
        serde_json::from_str(text).map_err(|error| wrong(path, error))?
    } else {
        toml::from_str(text).map_err(|error| wrong(path, error))?
    };
    if file.version != VERSION {
        return Err(wrong(
            path,
            format!("version {}, this build knows {VERSION}", file.version),
        ));
    }
    file.tables
        .into_iter()
        .map(|table| CostTable::from_spec(table).map_err(|error| wrong(path, error)))
        .collect()
}

/// The file of tables.
///
/// # Errors
/// [`Failure::File`] for numbers that the format does not have.
pub(crate) fn text(path: &Path, tables: &[CostTable]) -> Result<String, Failure> {
    let file = CostFile {
        version: VERSION,
        tables: tables.iter().map(|table| table.spec().clone()).collect(),
    };
    if is_json(path) {
        serde_json::to_string_pretty(&file).map_err(|error| wrong(path, error))
    } else {
        toml::to_string(&file).map_err(|error| wrong(path, error))
    }
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}
