#![doc = include_str!("../README.md")]
//!
//! A matrix by a vector, both encrypted:
//!
//! ```
//! use arras_backend_cpu::CpuEngine;
//! use arras_ckks::{Context, Evaluator};
//! use arras_toolkit::{
//!     Bindings, Client, EncodingUnit, Homomorphic, PlanOptions, Program, Recorder, Samples, Stage, linalg::Dot, plan,
//! };
//! use ndarray::array;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Record: nothing is encrypted yet, nothing is computed.
//! let unit = EncodingUnit::new(64, 64)?;
//! let recorder = Recorder::new(unit.slots())?;
//! let a = recorder.matrix("a", 2, 3, unit);
//! let x = recorder.column_vector("x", 3, unit);
//! recorder.output("y", &(&a.dot(&x) + 1.0));
//! let program = Program::new(recorder.finish()?);
//!
//! // Plan: parameters that are secure and precise enough, before there is a key.
//! let plan = plan(&[Stage::once(&program)], &PlanOptions::new(15.0, Samples::uniform(-2.0, 2.0)))?;
//!
//! // The client makes the keys that the circuit needs and encrypts, each input at the level at which it is needed and within the
//! // range that was planned.
//! let context = Context::new(plan.parameters(), CpuEngine::new())?;
//! let client = Client::generate(&context)?;
//! let keys = client.evaluation_keys(&program)?;
//! let values = Bindings::new()
//!     .with("a", array![[1.0, 2.0, 0.5], [0.0, -1.0, 1.0]])
//!     .with("x", array![1.0, -1.0, 2.0]);
//! let sent = client.encrypt_planned(&plan.stages()[0], &program, &values)?;
//!
//! // The server computes.
//! let server = Homomorphic::new(Evaluator::new(&context, keys.load(&context)?)?);
//! let run = server.run(&program, &sent.expand(&context)?)?;
//!
//! // The client decrypts.
//! let y = client.decrypt(run.output("y")?)?;
//! let y = y.as_vector().ok_or("a vector")?;
//! assert!((y[0] - 1.0).abs() < 1e-3 && (y[1] - 4.0).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod circuit;
mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod cost;
mod encrypted;
mod error;
#[deny(clippy::wildcard_enum_match_arm)]
pub mod interpret;
mod layout;
pub mod linalg;
#[deny(clippy::wildcard_enum_match_arm)]
mod op;
pub mod picture;
pub mod plan;
#[deny(clippy::wildcard_enum_match_arm)]
pub mod program;
#[deny(clippy::wildcard_enum_match_arm)]
pub mod run;
#[doc(hidden)]
pub mod text;
mod unit;
pub mod wire;

pub use circuit::{
    finished::Circuit,
    record::{Recorded, Recorder},
    slots::Slots,
};
pub use client::Client;
pub use encrypted::{CiphertextBatch, Encrypted, SeededEncrypted, WithLayout};
pub use error::{Result, ToolkitError, ToolkitErrorKind};
pub use interpret::{
    cleartext::Cleartext, count::OpCount, depth::Depth, precision::ScaleAndPrecision,
    rotations::RotationSet, samples::Samples, tracer::Tracer,
};
pub use layout::{Layout, Value};
pub use linalg::{
    objects::{ColumnVector, Matrix, RowVector, Scalar},
    polynomial::series::Polynomial,
};
pub use picture::drawing::Picture;
pub use plan::{
    options::PlanOptions,
    report::Plan,
    stages::{Stage, plan},
};
pub use program::lowered::Program;
pub use run::{bindings::Bindings, homomorphic::Homomorphic};
pub use unit::{EncodingUnit, UnitBuilder, UnitCandidate, UnitChoice};
