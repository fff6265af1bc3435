//! Leveled RNS-CKKS in 32-bit words, generic over its engine.
//!
//! The scheme is written once, against the [`arras_hal::Backend`] trait; which engine computes is the caller's choice.
//!
//! ```text
//!   client (holds the secret)                       server (holds evaluation keys only)
//!   SecretKey, KeyGenerator, Encryptor, Decryptor   Evaluator, EvaluationKeys
//!              |   generic over SecretEngine                  |   generic over Backend
//!              +--------------- Context<B>: Parameters on an engine ---------------+
//!              +--------------- wire: files and bytes between the two -------------+
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod ciphertext;
pub mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
pub mod encoding;
mod error;
pub mod evaluator;
pub mod keys;
pub mod noise;
pub mod params;
pub mod precision;
pub mod random;
pub mod wire;

/// Runs a loop compiled for the widest vectors that the processor has. What it calls must be inlined into it.
#[inline(always)]
fn widest<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

pub use ciphertext::{Ciphertext, Plaintext, PlaintextUse};
pub use client::{
    Decryptor, EncryptionKey, EncryptionStreams, Encryptor, KeyGenerator, LoadedPublicKey,
    PublicKey, SecretKey, SeededCiphertext, SharedDecryption,
};
pub use context::Context;
pub use error::{CkksError, Result};
pub use evaluator::Evaluator;
pub use keys::{EvaluationKeySet, EvaluationKeys, KeyKind, SwitchingKey, doubling_steps};
pub use noise::NoiseModel;
pub use params::Parameters;
pub use precision::PrecisionReport;

pub use num_complex::Complex64;
