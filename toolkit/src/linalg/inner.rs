//! Inner products and sums of all entries.

use super::{ColumnVector, Matrix, RowVector, Scalar, arithmetic::same_layout, record};
use crate::{EncodingUnit, Layout, Recorded, Result, Slots};

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
        let (a, b) = (self.recorded(), other.recorded());
        let layout = same_layout(&self.layout, &other.layout).map(|_| scalar(self.unit()));
        record(
            "inner product of row vectors",
            &[a, b],
            self.unit(),
            layout,
            |_| sum_rows_of_vector(&products(a, b), self.unit()),
        )
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
        let (a, b) = (self.recorded(), other.recorded());
        let layout: Result<Layout> =
            same_layout(&self.layout, &other.layout).map(|_| scalar(self.unit()));
        record(
            "inner product of column vectors",
            &[a, b],
            self.unit(),
            layout,
            |_| products(a, b).rotate_and_sum(1, self.period()),
        )
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
        let (a, b) = (self.recorded(), other.recorded());
        let layout = same_layout(&self.layout, &other.layout).map(|_| scalar(self.unit()));
        record(
            "inner product of matrices",
            &[a, b],
            self.unit(),
            layout,
            |_| products(a, b).rotate_and_sum(1, self.unit().slots()),
        )
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

/// The products of two batches, summed over the batch and relinearized once.
fn products(a: &Slots, b: &Slots) -> Slots {
    sum_units(&a.multiply(b))
}

/// Entries stand in rows, repeated in all columns.
fn sum_rows_of_vector(x: &Slots, unit: EncodingUnit) -> Slots {
    x.rotate_and_sum(unit.width() as i64, unit.height())
}
