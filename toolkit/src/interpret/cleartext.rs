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
            broken: vec![],
        })
    }

    /// The largest magnitude seen so far.
    pub fn largest(&self) -> f64 {
        self.largest
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
        let largest = value.iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
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
    let unary = |f: &dyn Fn(f64) -> f64| -> Batch {
        let map = |unit: &Vec<f64>| unit.iter().map(|&x| f(x)).collect();
        operands[0].iter().map(map).collect()
    };
    let binary = |a: usize, b: usize, f: &dyn Fn(f64, f64) -> f64| -> Batch {
        let (a, b) = (operands[a], operands[b]);
        (0..step.units())
            .map(|u| {
                let (a, b) = (&a[u % a.len()], &b[u % b.len()]);
                a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
            })
            .collect()
    };
    let with_plain = |id: PlainId, f: &dyn Fn(f64, f64) -> f64| -> Result<Batch> {
        let (a, p) = (operands[0], plain(id)?);
        let unit = |u: usize| {
            let slots = a[u % a.len()].iter().enumerate();
            slots.map(|(j, &x)| f(x, p.at(u, j))).collect()
        };
        Ok((0..step.units()).map(unit).collect())
    };
    let mut sum = vec![vec![0.0; operands.first().map_or(0, |o| o[0].len())]; step.units()];
    Ok(match step.op() {
        Op::Input(index) => inputs[*index].clone(),
        Op::Add => binary(0, 1, &|a, b| a + b),
        Op::Sub => binary(0, 1, &|a, b| a - b),
        Op::Negate => unary(&|x| -x),
        Op::AddPlain(p) => with_plain(*p, &|a, b| a + b)?,
        Op::SubPlain(p) => with_plain(*p, &|a, b| a - b)?,
        Op::AddScalar(value) => unary(&|x| x + number(*value)),
        Op::Multiply => binary(0, 1, &|a, b| a * b),
        Op::SumOfProducts => {
            for pair in 0..operands.len() / 2 {
                let product = binary(2 * pair, 2 * pair + 1, &|a, b| a * b);
                for (s, p) in sum.iter_mut().flatten().zip(product.iter().flatten()) {
                    *s += p;
                }
            }
            sum
        }
        Op::MultiplyPlain(p) => with_plain(*p, &|a, b| a * b)?,
        Op::WeightedSum(weights) => {
            for (operand, &weight) in operands.iter().zip(weights) {
                let weight = plain(weight)?;
                add_rotated(&mut sum, operand, 0, &|u, j| weight.at(u, j));
            }
            sum
        }
        Op::MultiplyScalar(value) => unary(&|x| x * number(*value)),
        Op::MultiplyInteger(value) => unary(&|x| x * *value as f64),
        Op::Rotate(_) | Op::RotationSum(_) => {
            for &steps in step.op().rotations() {
                add_rotated(&mut sum, operands[0], steps, &|_, _| 1.0);
            }
            sum
        }
        Op::WeightedRotationSum { steps, weights } => {
            for (&steps, &weight) in steps.iter().zip(weights) {
                let weight = plain(weight)?;
                add_rotated(&mut sum, operands[0], steps, &|u, j| weight.at(u, j));
            }
            sum
        }
        Op::Pick(positions) => positions.iter().map(|&i| operands[0][i].clone()).collect(),
        Op::Concat => operands.iter().flat_map(|o| o.iter().cloned()).collect(),
        Op::RelinearizeAndRescale | Op::LowerLevel(_) => operands[0].clone(),
    })
}

/// Adds a batch, rotated to the left and weighted slot by slot.
fn add_rotated(
    sum: &mut [Vec<f64>],
    units: &[Vec<f64>],
    steps: i64,
    weight: &dyn Fn(usize, usize) -> f64,
) {
    for (u, sum) in sum.iter_mut().enumerate() {
        let unit = &units[u % units.len()];
        let n = unit.len();
        let shift = steps.rem_euclid(n as i64) as usize;
        for (j, s) in sum.iter_mut().enumerate() {
            *s += weight(u, j) * unit[(j + shift) & (n - 1)];
        }
    }
}
