//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod arithmetic;
mod diagonals;
mod errors;
mod extract;
mod matmul;
mod mixed_unit;
mod polynomial;
mod debug;
mod interpretations;
mod plan;
mod precision;
mod picture;
mod products;
mod properties;
mod roundtrips;
mod statistics;
mod sums;
mod support;
mod transposed_units;
mod wire;
