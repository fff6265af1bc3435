//! Randomness: seeds, streams split by purpose and index, samplers.
//!
//! One [`Seed`] from the operating system is the root of everything that one object needs. Every use draws from its own
//! [`Stream`]: ChaCha20 under the key BLAKE3-derive-key(purpose, seed, indices). So nothing is drawn twice, no seed serves two
//! purposes, and results do not depend on the order or number of threads.

mod samplers;
mod seed;

pub use samplers::{
    CENTRED_BINOMIAL_ETA, centred_binomial, flooding, small_residues, sparse_ternary, ternary,
    uniform_row, uniform_rows,
};
pub use seed::{PublicSeed, Purpose, Seed, Stream};

/// What can go wrong with randomness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RandomError {
    /// The operating system gave no randomness.
    #[error(
        "the operating system's random number generator failed: {source}; nothing secret can be made without it"
    )]
    OperatingSystem {
        /// Its error.
        source: getrandom::Error,
    },
}
