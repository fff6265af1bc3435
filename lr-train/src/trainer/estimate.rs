//! What a round costs the server, from its program: seconds by a table, bytes exactly as the executor will hold them.

use arras_ckks::Parameters;
use arras_toolkit::{
    OpCount, Program,
    circuit::{Class, Plain},
    cost::CostTable,
    plan::{Execution, constant_bytes},
    run::Batching,
};
use serde::{Deserialize, Serialize};

use crate::Result;

/// Bytes of the server's process, with the CPU engine, in the round that takes the most.
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
    /// Extended digits of the largest batch that is key-switched, for each of the calls side by side.
    pub scratch: u64,
    /// The inputs as they arrived, seeds in place of half of them; they stay as long as the inputs do.
    pub received: u64,
    /// What pieces of the engine's memory have on top of what was asked for: up to an eighth, half of that on average.
    pub slack: u64,
    /// Everything else of the process: the program, constants in the clear, the key that is being loaded, threads.
    pub process: u64,
}

impl ServerMemory {
    /// All together.
    pub fn total(&self) -> u64 {
        self.on_engine() + self.received + self.process
    }

    /// What the engine holds, in the host's memory or its device's.
    pub fn on_engine(&self) -> u64 {
        self.asked_for() + self.slack
    }

    fn asked_for(&self) -> u64 {
        self.keys + self.inputs + self.values + self.constants + self.scratch
    }

    /// With keys, and the slack of everything.
    pub(super) fn with_keys(mut self, keys: u64) -> Self {
        self.keys = keys;
        self.slack = self.asked_for() / 16;
        self
    }

    /// The larger of two rounds in each part.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            keys: self.keys.max(other.keys),
            inputs: self.inputs.max(other.inputs),
            values: self.values.max(other.values),
            constants: self.constants.max(other.constants),
            scratch: self.scratch.max(other.scratch),
            received: self.received.max(other.received),
            slack: self.slack.max(other.slack),
            process: self.process.max(other.process),
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

/// Bytes of a process that has loaded nothing.
const PROCESS: u64 = 12 << 20;

/// Bytes while a program runs, keys apart, with as many calls side by side as there are threads.
pub(super) fn memory(program: &Program, params: &Parameters, threads: usize) -> ServerMemory {
    let limb = 4 * params.n() as u64;
    let limbs = |level: usize| params.window(level.min(params.max_level())).len() as u64;
    let inputs: u64 = program
        .steps()
        .iter()
        .filter(|step| step.op().class() == Class::Input)
        .map(|step| limb * limbs(step.level()) * 2 * step.units() as u64)
        .sum();
    // All digits of one component over chain and special limbs, and both accumulators.
    let specials = params.special_limbs() as u64;
    let scratch = program
        .steps()
        .iter()
        .filter(|step| step.work().key_switches() > 0)
        .map(|step| {
            let level = step.operand_state().window_level().min(params.max_level());
            let digits = params.active_digits(level).len() as u64;
            limb * (limbs(level) + specials) * (digits + 2) * step.units() as u64
        })
        .max()
        .unwrap_or(0);
    let execution = Execution::of(program, params, Batching::Auto);
    let in_the_clear: usize = program
        .circuit()
        .plains()
        .iter()
        .flat_map(Plain::vectors)
        .map(|vector| size_of_val(&**vector))
        .sum();
    ServerMemory {
        keys: 0,
        inputs,
        values: execution.peak_ciphertext_bytes,
        constants: constant_bytes(program, params).min(CONSTANT_BYTES),
        scratch: scratch * execution.width.min(threads.max(1)) as u64,
        received: inputs / 2,
        slack: 0,
        process: PROCESS + in_the_clear as u64,
    }
}
