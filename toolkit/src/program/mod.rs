//! Programs: circuits lowered to steps that an engine runs, each with its level and form.
//!
//! Lowering makes explicit what a circuit leaves open: where products are relinearized and rescaled (as late as possible: sums
//! of products once), where operands are brought to a lower level, and what is computed once although it was recorded twice.
//! A program does not depend on parameters beyond the number of slots.

mod fuse;
mod lower;
mod waves;

use std::sync::Arc;

use arras_ckks::Parameters;

use crate::{
    Circuit, Result, ToolkitErrorKind,
    circuit::{NodeId, Operation, PlainId},
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

/// What a step does to batches of ciphertexts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StepOp {
    /// Takes an input, lowered to the level at which it is needed.
    Input(usize),
    /// Sum of two.
    Add,
    /// Difference of two.
    Sub,
    /// Negative.
    Negate,
    /// Sum with a constant.
    AddPlain(PlainId),
    /// Sum with a number in every slot.
    AddScalar(f64),
    /// Product of two, pending.
    Multiply,
    /// Sum of products of pairs, pending.
    SumOfProducts,
    /// Product with a constant, pending.
    MultiplyPlain(PlainId),
    /// Sum of products of operands with constants, one each, pending.
    WeightedSum(Vec<PlainId>),
    /// Product with a number, pending.
    MultiplyScalar(f64),
    /// Product with an integer.
    MultiplyInteger(i64),
    /// Rotation.
    Rotate(i64),
    /// Sum of rotations.
    RotationSum(Vec<i64>),
    /// Sum of rotations times constants.
    WeightedRotationSum {
        /// Rotation of each term.
        steps: Vec<i64>,
        /// Constant of each term.
        weights: Vec<PlainId>,
    },
    /// Some ciphertexts of a batch.
    Pick(Vec<usize>),
    /// Batches joined.
    Concat,
    /// Relinearizes (if it has three components) and rescales.
    Settle,
    /// Brings to a lower level.
    LevelDown,
}

impl StepOp {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input(_) => "input",
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Negate => "negate",
            Self::AddPlain(_) => "add_plain",
            Self::AddScalar(_) => "add_scalar",
            Self::Multiply => "multiply",
            Self::SumOfProducts => "sum_of_products",
            Self::MultiplyPlain(_) => "multiply_plain",
            Self::WeightedSum(_) => "weighted_sum",
            Self::MultiplyScalar(_) => "multiply_scalar",
            Self::MultiplyInteger(_) => "multiply_integer",
            Self::Rotate(_) => "rotate",
            Self::RotationSum(_) => "rotation_sum",
            Self::WeightedRotationSum { .. } => "weighted_rotation_sum",
            Self::Pick(_) => "pick",
            Self::Concat => "concat",
            Self::Settle => "settle",
            Self::LevelDown => "level_down",
        }
    }
}

/// The form of a value (see [`arras_ckks::ciphertext`]).
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

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    pub(crate) op: StepOp,
    pub(crate) operands: Vec<StepId>,
    pub(crate) units: usize,
    pub(crate) level: usize,
    pub(crate) form: Form,
    pub(crate) node: NodeId,
}

impl Step {
    /// What it does.
    pub fn op(&self) -> &StepOp {
        &self.op
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
        self.level
    }

    /// The level whose window its result's limbs are: one above its level while it is pending.
    pub fn window_level(&self) -> usize {
        self.level + usize::from(self.form != Form::Settled)
    }

    /// Form of its result.
    pub fn form(&self) -> Form {
        self.form
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
        let (steps, outputs) = fuse::fuse(steps, outputs);
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
            return Err(ToolkitErrorKind::SlotsMismatch {
                circuit,
                parameters,
            }
            .into());
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

    /// The level that inputs must reach at most: the circuit's need.
    pub fn levels_needed(&self) -> usize {
        self.circuit.levels_needed()
    }
}
