//! Files that travel between data owner and training service, and those that stay with the owner.
//!
//! ```text
//!   keys/eval/plan.toml                     the plan                                     goes to the server
//!   keys/eval/evaluation-keys.arras         evaluation keys                              goes to the server
//!   keys/eval/keys.json                     what each key hashes to                      goes to the server
//!   keys/secret/owner.json                  which plan and keys belong together          owner only
//!   keys/secret/secret-key.arras            the secret key                               owner only
//!   plan.columns.json, keys/secret/columns.json  columns that a plan was made from  owner only
//!   keys/secret/datasets/<id>.json          names, classes, normalization of a data set  owner only
//!   keys/secret/datasets/<id>.exchange.json what was taken of the server for it          owner only
//!   data.arras                              all rounds' inputs of a data set             kind 12
//!   state.arras, out.arras                  a state, a round's result                    kind 9
//!   rows.arras, weights.arras, scores.arras what a network is applied to and gives       kind 13
//! ```
//! Kinds 9, 12 and 13 are containers of [`arras_ckks::wire`] whose payload is the containers of their ciphertexts, one after the other in the
//! order of the plan; byte by byte in `docs/format.md`.
//!
//! Every ciphertext has its own checksum, so a round can be read without the others. A reader compares parameters, plan and keys
//! before it reads a ciphertext, and every length with what the plan implies before it allocates; writers and readers hold one
//! ciphertext's bytes at a time. Writes are whole or not at all ([`arras_ckks::wire::AtomicFile`]).

mod columns;
mod costs;
mod dataset;
mod header;
mod inference;
mod key_files;
mod keys;
mod private;
mod records;
mod result;
#[cfg(test)]
mod tests;
mod writing;

pub use columns::PlannedColumns;
pub use costs::{costs_text, load_costs};
pub use dataset::{DatasetFile, DatasetProgress, dataset_file_bytes, write_dataset};
pub use header::{Content, Holds, InferenceContent, TrainingFile, inspect, verify};
pub use inference::{load_request, load_scores, save_request, save_scores};
pub use key_files::KeyFiles;
pub use keys::{ExchangePlan, KeyDirectory, load_evaluation, load_evaluation_of};
pub use records::Expected;
pub use result::{load_model, load_result, load_state, save_model, save_result, save_state};
