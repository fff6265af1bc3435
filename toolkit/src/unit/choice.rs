//! Which unit suits some shapes.

use std::fmt;

use arras_hal::Named;
use serde::Serialize;

use super::EncodingUnit;
use crate::{Layout, Result, ToolkitError, ToolkitErrorKind};

/// Collects the shapes that a circuit works with and chooses a unit for them.
///
/// Units are compared by, in this order:
/// 1. ciphertexts of all shapes together: memory, bandwidth and the time of every operation follow them;
/// 2. rotations, counting for every matrix one sum of its rows (H lg m) and one of its columns (2 V lg n), which are the rotations
///    of its products with vectors too;
/// 3. different rotations (lg m + 2 lg n), each of which needs a key;
/// 4. the shorter of the two sides, the longer the better: shapes not named find room.
///
/// ```
/// use arras_toolkit::EncodingUnit;
///
/// let choice = EncodingUnit::for_slots(4096)?.matrix(300, 60).column_vector(60).choose()?;
/// assert_eq!(choice.unit(), EncodingUnit::new(64, 64)?);
/// assert_eq!(choice.chosen().ciphertexts(), 6);
/// println!("{choice}"); // what each unit would cost, and what decided
/// # Ok::<(), arras_toolkit::ToolkitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnitBuilder {
    slots: usize,
    shapes: Vec<Shape>,
}

/// A shape that has no unit yet.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Matrix(usize, usize),
    RowVector(usize),
    ColumnVector(usize),
}

impl Shape {
    fn layout(self, unit: EncodingUnit) -> Layout {
        match self {
            Self::Matrix(rows, cols) => Layout::matrix(rows, cols, unit),
            Self::RowVector(len) => Layout::row_vector(len, unit),
            Self::ColumnVector(len) => Layout::column_vector(len, unit),
        }
    }
}

impl EncodingUnit {
    /// Begins the choice of a unit for ciphertexts of `slots` slots: name shapes, then [`UnitBuilder::choose`].
    ///
    /// # Errors
    /// [`ToolkitErrorKind::DoesNotFit`] unless `slots` is a power of two up to [`EncodingUnit::MAX_SLOTS`].
    pub fn for_slots(slots: usize) -> Result<UnitBuilder> {
        Self::with_height(slots, 1)?;
        Ok(UnitBuilder {
            slots,
            shapes: vec![],
        })
    }
}

impl UnitBuilder {
    fn with(mut self, shape: Shape) -> Self {
        self.shapes.push(shape);
        self
    }

    /// With a matrix.
    #[must_use]
    pub fn matrix(self, rows: usize, cols: usize) -> Self {
        self.with(Shape::Matrix(rows, cols))
    }

    /// With a vector that has an entry for each row of a matrix.
    #[must_use]
    pub fn row_vector(self, len: usize) -> Self {
        self.with(Shape::RowVector(len))
    }

    /// With a vector that has an entry for each column of a matrix.
    #[must_use]
    pub fn column_vector(self, len: usize) -> Self {
        self.with(Shape::ColumnVector(len))
    }

    /// Chooses.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::EmptyList`] if no shape was named; [`ToolkitErrorKind::DoesNotFit`] if no unit holds a shape.
    pub fn choose(&self) -> Result<UnitChoice> {
        self.candidates().named("UnitBuilder::choose")
    }

    fn candidates(&self) -> Result<UnitChoice> {
        let mut refused = ToolkitError::from(ToolkitErrorKind::EmptyList);
        if self.shapes.is_empty() {
            return Err(refused);
        }
        let mut candidates = vec![];
        for log_height in 0..=self.slots.trailing_zeros() {
            match self.candidate(1 << log_height) {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => refused = error,
            }
        }
        candidates.sort_by_key(UnitCandidate::rank);
        if candidates.is_empty() {
            return Err(refused);
        }
        let shapes = self.shapes.len();
        Ok(UnitChoice { candidates, shapes })
    }

