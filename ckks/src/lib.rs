//! Leveled RNS-CKKS in 32-bit words, generic over its engine.
//!
//! The scheme is written once, against the [`arras_hal::Backend`] trait; which engine computes is the
//! caller's choice.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod encoding;
pub mod params;
pub mod random;
pub mod wire;
