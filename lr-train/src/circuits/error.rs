//! Why a training circuit cannot be recorded, fed or read.

use crate::fault::Fault;

/// Why a training circuit cannot be recorded, fed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// A name that is no training circuit's.
    #[error(
        "there is no training circuit {given:?}; there are baseline, mask-free, low-depth, single-chain and single-chain-mask-free"
    )]
    UnknownCircuit {
        /// The name.
        given: String,
    },
    /// A minibatch whose Gram matrix does not fit the circuit's unit.
    #[error(
        "{circuit}: minibatches of {rows} rows are too large for its Gram matrices, it takes at most {most} with {slots} slots; use smaller \
         minibatches, a larger ring, or the mask-free circuit, which has none"
    )]
    MinibatchTooLarge {
        /// The circuit.
        circuit: &'static str,
        /// Rows of the minibatch.
        rows: usize,
        /// Most rows.
        most: usize,
        /// Slots of a ciphertext.
        slots: usize,
    },
    /// A minibatch of more ciphertexts than is reasonable.
    #[error(
        "{circuit}: a minibatch of {rows} rows with {features} features, the intercept among them, makes {ciphertexts} ciphertexts of {slots} slots, \
         at most {allowed} are taken; at the largest ring, N = 2^17, {}",
        room(*.most)
    )]
    TooManyCiphertexts {
        /// The circuit.
        circuit: &'static str,
        /// Rows of the minibatch.
        rows: usize,
        /// Features.
        features: usize,
        /// Slots of a ciphertext.
        slots: usize,
        /// Ciphertexts that it would be.
        ciphertexts: usize,
        /// The most ciphertexts.
        allowed: usize,
        /// The most rows at the largest ring.
        most: usize,
    },
    /// A result, or a state to start from, that is not there.
    #[error(
        "the result {name:?} is missing or of another kind; decrypt all outputs of the training circuit"
    )]
    MissingResult {
        /// The name of the output or input.
        name: String,
    },
}

impl CircuitError {
    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownCircuit { .. }
            | Self::MinibatchTooLarge { .. }
            | Self::TooManyCiphertexts { .. } => Fault::Plan,
            Self::MissingResult { .. } => Fault::File,
        }
    }
}

/// How many rows fit, and what to do.
fn room(most: usize) -> String {
    match most {
        0 => "not even one row of so many features fits: leave columns out".to_owned(),
        _ => format!(
            "up to {most} rows of so many features fit: take smaller minibatches (--minibatch), or leave columns out"
        ),
    }
}
