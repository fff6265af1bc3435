//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod diagonals;
mod extract;
mod products;
mod statistics;
mod support;
mod transposed_units;
