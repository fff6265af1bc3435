//! The command line, through its binary.

mod exchange;
mod support;
