//! Errors of a round's weights, before anything is encrypted.

use std::collections::BTreeMap;

use arras_ckks::{NoiseModel, Parameters};
use arras_toolkit::{
    Plaintext, Value,
    interpret::{Noisy, walk},
};
use chacha20::ChaCha20Rng;
use ndarray::{Array1, Array2};
use rand_core::{Rng, SeedableRng};

use super::Round;
use crate::{Result, circuits::Start, plain::State};

/// Trials of a prediction: each draws other errors.
const TRIALS: u64 = 3;

/// Half a bit: trials are few.
const SAFETY: f64 = std::f64::consts::SQRT_2;

/// The largest error of any weight that a round returns, predicted from the noise of every step for data spread evenly over
/// \[-1, 1\], as max-abs normalization leaves it, with both labels equally often.
///
/// # Errors
/// The toolkit's, for parameters that cannot run the round.
pub fn predicted_error(params: &Parameters, round: &Round) -> Result<f64> {
    let spec = round.circuit.spec();
    let mut random = ChaCha20Rng::seed_from_u64(round.index as u64);
    let mut uniform = || random.next_u64() as i64 as f64 / (1u64 << 63) as f64;
    let minibatches: Vec<Array2<f64>> = (0..spec.iterations())
        .map(|_| {
            let mut z = Array2::from_shape_simple_fn((spec.minibatch, spec.features), &mut uniform);
            // The intercept's column is the label itself.
            z.column_mut(0).mapv_inplace(f64::signum);
            z
        })
        .collect();
    let start = (spec.start == Start::Encrypted).then(|| {
        let w = Array1::from_shape_simple_fn(spec.features, &mut uniform);
        State {
            iteration: round.first,
            v: w.clone(),
            w,
        }
    });
    predicted_error_of(params, round, &minibatches, start.as_ref())
}

/// [`predicted_error`] for known minibatches and, for rounds after the first, the state that they start from.
///
/// # Errors
/// As [`predicted_error`]; [`crate::DataError::Length`] for data that the round was not recorded for.
pub fn predicted_error_of(
    params: &Parameters,
    round: &Round,
    minibatches: &[Array2<f64>],
    start: Option<&State>,
) -> Result<f64> {
    let inputs = round.circuit.inputs(minibatches, start)?;
    let model = NoiseModel::new(params);
    let names: Vec<&str> = round
        .program
        .circuit()
        .outputs()
        .iter()
        .map(arras_toolkit::circuit::Output::name)
        .collect();
    let mut worst = 0.0f64;
    for trial in 0..TRIALS {
        let mut beside = (
            Plaintext::new(&round.program, &inputs)?,
            Noisy::new(&round.program, &inputs, &model, trial)?,
        );
        let (mut exact, mut noisy) = (BTreeMap::new(), BTreeMap::new());
        walk(&round.program, &mut beside, |i, (plain, with_errors)| {
            exact.insert(names[i], Value::Slots(plain.clone()));
            noisy.insert(names[i], Value::Slots(with_errors.clone()));
            Ok(())
        })?;
        let (exact, _) = round.circuit.weights(|name| exact.get(name))?;
        let (noisy, _) = round.circuit.weights(|name| noisy.get(name))?;
        for (a, b) in exact.iter().zip(&noisy) {
            worst = worst.max(SAFETY * (a - b).abs());
        }
    }
    Ok(worst)
}
