//! From settings to a plan: circuits are recorded and lowered for every candidate, the smallest secure parameters are taken for each,
//! and the fastest is chosen.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    sync::Arc,
};

use arras_ckks::{
    CkksError, Parameters,
    params::{
        Dnum, LevelWidth, MAX_LEVELS, ParametersBuilder, ParamsError, Security, deepest,
        max_log2_qp,
    },
};
use arras_toolkit::{circuit::Summing, cost::CostTable, plan::KeyRequests};

use super::{
    depth::{Depths, Shape, shapes},
    estimate::{self, Operations, ServerMemory},
    plan::{KeyList, PLAN_VERSION, PlanSpec, Round, RoundSpec, TrainingPlan},
    predict::predicted_error,
    report::{Candidate, Capacity, EngineSeconds, PlanReport, Remedy},
    settings::{CircuitChoice, MAX_FEATURES, MAX_ROWS, Rounds, Settings},
    sizes,
};
use crate::{
    Result, TrainError,
    circuits::{Geometry, Kind, Spec},
};

/// Predicts the largest error of any weight that a round returns.
pub type Predictor = Arc<dyn Fn(&Parameters, &Round) -> Result<f64> + Send + Sync>;

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
    /// Predicts errors of the chosen plan's first and last rounds: [`predicted_error`], unless something else is given.
    pub predictor: Option<Predictor>,
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
            predictor: Some(Arc::new(predicted_error)),
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
/// [`TrainError::Hyperparameter`], [`TrainError::MinibatchTooLarge`]; [`TrainError::TooManyIterations`] with what would do instead; the
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
            return Err(TrainError::Hyperparameter {
                what,
                value: value as f64,
                allowed: "at least 1, at most 2^24 rows and 2^20 features",
            });
        }
    }
    let mut planner = Planner {
        settings,
        features,
        rows,
        minibatch: settings.minibatch.min(rows),
        options,
        depths: Depths::new(&settings.activation, settings.optimizer),
    };
    planner.plan()
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
    let mut planner = Planner {
        settings,
        features,
        rows,
        minibatch: settings.minibatch.min(rows),
        options,
        depths: Depths::new(&settings.activation, settings.optimizer),
    };
    planner.capacity()
}

struct Planner<'a> {
    settings: &'a Settings,
    features: usize,
    rows: usize,
    minibatch: usize,
    options: &'a PlannerOptions,
    depths: Depths<'a>,
}

/// A candidate with what a plan of it is made of.
struct Evaluated {
    candidate: Candidate,
    params: Parameters,
    keys: KeyRequests,
}

impl Evaluated {
    /// Seconds by the first table of costs.
    fn seconds(&self) -> f64 {
        let first = self.candidate.seconds.first();
        first.map_or(f64::INFINITY, |s| s.seconds)
    }
}

