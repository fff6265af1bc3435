//! Whose fault an error is.

use arras_ckks::{
    CkksError, CkksErrorKind,
    wire::{Cause, WireError},
};
use arras_hal::HalErrorKind;
use arras_toolkit::{ToolkitError, ToolkitErrorKind};

/// Where the fault for an error lies, so that a program can decide what to do without knowing every error. The command line's
/// exit codes are these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// In the data: not a number, one class, other columns than the model's, more than a plan holds.
    Data,
    /// In a file that is damaged, or is not the one that belongs here: of another plan, other keys or another data set.
    File,
    /// In the operating system: something cannot be read or written, or exists already.
    System,
    /// In what was asked of training: too many iterations for the levels, too large a minibatch, a parameter outside its range.
    Plan,
    /// Nowhere: somebody asked for the end.
    Stopped,
    /// Elsewhere: engines, memory, randomness.
    Other,
}

/// A container that does not hold what it should is the file's fault.
impl From<&WireError> for Fault {
    fn from(error: &WireError) -> Self {
        match error.cause() {
            // Dimensions are compared when a file is read, too.
            Cause::Contents | Cause::Caller => Self::File,
            Cause::System => Self::System,
            Cause::Memory => Self::Other,
        }
    }
}

// The scheme and the toolkit compute on what training has checked before: what is left is a file that holds too little, numbers that
// are none, or more than fits the parameters. Everything else is a failure of this program or of its engine.

impl From<&CkksError> for Fault {
    fn from(error: &CkksError) -> Self {
        match error.kind() {
            CkksErrorKind::Wire(error) => error.into(),
            CkksErrorKind::Stopped(_) => Self::Stopped,
            CkksErrorKind::ParametersMismatch { .. }
            | CkksErrorKind::Params(_)
            | CkksErrorKind::NoRelinearizationKey
            | CkksErrorKind::NoGaloisKey { .. }
            | CkksErrorKind::KeyBudget { .. }
            | CkksErrorKind::Cut { .. } => Self::File,
            // Keys name their Galois elements.
            CkksErrorKind::Hal(error)
                if matches!(error.kind(), HalErrorKind::BadGaloisElement { .. }) =>
            {
                Self::File
            }
            _ => Self::Other,
        }
    }
}

impl From<&ToolkitError> for Fault {
    fn from(error: &ToolkitError) -> Self {
        match error.kind() {
            ToolkitErrorKind::Ckks(error) => error.into(),
            ToolkitErrorKind::Stopped(_) => Self::Stopped,
            ToolkitErrorKind::NonFinite { .. } => Self::Data,
            ToolkitErrorKind::MissingRotationKeys { .. }
            | ToolkitErrorKind::InputTooLow { .. }
            | ToolkitErrorKind::Cost(_) => Self::File,
            ToolkitErrorKind::TooFewLevels { .. }
            | ToolkitErrorKind::TooDeep { .. }
            | ToolkitErrorKind::DoesNotFit { .. }
            | ToolkitErrorKind::PrecisionNotReached { .. }
            | ToolkitErrorKind::HeadroomExceeded(_) => Self::Plan,
            _ => Self::Other,
        }
    }
}
