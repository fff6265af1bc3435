//! What a round costs the server, from its program: seconds by a table, bytes exactly as the executor will hold them.

use std::collections::{BTreeMap, BTreeSet};

use arras_ckks::Parameters;
use arras_toolkit::{
    Program,
    cost::{CostTable, OperationKind},
    program::{Form, Step, StepOp},
};
use serde::{Deserialize, Serialize};

use crate::Result;

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

fn first_operand<'p>(program: &'p Program, step: &Step) -> Option<&'p Step> {
    step.operands().first().map(|&o| program.step(o))
}

/// Rotations of a step that need a key.
fn rotations(op: &StepOp) -> usize {
    match op {
        StepOp::Rotate(steps) => usize::from(*steps != 0),
        StepOp::RotationSum(steps) | StepOp::WeightedRotationSum { steps, .. } => {
            steps.iter().filter(|&&s| s != 0).count()
        }
        _ => 0,
    }
}

/// Counts.
pub(super) fn operations(program: &Program) -> Operations {
    let mut count = Operations::default();
    for step in program.steps() {
        let units = step.units();
        count.key_switches += units * rotations(step.op());
        match step.op() {
            StepOp::Multiply => count.products += units,
            StepOp::SumOfProducts => count.products += units * (step.operands().len() / 2),
            StepOp::Settle
                if first_operand(program, step).is_some_and(|s| s.form() == Form::Pending3) =>
            {
                count.key_switches += units;
            }
            _ => {}
        }
    }
    count
}

/// What a table knows a step as: operation, level of the operands, terms. None for inputs.
fn operation(program: &Program, step: &Step) -> Option<(OperationKind, usize, usize)> {
    use OperationKind as K;
    let operand = first_operand(program, step);
    let (from, form) = operand.map_or((0, Form::Settled), |s| (s.window_level(), s.form()));
    let here = step.window_level();
    let pass = |kind| Some((kind, here, 0));
    match step.op() {
        StepOp::Input(_) => None,
        StepOp::Add | StepOp::Sub => pass(K::Add),
        StepOp::AddPlain(_) => pass(K::AddPlain),
        StepOp::AddScalar(_) => pass(K::AddScalar),
        StepOp::Negate | StepOp::MultiplyInteger(_) | StepOp::Pick(_) | StepOp::Concat => {
            pass(K::Negate)
        }
        StepOp::Multiply | StepOp::SumOfProducts => Some((K::Tensor, from, 0)),
        StepOp::MultiplyPlain(_) | StepOp::WeightedSum(_) => Some((K::MultiplyPlain, from, 0)),
        StepOp::MultiplyScalar(_) => Some((K::MultiplyScalar, from, 0)),
        // A key switch of a pending operand rescales on its way.
        StepOp::Rotate(_) | StepOp::RotationSum(_) => match (rotations(step.op()), form) {
            (0, Form::Settled) => pass(K::Negate),
            (0, _) => Some((K::Rescale, from, 0)),
            (1, Form::Settled) => Some((K::Rotate, from, 0)),
            (1, _) => Some((K::Settle, from, 0)),
            (terms, _) => Some((K::RotationSum, from, terms)),
        },
        StepOp::WeightedRotationSum { steps, .. } => {
            Some((K::WeightedRotationSum, from, steps.len()))
        }
        StepOp::Settle if form == Form::Pending3 => Some((K::Settle, from, 0)),
        StepOp::Settle => Some((K::Rescale, from, 0)),
        StepOp::LevelDown => Some((K::LevelDown, step.level() + 1, 0)),
        // Steps added later cost what a pass does until they are told apart here.
        _ => pass(K::Negate),
    }
}

/// The most ciphertexts that the executor joins into one batch.
const MOST_UNITS: usize = 64;

