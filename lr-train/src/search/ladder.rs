//! Successive halving: many candidates on few rows, few candidates on many.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    FOLDS, Found, Options, Outcome, SearchError, Setting, Trial,
    candidates::{PENALTIES, candidates},
    trial::{Fold, Run, Score, within},
};
use crate::{
    ModelKind, Result,
    data::{DataError, Dataset},
    plain::State,
    preprocess::{Preprocessor, Scheme},
    split::{Split, k_fold, train_test},
};

/// A step of the ladder: products of two numbers that it may take, the least and the most rows, its folds.
struct Rung {
    work: f64,
    rows: (usize, usize),
    folds: usize,
}

const RUNGS: [Rung; 3] = [
    Rung {
        work: 1.2e9,
        rows: (200, 400),
        folds: 2,
    },
    Rung {
        work: 1.0e9,
        rows: (600, 2_000),
        folds: 3,
    },
    Rung {
        work: 2.5e9,
        rows: (2_000, 20_000),
        folds: FOLDS,
    },
];
/// The most iterations that a candidate is judged after before the last rung.
const LONGEST_EARLY: usize = 32;
/// Candidates of each penalty that go on from the first rung, and of all from the second.
const KEPT: (usize, usize) = (12, 16);
/// What a choice may lose in log loss: log losses are told in three digits.
const NEAR_LOSS: f64 = 0.001;
/// And in AUC.
const NEAR_AUC: f64 = 0.005;
/// Rows of the smaller class that a sample has at least, if the data have them.
const FEWEST_OF_A_CLASS: usize = 20;

/// A candidate, its iterations open, with what its folds said so far.
struct Candidate {
    setting: Setting,
    runs: Vec<Run>,
}

pub(super) fn climb(data: &Dataset, options: &Options<'_>) -> Result<Found> {
    options.given.check()?;
    data.expect_for("search of settings", ModelKind::Logistic)?;
    expect_classes(data)?;
    let asked = options.given.after(options.most_iterations);
    // Before the last rung long trainings are judged by their beginning.
    let mut early: Vec<usize> = asked.iter().map(|&n| n.min(LONGEST_EARLY)).collect();
    early.dedup();
    let mut candidates: Vec<Candidate> = (candidates(data, options)?.into_iter())
        .map(|setting| Candidate {
            setting,
            runs: vec![],
        })
        .collect();
    let begun = candidates.len();
    let mut refused = 0;
    let mut watch = Watch::new(options, begun);
    let mut last = (data.rows(), 0);
    let mut exact = None;
    for (at, rung) in RUNGS.iter().enumerate() {
        let is_last = at + 1 == RUNGS.len();
        let after = if is_last { &asked } else { &early };
        let longest = after.last().copied().unwrap_or(1);
        let sample = sample(data, rung, candidates.len(), longest, options.seed)?;
        let positives = sample.positives();
        let folds = rung.folds.min(positives.min(sample.rows() - positives));
        let splits = k_fold(sample.labels(), folds, options.seed)?;
        judge(&sample, &splits, &mut candidates, after, &mut watch)?;
        exact = judge_exact(&sample, &splits, is_last, &mut watch)?;
        last = (sample.rows(), folds);
        let nothing = nothing(&candidates);
        candidates.retain(|c| c.best().is_some());
        if at == 0 {
            refused = begun - candidates.len();
        }
        if candidates.is_empty() {
            return Err(nothing.into());
        }
        rank(&mut candidates);
        match at {
            0 => keep_by_penalty(&mut candidates),
            1 => candidates.truncate(KEPT.1),
            _ => {}
        }
    }
    let trials: Vec<Trial> = (candidates.iter())
        .filter_map(|c| Some(c.trial(c.best()?, &asked)))
        .collect();
    let chosen = choose(data, &candidates, &asked)?;
    Ok(Found {
        rows: data.rows(),
        sampled: last.0,
        folds: last.1,
        candidates: begun,
        refused,
        trials,
        chosen,
        exact,
    })
}

/// Why none of these goes on, if none does.
fn nothing(candidates: &[Candidate]) -> SearchError {
    let left = candidates.iter().filter_map(|c| {
        let left = c.runs.iter().filter_map(|run| run.left);
        let worst = left.max_by(|a, b| a.largest.total_cmp(&b.largest));
        Some((&c.setting, worst?))
    });
    SearchError::of(candidates.len(), &left.collect::<Vec<_>>())
}

fn expect_classes(data: &Dataset) -> Result<(), DataError> {
    let positives = data.positives();
    let smaller = positives.min(data.rows() - positives);
    if smaller == 0 {
        let classes = data.classes();
        let only = if positives > 0 {
            &classes.positive
        } else {
            &classes.negative
        };
        return Err(DataError::OneClass {
            what: "search of settings",
            rows: data.rows(),
            value: only.clone(),
        });
    }
    if smaller < 4 {
        return Err(DataError::Split {
            what: "search of settings: rows held back",
            value: 2.0,
            rows: smaller,
            allowed: "give at least 4 rows of each class, or take stated settings with --settings fixed",
        });
    }
    Ok(())
}

