//! A program on plaintext slots with the errors that encryption would add.

use std::borrow::Cow;

use arras_ckks::NoiseModel;
use arras_hal::Named;

use super::{
    Batch, Interpretation,
    cleartext::{evaluate, packed},
    random::Random,
};
use crate::{
    Bindings, Program, Result, Value,
    circuit::{Op, Plain, PlainId},
    program::{Form, State, StepId},
};

/// Runs programs on plaintext with random errors of the sizes that a [`NoiseModel`] predicts, one trial of what an encrypted run
/// may give. Values carry their errors from step to step, so that products, cancellations and correlations are as they are.
///
/// A rounding error that meets the secret is, in slot j, proportional to the secret's value at that slot's root of unity, in all steps
/// alike: a trial draws these values once. The same constant at the same level has the same encoding error wherever it is used. The
/// seed determines all.
#[derive(Clone, Debug)]
pub struct Noisy {
    model: NoiseModel,
    inputs: Vec<Batch>,
    /// Magnitude of the secret at each slot's root over its root mean square.
    secret: Vec<f64>,
    seed: u64,
    public: bool,
}

/// What a stream of random numbers is for.
#[derive(Clone, Copy)]
enum Purpose {
    Secret,
    Step,
    Constant,
}

impl Noisy {
    /// For a program with these inputs, encrypted with the secret key.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::SlotsMismatch`], [`crate::ToolkitErrorKind::TooFewLevels`] if the model's parameters cannot run the program;
    /// [`crate::ToolkitErrorKind::UnknownName`] for a missing input or one too many; those of [`crate::Layout::pack`].
    pub fn new(
        program: &Program,
        inputs: &Bindings<Value>,
        model: &NoiseModel,
        seed: u64,
    ) -> Result<Self> {
        let params = model.params();
        program.check_fits(params).named("predict")?;
        let inputs = packed(program, inputs)?;
        let mut random = Random::new(&[seed, Purpose::Secret as u64]);
        let secret = (0..params.slots())
            .map(|_| random.normal().hypot(random.normal()) * std::f64::consts::FRAC_1_SQRT_2)
            .collect();
        Ok(Self {
            model: model.clone(),
            inputs,
            secret,
            seed,
            public: false,
        })
    }

    /// With inputs that were encrypted with the public key.
    #[must_use]
    pub fn public_key(mut self) -> Self {
        self.public = true;
        self
    }

    fn stream(&self, purpose: Purpose, words: [u64; 2]) -> Random {
        Random::new(&[self.seed, purpose as u64, words[0], words[1]])
    }

    /// A constant as it is encoded at a level.
    fn encoded(&self, program: &Program, id: PlainId, level: usize) -> Result<Plain> {
        let encoding = self.model.encoding(level)?;
        Ok(program.circuit().plain(id).map(|index, vector| {
            if vector.iter().all(|&x| x == 0.0) {
                return vector.to_vec();
            }
            // A vector of a short period has as many coefficients that are not zero.
            let share = (vector.len() as f64 / self.secret.len() as f64).sqrt();
            let deviation = encoding * share;
            let word = (id.0 as u64) << 32 | index as u64;
            let mut random = self.stream(Purpose::Constant, [word, level as u64]);
            let error = || deviation * random.normal();
            vector
                .iter()
                .zip(std::iter::repeat_with(error))
                .map(|(x, e)| x + e)
                .collect()
        }))
    }

    /// Adds an error without relation to the secret.
    fn add_plain_error(value: &mut [f64], deviation: f64, random: &mut Random) {
        for x in value {
            *x += deviation * random.normal();
        }
    }

    /// Adds the rounding of a ciphertext.
    fn add_rounding(&self, value: &mut [f64], deviation: f64, random: &mut Random) {
        for (x, secret) in value.iter_mut().zip(&self.secret) {
            *x += deviation * secret * random.normal();
        }
    }

    /// Adds the rounding of a ciphertext and an error without relation to it, whose variance in each slot is given: the sum of both is one
    /// normally distributed number.
    fn add_both(
        &self,
        value: &mut [f64],
        variance: impl Fn(usize) -> f64,
        rounding: f64,
        random: &mut Random,
    ) {
        for (j, (x, secret)) in value.iter_mut().zip(&self.secret).enumerate() {
            let rounding = rounding * secret;
            *x += (variance(j) + rounding * rounding).sqrt() * random.normal();
        }
    }

