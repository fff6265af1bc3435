//! Concatenation of matrices and vectors.
//!
//! Free if every part but the last fills its units. No level, and one rotation for each unit that moves, if every unit of a
//! part lands in one unit of the result; else one level, with one rotation key for each distance that entries move (columns
//! of matrices that cross a unit's edge count twice).

use super::{
    ColumnVector, Matrix, Object, RowVector,
    extract::position,
    hadamard::plain_rows,
    objects::{Places, support, unit_of},
    record, same_unit,
    slot_map::SlotMap,
};
use crate::{EncodingUnit, Layout, Recorded, Result, Slots, ToolkitError};

impl Matrix {
    /// This matrix with others below it. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat_rows(&self, others: &[&Self]) -> Self {
        let (rows, cols) = (|m: &Self| m.dim().0, |m: &Self| m.dim().1);
        let layout = |rows, unit| Layout::matrix(rows, cols(self), unit);
        let remedy = "matrices above each other have as many columns";
        let parts = all(self, others);
        let layout = joined(&parts, rows, cols, remedy).map(|rows| layout(rows, self.unit()));
        join("concat_rows", &parts, layout, |layout| {
            matrix_map(&parts, layout, |part| (rows(part), 0))
        })
    }

    /// This matrix with others to the right of it. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat_columns(&self, others: &[&Self]) -> Self {
        let (rows, cols) = (|m: &Self| m.dim().0, |m: &Self| m.dim().1);
        let layout = |cols, unit| Layout::matrix(rows(self), cols, unit);
        let remedy = "matrices next to each other have as many rows";
        let parts = all(self, others);
        let layout = joined(&parts, cols, rows, remedy).map(|cols| layout(cols, self.unit()));
        join("concat_columns", &parts, layout, |layout| {
            matrix_map(&parts, layout, |part| (0, cols(part)))
        })
    }
}

impl RowVector {
    /// This vector followed by others. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat(&self, others: &[&Self]) -> Self {
        let (op, layout) = ("concat of row vectors", Layout::row_vector);
        join_vectors(op, &all(self, others), Self::len, layout)
    }
}

impl ColumnVector {
    /// This vector followed by others. Cost: see [`crate::linalg`], `join`.
    #[track_caller]
    pub fn concat(&self, others: &[&Self]) -> Self {
        let (op, layout) = ("concat of column vectors", Layout::column_vector);
        join_vectors(op, &all(self, others), Self::len, layout)
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

/// The sum of the joined sides of matrices that have plain rows, one unit and the other side in common.
fn joined(
    parts: &[&Matrix],
    side: impl Fn(&Matrix) -> usize,
    other: impl Fn(&Matrix) -> usize,
    remedy: &'static str,
) -> Result<usize> {
    let first = parts[0];
    parts.iter().try_fold(0, |sum, part| {
        same_unit(first.unit(), part.unit())?;
        plain_rows(part)?;
        let meets = other(part) == other(first);
        let mismatch = || ToolkitError::mismatch(first.layout, part.layout, remedy);
        meets.then(|| sum + side(part)).ok_or_else(mismatch)
    })
}

/// Vectors one after the other; `layout` is that of their kind.
#[track_caller]
fn join_vectors<T: Object>(
    op: &'static str,
    parts: &[&T],
    len: fn(&T) -> usize,
    layout: fn(usize, EncodingUnit) -> Layout,
) -> T {
    let unit = unit_of(&parts[0].layout());
    let mut others = parts.iter().map(|part| unit_of(&part.layout()));
    let layout = others
        .try_for_each(|other| same_unit(unit, other))
        .map(|()| layout(parts.iter().map(|part| len(part)).sum(), unit));
    join(op, parts, layout, |layout| {
        // Parts may repeat within the unit, the result does not.
        let Places {
            grain, positions, ..
        } = Places::of(layout);
        let mut map = SlotMap::new(grain, positions, count(parts), layout.units());
        let (mut first, mut to) = (0, 0);
        for part in parts {
            for from in 0..len(part) {
                map.add_entry(positions, (to, first * positions + from, 1.0));
                to += 1;
            }
            first += part.recorded().units();
        }
        map
    })
}

#[track_caller]
fn join<T: Object>(
    op: &'static str,
    parts: &[&T],
    layout: Result<Layout>,
    map: impl FnOnce(&Layout) -> SlotMap,
) -> T {
    let operands: Vec<&dyn Recorded> = parts.iter().map(|&p| p as _).collect();
    record(op, &operands, layout, |layout| {
        let support: Vec<Vec<f64>> = parts.iter().flat_map(|p| support(&p.layout())).collect();
        let slots: Vec<&Slots> = parts.iter().map(|p| p.recorded()).collect();
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
                let to = position(layout, top + r, left + c);
                map.add(to, (first + place, slot), 1.0);
            }
        }
        first += part.recorded().units();
        let (down, right) = advance(part);
        (top, left) = (top + down, left + right);
    }
    map
}
