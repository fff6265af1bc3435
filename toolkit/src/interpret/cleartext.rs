//! A program on plaintext slots.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Batch, BrokenAssumption, Interpretation, PlannedAssumption, bounds::assumed_of, walk};
use crate::{
    Bindings, Program, Result, Value,
    circuit::{Input, Op, Plain, PlainId},
    program::{Step, StepId},
    run::check_inputs,
};

/// Runs programs on plaintext: the values that the encrypted run approximates.
#[derive(Clone, Debug)]
pub struct Cleartext {
    inputs: Vec<Batch>,
    largest: f64,
    /// Of the last step alone.
    latest: f64,
    broken: Vec<BrokenAssumption>,
}

/// What a plaintext run gave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CleartextRun {
    /// The outputs by name.
    pub outputs: BTreeMap<String, Value>,
    /// The slots of each output's ciphertexts, by name.
    pub slots: BTreeMap<String, Vec<Vec<f64>>>,
    /// The largest magnitude in any slot of any step.
    pub largest: f64,
    /// The circuit's assumptions that do not hold for these inputs.
    pub broken: Vec<BrokenAssumption>,
}

impl Cleartext {
    /// For a program with these inputs.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::UnknownName`] for a missing input or one too many; those of [`crate::Layout::pack`].
    pub fn new(program: &Program, inputs: &Bindings<Value>) -> Result<Self> {
        Ok(Self {
            inputs: packed(program, inputs)?,
            largest: 0.0,
            latest: 0.0,
            broken: vec![],
        })
    }

    /// The largest magnitude seen so far.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The largest magnitude of the last step.
    pub(super) fn latest(&self) -> f64 {
        self.latest
    }

    /// Assumptions that did not hold so far.
    pub fn broken(&self) -> &[BrokenAssumption] {
        &self.broken
    }

    /// Runs a program.
    ///
    /// # Errors
    /// Those of [`Cleartext::new`].
    pub fn run(program: &Program, inputs: &Bindings<Value>) -> Result<CleartextRun> {
        let mut plaintext = Self::new(program, inputs)?;
        let mut slots = BTreeMap::new();
        let mut outputs = BTreeMap::new();
        walk(program, &mut plaintext, |i, value| {
            let output = &program.circuit().outputs()[i];
            let name = output.name().to_owned();
            outputs.insert(name.clone(), output.layout().unpack(&name, value)?);
            slots.insert(name, value.clone());
            Ok(())
        })?;
        Ok(CleartextRun {
            outputs,
            slots,
            largest: plaintext.largest,
            broken: plaintext.broken,
        })
    }
}

impl Interpretation for Cleartext {
    type Value = Batch;

    fn step(&mut self, program: &Program, id: StepId, operands: &[&Batch]) -> Result<Batch> {
        let plain = |id| Ok(Cow::Borrowed(program.circuit().plain(id)));
        let value = evaluate(program.step(id), &self.inputs, operands, &plain, &|x| x)?;
        let largest = largest_magnitude(&value);
        self.latest = largest;
        self.largest = self.largest.max(largest);
        let node = program.step(id).node();
        if let Some(bound) = assumed_of(program, id).filter(|&bound| largest > bound) {
            let assumption = PlannedAssumption::of_node(program.circuit(), node, bound);
            self.broken.push(BrokenAssumption {
                assumption,
                largest,
            });
        }
        Ok(value)
    }
}

/// The largest magnitude of any slot; that of what is not a number is infinite.
fn largest_magnitude(batch: &Batch) -> f64 {
    // Side by side, so that one comparison need not wait for the one before.
    const LANES: usize = 8;
    let mut largest = [0.0f64; LANES];
    let mut is_number = true;
    for unit in batch {
        for slots in unit.chunks(LANES) {
            for (largest, x) in largest.iter_mut().zip(slots) {
                let magnitude = x.abs();
                is_number &= !magnitude.is_nan();
                *largest = if magnitude > *largest {
                    magnitude
                } else {
                    *largest
                };
            }
        }
    }
    if is_number {
        largest.into_iter().fold(0.0, f64::max)
    } else {
        f64::INFINITY
    }
}

/// The slots of a program's inputs, in order; none of an input that no output depends on and that is not given.
pub(super) fn packed(program: &Program, inputs: &Bindings<Value>) -> Result<Vec<Batch>> {
    check_inputs(program.circuit(), inputs)?;
    let pack = |input: &Input| match inputs.get(input.name()) {
        Some(value) => input.layout().pack(input.name(), value),
        None => Ok(vec![]),
    };
    program.circuit().inputs().iter().map(pack).collect()
}

