//! Constants that leave the padding alone.

use crate::{EncodingUnit, Layout, Slots};

/// Ones where an object has entries, zeros elsewhere. The units of an object have few different masks: four at most.
#[derive(Debug)]
pub(super) struct Mask {
    /// Vectors of a power of two of slots; one shorter than the slots repeats.
    distinct: Vec<Vec<f64>>,
    /// Which of them each ciphertext has.
    of_unit: Vec<usize>,
}

impl Mask {
    /// The mask of an object whose layout was checked.
    pub(super) fn of(layout: &Layout) -> Self {
        let mut mask = Self {
            distinct: vec![],
            of_unit: Vec::with_capacity(layout.units()),
        };
        let mut known: Vec<Extent> = vec![];
        for u in 0..layout.units() {
            let extent = Extent::of(layout, u);
            let at = known.iter().position(|e| *e == extent).unwrap_or_else(|| {
                known.push(extent);
                mask.distinct.push(extent.ones());
                known.len() - 1
            });
            mask.of_unit.push(at);
        }
        mask
    }

    /// Whether the object has no padding.
    pub(super) fn is_full(&self) -> bool {
        self.distinct.iter().all(|vector| vector == &[1.0])
    }

    /// The mask times `value`: one vector for each ciphertext.
    pub(super) fn times(&self, value: f64) -> Vec<Vec<f64>> {
        let scaled: Vec<Vec<f64>> = self
            .distinct
            .iter()
            .map(|vector| vector.iter().map(|x| x * value).collect())
            .collect();
        self.of_unit.iter().map(|&k| scaled[k].clone()).collect()
    }

    /// A number that stands in every slot of one ciphertext, in the entries only: one ciphertext for each of the object's. One
    /// level and as many products as there are different masks; nothing if there is no padding.
    #[track_caller]
    pub(super) fn spread(&self, number: &Slots) -> Slots {
        if self.is_full() {
            return number.clone();
        }
        number
            .multiply_plain(self.distinct.clone())
            .pick(&self.of_unit)
    }
}

/// What part of a unit is filled: `rows`, each `stride` rows of the unit apart, and in each the first `cols` of every `period`
/// columns.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Extent {
    rows: usize,
    stride: usize,
    cols: usize,
    period: usize,
    unit: EncodingUnit,
}

impl Extent {
    fn of(layout: &Layout, u: usize) -> Self {
        let unit = layout
            .unit()
            .unwrap_or_else(|| EncodingUnit::one_row(layout.slots()));
        let (m, n) = (unit.height(), unit.width());
        let full = Self {
            rows: m,
            stride: 1,
            cols: n,
            period: n,
            unit,
        };
        match *layout {
            Layout::Matrix {
                rows,
                cols,
                row_stride,
                ..
            } => {
                let across = layout.horizontal_units();
                Self {
                    rows: (rows - u / across * (m / row_stride)).min(m / row_stride),
                    stride: row_stride,
                    cols: (cols - u % across * n).min(n),
                    ..full
                }
            }
            Layout::RowVector { len, .. } => Self {
                rows: (len - u * m).min(m),
                ..full
            },
            Layout::ColumnVector { len, period, .. } => Self {
                cols: (len - u * n).min(period),
                period,
                ..full
            },
            Layout::Scalar { .. } | Layout::Slots { .. } => full,
        }
    }

    fn ones(&self) -> Vec<f64> {
        let filled = |yes: bool| f64::from(u8::from(yes));
        let row: Vec<f64> = if self.cols == self.period {
            vec![1.0]
        } else {
            (0..self.period).map(|c| filled(c < self.cols)).collect()
        };
        if self.stride == 1 && self.rows == self.unit.height() {
            return row;
        }
        (0..self.unit.height())
            .flat_map(|r| {
                let used = filled(r % self.stride == 0 && r / self.stride < self.rows);
                (0..self.unit.width()).map({
                    let row = &row;
                    move |c| used * row[c & (row.len() - 1)]
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::*;
    use crate::Value;

    fn expanded(vectors: &[Vec<f64>], slots: usize) -> Vec<Vec<f64>> {
        vectors
            .iter()
            .map(|v| v.iter().copied().cycle().take(slots).collect())
            .collect()
    }

    #[test]
    fn masks_are_where_packing_puts_entries() {
        let unit = EncodingUnit::new(8, 4).unwrap();
        let layouts = [
            (Layout::matrix(8, 4, unit), 1),
            (Layout::matrix(16, 8, unit), 1),
            (Layout::matrix(17, 5, unit), 4),
            (Layout::matrix(24, 7, unit), 2),
            (Layout::matrix(3, 3, unit), 1),
            (
                Layout::Matrix {
                    rows: 3,
                    cols: 3,
                    unit,
                    row_stride: 2,
                },
                1,
            ),
            (
                Layout::Matrix {
                    rows: 4,
                    cols: 4,
                    unit,
                    row_stride: 2,
                },
                1,
            ),
            (Layout::row_vector(8, unit), 1),
            (Layout::row_vector(19, unit), 2),
            (Layout::column_vector(4, unit), 1),
            (Layout::column_vector(9, unit), 2),
            (
                Layout::ColumnVector {
                    len: 1,
                    unit,
                    period: 2,
                },
                1,
            ),
            (
                Layout::ColumnVector {
                    len: 2,
                    unit,
                    period: 2,
                },
                1,
            ),
            (Layout::Scalar { slots: 32 }, 1),
        ];
        for (layout, distinct) in layouts {
            layout.check().unwrap();
            let value = match layout {
                Layout::Matrix { rows, cols, .. } => {
                    Value::from(Array2::from_elem((rows, cols), 2.5))
                }
                Layout::RowVector { len, .. } | Layout::ColumnVector { len, .. } => {
                    Value::from(Array1::from_elem(len, 2.5))
                }
                _ => Value::from(2.5),
            };
            let packed = layout.pack("x", &value).unwrap();
            let mask = Mask::of(&layout);
            assert_eq!(expanded(&mask.times(2.5), 32), packed, "{layout}");
            assert_eq!(mask.distinct.len(), distinct, "{layout}");
            let padded = packed.iter().flatten().any(|&x| x == 0.0);
            assert_eq!(mask.is_full(), !padded, "{layout}");
        }
    }
}
