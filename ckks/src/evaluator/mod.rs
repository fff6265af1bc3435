//! Computing on ciphertexts, with evaluation keys only.
//!
//! | module | operations |
//! |---|---|
//! | `sums` | add, sub, neg, with ciphertexts |
//! | `products` | multiply, square, sum of products |
//! | `plain` | everything with plaintexts and scalars, encoding |
//! | `levels` | relinearize and rescale, together and alone; level down, alignment, dropping moduli |
//! | `rotations` | rotate, conjugate, hoisted rotations, rotate-and-sum, weighted sums of rotations |

mod levels;
mod plain;
mod products;
mod rotations;
mod sums;

use arras_hal::{Backend, GaloisElement, Key, Named};

use crate::{Ciphertext, CkksErrorKind, Context, Result, keys::EvaluationKeys};

/// Computes on ciphertexts of one context, with evaluation keys only.
///
/// Nobody who uses an [`Evaluator`] needs to know about scales. Operands of different levels are brought to the
/// lower one; products stay pending (see [`Ciphertext`]) until an operation needs them settled; every
/// settled ciphertext of a level has exactly that level's canonical scale. Nothing is remembered between operations: a product that is
/// used several times is relinearized and rescaled once by [`Evaluator::relinearize_and_rescale`], or each time it is used.
#[derive(Debug)]
pub struct Evaluator<B: Backend> {
    context: Context<B>,
    keys: EvaluationKeys<B>,
}

impl<B: Backend> Evaluator<B> {
    /// An evaluator with these keys.
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`] if the keys were loaded into another context.
    pub fn new(context: &Context<B>, keys: EvaluationKeys<B>) -> Result<Self> {
        keys.context().check_same(context).named("Evaluator::new")?;
        Ok(Self {
            context: context.clone(),
            keys,
        })
    }

    /// An evaluator without keys: sums, products with plaintexts, unrelinearized products.
    pub fn without_keys(context: &Context<B>) -> Self {
        Self {
            context: context.clone(),
            keys: EvaluationKeys::none(context),
        }
    }

    /// The context.
    pub fn context(&self) -> &Context<B> {
        &self.context
    }

    /// The keys.
    pub fn keys(&self) -> &EvaluationKeys<B> {
        &self.keys
    }

    /// The operand belongs here and was not cut.
    fn check(&self, ct: &Ciphertext<B>) -> Result<()> {
        self.context.check_same(ct.context())?;
        ct.check_whole()
    }

    fn relinearization_key(&self, level: usize) -> Result<&Key<B>> {
        let (key, budget) = self
            .keys
            .relinearization()
            .ok_or(CkksErrorKind::NoRelinearizationKey)?;
        within_budget(budget, level)?;
        Ok(key)
    }

    /// The key of an automorphism; `None` for the identity.
    fn galois_key(
        &self,
        galois: GaloisElement,
        level: usize,
        what: impl FnOnce() -> String,
    ) -> Result<Option<&Key<B>>> {
        if galois.is_identity() {
            return Ok(None);
        }
        let (key, budget) = self
            .keys
            .galois(galois)
            .ok_or_else(|| CkksErrorKind::NoGaloisKey {
                what: what(),
                element: galois.value(),
            })?;
        within_budget(budget, level)?;
        Ok(Some(key))
    }
}

fn within_budget(budget: usize, level: usize) -> Result<()> {
    if level <= budget {
        Ok(())
    } else {
        Err(CkksErrorKind::KeyBudget { budget, level }.into())
    }
}
