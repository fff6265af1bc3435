//! What went wrong, and what the process returns for it.

use std::path::{Path, PathBuf};

use arras::{
    EngineError,
    ckks::{CkksError, CkksErrorKind, wire::WireError},
    toolkit::{ToolkitError, ToolkitErrorKind, cost::CostError},
};
use lr_train::{TrainError, report::ReportError};

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
    Ckks(#[from] CkksError),
    #[error(transparent)]
    Toolkit(#[from] ToolkitError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Cost(#[from] CostError),
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

impl Failure {
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            operation,
            path,
            error,
        }
    }

    /// An error in a file that the library was not told the name of.
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(TrainError) -> Self {
        let path = path.to_owned();
        move |error| {
            Self::Train(TrainError::InFile {
                path,
                error: Box::new(error),
            })
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Engine(EngineError::Unknown { .. }) => 2,
            Self::Train(error) => of_training(error),
            Self::Ckks(error) => of_scheme(error),
            Self::Toolkit(error) => of_toolkit(error),
            Self::Wire(error) => of_file(error),
            Self::File { .. } | Self::Cost(_) => 4,
            Self::Io { .. } | Self::Stdout(_) => 5,
            Self::Engine(_) | Self::Report(_) | Self::Room { .. } | Self::SelfTest { .. } => 1,
        }
    }
}

fn of_training(error: &TrainError) -> u8 {
    use TrainError as E;
    match error {
        E::InFile { error, .. } => of_training(error),
        E::Read { .. } | E::Write { .. } => 5,
        E::Wire(error) => of_file(error),
        E::Ckks(error) => of_scheme(error),
        E::Toolkit(error) => of_toolkit(error),
        E::Malformed { .. }
        | E::Version { .. }
        | E::PlanInconsistent { .. }
        | E::Mismatch { .. }
        | E::UnusableResult { .. }
        | E::StoredNormalization { .. }
        | E::MissingResult { .. }
        | E::Cost(_) => 4,
        E::TooManyIterations { .. }
        | E::MinibatchTooLarge { .. }
        | E::Hyperparameter { .. }
        | E::Approximation { .. }
        | E::UnknownCircuit { .. } => 6,
        E::NoRandomness { .. } => 1,
        // What is left speaks of rows, columns and labels.
        _ => 3,
    }
}

fn of_scheme(error: &CkksError) -> u8 {
    match error.kind() {
        CkksErrorKind::Wire(error) => of_file(error),
        CkksErrorKind::ParametersMismatch { .. } | CkksErrorKind::Params(_) => 4,
        _ => 1,
    }
}

fn of_toolkit(error: &ToolkitError) -> u8 {
    match error.kind() {
        ToolkitErrorKind::Ckks(error) => of_scheme(error),
        _ => 1,
    }
}

fn of_file(error: &WireError) -> u8 {
    match error {
        WireError::InFile { source, .. } => of_file(source),
        WireError::AlreadyExists { .. }
        | WireError::Busy { .. }
        | WireError::Io { .. }
        | WireError::Stream { .. } => 5,
        WireError::OutOfMemory { .. } => 1,
        _ => 4,
    }
}