    fn candidate(&self, height: usize) -> Result<UnitCandidate> {
        let unit = EncodingUnit::with_height(self.slots, height)?;
        let (log_m, log_n) = (
            unit.height().trailing_zeros() as usize,
            unit.width().trailing_zeros() as usize,
        );
        let mut candidate = UnitCandidate {
            unit,
            ciphertexts: 0,
            rotations: 0,
            steps: 0,
        };
        for shape in &self.shapes {
            let layout = shape.layout(unit);
            layout.check()?;
            candidate.ciphertexts += layout.units();
            if let Shape::Matrix(..) = shape {
                candidate.rotations += layout.horizontal_units() * log_m;
                candidate.rotations += layout.vertical_units() * 2 * log_n;
                candidate.steps = log_m + 2 * log_n;
            }
        }
        Ok(candidate)
    }
}

/// A unit and what the shapes cost in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitCandidate {
    unit: EncodingUnit,
    ciphertexts: usize,
    rotations: usize,
    steps: usize,
}

impl UnitCandidate {
    /// The unit.
    pub fn unit(&self) -> EncodingUnit {
        self.unit
    }

    /// Ciphertexts of all shapes together.
    pub fn ciphertexts(&self) -> usize {
        self.ciphertexts
    }

    /// Rotations of one sum of the rows and one of the columns of every matrix.
    pub fn rotations(&self) -> usize {
        self.rotations
    }

    /// Different rotations among them: keys.
    pub fn rotation_steps(&self) -> usize {
        self.steps
    }

    /// Smaller is better.
    fn rank(&self) -> [usize; 5] {
        let (m, n) = (self.unit.height(), self.unit.width());
        let unnamed = EncodingUnit::MAX_SLOTS - m.min(n);
        [self.ciphertexts, self.rotations, self.steps, unnamed, n]
    }
}

/// The unit chosen for some shapes, and why: [`Display`](fmt::Display) prints what every unit would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitChoice {
    /// The best first.
    candidates: Vec<UnitCandidate>,
    shapes: usize,
}

impl UnitChoice {
    /// The unit chosen.
    pub fn unit(&self) -> EncodingUnit {
        self.chosen().unit
    }

    /// The unit chosen and its costs.
    pub fn chosen(&self) -> &UnitCandidate {
        &self.candidates[0]
    }

    /// All units that hold the shapes, the best first.
    pub fn candidates(&self) -> &[UnitCandidate] {
        &self.candidates
    }

    /// What decided between the unit chosen and the next best.
    pub fn reason(&self) -> String {
        let [first, second, ..] = self.candidates.as_slice() else {
            return "the only unit that holds the shapes".into();
        };
        let differs = first
            .rank()
            .iter()
            .zip(second.rank())
            .position(|(a, b)| *a != b);
        let than = format!("than {}, the next best", second.unit);
        match differs {
            Some(0) => format!(
                "fewer ciphertexts ({}) {than} ({})",
                first.ciphertexts, second.ciphertexts
            ),
            Some(1) => format!(
                "as few ciphertexts and fewer rotations ({}) {than} ({})",
                first.rotations, second.rotations
            ),
            Some(2) => format!(
                "as few ciphertexts and rotations and fewer rotation keys ({}) {than} ({})",
                first.steps, second.steps
            ),
            _ => format!(
                "costs as much as {}, and is the more nearly square or the narrower",
                second.unit
            ),
        }
    }
}

