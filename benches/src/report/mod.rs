//! The report: times, sizes and precisions of every operation, as Markdown for people and JSON for programs.

mod facts;
mod machine;
mod measure;
mod render;

use serde::Serialize;

pub use facts::{Precision, Size};
pub use lr_train::report::peak_memory;
pub use machine::{Machine, reset_peak_memory};
pub use measure::{Timing, measure_set};
pub use render::markdown;
pub(crate) use render::{bytes, machine as machine_table, seconds, table};

/// Everything that one run found out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// The engines of the columns, in order.
    pub engines: Vec<Engine>,
    /// Seconds that an operation was repeated for.
    pub seconds_per_operation: f64,
    /// A part for every parameter set.
    pub sets: Vec<SetReport>,
}

/// An engine that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Engine {
    /// Its name, which says threads and SIMD level.
    pub name: String,
    /// Threads of the engine and of everything around it.
    pub threads: usize,
}

/// What was found out about one parameter set.
#[derive(Debug, Serialize)]
pub struct SetReport {
    /// Base-2 logarithm of the ring degree.
    pub log_n: u32,
    /// Levels.
    pub levels: usize,
    /// Bits of the modulus with the special primes, which security depends on.
    pub log2_qp: f64,
    /// Limbs of a ciphertext at the highest level.
    pub limbs: usize,
    /// Special limbs.
    pub special_limbs: usize,
    /// Key-switching digits.
    pub digits: usize,
    /// Times, by layer.
    pub sections: Vec<Section>,
    /// Bytes of objects.
    pub sizes: Vec<Size>,
    /// Bits of precision.
    pub precision: Vec<Precision>,
    /// For every engine, the most memory that the process had while it was measured, in bytes; `None` where the system does not say.
    pub peak_memory: Vec<Option<u64>>,
}

/// The operations of one layer.
#[derive(Debug, Serialize)]
pub struct Section {
    /// The layer.
    pub title: String,
    /// Its operations.
    pub rows: Vec<Row>,
}

/// An operation.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// Rows of N residues that it writes, if that is a useful unit.
    pub rows: Option<usize>,
    /// Bytes that it moves, if that is a useful unit.
    pub bytes: Option<u64>,
    /// A timing for every engine.
    pub timings: Vec<Timing>,
}
