//! Successive halving: many candidates on few rows, few candidates on many.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    FOLDS, Found, Options, Outcome, SearchError, Setting, Trial,
    trial::{Fold, Score, largest_eigenvalue},
};
use crate::{
    Result,
    data::{DataError, Dataset},
    plain::{State, nesterov},
    preprocess::{PreprocessError, Preprocessor, Scheme, signed_rows},
    sigmoid::Approximation,
    split::{Split, k_fold, train_test},
};

/// Numbers of iterations that are judged.
const ITERATIONS: [usize; 8] = [3, 4, 6, 8, 12, 16, 24, 32];
const SCHEMES: [Scheme; 4] = [
    Scheme::StandardClipped,
    Scheme::MaxAbs,
    Scheme::Robust,
    Scheme::LogStandard,
];
const DEGREES: [usize; 3] = [3, 5, 7];
const BOUNDS: [f64; 4] = [8.0, 16.0, 24.0, 32.0];
const PENALTIES: [f64; 5] = [0.0, 0.003, 0.01, 0.03, 0.1];
/// Shares of the largest rate at which full batches are sure to settle.
const RATES: [f64; 3] = [0.2, 0.5, 1.0];
/// A full batch of more rows than this is not tried.
const LARGEST_BATCH: usize = 1024;
/// The smaller minibatch that is tried.
const SMALL_BATCH: usize = 128;

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
/// Candidates of each penalty that go on from the first rung, and of all from the second.
const KEPT: (usize, usize) = (12, 16);
/// Rows of the smaller class that a sample has at least, if the data have them.
const FEWEST_OF_A_CLASS: usize = 20;

/// A candidate, its iterations open, with what its folds said so far.
struct Candidate {
    setting: Setting,
    scores: Vec<Vec<Option<Score>>>,
}

pub(super) fn climb(data: &Dataset, options: &Options<'_>) -> Result<Found> {
    expect_classes(data)?;
    let after = iterations(options.most_iterations);
    let fits = fits()?;
    let mut candidates = candidates(data, &fits, options)?;
    let (begun, longest) = (candidates.len(), after.last().copied().unwrap_or(1));
    let mut refused = 0;
    let mut watch = Watch::new(options, begun);
    let mut last = (data.rows(), 0);
    let mut exact = None;
    for (at, rung) in RUNGS.iter().enumerate() {
        let sample = sample(data, rung, candidates.len(), longest, options.seed)?;
        let positives = sample.positives();
        let folds = rung.folds.min(positives.min(sample.rows() - positives));
        let splits = k_fold(sample.labels(), folds, options.seed)?;
        judge(&sample, &splits, &mut candidates, &fits, &after, &mut watch)?;
        exact = judge_exact(&sample, &splits, at + 1 == RUNGS.len(), &mut watch)?;
        last = (sample.rows(), folds);
        candidates.retain(|c| c.best(&after).is_some());
        if at == 0 {
            refused = begun - candidates.len();
        }
        rank(&mut candidates, &after);
        match at {
            0 => keep_by_penalty(&mut candidates),
            1 => candidates.truncate(KEPT.1),
            _ => {}
        }
        if candidates.is_empty() {
            return Err(SearchError::Nothing { candidates: begun }.into());
        }
    }
    let trials: Vec<Trial> = (candidates.iter())
        .filter_map(|c| Some(c.trial(c.best(&after)?, &after)))
        .collect();
    let chosen =
        choose(data, &candidates, &after)?.ok_or(SearchError::Nothing { candidates: begun })?;
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

/// Polynomials by degree and half their interval's bits.
type Fits = BTreeMap<(usize, u64), Approximation>;

fn fits() -> Result<Fits> {
    let all = DEGREES.into_iter().flat_map(|d| BOUNDS.map(|b| (d, b)));
    let fit = |(degree, bound): (usize, f64)| {
        let fit = Approximation::least_squares(degree, bound)?;
        Ok(((degree, bound.to_bits()), fit))
    };
    all.map(fit).collect()
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
            allowed: "give at least 4 rows of each class, or settings of your own to `lr-train plan`",
        });
    }
    Ok(())
}

fn iterations(most: usize) -> Vec<usize> {
    let mut after: Vec<usize> = ITERATIONS.into_iter().filter(|&n| n <= most).collect();
    if after.is_empty() {
        after.push(most);
    }
    after
}

/// All candidates. Rates are shares of the reciprocal of the loss's largest curvature, in two digits.
fn candidates(data: &Dataset, fits: &Fits, options: &Options<'_>) -> Result<Vec<Candidate>> {
    let rows = data.rows();
    let mut batches = vec![rows.min(LARGEST_BATCH)];
    if rows > 2 * SMALL_BATCH {
        batches.push(SMALL_BATCH);
    }
    let some = at_most(data, 1000, options.seed)?;
    let mut found = vec![];
    for scheme in SCHEMES {
        let fitted = match Preprocessor::fit(&some, scheme) {
            Err(PreprocessError::Unnormalizable { .. }) => continue,
            other => other?,
        };
        let z = signed_rows(&fitted.apply(&some)?, some.labels())?;
        let curvature = largest_eigenvalue(&z);
        for (&(degree, bound), fit) in fits {
            let (bound, slope) = (f64::from_bits(bound), fit.odd()[0].abs());
            for (share, &minibatch) in
                (RATES.iter()).flat_map(|r| batches.iter().map(move |b| (r, b)))
            {
                let rate = two_digits(share / (slope * curvature));
                for penalty in PENALTIES.into_iter().filter(|p| p * rate < 0.5) {
                    let setting = Setting {
                        scheme,
                        degree,
                        bound,
                        rate,
                        penalty,
                        minibatch,
                        iterations: 1,
                        seed: options.seed,
                    };
                    found.push(Candidate {
                        setting,
                        scores: vec![],
                    });
                }
            }
        }
    }
    Ok(found)
}

