//! The table of the toolkit's operations on encrypted vectors and matrices: levels, rotations, keys, times.
//!
//! ```text
//!   Case: a name and how to record it --> circuit --> counts        what the table says without a clock
//!                                            |
//!                                            +-----> keys, inputs, runs with 1 and all threads; decrypted and compared
//! ```
//! One unit of m x n throughout; operands fill it exactly unless the name says otherwise, so V = H = 1 where nothing else is said.

mod cases;
mod measure;

use arras::toolkit::{
    Circuit, ColumnVector, EncodingUnit, Matrix, Recorded, Recorder, Result, RowVector, Scalar,
    linalg::PlainMatrix,
};
use clap::Args;
use ndarray::{Array1, Array2};

use crate::{
    Common,
    fixture::values,
    parameter_sets,
    process::thread_counts,
    report::{Origin, Report},
};
use cases::cases;
pub(crate) use cases::large;
use measure::Operations;

/// Every operation of the toolkit on encrypted vectors and matrices: levels, rotations, keys, times.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Base-2 logarithm of the ring degree (13 to 16 have a set that is deep enough).
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: u32,
    /// Height of the encoding unit, a power of two; its width is what is left of the slots.
    #[arg(long, default_value_t = 64)]
    height: usize,
    /// Seconds to repeat each operation for.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Levels that results have left: operations cost more higher up.
    #[arg(long, default_value_t = 0)]
    left: usize,
    /// Only operations whose name or group contains this.
    #[arg(long)]
    only: Option<String>,
}

impl Arguments {
    /// Measures and publishes `operations`. A quick run takes one group, unless `--only` names another.
    pub(crate) fn run(mut self, common: &Common) -> crate::Result<()> {
        if common.quick {
            (self.log_n, self.seconds) = (13, 0.0);
            self.only.get_or_insert("with an encrypted number".into());
        }
        let title = "Operations on encrypted vectors and matrices";
        let mut report = Report::new(title, "operations", Origin::here());
        let params = parameter_sets::standard(self.log_n)?;
        let mut operations = Operations {
            unit: EncodingUnit::with_height(params.slots(), self.height)?,
            params,
            threads: thread_counts(),
            seconds: self.seconds,
            left: self.left,
            groups: Vec::new(),
            beside: Vec::new(),
        };
        let wanted = self.only.as_deref().unwrap_or_default();
        for case in cases() {
            if case.name.contains(wanted) || case.group.contains(wanted) {
                eprintln!("{}", case.name);
                operations.measure(case)?;
            }
        }
        operations.write(&mut report);
        common.output.page("operations", &report)
    }
}

/// What the published toolkit (ePrint 2020/1483) takes for an operation: levels, and rotations as its authors count them.
#[derive(Clone, Copy)]
struct Published {
    depth: usize,
    formula: &'static str,
    /// Of one unit (V = H = 1), for its height m, lg m, and lg n of its width.
    rotations: fn([usize; 3]) -> usize,
}

/// A row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    group: &'static str,
    pub(crate) name: &'static str,
    /// Where the entries of its inputs lie, if not in [-1, 1].
    range: Option<(f64, f64)>,
    /// The published toolkit's figures, where it has the operation.
    published: Option<Published>,
    body: fn(&Objects<'_>) -> Result<()>,
}

impl Case {
    /// Records the operation alone, its result with `left` levels to spare.
    pub(crate) fn circuit(&self, unit: EncodingUnit, left: usize) -> Result<Circuit> {
        let recorder = Recorder::new(unit.slots())?;
        let objects = Objects {
            recorder: &recorder,
            unit,
            left,
        };
        (self.body)(&objects)?;
        recorder.finish()
    }
}

/// The operands of the cases, made when a case asks for them.
struct Objects<'a> {
    recorder: &'a Recorder,
    unit: EncodingUnit,
    left: usize,
}

impl Objects<'_> {
    fn of(&self, name: &str, rows: usize, cols: usize) -> Matrix {
        self.recorder.matrix(name, rows, cols, self.unit)
    }

    /// Of a height and width in units' heights.
    fn of_d(&self, name: &str, rows: usize, cols: usize) -> Matrix {
        let d = self.unit.height();
        self.of(name, rows * d, cols * d)
    }

    /// Of 8 units' heights, in a unit of that width.
    fn long_column(&self) -> Result<ColumnVector> {
        let (slots, long) = (self.recorder.slots(), 8 * self.unit.height());
        let unit = EncodingUnit::with_height(slots, slots / long)?;
        Ok(self.recorder.column_vector("x", long, unit))
    }

    fn square(&self) -> Matrix {
        self.of("A", self.unit.height(), self.unit.height())
    }

    fn matrix(&self, name: &str) -> Matrix {
        self.of(name, self.unit.height(), self.unit.width())
    }

    fn a(&self) -> Matrix {
        self.matrix("A")
    }

    fn b(&self) -> Matrix {
        self.matrix("B")
    }

    fn four(&self) -> [Matrix; 4] {
        ["A", "B", "C", "D"].map(|name| self.matrix(name))
    }

    fn row(&self) -> RowVector {
        self.recorder.row_vector("r", self.unit.height(), self.unit)
    }

    fn row_b(&self) -> RowVector {
        self.recorder.row_vector("s", self.unit.height(), self.unit)
    }

    fn column(&self) -> ColumnVector {
        self.recorder
            .column_vector("c", self.unit.width(), self.unit)
    }

    fn column_b(&self) -> ColumnVector {
        self.recorder
            .column_vector("d", self.unit.width(), self.unit)
    }

    fn number(&self) -> Scalar {
        self.recorder.scalar("z")
    }

    fn plain_of(&self, rows: usize, cols: usize) -> Array2<f64> {
        let mut numbers = values(7, rows * cols).into_iter();
        // The stream has exactly as many numbers as the matrix has entries.
        Array2::from_shape_simple_fn((rows, cols), || numbers.next().unwrap_or_default())
    }

    fn plain(&self) -> Array2<f64> {
        self.plain_of(self.unit.height(), self.unit.width())
    }

    fn plain_square(&self, size: usize) -> PlainMatrix {
        self.plain_of(size, size).into()
    }

    fn plain_vector(&self, len: usize) -> Array1<f64> {
        values(8, len).into()
    }

    fn out(&self, result: &impl Recorded) -> Result<()> {
        self.recorder.output_at("result", result, self.left);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arras::toolkit::Program;

    use super::*;

    #[test]
    fn every_case_records_and_none_needs_more_levels_than_published() {
        let unit = EncodingUnit::new(16, 32).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for case in cases() {
            let circuit = case.circuit(unit, 0).unwrap();
            assert!(names.insert(case.name), "{} twice", case.name);
            if let Some(published) = case.published {
                assert!(circuit.levels_needed() <= published.depth, "{}", case.name);
            }
            assert!(!Program::new(circuit).outputs().is_empty(), "{}", case.name);
        }
    }
}
