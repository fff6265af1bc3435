//! Products entry by entry.

use super::{ColumnVector, Matrix, RowVector, record, same_unit};
use crate::{Layout, Recorded, Result, ToolkitError};

impl RowVector {
    /// Scales row r of a matrix by entry r. One level.
    #[track_caller]
    pub fn hadamard_matrix(&self, matrix: &Matrix) -> Matrix {
        const OP: &str = "hadamard_matrix";
        let (a, b) = (self.recorded(), matrix.recorded());
        let layout = rows_meet(OP, self, matrix);
        record(OP, &[a, b], matrix.unit(), layout, |layout| {
            let across = layout.horizontal_units();
            let rows: Vec<usize> = (0..layout.units()).map(|u| u / across).collect();
            a.pick(&rows).multiply(b)
        })
    }
}

impl Matrix {
    /// Scales column c by entry c of a column vector. One level.
    #[track_caller]
    pub fn hadamard_column(&self, vector: &ColumnVector) -> Matrix {
        const OP: &str = "hadamard_column";
        let (a, b) = (self.recorded(), vector.recorded());
        let layout = columns_meet(OP, self, vector);
        record(OP, &[a, b], self.unit(), layout, |layout| {
            let across = layout.horizontal_units();
            let columns: Vec<usize> = (0..layout.units()).map(|u| u % across).collect();
            a.multiply(&b.pick(&columns))
        })
    }
}

/// The layout of a matrix whose rows a row vector scales.
pub(super) fn rows_meet(op: &'static str, vector: &RowVector, matrix: &Matrix) -> Result<Layout> {
    same_unit(op, vector.unit(), matrix.unit())?;
    plain_rows(op, matrix)?;
    if vector.len() == matrix.dim().0 {
        return Ok(matrix.layout);
    }
    Err(ToolkitError::DimensionMismatch {
        op,
        left: vector.layout.to_string(),
        right: matrix.layout.to_string(),
        remedy: "a row vector has one entry for each row of the matrix",
    })
}

/// The layout of a matrix whose columns a column vector scales.
pub(super) fn columns_meet(
    op: &'static str,
    matrix: &Matrix,
    vector: &ColumnVector,
) -> Result<Layout> {
    same_unit(op, matrix.unit(), vector.unit())?;
    if vector.len() == matrix.dim().1 {
        return Ok(matrix.layout);
    }
    Err(ToolkitError::DimensionMismatch {
        op,
        left: matrix.layout.to_string(),
        right: vector.layout.to_string(),
        remedy: "a column vector has one entry for each column of the matrix",
    })
}

/// A matrix whose rows follow each other.
pub(super) fn plain_rows(op: &'static str, matrix: &Matrix) -> Result<()> {
    if matrix.row_stride() == 1 {
        return Ok(());
    }
    Err(ToolkitError::DoesNotFit {
        op,
        shape: matrix.layout.to_string(),
        unit: "row vectors of that unit".into(),
        remedy: "transpose the unit back first; sums of rows and products with column vectors take it as it is".into(),
    })
}
