//! What can go wrong between a data owner and a training service: plans, keys, results and their files.

use std::{fmt, path::PathBuf};

use arras_ckks::Parameters;
use serde::{Deserialize, de::DeserializeOwned};

use super::UnexpectedResult;
use crate::fault::Fault;

/// What goes wrong between a data owner and a training service: in plans, keys, results and their files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Labels with other names than a model's several classes.
    #[error(
        "the model has a class {model:?} where the data have {data:?}; evaluate on data labelled as those it was trained on"
    )]
    OtherClassNames {
        /// The model's class.
        model: String,
        /// That of the data in its place.
        data: String,
    },
    /// The operating system has no randomness.
    #[error("cannot draw an identifier: {error}")]
    NoRandomness {
        /// The system's answer.
        error: getrandom::Error,
    },
    /// Text that is not what it should be.
    #[error("the {what} cannot be read: {error}; write it again")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// The decoder's error.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something of a version that this build does not know.
    #[error(
        "the {what} has version {found}, this build knows version {known}; make it again with `{command}`, or use the release that wrote it"
    )]
    Version {
        /// What it is.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The version known.
        known: u32,
        /// What makes a new one.
        command: &'static str,
    },
    /// A plan whose parts contradict each other.
    #[error(
        "the plan contradicts itself: {what} is {found}, {expected} follows from the rest; make a new plan"
    )]
    PlanInconsistent {
        /// Which part.
        what: &'static str,
        /// What stands there.
        found: String,
        /// What would have to.
        expected: String,
    },
    /// Something of a network or of a plan to apply one that none has.
    #[error("the {what} is {found}, {allowed} is possible; mend it where it was made")]
    Unsuitable {
        /// What it is.
        what: &'static str,
        /// What stands there.
        found: String,
        /// What could.
        allowed: &'static str,
    },
    /// More iterations than there are levels for.
    #[error(
        "{iterations} iterations in {rounds} do not fit {circuit} at N up to 2^{log_n}, where {most} in one round do; {}",
        ways_out(.choices),
        rounds = if *.rounds == 1 { "one round".to_owned() } else { format!("{} rounds", .rounds) }
    )]
    TooManyIterations {
        /// Iterations asked for.
        iterations: usize,
        /// In how many rounds.
        rounds: usize,
        /// The circuit, or all of them.
        circuit: String,
        /// The largest ring allowed.
        log_n: u32,
        /// The most iterations of a round.
        most: usize,
        /// What would do.
        choices: Vec<Remedy>,
    },
    /// Data beyond what keys were made for.
    #[error(
        "the data set has {found} {what}, the plan of these keys holds {least} to {most}; make a plan and keys for this data, or select from it"
    )]
    BeyondPlan {
        /// Rows or features.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// A normalized value that training cannot compute with.
    #[error(
        "column {column:?}, row {row} of the data: the normalized value is {value:.3e}, training can compute with {most:.3e} at most; normalize the \
         columns (--normalize standard), or mend the value"
    )]
    ValueTooLarge {
        /// The column's name.
        column: String,
        /// Its row, from 1, a header not counted.
        row: usize,
        /// Its magnitude after normalization.
        value: f64,
        /// The largest that can be.
        most: f64,
    },
    /// Things of two exchanges that were mixed up.
    #[error("{op}: the {what} of {subject} is {found}, {expected} is needed; {remedy}")]
    Mismatch {
        /// What was tried.
        op: &'static str,
        /// What is compared.
        what: &'static str,
        /// Whose it is.
        subject: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do.
        remedy: &'static str,
    },
    /// An evaluation key that is not the one that the folder's list and plan name.
    #[error(
        "the {key} {fault}; send the folder of evaluation keys again, whole, as `lr-train keygen` wrote it"
    )]
    Key {
        /// Which key.
        key: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A folder of keys that holds something else, too.
    #[error(
        "{} is not among what keygen writes, and {} is replaced as a whole; move it away, or name another folder",
        .file.display(), .folder.display()
    )]
    ForeignFile {
        /// The folder of keys.
        folder: PathBuf,
        /// What does not belong there.
        file: PathBuf,
    },
    /// Keys that were replaced between two steps of a verb.
    #[error("the keys in {} were replaced while they were in use; run it again, with the new ones", .folder.display())]
    KeysReplaced {
        /// The folder of keys.
        folder: PathBuf,
    },
    /// A secret key with permissions for others.
    #[error("{} can be read by others (mode {mode:03o}); if nobody has, close it with `chmod 600 {}`", .path.display(), .path.display())]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A result after which no round follows.
    #[error(
        "refresh: the result is that of round {round} of {rounds}, after which none follows; decrypt it to the model, or make a plan with \
         more rounds"
    )]
    NothingToRefresh {
        /// The result's round, from 1.
        round: usize,
        /// Rounds of the plan.
        rounds: usize,
    },
    /// A result that is not the one to come.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedResult),
    /// A decrypted result that no training gives.
    #[error(
        "the {what} cannot be those of a training: entry {entry} is not a number or beyond 2^{most:.1}; the ciphertexts are not from this key or this data, or \
         training diverged: lower the learning rate or widen the sigmoid's interval"
    )]
    UnusableResult {
        /// Weights or those before.
        what: &'static str,
        /// Which entry. Its value is not told: a message with a decrypted value in it, passed on, tells about the key.
        entry: usize,
        /// log2 of the largest magnitude that can be.
        most: f64,
    },
    /// Labels of other classes than the model's.
    #[error(
        "the model tells {model_negative:?} from {model_positive:?}, the data holds {negative:?} and {positive:?}; read the data with the model's classes"
    )]
    OtherClasses {
        /// The model's negative class.
        model_negative: String,
        /// The model's positive class.
        model_positive: String,
        /// The data's negative class.
        negative: String,
        /// The data's positive class.
        positive: String,
    },
}

