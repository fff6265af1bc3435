//! Outer products.

use super::{ColumnVector, Matrix, RowVector, record, same_unit};
use crate::{EncodingUnit, Layout, Result, ToolkitError};

impl RowVector {
    /// The matrix of the products of all entries of this vector (one for each row) with all entries of a column vector (one
    /// for each column). One level, no rotation: V H products.
    #[track_caller]
    pub fn outer(&self, vector: &ColumnVector) -> Matrix {
        let unit = self.unit();
        let layout =
            fills_its_unit(unit, vector).map(|()| Layout::matrix(self.len(), vector.len(), unit));
        record("outer product", &[self, vector], layout, |layout| {
            let rows = self.slots.pick(&layout.rows_of_units());
            rows.multiply(&vector.slots.pick(&layout.columns_of_units()))
        })
    }
}

/// A vector that repeats within the unit's width would write into the matrix's padding.
fn fills_its_unit(unit: EncodingUnit, vector: &ColumnVector) -> Result<()> {
    same_unit(unit, vector.unit())?;
    if vector.period() == unit.width() {
        return Ok(());
    }
    Err(ToolkitError::does_not_fit(
        vector.layout,
        format!("the columns of a matrix in units {unit}"),
        "transpose the unit back first, or keep the vector's first period with `mask`",
    ))
}
