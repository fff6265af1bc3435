//! Circuits on encrypted data, recorded once, run and examined many ways, and linear algebra on encrypted scalars, vectors and
//! matrices.
#![forbid(unsafe_code)]

pub mod cost;