/// What a step does to slots, with constants and numbers as `plain` and `number` encode them.
pub(crate) fn evaluate<'p>(
    step: &Step,
    inputs: &[Batch],
    operands: &[&Batch],
    plain: &dyn Fn(PlainId) -> Result<Cow<'p, Plain>>,
    number: &dyn Fn(f64) -> f64,
) -> Result<Batch> {
    let units = step.units();
    let zero = || vec![vec![0.0; operands.first().map_or(0, |o| o[0].len())]; units];
    let number = |value: &f64| number(*value);
    Ok(match step.op() {
        Op::Input(index) => inputs[*index].clone(),
        Op::Add => binary(units, operands[0], operands[1], |a, b| a + b),
        Op::Sub => binary(units, operands[0], operands[1], |a, b| a - b),
        Op::Negate => unary(operands[0], |x| -x),
        Op::AddPlain(p) => with_plain(units, operands[0], &*plain(*p)?, |a, b| a + b),
        Op::SubPlain(p) => with_plain(units, operands[0], &*plain(*p)?, |a, b| a - b),
        Op::AddScalar(value) => {
            let value = number(value);
            unary(operands[0], |x| x + value)
        }
        Op::Multiply => binary(units, operands[0], operands[1], |a, b| a * b),
        Op::SumOfProducts => {
            let mut sum = zero();
            for pair in operands.chunks_exact(2) {
                let product = binary(units, pair[0], pair[1], |a, b| a * b);
                for (s, p) in sum.iter_mut().flatten().zip(product.iter().flatten()) {
                    *s += p;
                }
            }
            sum
        }
        Op::MultiplyPlain(p) => with_plain(units, operands[0], &*plain(*p)?, |a, b| a * b),
        Op::WeightedSum(weights) => {
            let mut sum = zero();
            for (operand, &weight) in operands.iter().zip(weights) {
                let weight = plain(weight)?;
                add_rotated(&mut sum, operand, 0, |u, j| weight.at(u, j));
            }
            sum
        }
        Op::MultiplyScalar(value) => {
            let value = number(value);
            unary(operands[0], |x| x * value)
        }
        Op::MultiplyInteger(value) => {
            let value = *value as f64;
            unary(operands[0], |x| x * value)
        }
        Op::Rotate(_) | Op::RotationSum(_) => {
            let mut sum = zero();
            for &steps in step.op().rotations() {
                add_rotated(&mut sum, operands[0], steps, |_, _| 1.0);
            }
            sum
        }
        Op::WeightedRotationSum { steps, weights } => {
            let mut sum = zero();
            for (&steps, &weight) in steps.iter().zip(weights) {
                let weight = plain(weight)?;
                add_rotated(&mut sum, operands[0], steps, |u, j| weight.at(u, j));
            }
            sum
        }
        Op::Pick(positions) => positions.iter().map(|&i| operands[0][i].clone()).collect(),
        Op::Concat => operands.iter().flat_map(|o| o.iter().cloned()).collect(),
        Op::RelinearizeAndRescale | Op::LowerLevel(_) => operands[0].clone(),
    })
}

/// A function of every slot.
fn unary(a: &Batch, f: impl Fn(f64) -> f64) -> Batch {
    let unit = |unit: &Vec<f64>| unit.iter().map(|&x| f(x)).collect();
    a.iter().map(unit).collect()
}

/// A function of two slots; a batch of one ciphertext meets every ciphertext of the other.
fn binary(units: usize, a: &Batch, b: &Batch, f: impl Fn(f64, f64) -> f64) -> Batch {
    let unit = |u: usize| {
        let pairs = a[u % a.len()].iter().zip(&b[u % b.len()]);
        pairs.map(|(&a, &b)| f(a, b)).collect()
    };
    (0..units).map(unit).collect()
}

/// A function of a slot and a constant's.
fn with_plain(units: usize, a: &Batch, p: &Plain, f: impl Fn(f64, f64) -> f64) -> Batch {
    let unit = |u: usize| {
        let slots = a[u % a.len()].iter().enumerate();
        slots.map(|(j, &x)| f(x, p.at(u, j))).collect()
    };
    (0..units).map(unit).collect()
}

/// Adds a batch, rotated to the left and weighted slot by slot.
fn add_rotated(
    sum: &mut [Vec<f64>],
    units: &[Vec<f64>],
    steps: i64,
    weight: impl Fn(usize, usize) -> f64,
) {
    for (u, sum) in sum.iter_mut().enumerate() {
        let unit = &units[u % units.len()];
        let shift = steps.rem_euclid(unit.len() as i64) as usize;
        let (wrapped, first) = unit.split_at(shift);
        let (low, high) = sum.split_at_mut(first.len());
        for (part, from, at) in [(low, first, 0), (high, wrapped, first.len())] {
            for (j, (s, x)) in part.iter_mut().zip(from).enumerate() {
                *s += weight(u, at + j) * x;
            }
        }
    }
}
