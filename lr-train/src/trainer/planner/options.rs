//! What a planner may choose from.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use arras_ckks::params::{Dnum, LevelWidth, Security};
use arras_hal::StopToken;
use arras_toolkit::{PlanOptions, cost::CostTable};

use super::{super::predict::ErrorsFor, RINGS};
use crate::preprocess::Scheme;

/// What a planner may choose from.
#[derive(Clone)]
pub struct PlannerOptions {
    pub(super) log_n: RangeInclusive<u32>,
    pub(super) level_width: LevelWidth,
    pub(super) dnum: Dnum,
    pub(super) security: Security,
    costs: Vec<CostTable>,
    threads: usize,
    pub(super) errors: ErrorsFor,
    pub(super) normalization: Scheme,
    pub(super) stop: StopToken,
    pub(super) progress: Arc<dyn Fn(usize, usize) + Send + Sync>,
}

impl Default for PlannerOptions {
    fn default() -> Self {
        Self {
            log_n: RINGS,
            level_width: LevelWidth::default(),
            dnum: Dnum::Auto,
            security: Security::Classical128,
            costs: vec![],
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            errors: ErrorsFor::default(),
            normalization: Scheme::MaxAbs,
            stop: StopToken::new(),
            progress: Arc::new(|_, _| {}),
        }
    }
}

impl fmt::Debug for PlannerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannerOptions")
            .field("log_n", &self.log_n)
            .field("level_width", &self.level_width)
            .field("dnum", &self.dnum)
            .field("security", &self.security)
            .field("tables", &self.costs.len())
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl PlannerOptions {
    /// Rings of 2^13 to 2^17, secure, costs of the CPU engine with this machine's threads, errors for any data.
    pub fn new() -> Self {
        Self::default()
    }

    /// log2 of the ring degrees.
    #[must_use]
    pub fn log_n(mut self, rings: RangeInclusive<u32>) -> Self {
        self.log_n = rings;
        self
    }

    /// Bits of a level.
    #[must_use]
    pub fn level_width(mut self, width: LevelWidth) -> Self {
        self.level_width = width;
        self
    }

    /// Key-switching digits, instead of the cheapest number.
    #[must_use]
    pub fn dnum(mut self, dnum: Dnum) -> Self {
        self.dnum = dnum;
        self
    }

    /// What parameters promise. **[`Security::InsecureForTests`] gives plans that protect nothing.**
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Measured costs, besides those given before. Tables of one engine, machine and number of threads make one estimate: that with the
    /// nearest ring degree serves, scaled to a candidate's parameters. The estimate of the first table's engine decides. If there are
    /// none, the built-in costs of the CPU engine serve.
    #[must_use]
    pub fn costs(mut self, tables: impl IntoIterator<Item = CostTable>) -> Self {
        self.costs.extend(tables);
        self
    }

    /// Threads of the server, for memory and where the built-in costs serve.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// For which data errors of the chosen plan are predicted.
    #[must_use]
    pub fn errors(mut self, errors: ErrorsFor) -> Self {
        self.errors = errors;
        self
    }

    /// How data are normalized, for the plan to keep: by each column's largest magnitude if nothing is said.
    #[must_use]
    pub fn normalization(mut self, scheme: Scheme) -> Self {
        self.normalization = scheme;
        self
    }

    /// Ends the planning soon after this token is set.
    #[must_use]
    pub fn with_stop_token(mut self, stop: StopToken) -> Self {
        self.stop = stop;
        self
    }

    /// Is told how many of at most how many parts of the work are done.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// The smallest parameters; errors are predicted of what is chosen alone.
    pub(super) fn toolkit(&self) -> PlanOptions {
        let options = PlanOptions::any_precision()
            .level_width(self.level_width)
            .spare_levels(0)
            .dnum(self.dnum)
            .security(self.security)
            .threads(self.threads);
        let tables = self.costs.iter().cloned();
        tables.fold(options, PlanOptions::costs)
    }
}
