//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod arithmetic;
mod conformance;
mod conformance_finds_faults;
mod cost;
mod debug;
mod diagonals;
mod errors;
mod extract;
mod golden;
mod interpretations;
mod magnitude;
mod matmul;
mod mixed_unit;
mod picture;
mod plan;
mod polynomial;
mod precision;
mod products;
mod properties;
mod roundtrips;
mod statistics;
mod sums;
mod support;
mod transposed_units;
mod wire;
