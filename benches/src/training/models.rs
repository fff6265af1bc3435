//! What the measurements of circuits are held against.

use arras::{
    CpuEngine,
    ckks::{Context, Parameters},
    toolkit::{
        Plan,
        cost::{CostTable, MeasureOptions},
    },
};
use lr_train::report::Machine;
use serde::{Deserialize, Serialize};

use crate::Result;

/// Kinds of steps that switch keys.
const SWITCHES: [&str; 4] = [
    "rotate",
    "rotation_sum",
    "weighted_rotation_sum",
    "relinearize_and_rescale",
];

/// Times of single operations with one thread: measured here and now for about so many seconds, or those that come with the toolkit.
///
/// # Errors
/// The engine's.
pub fn cost_table(params: &Parameters, seconds: Option<f64>) -> Result<CostTable> {
    let Some(seconds) = seconds else {
        return Ok(CostTable::built_in(params, 1)?);
    };
    let context = Context::new(params, CpuEngine::with_threads(1)?)?;
    let options = MeasureOptions {
        seconds,
        ..MeasureOptions::new(params.max_level(), 1, Machine::here().cpu)
    };
    Ok(CostTable::measure(&context, &options)?)
}

/// Times of a circuit by models, in seconds but for the first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Models {
    /// The published figures' model: key switches cost the square of the levels, nothing else costs anything, cores are unlimited.
    pub squared_levels: f64,
    /// Key switches one after the other, each at what it costs at its level with one thread.
    pub key_switches: f64,
    /// All operations likewise.
    pub operations: f64,
    /// The most costly chain of dependent operations: what unlimited cores would need.
    pub critical_path: f64,
}

impl Models {
    /// From a plan with costs of one thread.
    pub fn of(plan: &Plan, squared_levels: f64) -> Self {
        let count = &plan.stages()[0].count;
        Self {
            squared_levels,
            key_switches: SWITCHES.iter().map(|kind| count.kind(kind).seconds).sum(),
            operations: plan.time().work_seconds,
            critical_path: plan.time().critical_path_seconds,
        }
    }
}
