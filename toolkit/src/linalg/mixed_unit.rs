//! Products that change the unit: what comes out in the transposed unit meets what is encoded in that.
//!
//! A unit of m x n slots with m <= n and its transpose hold f x g matrices with f, g <= m and vectors of g <= m entries in one
//! ciphertext each, so that a chain of products can go from one to the other without a permutation.

use super::{
    ColumnVector, Matrix, RowVector, hadamard::rows_meet, inner::sum_units, matmul, record,
    same_unit,
};
use crate::{EncodingUnit, Layout, Result, ToolkitError};

impl RowVector {
    /// Row vector x matrix of g <= m columns, both in units of m x n with m <= n: a column vector in the transposed unit, n x m.
    /// One level; H lg n rotations.
    #[track_caller]
    pub fn dot_mixed_unit(&self, matrix: &Matrix) -> ColumnVector {
        let unit = matrix.unit();
        let cols = matrix.dim().1;
        let layout = rows_meet(self, matrix)
            .and_then(|_| wide(unit, &matrix.layout, cols))
            .map(|()| Layout::column_vector(cols, unit.transposed()));
        let op = "row vector x matrix, mixed unit";
        record(op, &[self, matrix], layout, |_| {
            let scaled = self.hadamard_matrix(matrix);
            sum_units(&scaled.slots).rotate_and_sum(unit.height() as i64, unit.width())
        })
    }
}

impl Matrix {
    /// Matrix x column vector, times `scale`: the matrix in units of m x n with m <= n, the vector of g <= m entries in the transposed
    /// unit. Two levels; 2 V lg n rotations.
    #[track_caller]
    pub fn dot_mixed_unit(&self, vector: &ColumnVector, scale: f64) -> RowVector {
        let unit = self.unit();
        let layout = same_unit(unit, vector.unit().transposed())
            .and_then(|()| wide(unit, &vector.layout, vector.len()))
            .map(|()| Layout::row_vector(self.dim().0, unit));
        let op = "matrix x column vector, mixed unit";
        record(op, &[self, vector], layout, |_| {
            self.dot_scaled(&vector.transpose_unit(), scale).slots
        })
    }

    /// The product of A and B, times `scale`, from A^T (g x f) and B (g x h) in units of n x m, where f, h <= m <= n: a matrix in
    /// the transposed unit, m x n. Three levels.
    #[track_caller]
    pub fn multiply_row_major_mixed_unit(a_transposed: &Matrix, b: &Matrix, scale: f64) -> Matrix {
        let (unit, (inner, rows)) = (a_transposed.unit(), a_transposed.dim());
        let cols = b.dim().1;
        let wide = |factor: &Matrix| wide(unit.transposed(), &factor.layout, factor.dim().1);
        let layout = matmul::rows_meet(a_transposed, b)
            .and_then(|()| wide(a_transposed))
            .and_then(|()| wide(b))
            .map(|()| Layout::matrix(rows, cols, unit.transposed()));
        let op = "matrix x matrix, row major, mixed unit";
        record(op, &[a_transposed, b], layout, |_| {
            let (at, b) = (&a_transposed.slots, &b.slots);
            matmul::mixed_unit(at, b, unit, (rows, inner, cols), scale)
        })
    }
}

/// Checks that units of m x n have m <= n, and that `entries` fit m columns.
fn wide(unit: EncodingUnit, object: &Layout, entries: usize) -> Result<()> {
    let (m, n) = (unit.height(), unit.width());
    if m <= n && entries <= m {
        return Ok(());
    }
    Err(ToolkitError::does_not_fit(
        object,
        format!("units {unit} and {} alike", unit.transposed()),
        format!(
            "the longer side of the unit lies along the row vectors, and at most {} columns fit its shorter side",
            m.min(n)
        ),
    ))
}
