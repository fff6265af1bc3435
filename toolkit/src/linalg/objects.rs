//! Handles of encrypted objects in a circuit that is being recorded.

use super::{padding::Mask, slot_map::SlotMap};
use crate::{EncodingUnit, Layout, Recorded, Slots};

/// A handle that is slots with a layout.
pub trait Object: Recorded + Sized {
    #[doc(hidden)]
    fn from_parts(slots: Slots, layout: Layout) -> Self;

    /// The layout of a result that could not be recorded.
    #[doc(hidden)]
    fn placeholder(unit: EncodingUnit) -> Layout;
}

macro_rules! object {
    ($(#[$doc:meta])* $name:ident, $placeholder:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            pub(super) slots: Slots,
            pub(super) layout: Layout,
        }

        impl Recorded for $name {
            fn recorded(&self) -> &Slots {
                &self.slots
            }

            fn layout(&self) -> Layout {
                self.layout
            }
        }

        impl Object for $name {
            fn from_parts(slots: Slots, layout: Layout) -> Self {
                Self { slots, layout }
            }

            fn placeholder(unit: EncodingUnit) -> Layout {
                let placeholder: fn(EncodingUnit) -> Layout = $placeholder;
                placeholder(unit)
            }
        }

        impl $name {
            /// Its slots, for operations of one's own.
            pub fn as_slots(&self) -> &Slots {
                &self.slots
            }
        }
    };
}

object!(
    /// An encrypted matrix.
    Matrix,
    |unit| Layout::matrix(1, 1, unit)
);
object!(
    /// An encrypted vector with one entry for each row of the matrices it meets: entry r fills row r of the unit, so it is repeated in
    /// every column. The name says how the entries are laid out, not on which side of a matrix it stands: it is what
    /// matrix x [`ColumnVector`] gives, and what a product from the left (`x.dot(&a)`) takes.
    RowVector,
    |unit| Layout::row_vector(1, unit)
);
object!(
    /// An encrypted vector with one entry for each column of the matrices it meets: entry c fills column c of the unit, so it is
    /// repeated in every row. It is what [`RowVector`] x matrix gives, and what a product from the right (`a.dot(&y)`) takes; the two
    /// kinds alternate along a chain of products, and no product has to rearrange its result.
    ColumnVector,
    |unit| Layout::column_vector(1, unit)
);
object!(
    /// An encrypted number, in every slot.
    Scalar,
    |unit| Layout::Scalar { slots: unit.slots() }
);

impl Matrix {
    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        match self.layout {
            Layout::Matrix { rows, cols, .. } => (rows, cols),
            _ => (1, 1),
        }
    }

    /// The encoding unit.
    pub fn unit(&self) -> EncodingUnit {
        unit_of(&self.layout)
    }

    /// Distance of the matrix's rows in the units' rows: 1, unless the unit was transposed.
    pub fn row_stride(&self) -> usize {
        match self.layout {
            Layout::Matrix { row_stride, .. } => row_stride,
            _ => 1,
        }
    }
}

impl RowVector {
    /// Number of entries.
    #[expect(clippy::len_without_is_empty, reason = "there are no empty vectors")]
    pub fn len(&self) -> usize {
        match self.layout {
            Layout::RowVector { len, .. } => len,
            _ => 1,
        }
    }

    /// The encoding unit.
    pub fn unit(&self) -> EncodingUnit {
        unit_of(&self.layout)
    }
}

impl ColumnVector {
    /// Number of entries.
    #[expect(clippy::len_without_is_empty, reason = "there are no empty vectors")]
    pub fn len(&self) -> usize {
        match self.layout {
            Layout::ColumnVector { len, .. } => len,
            _ => 1,
        }
    }

    /// The encoding unit.
    pub fn unit(&self) -> EncodingUnit {
        unit_of(&self.layout)
    }

    /// Columns after which the slots repeat: the unit's width, unless the unit was transposed.
    pub fn period(&self) -> usize {
        match self.layout {
            Layout::ColumnVector { period, .. } => period,
            _ => 1,
        }
    }
}

/// The unit of an object that has one; a column of slots stands for the others.
pub(super) fn unit_of(layout: &Layout) -> EncodingUnit {
    layout
        .unit()
        .unwrap_or_else(|| EncodingUnit::one_row(layout.slots()))
}

/// The layout of a number in the slots of a unit.
pub(super) fn scalar(unit: EncodingUnit) -> Layout {
    let slots = unit.slots();
    Layout::Scalar { slots }
}

/// Where different entries stand: each in `grain` slots, `positions` of them in a ciphertext, whose slots repeat after `cycle`. Of
/// vectors; of anything else every slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) grain: usize,
    pub(super) positions: usize,
    pub(super) cycle: usize,
}

impl Places {
    pub(super) fn of(layout: &Layout) -> Self {
        let (grain, positions, cycle) = match *layout {
            Layout::RowVector { unit, .. } => (unit.width(), unit.height(), unit.height()),
            Layout::ColumnVector { unit, period, .. } => (1, unit.width(), period),
            _ => (1, layout.slots(), layout.slots()),
        };
        Self {
            grain,
            positions,
            cycle,
        }
    }

    /// In every slot the sum over all places.
    #[track_caller]
    pub(super) fn sum(self, x: &Slots) -> Slots {
        x.rotate_and_sum(self.grain as i64, self.cycle)
    }

    /// The zero map between ciphertexts of such vectors.
    pub(super) fn map(self, inputs: usize, outputs: usize) -> SlotMap {
        SlotMap::new(self.grain, self.positions, inputs, outputs).cycle(self.cycle)
    }
}

/// Slots of ones where an object has entries and zeros elsewhere, times `value`: what may be added without touching the
/// padding. One vector for each ciphertext; a vector shorter than the slots repeats.
pub(crate) fn filled(layout: &Layout, value: f64) -> Vec<Vec<f64>> {
    Mask::of(layout).times(value)
}

/// Every slot of every ciphertext: 1 where the object has entries, 0 elsewhere.
pub(super) fn support(layout: &Layout) -> Vec<Vec<f64>> {
    filled(layout, 1.0)
        .into_iter()
        .map(|v| v.iter().copied().cycle().take(layout.slots()).collect())
        .collect()
}
