//! Products that change the unit: what comes out in the transposed unit meets what is encoded in that.
//!
//! A unit of m x n slots with m <= n and its transpose hold f x g matrices with f, g <= m and vectors of g <= m entries in one
//! ciphertext each, so that a chain of products can go from one to the other without a permutation.

use super::{
    ColumnVector, Matrix, RowVector,
    hadamard::{plain_rows, rows_meet},
    matmul, record, same_unit,
};
use crate::{EncodingUnit, Layout, Recorded, Result, Slots, ToolkitError};

impl RowVector {
    /// Row vector x matrix of g <= m columns, both in units of m x n with m <= n: a column vector in the transposed unit, n x m.
    /// One level; H lg n rotations.
    #[track_caller]
    pub fn dot_mixed_unit(&self, matrix: &Matrix) -> ColumnVector {
        let unit = matrix.unit();
        let cols = matrix.dim().1;
        let layout = rows_meet(self, matrix)
            .and_then(|_| wide(unit, &matrix.layout(), cols))
            .map(|()| Layout::column_vector(cols, unit.transposed()));
        let operands = [self.recorded(), matrix.recorded()];
        record(
            "row vector x matrix, mixed unit",
            &operands,
            unit.transposed(),
            layout,
            |_| {
                let scaled = self.hadamard_matrix(matrix);
                let units: Vec<Slots> = (0..scaled.recorded().units())
                    .map(|unit| scaled.recorded().pick(&[unit]))
                    .collect();
                let sum = Slots::sum(&units).unwrap_or_else(|| scaled.recorded().clone());
                sum.rotate_and_sum(unit.height() as i64, unit.width())
            },
        )
    }
}

impl Matrix {
    /// Matrix x column vector, times `scale`: the matrix in units of m x n with m <= n, the vector of g <= m entries in the transposed
    /// unit. Two levels; 2 V lg n rotations.
    #[track_caller]
    pub fn dot_mixed_unit(&self, vector: &ColumnVector, scale: f64) -> RowVector {
        let unit = self.unit();
        let layout = same_unit(unit, vector.unit().transposed())
            .and_then(|()| wide(unit, &vector.layout(), vector.len()))
            .map(|()| Layout::row_vector(self.dim().0, unit));
        let operands = [self.recorded(), vector.recorded()];
        record(
            "matrix x column vector, mixed unit",
            &operands,
            unit,
            layout,
            |_| {
                let product = self.dot_scaled(&vector.transpose_unit(), scale);
                product.recorded().clone()
            },
        )
    }

    /// The product of A and B, times `scale`, from A^T (g x f) and B (g x h) in units of n x m, where f, h <= m <= n: a matrix in
    /// the transposed unit, m x n. Three levels.
    #[track_caller]
    pub fn multiply_row_major_mixed_unit(a_transposed: &Matrix, b: &Matrix, scale: f64) -> Matrix {
        let unit = a_transposed.unit();
        let (rows, cols) = (a_transposed.dim().1, b.dim().1);
        let layout =
            mixed_factors(a_transposed, b).map(|()| Layout::matrix(rows, cols, unit.transposed()));
        let (at, b) = (a_transposed.recorded(), b.recorded());
        record(
            "matrix x matrix, row major, mixed unit",
            &[at, b],
            unit.transposed(),
            layout,
            |_| {
                let inner = a_transposed.dim().0;
                matmul::mixed_unit(at, b, unit, (rows, inner, cols), scale)
            },
        )
    }
}

fn mixed_factors(a_transposed: &Matrix, b: &Matrix) -> Result<()> {
    let unit = a_transposed.unit();
    same_unit(unit, b.unit())?;
    plain_rows(a_transposed)?;
    plain_rows(b)?;
    if a_transposed.dim().0 != b.dim().0 {
        return Err(ToolkitError::mismatch(
            a_transposed.layout(),
            b.layout(),
            "A^T and B have as many rows",
        ));
    }
    for factor in [a_transposed, b] {
        wide(unit.transposed(), &factor.layout(), factor.dim().1)?;
    }
    Ok(())
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
