//! The engine on this machine's device. One binary, so that generic code is compiled once, and the kernels for the device, too.

#[path = "../common/mod.rs"]
mod common;

mod conformance;
mod limits;
mod oracle;
mod scheme;
mod toolkit;
mod training;
