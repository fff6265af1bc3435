//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod debug;
mod interpretations;
mod plan;
mod precision;
mod products;
mod support;
