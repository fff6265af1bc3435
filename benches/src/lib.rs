#![doc = include_str!("../README.md")]
//!
//! What is measured is written once, as lists of `Operation`s generic over the engine: `ring` (transforms, products, base conversions,
//! the steps of a key switch), `scheme` (client and server) and `transfers` (host to engine and back, objects to bytes). `layers` walks them.
//!
//! ```text
//!   primitives    every operation of these lists, with sizes and precisions
//!   operations    linear algebra of the toolkit, a circuit each
//!   batching      a wide circuit, in batches and in calls side by side
//!   scaling       how cost grows, and the planner's cost tables
//!   libraries     beside other libraries and goals
//!   circuits      the training circuits beside the baseline
//!   quality       what encrypted training learns
//!   plans         what plans say against what runs take
//!   engines       CPU beside GPU engine, the device's limits and time  feature `gpu`
//! ```
//!
//! Every program measures by `timing` and writes by `report`. Transfers are never part of another row: inputs are on their engine before
//! the clock starts, and the clock stops when the engine has finished, not when the call returns.
#![forbid(unsafe_code)]

mod batching;
pub mod cargo_bench;
#[cfg(feature = "gpu")]
mod engines;
mod fixture;
#[cfg(any(feature = "gpu", test))]
mod floor;
mod layers;
mod libraries;
mod operation;
mod operations;
mod parameter_sets;
mod primitives;
mod process;
mod program;
mod report;
mod ring;
mod roofline;
mod scaling;
mod scheme;
mod timing;
mod training;
mod transfers;

use fixture::{Client, Server};
use operation::Operation;
pub use program::main;

/// Results of the layers below and of the operating system.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What every program is told.
struct Common {
    /// Where its page goes.
    output: report::Output,
    /// Whether to do as little as shows that everything works.
    quick: bool,
}
