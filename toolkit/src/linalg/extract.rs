//! Rows, columns, entries and blocks of matrices; slices of vectors.

use std::ops::Range;

use super::{
    ColumnVector, Matrix, Object, RowVector, Scalar,
    hadamard::plain_rows,
    masks::{one_of, within},
    objects::{Places, scalar, support, unit_of},
    record,
    slot_map::SlotMap,
};
use crate::{EncodingUnit, Layout, Slots};

impl Matrix {
    /// Row `row` as a column vector. One level; H lg m rotations in lg m steps.
    #[track_caller]
    pub fn row(&self, row: usize) -> ColumnVector {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = one_of("row", row, rows).map(|()| Layout::column_vector(cols, unit));
        record("row", &[self], layout, |layout| {
            let (m, n) = (unit.height(), unit.width());
            let (across, r) = (layout.units(), row * self.row_stride());
            let units: Vec<usize> = (0..across).map(|j| r / m * across + j).collect();
            let mut mask = vec![0.0; unit.slots()];
            mask[r % m * n..][..n].fill(1.0);
            let alone = self.slots.pick(&units).multiply_plain(vec![mask]);
            alone.rotate_and_sum(n as i64, m)
        })
    }

    /// Column `column` as a row vector. One level; V lg n rotations in lg n steps, whose signs depend on the column.
    #[track_caller]
    pub fn column(&self, column: usize) -> RowVector {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = plain_rows(self)
            .and_then(|()| one_of("column", column, cols))
            .map(|()| Layout::row_vector(rows, unit));
        record("column", &[self], layout, |layout| {
            let n = unit.width();
            let across = self.layout.horizontal_units();
            let units: Vec<usize> = (0..layout.units())
                .map(|i| i * across + column / n)
                .collect();
            let mut mask = vec![0.0; n];
            mask[column % n] = 1.0;
            let alone = self.slots.pick(&units).multiply_plain(vec![mask]);
            repeated_in_rows(&alone, n, column % n)
        })
    }

    /// Entry (row, column). One level; lg(m n) rotations.
    #[track_caller]
    pub fn entry(&self, row: usize, column: usize) -> Scalar {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = one_of("row", row, rows)
            .and_then(|()| one_of("column", column, cols))
            .map(|()| scalar(unit));
        record("entry of a matrix", &[self], layout, |_| {
            let (place, slot) = position(&self.layout, row, column);
            let mut mask = vec![0.0; unit.slots()];
            mask[slot] = 1.0;
            let alone = self.slots.pick(&[place]).multiply_plain(vec![mask]);
            alone.rotate_and_sum(1, unit.slots())
        })
    }

    /// The block of these rows and columns. Free if it begins at the edge of units and ends there or at the matrix's; no level
    /// and one rotation for each unit if every unit moves as a whole; else one level and at most two rotation keys.
    #[track_caller]
    pub fn block(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        let ((all_rows, all_cols), unit) = (self.dim(), self.unit());
        let stride = self.row_stride();
        let layout = within("rows", &rows, all_rows)
            .and_then(|()| within("columns", &columns, all_cols))
            .map(|()| Layout::strided(rows.len(), columns.len(), unit, stride));
        record("block", &[self], layout, |layout| {
            let x = &self.slots;
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
        entry("entry of a row vector", self, self.len(), index)
    }

    /// The entries of a range. Free, or without a level, or with one, as [`Matrix::block`]; one rotation key.
    #[track_caller]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let layout = Layout::row_vector;
        slice("slice of a row vector", self, self.len(), range, layout)
    }
}

impl ColumnVector {
    /// Entry `index`. One level; lg n rotations.
    #[track_caller]
    pub fn entry(&self, index: usize) -> Scalar {
        entry("entry of a column vector", self, self.len(), index)
    }

    /// The entries of a range. Free, or without a level, or with one, as [`Matrix::block`]; one rotation key.
    #[track_caller]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let layout = Layout::column_vector;
        slice("slice of a column vector", self, self.len(), range, layout)
    }
}

/// An entry of a vector, masked and repeated in every slot.
#[track_caller]
fn entry<T: Object>(op: &'static str, vector: &T, len: usize, index: usize) -> Scalar {
    let own = vector.layout();
    let layout = one_of("index", index, len).map(|()| scalar(unit_of(&own)));
    record(op, &[vector], layout, |_| {
        let places = Places::of(&own);
        let (unit, position) = (index / places.positions, index % places.positions);
        let mut mask = vec![0.0; places.grain * places.cycle];
        mask[position * places.grain..][..places.grain].fill(1.0);
        let alone = vector.recorded().pick(&[unit]).multiply_plain(vec![mask]);
        places.sum(&alone)
    })
}

/// A range of a vector's entries, moved to the start; `layout` is that of its kind.
#[track_caller]
fn slice<T: Object>(
    op: &'static str,
    vector: &T,
    len: usize,
    range: Range<usize>,
    layout: fn(usize, EncodingUnit) -> Layout,
) -> T {
    let own = vector.layout();
    let layout = within("range", &range, len).map(|()| layout(range.len(), unit_of(&own)));
    record(op, &[vector], layout, |layout| {
        let (x, places) = (vector.recorded(), Places::of(&own));
        let mut map = places.map(x.units(), layout.units());
        for (to, from) in range.enumerate() {
            map.add_entry(places.positions, (to, from, 1.0));
        }
        map.apply_cheaply(x, &support(&own))
    })
}