/// Both classes in their shares, about this many rows or all.
pub(super) fn at_most(data: &Dataset, rows: usize, seed: u64) -> Result<Dataset> {
    if data.rows() <= rows {
        return Ok(data.clone());
    }
    let share = rows as f64 / data.rows() as f64;
    Ok(data.select(&train_test(data.labels(), share, seed)?.test)?)
}

/// The rows of a rung.
fn sample(
    data: &Dataset,
    rung: &Rung,
    candidates: usize,
    iterations: usize,
    seed: u64,
) -> Result<Dataset> {
    let per_row = 2 * candidates * iterations * rung.folds * (data.columns() + 1);
    let affordable = (rung.work / per_row as f64) as usize;
    let wanted = affordable.clamp(rung.rows.0, rung.rows.1);
    let positives = data.positives();
    let smaller = positives.min(data.rows() - positives);
    let needed = FEWEST_OF_A_CLASS * data.rows() / smaller;
    at_most(data, wanted.max(needed.min(4 * rung.rows.1)), seed)
}

/// Runs every candidate on every fold, those that a sample cannot tell apart once.
fn judge(
    sample: &Dataset,
    splits: &[Split],
    candidates: &mut [Candidate],
    after: &[usize],
    watch: &mut Watch<'_>,
) -> Result<()> {
    let folds = splits.len();
    let mut ready: BTreeMap<(&'static str, usize), Option<Fold>> = BTreeMap::new();
    for candidate in &*candidates {
        let scheme = candidate.setting.scheme;
        for (at, split) in splits.iter().enumerate() {
            if let Entry::Vacant(fold) = ready.entry((scheme.name(), at)) {
                fold.insert(Fold::new(sample, split, scheme)?);
            }
        }
    }
    // Minibatches of more rows than a fold trains on are all of them.
    let fewest = splits.iter().map(|s| s.train.len()).min().unwrap_or(0);
    let mut distinct: Vec<Setting> = vec![];
    let which: Vec<usize> = (candidates.iter())
        .map(|c| {
            let mut setting = c.setting.clone();
            if setting.minibatch >= fewest {
                setting.minibatch = sample.rows();
            }
            let known = distinct.iter().rposition(|s| *s == setting);
            known.unwrap_or_else(|| {
                distinct.push(setting);
                distinct.len() - 1
            })
        })
        .collect();
    watch.expect(distinct.len() * folds);
    let runs = watch.spread(distinct.len() * folds, |task| {
        let (setting, fold) = (&distinct[task / folds], task % folds);
        match ready.get(&(setting.scheme.name(), fold)) {
            Some(Some(fold)) => fold.trial(setting, after),
            _ => Ok(Run::silent(after.len())),
        }
    })?;
    for (candidate, which) in candidates.iter_mut().zip(which) {
        candidate.runs = runs[which * folds..][..folds].to_vec();
    }
    Ok(())
}

/// The optimum on the same folds, where it is wanted.
fn judge_exact(
    sample: &Dataset,
    splits: &[Split],
    wanted: bool,
    watch: &mut Watch<'_>,
) -> Result<Option<Outcome>> {
    if !wanted {
        return Ok(None);
    }
    watch.expect(splits.len());
    let scores = watch.spread(splits.len(), |at| {
        let fold = Fold::new(sample, &splits[at], Scheme::StandardClipped)?;
        fold.map(|fold| fold.exact()).transpose()
    })?;
    let scores: Option<Vec<Score>> = scores.into_iter().collect();
    Ok(scores.map(|scores| mean(&scores)))
}

impl Candidate {
    /// What all folds say after a number of iterations; none if one has no say.
    fn outcome(&self, at: usize) -> Option<Outcome> {
        let scores: Option<Vec<Score>> = self.runs.iter().map(|run| run.scores[at]).collect();
        Some(mean(&scores?))
    }

    /// Where the log loss is lowest.
    fn best(&self) -> Option<usize> {
        let loss = |at: usize| self.outcome(at).map(|o| o.log_loss);
        let numbers = self.runs.first().map_or(0, |run| run.scores.len());
        (0..numbers)
            .filter(|&at| loss(at).is_some_and(f64::is_finite))
            .min_by(|&a, &b| loss(a).unwrap_or(0.0).total_cmp(&loss(b).unwrap_or(0.0)))
    }

    fn loss(&self) -> f64 {
        let best = self.best().and_then(|at| self.outcome(at));
        best.map_or(f64::INFINITY, |o| o.log_loss)
    }

    /// Has an outcome there.
    fn trial(&self, at: usize, after: &[usize]) -> Trial {
        let mut setting = self.setting.clone();
        setting.iterations = after[at];
        Trial {
            setting,
            outcome: self.outcome(at).unwrap_or(Outcome {
                log_loss: f64::INFINITY,
                spread: 0.0,
                auc: 0.5,
                accuracy: 0.0,
            }),
        }
    }
}

fn mean(scores: &[Score]) -> Outcome {
    let count = scores.len() as f64;
    let mean = |of: fn(&Score) -> f64| scores.iter().map(of).sum::<f64>() / count;
    let log_loss = mean(|s| s.log_loss);
    let squares: f64 = scores.iter().map(|s| (s.log_loss - log_loss).powi(2)).sum();
    Outcome {
        log_loss,
        spread: (squares / (count - 1.0).max(1.0)).sqrt(),
        auc: mean(|s| s.auc),
        accuracy: mean(|s| s.accuracy),
    }
}

/// The best first; ties stay as they were.
fn rank(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| a.loss().total_cmp(&b.loss()));
}

