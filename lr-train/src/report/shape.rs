//! How deep and how wide a training circuit is, counted on its program.

use arras_toolkit::{Program, circuit::Class};
use serde::{Deserialize, Serialize};

/// What happens at one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LevelWork {
    /// Operations on single ciphertexts, key switches among them; moving ciphertexts between batches counts nothing.
    pub operations: usize,
    /// Key switches: rotations and relinearizations of single ciphertexts.
    pub key_switches: usize,
}

/// Depth and width of a circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
        let mut costs = Vec::with_capacity(program.steps().len());
        for step in program.steps() {
            let work = step.work();
            let worked_at = step.operand_state().window_level();
            multiplications += work.products;
            if let Some(level) = levels.get_mut(depth.saturating_sub(worked_at)) {
                level.operations += work.operations;
                level.key_switches += work.key_switches();
            }
            costs.push(match work.key_switches() {
                0 => 0.0,
                _ => (worked_at + 1).pow(2) as f64,
            });
        }
        let counted = program
            .steps()
            .iter()
            .map(|step| f64::from(step.op().class() != Class::Input));
        let longest = |chains: Vec<f64>| chains.into_iter().fold(0.0, f64::max);
        Self {
            circuit: circuit.into(),
            depth,
            levels,
            waves: program.waves().iter().map(Vec::len).collect(),
            multiplications,
            critical_path: longest(program.chains(counted)) as usize,
            model_cost: longest(program.chains(costs)),
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
