//! Logistic regression on encrypted data: data sets, training circuits, trainer.
//!
//! ```text
//!   data::{csv, mnist, builtin} -> Dataset          labelled rows, as they were read
//!   split                       -> row numbers      training and test rows, folds, minibatches; all from a seed
//!   preprocess::Preprocessor    -> Array2<f64>      fitted on training rows, stored with the model
//!   preprocess::signed_rows     -> z = y (1, x)     what training computes on
//!   sigmoid, plain              -> weights          the same learning without encryption, as the reference
//!   metrics                     -> accuracy, AUC
//!   circuits                    -> training on ciphertexts
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod circuits;
pub mod data;
mod error;
pub mod metrics;
pub mod plain;
pub mod preprocess;
pub mod sigmoid;
pub mod split;

pub use error::{Result, TrainError};
