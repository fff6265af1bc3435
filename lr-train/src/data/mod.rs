//! Data sets: what they hold and where they come from.
//!
//! [`csv`] reads delimited text, of whose columns a [`layout`] makes features; [`idx`] the format of the MNIST files, [`mnist`] prepares threes against eights, and
//! [`builtin`] holds two sets that need no file.

pub mod builtin;
pub mod csv;
mod error;
pub mod idx;
pub mod layout;
pub mod mnist;
mod raw;
mod source;
mod target;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::ModelKind;

pub use error::DataError;
pub use layout::Layout;
pub use raw::RawDataset;
pub use target::{Measure, Target};

/// The names of the two label values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// Stands for y = -1, the class of negative scores.
    pub negative: String,
    /// Stands for y = +1, the class of positive scores.
    pub positive: String,
}

/// Labelled rows: `rows x columns` finite numbers, and for each row its target: one of two labels, or a number.
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
    table: FeatureTable,
    target: Target,
}

/// What sets have whose target has no classes.
static NO_CLASSES: Classes = Classes::none();

impl Classes {
    /// Of a target that has none.
    pub(crate) const fn none() -> Self {
        Self {
            negative: String::new(),
            positive: String::new(),
        }
    }

    /// Whether they are of a target that has none.
    pub(crate) fn are_none(&self) -> bool {
        *self == NO_CLASSES
    }
}

impl Dataset {
    /// Puts a data set together. `labels[i]` is true where row i is of the positive class; a set for evaluation may hold
    /// one class only.
    ///
    /// # Errors
    /// As [`FeatureTable::new`]; [`DataError::DatasetShape`] if the number of labels differs from that of rows.
    pub fn new(
        features: Array2<f64>,
        labels: Vec<bool>,
        feature_names: Vec<String>,
        classes: Classes,
    ) -> Result<Self, DataError> {
        FeatureTable::new(features, feature_names)?.labelled(labels, classes)
    }

    /// The rows without their labels.
    pub fn table(&self) -> &FeatureTable {
        &self.table
    }

    /// The numbers, one example per row.
    pub fn features(&self) -> &Array2<f64> {
        &self.table.features
    }

    /// Per column, its name; see [`FeatureTable::feature_names`].
    pub fn feature_names(&self) -> &[String] {
        &self.table.names
    }

    /// What is to be learned.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Per row, whether it is of the positive class; empty for targets without classes.
    pub fn labels(&self) -> &[bool] {
        match &self.target {
            Target::Binary { labels, .. } => labels,
            Target::Several { .. } | Target::Real { .. } => &[],
        }
    }

    /// The names of the two label values; both empty for targets without classes.
    pub fn classes(&self) -> &Classes {
        match &self.target {
            Target::Binary { classes, .. } => classes,
            Target::Several { .. } | Target::Real { .. } => &NO_CLASSES,
        }
    }

    /// # Errors
    /// [`DataError::OtherTarget`] for a target that models of this kind do not have.
    pub fn expect_for(&self, op: &'static str, model: ModelKind) -> Result<(), DataError> {
        let of = |model| match model {
            ModelKind::Logistic => "one of two classes",
            ModelKind::OneVsRest { .. } => "one of several classes",
            ModelKind::Linear => "a number",
        };
        let found = ModelKind::of(&self.target);
        match (found, model) {
            (found, model) if found == model => return Ok(()),
            (ModelKind::OneVsRest { .. }, ModelKind::OneVsRest { classes: 0 }) => return Ok(()),
            (ModelKind::OneVsRest { classes: found }, ModelKind::OneVsRest { classes }) => {
                return Err(DataError::ClassCount {
                    op,
                    found,
                    expected: classes,
                });
            }
            _ => {}
        }
        Err(DataError::OtherTarget {
            op,
            model: model.name(),
            found: of(found),
            expected: of(model),
        })
    }

    /// How many examples.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// How many features, without an intercept.
    pub fn columns(&self) -> usize {
        self.table.columns()
    }

    /// How many examples of the positive class.
    pub fn positives(&self) -> usize {
        self.labels().iter().filter(|&&l| l).count()
    }

    /// The given rows, in the given order.
    ///
    /// # Errors
    /// [`DataError::RowOutOfRange`]; [`DataError::EmptyTable`] if `rows` is empty.
    pub fn select(&self, rows: &[usize]) -> Result<Self, DataError> {
        raw::expect_rows(rows, self.rows())?;
        if rows.is_empty() {
            return Err(DataError::EmptyTable { header: false });
        }
        Ok(Self {
            table: FeatureTable {
                features: self.table.features.select(Axis(0), rows),
                names: self.table.names.clone(),
                named: self.table.named,
                reading: self.table.reading.clone(),
                layout: self.table.layout.clone(),
            },
            target: self.target.select(rows),
        })
    }
}

