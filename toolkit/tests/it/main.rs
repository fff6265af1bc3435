//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod polynomial;
mod arithmetic;
mod errors;
mod matmul;
mod mixed_unit;
mod products;
mod properties;
mod roundtrips;
mod sums;
mod support;
mod wire;
mod diagonals;
mod extract;
mod products;
mod statistics;
mod support;
mod transposed_units;
