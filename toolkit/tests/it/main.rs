//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod diagonals;
mod products;
mod support;
