//! Engines around engines: each forwards every operation of the op table, composites as composites, so
//! that fused kernels of the engine inside are kept.
//!
//! They nest: `Counting<Checked<Traced<E>, Reference>>` is an engine.

#[cfg(any(test, feature = "conformance"))]
pub mod tampered;

#[cfg(any(test, feature = "conformance"))]
pub use tampered::Tampered;
