//! The rotations of a program.

use std::collections::BTreeMap;

use crate::program::{Program, StepOp};

/// Every rotation a program does (identities left out), with the highest window at which it is done.
pub fn rotation_steps(program: &Program) -> BTreeMap<i64, usize> {
    let mut rotations = BTreeMap::new();
    let mut add = |steps: i64, level: usize| {
        if steps != 0 {
            let most = rotations.entry(steps).or_insert(level);
            *most = level.max(*most);
        }
    };
    for step in program.steps() {
        let level = step
            .operands()
            .first()
            .map_or(0, |&o| program.step(o).window_level());
        match step.op() {
            StepOp::Rotate(steps) => add(*steps, level),
            StepOp::RotationSum(steps) | StepOp::WeightedRotationSum { steps, .. } => {
                steps.iter().for_each(|&s| add(s, level));
            }
            _ => {}
        }
    }
    rotations
}
