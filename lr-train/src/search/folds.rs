//! The search for models of numbers and of several classes: every combination on folds, by what rows held back say.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{
    Options, SearchError, Setting,
    ladder::Watch,
    trial::{largest_eigenvalue, within},
};
use crate::{
    ModelKind, Result,
    data::{DataError, Dataset, Measure, Target},
    metrics::{Accuracy, SeveralClasses, highest},
    plain::{Examples, State, exact_weights, scores},
    preprocess::{PreprocessError, Preprocessor, Scheme, with_intercept},
    sigmoid::Approximation,
    split::{Split, k_fold_target, train_test_target},
    trainer::{Optimizer, Rounds, Settings, training_rows},
};

/// Products of two numbers that a search may take.
const WORK: f64 = 3e9;
/// The least and the most rows that it looks at.
const ROWS: (usize, usize) = (400, 20_000);
const FOLDS: usize = 5;
/// What a choice may lose of R^2 or accuracy.
const NEAR: f64 = 0.002;
/// Of several classes, where each candidate is as many trainings.
const FEWER_SCHEMES: [Scheme; 2] = [Scheme::StandardClipped, Scheme::MaxAbs];
const POLYNOMIALS: [(usize, f64); 3] = [(3, 8.0), (7, 16.0), (7, 24.0)];
const FEWER_PENALTIES: [f64; 3] = [0.0, 0.003, 0.03];

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

/// Means over folds, on rows that were not trained on, of a model of several classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Shares {
    /// Share of rows taken for what they are.
    pub accuracy: f64,
    /// Its standard deviation over folds.
    pub spread: f64,
    /// Mean recall of the classes.
    pub balanced_accuracy: f64,
}

/// A setting and what it gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FoldsTrial<E> {
    /// The setting.
    pub setting: Setting,
    /// What it gives.
    pub errors: E,
}

/// What a search on folds found: `E` is [`Errors`] of a model of numbers, [`Shares`] of one of several classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FoundOnFolds<E> {
    /// The model.
    pub model: ModelKind,
    /// Rows of the data.
    pub rows: usize,
    /// Rows that were looked at.
    pub sampled: usize,
    /// Folds.
    pub folds: usize,
    /// Candidates, each with all numbers of iterations.
    pub candidates: usize,
    /// The best candidates, each with its best number of iterations, the best first.
    pub trials: Vec<FoldsTrial<E>>,
    /// The choice.
    pub chosen: FoldsTrial<E>,
    /// The optimum itself on the same folds, of numbers the closed form: columns standardized and clipped, a penalty of one over the rows.
    pub exact: Option<E>,
}

impl<E> FoundOnFolds<E> {
    /// What to plan: the choice, in rounds that make the server's work least.
    pub fn settings(&self) -> Settings {
        let settings = self.chosen.setting.settings();
        settings.model(self.model).rounds(Rounds::Fastest)
    }
}

/// What is judged on a fold.
trait Judged: Copy + Send {
    /// Means over folds.
    type Mean;

    /// None where a fold's rows do not vary.
    fn mean(of_folds: &[Self]) -> Option<Self::Mean>;

    /// How good that is: the higher the better, 0 or less is worthless.
    fn value(mean: &Self::Mean, fold: &[Self]) -> f64;

    fn of(fold: &Fold, weights: &Array1<f64>) -> Result<Self>;
}

/// A fold with its columns and targets normalized as the rows to train on say.
struct Fold {
    train: Examples,
    measure: Option<Measure>,
    test: Array2<f64>,
    target: Target,
}

/// Trials that are kept to be shown.
const SHOWN: usize = 16;

