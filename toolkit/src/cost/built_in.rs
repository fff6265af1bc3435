//! The tables that come with the crate.

use arras_ckks::Parameters;

use super::{CostError, CostTable, CostTableSpec};

/// Tables of the CPU engine for N = 2^13 to 2^16, with one thread and with all threads of the machine that they name, as
/// `cargo run --release -p arras-benches -- scaling --costs toolkit/src/cost/default.json` writes them.
const TABLES: &str = include_str!("default.json");

impl CostTable {
    /// An estimate for the CPU engine with this many threads: from the built-in table with the nearest ring degree, and among those
    /// from the one with the most threads that are not more than `threads`, by [`estimate_for`](Self::estimate_for).
    ///
    /// It is no faster for more threads than the tables' machine had, and another machine has other times: measure there with
    /// [`CostTable::measure`] where it matters.
    ///
    /// # Errors
    /// None with the tables of this crate.
    pub fn built_in(params: &Parameters, threads: usize) -> Result<Self, CostError> {
        let tables: Vec<CostTableSpec> = serde_json::from_str(TABLES)?;
        // Nearest degree first, then thread counts that are available, the largest of them; the smallest of the others.
        let rank = |table: &CostTableSpec| {
            let distance = table.parameters.log_n.abs_diff(params.log_n());
            let excess = table.threads.saturating_sub(threads.max(1));
            (distance, excess, usize::MAX - table.threads)
        };
        match tables.into_iter().min_by_key(rank) {
            Some(nearest) => Self::from_spec(nearest)?.estimate_for(params),
            None => Err(CostError::NoTables),
        }
    }
}
