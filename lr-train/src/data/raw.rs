//! Rows as they were read, before it is decided what becomes of missing values and categories.
//!
//! Medians and levels are those of the rows to train on, so these have to be chosen first.

use ndarray::{Array2, Axis};

use super::{
    DataError, Dataset, FeatureTable, Layout, Target,
    csv::{Reading, Rules},
};

/// A column as it was read.
#[derive(Clone, Debug)]
pub(super) struct RawColumn {
    pub(super) name: String,
    /// What its numbers stand for, if it holds categories.
    pub(super) levels: Option<Vec<String>>,
}

/// What stands for a level that is taken for none of those known.
pub(super) const OTHER: f64 = -1.0;

/// Rows without labels, as they were read.
#[derive(Clone, Debug)]
pub(super) struct RawTable {
    /// NaN where a value is missing; for categories the position of the level, or [`OTHER`].
    pub(super) values: Array2<f64>,
    pub(super) columns: Vec<RawColumn>,
    /// Whether the names are the file's.
    pub(super) named: bool,
    /// The name of the label's column, if there is one.
    pub(super) label: Option<String>,
    /// What marked missing values.
    pub(super) missing: Vec<String>,
    pub(super) rules: Rules,
    /// By which it was read.
    pub(super) layout: Option<Layout>,
    pub(super) reading: Reading,
}

impl RawTable {
    /// The features: by the layout that it was read by, or one fitted to these rows.
    ///
    /// # Errors
    /// Those of [`Layout::fit`] and [`Layout::apply`].
    pub(super) fn features(self) -> Result<FeatureTable, DataError> {
        match self.layout.clone() {
            Some(layout) => layout.apply(self),
            None => Layout::fit(&self)?.apply(self),
        }
    }
}

/// Labelled rows as they were read: those to train on can be [selected](Self::select) before medians and levels are fitted to them.
#[derive(Clone, Debug)]
pub struct RawDataset {
    pub(super) table: RawTable,
    pub(super) target: Target,
}

impl RawDataset {
    /// What is to be learned.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The given rows, in the given order.
    ///
    /// # Errors
    /// [`DataError::RowOutOfRange`].
    pub fn select(mut self, rows: &[usize]) -> Result<Self, DataError> {
        expect_rows(rows, self.target.rows())?;
        self.table.values = self.table.values.select(Axis(0), rows);
        self.target = self.target.select(rows);
        Ok(self)
    }

    /// The data set: by the layout that it was read by, or one fitted to these rows.
    ///
    /// # Errors
    /// [`DataError::AllMissing`], [`DataError::NoMedian`], [`DataError::UnseenLevel`]; those of [`FeatureTable::new`].
    pub fn dataset(self) -> Result<Dataset, DataError> {
        self.table.features()?.with_target(self.target)
    }
}

/// # Errors
/// [`DataError::RowOutOfRange`].
pub(super) fn expect_rows(selected: &[usize], rows: usize) -> Result<(), DataError> {
    match selected.iter().find(|&&row| row >= rows) {
        None => Ok(()),
        Some(&row) => Err(DataError::RowOutOfRange {
            what: "selection of rows",
            row,
            rows,
        }),
    }
}
