//! Settling, and moving between levels.

use arras_hal::{Backend, Limbs};

use super::Evaluator;
use crate::{Ciphertext, CkksError, Result};

/// A ciphertext that is borrowed where nothing had to be done.
pub(super) enum Settled<'a, B: Backend> {
    Borrowed(&'a Ciphertext<B>),
    Owned(Ciphertext<B>),
}

impl<B: Backend> std::ops::Deref for Settled<'_, B> {
    type Target = Ciphertext<B>;

    fn deref(&self) -> &Ciphertext<B> {
        match self {
            Self::Borrowed(ct) => ct,
            Self::Owned(ct) => ct,
        }
    }
}

impl<B: Backend> Settled<'_, B> {
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
    /// # Errors
    /// [`CkksError::NoRelinearizationKey`], [`CkksError::KeyBudget`] for a product that waits for its
    /// relinearization; [`CkksError::Cut`].
    pub fn relinearize_and_rescale(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        const OP: &str = "relinearize_and_rescale";
        self.check(OP, ct)?;
        if ct.is_pending() && ct.memo().get().is_none() {
            // Straight to the caller: remembering it too would cost a copy.
            return self.settle_now(OP, ct);
        }
        self.settled(OP, ct)?.try_clone()
    }

    /// The settled form, remembered in the ciphertext.
    pub(super) fn settled<'a>(
        &self,
        op: &'static str,
        ct: &'a Ciphertext<B>,
    ) -> Result<&'a Ciphertext<B>> {
        self.check(op, ct)?;
        if !ct.is_pending() {
            return Ok(ct);
        }
        if let Some(done) = ct.memo().get() {
            return Ok(done);
        }
        let done = Box::new(self.settle_now(op, ct)?);
        Ok(ct.memo().get_or_init(|| done))
    }

    fn settle_now(&self, op: &'static str, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        let to = self.context.window(op, ct.level())?;
        let poly = if ct.components() == 3 {
            let key = self.relinearization_key(op, ct.window_level())?;
            ct.poly().relinearize(key, self.context.switching(), to)?
        } else {
            ct.poly().rescale(to)?
        };
        Ok(Ciphertext::settled(&self.context, poly, ct.level()))
    }

    /// Three components to two, without rescaling: the result is still pending.
    ///
    /// # Errors
    /// [`CkksError::WrongForm`] if there is nothing to relinearize; [`CkksError::NoRelinearizationKey`],
    /// [`CkksError::KeyBudget`].
    pub fn relinearize(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        const OP: &str = "relinearize";
        self.check(OP, ct)?;
        if ct.components() != 3 {
            return Err(CkksError::WrongForm {
                op: OP,
                have: "linear already (two components)",
                remedy: "relinearize only unrelinearized products",
            });
        }
        let key = self.relinearization_key(OP, ct.window_level())?;
        let poly = ct
            .poly()
            .relinearize(key, self.context.switching(), ct.limbs())?;
        Ok(ct.with_poly(poly, ct.batch()))
    }

    /// A pending ciphertext of two components to its level's window and scale.
    ///
    /// # Errors
    /// [`CkksError::WrongForm`] if nothing is pending, or if it has three components.
    pub fn rescale(&self, ct: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        const OP: &str = "rescale";
        self.check(OP, ct)?;
        let wrong = |have, remedy| {
            Err(CkksError::WrongForm {
                op: OP,
                have,
                remedy,
            })
        };
        if !ct.is_pending() {
            return wrong(
                "settled already",
                "rescale only pending products; level_down lowers a level",
            );
        }
        if ct.components() == 3 {
            return wrong(
                "not relinearized",
                "relinearize it first, or call relinearize_and_rescale, which does both",
            );
        }
        self.settle_now(OP, ct)
    }

    /// The same values at a lower level, in one step and without extra noise (a copy if it is there
    /// already).
    ///
    /// # Errors
    /// [`CkksError::OutOfLevels`] if the operand is below `level`.
    pub fn level_down(&self, ct: &Ciphertext<B>, level: usize) -> Result<Ciphertext<B>> {
        const OP: &str = "level_down";
        let ct = self.settled(OP, ct)?;
        if level > ct.level() {
            return Err(CkksError::OutOfLevels {
                op: OP,
                needed: level,
                level: ct.level(),
                missing: level - ct.level(),
            });
        }
        self.lowered(ct, level)?.into_owned()
    }

    /// `ct`, which is settled and not below `level`, at `level`.
    pub(super) fn lowered<'a>(
        &self,
        ct: &'a Ciphertext<B>,
        level: usize,
    ) -> Result<Settled<'a, B>> {
        if ct.level() == level {
            return Ok(Settled::Borrowed(ct));
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
            .rescale(self.context.window("level_down", level)?)?;
        Ok(Settled::Owned(Ciphertext::settled(
            &self.context,
            poly,
            level,
        )))
    }

    /// Both operands settled, at the lower of their levels, with equal batches.
    pub(super) fn aligned<'a>(
        &self,
        op: &'static str,
        a: &'a Ciphertext<B>,
        b: &'a Ciphertext<B>,
    ) -> Result<(Settled<'a, B>, Settled<'a, B>)> {
        let (a, b) = (self.settled(op, a)?, self.settled(op, b)?);
        let level = a.level().min(b.level());
        let (a, b) = (self.lowered(a, level)?, self.lowered(b, level)?);
        let batch = common_batch(op, a.batch(), b.batch())?;
        Ok((repeated(a, batch)?, repeated(b, batch)?))
    }

    /// Settles all and joins them at the lowest of their levels into one batch.
    ///
    /// # Errors
    /// [`CkksError::Empty`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn concat(&self, parts: &[&Ciphertext<B>]) -> Result<Ciphertext<B>> {
        const OP: &str = "concat";
        let settled = parts
            .iter()
            .map(|ct| self.settled(OP, ct))
            .collect::<Result<Vec<_>>>()?;
        let level = settled
            .iter()
            .map(|ct| ct.level())
            .min()
            .ok_or(CkksError::Empty { op: OP })?;
        let lowered = settled
            .iter()
            .map(|ct| self.lowered(ct, level))
            .collect::<Result<Vec<_>>>()?;
        Ciphertext::concat(&lowered.iter().map(|ct| &**ct).collect::<Vec<_>>())
    }

    /// The result in as few limbs as hold values up to `max_abs`: smaller to send, still at its scale. Only
    /// decryption takes it.
    ///
    /// # Errors
    /// [`CkksError::OutOfRange`] for a bound that is not positive and finite, [`CkksError::CannotCut`] if even all limbs are
    /// too few.
    pub fn drop_moduli(&self, ct: &Ciphertext<B>, max_abs: f64) -> Result<Ciphertext<B>> {
        const OP: &str = "drop_moduli";
        let ct = self.settled(OP, ct)?;
        if !(max_abs > 0.0 && max_abs.is_finite()) {
            return Err(CkksError::OutOfRange {
                op: OP,
                what: "max_abs",
                value: max_abs,
                range: "positive finite numbers".into(),
            });
        }
        let order = self.context.largest_first(ct.limbs());
        // At least one limb, however small the values are.
        let bits = (1.0 + (max_abs * ct.scale()).log2()).max(0.0);
        let limbs =
            fewest_limbs(order, bits).map_err(|(needed_bits, have_bits)| CkksError::CannotCut {
                op: OP,
                max_abs,
                needed_bits,
                have_bits,
            })?;
        if &limbs == ct.limbs() {
            return ct.try_clone();
        }
        Ok(ct.with_poly(ct.poly().restrict(&limbs)?, ct.batch()))
    }
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
pub(super) fn common_batch(op: &'static str, left: usize, right: usize) -> Result<usize> {
    if left == right || right == 1 {
        Ok(left)
    } else if left == 1 {
        Ok(right)
    } else {
        Err(CkksError::BatchMismatch { op, left, right })
    }
}

/// A batch of 1 repeated to `batch`.
pub(super) fn repeated<B: Backend>(ct: Settled<'_, B>, batch: usize) -> Result<Settled<'_, B>> {
    if ct.batch() == batch {
        return Ok(ct);
    }
    Ok(Settled::Owned(ct.pick(&vec![0; batch])?))
}
