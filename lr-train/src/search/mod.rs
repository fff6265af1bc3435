//! Choosing settings in the clear, on the client, before anything is encrypted.
//!
//! No fixed setting is right: how far scores reach, and so which interval and degree the sigmoid's polynomial needs, depends on the data.
//! The plaintext twin is the same learning, so it finds out. Candidates differ in normalization, polynomial, penalty, rate, minibatch and
//! number of iterations; each is judged by the log loss of calibrated scores on rows it was not trained on.
//!
//! ```text
//!   all candidates      on a few rows, 2 folds      the best of each penalty go on: small samples favour large ones
//!   a quarter           on more, 3 folds            the best go on
//!   the last few        on most, 5 folds            table and choice
//! ```
//! What is given ([`Given`]) is held, and the search chooses the rest.
//!
//! A candidate is refused where an inner product leaves its polynomial's interval, in any fold and, for the choice, on all rows. Among those
//! whose log loss is within 0.001 of the best, and whose AUC within 0.005 of that one's, the choice is the cheapest to compute on ciphertexts.
//!
//! Work is bounded by a count of products, not by a clock, and everything is drawn from a seed: the result is the same on every run with any
//! number of threads.

mod candidates;
mod error;
mod folds;
mod given;
mod ladder;
mod setting;
mod trial;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use error::SearchError;
pub use folds::{Errors, FoldsTrial, FoundOnFolds, Shares, search_classes, search_measured};
pub use given::Given;
pub use setting::Setting;

use crate::{
    Result,
    data::Dataset,
    split::Order,
    trainer::{Rounds, Settings},
};

/// The most folds of the last judgement.
const FOLDS: usize = 5;

/// How a search is run.
#[derive(Clone)]
pub struct Options<'a> {
    given: Given,
    seed: u64,
    threads: usize,
    most_iterations: usize,
    progress: &'a (dyn Fn(usize, usize) + Sync),
    stop: &'a (dyn Fn() -> bool + Sync),
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("given", &self.given)
            .field("seed", &self.seed)
            .field("threads", &self.threads)
            .field("most_iterations", &self.most_iterations)
            .finish_non_exhaustive()
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            given: Given::default(),
            seed: 0,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            most_iterations: 32,
            progress: &|_, _| {},
            stop: &|| false,
        }
    }
}

impl<'a> Options<'a> {
    /// Seed 0, all threads of this machine, up to 32 iterations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Settings that are held.
    #[must_use]
    pub fn given(mut self, given: Given) -> Self {
        self.given = given;
        self
    }

    /// The order of rows.
    fn order(&self) -> Order {
        let seed = self.seed;
        self.given.order.unwrap_or(Order::Shuffled { seed })
    }

    /// Decides samples, folds and the order of rows, if none is given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads, at least 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// The most iterations that are tried, at least 1, if their number is not given.
    #[must_use]
    pub fn most_iterations(mut self, most: usize) -> Self {
        self.most_iterations = most.max(1);
        self
    }

    /// Is told how many of how many trials are done, from any thread.
    #[must_use]
    pub fn on_progress(mut self, progress: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        self.progress = progress;
        self
    }

    /// Ends the search with [`SearchError::Stopped`] once it says true.
    #[must_use]
    pub fn stop_when(mut self, stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        self.stop = stop;
        self
    }
}

/// Means over folds, on rows that were not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Outcome {
    /// Log loss after calibration on the rows trained on.
    pub log_loss: f64,
    /// Its standard deviation over folds.
    pub spread: f64,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Share of rows taken for what they are.
    pub accuracy: f64,
}

/// A setting and what it gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Trial {
    /// The setting.
    pub setting: Setting,
    /// What it gives.
    pub outcome: Outcome,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Found {
    /// Rows of the data.
    pub rows: usize,
    /// Rows of the last judgement.
    pub sampled: usize,
    /// Its folds.
    pub folds: usize,
    /// Candidates at the beginning, each with all numbers of iterations.
    pub candidates: usize,
    /// Candidates refused because an inner product left the interval before the fewest iterations were done.
    pub refused: usize,
    /// The last few candidates, each with its best number of iterations, the best first.
    pub trials: Vec<Trial>,
    /// The choice.
    pub chosen: Trial,
    /// The optimum itself on the same folds, columns standardized and clipped, with a penalty of one over the rows: what encryption costs is
    /// the difference. None where a fold's columns are all constant.
    pub exact: Option<Outcome>,
}

impl Found {
    /// What to plan: the choice, in rounds that make the server's work least, since its iterations seldom fit into one. The normalization
    /// is the planner's ([`PlannerOptions::normalization`](crate::trainer::PlannerOptions::normalization)).
    pub fn settings(&self) -> Settings {
        self.chosen.setting.settings().rounds(Rounds::Fastest)
    }
}

/// Searches settings for labelled rows.
///
/// # Errors
/// [`DataError::OtherTarget`](crate::data::DataError::OtherTarget) for targets without classes, for which there are [`search_measured`] and [`search_classes`];
/// [`DataError::OneClass`](crate::data::DataError::OneClass), [`DataError::Split`](crate::data::DataError::Split) for fewer than four rows of a
/// class, [`FitError::Hyperparameter`](crate::plain::FitError::Hyperparameter) for given settings that no training takes,
/// [`PreprocessError`](crate::preprocess::PreprocessError) for columns that are all constant or that a given normalization cannot scale; [`SearchError`].
pub fn search(data: &Dataset, options: &Options<'_>) -> Result<Found> {
    ladder::climb(data, options)
}

#[cfg(test)]
mod tests;
