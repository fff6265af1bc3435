//! What can go wrong in the scheme.

use std::path::Path;

use arras_hal::{HalError, Stopped, named_error};

use crate::{
    encoding::EncodingError, keys::KeyKind, opening::OpeningError, params::ParamsError,
    precision::PrecisionError, random::RandomError, wire::WireError,
};

/// The result of scheme operations.
pub type Result<T, E = CkksError> = std::result::Result<T, E>;

named_error! {
    /// Errors of contexts, keys, client and evaluator. Each message names the operation, what it was given and what it needs.
    pub struct CkksError(CkksErrorKind);
    // These name their operation themselves.
    alone(CkksErrorKind::Params(_)
        | CkksErrorKind::Encoding(_)
        | CkksErrorKind::Random(_)
        | CkksErrorKind::Precision(_)
        | CkksErrorKind::Wire(_)
        | CkksErrorKind::Hal(_));
    from(ParamsError, EncodingError, RandomError, PrecisionError, OpeningError, WireError, HalError, Stopped);
}

impl CkksError {
    /// Whether the call ended because its token was set.
    pub fn is_stopped(&self) -> bool {
        matches!(self.kind(), CkksErrorKind::Stopped(_))
    }

    /// The error with the name of the file that was read or written.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        match *self.kind {
            CkksErrorKind::Wire(error) => error.in_file(path).into(),
            _ => self,
        }
    }
}

/// The kinds of [`CkksError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CkksErrorKind {
    /// Not enough levels remain.
    #[error(
        "needs a level of at least {needed}, the operand is at level {level}; start from a higher level \
         (parameters with {missing} more), or use a circuit of lower depth"
    )]
    OutOfLevels {
        /// Level needed.
        needed: usize,
        /// Level of the operand.
        level: usize,
        /// How many levels are missing.
        missing: usize,
    },
    /// A level that the parameters do not have, or one above the operand's.
    #[error("level {level} is above {most}; levels go from 0 to that")]
    LevelTooHigh {
        /// The level asked for.
        level: usize,
        /// The highest possible one.
        most: usize,
    },
    /// The relinearization key was not given to the evaluator.
    #[error(
        "needs the relinearization key; make one with KeyGenerator::relinearization_key and load it"
    )]
    NoRelinearizationKey,
    /// A key for an automorphism was not given to the evaluator.
    #[error(
        "needs the key for {what} (Galois element {element}); request it from the key generator"
    )]
    NoGaloisKey {
        /// The rotation or conjugation in words.
        what: String,
        /// The Galois element.
        element: u32,
    },
    /// A key to or from the sparse secret was not given to the evaluator.
    #[error("needs the key {kind}; make it with KeyGenerator::bootstrapping_keys and load it")]
    NoSparseKey {
        /// Which of them.
        kind: KeyKind,
    },
    /// Parameters whose ciphertexts cannot be bootstrapped.
    #[error(
        "parameters {set} have no levels for bootstrapping; make a set with ParametersBuilder::bootstrapping, and keys and ciphertexts for it"
    )]
    NoBootstrapping {
        /// Fingerprint, abbreviated.
        set: String,
    },
    /// A key was cut to a lower level budget than the operation needs.
    #[error(
        "the key was cut to level {budget}, the operand is at level {level}; make the key for level {level} or lower the operand first"
    )]
    KeyBudget {
        /// Level budget of the key.
        budget: usize,
        /// Level of the operand.
        level: usize,
    },
    /// Objects of two different parameter sets.
    #[error(
        "objects of two parameter sets ({left} and {right}); use keys and ciphertexts made with one set"
    )]
    ParametersMismatch {
        /// Fingerprint of the first, abbreviated.
        left: String,
        /// Fingerprint of the second, abbreviated.
        right: String,
    },
    /// Batches that do not go together.
    #[error("batches of {left} and {right} ciphertexts; batches are equal, or one of them is 1")]
    BatchMismatch {
        /// First batch.
        left: usize,
        /// Second batch.
        right: usize,
    },
    /// An index outside a batch.
    #[error("index {index} is outside a batch of {batch}")]
    BatchIndex {
        /// The index.
        index: usize,
        /// Ciphertexts in the batch.
        batch: usize,
    },
    /// An empty list.
    #[error("an empty list; at least one operand is needed")]
    Empty,
    /// Lists that belong together have different lengths.
    #[error("lists of {left} and {right} entries; they must have the same length")]
    ListLength {
        /// First length.
        left: usize,
        /// Second length.
        right: usize,
    },
    /// A plaintext encoded for another level or purpose.
    #[error(
        "the plaintext was encoded for {have}, the ciphertext needs one for {need}; encode it again for that"
    )]
    PlaintextMismatch {
        /// What the plaintext was encoded for.
        have: String,
        /// What is needed.
        need: String,
    },
    /// A ciphertext that was cut for sending cannot be computed on.
    #[error(
        "the ciphertext was cut to limbs {limbs} for sending; only decryption takes it, cut after the last operation"
    )]
    Cut {
        /// Its limbs.
        limbs: String,
    },
    /// A ciphertext cannot be cut to hold values this large.
    #[error(
        "values up to {max_abs} need 2^{needed_bits:.1}, the ciphertext's modulus has 2^{have_bits:.1}; cut at a higher level or scale the result down first"
    )]
    CannotCut {
        /// Bound on the values.
        max_abs: f64,
        /// Bits needed.
        needed_bits: f64,
        /// Bits there.
        have_bits: f64,
    },
    /// A result that its level may not be able to hold: it would wrap around modulo Q, and nobody would notice.
    #[error(
        "values up to {bound:.4e} do not fit level {level}, which holds less than {headroom:.4e}; end at a higher level, scale the data down, \
         declare (Encryptor::largest_value) or assume (Evaluator::assuming) a smaller bound if values are smaller, or take parameters \
         whose level 0 holds more (ParametersBuilder::largest_value)"
    )]
    Overflow {
        /// Bound on the magnitude of the result's values.
        bound: f64,
        /// What values at the level must stay below: [`Parameters::headroom`](crate::Parameters::headroom).
        headroom: f64,
        /// The level of the result.
        level: usize,
    },
    /// A decryption that no computation within the headroom can give. The values are not told.
    #[error(
        "the decryption has values beyond {headroom:.4e}, the most that these moduli can hold at level {level}: the ciphertext was made with \
         another secret key, its values have wrapped around modulo Q, or it is damaged; decrypt with the key of its data, and compute within \
         the headroom"
    )]
    NotAResult {
        /// What values must stay below.
        headroom: f64,
        /// The ciphertext's level.
        level: usize,
    },
    /// A number that is not finite, or outside what the operation takes.
    #[error("{what} = {value} is outside {range}")]
    OutOfRange {
        /// Which argument.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        range: String,
    },
    /// A ciphertext has to be relinearized first (explicit operations only).
    #[error("the ciphertext is {have}; {remedy}")]
    WrongForm {
        /// Its form.
        have: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The context's token was set.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// Parameters.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// Encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Precision reports.
    #[error(transparent)]
    Precision(#[from] PrecisionError),
    /// Opening results for others.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// Files.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The engine and its typed layer.
    #[error(transparent)]
    Hal(#[from] HalError),
}
