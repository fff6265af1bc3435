//! Data sets: what they hold and where they come from.
//!
//! [`csv`] reads delimited text, [`idx`] the format of the MNIST files, [`mnist`] prepares threes against eights, and
//! [`builtin`] holds two sets that need no file.

pub mod builtin;
pub mod csv;
pub mod idx;
pub mod mnist;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::{Result, TrainError};

/// The names of the two label values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// Stands for y = -1, the class of negative scores.
    pub negative: String,
    /// Stands for y = +1, the class of positive scores.
    pub positive: String,
}

/// Labelled rows: `rows x columns` finite numbers, one of two labels per row.
///
/// ```
/// use lr_train::data::{Classes, Dataset};
/// use ndarray::array;
///
/// let classes = Classes { negative: "no".into(), positive: "yes".into() };
/// let data = Dataset::new(array![[0.5, 1.0], [2.0, 0.0]], vec![false, true], vec!["a".into(), "b".into()], classes)?;
/// assert_eq!((data.rows(), data.columns(), data.positives()), (2, 2, 1));
/// # Ok::<(), lr_train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Array2<f64>,
    labels: Vec<bool>,
    feature_names: Vec<String>,
    named: bool,
    classes: Classes,
}

impl Dataset {
    /// Puts a data set together. `labels[i]` is true where row i is of the positive class; a set for evaluation may hold
    /// one class only.
    ///
    /// # Errors
    /// [`TrainError::EmptyTable`] without rows or columns, [`TrainError::DatasetShape`] if
    /// the parts' lengths differ, [`TrainError::NotFinite`].
    pub fn new(
        features: Array2<f64>,
        labels: Vec<bool>,
        feature_names: Vec<String>,
        classes: Classes,
    ) -> Result<Self> {
        check_table(&features)?;
        let shape = |what, found, expected, per| {
            if found == expected {
                return Ok(());
            }
            Err(TrainError::DatasetShape {
                what,
                found,
                expected,
                per,
            })
        };
        shape("labels", labels.len(), features.nrows(), "row of features")?;
        shape(
            "feature_names",
            feature_names.len(),
            features.ncols(),
            "column of features",
        )?;
        Ok(Self {
            features,
            labels,
            feature_names,
            named: true,
            classes,
        })
    }

    /// Marks the feature names as made up (`column 1`, ..), so that they are not compared with a model's.
    #[must_use]
    pub fn unnamed(mut self) -> Self {
        self.named = false;
        self
    }

    /// The numbers, one example per row.
    pub fn features(&self) -> &Array2<f64> {
        &self.features
    }

    /// Per row, whether it is of the positive class.
    pub fn labels(&self) -> &[bool] {
        &self.labels
    }

    /// Per column, its name. `column N` (from 1, the label's column counted) where the source had no names.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Whether the feature names come from the source.
    pub fn has_names(&self) -> bool {
        self.named
    }

    /// The names of the two label values.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// How many examples.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }

    /// How many features, without an intercept.
    pub fn columns(&self) -> usize {
        self.features.ncols()
    }

    /// How many examples of the positive class.
    pub fn positives(&self) -> usize {
        self.labels.iter().filter(|&&l| l).count()
    }

    /// The given rows, in the given order.
    ///
    /// # Errors
    /// [`TrainError::RowOutOfRange`]; [`TrainError::EmptyTable`] if `rows` is empty.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if let Some(&row) = rows.iter().find(|&&r| r >= self.rows()) {
            return Err(TrainError::RowOutOfRange {
                what: "selection of rows",
                row,
                rows: self.rows(),
            });
        }
        if rows.is_empty() {
            return Err(TrainError::EmptyTable { header: false });
        }
        Ok(Self {
            features: self.features.select(Axis(0), rows),
            labels: rows.iter().map(|&r| self.labels[r]).collect(),
            feature_names: self.feature_names.clone(),
            named: self.named,
            classes: self.classes.clone(),
        })
    }
}

