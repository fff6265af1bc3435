//! The scheme from outside. One binary, so that generic code is compiled once.

#[macro_use]
mod support;

mod bootstrap;
mod conformance;
mod conformance_finds_faults;
mod determinism;
mod evaluator;
mod format_reader;
mod fuzz;
mod magnitude;
mod noise;
mod object_bytes;
mod opening;
mod precision;
mod wire_golden;
mod wire_sizes;
