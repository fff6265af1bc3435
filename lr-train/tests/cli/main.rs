//! The command line, through its binary.

mod bad_files;
mod bad_input;
mod chosen;
mod columns;
mod exchange;
mod expected;
mod gpu;
mod infer;
mod interrupted;
mod judged;
mod key_folders;
mod linear;
mod outputs;
mod paths;
mod quality;
mod reading;
mod run;
mod several;
#[cfg(unix)]
mod stopped;
mod support;
mod terminals;
mod verbs;
