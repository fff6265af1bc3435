//! What becomes of the columns of a file: numbers, what stands for missing ones, and a column for each level of a category.
//!
//! A [`Layout`] is fitted to training rows once and kept with the normalization, in the client's record of the data and in the model:
//! other files are read by it, whatever the order of their columns. Of a column it makes
//!
//! ```text
//!   numbers                      NAME
//!   .. with missing values       NAME, the median in the place of what is missing;  NAME (missing), 1 where it was
//!   categories                   NAME=LEVEL for every level but the most frequent;  NAME (missing)
//! ```
//!
//! The most frequent level is the reference that the others are compared with: its rows are zero in all columns. A column for it, too, would
//! be the negative of the others' sum: of two levels the same column twice, for which the rate has to be halved and the penalty is.

mod apply;
mod fit;
mod stored;

use serde::{Deserialize, Serialize};

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
#[non_exhaustive]
pub enum Cells {
    /// It holds numbers.
    Numbers {
        /// What stands for a missing number: the median of the training rows. None: missing numbers are refused.
        median: Option<f64>,
        /// Whether a second column says where numbers are missing: where some were in training.
        indicator: bool,
    },
    /// It holds categories.
    Categories {
        /// The most frequent level of the training rows, whose rows are zero; none where there was one level alone.
        reference: Option<String>,
        /// The other levels, ascending: a column each.
        levels: Vec<String>,
        /// Whether missing values are taken, as rows of zeros.
        missing: bool,
        /// Whether a column says where they are: where some were in training.
        indicator: bool,
    },
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Source {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub cells: Cells,
}

impl Source {
    /// The names of the features that it becomes.
    fn features(&self) -> Vec<String> {
        let name = &self.name;
        let (mut features, indicator) = match &self.cells {
            Cells::Numbers { indicator, .. } => (vec![name.clone()], indicator),
            Cells::Categories {
                levels, indicator, ..
            } => {
                let of = |level: &String| format!("{name}={level}");
                (levels.iter().map(of).collect(), indicator)
            }
        };
        if *indicator {
            features.push(format!("{name} (missing)"));
        }
        features
    }

    /// All levels, the reference first; none for numbers.
    pub(super) fn levels(&self) -> Option<Vec<String>> {
        match &self.cells {
            Cells::Numbers { .. } => None,
            Cells::Categories {
                reference, levels, ..
            } => Some(reference.iter().chain(levels).cloned().collect()),
        }
    }

    /// Whether missing values are taken.
    pub(super) fn takes_missing(&self) -> bool {
        match &self.cells {
            Cells::Numbers { median, .. } => median.is_some(),
            Cells::Categories { missing, .. } => *missing,
        }
    }
}

/// How features are made of a file's columns. **Private**: it holds names, levels and medians.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "stored::Stored")]
pub struct Layout {
    /// Whether columns are found by name; else they come in this order.
    named: bool,
    /// What marks a missing value, besides an empty field.
    missing: Vec<String>,
    columns: Vec<Source>,
}

impl Layout {
    /// Whether columns are found by their names; else by their order.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// The columns that are read, in the order of the features.
    pub fn columns(&self) -> &[Source] {
        &self.columns
    }

    /// What marks a missing value, besides an empty field.
    pub fn missing_words(&self) -> &[String] {
        &self.missing
    }

    /// The names of the features.
    pub fn features(&self) -> Vec<String> {
        self.columns.iter().flat_map(Source::features).collect()
    }
}

#[cfg(test)]
mod tests;
