//! What operations cost: seconds, from measurements, and bytes, from the parameters.
//!
//! ```text
//!   measure (the benches' program scaling)   CostTable, as JSON       estimates before anything runs
//!   operation x level x batch 1 and 8   -->  interpolated         --> cost(operation, level, batch, terms)
//!                                            scaled to other parameters
//! ```
//! A [`CostTable`] is measured once for an engine on a machine; before anything was measured, [`CostTable::built_in`] gives an
//! estimate from measurements of the CPU engine that are part of this crate. [`memory`] tells sizes, exactly.

mod built_in;
mod error;
mod measure;
mod operation;
mod samples;
mod table;

pub use error::CostError;
pub use measure::{MEASURED_STEPS, MeasureOptions, measured_parameters};
pub use operation::OperationKind;
pub use table::{CostEntry, CostTable, CostTableSpec};

/// Bytes of ciphertexts and keys, in files and loaded: functions of the parameters alone.
pub mod memory {
    pub use arras_ckks::wire::{
        ObjectBytes, ciphertext_bytes, evaluation_key_bytes, evaluation_key_set_bytes,
        evaluation_key_set_bytes_by_level, seeded_ciphertext_bytes,
    };
}
