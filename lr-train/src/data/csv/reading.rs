//! What reading a file found out, to be told.

use ndarray::Array2;
use serde::Serialize;

/// How a file was read: what was found out from its contents, and what was done about missing values and unknown levels.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Reading {
    /// Whether the first row was taken for names.
    pub header: bool,
    /// Whether that was found out from what stands in it.
    pub header_guessed: bool,
    /// What separates fields.
    pub delimiter: char,
    /// Whether that was found out from the first line.
    pub delimiter_guessed: bool,
    /// Columns that were not asked for.
    pub left_out: Vec<String>,
    /// Features that number the rows.
    pub counting: Vec<Counting>,
    /// Rows of the file.
    pub rows: usize,
    /// Rows, from 0, that were left out for missing values.
    pub rows_left_out: Vec<usize>,
    /// Columns with missing values that something stands for.
    pub filled: Vec<Filled>,
    /// Columns with levels that were not there in training, and how many values these are.
    pub unseen: Vec<(String, usize)>,
}

/// A column with missing values that something stands for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Filled {
    /// Its name.
    pub column: String,
    /// How many values.
    pub count: usize,
    /// The median that stands for them; none for categories.
    pub median: Option<f64>,
    /// Whether values were missing in training, too, so that a column says where.
    pub in_training: bool,
}

/// A feature that counts up one by one from row to row: a number of the row, as a rule, that nothing should be learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Counting {
    /// The column's position in the file, from 0.
    pub position: usize,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What it counts from.
    pub first: f64,
}

/// In fewer rows, counting is chance.
const LEAST_ROWS: usize = 8;

impl Counting {
    pub(super) fn among(
        features: &Array2<f64>,
        positions: &[usize],
        numbers: &[bool],
        names: &[String],
        nameless: &[bool],
    ) -> Vec<Self> {
        if features.nrows() < LEAST_ROWS {
            return vec![];
        }
        let columns = (features.columns().into_iter().zip(positions)).zip(numbers);
        columns
            .filter(|((values, _), numbers)| {
                **numbers && values.windows(2).into_iter().all(|w| w[1] - w[0] == 1.0)
            })
            .map(|((values, &position), _)| Self {
                position,
                name: (!nameless[position]).then(|| names[position].clone()),
                first: values[0],
            })
            .collect()
    }
}
