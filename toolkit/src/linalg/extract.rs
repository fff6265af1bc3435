//! Rows, columns, entries and blocks of matrices; slices of vectors.

use std::ops::Range;

use super::{
    ColumnVector, Matrix, RowVector, Scalar, masks::within, objects::support, record,
    slot_map::SlotMap,
};
use crate::{Layout, Recorded, Slots};

impl Matrix {
    /// Row `row` as a column vector. One level; H lg m rotations in lg m steps.
    #[track_caller]
    pub fn row(&self, row: usize) -> ColumnVector {
        let (x, unit) = (self.recorded(), self.unit());
        let (rows, cols) = self.dim();
        let layout =
            within("row", &(row..row + 1), rows).map(|()| Layout::column_vector(cols, unit));
        record("row", &[x], unit, layout, |layout| {
            let (m, n) = (unit.height(), unit.width());
            let (across, r) = (layout.units(), row * self.row_stride());
            let units: Vec<usize> = (0..across).map(|j| r / m * across + j).collect();
            let mut mask = vec![0.0; unit.slots()];
            mask[r % m * n..][..n].fill(1.0);
            x.pick(&units)
                .multiply_plain(vec![mask])
                .rotate_and_sum(n as i64, m)
        })
    }

    /// Column `column` as a row vector. One level; V lg n rotations in lg n steps, whose signs depend on the column.
    #[track_caller]
    pub fn column(&self, column: usize) -> RowVector {
        let (x, unit) = (self.recorded(), self.unit());
        let (rows, cols) = self.dim();
        let layout = super::hadamard::plain_rows(self)
            .and_then(|()| within("column", &(column..column + 1), cols))
            .map(|()| Layout::row_vector(rows, unit));
        record("column", &[x], unit, layout, |layout| {
            let n = unit.width();
            let across = self.layout.horizontal_units();
            let units: Vec<usize> = (0..layout.units())
                .map(|i| i * across + column / n)
                .collect();
            let mut mask = vec![0.0; n];
            mask[column % n] = 1.0;
            let alone = x.pick(&units).multiply_plain(vec![mask]);
            repeated_in_rows(&alone, n, column % n)
        })
    }

    /// Entry (row, column). One level; lg(m n) rotations.
    #[track_caller]
    pub fn entry(&self, row: usize, column: usize) -> Scalar {
        let (x, unit) = (self.recorded(), self.unit());
        let (rows, cols) = self.dim();
        let slots = unit.slots();
        let layout = within("row", &(row..row + 1), rows)
            .and_then(|()| within("column", &(column..column + 1), cols))
            .map(|()| Layout::Scalar { slots });
        record("entry of a matrix", &[x], unit, layout, |_| {
            let (m, n) = (unit.height(), unit.width());
            let row = row * self.row_stride();
            let place = row / m * self.layout.horizontal_units() + column / n;
            let mut mask = vec![0.0; slots];
            mask[row % m * n + column % n] = 1.0;
            x.pick(&[place])
                .multiply_plain(vec![mask])
                .rotate_and_sum(1, slots)
        })
    }

    /// The block of these rows and columns. Free if it begins at the edge of units and ends there or at the matrix's; no level
    /// and one rotation for each unit if every unit moves as a whole; else one level and at most two rotation keys.
    #[track_caller]
    pub fn block(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        let (x, unit) = (self.recorded(), self.unit());
        let (all_rows, all_cols) = self.dim();
        let stride = self.row_stride();
        let layout = within("rows", &rows, all_rows)
            .and_then(|()| within("columns", &columns, all_cols))
            .map(|()| Layout::Matrix {
                rows: rows.len(),
                cols: columns.len(),
                unit,
                row_stride: stride,
            });
        record("block", &[x], unit, layout, |layout| {
            let mut map = SlotMap::new(1, unit.slots(), x.units(), layout.units());
            for r in 0..rows.len() {
                for c in 0..columns.len() {
                    let to = position(layout, r, c);
                    let from = position(&self.layout, rows.start + r, columns.start + c);
                    map.add(to, from, 1.0);
                }
            }
            map.apply_cheaply(x, &support(&self.layout))
        })
    }
}

