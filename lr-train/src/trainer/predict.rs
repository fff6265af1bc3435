//! Errors of weights, before anything is encrypted.

use std::{collections::BTreeSet, sync::Arc};

use arras_ckks::Parameters;
use arras_hal::StopToken;
use arras_toolkit::{
    Samples, ScaleAndPrecision, ToolkitError,
    interpret::{BrokenAssumption, PredictedNumbers},
};
use chacha20::ChaCha20Rng;
use ndarray::{Array1, Array2};
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::{Optimizer, Round, TrainingPlan};
use crate::{
    Result,
    circuits::{Constants, Start},
    plain::{self, Examples, History, PlainSettings, State},
    split::Minibatches,
};

/// For which data a plan's errors are predicted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ErrorsFor {
    /// None: nothing is predicted.
    Nothing,
    /// Data spread evenly over \[-1, 1\], as max-abs normalization leaves it, with both labels equally often.
    #[default]
    AnyData,
    /// These rows, as [`training_rows`](super::training_rows) makes them.
    Rows(Arc<Examples>),
}

impl Round {
    /// The largest error of any weight that the round returns, predicted from the noise of every step for known minibatches and, for
    /// rounds after the first, the state that they start from.
    ///
    /// # Errors
    /// The toolkit's, for parameters that cannot run the round; [`crate::data::DataError::Length`] for data that it was not recorded for.
    pub fn predicted_error(
        &self,
        params: &Parameters,
        minibatches: &[Examples],
        start: Option<&State>,
    ) -> Result<f64> {
        let trials = ScaleAndPrecision::TRIALS;
        let stop = StopToken::new();
        let predicted = self.predict_weights(params, minibatches, start, trials, &stop)?;
        Ok(predicted.worst_error)
    }

    fn predict_weights(
        &self,
        params: &Parameters,
        minibatches: &[Examples],
        start: Option<&State>,
        trials: usize,
        stop: &StopToken,
    ) -> Result<PredictedNumbers> {
        let inputs = self.circuit.inputs(minibatches, start)?;
        let predictor = ScaleAndPrecision::new(params, Samples::given(inputs))
            .trials(trials)
            .with_stop_token(stop.clone());
        predictor.predict_numbers(&self.program, |outputs| -> Result<_> {
            let (weights, _) = self.circuit.weights(|name| outputs.get(name))?;
            Ok(weights.to_vec())
        })
    }

    /// Minibatches and a start that may be anything.
    fn any_data(&self) -> Result<(Vec<Examples>, Option<State>)> {
        let spec = self.circuit.spec();
        let mut random = ChaCha20Rng::seed_from_u64(self.index as u64);
        let mut uniform = || random.next_u64() as i64 as f64 / (1u64 << 63) as f64;
        let minibatches: Result<Vec<Examples>, _> = (0..spec.iterations())
            .map(|_| {
                let shape = (spec.minibatch, spec.features);
                let mut z = Array2::from_shape_simple_fn(shape, &mut uniform);
                if spec.constants == Constants::Apart {
                    z.column_mut(0).fill(1.0);
                    let shape = (spec.minibatch, spec.chains);
                    let constants = Array2::from_shape_simple_fn(shape, &mut uniform);
                    return Examples::side_by_side(z, constants);
                }
                // The intercept's column is the label itself.
                z.column_mut(0).mapv_inplace(f64::signum);
                Ok(z.into())
            })
            .collect();
        let minibatches = minibatches?;
        let start = (spec.start == Start::Encrypted).then(|| {
            let w = Array1::from_shape_simple_fn(spec.features * spec.chains, &mut uniform);
            State::at_rest(self.first, w)
        });
        Ok((minibatches, start))
    }
}

/// What a plan's error was predicted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Sample {
    /// Rows of each minibatch that the runs computed on: all of them where that is not too much work.
    pub rows: usize,
    /// Runs with errors of each round that was looked at, the first and the last.
    pub trials: usize,
}

