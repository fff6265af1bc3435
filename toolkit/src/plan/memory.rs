//! Bytes that a run will take.

use std::collections::HashSet;

use arras_ckks::{Parameters, PlaintextUse};

use crate::{
    program::{Program, StepId},
    run::{Batching, groups},
};

/// Calls, width and the most bytes of ciphertexts alive at once, as the executor runs a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
