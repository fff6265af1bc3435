//! Steps on ciphertexts.

use std::sync::Arc;

use arras_ckks::{Ciphertext, Evaluator, Plaintext};
use arras_hal::Backend;

use super::{groups::Group, masks::Masks};
use crate::{
    Program, Result,
    circuit::Op,
    interpret::Bounds,
    program::{Step, StepId},
};

/// Computes steps with one evaluator.
pub(super) struct Performer<'a, B: Backend> {
    pub(super) evaluator: &'a Evaluator<B>,
    pub(super) program: &'a Program,
    pub(super) masks: &'a Masks<B>,
    pub(super) bounds: &'a Bounds,
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
                    .flat_map(|&id| self.program.step(id).op().rotations())
                    .copied()
                    .collect();
                let operand = self.operands(ids[0], value)[0];
                let rotated = self.evaluator.hoisted_rotations(operand, &steps)?;
                rotated
                    .into_iter()
                    .zip(ids)
                    .map(|(ct, &id)| Ok(Arc::new(ct.assume(self.bounds.step(self.program, id))?)))
                    .collect()
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
        let bounds = ids.iter().map(|&id| self.bounds.step(self.program, id));
        let most = bounds.fold(0.0, f64::max);
        let result = self.bounded(ids[0], &joined.iter().collect::<Vec<_>>(), most)?;
        let mut start = 0;
        ids.iter()
            .map(|&id| {
                let end = start + self.program.step(id).units();
                let part = result.pick(&(start..end).collect::<Vec<_>>())?;
                let part = part.assume(self.bounds.step(self.program, id))?;
                start = end;
                Ok(Arc::new(part))
            })
            .collect()
    }

    /// A step.
    pub(super) fn step(&self, id: StepId, operands: &[&Shared<B>]) -> Result<Shared<B>> {
        self.bounded(id, operands, self.bounds.step(self.program, id))
    }

    /// A step on operands that may be batches of several steps, whose results are known to have values up to `bound`.
    fn bounded(&self, id: StepId, operands: &[&Shared<B>], bound: f64) -> Result<Shared<B>> {
        let step = self.program.step(id);
        // A run has compared them; a debugger looks at what goes beyond.
        let holds = self.evaluator.context().params().headroom(step.level());
        let evaluator = self.evaluator.assuming(bound.min(holds))?;
        let first = operands[0];
        if let Op::Input(_) | Op::LowerLevel(_) = step.op()
            && !first.is_pending()
            && first.level() == step.level()
        {
            return Ok(Arc::clone(first));
        }
        let all: Vec<&Ciphertext<B>> = operands.iter().map(|o| &***o).collect();
        let masks = self.masks(step)?;
        let masks: Vec<_> = masks.iter().map(|m| &**m).collect();
        let result = match step.op() {
            Op::Input(_) | Op::LowerLevel(_) => evaluator.level_down(first, step.level())?,
            Op::Add => evaluator.add(first, operands[1])?,
            Op::Sub => evaluator.sub(first, operands[1])?,
            Op::Negate => evaluator.neg(first)?,
            Op::AddPlain(_) => evaluator.add_plain(first, masks[0])?,
            Op::SubPlain(_) => evaluator.sub_plain(first, masks[0])?,
            Op::AddScalar(value) => evaluator.add_scalar(first, *value)?,
            Op::Multiply if Arc::ptr_eq(first, operands[1]) => evaluator.square(first)?,
            Op::Multiply => evaluator.multiply(first, operands[1])?,
            Op::SumOfProducts => {
                let (left, right): (Vec<_>, Vec<_>) =
                    all.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
                evaluator.sum_of_products(&left, &right)?
            }
            Op::MultiplyPlain(_) | Op::WeightedSum(_) => evaluator.weighted_sum(&all, &masks)?,
            Op::MultiplyScalar(value) => evaluator.multiply_scalar(first, *value)?,
            Op::MultiplyInteger(value) => evaluator.multiply_integer(first, *value)?,
            Op::Rotate(steps) => evaluator.rotate(first, *steps)?,
            Op::RotationSum(steps) => evaluator.rotation_sum(first, steps)?,
            Op::WeightedRotationSum { steps, .. } => {
                evaluator.weighted_rotation_sum(first, steps, &masks)?
            }
            Op::Pick(positions) => first.pick(positions)?.assume(bound)?,
            Op::Concat => Ciphertext::concat(&all)?.assume(bound)?,
            Op::RelinearizeAndRescale => evaluator.relinearize_and_rescale(first)?,
        };
        Ok(Arc::new(result))
    }

    /// The constants of a step, encoded.
    fn masks(&self, step: &Step) -> Result<Vec<Arc<Plaintext<B>>>> {
        let (purpose, plains) = step.plaintexts();
        let circuit = self.program.circuit();
        plains
            .iter()
            .map(|&plain| {
                self.masks
                    .get(self.evaluator, circuit.plain(plain), purpose)
            })
            .collect()
    }
}