fn two_digits(x: f64) -> f64 {
    let unit = 10f64.powi(x.log10().floor() as i32 - 1);
    // Through text, so that 0.3 is the double that is written 0.3.
    let text = format!("{:.12}", (x / unit).round() * unit);
    text.parse().unwrap_or(x)
}

/// Both classes in their shares, about this many rows or all.
fn at_most(data: &Dataset, rows: usize, seed: u64) -> Result<Dataset> {
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
    fits: &Fits,
    after: &[usize],
    watch: &mut Watch<'_>,
) -> Result<()> {
    let folds = splits.len();
    let mut ready: BTreeMap<(&'static str, usize), Option<Fold>> = BTreeMap::new();
    for scheme in SCHEMES {
        if candidates.iter().any(|c| c.setting.scheme == scheme) {
            for (at, split) in splits.iter().enumerate() {
                ready.insert((scheme.name(), at), Fold::new(sample, split, scheme)?);
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
    let scores = watch.spread(distinct.len() * folds, |task| {
        let (setting, fold) = (&distinct[task / folds], task % folds);
        let fit = fits.get(&(setting.degree, setting.bound.to_bits()));
        match (ready.get(&(setting.scheme.name(), fold)), fit) {
            (Some(Some(fold)), Some(fit)) => fold.trial(setting, fit, after),
            _ => Ok(vec![None; after.len()]),
        }
    })?;
    for (candidate, which) in candidates.iter_mut().zip(which) {
        candidate.scores = scores[which * folds..][..folds].to_vec();
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
        let scores: Option<Vec<Score>> = self.scores.iter().map(|fold| fold[at]).collect();
        Some(mean(&scores?))
    }

    /// Where the log loss is lowest.
    fn best(&self, after: &[usize]) -> Option<usize> {
        let loss = |at: usize| self.outcome(at).map(|o| o.log_loss);
        (0..after.len())
            .filter(|&at| loss(at).is_some_and(f64::is_finite))
            .min_by(|&a, &b| loss(a).unwrap_or(0.0).total_cmp(&loss(b).unwrap_or(0.0)))
    }

    fn loss(&self, after: &[usize]) -> f64 {
        let best = self.best(after).and_then(|at| self.outcome(at));
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
fn rank(candidates: &mut [Candidate], after: &[usize]) {
    candidates.sort_by(|a, b| a.loss(after).total_cmp(&b.loss(after)));
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
fn choose(data: &Dataset, candidates: &[Candidate], after: &[usize]) -> Result<Option<Trial>> {
    let mut trials: Vec<Trial> = (candidates.iter())
        .flat_map(|c| (0..after.len()).map(move |at| (c, at)))
        .filter(|(c, at)| c.outcome(*at).is_some_and(|o| o.log_loss.is_finite()))
        .map(|(c, at)| c.trial(at, after))
        .collect();
    let best = trials
        .iter()
        .map(|t| t.outcome.log_loss)
        .fold(f64::INFINITY, f64::min);
    let near = best * 1.005 + 0.001;
    let features = data.columns() + 1;
    // Those near the best first, by cost; then the others by loss.
    let key = |t: &Trial| match t.outcome.log_loss <= near {
        true => (0, t.setting.cost(features)),
        false => (1, t.outcome.log_loss),
    };
    trials.sort_by(|a, b| {
        let ((a, x), (b, y)) = (key(a), key(b));
        a.cmp(&b).then(x.total_cmp(&y))
    });
    for trial in trials {
        let fitted = Preprocessor::fit(data, trial.setting.scheme)?;
        let z = signed_rows(&fitted.apply(data)?, data.labels())?;
        let plain = trial.setting.plain(z.nrows())?;
        let stays = nesterov(&z, &plain, State::zero(z.ncols()))
            .is_ok_and(|(history, _)| history.left_interval().is_none());
        if stays {
            return Ok(Some(trial));
        }
    }
    Ok(None)
}

/// Progress, the stop, and threads.
struct Watch<'a> {
    options: &'a Options<'a>,
    done: AtomicUsize,
    total: usize,
    /// Trials that rungs to come are thought to take.
    ahead: usize,
}

impl<'a> Watch<'a> {
    fn new(options: &'a Options<'a>, candidates: usize) -> Self {
        let later = PENALTIES.len() * KEPT.0 * RUNGS[1].folds + (KEPT.1 + 1) * FOLDS;
        let ahead = candidates * RUNGS[0].folds + later;
        Self {
            options,
            done: AtomicUsize::new(0),
            total: 0,
            ahead,
        }
    }

    fn expect(&mut self, tasks: usize) {
        self.total = self.done.load(Ordering::Relaxed) + tasks;
        self.ahead = self.ahead.max(self.total);
    }

    /// Results of tasks in their order, whichever thread did them; the first error in that order.
    fn spread<T: Send>(
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
