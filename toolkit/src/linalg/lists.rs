//! Sums of lists of objects.

use arras_hal::Named;

use super::{
    ColumnVector, Matrix, Object, RowVector,
    arithmetic::same_layout,
    hadamard::plain_rows,
    objects::unit_of,
    record, same_unit,
    sums::{columns_of_units, rows_of_units, sum_cols_of, sum_rows_of},
};
use crate::{
    EncodingUnit, Layout, Recorded, Recorder, Result, Slots, ToolkitError, ToolkitErrorKind,
};

impl Recorder {
    /// The sum of a list of objects of one kind, shape and unit, in a balanced tree. No level.
    ///
    /// An empty list is an error of the circuit ([`ToolkitErrorKind::EmptyList`]).
    #[track_caller]
    pub fn add_many<'a, T: Object + 'a>(&self, list: impl IntoIterator<Item = &'a T>) -> T {
        let list: Vec<&T> = list.into_iter().collect();
        let layout = |first: &T, rest: &[&T]| {
            rest.iter().try_fold(first.layout(), |layout, next| {
                same_layout(&layout, &next.layout())
            })
        };
        of_list(self, "add_many", &list, layout, |_, first| {
            let terms: Vec<Slots> = list.iter().map(|o| o.recorded().clone()).collect();
            Slots::sum(&terms).unwrap_or_else(|| first.clone())
        })
    }

    /// The sum of the rows of all matrices of a list: they have one width and any heights. Equal to the sum of their
    /// [`Matrix::sum_rows`], with the rotations of one. No level; H lg m rotations.
    ///
    /// An empty list is an error of the circuit ([`ToolkitErrorKind::EmptyList`]).
    #[track_caller]
    pub fn sum_rows_many<'a>(&self, list: impl IntoIterator<Item = &'a Matrix>) -> ColumnVector {
        let list: Vec<&Matrix> = list.into_iter().collect();
        let layout = |first: &Matrix, rest: &[&Matrix]| {
            let remedy = "all matrices need the same number of columns";
            rest.iter()
                .try_for_each(|next| meet(first, next, |m| m.dim().1, remedy))?;
            Ok(Layout::column_vector(first.dim().1, first.unit()))
        };
        of_list(self, "sum_rows_many", &list, layout, |unit, first| {
            let rows: Vec<Slots> = list
                .iter()
                .flat_map(|m| rows_of_units(m.recorded(), &m.layout))
                .collect();
            sum_rows_of(first, &rows, unit)
        })
    }

    /// The sum of the columns of all matrices of a list, times `scale`: they have one height and any widths. Equal to the sum of
    /// their [`Matrix::sum_cols`], with the mask and the rotations of one. One level; 2 V lg n rotations.
    ///
    /// An empty list is an error of the circuit ([`ToolkitErrorKind::EmptyList`]).
    #[track_caller]
    pub fn sum_cols_many<'a>(
        &self,
        list: impl IntoIterator<Item = &'a Matrix>,
        scale: f64,
    ) -> RowVector {
        let list: Vec<&Matrix> = list.into_iter().collect();
        let layout = |first: &Matrix, rest: &[&Matrix]| {
            plain_rows(first)?;
            let remedy = "all matrices need the same number of rows";
            for next in rest {
                plain_rows(next)?;
                meet(first, next, |m| m.dim().0, remedy)?;
            }
            Ok(Layout::row_vector(first.dim().0, first.unit()))
        };
        of_list(self, "sum_cols_many", &list, layout, |unit, first| {
            let columns: Vec<Slots> = list
                .iter()
                .flat_map(|m| columns_of_units(m.recorded(), &m.layout))
                .collect();
            sum_cols_of(first, &columns, unit, scale)
        })
    }
}

/// Records an operation on a list; `layout` sees the first object and the others, `body` the unit and the first's slots.
#[track_caller]
fn of_list<T: Object, R: Object>(
    recorder: &Recorder,
    op: &'static str,
    list: &[&T],
    layout: impl FnOnce(&T, &[&T]) -> Result<Layout>,
    body: impl FnOnce(EncodingUnit, &Slots) -> Slots,
) -> R {
    let error = match list.split_first() {
        Some((first, rest)) if recorder.is(first.recorded().recorder()) => {
            let operands: Vec<&dyn Recorded> = list.iter().map(|&o| o as _).collect();
            return record(op, &operands, layout(first, rest), |_| {
                body(unit_of(&first.layout()), first.recorded())
            });
        }
        Some(_) => ToolkitErrorKind::TwoCircuits,
        None => ToolkitErrorKind::EmptyList,
    };
    recorder.fail(ToolkitError::from(error).named(op));
    let unit = EncodingUnit::one_row(recorder.slots());
    R::from_parts(Slots::failed(recorder, 1), R::placeholder(unit))
}

fn meet(
    first: &Matrix,
    next: &Matrix,
    side: impl Fn(&Matrix) -> usize,
    remedy: &'static str,
) -> Result<()> {
    same_unit(first.unit(), next.unit())?;
    if side(first) == side(next) {
        return Ok(());
    }
    Err(ToolkitError::mismatch(first.layout, next.layout, remedy))
}
