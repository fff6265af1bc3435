//! Interpretations: what a program can be run or examined as.
//!
//! An [`Interpretation`] gives every step a value; [`walk`] takes it through a program, freeing values after their last use.
//! A pair of interpretations is one: both in lock step.

mod bounds;
pub(crate) mod cleartext;
pub(crate) mod count;
pub(crate) mod depth;
mod noisy;
mod place;
pub(crate) mod precision;
mod random;
pub(crate) mod rotations;
pub(crate) mod samples;
mod seconds;
pub(crate) mod tracer;

pub use bounds::{Bounds, BrokenAssumption, PlannedAssumption};
pub use cleartext::CleartextRun;
pub use count::KindCount;
pub use depth::{DepthReport, OperationDepth};
pub use noisy::Noisy;
pub use place::Place;
pub use precision::{Magnitude, OutputPrecision, PredictedNumbers, PredictedPrecision};
pub use rotations::{RotationUse, rotation_steps};
pub use seconds::critical_path_seconds;
pub use tracer::{Bound, Deviation, TraceReport};

use crate::{Program, Result, program::StepId};

/// Slots of a batch of ciphertexts.
type Batch = Vec<Vec<f64>>;

/// Gives every step of a program a value.
pub trait Interpretation {
    /// What a step's result is.
    type Value;

    /// The result of a step from those of its operands, in order.
    ///
    /// # Errors
    /// The interpretation's; [`walk`] adds the place where the step's operation was recorded.
    fn step(
        &mut self,
        program: &Program,
        step: StepId,
        operands: &[&Self::Value],
    ) -> Result<Self::Value>;
}

impl<A: Interpretation, B: Interpretation> Interpretation for (A, B) {
    type Value = (A::Value, B::Value);

    fn step(&mut self, program: &Program, id: StepId, of: &[&Self::Value]) -> Result<Self::Value> {
        let (left, right): (Vec<_>, Vec<_>) = of.iter().map(|of| (&of.0, &of.1)).unzip();
        let left = self.0.step(program, id, &left)?;
        Ok((left, self.1.step(program, id, &right)?))
    }
}

/// Takes an interpretation through a program; the values of the outputs, in the circuit's order, go to `output`.
///
/// # Errors
/// The interpretation's, with the place where the failing operation was recorded.
pub fn walk<I: Interpretation>(
    program: &Program,
    interpretation: &mut I,
    mut output: impl FnMut(usize, &I::Value) -> Result<()>,
) -> Result<()> {
    let mut left = program.uses().to_vec();
    let mut values: Vec<Option<I::Value>> = Vec::new();
    values.resize_with(left.len(), || None);
    for (i, step) in program.steps().iter().enumerate() {
        let id = StepId(i);
        let operands: Vec<&I::Value> = step
            .operands()
            .iter()
            .filter_map(|o| values[o.0].as_ref())
            .collect();
        let value = interpretation
            .step(program, id, &operands)
            .map_err(|error| error.at(program.operation_of(id).location()))?;
        let outputs = program.outputs().iter().enumerate();
        for (position, _) in outputs.filter(|&(_, &o)| o == id) {
            output(position, &value)?;
            left[i] -= 1;
        }
        if left[i] > 0 {
            values[i] = Some(value);
        }
        for operand in step.operands() {
            left[operand.0] -= 1;
            if left[operand.0] == 0 {
                values[operand.0] = None;
            }
        }
    }
    Ok(())
}
