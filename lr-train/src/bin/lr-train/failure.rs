//! What went wrong, and what the process returns for it.

use std::path::{Path, PathBuf};

use arras::{
    EngineError,
    ckks::{CkksError, wire::WireError},
    toolkit::{ToolkitError, cost::CostError},
};
use lr_train::{
    Fault, TrainError,
    circuits::CircuitError,
    data::DataError,
    plain::FitError,
    preprocess::PreprocessError,
    report::ReportError,
    sigmoid::SigmoidError,
    trainer::{Doubt, ExchangeError},
};

use crate::signals;

/// Why a verb gave up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A signal asked for the end.
    #[error("stopped by {by}: nothing was written, and what was there is as it was; run it again")]
    Stopped {
        /// Which one.
        by: &'static str,
    },
    /// A file that is not to be replaced.
    #[error("{} exists already; name another file, or replace it with --force", path.display())]
    Exists { path: PathBuf },
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
    /// An error, and what may be meant.
    #[error("{error}; {hint}")]
    WithHint {
        error: Box<Failure>,
        hint: &'static str,
    },
    /// A training that would give no useful model.
    #[error(
        "this training would give no useful model:{}\nnothing was written; --force goes on all the same",
        listed(.0)
    )]
    Doubtful(Vec<Doubt>),
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
    /// What the system said to reading a file.
    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| TrainError::Read { path, error }.into()
    }

    /// A file that is not what a verb needs.
    pub(crate) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// An error in a file whose name the library does not know.
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(TrainError) -> Self {
        let path = path.to_owned();
        move |error| Self::Train(error.in_file(&path))
    }

    /// The same, in the command line's words.
    pub(crate) fn explained(self) -> Self {
        match self {
            Self::Train(error) if error.is_stopped() => signals::stopped(),
            Self::Train(TrainError::Wire(WireError::AlreadyExists { path })) => {
                Self::Exists { path }
            }
            other => other,
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Engine(error) if error.is_of_name() => 2,
            Self::Train(error) => of(error.fault()),
            Self::File { .. } => of(Fault::File),
            Self::WithHint { error, .. } => error.code(),
            Self::Stopped { .. } => of(Fault::Stopped),
            Self::Doubtful(_) => of(Fault::Plan),
            Self::Stdout(_) | Self::Exists { .. } => of(Fault::System),
            Self::Engine(_) | Self::Report(_) | Self::Room { .. } | Self::SelfTest { .. } => {
                of(Fault::Other)
            }
        }
    }
}

fn listed(doubts: &[Doubt]) -> String {
    doubts.iter().map(|doubt| format!("\n- {doubt}")).collect()
}

/// The exit codes that the help lists.
fn of(fault: Fault) -> u8 {
    match fault {
        Fault::Data => 3,
        Fault::File => 4,
        Fault::System => 5,
        Fault::Plan => 6,
        Fault::Stopped => signals::code(),
        Fault::Other => 1,
    }
}

#[cfg(test)]
mod tests {
    use arras::toolkit::ToolkitErrorKind;
    use lr_train::{
        circuits::Kind,
        data::{
            csv::{self, ColumnId, Options},
            mnist,
        },
        trainer::Model,
    };

    use super::*;

    /// What the help promises for each exit code, with an error or more of every part of the library.
    #[test]
    fn every_part_has_the_exit_codes_that_the_help_lists() {
        #[track_caller]
        fn check(code: u8, failure: impl Into<Failure>) {
            let failure = failure.into();
            assert_eq!(failure.code(), code, "{failure}");
        }
        let absent = || Path::new("absent").to_owned();
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let options = Options::new(ColumnId::Index(-1));

        let error = getrandom::Error::UNSUPPORTED;
        check(1, ExchangeError::NoRandomness { error });
        check(1, ToolkitError::from(ToolkitErrorKind::NoOutput));

        check(2, Failure::Usage(String::new()));

        check(3, DataError::EmptyTable { header: true });
        check(3, csv::read(&b"1,0\nx,1\n"[..], &options).unwrap_err());
        check(3, PreprocessError::ColumnCount { model: 2, data: 3 });
        let beyond = ExchangeError::BeyondPlan {
            what: "rows",
            found: 3,
            least: 1,
            most: 2,
        };
        check(3, beyond);

        check(4, PreprocessError::StoredNormalization { reason: "" });
        let name = String::new();
        check(4, CircuitError::MissingResult { name });
        let version = ExchangeError::Version {
            what: "model",
            found: 2,
            known: 1,
            command: "lr-train decrypt",
        };
        check(4, version);
        let (round, rounds) = (1, 1);
        check(4, ExchangeError::NothingToRefresh { round, rounds });
        let damaged = || Model::from_json("{").unwrap_err();
        check(4, damaged());
        check(4, damaged().in_file(Path::new("model.json")));
        check(4, Failure::file(Path::new(""), ""));
        let error = CkksError::from(WireError::ChecksumMismatch);
        check(4, ToolkitError::from(error));
        let outside = arras::hal::GaloisElement::new(2, 11).unwrap_err();
        check(4, CkksError::from(outside));
        let keys = ToolkitErrorKind::MissingRotationKeys { missing: vec![1] };
        check(4, ToolkitError::from(keys));

        check(5, mnist::three_against_eight(&absent()).unwrap_err());
        check(5, csv::read_file(&absent(), &options).unwrap_err());
        let (path, error) = (absent(), missing());
        check(5, TrainError::Write { path, error });
        check(5, WireError::AlreadyExists { path: absent() });
        let error = CkksError::from(WireError::AlreadyExists { path: absent() });
        check(5, ToolkitError::from(error));
        check(5, WireError::Busy { path: absent() });
        check(5, Failure::Stdout(missing()));

        let minibatch = FitError::Hyperparameter {
            what: "minibatch",
            value: 0.0,
            allowed: "",
        };
        check(6, minibatch);
        let diverged = FitError::Diverged {
            iteration: 0,
            largest: 1.0,
            bound: 8.0,
        };
        check(6, diverged);
        let degree = SigmoidError::Approximation {
            what: "degree",
            value: 2.0,
            allowed: "",
        };
        check(6, degree);
        let minimax = SigmoidError::MinimaxDiverged {
            degree: 15,
            bound: 1.0,
            rounds: 1,
        };
        check(6, minimax);
        check(6, "no-such-circuit".parse::<Kind>().unwrap_err());
    }
}
