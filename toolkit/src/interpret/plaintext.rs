//! A program on plaintext slots.

use std::collections::BTreeMap;

use super::{Interpretation, walk};
use crate::{
    Result, Value,
    circuit::Plain,
    program::{Program, StepId, StepOp},
    run::{Bindings, check_inputs},
};

/// Runs programs on plaintext: the values that the encrypted run approximates.
#[derive(Clone, Debug)]
pub struct Plaintext {
    inputs: Vec<Vec<Vec<f64>>>,
    largest: f64,
}

/// What a plaintext run gave.
#[derive(Clone, Debug)]
pub struct PlaintextRun {
    /// The outputs by name.
    pub outputs: BTreeMap<String, Value>,
    /// The slots of each output's ciphertexts, by name.
    pub slots: BTreeMap<String, Vec<Vec<f64>>>,
    /// The largest magnitude in any slot of any step.
    pub largest: f64,
}

impl Plaintext {
    /// For a program with these inputs.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::UnknownName`] for a missing input or one too many; those of [`crate::Layout::pack`].
    pub fn new(program: &Program, inputs: &Bindings<Value>) -> Result<Self> {
        let circuit = program.circuit();
        check_inputs(circuit, inputs)?;
        let inputs = circuit
            .inputs()
            .iter()
            .map(|input| match inputs.get(input.name()) {
                Some(value) => input.layout().pack(input.name(), value),
                None => Ok(vec![]),
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            inputs,
            largest: 0.0,
        })
    }

    /// The largest magnitude seen so far.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// Runs a program.
    ///
    /// # Errors
    /// Those of [`Plaintext::new`].
    pub fn run(program: &Program, inputs: &Bindings<Value>) -> Result<PlaintextRun> {
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
        Ok(PlaintextRun {
            outputs,
            slots,
            largest: plaintext.largest,
        })
    }
}

impl Interpretation for Plaintext {
    type Value = Vec<Vec<f64>>;

    fn step(
        &mut self,
        program: &Program,
        id: StepId,
        operands: &[&Self::Value],
    ) -> Result<Self::Value> {
        let value = match program.step(id).op() {
            StepOp::Input(index) => self.inputs[*index].clone(),
            _ => evaluate(program, id, operands),
        };
        self.largest = value
            .iter()
            .flatten()
            .fold(self.largest, |m, x| m.max(x.abs()));
        Ok(value)
    }
}

/// What a step other than an input does to slots.
pub(crate) fn evaluate(
    program: &Program,
    id: StepId,
    operands: &[&Vec<Vec<f64>>],
) -> Vec<Vec<f64>> {
    let step = program.step(id);
    let plain = |id| program.circuit().plain(id);
    let unary = |f: &dyn Fn(f64) -> f64| -> Vec<Vec<f64>> {
        let map = |unit: &Vec<f64>| unit.iter().map(|&x| f(x)).collect();
        operands[0].iter().map(map).collect()
    };
    let binary = |a: usize, b: usize, f: &dyn Fn(f64, f64) -> f64| -> Vec<Vec<f64>> {
        let (a, b) = (operands[a], operands[b]);
        (0..step.units())
            .map(|u| {
                let (a, b) = (&a[u % a.len()], &b[u % b.len()]);
                a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
            })
            .collect()
    };
    let with_plain = |p: &Plain, f: &dyn Fn(f64, f64) -> f64| -> Vec<Vec<f64>> {
        let a = operands[0];
        (0..step.units())
            .map(|u| {
                let a = &a[u % a.len()];
                a.iter()
                    .enumerate()
                    .map(|(j, &x)| f(x, p.at(u, j)))
                    .collect()
            })
            .collect()
    };
    match step.op() {
        StepOp::Input(_) => vec![],
        StepOp::Add => binary(0, 1, &|a, b| a + b),
        StepOp::Sub => binary(0, 1, &|a, b| a - b),
        StepOp::Negate => unary(&|x| -x),
        StepOp::AddPlain(p) => with_plain(plain(*p), &|a, b| a + b),
        StepOp::AddScalar(value) => unary(&|x| x + value),
        StepOp::Multiply => binary(0, 1, &|a, b| a * b),
        StepOp::SumOfProducts => {
            let mut sum = binary(0, 1, &|a, b| a * b);
            for pair in 1..operands.len() / 2 {
                let product = binary(2 * pair, 2 * pair + 1, &|a, b| a * b);
                for (s, p) in sum.iter_mut().flatten().zip(product.iter().flatten()) {
                    *s += p;
                }
            }
            sum
        }
        StepOp::MultiplyPlain(p) => with_plain(plain(*p), &|a, b| a * b),
        StepOp::WeightedSum(weights) => {
            let weights: Vec<&Plain> = weights.iter().map(|&w| plain(w)).collect();
            (0..step.units())
                .map(|u| {
                    let mut sum = vec![0.0; program.circuit().slots()];
                    for (operand, weight) in operands.iter().zip(&weights) {
                        let unit = &operand[u % operand.len()];
                        for (j, (s, x)) in sum.iter_mut().zip(unit).enumerate() {
                            *s += x * weight.at(u, j);
                        }
                    }
                    sum
                })
                .collect()
        }
        StepOp::MultiplyScalar(value) => unary(&|x| x * value),
        StepOp::MultiplyInteger(value) => unary(&|x| x * *value as f64),
        StepOp::Rotate(steps) => rotated(operands[0], *steps),
        StepOp::RotationSum(steps) => weighted_rotations(operands[0], steps, |_, _, _| 1.0),
        StepOp::WeightedRotationSum { steps, weights } => {
            let weights: Vec<_> = weights.iter().map(|&w| plain(w)).collect();
            weighted_rotations(operands[0], steps, |k, u, j| weights[k].at(u, j))
        }
        StepOp::Pick(indices) => indices.iter().map(|&i| operands[0][i].clone()).collect(),
        StepOp::Concat => operands.iter().flat_map(|o| o.iter().cloned()).collect(),
        StepOp::Settle | StepOp::LevelDown => operands[0].clone(),
    }
}

fn rotated(units: &[Vec<f64>], steps: i64) -> Vec<Vec<f64>> {
    weighted_rotations(units, &[steps], |_, _, _| 1.0)
}

fn weighted_rotations(
    units: &[Vec<f64>],
    steps: &[i64],
    weight: impl Fn(usize, usize, usize) -> f64,
) -> Vec<Vec<f64>> {
    units
        .iter()
        .enumerate()
        .map(|(u, unit)| {
            let n = unit.len();
            let mut sum = vec![0.0; n];
            for (k, steps) in steps.iter().enumerate() {
                let shift = steps.rem_euclid(n as i64) as usize;
                for (j, s) in sum.iter_mut().enumerate() {
                    *s += weight(k, u, j) * unit[(j + shift) & (n - 1)];
                }
            }
            sum
        })
        .collect()
}
