//! What a training computes on.

use ndarray::{Array1, Array2, Axis};

use crate::data::DataError;

/// Rows that a training computes on: signed with labels, or as they are with constants of gradients: one for each row and each
/// training side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    rows: Array2<f64>,
    constants: Option<Array2<f64>>,
}

/// Signed rows.
impl From<Array2<f64>> for Examples {
    fn from(rows: Array2<f64>) -> Self {
        Self {
            rows,
            constants: None,
        }
    }
}

impl Examples {
    /// Rows as they are, each with its constant.
    ///
    /// # Errors
    /// [`DataError::Length`] for another number of constants than rows.
    pub fn new(rows: Array2<f64>, constants: Array1<f64>) -> Result<Self, DataError> {
        Self::side_by_side(rows, constants.insert_axis(Axis(1)))
    }

    /// Rows as they are, each with a constant for each training: `rows x trainings`.
    ///
    /// # Errors
    /// As [`Examples::new`].
    pub fn side_by_side(rows: Array2<f64>, constants: Array2<f64>) -> Result<Self, DataError> {
        let (op, what) = ("rows to train on", "constants of gradients");
        DataError::expect_length(op, what, constants.nrows(), rows.nrows())?;
        let constants = Some(constants);
        Ok(Self { rows, constants })
    }

    /// The rows, the intercept's column first.
    pub fn rows(&self) -> &Array2<f64> {
        &self.rows
    }

    /// The constants; none for signed rows, whose constants are the polynomial's.
    pub fn constants(&self) -> Option<&Array2<f64>> {
        self.constants.as_ref()
    }

    /// Trainings side by side.
    pub fn chains(&self) -> usize {
        View::from(self).chains()
    }

    /// `X^T c`: what the constants of a training pull its weights to; zero for signed rows.
    pub(crate) fn pull(&self, chain: usize) -> Array1<f64> {
        let features = self.rows.ncols();
        let constants = self.constants.as_ref().map(|c| c.column(chain));
        let pull = constants.map(|c| self.rows.t().dot(&c));
        pull.unwrap_or_else(|| Array1::zeros(features))
    }

    /// Some of the rows, in this order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let constants = self.constants.as_ref();
        Self {
            rows: self.rows.select(Axis(0), rows),
            constants: constants.map(|c| c.select(Axis(0), rows)),
        }
    }
}

/// Examples, borrowed: what trainers take.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(crate) rows: &'a Array2<f64>,
    pub(crate) constants: Option<&'a Array2<f64>>,
}

impl View<'_> {
    pub(super) fn chains(&self) -> usize {
        self.constants.map_or(1, Array2::ncols)
    }
}

/// Signed rows.
impl<'a> From<&'a Array2<f64>> for View<'a> {
    fn from(rows: &'a Array2<f64>) -> Self {
        let constants = None;
        Self { rows, constants }
    }
}

impl<'a> From<&'a Examples> for View<'a> {
    fn from(examples: &'a Examples) -> Self {
        Self {
            rows: &examples.rows,
            constants: examples.constants.as_ref(),
        }
    }
}
