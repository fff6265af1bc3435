//! Engines around engines: each forwards every operation of the op table, composites as composites, so
//! that fused kernels of the engine inside are kept.
//!
//! They nest: `Counting<Checked<Traced<E>, Reference>>` is an engine.

pub mod checked;
pub mod counting;
pub mod observed;
#[cfg(test)]
pub(crate) mod program;
#[cfg(any(test, feature = "conformance"))]
pub mod tampered;
pub mod traced;

pub use checked::Checked;
pub use counting::{Counting, OpCounts};
pub use observed::{Observed, Observer};
#[cfg(any(test, feature = "conformance"))]
pub use tampered::Tampered;
pub use traced::Traced;
