//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod matmul;
mod mixed_unit;
mod products;
mod support;
