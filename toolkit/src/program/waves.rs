//! The order of execution.

use super::{Step, StepId};

/// Steps in waves. Costly steps come as early as their operands allow, so that independent ones of one kind meet in a
/// wave; cheap preparations (inputs, products with constants, level changes) as late as their first use allows, so that their
/// results do not lie in memory.
pub(super) fn waves(steps: &[Step]) -> Vec<Vec<StepId>> {
    let mut wave = vec![0usize; steps.len()];
    for (i, step) in steps.iter().enumerate() {
        let ready = step.operands.iter().map(|o| wave[o.0] + 1).max();
        wave[i] = ready.unwrap_or(0);
    }
    let last = wave.iter().max().map_or(0, |w| w + 1);
    let mut first_use = vec![last; steps.len()];
    for (i, step) in steps.iter().enumerate().rev() {
        if step.op.row().late && first_use[i] != last {
            wave[i] = wave[i].max(first_use[i].saturating_sub(1));
        }
        for operand in &step.operands {
            first_use[operand.0] = first_use[operand.0].min(wave[i]);
        }
    }
    let mut waves = vec![vec![]; last];
    for (i, &w) in wave.iter().enumerate() {
        waves[w].push(StepId(i));
    }
    waves.retain(|w| !w.is_empty());
    waves
}
