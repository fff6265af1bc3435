//! Products of ciphertexts.

use arras_hal::{Backend, Named, Poly};

use super::Evaluator;
use crate::{Ciphertext, CkksError, CkksErrorKind, Result};

impl<B: Backend> Evaluator<B> {
    /// `a * b`, slot by slot. The result is pending: it is relinearized and rescaled when an operation needs
    /// it, after the sums it takes part in.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`] at level 0; [`CkksErrorKind::Overflow`]; [`CkksErrorKind::BatchMismatch`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn multiply(&self, a: &Ciphertext<B>, b: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        CkksError::within("multiply", || {
            if std::ptr::eq(a, b) {
                return self.squared(a);
            }
            let (a, b) = self.aligned(a, b)?;
            let level = product_level(a.level())?;
            let bound = self.bound(level, a.bound() * b.bound())?;
            let poly = a.poly().tensor(b.poly())?;
            let (context, batch) = (&self.context, a.batch());
            Ok(Ciphertext::pending(context, poly, batch, level, bound))
        })
    }

    /// `a * a`, slot by slot; pending.
    ///
    /// # Errors
    /// As [`Evaluator::multiply`].
    pub fn square(&self, a: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        self.squared(a).named("square")
    }

    fn squared(&self, a: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        let a = self.settled(a)?;
        let level = product_level(a.level())?;
        let bound = self.bound(level, a.bound() * a.bound())?;
        let poly = a.poly().tensor(a.poly())?;
        let (context, batch) = (&self.context, a.batch());
        Ok(Ciphertext::pending(context, poly, batch, level, bound))
    }

    /// The sum of the products `a[k] * b[k]` in one pass over memory, at the lowest of all levels; pending, so
    /// it is relinearized and rescaled once.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`], [`CkksErrorKind::ListLength`]; as [`Evaluator::multiply`].
    pub fn sum_of_products(
        &self,
        a: &[&Ciphertext<B>],
        b: &[&Ciphertext<B>],
    ) -> Result<Ciphertext<B>> {
        CkksError::within("sum_of_products", || {
            if a.len() != b.len() {
                return Err(CkksErrorKind::ListLength {
                    left: a.len(),
                    right: b.len(),
                }
                .into());
            }
            let operands = self.all_aligned(&[a, b].concat())?;
            let (left, right) = operands.split_at(a.len());
            let first = left.first().ok_or(CkksErrorKind::Empty)?;
            let level = product_level(first.level())?;
            let products = left.iter().zip(right).map(|(a, b)| a.bound() * b.bound());
            let bound = self.bound(level, products.sum())?;
            let left: Vec<_> = left.iter().map(|ct| ct.poly()).collect();
            let right: Vec<_> = right.iter().map(|ct| ct.poly()).collect();
            let poly = Poly::sum_of_products(&left, &right)?;
            Ok(Ciphertext::pending(
                &self.context,
                poly,
                first.batch(),
                level,
                bound,
            ))
        })
    }
}

/// The level of a product of operands at `level`.
pub(super) fn product_level(level: usize) -> Result<usize> {
    let error = CkksErrorKind::OutOfLevels {
        needed: 1,
        level,
        missing: 1,
    };
    Ok(level.checked_sub(1).ok_or(error)?)
}
