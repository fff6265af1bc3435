//! The seam between the CKKS scheme and the engines that compute.
//!
//! Above this crate: ciphertexts, keys, circuits, written once. Below it: engines, each a
//! [`Backend`] that stores polynomials its own way and does modular arithmetic, number-theoretic
//! transforms and base conversions on them, **bit for bit like the [reference engine](mod@reference)**.
//!
//! ```text
//!   scheme, toolkit, trainer
//!   ----------------------------------------------------------------
//!   Poly<B, Coeff | Eval>     domains by type, shapes and limbs checked      (module poly)
//!   RingBasis, plans          moduli, tables, rescale / key-switch plans     (modules ring, plan)
//!   Backend                   primitives + composites with default bodies    (module backend)
//!   ----------------------------------------------------------------
//!   Reference, CPU, GPU, ...  decorated by Counting, Traced, Checked; erased by AnyBackend
//! ```
//!
//! A buffer is `[polys][limbs][N]`: `N` coefficients or evaluations modulo one prime make a *row*, a
//! polynomial has one row per *limb* (a prime of the ring's basis, named by its index), and one call of
//! an operation covers all rows of all polynomials.
#![doc = ""]
#![doc = include_str!("../docs/backend_contract.md")]
#![forbid(unsafe_code)]

#[macro_use]
mod ops;

pub mod any;
pub mod backend;
pub mod composites;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod convert;
pub mod decorators;
mod error;
mod galois;
mod limbs;
mod modulus;
mod named;
pub mod plan;
pub mod poly;
pub mod reference;
pub mod ring;

pub use any::AnyBackend;
pub use backend::{Backend, Domain, KeyLayout, RowCopy, SecretEngine};
pub use convert::{ConversionMode, ConversionTable};
pub use decorators::{Checked, Counting, OpCounts, Traced};
pub use error::{HalError, HalErrorKind, Mismatch, MismatchKind, Result};
pub use galois::GaloisElement;
pub use limbs::{Limbs, Shape};
pub use modulus::{LimbConstant, LimbConstants, Modulus};
pub use named::Named;
pub use plan::{DigitPlan, KeySwitchPlan, KeySwitchSpec, ModDownPlan, ModUpPlan, RescalePlan};
pub use poly::{Coeff, Eval, Key, Poly, Ring};
pub use reference::Reference;
pub use ring::{RingBasis, RingSpec};
