//! Circuits on encrypted data, recorded once, run and examined many ways, and linear algebra on encrypted scalars, vectors and
//! matrices.
#![forbid(unsafe_code)]

pub mod circuit;
pub mod client;
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

pub use circuit::{Circuit, Recorded, Recorder, Slots};
pub use client::{Client, Encrypted, SeededEncrypted};
pub use error::{Result, ToolkitError};
pub use interpret::Plaintext;
pub use layout::{Layout, Value};
pub use linalg::{ColumnVector, Matrix, RowVector, Scalar};
pub use picture::Picture;
pub use program::Program;
pub use run::{Bindings, Homomorphic};
pub use unit::EncodingUnit;
