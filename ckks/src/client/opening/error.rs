//! Why an opening is refused.

use std::path::PathBuf;

/// Why a result is not opened for others. None of it depends on what a ciphertext holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// A result that does not lie in a proper subring.
    #[error(
        "a period of {period}; only vectors that repeat with a period of 1, 2, 4, .. {most} are opened for others: opening every slot \
         gives as many equations as the secret key has unknowns. Sum up, mask or replicate the result first"
    )]
    NotPeriodic {
        /// The period asked for.
        period: usize,
        /// The largest.
        most: usize,
    },
    /// The noise cannot promise what is asked.
    #[error(
        "lambda {asked:.1} is asked, {given:.1} is given; it takes at most {bits:.1} bits, or a scale 2^{scale_bits:.1} times as large, \
         or a period or a number of declared queries 2^{missing:.1} times smaller"
    )]
    Lambda {
        /// The least lambda asked for.
        asked: f64,
        /// What the parameters give.
        given: f64,
        /// Bits with which it would be met.
        bits: f64,
        /// log2 of the factor on the scale with which it would be met, the error in units of the scale being the same.
        scale_bits: f64,
        /// The difference.
        missing: f64,
    },
    /// The openings of this key are used up.
    #[error(
        "this opening counts {asked} coordinates of the secret key, {used} of {most} are opened already; make new keys, or parameters \
         with a smaller modulus, which leave more"
    )]
    Budget {
        /// What this opening would add.
        asked: u64,
        /// What the ledger holds.
        used: u64,
        /// The most for these parameters.
        most: u64,
    },
    /// More openings than were declared.
    #[error(
        "{asked} more openings, {used} of the {declared} declared are made; make new keys with a ledger that declares more queries"
    )]
    Queries {
        /// What this request would add.
        asked: usize,
        /// What the ledger holds.
        used: usize,
        /// How many the ledger was created for.
        declared: u32,
    },
    /// A number of queries that no ledger holds.
    #[error("a ledger for {queries} queries; declare 1 to {}", super::MAX_QUERIES)]
    BadQueries {
        /// The number.
        queries: u32,
    },
    /// The ledger counts the openings of another key.
    #[error(
        "the ledger belongs to another secret key; a key has one ledger for all of its time: use the one that was created with it"
    )]
    AnotherKey,
    /// The ledger cannot be read, or is not as it was written.
    #[error(
        "the ledger is damaged or was changed; what was opened is no longer known, so nothing more can be: make new keys and a new \
         ledger (an older copy of it would count too little)"
    )]
    Damaged,
    /// There is no ledger.
    #[error(
        "{}: there is no ledger; create it once, together with the key. If it was lost, make new keys", path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The path does not name a file, or its file system cannot keep two writers apart.
    #[error("{}: {problem}; keep the ledger as a plain file on a local disk", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// The ledger did not do what it is for.
    #[error(
        "the ledger returned without having recorded the opening; use LedgerFile, or mend this implementation"
    )]
    NotRecorded,
}
