//! A program on plaintext slots with the errors that encryption would add.

use arras_ckks::NoiseModel;
use arras_hal::Named;

use super::{Interpretation, plaintext::evaluate, random::Random};
use crate::{
    Result, Value,
    circuit::{Plain, PlainId},
    program::{Form, Program, StepId, StepOp},
    run::{Bindings, check_inputs},
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
    inputs: Vec<Vec<Vec<f64>>>,
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
        let (circuit, params) = (program.circuit(), model.params());
        program.check_fits(params).named("predict")?;
        check_inputs(circuit, inputs)?;
        let inputs = circuit
            .inputs()
            .iter()
            .map(|input| match inputs.get(input.name()) {
                Some(value) => input.layout().pack(input.name(), value),
                None => Ok(vec![]),
            })
            .collect::<Result<_>>()?;
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

    /// Errors of a constant's encoding in the ciphertext `unit`, as long as its period.
    fn encoding(
        &self,
        program: &Program,
        id: PlainId,
        unit: usize,
        level: usize,
    ) -> Result<Vec<f64>> {
        let plain: &Plain = program.circuit().plain(id);
        let index = unit % plain.vectors().len();
        let vector = &plain.vectors()[index];
        if vector.iter().all(|&x| x == 0.0) {
            return Ok(vec![0.0; vector.len()]);
        }
        // A vector of a short period has as many coefficients that are not zero.
        let share = (vector.len() as f64 / self.secret.len() as f64).sqrt();
        let deviation = self.model.encoding(level)? * share;
        let word = (id.0 as u64) << 32 | index as u64;
        let mut random = self.stream(Purpose::Constant, [word, level as u64]);
        Ok(vector.iter().map(|_| deviation * random.normal()).collect())
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

    /// The errors that a step adds to one of its ciphertexts; the operands' ciphertexts are with theirs.
    fn add_errors(
        &self,
        program: &Program,
        id: StepId,
        unit: usize,
        operands: &[&[f64]],
        value: &mut [f64],
    ) -> Result<()> {
        let operand = operands.first().copied().unwrap_or_default();
        let step = program.step(id);
        let model = &self.model;
        let params = model.params();
        let mut random = self.stream(Purpose::Step, [id.index() as u64, unit as u64]);
        let random = &mut random;
        let first = step.operands().first().map(|&o| program.step(o));
        let (from, form) = first.map_or((0, Form::Settled), |s| (s.level(), s.form()));
        let to = step.level();
        match step.op() {
            StepOp::Input(_) if self.public => {
                self.add_rounding(value, model.public_encryption(to)?, random);
            }
            StepOp::Input(_) => Self::add_plain_error(value, model.encryption(to)?, random),
            StepOp::AddPlain(plain) => {
                let error = self.encoding(program, *plain, unit, from)?;
                value
                    .iter_mut()
                    .zip(error.iter().cycle())
                    .for_each(|(x, e)| *x += e);
            }
            StepOp::MultiplyPlain(plain) => {
                let error = self.encoding(program, *plain, unit, from)?;
                for ((x, e), a) in value.iter_mut().zip(error.iter().cycle()).zip(operand) {
                    *x += e * a;
                }
            }
            StepOp::WeightedSum(weights) => {
                for (&weight, operand) in weights.iter().zip(operands) {
                    let error = self.encoding(program, weight, unit, from)?;
                    for ((x, e), a) in value.iter_mut().zip(error.iter().cycle()).zip(*operand) {
                        *x += e * a;
                    }
                }
            }
            StepOp::AddScalar(scalar) => {
                let scale = if form == Form::Settled {
                    params.scale(from)
                } else {
                    params.scale(from + 1).powi(2)
                };
                let error = (scalar * scale).round() / scale - scalar;
                value.iter_mut().for_each(|x| *x += error);
            }
            StepOp::MultiplyScalar(scalar) => {
                let scale = params.scale(from);
                let error = (scalar * scale).round() / scale - scalar;
                value
                    .iter_mut()
                    .zip(operand)
                    .for_each(|(x, a)| *x += error * a);
            }
            StepOp::Settle => {
                if form == Form::Pending3 {
                    Self::add_plain_error(value, self.pending_switch(to)?, random);
                }
                self.add_rounding(value, model.rescale(to)?, random);
            }
            StepOp::LevelDown => {
                let bias = model.level_down_bias(from, to)?;
                value
                    .iter_mut()
                    .zip(operand)
                    .for_each(|(x, a)| *x += bias * a);
                if from != to {
                    self.add_rounding(value, model.rescale(to)?, random);
                }
            }
            StepOp::Rotate(steps) => {
                self.rotation_errors(value, std::slice::from_ref(steps), form, to, random)?;
            }
            StepOp::RotationSum(steps) => {
                self.rotation_errors(value, steps, form, to, random)?;
            }
            StepOp::WeightedRotationSum { steps, weights } => {
                let switch = model.key_switch(from)?;
                for (&steps, &weight) in steps.iter().zip(weights) {
                    let error = self.encoding(program, weight, unit, from)?;
                    let weight = program.circuit().plain(weight);
                    let n = operand.len();
                    let shift = steps.rem_euclid(n as i64) as usize;
                    for (j, x) in value.iter_mut().enumerate() {
                        *x += error[j & (error.len() - 1)] * operand[(j + shift) & (n - 1)];
                        if steps != 0 {
                            *x += weight.at(unit, j) * switch * random.normal();
                        }
                    }
                }
                self.add_rounding(value, model.rescale(to)?, random);
            }
            StepOp::Add
            | StepOp::Sub
            | StepOp::Negate
            | StepOp::Multiply
            | StepOp::SumOfProducts
            | StepOp::MultiplyInteger(_)
            | StepOp::Pick(_)
            | StepOp::Concat => {}
        }
        Ok(())
    }

    /// A key switch of a pending operand that lands on `to`, without its rounding.
    fn pending_switch(&self, to: usize) -> Result<f64> {
        let (both, rounding) = (
            self.model.relinearize_and_rescale(to)?,
            self.model.rescale(to)?,
        );
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
        Self::add_plain_error(value, switch * squares.sqrt(), random);
        self.add_rounding(value, self.model.rescale(to)?, random);
        Ok(())
    }
}

impl Interpretation for Noisy {
    type Value = Vec<Vec<f64>>;

    fn step(
        &mut self,
        program: &Program,
        id: StepId,
        operands: &[&Self::Value],
    ) -> Result<Self::Value> {
        let mut value = match program.step(id).op() {
            StepOp::Input(index) => self.inputs[*index].clone(),
            _ => evaluate(program, id, operands),
        };
        for (unit, x) in value.iter_mut().enumerate() {
            let units: Vec<&[f64]> = operands
                .iter()
                .filter(|o| !o.is_empty())
                .map(|o| o[unit % o.len()].as_slice())
                .collect();
            self.add_errors(program, id, unit, &units, x)?;
        }
        Ok(value)
    }
}
