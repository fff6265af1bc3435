//! Norms of vectors and matrices.

use arras_hal::Named;

use super::{Stop, series::check_interval};
use crate::{
    ColumnVector, Layout, Matrix, Recorded, RowVector, Scalar, Slots, ToolkitError, linalg::record,
};

/// The sum of squares, in every slot: squares, sum over units, then over the slots that hold different entries.
#[track_caller]
fn norm_squared(x: &Slots, layout: &Layout) -> Slots {
    let squares = x.square();
    let units: Vec<Slots> = (0..x.units()).map(|i| squares.pick(&[i])).collect();
    let sum = Slots::sum(&units).unwrap_or_else(|| squares.clone());
    match *layout {
        Layout::RowVector { unit, .. } => sum.rotate_and_sum(unit.width() as i64, unit.height()),
        Layout::ColumnVector { period, .. } => sum.rotate_and_sum(1, period),
        _ => sum.rotate_and_sum(1, layout.slots()),
    }
}

macro_rules! norms {
    ($($name:ident, $rotations:literal;)*) => {$(
        impl $name {
            #[doc = concat!("The sum of the squares of all entries. One level; ", $rotations, " rotations.")]
            #[track_caller]
            pub fn norm_squared(&self) -> Scalar {
                let (x, layout) = (self.recorded(), self.layout());
                let scalar = Layout::Scalar { slots: layout.slots() };
                record("norm_squared", &[x], self.unit(), Ok(scalar), |_| norm_squared(x, &layout))
            }

            /// The root of the sum of the squares of all entries, a number in [`low`, `high`], 0 < low. One level more than
            /// [`super::Iteration::sqrt`] for the squares low^2 to high^2, which also says what is refused.
            #[track_caller]
            pub fn norm(&self, low: f64, high: f64, stop: Stop) -> Scalar {
                let recorder = self.recorded().recorder();
                let open = recorder.open("norm", &[self.recorded()], None, None);
                let checked = check_interval(low, high).and_then(|()| {
                    if low > 0.0 {
                        return Ok(());
                    }
                    Err(ToolkitError::out_of_range("lower end for the norm", low, format!("numbers above 0 and below the upper end {high}")))
                });
                if let Err(error) = checked {
                    recorder.fail(error.named("norm"));
                }
                let norm = self.norm_squared().sqrt(low * low, high * high, stop);
                recorder.close_with(open, norm.layout());
                norm
            }
        }
    )*};
}

norms! {
    Matrix, "lg S (S the slots)";
    RowVector, "lg m";
    ColumnVector, "lg n";
}
