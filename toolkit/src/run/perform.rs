//! Steps on ciphertexts.

use std::sync::Arc;

use arras_ckks::{Ciphertext, Evaluator, PlaintextUse};
use arras_hal::Backend;

use super::{groups::Group, masks::Masks};
use crate::{
    Result,
    circuit::PlainId,
    program::{Program, StepId, StepOp},
};

/// Computes steps with one evaluator.
pub(super) struct Performer<'a, B: Backend> {
    pub(super) evaluator: &'a Evaluator<B>,
    pub(super) program: &'a Program,
    pub(super) masks: &'a Masks<B>,
}

type Shared<B> = Arc<Ciphertext<B>>;

impl<B: Backend> Performer<'_, B> {
    /// The results of a group's steps, in their order. Inputs are not computed.
    pub(super) fn group<'v>(
        &self,
        group: &Group,
        value: &impl Fn(StepId) -> &'v Shared<B>,
    ) -> Result<Vec<Shared<B>>>
    where
        B: 'v,
    {
        match group {
            Group::Alone(id) => {
                let operands: Vec<&Shared<B>> = self.operands(*id, value);
                Ok(vec![self.step(*id, &operands)?])
            }
            Group::Hoisted(ids) => {
                let steps: Vec<i64> = ids
                    .iter()
                    .filter_map(|&id| match self.program.step(id).op() {
                        StepOp::Rotate(steps) => Some(*steps),
                        _ => None,
                    })
                    .collect();
                let operand = self.operands(ids[0], value)[0];
                let rotated = self.evaluator.hoisted_rotations(operand, &steps)?;
                Ok(rotated.into_iter().map(Arc::new).collect())
            }
            Group::Batch(ids) => self.batch(ids, value),
        }
    }

    fn operands<'v>(
        &self,
        id: StepId,
        value: &impl Fn(StepId) -> &'v Shared<B>,
    ) -> Vec<&'v Shared<B>>
    where
        B: 'v,
    {
        let step = self.program.step(id);
        step.operands().iter().map(|&o| value(o)).collect()
    }

    fn batch<'v>(
        &self,
        ids: &[StepId],
        value: &impl Fn(StepId) -> &'v Shared<B>,
    ) -> Result<Vec<Shared<B>>>
    where
        B: 'v,
    {
        let all: Vec<Vec<&Shared<B>>> = ids.iter().map(|&id| self.operands(id, value)).collect();
        let joined = (0..all[0].len())
            .map(|k| {
                let parts: Vec<&Ciphertext<B>> = all.iter().map(|o| &**o[k]).collect();
                Ok(Arc::new(Ciphertext::concat(&parts)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let result = self.step(ids[0], &joined.iter().collect::<Vec<_>>())?;
        let mut start = 0;
        ids.iter()
            .map(|&id| {
                let end = start + self.program.step(id).units();
                let part = result.pick(&(start..end).collect::<Vec<_>>())?;
                start = end;
                Ok(Arc::new(part))
            })
            .collect()
    }

    /// A step on operands that may be batches of several steps.
    pub(super) fn step(&self, id: StepId, operands: &[&Shared<B>]) -> Result<Shared<B>> {
        let step = self.program.step(id);
        let evaluator = self.evaluator;
        let first = operands[0];
        if let StepOp::Input(_) | StepOp::LevelDown = step.op()
            && !first.is_pending()
            && first.level() == step.level()
        {
            return Ok(Arc::clone(first));
        }
        let result = match step.op() {
            StepOp::Input(_) | StepOp::LevelDown => evaluator.level_down(first, step.level())?,
            StepOp::Add => {
                let (a, b) = self.pair(operands, step.units())?;
                evaluator.add(&a, &b)?
            }
            StepOp::Sub => {
                let (a, b) = self.pair(operands, step.units())?;
                evaluator.sub(&a, &b)?
            }
            StepOp::Negate => evaluator.neg(first)?,
            StepOp::AddPlain(plain) => {
                let mask = self.mask(*plain, PlaintextUse::Level(first.level()))?;
                evaluator.add_plain(first, &mask)?
            }
            StepOp::AddScalar(value) => evaluator.add_scalar(first, *value)?,
            StepOp::Multiply if Arc::ptr_eq(first, operands[1]) => evaluator.square(first)?,
            StepOp::Multiply => evaluator.multiply(first, operands[1])?,
            StepOp::SumOfProducts => {
                let left: Vec<&Ciphertext<B>> = operands.iter().step_by(2).map(|o| &***o).collect();
                let right: Vec<&Ciphertext<B>> =
                    operands.iter().skip(1).step_by(2).map(|o| &***o).collect();
                evaluator.sum_of_products(&left, &right)?
            }
            StepOp::MultiplyPlain(plain) => {
                let mask = self.mask(*plain, PlaintextUse::Level(first.level()))?;
                evaluator.multiply_plain(first, &mask)?
            }
            StepOp::WeightedSum(weights) => {
                let terms: Vec<&Ciphertext<B>> = operands.iter().map(|o| &***o).collect();
                let purpose = PlaintextUse::Level(first.level());
                let weights = weights
                    .iter()
                    .map(|&w| self.mask(w, purpose))
                    .collect::<Result<Vec<_>>>()?;
                let weights: Vec<_> = weights.iter().map(|w| &**w).collect();
                evaluator.weighted_sum(&terms, &weights)?
            }
            StepOp::MultiplyScalar(value) => evaluator.multiply_scalar(first, *value)?,
            StepOp::MultiplyInteger(value) => evaluator.multiply_integer(first, *value)?,
            StepOp::Rotate(steps) => evaluator.rotate(first, *steps)?,
            StepOp::RotationSum(steps) => evaluator.rotation_sum(first, steps)?,
            StepOp::WeightedRotationSum { steps, weights } => {
                let purpose = PlaintextUse::Weight(first.level());
                let weights = weights
                    .iter()
                    .map(|&w| self.mask(w, purpose))
                    .collect::<Result<Vec<_>>>()?;
                let weights: Vec<_> = weights.iter().map(|w| &**w).collect();
                evaluator.weighted_rotation_sum(first, steps, &weights)?
            }
            StepOp::Pick(indices) => first.pick(indices)?,
            StepOp::Concat => {
                let parts: Vec<&Ciphertext<B>> = operands.iter().map(|o| &***o).collect();
                Ciphertext::concat(&parts)?
            }
            StepOp::Settle => evaluator.relinearize_and_rescale(first)?,
        };
        Ok(Arc::new(result))
    }

    /// Both operands with `units` ciphertexts.
    fn pair<'c>(
        &self,
        operands: &[&'c Shared<B>],
        units: usize,
    ) -> Result<(Repeated<'c, B>, Repeated<'c, B>)> {
        Ok((repeated(operands[0], units)?, repeated(operands[1], units)?))
    }

    fn mask(&self, plain: PlainId, purpose: PlaintextUse) -> Result<Arc<arras_ckks::Plaintext<B>>> {
        let plain = self.program.circuit().plain(plain);
        self.masks.get(self.evaluator, plain, purpose)
    }
}

/// A batch that was repeated, or not.
enum Repeated<'c, B: Backend> {
    Same(&'c Ciphertext<B>),
    Made(Ciphertext<B>),
}

impl<B: Backend> std::ops::Deref for Repeated<'_, B> {
    type Target = Ciphertext<B>;

    fn deref(&self) -> &Ciphertext<B> {
        match self {
            Self::Same(ct) => ct,
            Self::Made(ct) => ct,
        }
    }
}

fn repeated<B: Backend>(ct: &Shared<B>, units: usize) -> Result<Repeated<'_, B>> {
    if ct.batch() == 1 && units > 1 {
        return Ok(Repeated::Made(ct.pick(&vec![0; units])?));
    }
    Ok(Repeated::Same(ct))
}