impl fmt::Display for UnitChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit();
        writeln!(
            f,
            "unit {unit} of {} slots for {} shapes: {}",
            unit.slots(),
            self.shapes,
            self.reason()
        )?;
        write!(
            f,
            "{:>12} {:>12} {:>10} {:>6}",
            "unit", "ciphertexts", "rotations", "keys"
        )?;
        for candidate in &self.candidates {
            write!(
                f,
                "\n{:>12} {:>12} {:>10} {:>6}",
                candidate.unit.to_string(),
                candidate.ciphertexts,
                candidate.rotations,
                candidate.steps
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(height: usize, width: usize) -> EncodingUnit {
        EncodingUnit::new(height, width).unwrap()
    }

    fn builder() -> UnitBuilder {
        EncodingUnit::for_slots(4096).unwrap()
    }

    #[test]
    fn fewest_ciphertexts_first() {
        // A row that fills a ciphertext, and a column that does.
        let wide = builder().matrix(1, 4096).choose().unwrap();
        assert_eq!(
            (wide.unit(), wide.chosen().ciphertexts()),
            (unit(1, 4096), 1)
        );
        let tall = builder().matrix(4096, 1).choose().unwrap();
        assert_eq!(
            (tall.unit(), tall.chosen().ciphertexts()),
            (unit(4096, 1), 1)
        );
        // 200 x 500 takes 25 units of 4096 slots at least; 512 columns hold 500 best.
        let choice = builder().matrix(200, 500).choose().unwrap();
        assert_eq!(
            (choice.unit(), choice.chosen().ciphertexts()),
            (unit(8, 512), 25)
        );
        assert!(
            choice.reason().contains("fewer ciphertexts (25)"),
            "{choice}"
        );
        // A vector's entries are repeated: many of them pull the unit to their side.
        let rows = (0..10).fold(builder().matrix(64, 64), |b, _| b.row_vector(512));
        assert_eq!(rows.choose().unwrap().unit(), unit(512, 8));
    }

    #[test]
    fn then_fewest_rotations() {
        // One ciphertext in each of these; sums of columns cost twice, so the narrowest unit wins.
        let choice = builder().matrix(10, 10).choose().unwrap();
        assert_eq!(choice.unit(), unit(256, 16));
        assert_eq!(choice.chosen().rotations(), 8 + 2 * 4);
        assert_eq!(choice.chosen().rotation_steps(), 16);
        assert!(choice.reason().contains("fewer rotations (16)"), "{choice}");
        let next = &choice.candidates()[1];
        assert_eq!((next.unit(), next.rotations()), (unit(128, 32), 7 + 2 * 5));
    }

    #[test]
    fn then_the_more_nearly_square() {
        let choice = builder().column_vector(10).row_vector(10).choose().unwrap();
        assert_eq!(choice.unit(), unit(64, 64));
        assert_eq!(choice.chosen().rotations(), 0);
        assert!(choice.reason().contains("square"), "{choice}");
    }

    #[test]
    fn every_unit_is_listed_with_its_costs() {
        let choice = builder().matrix(300, 60).choose().unwrap();
        assert_eq!(choice.candidates().len(), 13);
        for candidate in choice.candidates() {
            assert_eq!(candidate.unit().slots(), 4096);
            let layout = Layout::matrix(300, 60, candidate.unit());
            assert_eq!(candidate.ciphertexts(), layout.units());
        }
        let text = choice.to_string();
        for part in [
            "unit 64x64 of 4096 slots for 1 shapes",
            "1x4096",
            "4096x1",
            "rotations",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let json = serde_json::to_value(&choice).unwrap();
        assert_eq!(json["candidates"][0]["ciphertexts"], 5);
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        let error = builder().choose().unwrap_err();
        assert!(
            matches!(error.kind(), ToolkitErrorKind::EmptyList),
            "{error}"
        );
        for builder in [
            builder().matrix(0, 3),
            builder().row_vector(0).matrix(2, 2),
            builder().matrix(usize::MAX, usize::MAX),
        ] {
            let error = builder.choose().unwrap_err();
            assert!(
                matches!(error.kind(), ToolkitErrorKind::DoesNotFit { .. }),
                "{error}"
            );
        }
        assert!(EncodingUnit::for_slots(100).is_err());
        // One unit alone is flat enough for a vector this long: 65536 ciphertexts are the most.
        let long = builder().column_vector(1 << 28).choose().unwrap();
        assert_eq!(long.candidates().len(), 1);
        assert!(long.reason().contains("only"), "{long}");
    }
}
