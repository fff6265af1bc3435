//! The engine from outside. One binary, so that generic code is compiled once.

#[path = "../common/mod.rs"]
mod common;

mod conformance;
mod engine;
