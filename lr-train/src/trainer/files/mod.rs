//! Files that travel between data owner and training service, and those that stay with the owner.
//!
//! ```text
//!   keys/eval/plan.toml                     the plan                                     goes to the server
//!   keys/eval/evaluation-keys.arras         evaluation keys                              goes to the server
//!   keys/secret/owner.json                  which plan and keys; written last            owner only
//!   keys/secret/secret-key.arras            the secret key                               owner only
//!   keys/secret/datasets/<id>.json          names, classes, normalization of a data set  owner only
//!   data.arras                              all rounds' inputs of a data set             kind 12
//!   state.arras, out.arras                  a state, a round's result                    kind 9
//! ```
//! Kinds 9 and 12 are containers of [`arras_ckks::wire`] whose payload is the containers of their ciphertexts, one after the other in the
//! order of the plan:
//!
//! | kind | header | payload |
//! |---|---|---|
//! | 12 | version, parameters, plan, keys, data set, number of rounds | seeded ciphertexts: round by round, input by input |
//! | 9 | version, parameters, plan, keys, data set, round, content | ciphertexts of the outputs, or seeded ciphertexts of the start's inputs |
//!
//! Every ciphertext has its own checksum, so a round can be read without the others. A reader compares parameters, plan and keys
//! before it reads a ciphertext, and every length with what the plan implies before it allocates. Writes are whole or not at all.

mod dataset;
mod header;
mod keys;
mod result;
#[cfg(test)]
mod tests;

pub use dataset::{DatasetFile, DatasetProgress, dataset_file_bytes, write_dataset};
pub use header::{Content, TrainingFile, inspect};
pub use keys::{KeyDirectory, load_evaluation};
pub use result::{load_model, load_result, load_state, save_model, save_result, save_state};