/// Rows without labels: `rows x columns` finite numbers under names.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureTable {
    features: Array2<f64>,
    names: Vec<String>,
    named: bool,
    reading: Option<csv::Reading>,
    layout: Option<Layout>,
}

impl FeatureTable {
    /// Puts a table together.
    ///
    /// # Errors
    /// [`DataError::EmptyTable`] without rows or columns, [`DataError::DatasetShape`] if the number of names differs from
    /// that of columns, [`DataError::NotFinite`].
    pub fn new(features: Array2<f64>, names: Vec<String>) -> Result<Self, DataError> {
        if features.is_empty() {
            return Err(DataError::EmptyTable { header: false });
        }
        if names.len() != features.ncols() {
            return Err(DataError::DatasetShape {
                what: "feature names",
                found: names.len(),
                expected: features.ncols(),
                per: "column",
            });
        }
        if let Some(((row, column), &value)) = features.indexed_iter().find(|(_, v)| !v.is_finite())
        {
            return Err(DataError::NotFinite {
                what: "features",
                row,
                column,
                value,
            });
        }
        Ok(Self {
            features,
            names,
            named: true,
            reading: None,
            layout: None,
        })
    }

    /// Marks the names as made up (`column 1`, ..), so that they are not compared with a model's.
    #[must_use]
    pub fn unnamed(mut self) -> Self {
        self.named = false;
        self
    }

    /// With how it was read.
    pub(crate) fn read_as(mut self, reading: csv::Reading) -> Self {
        self.reading = Some(reading);
        self
    }

    /// With what made it of the columns of a file.
    pub(crate) fn laid_out(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }

    /// What made it of the columns of a file; none if it does not come from delimited text.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// How it was read; none if it does not come from delimited text.
    pub fn reading(&self) -> Option<&csv::Reading> {
        self.reading.as_ref()
    }

    /// Adds labels; `labels[i]` is true where row i is of the positive class.
    ///
    /// # Errors
    /// [`DataError::DatasetShape`].
    pub fn labelled(self, labels: Vec<bool>, classes: Classes) -> Result<Dataset, DataError> {
        self.with_target(Target::Binary { labels, classes })
    }

    /// Adds what is to be learned.
    ///
    /// # Errors
    /// [`DataError::DatasetShape`], [`DataError::NotFinite`].
    pub fn with_target(self, target: Target) -> Result<Dataset, DataError> {
        if target.rows() != self.rows() {
            return Err(DataError::DatasetShape {
                what: match &target {
                    Target::Binary { .. } | Target::Several { .. } => "labels",
                    Target::Real { .. } => "target",
                },
                found: target.rows(),
                expected: self.rows(),
                per: "row",
            });
        }
        target.check()?;
        let table = self;
        Ok(Dataset { table, target })
    }

    /// The numbers, one example per row.
    pub fn features(&self) -> &Array2<f64> {
        &self.features
    }

    /// Per column, its name. `column N` (from 1, the label's column counted) where the source had no names.
    pub fn feature_names(&self) -> &[String] {
        &self.names
    }

    /// Whether the names come from the source.
    pub fn has_names(&self) -> bool {
        self.named
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.features.ncols()
    }
}

impl AsRef<FeatureTable> for FeatureTable {
    fn as_ref(&self) -> &FeatureTable {
        self
    }
}

impl AsRef<FeatureTable> for Dataset {
    fn as_ref(&self) -> &FeatureTable {
        &self.table
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
        let made = |features: &Array2<f64>, labels: &[bool], names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Dataset::new(features.clone(), labels.to_vec(), names, classes())
        };
        let x = array![[1.0, 2.0], [3.0, 4.0]];
        let nan = array![[1.0, 2.0], [f64::NAN, 4.0]];
        let (labels, names) = ([true, false], ["a", "b"]);
        assert!(made(&x, &labels, &names).is_ok());
        for (made, expected) in [
            (made(&x, &[true], &names), "labels has 1 entries, 2 are"),
            (made(&x, &labels, &["a"]), "feature names has 1 entries"),
            (made(&nan, &labels, &names), "row 1, column 0 is NaN"),
            (made(&Array2::zeros((0, 2)), &[], &[]), "no rows of data"),
        ] {
            let told = made.unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
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
            Err(DataError::RowOutOfRange {
                row: 3,
                rows: 3,
                ..
            })
        ));
        assert!(data.select(&[]).is_err());
    }
}
