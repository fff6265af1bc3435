//! Rotations and conjugation.

use arras_hal::{Backend, GaloisElement, Key, Limbs, Named};

use super::{Evaluator, levels::Operand, products::product_level};
use crate::{Ciphertext, CkksError, CkksErrorKind, Plaintext, Result, ciphertext::PlaintextUse};

pub(crate) type Term<'a, B> = (GaloisElement, Option<&'a Key<B>>);

impl<B: Backend> Evaluator<B> {
    /// Slot j of the result is slot j + steps of `a` (a rotation to the left; to the right if negative). A pending operand of
    /// two components is rotated and rescaled in one step.
    ///
    /// # Errors
    /// [`CkksErrorKind::NoGaloisKey`], [`CkksErrorKind::KeyBudget`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn rotate(&self, a: &Ciphertext<B>, steps: i64) -> Result<Ciphertext<B>> {
        CkksError::within("rotate", || {
            let galois = GaloisElement::rotation(steps, self.context.params().log_n());
            self.automorphism(a, galois, || format!("a rotation by {steps}"))
        })
    }

    /// The complex conjugate of every slot.
    ///
    /// # Errors
    /// As [`Evaluator::rotate`].
    pub fn conjugate(&self, a: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        let galois = GaloisElement::conjugation(self.context.params().log_n());
        self.automorphism(a, galois, || "conjugation".into())
            .named("conjugate")
    }

    fn automorphism(
        &self,
        a: &Ciphertext<B>,
        galois: GaloisElement,
        what: impl FnOnce() -> String,
    ) -> Result<Ciphertext<B>> {
        let (a, to) = self.linear(a)?;
        let bound = self.bound(a.level(), a.bound())?;
        match self.galois_key(galois, a.window_level(), what)? {
            Some(key) => {
                let poly = a.poly().rotate(key, galois, self.context.switching(), to)?;
                Ok(Ciphertext::settled(&self.context, poly, a.level(), bound))
            }
            None => Ok(self.settled(&a)?.into_owned()?.with_bound(bound)),
        }
    }

    /// An operand of two components, and the limbs of its level: a pending one of two components is taken as it
    /// is, since the key switch can land a level lower.
    fn linear<'a>(&'a self, a: &'a Ciphertext<B>) -> Result<(Operand<'a, B>, &'a Limbs)> {
        self.check(a)?;
        let to = self.context.window(a.level())?;
        if a.components() == 2 {
            return Ok((Operand::Borrowed(a), to));
        }
        Ok((self.settled(a)?, to))
    }

    pub(crate) fn terms(&self, steps: &[i64], level: usize) -> Result<Vec<Term<'_, B>>> {
        if steps.is_empty() {
            return Err(CkksErrorKind::Empty.into());
        }
        let log_n = self.context.params().log_n();
        steps
            .iter()
            .map(|&steps| {
                let galois = GaloisElement::rotation(steps, log_n);
                let what = || format!("a rotation by {steps}");
                Ok((galois, self.galois_key(galois, level, what)?))
            })
            .collect()
    }

    /// Several rotations of one operand that share the costly part of their key switches.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`]; as [`Evaluator::rotate`].
    pub fn hoisted_rotations(
        &self,
        a: &Ciphertext<B>,
        steps: &[i64],
    ) -> Result<Vec<Ciphertext<B>>> {
        CkksError::within("hoisted_rotations", || {
            let (a, to) = self.linear(a)?;
            let bound = self.bound(a.level(), a.bound())?;
            let terms = self.terms(steps, a.window_level())?;
            let polys = a
                .poly()
                .hoisted_rotations(&terms, self.context.switching(), to)?;
            Ok(polys
                .into_iter()
                .map(|poly| Ciphertext::settled(&self.context, poly, a.level(), bound))
                .collect())
        })
    }

    /// The sum of rotations of one operand, summed before the division by P: more precise and faster than
    /// rotating and adding. A step may appear more than once; step 0 is the operand itself.
    ///
    /// # Errors
    /// [`CkksErrorKind::Overflow`]; as [`Evaluator::hoisted_rotations`].
    pub fn rotation_sum(&self, a: &Ciphertext<B>, steps: &[i64]) -> Result<Ciphertext<B>> {
        CkksError::within("rotation_sum", || {
            let (a, to) = self.linear(a)?;
            let bound = self.bound(a.level(), a.bound() * steps.len() as f64)?;
            let terms = self.terms(steps, a.window_level())?;
            let poly = a
                .poly()
                .rotation_sum(&terms, &[], self.context.switching(), to)?;
            Ok(Ciphertext::settled(&self.context, poly, a.level(), bound))
        })
    }

    /// The sum of `weights[k]` times the rotation by `steps[k]`, slot by slot, with one mod_up and one mod_down; the
    /// operand is settled first, the result is settled one level lower. A matrix in diagonal form times a vector.
    ///
    /// # Errors
    /// [`CkksErrorKind::PlaintextMismatch`] unless the weights were made by [`Evaluator::encode_weights`] for the operand's level;
    /// [`CkksErrorKind::ListLength`], [`CkksErrorKind::OutOfLevels`], [`CkksErrorKind::Overflow`]; as [`Evaluator::hoisted_rotations`].
    pub fn weighted_rotation_sum(
        &self,
        a: &Ciphertext<B>,
        steps: &[i64],
        weights: &[&Plaintext<B>],
    ) -> Result<Ciphertext<B>> {
        CkksError::within("weighted_rotation_sum", || {
            if steps.len() != weights.len() {
                return Err(CkksErrorKind::ListLength {
                    left: steps.len(),
                    right: weights.len(),
                }
                .into());
            }
            let a = self.settled(a)?;
            let level = product_level(a.level())?;
            for weight in weights {
                self.check_plain(weight, PlaintextUse::Weight(a.level()))?;
                if weight.batch() != 1 && weight.batch() != a.batch() {
                    let (left, right) = (a.batch(), weight.batch());
                    return Err(CkksErrorKind::BatchMismatch { left, right }.into());
                }
            }
            let largest: f64 = weights.iter().map(|weight| weight.largest).sum();
            let bound = self.bound(level, a.bound() * largest)?;
            let terms = self.terms(steps, a.level())?;
            let weights: Vec<_> = weights.iter().map(|w| &w.poly).collect();
            let to = self.context.window(level)?;
            let poly = a
                .poly()
                .rotation_sum(&terms, &weights, self.context.switching(), to)?;
            Ok(Ciphertext::settled(&self.context, poly, level, bound))
        })
    }

    /// Sums `count` rotations by 0, stride, 2 stride, .. by doubling: slot j becomes the sum of slots j, j + stride, ..,
    /// j + (count - 1) stride. `count` is a power of two; needs the keys of stride, 2 stride, .., count/2 stride
    /// ([`crate::doubling_steps`]).
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] if `count` is not a power of two; [`CkksErrorKind::Overflow`]; as [`Evaluator::rotate`].
    pub fn rotate_and_sum(
        &self,
        a: &Ciphertext<B>,
        stride: i64,
        count: usize,
    ) -> Result<Ciphertext<B>> {
        CkksError::within("rotate_and_sum", || {
            if !count.is_power_of_two() || count > self.context.slots() {
                return Err(CkksErrorKind::OutOfRange {
                    what: "count",
                    value: count as f64,
                    range: format!("powers of two up to {}", self.context.slots()),
                }
                .into());
            }
            self.bound(a.level(), a.bound() * count as f64)?;
            let mut sum = self.relinearize_and_rescale(a)?;
            let mut step = stride;
            for _ in 0..count.trailing_zeros() {
                // One automorphism, summed with the identity before the division by P.
                sum = self.rotation_sum(&sum, &[0, step])?;
                step = step.wrapping_mul(2);
            }
            Ok(sum)
        })
    }
}
