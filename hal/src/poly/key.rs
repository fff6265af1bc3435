//! Switching keys on an engine.

use std::{fmt, sync::Arc};

use super::{Ring, check};
use crate::{Backend, HalError, KeyLayout, Limbs, Result};

/// A switching key in its engine's own layout.
pub struct Key<B: Backend> {
    ring: Arc<Ring<B>>,
    inner: B::Key,
}

impl<B: Backend> Key<B> {
    /// Takes a key, `[digit][2][limbs][N]` evaluations in boundary order, into the engine.
    ///
    /// # Errors
    /// [`HalError::BadLimbs`], [`HalError::WordCount`], [`HalError::NotCanonical`], or the engine's.
    pub fn prepare(ring: &Arc<Ring<B>>, layout: &KeyLayout, words: &[u32]) -> Result<Self> {
        const OP: &str = "prepare_key";
        ring.basis().check_limbs(OP, &layout.limbs)?;
        let expected = layout.words(ring.basis().n());
        if expected == 0 || words.len() != expected {
            return Err(HalError::WordCount {
                op: OP,
                expected,
                got: words.len(),
            });
        }
        check::canonical(OP, ring, &layout.limbs, words)?;
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

    /// The key is of `ring` and covers these limbs and digits.
    pub(super) fn check(
        &self,
        op: &'static str,
        ring: &Arc<Ring<B>>,
        limbs: &Limbs,
        key_digits: &[usize],
    ) -> Result<()> {
        check::same_ring(op, ring, &self.ring)?;
        let layout = self.layout();
        let digits = key_digits.iter().all(|&d| d < layout.digits);
        if digits && layout.limbs.contains_all(limbs) {
            return Ok(());
        }
        Err(HalError::KeyTooSmall {
            op,
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
