//! Between values and slots.

use arras_hal::Named;
use ndarray::{Array1, Array2};

use super::{Layout, Value};
use crate::{Result, ToolkitError, ToolkitErrorKind};

impl Layout {
    /// The slots of each ciphertext for a value of this layout.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::WrongInput`] for a value of another shape, [`ToolkitErrorKind::NonFinite`]; those of [`Layout::check`].
    pub fn pack(&self, name: &str, value: &Value) -> Result<Vec<Vec<f64>>> {
        self.slots_of(name, value).named("pack")
    }

    /// As [`Layout::pack`], for operations that name their errors.
    pub(crate) fn slots_of(&self, name: &str, value: &Value) -> Result<Vec<Vec<f64>>> {
        self.check()?;
        let wrong = || {
            ToolkitError::from(ToolkitErrorKind::WrongInput {
                name: name.into(),
                expected: self.to_string(),
                found: value.describe(),
            })
        };
        let mut slots = vec![vec![0.0; self.slots()]; self.units()];
        match (*self, value) {
            (
                Self::Matrix {
                    rows,
                    cols,
                    unit,
                    row_stride,
                },
                Value::Matrix(m),
            ) => {
                if m.dim() != (rows, cols) {
                    return Err(wrong());
                }
                let across = self.horizontal_units();
                for ((r, c), &x) in m.indexed_iter() {
                    check_finite(name, x, &[r, c])?;
                    let (i, r) = (
                        r * row_stride / unit.height(),
                        r * row_stride % unit.height(),
                    );
                    let (j, c) = (c / unit.width(), c % unit.width());
                    slots[i * across + j][r * unit.width() + c] = x;
                }
            }
            (Self::RowVector { len, unit }, Value::Vector(v)) => {
                if v.len() != len {
                    return Err(wrong());
                }
                for (r, &x) in v.iter().enumerate() {
                    check_finite(name, x, &[r])?;
                    let start = r % unit.height() * unit.width();
                    slots[r / unit.height()][start..start + unit.width()].fill(x);
                }
            }
            (Self::ColumnVector { len, unit, period }, Value::Vector(v)) => {
                if v.len() != len {
                    return Err(wrong());
                }
                for (c, &x) in v.iter().enumerate() {
                    check_finite(name, x, &[c])?;
                    slots[c / unit.width()]
                        .iter_mut()
                        .skip(c % period)
                        .step_by(period)
                        .for_each(|slot| *slot = x);
                }
            }
            (Self::Scalar { .. }, Value::Scalar(x)) => {
                check_finite(name, *x, &[])?;
                slots[0].fill(*x);
            }
            (Self::Slots { units, slots: most }, Value::Slots(lists)) => {
                if lists.len() != units || lists.iter().any(|list| list.len() > most) {
                    return Err(wrong());
                }
                for (i, (list, slots)) in lists.iter().zip(&mut slots).enumerate() {
                    for (j, (&x, slot)) in list.iter().zip(slots).enumerate() {
                        check_finite(name, x, &[i, j])?;
                        *slot = x;
                    }
                }
            }
            _ => return Err(wrong()),
        }
        Ok(slots)
    }

    /// The value in the slots of each ciphertext. Where entries are repeated, the first is read.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::WrongInput`] for another number of ciphertexts or slots; those of [`Layout::check`].
    pub fn unpack(&self, name: &str, slots: &[Vec<f64>]) -> Result<Value> {
        self.check().named("unpack")?;
        if slots.len() != self.units() || slots.iter().any(|s| s.len() != self.slots()) {
            let of_each = slots.first().map_or(0, Vec::len);
            let error = ToolkitError::from(ToolkitErrorKind::WrongInput {
                name: name.into(),
                expected: self.to_string(),
                found: format!("{} ciphertexts of {of_each} slots", slots.len()),
            });
            return Err(error.named("unpack"));
        }
        Ok(match *self {
            Self::Matrix {
                rows,
                cols,
                unit,
                row_stride,
            } => {
                let across = self.horizontal_units();
                Value::Matrix(Array2::from_shape_fn((rows, cols), |(r, c)| {
                    let (i, r) = (
                        r * row_stride / unit.height(),
                        r * row_stride % unit.height(),
                    );
                    let (j, c) = (c / unit.width(), c % unit.width());
                    slots[i * across + j][r * unit.width() + c]
                }))
            }
            Self::RowVector { len, unit } => Value::Vector(Array1::from_shape_fn(len, |r| {
                slots[r / unit.height()][r % unit.height() * unit.width()]
            })),
            Self::ColumnVector { len, unit, .. } => {
                Value::Vector(Array1::from_shape_fn(len, |c| {
                    slots[c / unit.width()][c % unit.width()]
                }))
            }
            Self::Scalar { .. } => Value::Scalar(slots[0][0]),
            Self::Slots { .. } => Value::Slots(slots.to_vec()),
        })
    }
}

