//! Errors of weights, before anything is encrypted.

use std::{collections::BTreeSet, sync::Arc};

use arras_ckks::Parameters;
use arras_toolkit::{Samples, ScaleAndPrecision};
use chacha20::ChaCha20Rng;
use ndarray::{Array1, Array2};
use rand_core::{Rng, SeedableRng};

use super::{Optimizer, Round, TrainingPlan};
use crate::{
    Result,
    circuits::Start,
    plain::{self, History, PlainSettings, State},
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
    Rows(Arc<Array2<f64>>),
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
        minibatches: &[Array2<f64>],
        start: Option<&State>,
    ) -> Result<f64> {
        let inputs = self.circuit.inputs(minibatches, start)?;
        let predictor = ScaleAndPrecision::new(params, Samples::given(inputs));
        let predicted = predictor.predict_numbers(&self.program, |outputs| -> Result<_> {
            let (weights, _) = self.circuit.weights(|name| outputs.get(name))?;
            Ok(weights.to_vec())
        })?;
        Ok(predicted.worst_error)
    }

    /// Minibatches and a start that may be anything.
    fn any_data(&self) -> (Vec<Array2<f64>>, Option<State>) {
        let spec = self.circuit.spec();
        let mut random = ChaCha20Rng::seed_from_u64(self.index as u64);
        let mut uniform = || random.next_u64() as i64 as f64 / (1u64 << 63) as f64;
        let minibatches = (0..spec.iterations())
            .map(|_| {
                let shape = (spec.minibatch, spec.features);
                let mut z = Array2::from_shape_simple_fn(shape, &mut uniform);
                // The intercept's column is the label itself.
                z.column_mut(0).mapv_inplace(f64::signum);
                z
            })
            .collect();
        let start = (spec.start == Start::Encrypted).then(|| {
            let w = Array1::from_shape_simple_fn(spec.features, &mut uniform);
            State::at_rest(self.first, w)
        });
        (minibatches, start)
    }
}

/// The largest predicted error of any weight after a plan's first and last round.
pub(super) fn predicted_error(plan: &TrainingPlan, errors: &ErrorsFor) -> Result<Option<f64>> {
    let mut worst = 0.0f64;
    for index in BTreeSet::from([0, plan.rounds().len() - 1]) {
        let round = plan.round(index)?;
        let (minibatches, start) = match errors {
            ErrorsFor::Nothing => return Ok(None),
            ErrorsFor::AnyData => round.any_data(),
            ErrorsFor::Rows(z) => {
                let settings = plan.settings();
                let mut plain = settings.plain(z.nrows())?;
                plain.batches = Minibatches::new(z.nrows(), plan.minibatch(), settings.order)?;
                let count = round.circuit.spec().iterations();
                let minibatches = plain.batches.select(z, round.first, count);
                plain.iterations = round.first;
                let start = match round.first {
                    0 => None,
                    _ => Some(twin(settings.optimizer, z, &plain)?.1),
                };
                (minibatches, start)
            }
        };
        worst = worst.max(round.predicted_error(plan.params(), &minibatches, start.as_ref())?);
    }
    Ok(Some(worst))
}

/// A training in the clear, from the beginning, and the state after it.
pub(super) fn twin(
    optimizer: Optimizer,
    z: &Array2<f64>,
    plain: &PlainSettings,
) -> Result<(History, State)> {
    let start = State::zero(z.ncols());
    match optimizer {
        Optimizer::Nesterov => plain::nesterov(z, plain, start),
        Optimizer::GradientDescent | Optimizer::FixedHessian => {
            let history = plain::gradient_descent(z, plain, 0, start.w.clone())?;
            let w = history.weights().cloned().unwrap_or(start.w);
            Ok((history, State::at_rest(plain.iterations, w)))
        }
    }
}
