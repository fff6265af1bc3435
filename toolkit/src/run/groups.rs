//! Which steps of a wave run as one call.

use std::collections::HashMap;

use super::Batching;
use crate::program::{Program, StepId, StepOp};

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

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Settle { components: usize },
    LevelDown { from: usize },
    Multiply,
    Rotations(Vec<i64>),
    Rotation(i64),
}

/// Groups of a wave.
pub(crate) fn groups(program: &Program, wave: &[StepId], batching: Batching) -> Vec<Group> {
    if batching == Batching::Off {
        return wave.iter().copied().map(Group::Alone).collect();
    }
    let mut rotations: HashMap<StepId, Vec<StepId>> = HashMap::new();
    for &id in wave {
        if let StepOp::Rotate(_) = program.step(id).op() {
            rotations
                .entry(program.step(id).operands()[0])
                .or_default()
                .push(id);
        }
    }
    rotations.retain(|_, steps| steps.len() > 1);

    let mut groups = vec![];
    let mut batches: HashMap<(Key, usize), usize> = HashMap::new();
    for &id in wave {
        let step = program.step(id);
        let operand = step.operands().first().copied();
        if let (StepOp::Rotate(_), Some(operand)) = (step.op(), operand)
            && let Some(steps) = rotations.get(&operand)
        {
            if steps[0] == id {
                groups.push(Group::Hoisted(steps.clone()));
            }
            continue;
        }
        let joins = batching == Batching::Waves;
        let key = operand
            .filter(|_| joins)
            .and_then(|operand| key(program, id, operand));
        let Some(key) = key else {
            groups.push(Group::Alone(id));
            continue;
        };
        let at = (key, step.level());
        if let Some(&open) = batches.get(&at) {
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
        batches.insert(at, groups.len());
        groups.push(Group::Alone(id));
    }
    groups
}

/// What steps of one batch have in common besides their level; `None` for steps that are too cheap to be worth the copies.
fn key(program: &Program, id: StepId, operand: StepId) -> Option<Key> {
    let step = program.step(id);
    let from = program.step(operand);
    match step.op() {
        StepOp::Settle => Some(Key::Settle {
            components: from.form().components(),
        }),
        StepOp::LevelDown => Some(Key::LevelDown { from: from.level() }),
        StepOp::Multiply => step
            .operands()
            .iter()
            .all(|&o| program.step(o).units() == step.units())
            .then_some(Key::Multiply),
        StepOp::Rotate(steps) if from.window_level() == from.level() => Some(Key::Rotation(*steps)),
        StepOp::RotationSum(steps) if from.window_level() == from.level() => {
            Some(Key::Rotations(steps.clone()))
        }
        _ => None,
    }
}
