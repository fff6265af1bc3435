//! What can go wrong in reading, preparing and learning: the errors of all parts.

use std::path::{Path, PathBuf};

use arras_ckks::{CkksError, wire::WireError};
use arras_toolkit::{ToolkitError, cost::CostError};

use crate::{
    circuits::CircuitError, data::DataError, fault::Fault, plain::FitError,
    preprocess::PreprocessError, search::SearchError, sigmoid::SigmoidError,
    trainer::ExchangeError,
};

/// The result of the trainer's operations.
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

/// Errors of the trainer: what happens to files, and the errors of each part. Each message names the operation, both sides of a
/// disagreement and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file could not be opened or read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file or folder could not be made or removed.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// An error in a file that has no name of its own, with the file's name.
    #[error("{}: {error}", .path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The error.
        error: Box<TrainError>,
    },
    /// Data sets, and numbers given as arrays.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Normalization.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Approximations of the sigmoid.
    #[error(transparent)]
    Sigmoid(#[from] SigmoidError),
    /// Training without encryption, and the parameters of all training.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Searches of settings.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Training circuits.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Plans, keys and results that client and server exchange.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The toolkit.
    #[error(transparent)]
    Toolkit(#[from] ToolkitError),
    /// The scheme.
    #[error(transparent)]
    Ckks(#[from] CkksError),
    /// A file of ciphertexts or keys.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A table of costs.
    #[error(transparent)]
    Cost(#[from] CostError),
}

impl TrainError {
    /// The same error with the name of the file in which it was found.
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            named @ (Self::InFile { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Wire(WireError::InFile { .. } | WireError::Io { .. })) => named,
            error => Self::InFile {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
    }

    /// Whether the call ended because a token was set ([`StopToken`](arras_hal::StopToken)).
    pub fn is_stopped(&self) -> bool {
        match self {
            Self::InFile { error, .. } => error.is_stopped(),
            Self::Toolkit(error) => error.is_stopped(),
            Self::Ckks(error) | Self::Cost(CostError::Ckks(error)) => error.is_stopped(),
            Self::Search(SearchError::Stopped { .. }) => true,
            _ => false,
        }
    }

    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::InFile { error, .. } => error.fault(),
            Self::Read { .. } | Self::Write { .. } => Fault::System,
            Self::Data(error) => error.fault(),
            Self::Preprocess(error) => error.fault(),
            Self::Sigmoid(error) => error.fault(),
            Self::Fit(error) => error.fault(),
            Self::Search(error) => error.fault(),
            Self::Circuit(error) => error.fault(),
            Self::Exchange(error) => error.fault(),
            Self::Cost(CostError::Ckks(error)) => error.into(),
            Self::Cost(_) => Fault::File,
            Self::Toolkit(error) => error.into(),
            Self::Ckks(error) => error.into(),
            Self::Wire(error) => error.into(),
        }
    }
}
