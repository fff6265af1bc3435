//! From settings to a plan: circuits are recorded and lowered for every candidate, the smallest secure parameters are taken for each,
//! and the fastest is chosen.

mod candidate;
mod capacity;
pub(super) mod depths;
mod options;
mod ways;

use std::ops::RangeInclusive;

use arras_ckks::params::{MAX_LEVELS, Security, deepest};
use arras_toolkit::ToolkitError;

use self::{candidate::Evaluated, depths::Depths};
use super::{
    forecast::Forecast,
    plan::{PLAN_VERSION, PlanSpec, TrainingPlan},
    predict::{ErrorsFor, predicted_error},
    report::{Assumed, Candidate, PlanReport},
    settings::{CircuitChoice, MAX_FEATURES, MAX_ROWS, Rounds, Settings},
};
use crate::{
    Result,
    circuits::{Geometry, Kind},
    plain::FitError,
};

pub use options::PlannerOptions;
pub use ways::{Way, Ways, ways};

/// Rings that the planner knows.
pub const RINGS: RangeInclusive<u32> = 13..=17;

/// Plans a training of up to `rows` rows with `features` features, the intercept counted, constant columns not.
///
/// # Errors
/// [`FitError::Hyperparameter`], [`CircuitError::MinibatchTooLarge`](crate::circuits::CircuitError::MinibatchTooLarge);
/// [`ExchangeError::TooManyIterations`](crate::trainer::ExchangeError::TooManyIterations) with what would do instead; the
/// scheme's.
pub fn plan(
    settings: &Settings,
    features: usize,
    rows: usize,
    options: &PlannerOptions,
) -> Result<(TrainingPlan, PlanReport)> {
    Planner::new(settings, features, rows, options)?.plan()
}

struct Planner<'a> {
    settings: &'a Settings,
    features: usize,
    rows: usize,
    minibatch: usize,
    options: &'a PlannerOptions,
    depths: Depths<'a>,
    done: usize,
    all: usize,
    /// Why a circuit whose levels there are was not taken.
    exceeded: Option<ToolkitError>,
}

impl<'a> Planner<'a> {
    fn new(
        settings: &'a Settings,
        features: usize,
        rows: usize,
        options: &'a PlannerOptions,
    ) -> Result<Self> {
        settings.check()?;
        for (what, value, most) in [
            ("number of rows", rows, MAX_ROWS),
            ("number of features", features, MAX_FEATURES),
        ] {
            let allowed = "at least 1, at most 2^24 rows and 2^20 features";
            FitError::expect_within(what, value, 1..=most, allowed)?;
        }
        Ok(Self {
            settings,
            features,
            rows,
            minibatch: settings.minibatch.min(rows),
            options,
            depths: Depths::new(settings),
            done: 0,
            all: 0,
            exceeded: None,
        })
    }

    /// Tells that a part of the work begins, of which `of` are done or need not be done.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::Stopped`](arras_toolkit::ToolkitErrorKind::Stopped).
    fn step(&mut self, done: usize) -> Result<()> {
        self.options.stop.check().map_err(ToolkitError::from)?;
        self.done = done;
        (self.options.progress)(self.done, self.all);
        Ok(())
    }

    /// The circuits that are weighed on the rings that hold the training, the best first.
    fn weigh(&mut self, kinds: &[Kind]) -> Result<Vec<Evaluated>> {
        let mut evaluated = vec![];
        let rings = self.options.log_n.clone().count();
        for (at, &kind) in kinds.iter().enumerate() {
            for (ring, log_n) in self.options.log_n.clone().enumerate() {
                self.step(at * rings + ring)?;
                let Some(found) = self.evaluate(kind, log_n)? else {
                    continue;
                };
                evaluated.push(found);
                // The smallest ring that fits; with rounds of the planner's own, larger ones have fewer.
                if !self.settings.free_rounds() {
                    break;
                }
            }
        }
        let rounds = |e: &Evaluated| match self.settings.rounds {
            Rounds::Fewest => e.candidate.rounds.len(),
            _ => 0,
        };
        evaluated.sort_by(|a, b| {
            let by_rounds = rounds(a).cmp(&rounds(b));
            let by_time = by_rounds.then(a.seconds().total_cmp(&b.seconds()));
            by_time.then(a.candidate.log_n.cmp(&b.candidate.log_n))
        });
        Ok(evaluated)
    }

