//! Engines around engines: each forwards every operation of the op table, composites as composites, so
//! that fused kernels of the engine inside are kept.
//!
//! They nest: `Counting<Checked<Traced<E>, Reference>>` is an engine.

pub(crate) mod checked;
pub(crate) mod counting;
mod observed;
#[cfg(test)]
pub(crate) mod program;
#[cfg(any(test, feature = "conformance"))]
mod tampered;
pub(crate) mod traced;

pub use checked::{CheckedBuf, Pair};
pub use counting::{Counter, Tally};
pub use observed::{Call, Observed, Observer};
#[cfg(any(test, feature = "conformance"))]
pub use tampered::{DownloadHook, Hooks, OpHook, Tampered};
pub use traced::Spans;
