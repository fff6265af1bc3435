//! Products of ciphertexts.

use arras_hal::{Backend, Poly};

use super::{
    Evaluator,
    levels::{Settled, common_batch, repeated},
};
use crate::{Ciphertext, CkksError, Result};

impl<B: Backend> Evaluator<B> {
    /// `a * b`, slot by slot. The result is pending: it is relinearized and rescaled when an operation needs
    /// it, after the sums it takes part in.
    ///
    /// # Errors
    /// [`CkksError::OutOfLevels`] at level 0; [`CkksError::BatchMismatch`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn multiply(&self, a: &Ciphertext<B>, b: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        const OP: &str = "multiply";
        let (a, b) = self.aligned(OP, a, b)?;
        let level = product_level(OP, a.level())?;
        let poly = a.poly().tensor(b.poly())?;
        Ok(Ciphertext::pending(&self.context, poly, a.batch(), level))
    }

    /// `a * a`, slot by slot; pending.
    ///
    /// # Errors
    /// As [`Evaluator::multiply`].
    pub fn square(&self, a: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        const OP: &str = "square";
        let a = self.settled(OP, a)?;
        let level = product_level(OP, a.level())?;
        let poly = a.poly().tensor(a.poly())?;
        Ok(Ciphertext::pending(&self.context, poly, a.batch(), level))
    }

    /// The sum of the products `a[k] * b[k]` in one pass over memory, at the lowest of all levels; pending, so
    /// it is relinearized and rescaled once.
    ///
    /// # Errors
    /// [`CkksError::Empty`], [`CkksError::ListLength`]; as [`Evaluator::multiply`].
    pub fn sum_of_products(
        &self,
        a: &[&Ciphertext<B>],
        b: &[&Ciphertext<B>],
    ) -> Result<Ciphertext<B>> {
        const OP: &str = "sum_of_products";
        if a.len() != b.len() {
            return Err(CkksError::ListLength {
                op: OP,
                left: a.len(),
                right: b.len(),
            });
        }
        let operands = self.all_aligned(OP, &[a, b].concat())?;
        let (left, right) = operands.split_at(a.len());
        let first = left.first().ok_or(CkksError::Empty { op: OP })?;
        let level = product_level(OP, first.level())?;
        let left: Vec<_> = left.iter().map(|ct| ct.poly()).collect();
        let right: Vec<_> = right.iter().map(|ct| ct.poly()).collect();
        let poly = Poly::sum_of_products(&left, &right)?;
        Ok(Ciphertext::pending(
            &self.context,
            poly,
            first.batch(),
            level,
        ))
    }

    /// All operands settled, at the lowest of their levels, with equal batches.
    pub(super) fn all_aligned<'a>(
        &self,
        op: &'static str,
        operands: &[&'a Ciphertext<B>],
    ) -> Result<Vec<Settled<'a, B>>> {
        let settled = operands
            .iter()
            .map(|ct| self.settled(op, ct))
            .collect::<Result<Vec<_>>>()?;
        let level = settled
            .iter()
            .map(|ct| ct.level())
            .min()
            .ok_or(CkksError::Empty { op })?;
        let batch = settled
            .iter()
            .try_fold(1, |batch, ct| common_batch(op, batch, ct.batch()))?;
        settled
            .iter()
            .map(|ct| repeated(self.lowered(ct, level)?, batch))
            .collect()
    }
}

/// The level of a product of operands at `level`.
pub(super) fn product_level(op: &'static str, level: usize) -> Result<usize> {
    level.checked_sub(1).ok_or(CkksError::OutOfLevels {
        op,
        needed: 1,
        level,
        missing: 1,
    })
}
