//! Why a search has no result.

use crate::fault::Fault;

/// Why a search of settings has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// It was stopped.
    #[error("search of settings: stopped after {done} of {total} trials")]
    Stopped {
        /// Trials done.
        done: usize,
        /// Trials in all.
        total: usize,
    },
    /// No candidate is better than none.
    #[error(
        "search of settings: none of {candidates} candidates keeps inner products within its interval and ranks rows better than by chance; look at the columns for \
         wild values, or give settings to `lr-train plan` yourself"
    )]
    Nothing {
        /// Candidates.
        candidates: usize,
    },
}

impl SearchError {
    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Stopped { .. } => Fault::Stopped,
            Self::Nothing { .. } => Fault::Data,
        }
    }
}
