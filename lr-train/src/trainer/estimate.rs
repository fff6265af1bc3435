//! What a round costs the server, from its program: seconds by a table, bytes exactly as the executor will hold them.

use arras_ckks::Parameters;
use arras_toolkit::{
    OpCount, Program,
    cost::CostTable,
    plan::{Execution, constant_bytes},
    program::{Form, StepOp},
    run::Batching,
};
use serde::{Deserialize, Serialize};

use super::{TrainingPlan, sizes};
use crate::Result;

impl TrainingPlan {
    /// Bytes on the server while it trains a round.
    ///
    /// # Errors
    /// As [`TrainingPlan::round`].
    pub fn server_memory(&self, round: usize) -> Result<ServerMemory> {
        let keys = sizes::keys(self.params(), &self.key_requests())?.loaded;
        let round = memory(&self.round(round)?.program, self.params());
        Ok(ServerMemory { keys, ..round })
    }
}

/// Bytes on the server in the round that takes the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMemory {
    /// Evaluation keys, loaded.
    pub keys: u64,
    /// The round's inputs, expanded; they stay until the round is done.
    pub inputs: u64,
    /// The most bytes of intermediate values alive at once, inputs brought to the level of their first use among them.
    pub values: u64,
    /// Encoded constants, at most what the executor keeps.
    pub constants: u64,
    /// Extended digits of the largest batch that is key-switched.
    pub scratch: u64,
}

impl ServerMemory {
    /// All together.
    pub fn total(&self) -> u64 {
        self.keys + self.inputs + self.values + self.constants + self.scratch
    }

    /// The larger of two rounds in each part.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            keys: self.keys.max(other.keys),
            inputs: self.inputs.max(other.inputs),
            values: self.values.max(other.values),
            constants: self.constants.max(other.constants),
            scratch: self.scratch.max(other.scratch),
        }
    }
}

/// How many operations of the costly kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operations {
    /// Products of two ciphertexts.
    pub products: usize,
    /// Relinearizations and rotations, of each ciphertext.
    pub key_switches: usize,
}

impl std::ops::Add for Operations {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            products: self.products + other.products,
            key_switches: self.key_switches + other.key_switches,
        }
    }
}

/// Counts.
pub(super) fn operations(program: &Program) -> Operations {
    let count = OpCount::of(program);
    Operations {
        products: count.ciphertext_products(),
        key_switches: count.key_switches(),
    }
}

/// Seconds by a table: all steps one after the other, constants encoded once.
pub(super) fn seconds(program: &Program, table: &CostTable) -> Result<f64> {
    let count = OpCount::with_costs_of(program, table)?;
    Ok(count.seconds() + count.encoding_seconds())
}

/// Bytes of constants that the executor keeps by default.
const CONSTANT_BYTES: u64 = 1 << 30;

/// Bytes while a program runs, keys apart.
pub(super) fn memory(program: &Program, params: &Parameters) -> ServerMemory {
    let limb = 4 * params.n() as u64;
    let limbs = |level: usize| params.window(level.min(params.max_level())).len() as u64;
    let inputs = program
        .steps()
        .iter()
        .filter(|step| matches!(step.op(), StepOp::Input(_)))
        .map(|step| limb * limbs(step.level()) * 2 * step.units() as u64)
        .sum();
    // All digits of one component over chain and special limbs, and both accumulators.
    let specials = params.special_limbs() as u64;
    let scratch = program
        .steps()
        .iter()
        .filter_map(|step| {
            let operand = program.step(*step.operands().first()?);
            let switches = match step.op() {
                StepOp::Settle => operand.form() == Form::Pending3,
                StepOp::Rotate(_) | StepOp::RotationSum(_) | StepOp::WeightedRotationSum { .. } => {
                    true
                }
                _ => false,
            };
            let level = operand.window_level().min(params.max_level());
            let digits = params.active_digits(level).len() as u64;
            switches
                .then_some(limb * (limbs(level) + specials) * (digits + 2) * step.units() as u64)
        })
        .max()
        .unwrap_or(0);
    ServerMemory {
        keys: 0,
        inputs,
        values: Execution::of(program, params, Batching::Auto).peak_ciphertext_bytes,
        constants: constant_bytes(program, params).min(CONSTANT_BYTES),
        scratch,
    }
}
