//! Relinearizing and rescaling, and moving between levels.

use arras_hal::{Backend, Limbs, Named};

use super::Evaluator;
use crate::{Ciphertext, CkksError, CkksErrorKind, Result, magnitude};

/// An operand, borrowed where nothing had to be done to it.
pub(super) enum Operand<'a, B: Backend> {
    Borrowed(&'a Ciphertext<B>),
    Owned(Ciphertext<B>),
}

impl<B: Backend> std::ops::Deref for Operand<'_, B> {
    type Target = Ciphertext<B>;

    fn deref(&self) -> &Ciphertext<B> {
        match self {
            Self::Borrowed(ct) => ct,
            Self::Owned(ct) => ct,
        }
    }
}

impl<B: Backend> Operand<'_, B> {
    pub(super) fn into_owned(self) -> Result<Ciphertext<B>> {
        match self {
            Self::Borrowed(ct) => ct.try_clone(),
            Self::Owned(ct) => Ok(ct),
        }
    }
}

impl<B: Backend> Evaluator<B> {
    /// Relinearizes and rescales what is pending, in one step; a settled ciphertext is copied.
    ///
    /// Operations that need a settled operand do this themselves and drop the result: call it once before a product is used several
    /// times.
    ///
    /// # Errors
    /// [`CkksErrorKind::NoRelinearizationKey`], [`CkksErrorKind::KeyBudget`] for a product that waits for its
    /// relinearization; [`CkksErrorKind::Cut`].
    pub fn relinearize_and_rescale(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        self.settled(ct)
            .and_then(Operand::into_owned)
            .and_then(|ct| self.as_result(ct))
            .named("relinearize_and_rescale")
    }

