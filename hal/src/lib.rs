#![doc = include_str!("../README.md")]
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
//!
//! # Features
//!
//! - `conformance` (off by default): the conformance suite for engines, [`backend_conformance!`], and the engine that is wrong on
//!   purpose; for dev-dependencies.
#![doc = ""]
#![doc = include_str!("../docs/backend_contract.md")]
#![forbid(unsafe_code)]

#[macro_use]
mod ops;

mod any;
mod backend;
pub mod composites;
#[cfg(feature = "conformance")]
pub mod conformance;
mod convert;
pub mod decorators;
mod error;
mod galois;
mod limbs;
mod modulus;
mod named;
mod plan;
mod poly;
mod reference;
mod ring;
mod stop;
mod workers;

pub use any::{AnyBackend, AnyBuf, AnyKey, AnyRing};
pub use backend::{Backend, KeyLayout, OPERATIONS, RowCopy, SecretEngine};
pub use convert::{ConversionMode, ConversionTable};
pub use decorators::{
    checked::Checked,
    counting::{Counting, OpCounts},
    traced::Traced,
};
pub use error::{HalError, HalErrorKind, Mismatch, MismatchKind, Result};
pub use galois::GaloisElement;
pub use limbs::{Domain, Limbs, Shape};
pub use modulus::{LimbConstant, LimbConstants, Modulus, is_prime};
pub use named::Named;
pub use plan::{DigitPlan, KeySwitchPlan, KeySwitchSpec, ModDownPlan, ModUpPlan, RescalePlan};
pub use poly::{Coeff, Eval, Key, Poly, PolyDomain, Ring};
pub use reference::{Reference, ReferenceBuf, ReferenceKey, ReferenceRing};
pub use ring::{RingBasis, RingSpec};
pub use stop::{StopToken, Stopped};
pub use workers::{Workers, WorkersError};
