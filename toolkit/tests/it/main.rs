//! Circuits recorded, examined and run against plaintext linear algebra. One binary, so that it links once.

mod picture;
mod products;
mod support;
