//! Files of measured costs.

use std::path::Path;

use arras_ckks::wire::read_bounded;
use arras_toolkit::cost::{CostTable, CostTableSpec};
use serde::{Deserialize, Serialize};

use super::keys::utf8;
use crate::{Result, trainer::ExchangeError};

/// Tables of one machine.
#[derive(Serialize, Deserialize)]
struct CostFile {
    version: u32,
    tables: Vec<CostTableSpec>,
}

const VERSION: u32 = 1;
const WHAT: &str = "file of costs, which `lr-train devices --measure --out FILE` writes,";
/// The most bytes of a file.
const BYTES: u64 = 1 << 26;

/// Reads tables: JSON where the name ends so, else TOML.
///
/// # Errors
/// [`ExchangeError::Malformed`], [`ExchangeError::Version`] and those of [`CostTable::from_spec`], naming the file; what the system
/// refuses.
pub fn load_costs(path: &Path) -> Result<Vec<CostTable>> {
    let bytes = read_bounded(path, BYTES)?;
    let read = || -> Result<Vec<CostTable>> {
        let text = utf8(WHAT, &bytes)?;
        let file: CostFile = if is_json(path) {
            serde_json::from_str(text).map_err(ExchangeError::malformed(WHAT))?
        } else {
            toml::from_str(text).map_err(ExchangeError::malformed(WHAT))?
        };
        let command = "lr-train devices --measure --out FILE";
        ExchangeError::expect_version("file of costs", file.version, VERSION, command)?;
        let tables = file.tables.into_iter().map(CostTable::from_spec);
        let tables: Result<_, _> = tables.collect();
        Ok(tables.map_err(ExchangeError::malformed(WHAT))?)
    };
    read().map_err(|error| error.in_file(path))
}

/// What [`load_costs`] reads from this path.
///
/// # Errors
/// [`ExchangeError::Malformed`] for numbers that the format does not have.
pub fn costs_text(path: &Path, tables: &[CostTable]) -> Result<String> {
    let file = CostFile {
        version: VERSION,
        tables: tables.iter().map(|table| table.spec().clone()).collect(),
    };
    Ok(if is_json(path) {
        serde_json::to_string_pretty(&file).map_err(ExchangeError::malformed(WHAT))?
    } else {
        toml::to_string(&file).map_err(ExchangeError::malformed(WHAT))?
    })
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}
