//! Running programs on ciphertexts.
//!
//! The executor walks a program in waves. In a wave, steps of one kind and level become one batched engine call, rotations of one
//! operand share their decomposition, and what is left runs side by side on the engine's workers. Values are freed after their
//! last use; encoded constants are kept for the next run.

pub(crate) mod bindings;
pub(crate) mod groups;
pub(crate) mod homomorphic;
mod masks;
mod perform;
mod report;

pub use bindings::check_inputs;
pub use homomorphic::{Batching, Options, Progress, Run, Stepwise};
pub use report::RunReport;
