#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

#[cfg(test)]
#[macro_use]
#[path = "../tests/it/support/refused.rs"]
mod refused;

mod bootstrap;
mod ciphertext;
mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
pub mod encoding;
mod error;
mod evaluator;
mod keys;
mod magnitude;
mod noise;
pub mod params;
mod precision;
pub mod random;
pub mod wire;

/// Runs a loop compiled for the widest vectors that the processor has. What it calls must be inlined into it.
#[inline(always)]
fn widest<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

pub use bootstrap::{BootstrapPlan, Bootstrapper};
pub use ciphertext::{Ciphertext, Plaintext, PlaintextUse};
pub use client::{
    Decryptor, EncryptionKey, EncryptionStreams, Encryptor, KeyGenerator, LoadedPublicKey,
    PublicKey, SecretKey, SeededCiphertext, opening,
};
pub use context::Context;
pub use error::{CkksError, CkksErrorKind, Result};
pub use evaluator::Evaluator;
pub use keys::{EvaluationKeySet, EvaluationKeys, KeyKind, SwitchingKey, doubling_steps};
pub use noise::NoiseModel;
pub use params::Parameters;
pub use precision::{PrecisionError, PrecisionReport};

pub use num_complex::Complex64;
