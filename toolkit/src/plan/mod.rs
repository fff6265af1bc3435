//! What a program will need, before any key exists.

mod keys;

pub use keys::KeyRequests;
