//! Means and variances of rows and columns.

use super::{
    ColumnVector, Matrix, RowVector,
    hadamard::plain_rows,
    masks::packed,
    record,
    sums::{sum_cols, sum_rows},
};
use crate::{Layout, Result, ToolkitError, Value};
use ndarray::Array2;

impl Matrix {
    /// The mean of each column. One level; H lg m rotations.
    #[track_caller]
    pub fn column_means(&self) -> ColumnVector {
        let (rows, cols) = self.dim();
        let layout = Layout::column_vector(cols, self.unit());
        record("column_means", &[self], Ok(layout), |_| {
            sum_rows(&self.slots, &self.layout).multiply_scalar(1.0 / rows as f64)
        })
    }

    /// The mean of each row. One level; 2 V lg n rotations.
    #[track_caller]
    pub fn row_means(&self) -> RowVector {
        let (rows, cols) = self.dim();
        let layout = plain_rows(self).map(|()| Layout::row_vector(rows, self.unit()));
        record("row_means", &[self], layout, |_| {
            sum_cols(&self.slots, &self.layout, 1.0 / cols as f64)
        })
    }

    /// The variance of each column: the sum of squared deviations from the mean, divided by the number of rows less `ddof`
    /// (0 for that of the data, 1 for the unbiased estimate). Two levels; 2 H lg m rotations.
    ///
    /// It is the mean of squares less the square of the mean, so the error is that of the mean of squares: bring columns near
    /// zero mean first ([`Matrix::center_columns`]) if their means are large against their deviations.
    #[track_caller]
    pub fn column_variances(&self, ddof: usize) -> ColumnVector {
        let (rows, cols) = self.dim();
        let layout = freedom(rows, ddof).map(|()| Layout::column_vector(cols, self.unit()));
        record("column_variances", &[self], layout, |_| {
            let (x, scales) = (&self.slots, Scales::new(rows, ddof));
            let squares = sum_rows(&x.square(), &self.layout).multiply_scalar(scales.squares);
            let mean = sum_rows(x, &self.layout).multiply_scalar(scales.sum);
            squares.sub(&mean.square())
        })
    }

    /// The variance of each row, as [`Matrix::column_variances`]. Two levels; 4 V lg n rotations.
    #[track_caller]
    pub fn row_variances(&self, ddof: usize) -> RowVector {
        let (rows, cols) = self.dim();
        let layout = plain_rows(self)
            .and_then(|()| freedom(cols, ddof))
            .map(|()| Layout::row_vector(rows, self.unit()));
        record("row_variances", &[self], layout, |_| {
            let (x, scales) = (&self.slots, Scales::new(cols, ddof));
            let squares = sum_cols(&x.square(), &self.layout, scales.squares);
            let mean = sum_cols(x, &self.layout, scales.sum);
            squares.sub(&mean.square())
        })
    }

    /// The matrix with the mean of each column subtracted. One level; H lg m rotations. With the inverse square roots of the
    /// variances as a column vector, [`Matrix::hadamard_column`] standardizes it.
    #[track_caller]
    pub fn center_columns(&self) -> Self {
        record("center_columns", &[self], Ok(self.layout), |layout| {
            let sums = sum_rows(&self.slots, layout);
            let columns = layout.columns_of_units();
            // The mean belongs into the matrix's rows, not below them.
            let mean = 1.0 / self.dim().0 as f64;
            let weights = packed(layout, &Value::Matrix(Array2::from_elem(self.dim(), mean)));
            let means = sums.pick(&columns).multiply_plain(weights);
            self.slots.sub(&means)
        })
    }
}

/// Factors of the sum of squares, and of the sum before it is squared.
struct Scales {
    squares: f64,
    sum: f64,
}

impl Scales {
    fn new(count: usize, ddof: usize) -> Self {
        let squares = 1.0 / (count - ddof) as f64;
        Self {
            squares,
            sum: (squares / count as f64).sqrt(),
        }
    }
}

fn freedom(count: usize, ddof: usize) -> Result<()> {
    if ddof < count {
        return Ok(());
    }
    Err(ToolkitError::out_of_range(
        "ddof",
        ddof as f64,
        format!("0 to {}: there are {count} values", count - 1),
    ))
}
