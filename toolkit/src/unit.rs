//! Encoding units: the rectangles that ciphertexts are read as.

mod choice;

use std::fmt;

use arras_hal::Named;
use serde::{Deserialize, Serialize};

pub use choice::{UnitBuilder, UnitCandidate, UnitChoice};

use crate::{Result, ToolkitError};

/// A rectangle of `height` x `width` slots, powers of two, laid out row by row in the slots of one ciphertext: entry (r, c)
/// stands in slot `r * width + c`. Matrices and vectors of any size are tiled by copies of it (ePrint 2020/1483, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "(usize, usize)", into = "(usize, usize)")]
pub struct EncodingUnit {
    height: usize,
    width: usize,
}

impl EncodingUnit {
    /// The most slots a unit may have: those of the largest ring.
    pub const MAX_SLOTS: usize = 1 << 16;

    /// A unit of `height` rows and `width` columns.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::DoesNotFit`] unless both are powers of two and their product is at most [`EncodingUnit::MAX_SLOTS`].
    pub fn new(height: usize, width: usize) -> Result<Self> {
        let fits = |n: usize| n.is_power_of_two() && n <= Self::MAX_SLOTS;
        if fits(height) && fits(width) && height * width <= Self::MAX_SLOTS {
            return Ok(Self { height, width });
        }
        Err(ToolkitError::does_not_fit(
            format!("a unit of {height} x {width}"),
            format!("ciphertexts of at most {} slots", Self::MAX_SLOTS),
            "height and width are powers of two whose product is the number of slots",
        )
        .named("EncodingUnit::new"))
    }

    /// The unit of this height in ciphertexts of `slots` slots.
    ///
    /// # Errors
    /// As [`EncodingUnit::new`].
    pub fn with_height(slots: usize, height: usize) -> Result<Self> {
        let width = slots.checked_div(height).unwrap_or(0);
        if width * height != slots {
            return Err(ToolkitError::does_not_fit(
                format!("a unit of {height} rows"),
                format!("ciphertexts of {slots} slots"),
                format!("the height is a power of two up to {slots}"),
            )
            .named("EncodingUnit::with_height"));
        }
        Self::new(height, width)
    }

    /// All slots in one row.
    pub(crate) fn one_row(slots: usize) -> Self {
        Self {
            height: 1,
            width: slots,
        }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Slots: height times width.
    pub fn slots(&self) -> usize {
        self.height * self.width
    }

    /// The unit of `width` rows and `height` columns.
    #[must_use]
    pub fn transposed(&self) -> Self {
        Self {
            height: self.width,
            width: self.height,
        }
    }
}

impl fmt::Display for EncodingUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

impl TryFrom<(usize, usize)> for EncodingUnit {
    type Error = ToolkitError;

    fn try_from((height, width): (usize, usize)) -> Result<Self> {
        Self::new(height, width)
    }
}

impl From<EncodingUnit> for (usize, usize) {
    fn from(unit: EncodingUnit) -> Self {
        (unit.height, unit.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToolkitErrorKind;

    #[test]
    fn only_powers_of_two_are_units() {
        let unit = EncodingUnit::new(16, 256).unwrap();
        assert_eq!((unit.slots(), unit.transposed().height()), (4096, 256));
        assert_eq!(unit.to_string(), "16x256");
        for (height, width) in [
            (0, 4),
            (4, 0),
            (3, 4),
            (4, 6),
            (1 << 17, 1),
            (1 << 9, 1 << 8),
        ] {
            let error = EncodingUnit::new(height, width).unwrap_err();
            assert!(
                matches!(error.kind(), ToolkitErrorKind::DoesNotFit { .. }),
                "{error}"
            );
        }
        assert_eq!(EncodingUnit::with_height(4096, 16).unwrap(), unit);
        assert!(EncodingUnit::with_height(4096, 17).is_err());
        assert!(EncodingUnit::with_height(4096, 0).is_err());
    }

    #[test]
    fn serialized_units_are_checked() {
        let unit = EncodingUnit::new(4, 8).unwrap();
        let json = serde_json::to_string(&unit).unwrap();
        assert_eq!(json, "[4,8]");
        assert_eq!(serde_json::from_str::<EncodingUnit>(&json).unwrap(), unit);
        assert!(serde_json::from_str::<EncodingUnit>("[4,7]").is_err());
    }
}
