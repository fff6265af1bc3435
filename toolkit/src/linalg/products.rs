//! Products of vectors and matrices.

use super::{
    ColumnVector, Matrix, RowVector,
    hadamard::{columns_meet, plain_rows, rows_meet},
    record,
    sums::{sum_cols, sum_rows},
};
use crate::Layout;

/// Products that read naturally as `a.dot(&b)`.
pub trait Dot<Rhs> {
    /// The product.
    type Output;

    /// The product of linear algebra.
    fn dot(&self, other: &Rhs) -> Self::Output;
}

impl Dot<Matrix> for RowVector {
    type Output = ColumnVector;

    /// Row vector x matrix: a column vector. One level; H lg m rotations.
    #[track_caller]
    fn dot(&self, matrix: &Matrix) -> ColumnVector {
        let layout =
            rows_meet(self, matrix).map(|_| Layout::column_vector(matrix.dim().1, matrix.unit()));
        record("row vector x matrix", &[self, matrix], layout, |_| {
            let scaled = self.hadamard_matrix(matrix);
            sum_rows(&scaled.slots, &scaled.layout)
        })
    }
}

impl Dot<ColumnVector> for Matrix {
    type Output = RowVector;

    /// Matrix x column vector: a row vector. Two levels; 2 V lg n rotations.
    #[track_caller]
    fn dot(&self, vector: &ColumnVector) -> RowVector {
        self.dot_scaled(vector, 1.0)
    }
}

impl Matrix {
    /// Matrix x column vector, times `scale` in the mask that the product needs anyway. Two levels; 2 V lg n rotations.
    #[track_caller]
    pub fn dot_scaled(&self, vector: &ColumnVector, scale: f64) -> RowVector {
        let layout = columns_meet(self, vector)
            .and_then(|_| plain_rows(self))
            .map(|()| Layout::row_vector(self.dim().0, self.unit()));
        record("matrix x column vector", &[self, vector], layout, |_| {
            let scaled = self.hadamard_column(vector);
            sum_cols(&scaled.slots, &scaled.layout, scale)
        })
    }
}
