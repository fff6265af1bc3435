//! Where a circuit's time goes, from the built-in costs of single operations with one thread.

use arras::{
    ckks::Parameters,
    toolkit::{
        Program,
        cost::{CostTable, OperationKind},
        program::{Form, Step, StepOp},
    },
};
use lr_train::report::{CircuitTimes, KindSeconds, Timing};

use crate::failure::Failure;

/// Time by kind, and its sums.
pub(super) struct Costs {
    pub(super) times: CircuitTimes,
    /// Seconds on the most costly chain: what unlimited cores would need.
    pub(super) critical: f64,
    /// Seconds of all operations.
    pub(super) work: f64,
}

pub(super) fn estimate(
    name: &str,
    params: &Parameters,
    program: &Program,
) -> Result<Costs, Failure> {
    let table = CostTable::built_in(params, 1)?;
    let mut kinds: Vec<KindSeconds> = Vec::new();
    let mut chains: Vec<f64> = Vec::new();
    for step in program.steps() {
        let mut seconds = 0.0;
        if let Some((kind, terms)) = operation(program, step)
            && let Some(&operand) = step.operands().first()
        {
            let level = program.step(operand).window_level();
            seconds = table.cost(kind, level.max(kind.lowest_level()), step.units(), terms)?;
            match kinds.iter_mut().find(|k| k.kind == kind.name()) {
                Some(known) => known.seconds += seconds,
                None => kinds.push(KindSeconds {
                    kind: kind.name().into(),
                    seconds,
                }),
            }
        }
        let before = step.operands().iter().map(|o| chains[o.index()]);
        chains.push(seconds + before.fold(0.0, f64::max));
    }
    Ok(Costs {
        critical: chains.into_iter().fold(0.0, f64::max),
        work: kinds.iter().map(|k| k.seconds).sum(),
        times: CircuitTimes {
            circuit: name.into(),
            timing: Timing::Estimated,
            threads: 1,
            kinds,
        },
    })
}

/// What a step costs like, with its number of terms; `None` if it costs nothing worth counting.
fn operation(program: &Program, step: &Step) -> Option<(OperationKind, usize)> {
    let from_product = || {
        step.operands()
            .first()
            .is_some_and(|&o| program.step(o).form() == Form::Pending3)
    };
    Some(match step.op() {
        StepOp::Input(_) | StepOp::Pick(_) | StepOp::Concat => return None,
        StepOp::Add | StepOp::Sub => (OperationKind::Add, 0),
        StepOp::AddPlain(_) => (OperationKind::AddPlain, 0),
        StepOp::AddScalar(_) => (OperationKind::AddScalar, 0),
        StepOp::Negate | StepOp::MultiplyInteger(_) => (OperationKind::Negate, 0),
        StepOp::Multiply | StepOp::SumOfProducts => (OperationKind::Tensor, 0),
        StepOp::MultiplyPlain(_) => (OperationKind::MultiplyPlain, 0),
        StepOp::MultiplyScalar(_) => (OperationKind::MultiplyScalar, 0),
        StepOp::Rotate(_) => (OperationKind::Rotate, 0),
        StepOp::RotationSum(steps) => (OperationKind::RotationSum, steps.len()),
        StepOp::WeightedRotationSum { steps, .. } => {
            (OperationKind::WeightedRotationSum, steps.len())
        }
        StepOp::Settle if from_product() => (OperationKind::Settle, 0),
        StepOp::Settle => (OperationKind::Rescale, 0),
        StepOp::LevelDown => (OperationKind::LevelDown, 0),
        // Kinds of later releases, which the table does not know.
        _ => return None,
    })
}
