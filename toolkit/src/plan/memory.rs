//! Bytes that a run will take.

use std::{collections::HashSet, fmt};

use arras_ckks::{Parameters, PlaintextUse, params::KeySwitchLimbs};
use serde::{Deserialize, Serialize};

use crate::{
    Program,
    circuit::{Class, Plain},
    program::StepId,
    run::{Batching, groups},
    text,
};

/// Bytes of constants that the executor keeps by default.
const CONSTANT_BYTES: u64 = 1 << 30;

/// Bytes of a process that has loaded nothing.
const PROCESS: u64 = 12 << 20;

/// Bytes of the server's process, with the CPU engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerMemory {
    /// Evaluation keys, loaded.
    pub keys: u64,
    /// The inputs of a run, expanded; they stay until it is done.
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
    /// Bytes while a program runs, keys apart, with as many calls side by side as there are threads.
    pub fn of(program: &Program, params: &Parameters, threads: usize) -> Self {
        let limb = 4 * params.n() as u64;
        let limbs = |level: usize| params.window(level.min(params.max_level())).len() as u64;
        let inputs: u64 = program
            .steps()
            .iter()
            .filter(|step| step.op().class() == Class::Input)
            .map(|step| limb * limbs(step.level()) * 2 * step.units() as u64)
            .sum();
        // All digits of one component over chain and special limbs, and both accumulators.
        let scratch = program
            .steps()
            .iter()
            .filter(|step| step.work().key_switches() > 0)
            .map(|step| {
                let level = step.operand_state().window_level();
                let of = KeySwitchLimbs::at(params, level.min(params.max_level()));
                limb * (of.extended() * (of.digits.len() + 2) * step.units()) as u64
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
        Self {
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

    /// With these bytes of keys, and the slack of everything.
    #[must_use]
    pub fn with_keys(mut self, keys: u64) -> Self {
        self.keys = keys;
        self.slack = self.asked_for() / 16;
        self
    }

    /// The larger of two runs in each part.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
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

/// The parts.
impl fmt::Display for ServerMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("keys", self.keys),
            ("inputs", self.inputs),
            ("values", self.values),
            ("constants", self.constants),
            ("scratch", self.scratch),
            ("received", self.received),
            ("slack", self.slack),
            ("process", self.process),
        ];
        for (index, (part, bytes)) in parts.into_iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{part} {}", text::bytes(bytes))?;
        }
        Ok(())
    }
}

/// Calls, width and the most bytes of ciphertexts alive at once, as the executor runs a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Execution {
    /// Calls of the evaluator.
    pub calls: usize,
    /// The most calls of a wave.
    pub width: usize,
    /// The most bytes of ciphertexts alive at once, inputs brought to their levels among them.
    pub peak_ciphertext_bytes: u64,
}

impl Execution {
    /// Follows the executor's order: all results of a wave, then its operands are freed that are not used again.
    pub fn of(program: &Program, params: &Parameters, batching: Batching) -> Self {
        let mut execution = Self::default();
        let mut left = program.uses().to_vec();
        let mut alive = 0;
        for wave in program.waves() {
            let groups = groups::groups(program, wave, batching);
            execution.calls += groups.len();
            execution.width = execution.width.max(groups.len());
            for &id in groups.iter().flat_map(groups::Group::steps) {
                alive += step_bytes(program, params, id);
                execution.peak_ciphertext_bytes = execution.peak_ciphertext_bytes.max(alive);
                if left[id.index()] == 0 {
                    alive -= step_bytes(program, params, id);
                }
            }
            for &id in wave {
                for &operand in program.step(id).operands() {
                    left[operand.index()] -= 1;
                    if left[operand.index()] == 0 {
                        alive -= step_bytes(program, params, operand);
                    }
                }
            }
        }
        execution
    }
}

/// Bytes of residues, 4 each, of a step's result.
fn step_bytes(program: &Program, params: &Parameters, id: StepId) -> u64 {
    let step = program.step(id);
    let limbs = params.window(step.window_level()).len();
    (step.form().components() * step.units() * limbs * params.n() * 4) as u64
}

/// Bytes of all constants of a program, encoded once for each level and use.
pub fn constant_bytes(program: &Program, params: &Parameters) -> u64 {
    let mut known = HashSet::new();
    let mut bytes = 0;
    for step in program.steps() {
        let (purpose, plains) = step.plaintexts();
        let limbs = match purpose {
            PlaintextUse::Level(level) => params.window(level).len(),
            PlaintextUse::Weight(level) => params.window(level).len() + params.special_limbs(),
        };
        for &plain in plains {
            let plain = program.circuit().plain(plain);
            if known.insert((purpose, plain.fingerprint())) {
                bytes += (plain.vectors().len() * limbs * params.n() * 4) as u64;
            }
        }
    }
    bytes
}