impl Planner<'_> {
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
            return Err(self.too_many(&kinds)?);
        };
        let plan = self.assemble(&best)?;
        let report = PlanReport {
            predicted_error: self.predict(&plan)?,
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

    /// A candidate with the faster of the ways to add up sums of rotations, the one with fewer keys if they are as fast; and with the
    /// fastest of the spreads over rounds.
    fn evaluate(&mut self, kind: Kind, log_n: u32) -> Result<Option<Evaluated>> {
        let Some(longest) = self.lengths(kind, log_n)? else {
            return Ok(None);
        };
        let mut spreads = vec![longest];
        if self.settings.rounds == Rounds::Fastest {
            // Shorter rounds need fewer levels, and every operation of theirs is cheaper.
            let most = spreads[0].iter().copied().max().unwrap_or(0);
            let shorter = (0..usize::BITS)
                .map(|bit| 1 << bit)
                .take_while(|&length| length < most);
            spreads.extend(shorter.map(|length| self.settings.round_lengths(length)));
        }
        let mut best: Option<Evaluated> = None;
        for lengths in &spreads {
            for summing in Summing::ALL {
                let found = self.evaluate_with(kind, log_n, lengths, summing)?;
                let faster = |found: &Evaluated| {
                    best.as_ref()
                        .is_none_or(|best| found.seconds() < best.seconds())
                };
                if let Some(found) = found.filter(faster) {
                    best = Some(found);
                }
            }
        }
        Ok(best)
    }

    fn evaluate_with(
        &self,
        kind: Kind,
        log_n: u32,
        lengths: &[usize],
        summing: Summing,
    ) -> Result<Option<Evaluated>> {
        let mut counts: BTreeMap<Shape, usize> = BTreeMap::new();
        for shape in shapes(lengths) {
            *counts.entry(shape).or_insert(0) += 1;
        }
        let rounds = self.rounds(kind, log_n, lengths, summing)?;
        let mut keys = KeyRequests::default();
        let mut levels = 0;
        let mut programs = vec![];
        for (shape, count) in counts {
            let at = shapes(lengths)
                .iter()
                .position(|s| *s == shape)
                .unwrap_or(0);
            let round = Round::record(at, &rounds[at])?;
            levels = levels.max(round.program.levels_needed());
            keys = keys.union(&KeyRequests::of(&round.program));
            programs.push((round, count));
        }
        let params = match self.parameters(log_n, levels) {
            Ok(params) => params,
            Err(ParamsError::DoesNotFit { .. } | ParamsError::NotEnoughPrimes { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(CkksError::from(error).into()),
        };
        let tables = self.tables(&params)?;
        let key_bytes = sizes::keys(&params, &keys)?;
        let mut candidate = Candidate {
            kind,
            log_n,
            levels,
            dnum: params.dnum(),
            log2_qp: params.log2_qp(),
            log2_qp_bound: match self.options.security {
                Security::InsecureForTests => None,
                _ => max_log2_qp(log_n),
            },
            rounds: lengths.to_vec(),
            summing,
            keys: keys.len(),
            key_file_bytes: key_bytes.container,
            data_bytes: 0,
            state_bytes: 0,
            memory: ServerMemory::default(),
            operations: Operations::default(),
            seconds: tables
                .iter()
                .map(|table| EngineSeconds {
                    engine: table.summary(),
                    threads: table.spec().threads,
                    seconds: 0.0,
                })
                .collect(),
            beyond_longest_run: kind
                .longest_run()
                .is_some_and(|most| self.settings.iterations > most),
        };
        for (round, count) in &programs {
            let times = *count as u64;
            candidate.data_bytes += times * sizes::inputs(&params, &round.data_shapes())?;
            candidate.state_bytes += times * sizes::inputs(&params, &round.start_shapes())?;
            candidate.memory = candidate.memory.max(estimate::memory(
                &round.program,
                &params,
                self.options.threads,
            ));
            let operations = estimate::operations(&round.program);
            for _ in 0..*count {
                candidate.operations = candidate.operations + operations;
            }
            for (engine, table) in candidate.seconds.iter_mut().zip(&tables) {
                engine.seconds += *count as f64 * estimate::seconds(&round.program, table)?;
            }
        }
        candidate.memory = candidate.memory.with_keys(key_bytes.loaded);
        Ok(Some(Evaluated {
            candidate,
            params,
            keys,
        }))
    }

    fn parameters(&self, log_n: u32, levels: usize) -> Result<Parameters, ParamsError> {
        ParametersBuilder::new(log_n)
            .levels(levels)
            .level_width(self.options.level_width)
            .dnum(self.options.dnum)
            .security(self.options.security)
            .build()
    }

    fn tables(&self, params: &Parameters) -> Result<Vec<CostTable>> {
        if self.options.costs.is_empty() {
            return Ok(vec![CostTable::built_in(params, self.options.threads)?]);
        }
        let mut nearest: Vec<&CostTable> = vec![];
        for table in &self.options.costs {
            let distance = |table: &CostTable| table.log_n().abs_diff(params.log_n());
            let of = |table: &CostTable| {
                let spec = table.spec();
                (spec.engine.clone(), spec.machine.clone(), spec.threads)
            };
            match nearest.iter_mut().find(|known| of(known) == of(table)) {
                Some(known) if distance(table) < distance(known) => *known = table,
                Some(_) => {}
                None => nearest.push(table),
            }
        }
        let scaled = nearest.iter().map(|table| table.estimate_for(params));
        Ok(scaled.collect::<Result<_, _>>()?)
    }

    fn rounds(
        &self,
        kind: Kind,
        log_n: u32,
        lengths: &[usize],
        summing: Summing,
    ) -> Result<Vec<RoundSpec>> {
        let mut first = 0;
        shapes(lengths)
            .into_iter()
            .map(|shape| {
                let steps = self.settings.optimizer.steps(
                    &self.settings.rate,
                    self.minibatch,
                    first,
                    shape.iterations,
                )?;
                let round = RoundSpec {
                    first,
                    spec: Spec {
                        kind,
                        slots: 1 << (log_n - 1),
                        features: self.features,
                        minibatch: self.minibatch,
                        steps,
                        activation: self.settings.activation.clone(),
                        start: shape.start(),
                        results: shape.results(),
                        summing,
                    },
                };
                first += shape.iterations;
                Ok(round)
            })
            .collect()
    }

    fn assemble(&self, best: &Evaluated) -> Result<TrainingPlan> {
        let Evaluated {
            candidate,
            params,
            keys,
        } = best;
        let spec = PlanSpec {
            version: PLAN_VERSION,
            kind: candidate.kind,
            rows: self.rows,
            features: self.features,
            minibatch: self.minibatch,
            settings: self.settings.clone(),
            keys: KeyList::from(keys),
            parameters: params.spec().clone(),
            rounds: self.rounds(
                candidate.kind,
                candidate.log_n,
                &candidate.rounds,
                candidate.summing,
            )?,
        };
        // The options said whether an insecure set is welcome.
        TrainingPlan::from_spec_allowing_insecure(spec)
    }

    fn predict(&self, plan: &TrainingPlan) -> Result<Option<f64>> {
        let Some(predictor) = &self.options.predictor else {
            return Ok(None);
        };
        let mut worst = 0.0f64;
        let last = plan.rounds().len() - 1;
        for index in BTreeSet::from([0, last]) {
            worst = worst.max(predictor(plan.params(), &plan.round(index)?)?);
        }
        Ok(Some(worst))
    }

    fn capacity(&mut self) -> Result<Vec<Capacity>> {
        let mut table = vec![];
        for kind in Kind::ALL {
            for log_n in RINGS {
                let Some(levels) = deepest(log_n, self.options.level_width, self.options.dnum)
                else {
                    continue;
                };
                let iterations = if self.takes_minibatch(kind, log_n) {
                    Some(self.depths.single_round(kind, levels)?)
                } else {
                    None
                };
                table.push(Capacity {
                    kind,
                    log_n,
                    levels,
                    iterations,
                });
            }
        }
        Ok(table)
    }

    /// What would do instead.
    fn too_many(&mut self, kinds: &[Kind]) -> Result<TrainError> {
        let largest = *self.options.log_n.end();
        let beyond = largest + 1..=*RINGS.end();
        let mut choices = vec![];
        for &kind in kinds {
            for log_n in beyond.clone() {
                if self.lengths(kind, log_n)?.is_some() {
                    choices.push(Remedy::Ring { kind, log_n });
                    break;
                }
            }
        }
        for kind in Kind::ALL {
            let safe = kind
                .longest_run()
                .is_none_or(|most| self.settings.iterations <= most);
            if kinds.contains(&kind) || !safe {
                continue;
            }
            for log_n in self.options.log_n.clone() {
                if self.lengths(kind, log_n)?.is_some() {
                    choices.push(Remedy::Circuit { kind, log_n });
                    break;
                }
            }
        }
        let levels = self.levels(largest).unwrap_or(0);
        let mut most = 0;
        let mut refreshed: Option<Remedy> = None;
        let mut fewest = usize::MAX;
        for &kind in kinds
            .iter()
            .filter(|&&kind| self.takes_minibatch(kind, largest))
            .collect::<Vec<_>>()
        {
            most = most.max(self.depths.single_round(kind, levels)?);
            let length = self.depths.middle_round(kind, levels)?;
            if length > 0 && self.settings.iterations.div_ceil(length) < fewest {
                fewest = self.settings.iterations.div_ceil(length);
                refreshed = Some(Remedy::Rounds {
                    kind,
                    log_n: largest,
                    rounds: fewest,
                    length,
                });
            }
        }
        choices.extend(refreshed);
        Ok(TrainError::TooManyIterations {
            iterations: self.settings.iterations,
            rounds: self.settings.round_lengths(1).len(),
            circuit: match kinds {
                [kind] => kind.to_string(),
                _ => "any circuit".to_owned(),
            },
            log_n: largest,
            most,
            choices,
        })
    }
}

/// How far the formula of a circuit's depth may exceed what is recorded, from zero above all.
const FORMULA_SLACK: usize = 6;
