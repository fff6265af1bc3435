//! Parts of objects set to zero.

use std::ops::Range;

use super::{ColumnVector, Matrix, Object, RowVector, record};
use crate::{Layout, Result, ToolkitError, Value};
use ndarray::{Array1, Array2};

impl Matrix {
    /// Keeps the entries that `keep(row, column)` names; the others become zero. One level, no rotation.
    #[track_caller]
    pub fn mask(&self, keep: impl Fn(usize, usize) -> bool) -> Self {
        let ones = || Array2::from_shape_fn(self.dim(), |(r, c)| f64::from(keep(r, c)));
        masked(self, self.layout, || ones().into())
    }

    /// Keeps a range of rows. One level, no rotation.
    #[track_caller]
    pub fn keep_rows(&self, rows: Range<usize>) -> Self {
        self.mask(|r, _| rows.contains(&r))
    }

    /// Keeps a range of columns. One level, no rotation.
    #[track_caller]
    pub fn keep_columns(&self, columns: Range<usize>) -> Self {
        self.mask(|_, c| columns.contains(&c))
    }
}

impl RowVector {
    /// Keeps the entries that `keep(position)` names; the others become zero. One level, no rotation.
    #[track_caller]
    pub fn mask(&self, keep: impl Fn(usize) -> bool) -> Self {
        masked(self, self.layout, || ones(self.len(), keep))
    }
}

impl ColumnVector {
    /// Keeps the entries that `keep(position)` names; the others become zero. One level, no rotation. Of a vector that repeats
    /// within the unit's width, only the first period stays: the result is a column vector of the usual encoding.
    #[track_caller]
    pub fn mask(&self, keep: impl Fn(usize) -> bool) -> Self {
        let layout = Layout::column_vector(self.len(), self.unit());
        masked(self, layout, || ones(self.len(), keep))
    }
}

/// Ones in the entries that stay.
fn ones(len: usize, keep: impl Fn(usize) -> bool) -> Value {
    Array1::from_shape_fn(len, |i| f64::from(keep(i))).into()
}

#[track_caller]
fn masked<T: Object>(object: &T, layout: Layout, ones: impl FnOnce() -> Value) -> T {
    record("mask", &[object], Ok(layout), |layout| {
        object.recorded().multiply_plain(packed(layout, &ones()))
    })
}

/// The slots of plaintext entries that have the layout's own shape and are finite.
pub(super) fn packed(layout: &Layout, value: &Value) -> Vec<Vec<f64>> {
    layout.slots_of("mask", value).unwrap_or_default()
}

/// Checks that a row, column or entry lies within `len`.
pub(super) fn one_of(what: &'static str, position: usize, len: usize) -> Result<()> {
    within(what, &(position..position.saturating_add(1)), len)
}

/// Checks that a range of rows, columns or entries is not empty and lies within `len`.
pub(super) fn within(what: &'static str, range: &Range<usize>, len: usize) -> Result<()> {
    let out_of_range =
        |value: usize, range: String| Err(ToolkitError::out_of_range(what, value as f64, range));
    if range.start >= len {
        return out_of_range(range.start, format!("0 to {}: there are {len}", len - 1));
    }
    if range.end > len || range.end <= range.start {
        let start = range.start;
        return out_of_range(
            range.end,
            format!(
                "{} to {len}, ends of a range that starts at {start}",
                start + 1
            ),
        );
    }
    Ok(())
}
