#![doc = include_str!("../README.md")]
//!
//! ```text
//!   binding 0   Params    header and entries of one dispatch, read-only, at a dynamic offset
//!   binding 1   dst       rows written (or updated in place)
//!   binding 2.. inputs    rows, twiddles, tables, keys; read-only
//! ```
//!
//! All rows hold canonical residues in plain (not Montgomery) form. A *row* is N words; the host names rows by
//! their position in a buffer, and one dispatch covers `entries x batch` of them (grid y and z).
#![forbid(unsafe_code)]

mod arithmetic;
mod convert;
mod elementwise;
mod kernel;
mod key_product;
pub mod layout;
mod ntt;
mod products;

/// The components of a vector of four.
const LANES: [&str; 4] = ["x", "y", "z", "w"];

pub use arithmetic::Prelude;
pub use convert::{COEFFICIENTS_PER_GROUP, TARGETS_PER_GROUP};
pub use elementwise::Elementwise;
pub use kernel::{Kernel, WORKGROUP_BYTES, WORKGROUP_SIZE};
pub use key_product::ROTATIONS_PER_DISPATCH;
pub use ntt::{Direction, NttKernel, NttLoad, NttPart, NttStore, TILE_LOG, Twiddles, butterfly};
pub use products::PAIRS_PER_DISPATCH;