impl ExchangeError {
    /// Text that could not be decoded.
    pub(crate) fn malformed<E>(what: &'static str) -> impl Fn(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |error| Self::Malformed {
            what,
            error: Box::new(error),
        }
    }

    /// Decodes a text of a known version. The version is compared before the rest, which another one writes otherwise.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`].
    pub(crate) fn read_json<T: DeserializeOwned>(
        bytes: &[u8],
        what: &'static str,
        known: u32,
        command: &'static str,
    ) -> Result<T, Self> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(Self::malformed(what))?;
        Self::expect_version(what, head.version, known, command)?;
        serde_json::from_slice(bytes).map_err(Self::malformed(what))
    }

    /// # Errors
    /// [`ExchangeError::Version`] for a version that is not known.
    pub(crate) fn expect_version(
        what: &'static str,
        found: u32,
        known: u32,
        command: &'static str,
    ) -> Result<(), Self> {
        if found == known {
            return Ok(());
        }
        Err(Self::Version {
            what,
            found,
            known,
            command,
        })
    }

    /// # Errors
    /// [`ExchangeError::Mismatch`] for something else than expected.
    pub(crate) fn expect_same<T: PartialEq + ToString>(
        op: &'static str,
        (what, subject): (&'static str, &'static str),
        found: &T,
        expected: &T,
        remedy: &'static str,
    ) -> Result<(), Self> {
        if found == expected {
            return Ok(());
        }
        Err(Self::Mismatch {
            op,
            what,
            subject,
            found: found.to_string(),
            expected: expected.to_string(),
            remedy,
        })
    }

    /// # Errors
    /// [`ExchangeError::Mismatch`] for a secret key of other parameters than the plan's.
    pub(crate) fn expect_parameters(found: &Parameters, expected: &Parameters) -> Result<(), Self> {
        if found == expected {
            return Ok(());
        }
        let hex = |params: &Parameters| -> String {
            let bytes = params.fingerprint();
            bytes.iter().take(8).map(|b| format!("{b:02x}")).collect()
        };
        Err(Self::Mismatch {
            op: "open keys",
            what: "parameter set",
            subject: "the secret key",
            found: hex(found),
            expected: hex(expected),
            remedy: "use the plan that the keys were made from",
        })
    }

    /// # Errors
    /// [`ExchangeError::UnusableResult`] for a value that no training gives: not finite, or beyond `2^most`.
    pub(crate) fn expect_usable<'a>(
        what: &'static str,
        values: impl IntoIterator<Item = &'a f64>,
        most: f64,
    ) -> Result<(), Self> {
        let usable = |value: &f64| value.is_finite() && value.abs() <= most.exp2();
        match values.into_iter().position(|value| !usable(value)) {
            Some(entry) => Err(Self::UnusableResult { what, entry, most }),
            None => Ok(()),
        }
    }

    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoRandomness { .. } => Fault::Other,
            Self::ForeignFile { .. }
            | Self::KeysReplaced { .. }
            | Self::ReadableByOthers { .. } => Fault::System,
            Self::Malformed { .. }
            | Self::Version { .. }
            | Self::PlanInconsistent { .. }
            | Self::Unsuitable { .. }
            | Self::Key { .. }
            | Self::Mismatch { .. }
            | Self::NothingToRefresh { .. }
            | Self::Unexpected(_)
            | Self::UnusableResult { .. } => Fault::File,
            Self::TooManyIterations { .. } => Fault::Plan,
            Self::BeyondPlan { .. }
            | Self::ValueTooLarge { .. }
            | Self::OtherClassNames { .. }
            | Self::OtherClasses { .. } => Fault::Data,
        }
    }
}

/// What would do instead of a plan that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// A larger ring.
    Ring {
        /// The circuit.
        circuit: &'static str,
        /// log2 of its degree.
        log_n: u32,
    },
    /// A circuit of lower depth.
    Circuit {
        /// The circuit.
        circuit: &'static str,
        /// log2 of the ring degree it needs.
        log_n: u32,
    },
    /// Rounds between which the client re-encrypts the state.
    Rounds {
        /// The circuit.
        circuit: &'static str,
        /// log2 of the ring degree.
        log_n: u32,
        /// How many rounds.
        rounds: usize,
        /// The most iterations of one.
        length: usize,
    },
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ring { circuit, log_n } => write!(f, "allow N = 2^{log_n} with {circuit}"),
            Self::Circuit { circuit, log_n } => {
                write!(f, "take the circuit {circuit}, which fits N = 2^{log_n}")
            }
            Self::Rounds {
                circuit,
                log_n,
                rounds,
                length,
            } => write!(
                f,
                "train in {rounds} rounds of up to {length} iterations with refreshes between ({circuit} at N = 2^{log_n})"
            ),
        }
    }
}

/// What would do instead, for a message.
fn ways_out(choices: &[Remedy]) -> String {
    if choices.is_empty() {
        return "train fewer iterations".to_owned();
    }
    let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
    choices.join(", or ")
}