/// Unit and slot of an entry of a matrix.
pub(super) fn position(matrix: &Layout, row: usize, column: usize) -> (usize, usize) {
    match *matrix {
        Layout::Matrix {
            unit, row_stride, ..
        } => {
            let (m, n) = (unit.height(), unit.width());
            let row = row * row_stride;
            let place = row / m * matrix.horizontal_units() + column / n;
            (place, row % m * n + column % n)
        }
        _ => (0, 0),
    }
}

/// Repeats what stands in one column of every row, zeros elsewhere, in all columns. A bit of the column says on which side
/// of it half of the columns lie that are still to be support, so that nothing leaves its row.
fn repeated_in_rows(x: &Slots, width: usize, column: usize) -> Slots {
    (0..width.trailing_zeros()).fold(x.clone(), |sum, bit| {
        let step = 1_i64 << bit;
        let left = column >> bit & 1 == 1;
        sum.rotation_sum(&[0, if left { step } else { -step }])
    })
}

impl RowVector {
    /// Entry `index`. One level; lg m rotations.
    #[track_caller]
    pub fn entry(&self, index: usize) -> Scalar {
        let (x, unit) = (self.recorded(), self.unit());
        let slots = unit.slots();
        let layout =
            within("index", &(index..index + 1), self.len()).map(|()| Layout::Scalar { slots });
        record("entry of a row vector", &[x], unit, layout, |_| {
            let (m, n) = (unit.height(), unit.width());
            let mut mask = vec![0.0; slots];
            mask[index % m * n..][..n].fill(1.0);
            x.pick(&[index / m])
                .multiply_plain(vec![mask])
                .rotate_and_sum(n as i64, m)
        })
    }

    /// The entries of a range. Free, or without a level, or with one, as [`Matrix::block`]; one rotation key.
    #[track_caller]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let (x, unit) = (self.recorded(), self.unit());
        let layout =
            within("range", &range, self.len()).map(|()| Layout::row_vector(range.len(), unit));
        record("slice of a row vector", &[x], unit, layout, |layout| {
            let m = unit.height();
            let mut map = SlotMap::new(unit.width(), m, x.units(), layout.units());
            for (to, from) in range.enumerate() {
                map.add((to / m, to % m), (from / m, from % m), 1.0);
            }
            map.apply_cheaply(x, &support(&self.layout))
        })
    }
}

impl ColumnVector {
    /// Entry `index`. One level; lg n rotations.
    #[track_caller]
    pub fn entry(&self, index: usize) -> Scalar {
        let (x, unit) = (self.recorded(), self.unit());
        let slots = unit.slots();
        let layout =
            within("index", &(index..index + 1), self.len()).map(|()| Layout::Scalar { slots });
        record("entry of a column vector", &[x], unit, layout, |_| {
            let mut mask = vec![0.0; self.period()];
            mask[index % unit.width()] = 1.0;
            x.pick(&[index / unit.width()])
                .multiply_plain(vec![mask])
                .rotate_and_sum(1, self.period())
        })
    }

    /// The entries of a range. Free, or without a level, or with one, as [`Matrix::block`]; one rotation key.
    #[track_caller]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let (x, unit) = (self.recorded(), self.unit());
        let layout =
            within("range", &range, self.len()).map(|()| Layout::column_vector(range.len(), unit));
        record("slice of a column vector", &[x], unit, layout, |layout| {
            let n = unit.width();
            let mut map = SlotMap::new(1, n, x.units(), layout.units()).cycle(self.period());
            for (to, from) in range.enumerate() {
                map.add((to / n, to % n), (from / n, from % n), 1.0);
            }
            map.apply_cheaply(x, &support(&self.layout))
        })
    }
}
