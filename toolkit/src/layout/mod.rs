//! Where the entries of an object stand in the slots of its ciphertexts.

mod pack;
pub(crate) use pack::check_finite;
mod value;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use value::Value;

use crate::{EncodingUnit, Result, ToolkitError};

/// What an encrypted object is and how it is encoded.
///
/// ```text
///   unit of 2 x 4, matrix 3 x 5: V = 2 x H = 2 units          row vector of 3        column vector of 5
///
///     a b c d | e 0 0 0                                         x x x x                p q r s | t 0 0 0
///     f g h i | j 0 0 0                                         y y y y                p q r s | t 0 0 0
///     --------+--------                                         -------
///     k l m n | o 0 0 0                                         z z z z
///     0 0 0 0 | 0 0 0 0                                         0 0 0 0
/// ```
/// A *row vector* has one entry for each row of the matrices it meets, repeated in every column; a *column vector* has one for
/// each column, repeated in every row (ePrint 2020/1483, section 4). Units of a matrix are batched row by row.
///
/// What is outside an object is zero, and no operation changes that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Layout {
    /// A matrix, tiled.
    Matrix {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// The unit.
        unit: EncodingUnit,
        /// Row r of the matrix stands in row `r * row_stride` of the units: 1, unless the unit was transposed.
        row_stride: usize,
    },
    /// A vector with one entry for each matrix row.
    RowVector {
        /// Entries.
        len: usize,
        /// The unit.
        unit: EncodingUnit,
    },
    /// A vector with one entry for each matrix column.
    ColumnVector {
        /// Entries.
        len: usize,
        /// The unit.
        unit: EncodingUnit,
        /// Slots repeat after this many columns: the unit's width, unless the unit was transposed.
        period: usize,
    },
    /// One number, in every slot.
    Scalar {
        /// Slots.
        slots: usize,
    },
    /// Slots without a meaning known to the toolkit.
    Slots {
        /// Ciphertexts.
        units: usize,
        /// Slots of each.
        slots: usize,
    },
}

impl Layout {
    /// The most ciphertexts of one object.
    pub const MAX_UNITS: usize = 1 << 16;

    /// A matrix of `rows` x `cols`.
    pub fn matrix(rows: usize, cols: usize, unit: EncodingUnit) -> Self {
        Self::strided(rows, cols, unit, 1)
    }

    /// A matrix whose rows are `row_stride` rows of the unit apart, as [`crate::Matrix::transpose_unit`] leaves it.
    pub fn strided(rows: usize, cols: usize, unit: EncodingUnit, row_stride: usize) -> Self {
        Self::Matrix {
            rows,
            cols,
            unit,
            row_stride,
        }
    }

    /// A row vector of `len` entries.
    pub fn row_vector(len: usize, unit: EncodingUnit) -> Self {
        Self::RowVector { len, unit }
    }

    /// A column vector of `len` entries.
    pub fn column_vector(len: usize, unit: EncodingUnit) -> Self {
        Self::repeating(len, unit, unit.width())
    }

    /// A column vector that repeats after `period` columns, as [`crate::ColumnVector::transpose_unit`] leaves it.
    pub fn repeating(len: usize, unit: EncodingUnit, period: usize) -> Self {
        Self::ColumnVector { len, unit, period }
    }