/// Seconds by a table, steps of one kind and level in a wave taken as one batch, constants encoded once.
pub(super) fn seconds(program: &Program, table: &CostTable) -> Result<f64> {
    let mut total = 0.0;
    for wave in program.waves() {
        let mut batches: BTreeMap<(OperationKind, usize, usize), usize> = BTreeMap::new();
        for &id in wave {
            let step = program.step(id);
            if let Some(key) = operation(program, step) {
                let times = match step.op() {
                    StepOp::SumOfProducts => step.operands().len() / 2,
                    StepOp::WeightedSum(weights) => weights.len(),
                    _ => 1,
                };
                *batches.entry(key).or_insert(0) += times * step.units();
            }
        }
        for ((kind, level, terms), units) in batches {
            let (full, rest) = (units / MOST_UNITS, units % MOST_UNITS);
            if full > 0 {
                total += full as f64 * table.cost(kind, level, MOST_UNITS, terms)?;
            }
            if rest > 0 {
                total += table.cost(kind, level, rest, terms)?;
            }
        }
    }
    for (weights, level, vectors) in constants(program) {
        let kind = if weights {
            OperationKind::EncodeWeights
        } else {
            OperationKind::Encode
        };
        total += vectors as f64 * table.cost(kind, level, 1, 0)?;
    }
    Ok(total)
}

/// Every constant that a program encodes: for weighted sums or not, its level, its vectors.
fn constants(program: &Program) -> Vec<(bool, usize, usize)> {
    let mut seen = BTreeSet::new();
    let mut found = vec![];
    for step in program.steps() {
        let level = first_operand(program, step).map_or(0, Step::level);
        let (weights, plains) = match step.op() {
            StepOp::AddPlain(p) | StepOp::MultiplyPlain(p) => (false, vec![*p]),
            StepOp::WeightedSum(weights) => (false, weights.clone()),
            StepOp::WeightedRotationSum { weights, .. } => (true, weights.clone()),
            _ => continue,
        };
        for plain in plains {
            if seen.insert((weights, level, plain)) {
                let vectors = program.circuit().plain(plain).vectors().len();
                found.push((weights, level, vectors));
            }
        }
    }
    found
}

/// Bytes of constants that the executor keeps by default.
const CONSTANT_BYTES: u64 = 1 << 30;

/// Bytes while a program runs, keys apart.
pub(super) fn memory(program: &Program, params: &Parameters) -> ServerMemory {
    let limb = 4 * params.n() as u64;
    let limbs = |level: usize| params.window(level.min(params.max_level())).len() as u64;
    let specials = params.special_limbs() as u64;
    let bytes = |step: &Step| {
        limb * limbs(step.window_level()) * (step.form().components() * step.units()) as u64
    };
    let inputs = program
        .steps()
        .iter()
        .filter(|step| matches!(step.op(), StepOp::Input(_)))
        .map(bytes)
        .sum();
    // As the executor does: a wave's results are there before its operands go.
    let mut left = program.uses().to_vec();
    let (mut alive, mut peak) = (0u64, 0u64);
    for wave in program.waves() {
        for &id in wave {
            if left[id.index()] > 0 {
                alive += bytes(program.step(id));
            }
        }
        peak = peak.max(alive);
        for &id in wave {
            for &operand in program.step(id).operands() {
                left[operand.index()] -= 1;
                if left[operand.index()] == 0 {
                    alive -= bytes(program.step(operand));
                }
            }
        }
    }
    let constants: u64 = constants(program)
        .iter()
        .map(|&(weights, level, vectors)| {
            limb * vectors as u64 * (limbs(level) + if weights { specials } else { 0 })
        })
        .sum();
    // All digits of one component over chain and special limbs, and both accumulators.
    let scratch = program
        .steps()
        .iter()
        .filter_map(|step| {
            let operand = first_operand(program, step)?;
            let switches = rotations(step.op()) > 0
                || (*step.op() == StepOp::Settle && operand.form() == Form::Pending3);
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
        values: peak,
        constants: constants.min(CONSTANT_BYTES),
        scratch,
    }
}
