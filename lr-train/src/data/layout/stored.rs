//! What is read of a layout, before it is checked.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Cells, Layout, Source};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Stored {
    named: bool,
    missing: Vec<String>,
    columns: Vec<Source>,
}

/// Why a layout that was read is none.
#[derive(Debug, thiserror::Error)]
#[error("stored layout of columns: {0}; the file is damaged")]
pub(super) struct Damaged(&'static str);

impl TryFrom<Stored> for Layout {
    type Error = Damaged;

    fn try_from(stored: Stored) -> Result<Self, Damaged> {
        let Stored {
            named,
            missing,
            columns,
        } = stored;
        let mut names = BTreeSet::new();
        for Source { name, cells } in &columns {
            if named && !names.insert(name) {
                return Err(Damaged("two columns have one name"));
            }
            match cells {
                Cells::Numbers { median, indicator } => {
                    if median.is_some_and(|median| !median.is_finite()) {
                        return Err(Damaged("a median is not a finite number"));
                    }
                    if *indicator && median.is_none() {
                        return Err(Damaged("a column without a median says what was missing"));
                    }
                }
                Cells::Categories {
                    reference,
                    levels,
                    missing,
                    indicator,
                } => {
                    let mut known = BTreeSet::new();
                    if !levels.iter().chain(reference).all(|l| known.insert(l)) {
                        return Err(Damaged("a level is listed twice"));
                    }
                    if levels.is_empty() {
                        return Err(Damaged("a column of categories has no level"));
                    }
                    if *indicator && !missing {
                        return Err(Damaged("a column that takes none says what was missing"));
                    }
                }
            }
        }
        if columns.is_empty() {
            return Err(Damaged("it has no column"));
        }
        Ok(Self {
            named,
            missing,
            columns,
        })
    }
}
