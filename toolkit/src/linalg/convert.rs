//! Vectors of one kind to the other, and diagonals of matrices.

use super::{
    ColumnVector, Matrix, RowVector, Scalar, hadamard::plain_rows, inner::total, objects::scalar,
    record, slot_map::SlotMap,
};
use crate::{Layout, Slots};

impl RowVector {
    /// The same entries as a column vector. One level; H lg m rotations in lg m steps.
    ///
    /// A row vector shows entry r in every column, so one mask for each pair of units leaves every entry in the column where it
    /// belongs; the sum over rows repeats it.
    #[track_caller]
    pub fn to_column(&self) -> ColumnVector {
        let (x, unit) = (&self.slots, self.unit());
        let layout = Layout::column_vector(self.len(), unit);
        record(
            "row vector to column vector",
            &[self],
            Ok(layout),
            |layout| {
                let (m, n) = (unit.height(), unit.width());
                let mut map = SlotMap::new(1, unit.slots(), x.units(), layout.units());
                for e in 0..self.len() {
                    let slot = e % m * n + e % n;
                    map.add((e / n, slot), (e / m, slot), 1.0);
                }
                map.apply(x).rotate_and_sum(n as i64, m)
            },
        )
    }
}

impl ColumnVector {
    /// The same entries as a row vector. One level; about 2 sqrt(d) + lg n rotations for each unit, d = min(m, n, entries).
    ///
    /// Entry r is brought to the last column of its row, from where rotations to the left repeat it in the row and in no
    /// other: no second mask.
    #[track_caller]
    pub fn to_row(&self) -> RowVector {
        let (x, unit) = (&self.slots, self.unit());
        let layout = Layout::row_vector(self.len(), unit);
        record(
            "column vector to row vector",
            &[self],
            Ok(layout),
            |layout| {
                let (m, n) = (unit.height(), unit.width());
                let mut map =
                    SlotMap::new(1, unit.slots(), x.units(), layout.units()).cycle(self.period());
                for e in 0..self.len() {
                    map.add((e / m, e % m * n + n - 1), (e / n, e % n), 1.0);
                }
                map.apply(x).rotate_and_sum(1, n)
            },
        )
    }
}

impl Matrix {
    /// The entries on the diagonal. One level; H lg m rotations in lg m steps.
    #[track_caller]
    pub fn diagonal(&self) -> ColumnVector {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = plain_rows(self).map(|()| Layout::column_vector(rows.min(cols), unit));
        record("diagonal", &[self], layout, |layout| {
            on_diagonal(self, layout.units()).rotate_and_sum(unit.width() as i64, unit.height())
        })
    }

    /// The sum of the entries on the diagonal. One level; lg(m n) rotations.
    #[track_caller]
    pub fn trace(&self) -> Scalar {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = plain_rows(self).map(|()| scalar(unit));
        record("trace", &[self], layout, |_| {
            total(
                &on_diagonal(self, rows.min(cols).div_ceil(unit.width())),
                &self.layout,
            )
        })
    }
}

/// The entries on the diagonal and zeros, units above each other summed.
fn on_diagonal(matrix: &Matrix, outputs: usize) -> Slots {
    let (x, layout, unit) = (&matrix.slots, &matrix.layout, matrix.unit());
    let (m, n) = (unit.height(), unit.width());
    let across = layout.horizontal_units();
    let rows = layout.vertical_units() * m;
    let mut map = SlotMap::new(1, unit.slots(), x.units(), outputs);
    for e in 0..rows.min(outputs * n) {
        let slot = e % m * n + e % n;
        map.add((e / n, slot), (e / m * across + e / n, slot), 1.0);
    }
    map.apply(x)
}
