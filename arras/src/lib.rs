#![doc = include_str!("../README.md")]
//!
//! ## Example
//!
//! A client keeps its secrets on [`SecretBackend`], an engine in the process's own memory; a server computes on any engine:
//!
//! ```
//! use arras::{ckks::{Context, Decryptor, Encryptor, Evaluator, KeyGenerator, Parameters, SecretKey}, secret_backend};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // 128-bit parameters for two multiplications in a row.
//! let params = Parameters::builder().depth(2).precision_bits(18).slots(1000).build()?;
//! let context = Context::new(&params, secret_backend())?;
//!
//! let secret = SecretKey::generate(&context)?;
//! let keys = KeyGenerator::new(&secret)?.evaluation_keys(&[1])?;
//! let x = Encryptor::new(&secret)?.encrypt(&[&[1.0, 2.0, 3.0]], context.max_level())?;
//!
//! let evaluator = Evaluator::new(&context, keys.load(&context)?)?;
//! let x = x.expand(&context)?;
//! let y = evaluator.rotate(&evaluator.square(&x)?, 1)?;
//!
//! let y = Decryptor::new(&secret).decrypt(&y)?;
//! assert!((y[0][0] - 4.0).abs() < 1e-4 && (y[0][1] - 9.0).abs() < 1e-4);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod engine;

#[cfg(feature = "cpu")]
pub use arras_backend_cpu::CpuEngine;
#[cfg(feature = "gpu")]
pub use arras_backend_gpu::{
    AdapterReport, Arithmetic, GpuEngine, GpuError, GpuOptions, KernelTime, MemoryReport, adapters,
};
pub use arras_ckks as ckks;
pub use arras_hal as hal;
pub use arras_hal::{StopToken, Stopped};
pub use arras_toolkit as toolkit;
pub use engine::{Engine, EngineError, SecretBackend, secret_backend};
