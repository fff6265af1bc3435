//! Programs: circuits lowered to steps that an engine runs, each with its level and form.
//!
//! Lowering makes explicit what a circuit leaves open: where products are relinearized and rescaled (as late as possible: sums
//! of products once), where operands are brought to a lower level, and what is computed once although it was recorded twice.
//! A program does not depend on parameters beyond the number of slots.

mod fuse;
mod lower;
mod waves;
mod work;

use std::sync::Arc;

pub use work::{Price, Work};

use arras_ckks::Parameters;

use crate::{
    Circuit, Result, ToolkitError, ToolkitErrorKind,
    circuit::{NodeId, Op, Operation},
};

/// A step of a program, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub(crate) usize);

impl StepId {
    /// The position in [`Program::steps`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// The form of a value (see [`arras_ckks::Ciphertext`]).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Form {
    /// At its level's scale.
    Settled,
    /// Waits for its rescale.
    Pending2,
    /// Waits for relinearization and rescale.
    Pending3,
}

impl Form {
    /// Components of each ciphertext.
    pub fn components(self) -> usize {
        if self == Self::Pending3 { 3 } else { 2 }
    }
}

/// What is known of a value before it is computed: its level and its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Its level.
    pub level: usize,
    /// Its form.
    pub form: Form,
}

impl State {
    /// The level whose window its limbs are: one above its level while it is pending.
    pub fn window_level(self) -> usize {
        self.level + usize::from(self.form != Form::Settled)
    }
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    pub(crate) op: Op,
    pub(crate) operands: Vec<StepId>,
    pub(crate) units: usize,
    pub(crate) state: State,
    pub(crate) from: State,
    pub(crate) node: NodeId,
}

impl Step {
    /// What it does.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// What it is called: as its operation, but `rescale` where nothing is relinearized.
    pub fn name(&self) -> &'static str {
        if self.op == Op::RelinearizeAndRescale && self.from.form != Form::Pending3 {
            "rescale"
        } else {
            self.op.name()
        }
    }

    /// Its operands.
    pub fn operands(&self) -> &[StepId] {
        &self.operands
    }

    /// Ciphertexts of its result.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Level of its result.
    pub fn level(&self) -> usize {
        self.state.level
    }

    /// The level whose window its result's limbs are: one above its level while it is pending.
    pub fn window_level(&self) -> usize {
        self.state.window_level()
    }

    /// Form of its result.
    pub fn form(&self) -> Form {
        self.state.form
    }

    /// State of its first operand; all are at one level and over one window. An input, which has none, gives its own.
    pub fn operand_state(&self) -> State {
        self.from
    }

    /// The node of the circuit it computes or prepares.
    pub fn node(&self) -> NodeId {
        self.node
    }
}

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

    /// The level that inputs must reach at most: the circuit's need.
    pub fn levels_needed(&self) -> usize {
        self.circuit.levels_needed()
    }
}
