//! The search for models of numbers: every combination on folds, by the squared error of rows held back.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{
    Options, SearchError, Setting,
    ladder::Watch,
    trial::{largest_eigenvalue, within},
};
use crate::{
    ModelKind, Result,
    data::{DataError, Dataset, Measure, Target},
    metrics::Accuracy,
    plain::{Examples, State, exact, scores},
    preprocess::{PreprocessError, Preprocessor, Scheme, with_intercept},
    split::{Split, k_fold_rows, train_test_rows},
    trainer::{Optimizer, Rounds, Settings, training_rows},
};

/// Products of two numbers that a search may take.
const WORK: f64 = 3e9;
/// The least and the most rows that it looks at.
const ROWS: (usize, usize) = (400, 20_000);
const FOLDS: usize = 5;
/// What a choice may lose of R^2.
const NEAR: f64 = 0.002;

/// Means over folds, on rows that were not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Errors {
    /// The share of the variance that is explained, R^2.
    pub r_squared: f64,
    /// Its standard deviation over folds.
    pub spread: f64,
    /// The root of the mean squared error, in the units of the target.
    pub rmse: f64,
}

/// A setting and what it gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct MeasuredTrial {
    /// The setting.
    pub setting: Setting,
    /// What it gives.
    pub errors: Errors,
}

/// What a search for a model of numbers found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FoundMeasured {
    /// Rows of the data.
    pub rows: usize,
    /// Rows that were looked at.
    pub sampled: usize,
    /// Folds.
    pub folds: usize,
    /// Candidates, each with all numbers of iterations.
    pub candidates: usize,
    /// The best candidates, each with its best number of iterations, the best first.
    pub trials: Vec<MeasuredTrial>,
    /// The choice.
    pub chosen: MeasuredTrial,
    /// The closed form on the same folds: columns standardized and clipped, a penalty of one over the rows.
    pub exact: Option<Errors>,
}

impl FoundMeasured {
    /// What to plan: the choice, in rounds that make the server's work least.
    pub fn settings(&self) -> Settings {
        self.chosen.setting.settings().rounds(Rounds::Fastest)
    }
}

/// A fold with its columns and targets normalized as the rows to train on say.
struct Fold {
    train: Examples,
    measure: Measure,
    test: ndarray::Array2<f64>,
    targets: Vec<f64>,
}

/// Trials that are kept to be shown.
const SHOWN: usize = 16;

/// Searches settings for rows whose target is a number: the cheapest of those whose R^2 on rows held back is within 0.002 of the best.
///
/// # Errors
/// [`DataError::OtherTarget`], [`DataError::ConstantTarget`], [`DataError::Split`] for fewer than four rows; those of
/// [`search`](super::search) for given settings and columns; [`SearchError`].
pub fn search_measured(data: &Dataset, options: &Options<'_>) -> Result<FoundMeasured> {
    options.given.check()?;
    data.expect_for("search of settings", ModelKind::Linear)?;
    let Target::Real { name, values } = data.target() else {
        return Err(SearchError::Nothing { candidates: 0 }.into());
    };
    Measure::fit(name, values)?;
    let rows = data.rows();
    if rows < 4 {
        return Err(DataError::Split {
            what: "search of settings: rows held back",
            value: 2.0,
            rows,
            allowed: "give at least 4 rows, or take stated settings with --settings fixed",
        }
        .into());
    }
    let after = options.given.after(options.most_iterations);
    let candidates = candidates(data, options)?;
    let longest = after.last().copied().unwrap_or(1);
    let per_row = 2 * candidates.len() * longest * FOLDS * (data.columns() + 1);
    let sampled = ((WORK / per_row as f64) as usize).clamp(ROWS.0, ROWS.1);
    let sample = if sampled < rows {
        let share = sampled as f64 / rows as f64;
        data.select(&train_test_rows(rows, share, options.seed)?.test)?
    } else {
        data.clone()
    };
    let folds = FOLDS.min(sample.rows() / 2);
    let splits = k_fold_rows(sample.rows(), folds, options.seed)?;
    let mut watch = Watch::new(options, candidates.len());
    watch.expect((candidates.len() + 1) * folds);
    let judged = watch.spread(candidates.len() * folds, |task| {
        let (setting, split) = (&candidates[task / folds], &splits[task % folds]);
        match Fold::new(&sample, split, setting.scheme)? {
            Some(fold) => fold.trial(setting, &after),
            None => Ok(vec![None; after.len()]),
        }
    })?;
    let exact = watch.spread(folds, |at| {
        let fold = Fold::new(&sample, &splits[at], Scheme::StandardClipped)?;
        fold.map(|fold| fold.exact()).transpose()
    })?;
    let mut trials: Vec<MeasuredTrial> = vec![];
    for (setting, runs) in candidates.iter().zip(judged.chunks(folds)) {
        for (at, &iterations) in after.iter().enumerate() {
            let of_folds: Option<Vec<Accuracy>> = runs.iter().map(|run| run[at]).collect();
            if let Some(errors) = of_folds.and_then(|of| mean(&of)) {
                let mut setting = setting.clone();
                setting.iterations = iterations;
                trials.push(MeasuredTrial { setting, errors });
            }
        }
    }
    trials.sort_by(|a, b| b.errors.r_squared.total_cmp(&a.errors.r_squared));
    let chosen = choose(data, &trials, candidates.len())?;
    let mut shown: Vec<MeasuredTrial> = vec![];
    for trial in trials {
        let same = |s: &MeasuredTrial| Setting {
            iterations: 0,
            ..s.setting.clone()
        };
        if shown.len() < SHOWN && !shown.iter().any(|s| same(s) == same(&trial)) {
            shown.push(trial);
        }
    }
    let exact: Option<Vec<Accuracy>> = exact.into_iter().collect();
    Ok(FoundMeasured {
        rows,
        sampled: sample.rows(),
        folds,
        candidates: candidates.len(),
        trials: shown,
        chosen,
        exact: exact.and_then(|of| mean(&of)),
    })
}

