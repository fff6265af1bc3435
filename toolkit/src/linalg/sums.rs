//! Sums of rows and of columns.

use super::{ColumnVector, Matrix, RowVector, hadamard::plain_rows, objects::unit_of, record};
use crate::{EncodingUnit, Layout, Slots};

impl Matrix {
    /// The sum of all rows: entry c is the sum of column c. No level; H lg m rotations in lg m steps.
    #[track_caller]
    pub fn sum_rows(&self) -> ColumnVector {
        let layout = Layout::column_vector(self.dim().1, self.unit());
        record("sum_rows", &[self], Ok(layout), |_| {
            sum_rows(&self.slots, &self.layout)
        })
    }

    /// The sum of all columns times `scale`: entry r is the sum of row r. One level (a mask); 2 V lg n rotations in 2 lg n steps.
    #[track_caller]
    pub fn sum_cols(&self, scale: f64) -> RowVector {
        let layout = plain_rows(self).map(|()| Layout::row_vector(self.dim().0, self.unit()));
        record("sum_cols", &[self], layout, |_| {
            sum_cols(&self.slots, &self.layout, scale)
        })
    }
}

/// Sums units above each other, then the rows of a unit.
pub(super) fn sum_rows(slots: &Slots, matrix: &Layout) -> Slots {
    sum_rows_of(slots, &rows_of_units(slots, matrix), unit_of(matrix))
}

/// Sums units side by side, then the columns of a unit into column 0, and repeats that in all columns.
pub(super) fn sum_cols(slots: &Slots, matrix: &Layout, scale: f64) -> Slots {
    let columns = columns_of_units(slots, matrix);
    sum_cols_of(slots, &columns, unit_of(matrix), scale)
}

/// A batch for each row of units.
pub(super) fn rows_of_units(slots: &Slots, matrix: &Layout) -> Vec<Slots> {
    let across = matrix.horizontal_units();
    (0..matrix.vertical_units())
        .map(|i| slots.pick(&(i * across..(i + 1) * across).collect::<Vec<_>>()))
        .collect()
}

/// A batch for each column of units.
pub(super) fn columns_of_units(slots: &Slots, matrix: &Layout) -> Vec<Slots> {
    let (down, across) = (matrix.vertical_units(), matrix.horizontal_units());
    (0..across)
        .map(|j| slots.pick(&(0..down).map(|i| i * across + j).collect::<Vec<_>>()))
        .collect()
}

/// The sum of rows of units, in every row of a unit; `first` stands for it after an error.
pub(super) fn sum_rows_of(first: &Slots, rows: &[Slots], unit: EncodingUnit) -> Slots {
    let sum = Slots::sum(rows).unwrap_or_else(|| first.clone());
    sum.rotate_and_sum(unit.width() as i64, unit.height())
}

/// The sum of columns of units, times `scale`, in every column of a unit; `first` stands for it after an error.
pub(super) fn sum_cols_of(
    first: &Slots,
    columns: &[Slots],
    unit: EncodingUnit,
    scale: f64,
) -> Slots {
    let sum = Slots::sum(columns)
        .unwrap_or_else(|| first.clone())
        .rotate_and_sum(1, unit.width());
    if unit.height() == 1 {
        // The sum over all slots stands in every slot already.
        return sum.multiply_scalar(scale);
    }
    let mut mask = vec![0.0; unit.width()];
    mask[0] = scale;
    sum.multiply_plain(vec![mask])
        .rotate_and_sum(-1, unit.width())
}
