//! Circuits on encrypted data, recorded once, run and examined many ways, and linear algebra on encrypted scalars, vectors and
//! matrices.
#![forbid(unsafe_code)]

pub mod circuit;
pub mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod cost;
mod error;
pub mod interpret;
pub mod layout;
pub mod linalg;
pub mod picture;
pub mod plan;
pub mod program;
pub mod run;
mod unit;
pub mod wire;

pub use circuit::{Circuit, Recorded, Recorder, Slots};
pub use client::{Client, Encrypted, SeededEncrypted};
pub use error::{Result, ToolkitError};
pub use interpret::{Debug, Depth, OpCount, Plaintext, RotationSet, Samples, ScaleAndPrecision};
pub use layout::{Layout, Value};
pub use linalg::{ColumnVector, Matrix, RowVector, Scalar, polynomial::Polynomial};
pub use picture::Picture;
pub use plan::{Plan, PlanOptions, plan};
pub use program::Program;
pub use run::{Bindings, Homomorphic};
pub use unit::{EncodingUnit, UnitBuilder, UnitCandidate, UnitChoice};
