//! Norms of vectors and matrices.

use super::{Stop, series::check_interval};
use crate::{
    ColumnVector, Matrix, Result, RowVector, Scalar, ToolkitError,
    linalg::{inner::total, objects::scalar, record},
};

/// The ends of an interval in which a norm lies.
fn check_ends(low: f64, high: f64) -> Result<()> {
    check_interval(low, high)?;
    if low > 0.0 {
        return Ok(());
    }
    Err(ToolkitError::out_of_range(
        "lower end for the norm",
        low,
        format!("numbers above 0 and below the upper end {high}"),
    ))
}

macro_rules! norms {
    ($($name:ident, $rotations:literal;)*) => {$(
        impl $name {
            #[doc = concat!("The sum of the squares of all entries. One level; ", $rotations, " rotations.")]
            #[track_caller]
            pub fn norm_squared(&self) -> Scalar {
                record("norm_squared", &[self], Ok(scalar(self.unit())), |_| {
                    total(&self.slots.square(), &self.layout)
                })
            }

            /// The root of the sum of the squares of all entries, a number in [`low`, `high`], 0 < low. One level more than
            /// [`super::Iteration::sqrt`] for the squares low^2 to high^2, which also says what is refused.
            #[track_caller]
            pub fn norm(&self, low: f64, high: f64, stop: Stop) -> Scalar {
                let layout = check_ends(low, high).map(|()| scalar(self.unit()));
                record("norm", &[self], layout, |_| {
                    self.norm_squared().sqrt(low * low, high * high, stop).slots
                })
            }
        }
    )*};
}

norms! {
    Matrix, "lg S (S the slots)";
    RowVector, "lg m";
    ColumnVector, "lg n";
}
