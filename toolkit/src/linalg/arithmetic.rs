//! Sums, differences, products and negatives of objects of one kind.

use super::{ColumnVector, Matrix, Object, RowVector, Scalar, objects::unit_of, record, same_unit};
use crate::{Layout, Result, Slots, ToolkitError};

/// The common layout of two objects of one kind.
pub(super) fn same_layout(left: &Layout, right: &Layout) -> Result<Layout> {
    if left == right {
        return Ok(*left);
    }
    same_unit(unit_of(left), unit_of(right))?;
    Err(ToolkitError::mismatch(
        left,
        right,
        "both need the same shape and encoding",
    ))
}

#[track_caller]
fn combine<T: Object>(
    op: &'static str,
    left: &T,
    right: &T,
    body: impl FnOnce(&Slots, &Slots) -> Slots,
) -> T {
    let layout = same_layout(&left.layout(), &right.layout());
    record(op, &[left, right], layout, |_| {
        body(left.recorded(), right.recorded())
    })
}

#[track_caller]
fn map<T: Object>(op: &'static str, object: &T, body: impl FnOnce(&Slots) -> Slots) -> T {
    record(op, &[object], Ok(object.layout()), |_| {
        body(object.recorded())
    })
}

macro_rules! arithmetic {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sum, entry by entry.
            #[track_caller]
            pub fn add(&self, other: &Self) -> Self {
                combine("add", self, other, Slots::add)
            }

            /// Difference, entry by entry.
            #[track_caller]
            pub fn sub(&self, other: &Self) -> Self {
                combine("sub", self, other, Slots::sub)
            }

            /// Product, entry by entry. One level.
            #[track_caller]
            pub fn hadamard(&self, other: &Self) -> Self {
                combine("hadamard", self, other, Slots::multiply)
            }

            /// Square, entry by entry. One level.
            #[track_caller]
            pub fn square(&self) -> Self {
                map("square", self, Slots::square)
            }

            /// Negative.
            #[track_caller]
            pub fn negate(&self) -> Self {
                map("negate", self, Slots::negate)
            }
        }
    )*};
}

arithmetic!(Matrix, RowVector, ColumnVector, Scalar);
