//! What went wrong, and what the process returns for it.

use std::path::{Path, PathBuf};

use arras::{
    EngineError,
    ckks::{CkksError, wire::WireError},
    toolkit::{ToolkitError, cost::CostError},
};
use lr_train::{
    Fault, TrainError, circuits::CircuitError, data::DataError, plain::FitError,
    preprocess::PreprocessError, report::ReportError, sigmoid::SigmoidError,
    trainer::ExchangeError,
};

/// Why a verb gave up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Options that do not go together.
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file that is not what a verb needs.
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    /// The system refused something that has no file of the library's.
    #[error("cannot {operation} {}: {error}", path.display())]
    Io {
        operation: &'static str,
        path: PathBuf,
        error: std::io::Error,
    },
    /// Keys and ciphertexts find no room on the device.
    #[error(
        "training needs about {} on the device, and was not begun: {error}; free device memory, choose --engine cpu, or plan with a smaller --minibatch",
        arras::toolkit::text::bytes(*needed)
    )]
    Room {
        needed: u64,
        error: arras::hal::HalError,
    },
    /// A self-test that gave wrong numbers.
    #[error(
        "{engine}: the self-test decrypted {found:.3e} away from the truth, at most {most:.3e} is right; do not use this engine, report the device and its driver"
    )]
    SelfTest {
        engine: String,
        found: f64,
        most: f64,
    },
    #[error("standard output: {0}; results that were to be written to files are there")]
    Stdout(std::io::Error),
}

/// What the library's parts return becomes the trainer's error.
macro_rules! from_parts {
    ($($part:ty),+ $(,)?) => {$(
        impl From<$part> for Failure {
            fn from(error: $part) -> Self {
                Self::Train(error.into())
            }
        }
    )+};
}

from_parts!(
    DataError,
    PreprocessError,
    SigmoidError,
    FitError,
    CircuitError,
    ExchangeError,
    CkksError,
    ToolkitError,
    WireError,
    CostError,
);

impl Failure {
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            operation,
            path,
            error,
        }
    }

    /// An error in a file whose name the library does not know.
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(TrainError) -> Self {
        let path = path.to_owned();
        move |error| Self::Train(error.in_file(&path))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Engine(EngineError::Unknown { .. }) => 2,
            Self::Train(error) => of(error.fault()),
            Self::File { .. } => of(Fault::File),
            Self::Io { .. } | Self::Stdout(_) => of(Fault::System),
            Self::Engine(_) | Self::Report(_) | Self::Room { .. } | Self::SelfTest { .. } => {
                of(Fault::Other)
            }
        }
    }
}

/// The exit codes that the help lists.
fn of(fault: Fault) -> u8 {
    match fault {
        Fault::Data => 3,
        Fault::File => 4,
        Fault::System => 5,
        Fault::Plan => 6,
        Fault::Other => 1,
    }
}

#[cfg(test)]
mod tests {
    use arras::toolkit::ToolkitErrorKind;
    use lr_train::data::csv::CsvError;

    use super::*;

    /// What the help promises for each exit code, with an error or more of every part of the library.
    #[test]
    fn every_part_has_the_exit_codes_that_the_help_lists() {
        let name = String::new;
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let plan = |what| FitError::Hyperparameter {
            what,
            value: 0.0,
            allowed: "",
        };
        let damaged = || ExchangeError::Malformed {
            what: "model",
            error: "".into(),
        };
        let cases: Vec<(u8, Failure)> = vec![
            (
                1,
                ExchangeError::NoRandomness {
                    error: getrandom::Error::UNSUPPORTED,
                }
                .into(),
            ),
            (1, ToolkitError::from(ToolkitErrorKind::NoOutput).into()),
            (2, Failure::Usage(name())),
            (3, DataError::EmptyTable { header: true }.into()),
            (
                3,
                DataError::from(CsvError::NotANumber {
                    line: 1,
                    column: name(),
                    found: name(),
                })
                .into(),
            ),
            (3, PreprocessError::ColumnCount { model: 2, data: 3 }.into()),
            (
                3,
                ExchangeError::BeyondPlan {
                    what: "rows",
                    found: 3,
                    least: 1,
                    most: 2,
                }
                .into(),
            ),
            (
                4,
                PreprocessError::StoredNormalization { reason: "" }.into(),
            ),
            (4, CircuitError::MissingResult { name: name() }.into()),
            (
                4,
                ExchangeError::Version {
                    what: "model",
                    found: 2,
                    known: 1,
                    command: "lr-train decrypt",
                }
                .into(),
            ),
            (
                4,
                ExchangeError::NothingToRefresh {
                    round: 1,
                    rounds: 1,
                }
                .into(),
            ),
            (4, damaged().into()),
            (
                4,
                TrainError::from(damaged())
                    .in_file(Path::new("model.json"))
                    .into(),
            ),
            (
                4,
                Failure::File {
                    path: PathBuf::new(),
                    reason: name(),
                },
            ),
            (
                5,
                DataError::MnistMissing {
                    folder: PathBuf::new(),
                    name: name(),
                }
                .into(),
            ),
            (
                5,
                TrainError::Read {
                    path: PathBuf::new(),
                    error: missing(),
                }
                .into(),
            ),
            (
                5,
                TrainError::Write {
                    path: PathBuf::new(),
                    error: missing(),
                }
                .into(),
            ),
            (
                5,
                WireError::AlreadyExists {
                    path: PathBuf::new(),
                }
                .into(),
            ),
            (
                5,
                CkksError::from(WireError::AlreadyExists {
                    path: PathBuf::new(),
                })
                .into(),
            ),
            (
                5,
                WireError::Busy {
                    path: PathBuf::new(),
                }
                .into(),
            ),
            (5, Failure::Stdout(missing())),
            (6, plan("minibatch").into()),
            (
                6,
                FitError::Diverged {
                    iteration: 0,
                    largest: 1.0,
                    bound: 8.0,
                }
                .into(),
            ),
            (
                6,
                SigmoidError::Approximation {
                    what: "degree",
                    value: 2.0,
                    allowed: "",
                }
                .into(),
            ),
            (
                6,
                SigmoidError::MinimaxDiverged {
                    degree: 15,
                    bound: 1.0,
                    rounds: 1,
                }
                .into(),
            ),
            (6, CircuitError::UnknownCircuit { given: name() }.into()),
        ];
        for (code, failure) in cases {
            assert_eq!(failure.code(), code, "{failure}");
        }
    }
}
