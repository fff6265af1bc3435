//! The command line, through its binary.

mod bad_files;
mod bad_input;
mod exchange;
mod gpu;
mod interrupted;
mod judged;
mod key_folders;
mod outputs;
mod quality;
#[cfg(unix)]
mod stopped;
mod support;
mod verbs;