/// Slots that the runs of a round may compute, the exact one and those with errors.
const MOST_WORK: u64 = 1 << 27;
/// Fewer rows of a minibatch are not looked at: where few rows are added up, errors of products outweigh those of sums.
const FEWEST_ROWS: usize = 64;

impl Sample {
    /// What the work suffices for, and the round recorded for its minibatches.
    fn of(plan: &TrainingPlan, index: usize) -> Result<(Self, Arc<Round>)> {
        let mut round = plan.round(index)?;
        let mut rows = plan.minibatch();
        while 2 * round.program.slot_operations() > MOST_WORK && rows / 2 >= FEWEST_ROWS {
            let fewer = plan.round_of_rows(index, rows / 2)?;
            // A constant may happen to be an integer, and save a level, with one number of rows alone.
            if fewer.program.levels_needed() > plan.params().max_level() {
                break;
            }
            rows /= 2;
            round = Arc::new(fewer);
        }
        let runs = MOST_WORK / round.program.slot_operations().max(1);
        let trials = usize::try_from(runs.saturating_sub(1)).unwrap_or(usize::MAX);
        let trials = trials.clamp(1, ScaleAndPrecision::TRIALS);
        Ok((Self { rows, trials }, round))
    }
}

/// What was predicted of a plan.
pub(super) struct Predicted {
    /// The largest error of any weight.
    pub(super) error: f64,
    pub(super) sample: Sample,
    /// The first assumption of a circuit that does not hold for the rows given.
    pub(super) broken: Option<BrokenAssumption>,
}

/// The largest predicted error of any weight after a plan's first and last round.
///
/// Where minibatches are too large, their first rows stand for all. What a step's errors add up to in a gradient grows with the root of
/// the rows; errors of inner products, which are divided by the rows, grow slower. So the error of fewer rows times that root is estimated from
/// above: for MNIST's 196 features at N = 2^17, 4.1e-5 for 256 rows becomes 8.2e-5 for 1,024, of which all give 7.1e-5.
pub(super) fn predicted_error(
    plan: &TrainingPlan,
    errors: &ErrorsFor,
    step: &mut dyn FnMut() -> Result<()>,
    stop: &StopToken,
) -> Result<Option<Predicted>> {
    let mut worst: Option<Predicted> = None;
    for index in BTreeSet::from([0, plan.rounds().len() - 1]) {
        step()?;
        let (sample, round) = match errors {
            ErrorsFor::Nothing => return Ok(None),
            _ => Sample::of(plan, index)?,
        };
        let (minibatches, start) = match errors {
            ErrorsFor::Nothing => return Ok(None),
            ErrorsFor::AnyData => round.any_data()?,
            ErrorsFor::Rows(z) => {
                let settings = plan.settings();
                let mut plain = settings.plain_of(&**z)?;
                plain.batches = Minibatches::of_examples(&**z, plan.minibatch(), settings.order)?;
                let count = round.circuit.spec().iterations();
                let rows = |t| {
                    let all = plain.batches.select(z, round.first + t, 1);
                    let first: Vec<usize> = (0..sample.rows).collect();
                    let first = all.iter().map(|batch| batch.select(&first));
                    first.collect::<Vec<_>>()
                };
                let minibatches = (0..count).flat_map(rows).collect();
                plain.iterations = round.first;
                let start = match round.first {
                    0 => None,
                    _ => Some(twin(settings.optimizer, z, &plain, stop)?.1),
                };
                (minibatches, start)
            }
        };
        let (params, start) = (plan.params(), start.as_ref());
        let of = round.predict_weights(params, &minibatches, start, sample.trials, stop)?;
        let error = of.worst_error * (plan.minibatch() as f64 / sample.rows as f64).sqrt();
        // Rows that nobody has promise nothing.
        let broken = of.broken.into_iter().next();
        let broken = broken.filter(|_| matches!(errors, ErrorsFor::Rows(_)));
        worst = Some(match worst {
            None => Predicted {
                error,
                sample,
                broken,
            },
            Some(before) => Predicted {
                error: error.max(before.error),
                sample: Sample {
                    rows: sample.rows.min(before.sample.rows),
                    trials: sample.trials.min(before.sample.trials),
                },
                broken: before.broken.or(broken),
            },
        });
    }
    Ok(worst)
}

