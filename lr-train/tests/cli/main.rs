//! The command line, through its binary.

mod bad_files;
mod bad_input;
mod exchange;
mod gpu;
mod interrupted;
mod judged;
mod key_folders;
mod outputs;
mod reading;
mod support;
mod verbs;