/// Searches settings for rows whose target is a number: the cheapest of those whose R^2 on rows held back is within 0.002 of the best.
///
/// # Errors
/// [`DataError::OtherTarget`], [`DataError::ConstantTarget`], [`DataError::Split`] for fewer than four rows; those of
/// [`search`](super::search) for given settings and columns; [`SearchError`].
pub fn search_measured(data: &Dataset, options: &Options<'_>) -> Result<FoundOnFolds<Errors>> {
    data.expect_for(OP, ModelKind::Linear)?;
    if let Target::Real { name, values } = data.target() {
        Measure::fit(name, values)?;
    }
    let allowed = "give at least 4 rows, or take stated settings with --settings fixed";
    on_folds::<Accuracy>(data, options, 4, allowed)
}

/// Searches settings for rows of several classes: the cheapest of those whose accuracy on rows held back is within 0.002 of the best.
///
/// # Errors
/// As [`search_measured`]; [`DataError::Split`] for fewer than two rows of a class.
pub fn search_classes(data: &Dataset, options: &Options<'_>) -> Result<FoundOnFolds<Shares>> {
    data.expect_for(OP, ModelKind::OneVsRest { classes: 0 })?;
    let allowed =
        "give at least 2 rows of each class, or take stated settings with --settings fixed";
    on_folds::<OfClasses>(data, options, 2, allowed)
}

const OP: &str = "search of settings";

fn on_folds<J: Judged>(
    data: &Dataset,
    options: &Options<'_>,
    least: usize,
    allowed: &'static str,
) -> Result<FoundOnFolds<J::Mean>> {
    options.given.check()?;
    let model = ModelKind::of(data.target());
    model.check()?;
    let rows = data.rows();
    let smallest = |data: &Dataset| data.target().strata().iter().map(Vec::len).min();
    let fewest = smallest(data).unwrap_or(0);
    if fewest < least {
        return Err(DataError::Split {
            what: "search of settings: rows held back",
            value: 2.0,
            rows: fewest,
            allowed,
        }
        .into());
    }
    let after = options.given.after(options.most_iterations);
    let candidates = candidates(data, options)?;
    let longest = after.last().copied().unwrap_or(1);
    let per_row = 2 * candidates.len() * longest * FOLDS * (data.columns() + 1) * model.chains();
    let sampled = ((WORK / per_row as f64) as usize).clamp(ROWS.0, ROWS.1);
    let sample = if sampled < rows {
        let share = sampled as f64 / rows as f64;
        data.select(&train_test_target(data.target(), share, options.seed)?.test)?
    } else {
        data.clone()
    };
    let fewest = smallest(&sample).unwrap_or(0);
    let numbers = model == ModelKind::Linear;
    let folds = FOLDS.min(if numbers { fewest / 2 } else { fewest });
    let splits = k_fold_target(sample.target(), folds, options.seed)?;
    let mut watch = Watch::new(options, candidates.len());
    watch.expect((candidates.len() + 1) * folds);
    let judged = watch.spread(candidates.len() * folds, |task| {
        let (setting, split) = (&candidates[task / folds], &splits[task % folds]);
        match Fold::new(&sample, split, setting.scheme)? {
            Some(fold) => fold.trial::<J>(setting, &after),
            None => Ok(vec![None; after.len()]),
        }
    })?;
    let exact = watch.spread(folds, |at| {
        let fold = Fold::new(&sample, &splits[at], Scheme::StandardClipped)?;
        fold.map(|fold| fold.exact::<J>()).transpose()
    })?;
    let mut trials: Vec<(f64, FoldsTrial<J::Mean>)> = vec![];
    for (setting, runs) in candidates.iter().zip(judged.chunks(folds)) {
        for (at, &iterations) in after.iter().enumerate() {
            let of_folds: Option<Vec<J>> = runs.iter().map(|run| run[at]).collect();
            let of_folds = of_folds.unwrap_or_default();
            if let (Some(errors), false) = (J::mean(&of_folds), of_folds.is_empty()) {
                let mut setting = setting.clone();
                setting.iterations = iterations;
                let value = J::value(&errors, &of_folds);
                trials.push((value, FoldsTrial { setting, errors }));
            }
        }
    }
    trials.sort_by(|a, b| b.0.total_cmp(&a.0));
    let chosen = choose(data, &trials, candidates.len())?;
    let chosen = trials.remove(chosen).1;
    let mut shown: Vec<FoldsTrial<J::Mean>> = vec![];
    for (_, trial) in trials {
        let open = |trial: &FoldsTrial<J::Mean>| Setting {
            iterations: 0,
            ..trial.setting.clone()
        };
        if shown.len() < SHOWN && !shown.iter().any(|s| open(s) == open(&trial)) {
            shown.push(trial);
        }
    }
    let exact: Option<Vec<J>> = exact.into_iter().collect();
    Ok(FoundOnFolds {
        model,
        rows,
        sampled: sample.rows(),
        folds,
        candidates: candidates.len(),
        trials: shown,
        chosen,
        exact: exact.and_then(|of| J::mean(&of)),
    })
}