    /// The errors that a step adds to one of its ciphertexts, besides those of its constants: of encryption, key switches, rescales
    /// and changes of level.
    fn add_errors(
        &self,
        program: &Program,
        id: StepId,
        unit: usize,
        value: &mut [f64],
    ) -> Result<()> {
        let step = program.step(id);
        let model = &self.model;
        let mut random = self.stream(Purpose::Step, [id.index() as u64, unit as u64]);
        let random = &mut random;
        let (from, to) = (step.operand_state(), step.level());
        let rotations = step.op().rotations();
        if let Op::Input(_) = step.op() {
            if self.public {
                self.add_rounding(value, model.public_encryption(to)?, random);
            } else {
                Self::add_plain_error(value, model.encryption(to)?, random);
            }
        } else if let Op::LowerLevel(_) = step.op() {
            let bias = model.level_down_bias(from.level, to)?;
            value.iter_mut().for_each(|x| *x += bias * *x);
            self.add_rounding(value, model.rescale(to)?, random);
        } else if let Op::WeightedRotationSum { steps, weights } = step.op() {
            let switch = model.key_switch(from.level)?;
            // Of each rotation its weight times an error of its own.
            let mut squares = vec![0.0; value.len()];
            for (_, &weight) in steps.iter().zip(weights).filter(|(s, _)| **s != 0) {
                let weight = program.circuit().plain(weight);
                for (j, sum) in squares.iter_mut().enumerate() {
                    *sum += weight.at(unit, j).powi(2);
                }
            }
            let variance = |j: usize| switch * switch * squares[j];
            self.add_both(value, variance, model.rescale(to)?, random);
        } else if !rotations.is_empty() {
            self.rotation_errors(value, rotations, from.form, to, random)?;
        } else if from.form != Form::Settled && step.form() == Form::Settled {
            if from.form == Form::Pending3 {
                let switch = self.pending_switch(to)?;
                self.add_both(value, |_| switch * switch, model.rescale(to)?, random);
            } else {
                self.add_rounding(value, model.rescale(to)?, random);
            }
        }
        Ok(())
    }

    /// A key switch of a pending operand that lands on `to`, without its rounding.
    fn pending_switch(&self, to: usize) -> Result<f64> {
        let both = self.model.relinearize_and_rescale(to)?;
        let rounding = self.model.rescale(to)?;
        Ok((both * both - rounding * rounding).max(0.0).sqrt())
    }

    fn rotation_errors(
        &self,
        value: &mut [f64],
        steps: &[i64],
        form: Form,
        to: usize,
        random: &mut Random,
    ) -> Result<()> {
        let mut counts = std::collections::BTreeMap::<i64, f64>::new();
        for &steps in steps.iter().filter(|&&s| s != 0) {
            *counts.entry(steps).or_default() += 1.0;
        }
        if counts.is_empty() && form == Form::Settled {
            return Ok(());
        }
        let switch = if form == Form::Settled {
            self.model.key_switch(to)?
        } else {
            self.pending_switch(to)?
        };
        let squares: f64 = counts.values().map(|k| k * k).sum();
        let variance = switch * switch * squares;
        self.add_both(value, |_| variance, self.model.rescale(to)?, random);
        Ok(())
    }
}

impl Interpretation for Noisy {
    type Value = Batch;

    fn step(&mut self, program: &Program, id: StepId, operands: &[&Batch]) -> Result<Batch> {
        let step = program.step(id);
        let State { level, form } = step.operand_state();
        let params = self.model.params();
        let scale = match form {
            Form::Settled => params.scale(level),
            Form::Pending2 | Form::Pending3 => params.scale(level + 1).powi(2),
        };
        let plain = |id| Ok(Cow::Owned(self.encoded(program, id, level)?));
        let number = |x: f64| (x * scale).round() / scale;
        let mut value = evaluate(step, &self.inputs, operands, &plain, &number)?;
        for (unit, x) in value.iter_mut().enumerate() {
            self.add_errors(program, id, unit, x)?;
        }
        Ok(value)
    }
}
