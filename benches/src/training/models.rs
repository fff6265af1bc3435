//! What the measurements of circuits are held against.

use std::collections::BTreeMap;

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

/// Times of single operations with one thread, measured here and now; a table for each parameter set.
pub struct Costs {
    seconds: Option<f64>,
    machine: String,
    known: BTreeMap<(u32, usize), CostTable>,
}

impl Costs {
    /// Measures for about this many seconds a table; none takes the tables that come with the toolkit.
    pub fn new(seconds: Option<f64>, machine: &Machine) -> Self {
        Self {
            seconds,
            machine: machine.cpu.clone(),
            known: BTreeMap::new(),
        }
    }

    /// The table of a parameter set.
    ///
    /// # Errors
    /// The engine's.
    pub fn of(&mut self, params: &Parameters) -> Result<CostTable> {
        let key = (params.log_n(), params.max_level());
        if let Some(table) = self.known.get(&key) {
            return Ok(table.clone());
        }
        let table = match self.seconds {
            None => CostTable::built_in(params, 1)?,
            Some(seconds) => {
                let context = Context::new(params, CpuEngine::with_threads(1)?)?;
                let options = MeasureOptions {
                    seconds,
                    ..MeasureOptions::new(params.max_level(), 1, self.machine.clone())
                };
                CostTable::measure(&context, &options)?
            }
        };
        self.known.insert(key, table.clone());
        Ok(table)
    }
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
        let count = plan.count();
        Self {
            squared_levels,
            key_switches: SWITCHES.iter().map(|kind| count.kind(kind).seconds).sum(),
            operations: plan.time().work_seconds,
            critical_path: plan.time().critical_path_seconds,
        }
    }
}
