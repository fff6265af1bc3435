//! How deep and how wide a training circuit is, counted on its program.

use arras_toolkit::{
    Program,
    program::{Form, Step, StepOp},
};
use serde::{Deserialize, Serialize};

/// What happens at one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelWork {
    /// Operations on single ciphertexts, key switches among them; moving ciphertexts between batches counts nothing.
    pub operations: usize,
    /// Key switches: rotations and relinearizations of single ciphertexts.
    pub key_switches: usize,
}

/// Depth and width of a circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitShape {
    /// The circuit's name.
    pub circuit: String,
    /// Levels it consumes.
    pub depth: usize,
    /// Work by levels consumed: first what happens on fresh inputs, last (entry `depth`) what happens at the lowest level.
    pub levels: Vec<LevelWork>,
    /// Steps of the program in each wave; those of one wave do not depend on each other.
    pub waves: Vec<usize>,
    /// Products of two ciphertexts.
    pub multiplications: usize,
    /// Steps on the longest chain of dependent steps.
    pub critical_path: usize,
    /// Time by a model: see [`CircuitShape::of`].
    pub model_cost: f64,
}

impl CircuitShape {
    /// Counts a program.
    ///
    /// [`model_cost`](Self::model_cost) is the time with unlimited cores if a key switch at level l costs (l + 1)^2 and everything
    /// else nothing: the largest sum of that over all chains of dependent steps. It has no unit; ratios of two circuits' costs are
    /// comparable with the published ratio of 6 (ePrint 2020/1483), which rests on such costs.
    pub fn of(circuit: impl Into<String>, program: &Program) -> Self {
        let depth = program.levels_needed();
        let mut levels = vec![LevelWork::default(); depth + 1];
        let mut multiplications = 0;
        let mut chains: Vec<(usize, f64)> = Vec::with_capacity(program.steps().len());
        for step in program.steps() {
            let worked_at = worked_at(program, step);
            let key_switches = key_switches(program, step);
            multiplications += match step.op() {
                StepOp::Multiply => step.units(),
                StepOp::SumOfProducts => step.operands().len() / 2 * step.units(),
                _ => 0,
            };
            if let Some(level) = levels.get_mut(depth.saturating_sub(worked_at)) {
                level.operations += operations(step);
                level.key_switches += key_switches;
            }
            let cost = if key_switches > 0 {
                ((worked_at + 1) * (worked_at + 1)) as f64
            } else {
                0.0
            };
            let (steps, costs) = step
                .operands()
                .iter()
                .map(|operand| chains[operand.index()])
                .fold((0, 0.0), |a: (usize, f64), b| (a.0.max(b.0), a.1.max(b.1)));
            let counted = usize::from(!matches!(step.op(), StepOp::Input(_)));
            chains.push((steps + counted, costs + cost));
        }
        Self {
            circuit: circuit.into(),
            depth,
            levels,
            waves: program.waves().iter().map(Vec::len).collect(),
            multiplications,
            critical_path: chains.iter().map(|c| c.0).max().unwrap_or(0),
            model_cost: chains.iter().map(|c| c.1).fold(0.0, f64::max),
        }
    }

    /// Key switches of all levels.
    pub fn key_switches(&self) -> usize {
        self.levels.iter().map(|level| level.key_switches).sum()
    }

    /// The most operations at one level.
    pub fn width(&self) -> usize {
        let operations = self.levels.iter().map(|level| level.operations);
        operations.max().unwrap_or(0)
    }
}

/// The level whose window a step works on: that of its highest operand.
fn worked_at(program: &Program, step: &Step) -> usize {
    step.operands()
        .iter()
        .map(|&operand| program.step(operand).window_level())
        .max()
        .unwrap_or_else(|| step.window_level())
}

fn operations(step: &Step) -> usize {
    match step.op() {
        StepOp::Input(_) | StepOp::Pick(_) | StepOp::Concat => 0,
        StepOp::RotationSum(steps) | StepOp::WeightedRotationSum { steps, .. } => {
            steps.len() * step.units()
        }
        StepOp::SumOfProducts => step.operands().len() / 2 * step.units(),
        _ => step.units(),
    }
}

fn key_switches(program: &Program, step: &Step) -> usize {
    let rotations = match step.op() {
        StepOp::Rotate(steps) => usize::from(*steps != 0),
        StepOp::RotationSum(steps) | StepOp::WeightedRotationSum { steps, .. } => {
            steps.iter().filter(|&&s| s != 0).count()
        }
        StepOp::Settle => usize::from(
            step.operands()
                .iter()
                .any(|&operand| program.step(operand).form() == Form::Pending3),
        ),
        _ => 0,
    };
    rotations * step.units()
}