    /// The settled form.
    pub(super) fn settled<'a>(&self, ct: &'a Ciphertext<B>) -> Result<Operand<'a, B>> {
        self.check(ct)?;
        if !ct.is_pending() {
            return Ok(Operand::Borrowed(ct));
        }
        let to = self.context.window(ct.level())?;
        let poly = if ct.components() == 3 {
            let key = self.relinearization_key(ct.window_level())?;
            ct.poly().relinearize(key, self.context.switching(), to)?
        } else {
            ct.poly().rescale(to)?
        };
        let settled = Ciphertext::settled(&self.context, poly, ct.level(), ct.bound());
        Ok(Operand::Owned(settled))
    }

    /// Three components to two, without rescaling: the result is still pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::WrongForm`] if there is nothing to relinearize; [`CkksErrorKind::NoRelinearizationKey`],
    /// [`CkksErrorKind::KeyBudget`].
    pub fn relinearize(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        CkksError::within("relinearize", || {
            self.check(ct)?;
            if ct.components() != 3 {
                return Err(wrong_form(
                    "linear already (two components)",
                    "relinearize only unrelinearized products",
                ));
            }
            let key = self.relinearization_key(ct.window_level())?;
            let poly = ct
                .poly()
                .relinearize(key, self.context.switching(), ct.limbs())?;
            self.as_result(ct.with_poly(poly, ct.batch()))
        })
    }

    /// A pending ciphertext of two components to its level's window and scale.
    ///
    /// # Errors
    /// [`CkksErrorKind::WrongForm`] if nothing is pending, or if it has three components.
    pub fn rescale(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        CkksError::within("rescale", || {
            self.check(ct)?;
            if !ct.is_pending() {
                return Err(wrong_form(
                    "settled already",
                    "rescale only pending products; level_down lowers a level",
                ));
            }
            if ct.components() == 3 {
                return Err(wrong_form(
                    "not relinearized",
                    "relinearize it first, or call relinearize_and_rescale, which does both",
                ));
            }
            self.as_result(self.settled(ct)?.into_owned()?)
        })
    }

    /// The same values at a lower level, in one step and without extra noise (a copy if it is there
    /// already).
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`] if the operand is below `level`; [`CkksErrorKind::Overflow`] if `level` cannot hold its values.
    pub fn level_down(&self, ct: &Ciphertext<B>, level: usize) -> Result<Ciphertext<B>> {
        CkksError::within("level_down", || {
            let ct = self.settled(ct)?;
            if level > ct.level() {
                return Err(CkksErrorKind::OutOfLevels {
                    needed: level,
                    level: ct.level(),
                    missing: level - ct.level(),
                }
                .into());
            }
            let bound = self.bound(level, ct.bound())?;
            Ok(self
                .lowered_as(ct, level, bound)?
                .into_owned()?
                .with_bound(bound))
        })
    }

    /// `ct`, which is not below `level`, at `level`.
    pub(super) fn lowered<'a>(&self, ct: Operand<'a, B>, level: usize) -> Result<Operand<'a, B>> {
        let bound = magnitude::held(self.context.params(), level, ct.bound())?;
        self.lowered_as(ct, level, bound)
    }

    /// [`Self::lowered`] with a bound that `level` holds.
    fn lowered_as<'a>(
        &self,
        ct: Operand<'a, B>,
        level: usize,
        bound: f64,
    ) -> Result<Operand<'a, B>> {
        if ct.level() == level {
            return Ok(ct);
        }
        // First the limbs that cost nothing to drop, then one constant that brings the scale to the target's
        // exactly, then one rescale.
        let plan = self.context.params().level_down_plan(ct.level(), level)?;
        let sub_window = Limbs::new(plan.sub_window.iter().copied());
        let constant = self
            .context
            .ring()
            .basis()
            .reduce(&plan.constant, &sub_window);
        let poly = ct
            .poly()
            .restrict_and_scale(&constant)?
            .rescale(self.context.window(level)?)?;
        Ok(Operand::Owned(Ciphertext::settled(
            &self.context,
            poly,
            level,
            bound,
        )))
    }

    /// All operands settled, at the lowest of their levels, with equal batches.
    pub(super) fn all_aligned<'a>(
        &self,
        operands: &[&'a Ciphertext<B>],
    ) -> Result<Vec<Operand<'a, B>>> {
        let aligned = self.all_lowered(operands)?;
        let batch = aligned
            .iter()
            .try_fold(1, |batch, ct| common_batch(batch, ct.batch()))?;
        aligned.into_iter().map(|ct| repeated(ct, batch)).collect()
    }

    /// All operands settled, at the lowest of their levels.
    fn all_lowered<'a>(&self, operands: &[&'a Ciphertext<B>]) -> Result<Vec<Operand<'a, B>>> {
        let settled = operands
            .iter()
            .map(|ct| self.settled(ct))
            .collect::<Result<Vec<_>>>()?;
        let level = settled
            .iter()
            .map(|ct| ct.level())
            .min()
            .ok_or(CkksErrorKind::Empty)?;
        settled
            .into_iter()
            .map(|ct| self.lowered(ct, level))
            .collect()
    }

    /// Two operands settled, at the lower of their levels, with equal batches.
    pub(super) fn aligned<'a>(
        &self,
        a: &'a Ciphertext<B>,
        b: &'a Ciphertext<B>,
    ) -> Result<(Operand<'a, B>, Operand<'a, B>)> {
        let (a, b) = (self.settled(a)?, self.settled(b)?);
        let level = a.level().min(b.level());
        let (a, b) = (self.lowered(a, level)?, self.lowered(b, level)?);
        let batch = common_batch(a.batch(), b.batch())?;
        Ok((repeated(a, batch)?, repeated(b, batch)?))
    }

    /// Settles all and joins them at the lowest of their levels into one batch.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn concat(&self, parts: &[&Ciphertext<B>]) -> Result<Ciphertext<B>> {
        CkksError::within("concat", || {
            let parts = self.all_lowered(parts)?;
            let joined = Ciphertext::concat(&parts.iter().map(|ct| &**ct).collect::<Vec<_>>())?;
            self.as_result(joined)
        })
    }

    /// The result in as few limbs as hold values up to `max_abs`: smaller to send, still at its scale. Only
    /// decryption takes it.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] for a bound that is not positive and finite, [`CkksErrorKind::CannotCut`] if even all limbs are
    /// too few.
    pub fn drop_moduli(&self, ct: &Ciphertext<B>, max_abs: f64) -> Result<Ciphertext<B>> {
        CkksError::within("drop_moduli", || {
            let ct = self.settled(ct)?;
            if !(max_abs > 0.0 && max_abs.is_finite()) {
                return Err(CkksErrorKind::OutOfRange {
                    what: "max_abs",
                    value: max_abs,
                    range: "positive finite numbers".into(),
                }
                .into());
            }
            let order = self.context.largest_first(ct.limbs());
            // At least one limb, however small the values are.
            let bits = (1.0 + (max_abs * ct.scale()).log2()).max(0.0);
            let limbs = fewest_limbs(order, bits).map_err(|(needed_bits, have_bits)| {
                CkksErrorKind::CannotCut {
                    max_abs,
                    needed_bits,
                    have_bits,
                }
            })?;
            if &limbs == ct.limbs() {
                return ct.into_owned();
            }
            Ok(ct.with_poly(ct.poly().restrict(&limbs)?, ct.batch()))
        })
    }
}

fn wrong_form(have: &'static str, remedy: &'static str) -> CkksError {
    CkksErrorKind::WrongForm { have, remedy }.into()
}

/// The fewest limbs whose product exceeds 2^bits, largest primes first; otherwise bits needed and there.
fn fewest_limbs(order: Vec<(u32, usize)>, bits: f64) -> std::result::Result<Limbs, (f64, f64)> {
    let mut have = 0.0;
    let mut chosen = Vec::new();
    for (modulus, limb) in order {
        if have > bits {
            break;
        }
        have += f64::from(modulus).log2();
        chosen.push(limb);
    }
    if have > bits {
        Ok(Limbs::new(chosen))
    } else {
        Err((bits, have))
    }
}

/// The batch of a result: equal batches, or one of them is 1 and repeated.
pub(super) fn common_batch(left: usize, right: usize) -> Result<usize> {
    if left == right || right == 1 {
        Ok(left)
    } else if left == 1 {
        Ok(right)
    } else {
        Err(CkksErrorKind::BatchMismatch { left, right }.into())
    }
}

/// A batch of 1 repeated to `batch`.
pub(super) fn repeated<B: Backend>(ct: Operand<'_, B>, batch: usize) -> Result<Operand<'_, B>> {
    if ct.batch() == batch {
        return Ok(ct);
    }
    Ok(Operand::Owned(ct.pick(&vec![0; batch])?))
}