/// The cheapest of those that are nearly the best and stay in their interval on all rows, by its position.
fn choose<E>(data: &Dataset, trials: &[(f64, FoldsTrial<E>)], candidates: usize) -> Result<usize> {
    let nothing = SearchError::Nothing { candidates };
    let best = trials.first().map_or(f64::NAN, |trial| trial.0);
    if best.is_nan() || best <= 0.0 {
        return Err(nothing.into());
    }
    let features = data.columns() + 1;
    let cost = |at: &usize| trials[*at].1.setting.cost(features);
    let (mut near, far): (Vec<usize>, Vec<usize>) =
        (0..trials.len()).partition(|&at| trials[at].0 >= best - NEAR);
    near.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    for at in near.into_iter().chain(far) {
        let setting = &trials[at].1.setting;
        let fitted = Preprocessor::fit(data, setting.scheme)?;
        let examples = training_rows(Optimizer::Nesterov, data, &fitted)?;
        let features = examples.rows().ncols();
        let zero = State::zero(features * examples.chains());
        if within(&examples, &setting.plain(&examples)?, zero)?.is_ok() {
            return Ok(at);
        }
    }
    Err(nothing.into())
}

/// All settings that are tried, each of one iteration.
fn candidates(data: &Dataset, options: &Options<'_>) -> Result<Vec<Setting>> {
    let given = &options.given;
    let model = ModelKind::of(data.target());
    let activations = match (&given.activation, model.polynomial()) {
        (Some(given), _) => vec![given.clone()],
        (None, Some(own)) => vec![own],
        (None, None) => POLYNOMIALS
            .into_iter()
            .map(|(degree, bound)| Approximation::least_squares(degree, bound))
            .collect::<Result<_, _>>()?,
    };
    for activation in &activations {
        model.expect_polynomial(activation)?;
    }
    let several = model.chains() > 1;
    let schemes = match given.scheme {
        None if several => FEWER_SCHEMES.to_vec(),
        _ => given.schemes(),
    };
    let penalties = match given.penalty {
        None if several => FEWER_PENALTIES.to_vec(),
        _ => given.penalties(),
    };
    let mut found = vec![];
    for scheme in schemes {
        let fitted = match Preprocessor::fit(data, scheme) {
            Err(PreprocessError::Unnormalizable { .. }) if given.scheme.is_none() => continue,
            other => other?,
        };
        let curvature = largest_eigenvalue(&with_intercept(&fitted.apply(data)?));
        for activation in &activations {
            let slope = activation.odd()[0].abs();
            for (rate, minibatch) in (given.rates(slope * curvature).into_iter()).flat_map(|r| {
                given
                    .minibatches(data.rows())
                    .into_iter()
                    .map(move |b| (r.clone(), b))
            }) {
                for &penalty in &penalties {
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
        let measure = match train.target() {
            Target::Real { name, values } => match Measure::fit(name, values) {
                Err(DataError::ConstantTarget { .. }) => return Ok(None),
                other => Some(other?),
            },
            _ => None,
        };
        Ok(Some(Self {
            train: training_rows(Optimizer::Nesterov, &train, &fitted)?,
            test: fitted.apply(&test)?,
            target: test.target().clone(),
            measure,
        }))
    }

    /// What a candidate gives after each of some numbers of iterations; none from where it left its interval.
    fn trial<J: Judged>(&self, setting: &Setting, after: &[usize]) -> Result<Vec<Option<J>>> {
        let features = self.train.rows().ncols();
        let mut found = vec![None; after.len()];
        let mut state = State::zero(features * self.train.chains());
        let mut plain = setting.plain(&self.train)?;
        for (&iterations, found) in after.iter().zip(&mut found) {
            plain.iterations = iterations - state.iteration;
            let Ok(next) = within(&self.train, &plain, state)? else {
                break;
            };
            *found = Some(J::of(self, &next.w)?);
            state = next;
        }
        Ok(found)
    }

    fn exact<J: Judged>(&self) -> Result<J> {
        let penalty = 1.0 / self.train.rows().nrows() as f64;
        J::of(self, &exact_weights(&self.train, penalty)?)
    }

    /// Scores of rows held back by the weights of each training.
    fn scores(&self, weights: &Array1<f64>) -> Result<Vec<Vec<f64>>> {
        let each = self.test.ncols() + 1;
        let chains = weights.exact_chunks(each).into_iter();
        chains
            .map(|weights| Ok(scores(&self.test, &weights.to_owned())?))
            .collect()
    }
}

fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

impl Judged for Accuracy {
    type Mean = Errors;

    fn mean(of_folds: &[Self]) -> Option<Errors> {
        let explained: Option<Vec<f64>> = of_folds.iter().map(|fold| fold.r_squared).collect();
        let (r_squared, spread) = mean_and_spread(&explained?);
        let rmse: Vec<f64> = of_folds.iter().map(|fold| fold.rmse).collect();
        Some(Errors {
            r_squared,
            spread,
            rmse: mean_and_spread(&rmse).0,
        })
    }

    fn value(mean: &Errors, _: &[Self]) -> f64 {
        mean.r_squared
    }

    fn of(fold: &Fold, weights: &Array1<f64>) -> Result<Self> {
        let (Target::Real { values, .. }, Some(measure)) = (&fold.target, &fold.measure) else {
            return Ok(Self::measure(&[], &[], 0.0)?);
        };
        let scores = fold.scores(weights)?.into_iter().flatten();
        let told: Vec<f64> = scores.map(|score| measure.value(score)).collect();
        Ok(Self::measure(&told, values, measure.mean)?)
    }
}

/// What a fold says of several classes.
#[derive(Clone, Copy)]
struct OfClasses {
    accuracy: f64,
    balanced: f64,
    largest: f64,
}

impl Judged for OfClasses {
    type Mean = Shares;

    fn mean(of_folds: &[Self]) -> Option<Shares> {
        let shares: Vec<f64> = of_folds.iter().map(|fold| fold.accuracy).collect();
        let balanced: Vec<f64> = of_folds.iter().map(|fold| fold.balanced).collect();
        let (accuracy, spread) = mean_and_spread(&shares);
        Some(Shares {
            accuracy,
            spread,
            balanced_accuracy: mean_and_spread(&balanced).0,
        })
    }

    /// Beyond what the largest class is for every row.
    fn value(mean: &Shares, fold: &[Self]) -> f64 {
        let largest: Vec<f64> = fold.iter().map(|fold| fold.largest).collect();
        mean.accuracy - mean_and_spread(&largest).0
    }

    fn of(fold: &Fold, weights: &Array1<f64>) -> Result<Self> {
        let Target::Several { labels, names } = &fold.target else {
            return Err(DataError::EmptyTable { header: false }.into());
        };
        let scores = fold.scores(weights)?;
        let told = |row: usize| highest(scores.iter().map(|of_class| of_class[row])).unwrap_or(0);
        let told: Vec<usize> = (0..labels.len()).map(told).collect();
        let found = SeveralClasses::measure(&told, labels, names)?;
        Ok(Self {
            accuracy: found.accuracy,
            balanced: found.balanced_accuracy,
            largest: found.largest_class,
        })
    }
}