fn keep_by_penalty(candidates: &mut Vec<Candidate>) {
    let mut kept: BTreeMap<u64, usize> = BTreeMap::new();
    candidates.retain(|c| {
        let count = kept.entry(c.setting.penalty.to_bits()).or_insert(0);
        *count += 1;
        *count <= KEPT.0
    });
}

/// The cheapest of those that are nearly the best and stay in their interval on all rows.
fn choose(data: &Dataset, candidates: &[Candidate], after: &[usize]) -> Result<Trial> {
    let mut trials: Vec<Trial> = (candidates.iter())
        .flat_map(|c| (0..after.len()).map(move |at| (c, at)))
        .filter(|(c, at)| c.outcome(*at).is_some_and(|o| o.log_loss.is_finite()))
        .map(|(c, at)| c.trial(at, after))
        .collect();
    let best = (trials.iter().map(|t| t.outcome)).min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
    let near = |o: &Outcome| {
        best.is_some_and(|best| {
            o.log_loss <= best.log_loss + NEAR_LOSS && o.auc >= best.auc - NEAR_AUC
        })
    };
    let features = data.columns() + 1;
    // Those near the best first, by cost; then the others by loss.
    let key = |t: &Trial| match near(&t.outcome) {
        true => (0, t.setting.cost(features)),
        false => (1, t.outcome.log_loss),
    };
    trials.sort_by(|a, b| {
        let ((a, x), (b, y)) = (key(a), key(b));
        a.cmp(&b).then(x.total_cmp(&y))
    });
    let mut left = vec![];
    for trial in &trials {
        let fitted = Preprocessor::fit(data, trial.setting.scheme)?;
        let z = fitted.signed(data, fitted.features() + 1)?;
        let plain = trial.setting.plain(&z)?;
        match within(&z, &plain, State::zero(z.ncols()))? {
            Ok(_) => return Ok(trial.clone()),
            Err(out) => left.push((&trial.setting, out)),
        }
    }
    Err(SearchError::of(candidates.len(), &left).into())
}

/// Progress, the stop, and threads.
pub(super) struct Watch<'a> {
    options: &'a Options<'a>,
    done: AtomicUsize,
    total: usize,
    /// Trials that rungs to come are thought to take.
    ahead: usize,
}

impl<'a> Watch<'a> {
    pub(super) fn new(options: &'a Options<'a>, candidates: usize) -> Self {
        let later = PENALTIES.len() * KEPT.0 * RUNGS[1].folds + (KEPT.1 + 1) * FOLDS;
        let ahead = candidates * RUNGS[0].folds + later;
        Self {
            options,
            done: AtomicUsize::new(0),
            total: 0,
            ahead,
        }
    }

    pub(super) fn expect(&mut self, tasks: usize) {
        self.total = self.done.load(Ordering::Relaxed) + tasks;
        self.ahead = self.ahead.max(self.total);
    }

    /// Results of tasks in their order, whichever thread did them; the first error in that order.
    pub(super) fn spread<T: Send>(
        &self,
        tasks: usize,
        task: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let next = AtomicUsize::new(0);
        let slots: Mutex<Vec<Option<Result<T>>>> = Mutex::new((0..tasks).map(|_| None).collect());
        let work = || {
            while !(self.options.stop)() {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= tasks {
                    return;
                }
                let result = task(at);
                let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
                slots[at] = Some(result);
                drop(slots);
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                (self.options.progress)(done, self.ahead);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.options.threads.min(tasks) {
                scope.spawn(work);
            }
            work();
        });
        let stopped = SearchError::Stopped {
            done: self.done.load(Ordering::Relaxed),
            total: self.ahead,
        };
        let slots = slots.into_inner().unwrap_or_else(PoisonError::into_inner);
        if slots.iter().any(Option::is_none) {
            return Err(stopped.into());
        }
        slots.into_iter().flatten().collect()
    }
}
