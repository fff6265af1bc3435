#![doc = include_str!("../README.md")]
//!
//! What is measured is written once, as lists of [`Operation`]s generic over the engine: [`ring`] (transforms, products, base conversions,
//! the steps of a key switch), [`scheme`] (client and server) and [`transfers`] (host to engine and back, objects to bytes).
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
//!   engines       CPU beside GPU engine, with the device's limits      feature `gpu`
//!   kernels       device time by kernel                                feature `gpu`
//!   recording     time of the thread that records for a device         feature `gpu`
//! ```
//!
//! Every program measures by [`timing`] and writes by [`report`]. Transfers are never part of another row: inputs are on their engine before
//! the clock starts, and the clock stops when the engine has finished, not when the call returns.
#![forbid(unsafe_code)]

pub mod batching;
#[cfg(feature = "gpu")]
pub mod engines;
pub mod fixture;
#[cfg(feature = "gpu")]
pub mod kernels;
pub mod layers;
pub mod libraries;
pub mod operation;
pub mod operations;
pub mod parameter_sets;
pub mod primitives;
pub mod process;
#[cfg(feature = "gpu")]
pub mod recording;
pub mod report;
pub mod ring;
pub mod roofline;
pub mod scaling;
pub mod scheme;
pub mod timing;
pub mod training;
pub mod transfers;

pub use fixture::{Client, Server};
pub use operation::Operation;

/// Results of the layers below and of the operating system.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What every program is told.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// Where its page goes.
    pub output: report::Output,
    /// Whether to do as little as shows that everything works.
    pub quick: bool,
}
