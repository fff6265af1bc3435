//! What steps cost, from a table.

use std::collections::BTreeSet;

use crate::{
    Result,
    cost::{CostTable, OperationKind},
    program::{Form, Program, StepId, StepOp},
};

/// Seconds of a step: that of its evaluator calls for all its ciphertexts. Inputs cost nothing; encoding of constants is
/// [`encoding_seconds`].
pub(crate) fn step_seconds(table: &CostTable, program: &Program, id: StepId) -> Result<f64> {
    let step = program.step(id);
    let first = step.operands().first().map(|&o| program.step(o));
    let (from, form) = first.map_or((0, Form::Settled), |s| (s.window_level(), s.form()));
    let units = step.units();
    let here = step.window_level();
    let cost = |kind, level, terms| -> Result<f64> { Ok(table.cost(kind, level, units, terms)?) };
    // Pending operands rescale on the way, which costs what settling a product does.
    let key_switch = |kind, terms: usize| match (terms, form) {
        (0, Form::Settled) => cost(OperationKind::Negate, from, 0),
        (0, _) => cost(OperationKind::Rescale, from, 0),
        (1, Form::Settled) => cost(OperationKind::Rotate, from, 0),
        (1, _) => cost(OperationKind::Settle, from, 0),
        _ => cost(kind, from, terms),
    };
    match step.op() {
        StepOp::Input(_) => Ok(0.0),
        StepOp::Add | StepOp::Sub => cost(OperationKind::Add, here, 0),
        StepOp::AddPlain(_) => cost(OperationKind::AddPlain, here, 0),
        StepOp::AddScalar(_) => cost(OperationKind::AddScalar, here, 0),
        // A pass over memory each.
        StepOp::Negate | StepOp::MultiplyInteger(_) | StepOp::Pick(_) | StepOp::Concat => {
            cost(OperationKind::Negate, here, 0)
        }
        StepOp::Multiply => cost(OperationKind::Tensor, from, 0),
        StepOp::SumOfProducts => {
            let pairs = step.operands().len() / 2;
            Ok(pairs as f64 * cost(OperationKind::Tensor, from, 0)?)
        }
        StepOp::MultiplyPlain(_) => cost(OperationKind::MultiplyPlain, from, 0),
        StepOp::WeightedSum(weights) => {
            Ok(weights.len() as f64 * cost(OperationKind::MultiplyPlain, from, 0)?)
        }
        StepOp::MultiplyScalar(_) => cost(OperationKind::MultiplyScalar, from, 0),
        StepOp::Rotate(steps) => key_switch(OperationKind::RotationSum, usize::from(*steps != 0)),
        StepOp::RotationSum(steps) => {
            let terms: BTreeSet<_> = steps.iter().filter(|&&s| s != 0).collect();
            key_switch(OperationKind::RotationSum, terms.len())
        }
        StepOp::WeightedRotationSum { steps, .. } => {
            cost(OperationKind::WeightedRotationSum, from, steps.len())
        }
        StepOp::Settle if form == Form::Pending3 => cost(OperationKind::Settle, from, 0),
        StepOp::Settle => cost(OperationKind::Rescale, from, 0),
        StepOp::LevelDown => cost(OperationKind::LevelDown, step.level() + 1, 0),
    }
}

/// Seconds of encoding every constant of a program once for each level and use.
pub(crate) fn encoding_seconds(table: &CostTable, program: &Program) -> Result<f64> {
    let mut seen = BTreeSet::new();
    let mut seconds = 0.0;
    for step in program.steps() {
        let level = step
            .operands()
            .first()
            .map_or(0, |&o| program.step(o).level());
        let (kind, plains) = match step.op() {
            StepOp::AddPlain(p) | StepOp::MultiplyPlain(p) => (OperationKind::Encode, vec![*p]),
            StepOp::WeightedSum(weights) => (OperationKind::Encode, weights.clone()),
            StepOp::WeightedRotationSum { weights, .. } => {
                (OperationKind::EncodeWeights, weights.clone())
            }
            _ => continue,
        };
        for plain in plains {
            if seen.insert((kind, level, plain)) {
                let vectors = program.circuit().plain(plain).vectors().len();
                seconds += vectors as f64 * table.cost(kind, level, 1, 0)?;
            }
        }
    }
    Ok(seconds)
}
