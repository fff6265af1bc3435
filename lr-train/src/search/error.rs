//! Why a search has no result.

use super::{Setting, trial::Left};
use crate::{fault::Fault, sigmoid::MAX_BOUND};

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
    /// No candidate is better than none, and some or all leave their interval.
    #[error(
        "search of settings: none of {candidates} candidates keeps inner products within its interval and ranks rows better than by chance; the nearest is \
         {setting}, with an inner product of {largest:.3}: {}, or take stated settings with --settings fixed",
        wider(*.largest)
    )]
    Interval {
        /// Candidates.
        candidates: usize,
        /// The one that leaves its interval by the smallest factor, with the iterations that it began until then.
        setting: Box<Setting>,
        /// The inner product with which it does; infinite if weights are no numbers any more.
        largest: f64,
    },
    /// No candidate is better than none, though all stay in their interval.
    #[error(
        "search of settings: none of {candidates} candidates ranks rows better than by chance; look whether the columns say anything about the label, or \
         take stated settings with --settings fixed"
    )]
    Nothing {
        /// Candidates.
        candidates: usize,
    },
}

/// What may help.
fn wider(largest: f64) -> String {
    let half = (largest * 1.5).ceil();
    if half <= MAX_BOUND {
        format!("take a wider one (--sigmoid 7:{half}), a lower --lr or a larger --l2")
    } else {
        "lower --lr, or cut off wild values (--normalize standard-clipped)".to_owned()
    }
}

impl SearchError {
    /// Nothing is left of so many candidates; `left` are those that left their interval.
    pub(super) fn of(candidates: usize, left: &[(&Setting, Left)]) -> Self {
        let beyond = |(setting, left): &(&Setting, Left)| left.largest / setting.activation.bound();
        let nearest = left.iter().min_by(|a, b| beyond(a).total_cmp(&beyond(b)));
        nearest.map_or(Self::Nothing { candidates }, |(setting, left)| {
            let mut setting = Box::new((*setting).clone());
            setting.iterations = left.iterations;
            Self::Interval {
                candidates,
                setting,
                largest: left.largest,
            }
        })
    }

    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Stopped { .. } => Fault::Stopped,
            Self::Interval { .. } => Fault::Plan,
            Self::Nothing { .. } => Fault::Data,
        }
    }
}