/// Rows without labels, for prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    features: Array2<f64>,
    feature_names: Vec<String>,
    named: bool,
}

impl Table {
    /// The numbers, one example per row.
    pub fn features(&self) -> &Array2<f64> {
        &self.features
    }

    /// Per column, its name; see [`Dataset::feature_names`].
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Whether the feature names come from the source.
    pub fn has_names(&self) -> bool {
        self.named
    }
}

/// What has named columns of finite numbers: a [`Dataset`] or a [`Table`].
pub trait Features {
    /// The numbers, one example per row.
    fn features(&self) -> &Array2<f64>;
    /// Per column, its name.
    fn feature_names(&self) -> &[String];
    /// Whether the names come from the source.
    fn has_names(&self) -> bool;
}

impl Features for Dataset {
    fn features(&self) -> &Array2<f64> {
        &self.features
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn has_names(&self) -> bool {
        self.named
    }
}

impl Features for Table {
    fn features(&self) -> &Array2<f64> {
        &self.features
    }

    fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    fn has_names(&self) -> bool {
        self.named
    }
}

fn check_table(features: &Array2<f64>) -> Result<()> {
    if features.is_empty() {
        return Err(TrainError::EmptyTable { header: false });
    }
    match features.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, column), &value)) => Err(TrainError::NotFinite {
            what: "features",
            row,
            column,
            value,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::PathBuf;

    use ndarray::array;

    use super::*;

    /// A folder of data files that the repository does not hold: `$ARRAS_DATA/<name>`, by default
    /// `../shared/data/<name>` beside the workspace. None, said aloud, where it is absent.
    pub(crate) fn external(name: &str) -> Option<PathBuf> {
        let root = std::env::var_os("ARRAS_DATA").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            PathBuf::from,
        );
        let folder = root.join(name);
        if folder.is_dir() {
            return Some(folder);
        }
        eprintln!(
            "SKIPPED: no folder {}; set ARRAS_DATA to where it is",
            folder.display()
        );
        None
    }

    fn classes() -> Classes {
        Classes {
            negative: "0".into(),
            positive: "1".into(),
        }
    }

    #[test]
    fn parts_must_fit() {
        let x = array![[1.0, 2.0], [3.0, 4.0]];
        let names = vec!["a".to_owned(), "b".to_owned()];
        assert!(Dataset::new(x.clone(), vec![true, false], names.clone(), classes()).is_ok());
        assert!(matches!(
            Dataset::new(x.clone(), vec![true], names.clone(), classes()),
            Err(TrainError::DatasetShape {
                what: "labels",
                found: 1,
                expected: 2,
                ..
            })
        ));
        assert!(matches!(
            Dataset::new(x, vec![true, false], names[..1].to_vec(), classes()),
            Err(TrainError::DatasetShape {
                what: "feature_names",
                ..
            })
        ));
        let nan = array![[1.0, 2.0], [f64::NAN, 4.0]];
        assert!(matches!(
            Dataset::new(nan, vec![true, false], names, classes()),
            Err(TrainError::NotFinite {
                row: 1,
                column: 0,
                ..
            })
        ));
        assert!(matches!(
            Dataset::new(Array2::zeros((0, 2)), vec![], vec![], classes()),
            Err(TrainError::EmptyTable { .. })
        ));
    }

    #[test]
    fn rows_are_selected_in_the_given_order() {
        let data = Dataset::new(
            array![[1.0], [2.0], [3.0]],
            vec![true, false, true],
            vec!["a".into()],
            classes(),
        )
        .unwrap();
        let part = data.select(&[2, 1]).unwrap();
        assert_eq!(part.features(), array![[3.0], [2.0]]);
        assert_eq!(part.labels(), [true, false]);
        assert!(matches!(
            data.select(&[3]),
            Err(TrainError::RowOutOfRange {
                row: 3,
                rows: 3,
                ..
            })
        ));
        assert!(data.select(&[]).is_err());
    }
}
