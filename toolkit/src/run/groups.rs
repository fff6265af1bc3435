//! Which steps of a wave run as one call.

use std::collections::HashMap;

use super::Batching;
use crate::{
    Program,
    circuit::Op,
    program::{Form, State, Step, StepId},
};

/// Steps that run as one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// A step alone.
    Alone(StepId),
    /// Steps of one kind and level: their operands are joined into one batch.
    Batch(Vec<StepId>),
    /// Rotations of one operand.
    Hoisted(Vec<StepId>),
}

impl Group {
    pub(crate) fn steps(&self) -> &[StepId] {
        match self {
            Self::Alone(step) => std::slice::from_ref(step),
            Self::Batch(steps) | Self::Hoisted(steps) => steps,
        }
    }
}

/// The most ciphertexts of a joined batch: enough to keep a device busy, few enough to bound the copies in memory.
const MOST_UNITS: usize = 64;

/// What steps of one batch have in common: operation, state of their operands, level of their results.
type Key = ((&'static str, Vec<u64>), State, usize);

/// Groups of a wave.
pub(crate) fn groups(program: &Program, wave: &[StepId], batching: Batching) -> Vec<Group> {
    if batching == Batching::Off {
        return wave.iter().copied().map(Group::Alone).collect();
    }
    let mut rotations: HashMap<StepId, Vec<StepId>> = HashMap::new();
    for &id in wave {
        if let Op::Rotate(_) = program.step(id).op() {
            rotations
                .entry(program.step(id).operands()[0])
                .or_default()
                .push(id);
        }
    }
    rotations.retain(|_, steps| steps.len() > 1);

    let mut groups = vec![];
    let mut batches: HashMap<Key, usize> = HashMap::new();
    for &id in wave {
        let step = program.step(id);
        let operand = step.operands().first().copied();
        if let (Op::Rotate(_), Some(operand)) = (step.op(), operand)
            && let Some(steps) = rotations.get(&operand)
        {
            if steps[0] == id {
                groups.push(Group::Hoisted(steps.clone()));
            }
            continue;
        }
        let joins = batching == Batching::Waves;
        let Some(key) = key(program, step).filter(|_| joins) else {
            groups.push(Group::Alone(id));
            continue;
        };
        if let Some(&open) = batches.get(&key) {
            let units: usize = groups[open]
                .steps()
                .iter()
                .map(|&s| program.step(s).units())
                .sum();
            if units + step.units() <= MOST_UNITS {
                let mut steps = groups[open].steps().to_vec();
                steps.push(id);
                groups[open] = Group::Batch(steps);
                continue;
            }
        }
        batches.insert(key, groups.len());
        groups.push(Group::Alone(id));
    }
    groups
}

/// `None` for steps that are too cheap to be worth the copies, and for those that cannot be joined.
fn key(program: &Program, step: &Step) -> Option<Key> {
    let from = step.operand_state();
    // A rotation that rescales on its way stays alone.
    let whole = from.form == Form::Settled || step.op().rotations().is_empty();
    let mut operands = step.operands().iter();
    let equal = operands.all(|&o| program.step(o).units() == step.units());
    let joins = step.op().row().joins && whole && equal;
    joins.then(|| (step.op().identity(), from, step.level()))
}
