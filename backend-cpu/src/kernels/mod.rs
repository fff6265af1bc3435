//! The kernels: one row (or a piece of one) at a time, written once over [`Simd`](crate::simd::Simd).
//!
//! Each is called through its namesake in `simd::dispatch`. Rows are canonical in and out unless a kernel says
//! otherwise; operands of one call have one length, a multiple of [`STEP`] vectors where it is said.

pub(crate) mod convert;
pub(crate) mod inner;
pub(crate) mod ntt;
pub(crate) mod pointwise;
pub(crate) mod products;
pub(crate) mod reduce;
pub(crate) mod switch;

/// Vectors that [`convert`] and the NTT take at a time; rows are at least twice as long at every level.
pub(crate) const STEP: usize = 4;

/// Words of a piece of a row when several rows are walked together: ten such pieces stay in a first-level cache.
pub(crate) const PIECE: usize = 1024;