/// Entries of rows that the twin goes through before it looks whether it is to end: a tenth of a second.
const STRETCH: usize = 1 << 26;

/// A training in the clear, from the beginning, and the state after it. The token ends it.
pub(super) fn twin(
    optimizer: Optimizer,
    z: &Examples,
    plain: &PlainSettings,
    stop: &StopToken,
) -> Result<(History, State)> {
    let weights = z.rows().ncols() * z.chains();
    let mut state = State::zero(weights);
    let mut history = History::new(0, plain.sigmoid.bound());
    let entries = plain.batches.size().saturating_mul(weights);
    let stretch = (STRETCH / entries.max(1)).clamp(1, 64);
    while state.iteration < plain.iterations {
        stop.check().map_err(ToolkitError::from)?;
        let mut part = plain.clone();
        part.iterations = stretch.min(plain.iterations - state.iteration);
        let done = state.iteration + part.iterations;
        let trained = match optimizer {
            Optimizer::Nesterov => plain::nesterov(z, &part, state),
            Optimizer::GradientDescent | Optimizer::FixedHessian => {
                let State { iteration, w, .. } = state;
                plain::gradient_descent(z, &part, iteration, w.clone()).map(|trained| {
                    let w = trained.weights().cloned().unwrap_or(w);
                    (trained, State::at_rest(done, w))
                })
            }
        };
        let (trained, after) = trained.map_err(|error| history.diverged_after(error))?;
        history.append(trained);
        state = after;
    }
    Ok((history, state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        circuits::Kind,
        trainer::{PlannerOptions, Rounds, Settings, plan, tests::insecure},
    };

    #[test]
    fn a_few_rows_tell_the_error_of_many_from_above() {
        let settings = Settings::new(256, 4).circuit(Kind::MaskFree);
        let (plan, _) = plan(&settings, 31, 400, &insecure(11)).unwrap();
        let error = |round: &Round| {
            let (minibatches, start) = round.any_data().unwrap();
            let predicted = round.predicted_error(plan.params(), &minibatches, start.as_ref());
            predicted.unwrap()
        };
        let all = error(&plan.round(0).unwrap());
        for rows in [128, 64] {
            let few = error(&plan.round_of_rows(0, rows).unwrap());
            let estimated = few * (256.0 / rows as f64).sqrt();
            println!("{all:.2e}, from {rows} rows {estimated:.2e}");
            // Trials scatter by a tenth.
            assert!(estimated > 0.8 * all && estimated < 3.0 * all);
        }
    }

    #[test]
    fn the_work_has_a_bound() {
        let settings = Settings::new(1024, 32).rounds(Rounds::Count(2));
        let options = PlannerOptions::new()
            .log_n(17..=17)
            .errors(ErrorsFor::Nothing);
        let settings = settings.circuit(Kind::MaskFree);
        let (plan, _) = plan(&settings, 197, 12_000, &options).unwrap();
        let whole = plan.round(1).unwrap().program.slot_operations();
        let (sample, round) = Sample::of(&plan, 1).unwrap();
        let runs = sample.trials as u64 + 1;
        let work = runs * round.program.slot_operations();
        println!("{sample:?}: {work} of {}", 5 * whole);
        assert_eq!(round.circuit.spec().minibatch, sample.rows);
        assert!(sample.rows < 1024 && 5 * whole > 10 * MOST_WORK);
        assert!(work <= MOST_WORK || (sample.rows, sample.trials) == (FEWEST_ROWS, 1));
    }
}
