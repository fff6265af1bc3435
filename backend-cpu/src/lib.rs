#![doc = include_str!("../README.md")]
//!
//! ```text
//!   engine        threads, level, memory            memory     pool, buffers [limb][poly][N]
//!   ops           the operations over all rows      ring       constants, twiddles, permutations of a ring
//!   kernels       one row or a piece of one         simd       lanes: scalar, AVX2, AVX-512
//! ```
//! Composites are fused: a key switch converts a few limbs of all digits, transforms them and multiplies them with the key
//! before it goes to the next limbs, so the extended digits never exist as a whole; a limb of a key is read once for a whole
//! batch.
#![deny(unsafe_code)]

mod engine;
mod kernels;
mod memory;
mod ops;
mod pages;
mod permutation;
mod ring;
#[allow(unsafe_code)]
mod simd;

pub use engine::{CpuEngine, CpuEngineBuilder, CpuError};
pub use memory::{CpuBuf, PoolStats};
pub use ops::CpuKey;
pub use ring::CpuRing;
pub use simd::SimdLevel;