    fn plan(&mut self) -> Result<(TrainingPlan, PlanReport)> {
        let kinds = self.kinds()?;
        // Afterwards forecast, two rounds of errors, and what fits.
        self.all = kinds.len() * self.options.log_n.clone().count() + 4;
        let evaluated = self.weigh(&kinds)?;
        let candidates: Vec<Candidate> = evaluated.iter().map(|e| e.candidate.clone()).collect();
        let Some(best) = evaluated.into_iter().next() else {
            return Err(match self.exceeded.take() {
                Some(error) => error.into(),
                None => self.too_many(&kinds)?.into(),
            });
        };
        let spec = PlanSpec {
            version: PLAN_VERSION,
            kind: best.candidate.kind,
            rows: self.rows,
            features: self.features,
            settings: self.settings.clone(),
            normalization: self.options.normalization,
            rounds: best.rounds,
            keys: best.planned.key_requests().clone(),
            parameters: best.planned.parameters().spec().clone(),
        };
        // The options said whether an insecure set is welcome.
        let plan = TrainingPlan::with_recorded(spec, best.recorded)?;
        // First, since it is quick and finds out whether the training diverges.
        self.step(self.all - 4)?;
        let options = self.options;
        let forecast = match &options.errors {
            ErrorsFor::Rows(z) => Some(Forecast::of(&plan, z, &options.stop)?),
            ErrorsFor::AnyData | ErrorsFor::Nothing => None,
        };
        let mut step = || self.step(self.done + 1);
        let predicted = predicted_error(&plan, &options.errors, &mut step, &options.stop)?;
        self.step(self.all - 1)?;
        let report = PlanReport {
            predicted_error: predicted.as_ref().map(|of| of.error),
            minibatch: self.minibatch,
            predicted_from: predicted.as_ref().map(|of| of.sample),
            broken: predicted.and_then(|of| of.broken),
            forecast,
            assumed: Assumed::of(&plan),
            chosen: best.candidate,
            candidates,
            capacity: self.capacity()?,
        };
        Ok((plan, report))
    }

    /// Circuits to weigh.
    fn kinds(&self) -> Result<Vec<Kind>> {
        let largest = *self.options.log_n.end();
        match self.settings.circuit {
            CircuitChoice::Given(kind) => {
                self.geometry(kind, largest)?;
                Ok(vec![kind])
            }
            CircuitChoice::Auto => {
                let takes = |kind: &Kind| self.takes_minibatch(*kind, largest);
                let all = Kind::ALL.into_iter();
                let kinds: Vec<Kind> = all.filter(takes).collect();
                if kinds.is_empty() {
                    // No other takes more.
                    self.geometry(Kind::Baseline, largest)?;
                }
                Ok(kinds
                    .into_iter()
                    .filter(|kind| !self.is_beyond(*kind))
                    .collect())
            }
        }
    }

    /// Whether a circuit is not safe for so many iterations.
    fn is_beyond(&self, kind: Kind) -> bool {
        let longest = kind.longest_run();
        longest.is_some_and(|most| self.settings.iterations > most)
    }

    /// Levels of a ring.
    fn levels(&self, log_n: u32) -> Option<usize> {
        match self.options.security {
            Security::InsecureForTests => Some(MAX_LEVELS),
            _ => deepest(log_n, self.options.level_width, self.options.dnum),
        }
    }

    fn geometry(&self, kind: Kind, log_n: u32) -> Result<Geometry> {
        let slots = 1 << (log_n - 1);
        Ok(Geometry::choose(
            kind,
            slots,
            self.features,
            self.minibatch,
        )?)
    }

    fn takes_minibatch(&self, kind: Kind, log_n: u32) -> bool {
        self.geometry(kind, log_n).is_ok()
    }

    /// Iterations of each round at a ring, if they fit.
    fn lengths(&mut self, kind: Kind, log_n: u32) -> Result<Option<Vec<usize>>> {
        let levels = self.levels(log_n);
        let Some(levels) = levels.filter(|_| self.takes_minibatch(kind, log_n)) else {
            return Ok(None);
        };
        let all = self.settings.iterations;
        let most = if !self.settings.free_rounds() || self.depths.fit(kind, &[all], levels)? {
            all
        } else {
            match self.depths.middle_round(kind, levels)? {
                0 => return Ok(None),
                most => most,
            }
        };
        let lengths = self.settings.round_lengths(most);
        Ok(self.depths.fit(kind, &lengths, levels)?.then_some(lengths))
    }
}
