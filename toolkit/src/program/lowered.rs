//! Circuits that are lowered.

use std::sync::Arc;

use arras_ckks::Parameters;

use super::{Step, StepId, fuse, lower, waves};
use crate::{Circuit, Result, ToolkitError, ToolkitErrorKind, circuit::Operation};

/// A lowered circuit.
#[derive(Clone, Debug)]
pub struct Program {
    circuit: Arc<Circuit>,
    steps: Vec<Step>,
    outputs: Vec<StepId>,
    waves: Vec<Vec<StepId>>,
    uses: Vec<usize>,
}

impl Program {
    /// Lowers a circuit.
    pub fn new(circuit: impl Into<Arc<Circuit>>) -> Self {
        let circuit = circuit.into();
        let (steps, outputs) = lower::lower(&circuit);
        let (mut steps, outputs) = fuse::fuse(steps, outputs);
        for i in 0..steps.len() {
            if let Some(first) = steps[i].operands.first() {
                steps[i].from = steps[first.0].state;
            }
        }
        let waves = waves::waves(&steps);
        let mut uses = vec![0; steps.len()];
        let used = steps.iter().flat_map(|s| &s.operands).chain(&outputs);
        for step in used {
            uses[step.0] += 1;
        }
        Self {
            circuit,
            steps,
            outputs,
            waves,
            uses,
        }
    }

    /// The circuit.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// Checks that ciphertexts of some parameters have the circuit's slots and its levels.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::SlotsMismatch`], [`ToolkitErrorKind::TooFewLevels`].
    pub fn check_fits(&self, parameters: &Parameters) -> Result<()> {
        let (circuit, slots) = (self.circuit.slots(), parameters.slots());
        if circuit != slots {
            let parameters = slots;
            return Err(ToolkitError::slots_mismatch(circuit, parameters));
        }
        let (needed, available) = (self.levels_needed(), parameters.max_level());
        if needed > available {
            let input = None;
            return Err(ToolkitErrorKind::TooFewLevels {
                input,
                needed,
                available,
            }
            .into());
        }
        Ok(())
    }

    /// The steps; operands come before what uses them.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A step.
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0]
    }

    /// The step of each output, in the circuit's order.
    pub fn outputs(&self) -> &[StepId] {
        &self.outputs
    }

    /// Steps in waves: those of one wave do not depend on each other.
    pub fn waves(&self) -> &[Vec<StepId>] {
        &self.waves
    }

    /// How often the result of each step is used, as an operand or an output.
    pub fn uses(&self) -> &[usize] {
        &self.uses
    }

    /// The operation of the circuit's author that a step belongs to.
    pub fn operation_of(&self, id: StepId) -> &Operation {
        self.circuit.operation_of(self.steps[id.0].node)
    }

    /// The heaviest chain of dependent steps that ends at each step: the sum of its steps' weights, which are in their order.
    pub fn chains(&self, weights: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut chains: Vec<f64> = Vec::with_capacity(self.steps.len());
        for (step, weight) in self.steps.iter().zip(weights) {
            let before = step.operands.iter().map(|o| chains[o.0]);
            chains.push(weight + before.fold(0.0, f64::max));
        }
        chains
    }

    /// Slots that a run in the clear computes: those of every ciphertext of every step, as often as a step adds it up rotated. What such a
    /// run costs grows with them.
    pub fn slot_operations(&self) -> u64 {
        let of = |step: &Step| step.units() * step.op().rotations().len().max(1);
        let all: usize = self.steps.iter().map(of).sum();
        all as u64 * self.circuit.slots() as u64
    }

    /// The level that inputs must reach at most: the circuit's need.
    pub fn levels_needed(&self) -> usize {
        self.circuit.levels_needed()
    }
}
