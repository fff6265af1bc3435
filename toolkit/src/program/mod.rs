//! Programs: circuits lowered to steps that an engine runs, each with its level and form.
//!
//! Lowering makes explicit what a circuit leaves open: where products are relinearized and rescaled (as late as possible: sums
//! of products once), where operands are brought to a lower level, and what is computed once although it was recorded twice.
//! A program does not depend on parameters beyond the number of slots.

mod fuse;
mod lower;
pub(crate) mod lowered;
mod waves;
mod work;

pub use work::{Price, Work};

use crate::circuit::{NodeId, Op};

/// A step of a program, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub(crate) usize);

impl StepId {
    /// The position in [`crate::Program::steps`].
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
    pub(crate) assumed: Option<f64>,
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

    /// What the circuit assumes of its result: no slot's magnitude is larger.
    pub fn assumed(&self) -> Option<f64> {
        self.assumed
    }

    /// The node of the circuit it computes or prepares.
    pub fn node(&self) -> NodeId {
        self.node
    }
}
