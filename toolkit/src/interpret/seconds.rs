//! What a program costs, from a table.

use std::collections::HashSet;

use arras_ckks::PlaintextUse;

use crate::{
    Program, Result,
    cost::{CostTable, OperationKind},
};

/// Seconds of the longest chain of dependent steps: what remains with unlimited cores.
///
/// # Errors
/// [`crate::ToolkitErrorKind::Cost`] if the table lacks a level that the program has.
pub fn critical_path_seconds(program: &Program, table: &CostTable) -> Result<f64> {
    let seconds = program.steps().iter().map(|s| s.work().seconds(table));
    let seconds = seconds.collect::<Result<Vec<f64>, _>>()?;
    Ok(program.chains(seconds).into_iter().fold(0.0, f64::max))
}

/// Seconds of encoding every constant of a program once for each level and use.
pub(crate) fn encoding_seconds(table: &CostTable, program: &Program) -> Result<f64> {
    let mut seen = HashSet::new();
    let mut seconds = 0.0;
    for step in program.steps() {
        let (purpose, plains) = step.plaintexts();
        let (kind, level) = match purpose {
            PlaintextUse::Level(level) => (OperationKind::Encode, level),
            PlaintextUse::Weight(level) => (OperationKind::EncodeWeights, level),
        };
        for &plain in plains {
            if seen.insert((kind, level, plain)) {
                let vectors = program.circuit().plain(plain).vectors().len();
                seconds += vectors as f64 * table.cost(kind, level, 1, 0)?;
            }
        }
    }
    Ok(seconds)
}
