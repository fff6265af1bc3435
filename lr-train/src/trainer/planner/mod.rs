//! From settings to a plan: circuits are recorded and lowered for every candidate, the smallest secure parameters are taken for each,
//! and the fastest is chosen.

mod candidate;
mod capacity;

use std::{fmt, ops::RangeInclusive};

use arras_ckks::params::{Dnum, LevelWidth, MAX_LEVELS, Security, deepest};
use arras_toolkit::cost::CostTable;

use self::candidate::Evaluated;
use super::{
    depth::Depths,
    plan::{PLAN_VERSION, PlanSpec, RoundSpec, TrainingPlan},
    predict::{ErrorsFor, predicted_error},
    report::{Candidate, Capacity, PlanReport},
    settings::{CircuitChoice, MAX_FEATURES, MAX_ROWS, Rounds, Settings},
};
use crate::{
    Result,
    circuits::{Geometry, Kind},
    plain::FitError,
};

/// What a planner may choose from.
#[derive(Clone)]
pub struct PlannerOptions {
    /// log2 of the ring degrees.
    pub log_n: RangeInclusive<u32>,
    /// Bits of a level.
    pub level_width: LevelWidth,
    /// Key-switching digits.
    pub dnum: Dnum,
    /// What parameters promise. **[`Security::InsecureForTests`] gives plans that protect nothing.**
    pub security: Security,
    /// Measured costs. Tables of one engine, machine and number of threads make one estimate: that with the nearest ring degree serves,
    /// scaled to a candidate's parameters. The estimate of the first table's engine decides. If there are none, the built-in costs of the
    /// CPU engine serve.
    pub costs: Vec<CostTable>,
    /// Threads of the server, for memory and where the built-in costs serve.
    pub threads: usize,
    /// For which data errors of the chosen plan are predicted.
    pub errors: ErrorsFor,
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
    settings.check()?;
    for (what, value, most) in [
        ("number of rows", rows, MAX_ROWS),
        ("number of features", features, MAX_FEATURES),
    ] {
        if !(1..=most).contains(&value) {
            return Err(FitError::Hyperparameter {
                what,
                value: value as f64,
                allowed: "at least 1, at most 2^24 rows and 2^20 features",
            }
            .into());
        }
    }
    Planner::new(settings, features, rows, options).plan()
}

/// How many iterations fit each circuit and ring in one round.
///
/// # Errors
/// As [`plan`].
pub fn capacity(
    settings: &Settings,
    features: usize,
    rows: usize,
    options: &PlannerOptions,
) -> Result<Vec<Capacity>> {
    settings.check()?;
    Planner::new(settings, features, rows, options).capacity()
}

/// How far the formula of a circuit's depth may exceed what is recorded, from zero above all.
const FORMULA_SLACK: usize = 6;

struct Planner<'a> {
    settings: &'a Settings,
    features: usize,
    rows: usize,
    minibatch: usize,
    options: &'a PlannerOptions,
    depths: Depths<'a>,
}

impl<'a> Planner<'a> {
    fn new(
        settings: &'a Settings,
        features: usize,
        rows: usize,
        options: &'a PlannerOptions,
    ) -> Self {
        Self {
            settings,
            features,
            rows,
            minibatch: settings.minibatch.min(rows),
            options,
            depths: Depths::new(&settings.activation, settings.optimizer),
        }
    }

    fn plan(&mut self) -> Result<(TrainingPlan, PlanReport)> {
        let kinds = self.kinds()?;
        let mut evaluated = vec![];
        for &kind in &kinds {
            for log_n in self.options.log_n.clone() {
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
        let candidates: Vec<Candidate> = evaluated.iter().map(|e| e.candidate.clone()).collect();
        let Some(best) = evaluated.into_iter().next() else {
            return Err(self.too_many(&kinds)?.into());
        };
        let plan = self.assemble(&best)?;
        let report = PlanReport {
            predicted_error: predicted_error(&plan, &self.options.errors)?,
            chosen: best.candidate,
            candidates,
            capacity: self.capacity()?,
        };
        Ok((plan, report))
    }

    /// Circuits to weigh.
    fn kinds(&self) -> Result<Vec<Kind>> {
        let largest = *self.options.log_n.end();
        let geometry =
            |kind| Geometry::choose(kind, 1 << (largest - 1), self.features, self.minibatch);
        match self.settings.circuit {
            CircuitChoice::Given(kind) => {
                geometry(kind)?;
                Ok(vec![kind])
            }
            CircuitChoice::Auto => Ok(Kind::ALL
                .into_iter()
                .filter(|kind| {
                    kind.longest_run()
                        .is_none_or(|most| self.settings.iterations <= most)
                })
                .filter(|&kind| geometry(kind).is_ok())
                .collect()),
        }
    }

    /// Levels of a ring.
    fn levels(&self, log_n: u32) -> Option<usize> {
        match self.options.security {
            Security::InsecureForTests => Some(MAX_LEVELS),
            _ => deepest(log_n, self.options.level_width, self.options.dnum),
        }
    }

    fn takes_minibatch(&self, kind: Kind, log_n: u32) -> bool {
        Geometry::choose(kind, 1 << (log_n - 1), self.features, self.minibatch).is_ok()
    }

    /// Iterations of each round at a ring, if they fit.
    fn lengths(&mut self, kind: Kind, log_n: u32) -> Result<Option<Vec<usize>>> {
        let Some(levels) = self
            .levels(log_n)
            .filter(|_| self.takes_minibatch(kind, log_n))
        else {
            return Ok(None);
        };
        // A formula first, so that long rounds are not recorded in vain: it is at most a few levels too high.
        let degree = self.settings.activation.degree();
        let in_vain = |length: usize| kind.depth(length, degree) > levels + FORMULA_SLACK;
        let all = self.settings.iterations;
        let most = if !self.settings.free_rounds() {
            0
        } else if !in_vain(all) && self.depths.deepest(kind, &[all])? <= levels {
            all
        } else {
            match self.depths.middle_round(kind, levels)? {
                0 => return Ok(None),
                most => most,
            }
        };
        let lengths = self.settings.round_lengths(most);
        if in_vain(lengths.iter().copied().max().unwrap_or(0)) {
            return Ok(None);
        }
        let fits = self.depths.deepest(kind, &lengths)? <= levels;
        Ok(fits.then_some(lengths))
    }

    fn assemble(&self, best: &Evaluated) -> Result<TrainingPlan> {
        let candidate = &best.candidate;
        let rounds = candidate.rounds.iter().map(|&iterations| RoundSpec {
            iterations,
            summing: candidate.summing,
        });
        let spec = PlanSpec {
            version: PLAN_VERSION,
            kind: candidate.kind,
            rows: self.rows,
            features: self.features,
            settings: self.settings.clone(),
            rounds: rounds.collect(),
            keys: best.keys.clone(),
            parameters: best.params.spec().clone(),
        };
        // The options said whether an insecure set is welcome.
        let plan = TrainingPlan::from_spec_allowing_insecure(spec)?;
        Ok(plan.with_recorded(best.recorded.iter().cloned()))
    }
}
