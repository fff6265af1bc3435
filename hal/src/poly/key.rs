//! Switching keys on an engine.

use std::{fmt, sync::Arc};

use super::{Ring, check};
use crate::{
    Backend, HalError, HalErrorKind, KeyLayout, KeySwitchPlan, Limbs, Result, error::ensure,
};

/// A switching key in its engine's own layout.
pub struct Key<B: Backend> {
    ring: Arc<Ring<B>>,
    inner: B::Key,
}

impl<B: Backend> Key<B> {
    /// Takes a key, `[digit][2][limbs][N]` evaluations in boundary order, into the engine.
    ///
    /// # Errors
    /// [`HalErrorKind::BadLimbs`], [`HalErrorKind::WordCount`], [`HalErrorKind::NotCanonical`], or the engine's.
    pub fn prepare(ring: &Arc<Ring<B>>, layout: &KeyLayout, words: &[u32]) -> Result<Self> {
        HalError::within("prepare_key", || {
            ring.basis().check_limbs(&layout.limbs)?;
            let (expected, got) = (layout.words(ring.basis().n()), words.len());
            let right = expected > 0 && got == expected;
            ensure(right, || HalErrorKind::WordCount { expected, got })?;
            check::canonical(ring, &layout.limbs, words)
        })?;
        let inner = ring.engine().prepare_key(ring.inner(), layout, words)?;
        Ok(Self {
            ring: ring.clone(),
            inner,
        })
    }

    /// The layout it was prepared with.
    pub fn layout(&self) -> &KeyLayout {
        self.ring.engine().key_layout(&self.inner)
    }

    /// The engine's key, for calls below the typed layer.
    pub fn inner(&self) -> &B::Key {
        &self.inner
    }

    /// The key is of `ring` and covers the limbs and digits of `plan`.
    pub(super) fn check(&self, ring: &Arc<Ring<B>>, plan: &KeySwitchPlan) -> Result<()> {
        self.check_limbs(ring, plan.mod_up().key_digits(), plan.ext())
    }

    /// The key is of `ring` and has these digits and limbs.
    pub(super) fn check_limbs(
        &self,
        ring: &Arc<Ring<B>>,
        digits: &[usize],
        limbs: &Limbs,
    ) -> Result<()> {
        check::same_ring(ring, &self.ring)?;
        let layout = self.layout();
        let mut digits = digits.iter();
        let enough = digits.all(|&d| d < layout.digits) && layout.limbs.contains_all(limbs);
        ensure(enough, || HalErrorKind::KeyTooSmall {
            have: layout.limbs.clone(),
            digits: layout.digits,
            need: limbs.clone(),
        })
    }
}

impl<B: Backend> fmt::Debug for Key<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.layout())
    }
}
