//! Inner products and sums of all entries.

use super::{
    ColumnVector, Matrix, Object, RowVector, Scalar,
    arithmetic::same_layout,
    objects::{Places, scalar, unit_of},
    record,
};
use crate::{Layout, Slots};

impl RowVector {
    /// Sum of the products of entries. One level; lg m rotations.
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Scalar {
        inner("inner product of row vectors", self, other)
    }

    /// The sum of all entries. No level; lg m rotations.
    #[track_caller]
    pub fn sum_entries(&self) -> Scalar {
        sum_entries(self)
    }
}

impl ColumnVector {
    /// Sum of the products of entries. One level; lg n rotations.
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Scalar {
        inner("inner product of column vectors", self, other)
    }

    /// The sum of all entries. No level; lg n rotations.
    #[track_caller]
    pub fn sum_entries(&self) -> Scalar {
        sum_entries(self)
    }
}

impl Matrix {
    /// The sum of the products of entries, that is the trace of A^T B. One level; lg(m n) rotations.
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Scalar {
        inner("inner product of matrices", self, other)
    }

    /// The sum of all entries. No level; lg(m n) rotations.
    #[track_caller]
    pub fn sum_entries(&self) -> Scalar {
        sum_entries(self)
    }
}

/// The sum of all ciphertexts of a batch.
pub(super) fn sum_units(x: &Slots) -> Slots {
    let units: Vec<Slots> = (0..x.units()).map(|u| x.pick(&[u])).collect();
    Slots::sum(&units).unwrap_or_else(|| x.clone())
}

/// In every slot the sum over all entries of an object: over the batch, then over the slots that hold different ones.
#[track_caller]
pub(super) fn total(x: &Slots, layout: &Layout) -> Slots {
    Places::of(layout).sum(&sum_units(x))
}

#[track_caller]
fn inner<T: Object>(op: &'static str, left: &T, right: &T) -> Scalar {
    let own = left.layout();
    let layout = same_layout(&own, &right.layout()).map(|_| scalar(unit_of(&own)));
    record(op, &[left, right], layout, |_| {
        total(&left.recorded().multiply(right.recorded()), &own)
    })
}

#[track_caller]
fn sum_entries<T: Object>(object: &T) -> Scalar {
    let own = object.layout();
    record(
        "sum of entries",
        &[object],
        Ok(scalar(unit_of(&own))),
        |_| total(object.recorded(), &own),
    )
}
