//! Inner products and sums of all entries.

use super::{
    ColumnVector, Matrix, Object, RowVector, Scalar, arithmetic::same_layout, objects::unit_of,
    record,
};
use crate::{EncodingUnit, Layout, Recorded, Slots};

fn scalar(unit: EncodingUnit) -> Layout {
    Layout::Scalar {
        slots: unit.slots(),
    }
}

/// The sum of all ciphertexts of a batch.
pub(super) fn sum_units(x: &Slots) -> Slots {
    let units: Vec<Slots> = (0..x.units()).map(|u| x.pick(&[u])).collect();
    Slots::sum(&units).unwrap_or_else(|| x.clone())
}

impl RowVector {
    /// Sum of the products of entries. One level; lg m rotations.
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Scalar {
        inner("inner product of row vectors", self, other, |products| {
            sum_rows_of_vector(&products, self.unit())
        })
    }

    /// The sum of all entries. No level; lg m rotations.
    #[track_caller]
    pub fn sum_entries(&self) -> Scalar {
        let (x, unit) = (self.recorded(), self.unit());
        record("sum of entries", &[x], unit, Ok(scalar(unit)), |_| {
            sum_rows_of_vector(&sum_units(x), unit)
        })
    }
}

impl ColumnVector {
    /// Sum of the products of entries. One level; lg n rotations.
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Scalar {
        inner("inner product of column vectors", self, other, |products| {
            products.rotate_and_sum(1, self.period())
        })
    }

    /// The sum of all entries. No level; lg n rotations.
    #[track_caller]
    pub fn sum_entries(&self) -> Scalar {
        let (x, unit) = (self.recorded(), self.unit());
        record("sum of entries", &[x], unit, Ok(scalar(unit)), |_| {
            sum_units(x).rotate_and_sum(1, self.period())
        })
    }
}

impl Matrix {
    /// The sum of the products of entries, that is the trace of A^T B. One level; lg(m n) rotations.
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Scalar {
        inner("inner product of matrices", self, other, |products| {
            products.rotate_and_sum(1, self.unit().slots())
        })
    }

    /// The sum of all entries. No level; lg(m n) rotations.
    #[track_caller]
    pub fn sum_entries(&self) -> Scalar {
        let (x, unit) = (self.recorded(), self.unit());
        record("sum of entries", &[x], unit, Ok(scalar(unit)), |_| {
            sum_units(x).rotate_and_sum(1, unit.slots())
        })
    }
}

/// What `sum` makes of the products of two batches, summed over the batch and relinearized once.
#[track_caller]
fn inner<T: Object>(
    op: &'static str,
    left: &T,
    right: &T,
    sum: impl FnOnce(Slots) -> Slots,
) -> Scalar {
    let (a, b) = (left.recorded(), right.recorded());
    let unit = unit_of(&left.layout());
    let layout = same_layout(&left.layout(), &right.layout()).map(|_| scalar(unit));
    record(op, &[a, b], unit, layout, |_| {
        sum(sum_units(&a.multiply(b)))
    })
}

/// Entries stand in rows, repeated in all columns.
fn sum_rows_of_vector(x: &Slots, unit: EncodingUnit) -> Slots {
    x.rotate_and_sum(unit.width() as i64, unit.height())
}