pub(crate) fn check_finite(what: &str, value: f64, index: &[usize]) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(ToolkitErrorKind::NonFinite {
        what: format!("{what:?}"),
        value,
        index: index.to_vec(),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncodingUnit;

    fn counting(rows: usize, cols: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, cols), |(r, c)| 1.0 + (r * cols + c) as f64)
    }

    #[test]
    fn the_drawing_is_true() {
        let unit = EncodingUnit::new(2, 4).unwrap();
        let slots = Layout::matrix(3, 5, unit)
            .pack("m", &counting(3, 5).into())
            .unwrap();
        assert_eq!(
            slots,
            [
                [1., 2., 3., 4., 6., 7., 8., 9.],
                [5., 0., 0., 0., 10., 0., 0., 0.],
                [11., 12., 13., 14., 0., 0., 0., 0.],
                [15., 0., 0., 0., 0., 0., 0., 0.]
            ]
        );
        let v = Array1::from(vec![1., 2., 3.]);
        assert_eq!(
            Layout::row_vector(3, unit).pack("v", &(&v).into()).unwrap(),
            [
                [1., 1., 1., 1., 2., 2., 2., 2.],
                [3., 3., 3., 3., 0., 0., 0., 0.]
            ]
        );
        let v = Array1::from(vec![1., 2., 3., 4., 5.]);
        assert_eq!(
            Layout::column_vector(5, unit)
                .pack("v", &(&v).into())
                .unwrap(),
            [
                [1., 2., 3., 4., 1., 2., 3., 4.],
                [5., 0., 0., 0., 5., 0., 0., 0.]
            ]
        );
    }

    #[test]
    fn every_layout_comes_back() {
        let unit = EncodingUnit::new(8, 4).unwrap();
        let strided = Layout::Matrix {
            rows: 3,
            cols: 4,
            unit,
            row_stride: 2,
        };
        let periodic = Layout::ColumnVector {
            len: 2,
            unit,
            period: 2,
        };
        let vector = |n: usize| Value::from(Array1::from_iter((0..n).map(|i| i as f64 - 1.5)));
        for (layout, value) in [
            (Layout::matrix(9, 5, unit), counting(9, 5).into()),
            (strided, counting(3, 4).into()),
            (Layout::row_vector(17, unit), vector(17)),
            (Layout::column_vector(9, unit), vector(9)),
            (periodic, vector(2)),
            (Layout::Scalar { slots: 32 }, 2.5.into()),
        ] {
            let slots = layout.pack("x", &value).unwrap();
            assert_eq!(slots.len(), layout.units());
            assert_eq!(layout.unpack("x", &slots).unwrap(), value, "{layout}");
        }
    }

    #[test]
    fn wrong_values_are_refused() {
        let unit = EncodingUnit::new(8, 4).unwrap();
        let layout = Layout::matrix(9, 5, unit);
        for value in [counting(5, 9).into(), Value::from(1.0)] {
            let error = layout.pack("weights", &value).unwrap_err();
            assert!(error.to_string().contains("matrix 9x5"), "{error}");
            assert!(error.to_string().contains("weights"), "{error}");
        }
        let mut m = counting(9, 5);
        m[[3, 4]] = f64::NAN;
        let error = layout.pack("weights", &m.into()).unwrap_err();
        assert!(
            matches!(error.kind(), ToolkitErrorKind::NonFinite { index, .. } if index == &[3, 4]),
            "{error}"
        );
        for layout in [
            Layout::matrix(0, 5, unit),
            Layout::row_vector(0, unit),
            Layout::matrix(1 << 16, 1 << 16, unit),
            Layout::matrix(usize::MAX, usize::MAX, unit),
            Layout::Slots { units: 0, slots: 4 },
            Layout::Scalar { slots: 3 },
        ] {
            let error = layout.check().unwrap_err();
            assert!(
                matches!(error.kind(), ToolkitErrorKind::DoesNotFit { .. }),
                "{error}"
            );
        }
    }
}