    /// Checks that the object exists: not empty, at most [`Layout::MAX_UNITS`] ciphertexts, stride and period that fit the unit.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::DoesNotFit`].
    pub fn check(&self) -> Result<()> {
        let wrong =
            |unit: String, remedy: &str| Err(ToolkitError::does_not_fit(self, unit, remedy));
        let (empty, legal, unit) = match *self {
            Self::Matrix {
                rows,
                cols,
                unit,
                row_stride,
            } => (
                rows == 0 || cols == 0,
                row_stride == 1
                    || (row_stride.is_power_of_two()
                        && rows.saturating_mul(row_stride) <= unit.height()
                        && cols <= unit.width()),
                unit.to_string(),
            ),
            Self::RowVector { len, unit } => (len == 0, true, unit.to_string()),
            Self::ColumnVector { len, unit, period } => (
                len == 0,
                period == unit.width()
                    || (period.is_power_of_two() && period < unit.width() && len <= period),
                unit.to_string(),
            ),
            Self::Scalar { slots } => (false, slots.is_power_of_two(), slots.to_string()),
            Self::Slots { units, slots } => {
                (units == 0, slots.is_power_of_two(), slots.to_string())
            }
        };
        if empty {
            return wrong(unit, "objects have at least one entry");
        }
        if !legal {
            return wrong(
                unit,
                "strides and periods are powers of two within one unit",
            );
        }
        if self.slots() > EncodingUnit::MAX_SLOTS {
            return wrong(unit, "ciphertexts have at most 65536 slots");
        }
        if self
            .checked_units()
            .is_none_or(|units| units > Self::MAX_UNITS)
        {
            return wrong(
                unit,
                "an object has at most 65536 ciphertexts; use a larger unit or a smaller object",
            );
        }
        Ok(())
    }

    fn checked_units(&self) -> Option<usize> {
        match *self {
            Self::Slots { units, .. } => Some(units),
            _ => self.vertical_units().checked_mul(self.horizontal_units()),
        }
    }

    /// Number of ciphertexts.
    pub fn units(&self) -> usize {
        self.checked_units().unwrap_or(usize::MAX)
    }

    /// Slots of each ciphertext.
    pub fn slots(&self) -> usize {
        match *self {
            Self::Matrix { unit, .. }
            | Self::RowVector { unit, .. }
            | Self::ColumnVector { unit, .. } => unit.slots(),
            Self::Scalar { slots } | Self::Slots { slots, .. } => slots,
        }
    }

    /// The unit, of objects that have one.
    pub fn unit(&self) -> Option<EncodingUnit> {
        match *self {
            Self::Matrix { unit, .. }
            | Self::RowVector { unit, .. }
            | Self::ColumnVector { unit, .. } => Some(unit),
            Self::Scalar { .. } | Self::Slots { .. } => None,
        }
    }

    /// Units above each other, V.
    pub fn vertical_units(&self) -> usize {
        match *self {
            Self::Matrix {
                rows,
                unit,
                row_stride,
                ..
            } => rows.saturating_mul(row_stride).div_ceil(unit.height()),
            Self::RowVector { len, unit } => len.div_ceil(unit.height()),
            _ => 1,
        }
    }

    /// Units side by side, H.
    pub fn horizontal_units(&self) -> usize {
        match *self {
            Self::Matrix { cols, unit, .. } => cols.div_ceil(unit.width()),
            Self::ColumnVector { len, unit, .. } => len.div_ceil(unit.width()),
            Self::Slots { units, .. } => units,
            _ => 1,
        }
    }

    /// The row of units that each unit stands in.
    pub(crate) fn rows_of_units(&self) -> Vec<usize> {
        let across = self.horizontal_units();
        (0..self.units()).map(|unit| unit / across).collect()
    }

    /// The column of units that each unit stands in.
    pub(crate) fn columns_of_units(&self) -> Vec<usize> {
        let across = self.horizontal_units();
        (0..self.units()).map(|unit| unit % across).collect()
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Matrix {
                rows,
                cols,
                unit,
                row_stride,
            } => {
                write!(f, "matrix {rows}x{cols} in units {unit}")?;
                if row_stride != 1 {
                    write!(f, " (rows {row_stride} apart)")?;
                }
                Ok(())
            }
            Self::RowVector { len, unit } => write!(f, "row vector of {len} in units {unit}"),
            Self::ColumnVector { len, unit, period } => {
                write!(f, "column vector of {len} in units {unit}")?;
                if period != unit.width() {
                    write!(f, " (repeated every {period} columns)")?;
                }
                Ok(())
            }
            Self::Scalar { slots } => write!(f, "scalar in {slots} slots"),
            Self::Slots { units, slots } => write!(f, "{units} x {slots} slots"),
        }
    }
}