/// The cheapest of those that are nearly the best and stay in their interval on all rows.
fn choose(data: &Dataset, trials: &[MeasuredTrial], candidates: usize) -> Result<MeasuredTrial> {
    let nothing = SearchError::Nothing { candidates };
    let best = trials.first().map_or(f64::NAN, |t| t.errors.r_squared);
    if !(best > 0.0) {
        return Err(nothing.into());
    }
    let (mut near, far): (Vec<_>, Vec<_>) = trials
        .iter()
        .partition(|t| t.errors.r_squared >= best - NEAR);
    let features = data.columns() + 1;
    near.sort_by(|a, b| {
        a.setting
            .cost(features)
            .total_cmp(&b.setting.cost(features))
    });
    for trial in near.into_iter().chain(far) {
        let setting = &trial.setting;
        let fitted = Preprocessor::fit(data, setting.scheme)?;
        let examples = training_rows(Optimizer::Nesterov, data, &fitted)?;
        let (rows, features) = examples.rows().dim();
        if within(&examples, &setting.plain(rows)?, State::zero(features))?.is_ok() {
            return Ok(trial.clone());
        }
    }
    Err(nothing.into())
}

/// All settings that are tried, each of one iteration.
fn candidates(data: &Dataset, options: &Options<'_>) -> Result<Vec<Setting>> {
    let given = &options.given;
    let Some(line) = ModelKind::Linear.polynomial() else {
        return Ok(vec![]);
    };
    let activation = given.activation.clone().unwrap_or(line);
    ModelKind::Linear.expect_polynomial(&activation)?;
    let mut found = vec![];
    for scheme in given.schemes() {
        let fitted = match Preprocessor::fit(data, scheme) {
            Err(PreprocessError::Unnormalizable { .. }) if given.scheme.is_none() => continue,
            other => other?,
        };
        let curvature = largest_eigenvalue(&with_intercept(&fitted.apply(data)?));
        for rate in given.rates(curvature) {
            for &minibatch in &given.minibatches(data.rows()) {
                for &penalty in &given.penalties() {
                    found.push(Setting {
                        scheme,
                        activation: activation.clone(),
                        rate: rate.clone(),
                        penalty,
                        minibatch,
                        iterations: 1,
                        first_step: given.first_step,
                        order: options.order(),
                    });
                }
            }
        }
    }
    let asked = given.penalty.is_some() && given.rate.is_some();
    // What was asked for is left to training to refuse.
    found.retain(|s| asked || s.rate.at(0).is_ok_and(|rate| s.penalty * rate < 0.5));
    Ok(found)
}

impl Fold {
    /// None for columns or targets that cannot be normalized in this fold.
    fn new(data: &Dataset, split: &Split, scheme: Scheme) -> Result<Option<Self>> {
        let (train, test) = (data.select(&split.train)?, data.select(&split.test)?);
        let fitted = match Preprocessor::fit(&train, scheme) {
            Err(PreprocessError::AllConstant { .. } | PreprocessError::Unnormalizable { .. }) => {
                return Ok(None);
            }
            other => other?,
        };
        let (
            Target::Real { name, values },
            Target::Real {
                values: targets, ..
            },
        ) = (train.target(), test.target())
        else {
            return Ok(None);
        };
        let measure = match Measure::fit(name, values) {
            Err(DataError::ConstantTarget { .. }) => return Ok(None),
            other => other?,
        };
        let rows = with_intercept(&fitted.apply(&train)?);
        Ok(Some(Self {
            train: Examples::new(rows, measure.apply(values))?,
            test: fitted.apply(&test)?,
            targets: targets.clone(),
            measure,
        }))
    }

    /// What a candidate gives after each of some numbers of iterations; none from where it left its interval.
    fn trial(&self, setting: &Setting, after: &[usize]) -> Result<Vec<Option<Accuracy>>> {
        let (rows, features) = self.train.rows().dim();
        let mut found = vec![None; after.len()];
        let mut state = State::zero(features);
        let mut plain = setting.plain(rows)?;
        for (&iterations, found) in after.iter().zip(&mut found) {
            plain.iterations = iterations - state.iteration;
            let Ok(next) = within(&self.train, &plain, state)? else {
                break;
            };
            *found = Some(self.judge(&next.w)?);
            state = next;
        }
        Ok(found)
    }

    fn exact(&self) -> Result<Accuracy> {
        let penalty = 1.0 / self.train.rows().nrows() as f64;
        self.judge(&exact(&self.train, penalty)?.weights)
    }

    fn judge(&self, weights: &Array1<f64>) -> Result<Accuracy> {
        let scores = scores(&self.test, weights)?.into_iter();
        let told: Vec<f64> = scores.map(|score| self.measure.value(score)).collect();
        Ok(Accuracy::measure(&told, &self.targets, self.measure.mean)?)
    }
}

/// None where a fold's rows do not vary.
fn mean(of_folds: &[Accuracy]) -> Option<Errors> {
    let count = of_folds.len() as f64;
    let explained: Option<Vec<f64>> = of_folds.iter().map(|fold| fold.r_squared).collect();
    let explained = explained?;
    let r_squared = explained.iter().sum::<f64>() / count;
    let squares: f64 = explained.iter().map(|r| (r - r_squared).powi(2)).sum();
    Some(Errors {
        r_squared,
        spread: (squares / (count - 1.0).max(1.0)).sqrt(),
        rmse: of_folds.iter().map(|fold| fold.rmse).sum::<f64>() / count,
    })
}
