//! Concatenation of matrices and vectors.
//!
//! Free if every part but the last fills its units. No level, and one rotation for each unit that moves, if every unit of a
//! part lands in one unit of the result; else one level, with one rotation key for each distance that entries move (columns
//! of matrices that cross a unit's edge count twice).

use super::{
    ColumnVector, Matrix, Object, RowVector, extract::position, objects::support, record,
    same_unit, slot_map::SlotMap,
};
use crate::{EncodingUnit, Layout, Recorded, Result, Slots, ToolkitError};

impl Matrix {
    /// This matrix with others below it. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat_rows(&self, others: &[&Self]) -> Self {
        let (parts, unit) = (all(self, others), self.unit());
        let cols = self.dim().1;
        let layout = parts
            .iter()
            .try_fold(0, |rows, part| {
                plain_like(self, part)?;
                (part.dim().1 == cols)
                    .then_some(rows + part.dim().0)
                    .ok_or_else(|| {
                        mismatch(self, part, "matrices above each other have as many columns")
                    })
            })
            .map(|rows| Layout::matrix(rows, cols, unit));
        join("concat_rows", &parts, unit, layout, |layout| {
            matrix_map(&parts, layout, |part| (part.dim().0, 0))
        })
    }

    /// This matrix with others to the right of it. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat_columns(&self, others: &[&Self]) -> Self {
        let (parts, unit) = (all(self, others), self.unit());
        let rows = self.dim().0;
        let layout = parts
            .iter()
            .try_fold(0, |cols, part| {
                plain_like(self, part)?;
                (part.dim().0 == rows)
                    .then_some(cols + part.dim().1)
                    .ok_or_else(|| {
                        mismatch(self, part, "matrices next to each other have as many rows")
                    })
            })
            .map(|cols| Layout::matrix(rows, cols, unit));
        join("concat_columns", &parts, unit, layout, |layout| {
            matrix_map(&parts, layout, |part| (0, part.dim().1))
        })
    }
}

impl RowVector {
    /// This vector followed by others. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat(&self, others: &[&Self]) -> Self {
        let (parts, unit) = (all(self, others), self.unit());
        let layout = parts
            .iter()
            .try_fold(0, |len, part| {
                same_unit(unit, part.unit()).map(|()| len + part.len())
            })
            .map(|len| Layout::row_vector(len, unit));
        join("concat of row vectors", &parts, unit, layout, |layout| {
            let m = unit.height();
            let mut map = SlotMap::new(unit.width(), m, count(&parts), layout.units());
            vector_map(&mut map, parts.iter().map(|p| p.len()), m);
            map
        })
    }
}

impl ColumnVector {
    /// This vector followed by others. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat(&self, others: &[&Self]) -> Self {
        let (parts, unit) = (all(self, others), self.unit());
        let layout = parts
            .iter()
            .try_fold(0, |len, part| {
                same_unit(unit, part.unit()).map(|()| len + part.len())
            })
            .map(|len| Layout::column_vector(len, unit));
        join("concat of column vectors", &parts, unit, layout, |layout| {
            let n = unit.width();
            let mut map = SlotMap::new(1, n, count(&parts), layout.units());
            vector_map(&mut map, parts.iter().map(|p| p.len()), n);
            map
        })
    }
}

fn all<'a, T>(first: &'a T, others: &[&'a T]) -> Vec<&'a T> {
    std::iter::once(first)
        .chain(others.iter().copied())
        .collect()
}

fn count<T: Object>(parts: &[&T]) -> usize {
    parts.iter().map(|p| p.recorded().units()).sum()
}

fn mismatch(left: &Matrix, right: &Matrix, remedy: &'static str) -> ToolkitError {
    ToolkitError::mismatch(left.layout, right.layout, remedy)
}

fn plain_like(first: &Matrix, part: &Matrix) -> Result<()> {
    same_unit(first.unit(), part.unit())?;
    super::hadamard::plain_rows(part)
}

#[track_caller]
fn join<T: Object>(
    op: &'static str,
    parts: &[&T],
    unit: EncodingUnit,
    layout: Result<Layout>,
    map: impl FnOnce(&Layout) -> SlotMap,
) -> T {
    let slots: Vec<&Slots> = parts.iter().map(|p| p.recorded()).collect();
    record(op, &slots, unit, layout, |layout| {
        let support: Vec<Vec<f64>> = parts.iter().flat_map(|p| support(&p.layout())).collect();
        let joined = Slots::concat(&slots).unwrap_or_else(|| slots[0].clone());
        map(layout).apply_cheaply(&joined, &support)
    })
}

/// Places matrices one after the other, each further by `advance` (rows, columns).
fn matrix_map(
    parts: &[&Matrix],
    layout: &Layout,
    advance: impl Fn(&Matrix) -> (usize, usize),
) -> SlotMap {
    let mut map = SlotMap::new(1, layout.slots(), count(parts), layout.units());
    let (mut first, mut top, mut left) = (0, 0, 0);
    for part in parts {
        let (rows, cols) = part.dim();
        for r in 0..rows {
            for c in 0..cols {
                let (place, slot) = position(&part.layout, r, c);
                map.add(
                    position(layout, top + r, left + c),
                    (first + place, slot),
                    1.0,
                );
            }
        }
        first += part.recorded().units();
        let (down, right) = advance(part);
        (top, left) = (top + down, left + right);
    }
    map
}

/// Places vectors of these lengths one after the other; `size` entries to a unit.
fn vector_map(map: &mut SlotMap, lengths: impl Iterator<Item = usize>, size: usize) {
    let (mut first, mut to) = (0, 0);
    for len in lengths {
        for from in 0..len {
            map.add(
                (to / size, to % size),
                (first + from / size, from % size),
                1.0,
            );
            to += 1;
        }
        first += len.div_ceil(size);
    }
}
