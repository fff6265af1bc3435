//! Sums and products with one encrypted number.

use super::{ColumnVector, Matrix, Object, RowVector, Scalar, padding::Mask, record};
use crate::{Recorded, Slots};

#[track_caller]
fn combine<T: Object>(
    op: &'static str,
    object: &T,
    number: &Scalar,
    body: impl FnOnce(&Slots, &Slots, &Mask) -> Slots,
) -> T {
    record(op, &[object, number], Ok(object.layout()), |layout| {
        body(object.recorded(), number.recorded(), &Mask::of(layout))
    })
}

macro_rules! with_scalar {
    ($($name:ident),*) => {$(
        impl $name {
            /// Adds an encrypted number to every entry. Free if the object has no padding; else one level of the number (not
            /// of the object) and a product of it with each different mask of the units, of which there are at most four, so
            /// that the padding stays zero.
            #[track_caller]
            pub fn add_encrypted(&self, number: &Scalar) -> Self {
                combine("add_encrypted", self, number, |a, b, mask| a.add(&mask.spread(b)))
            }

            /// Subtracts an encrypted number from every entry, at the cost of [`Self::add_encrypted`].
            #[track_caller]
            pub fn sub_encrypted(&self, number: &Scalar) -> Self {
                combine("sub_encrypted", self, number, |a, b, mask| a.sub(&mask.spread(b)))
            }

            /// Multiplies every entry by an encrypted number. One level.
            #[track_caller]
            pub fn multiply_encrypted(&self, number: &Scalar) -> Self {
                combine("multiply_encrypted", self, number, |a, b, _| a.multiply(b))
            }
        }
    )*};
}

with_scalar!(Matrix, RowVector, ColumnVector);
