//! Computing on ciphertexts, with evaluation keys only.
//!
//! Nobody who uses an [`Evaluator`] needs to know about scales. Operands of different levels are brought to the
//! lower one; products stay pending (see [`crate::ciphertext`]) until an operation needs them settled; every
//! settled ciphertext of a level has exactly that level's canonical scale.
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

use arras_hal::{Backend, GaloisElement, Key};

use crate::{Ciphertext, CkksError, Context, Result, keys::EvaluationKeys};

/// Computes on ciphertexts of one context.
#[derive(Debug)]
pub struct Evaluator<B: Backend> {
    context: Context<B>,
    keys: EvaluationKeys<B>,
}

impl<B: Backend> Evaluator<B> {
    /// An evaluator with these keys.
    ///
    /// # Errors
    /// [`CkksError::ParametersMismatch`] if the keys were loaded into another context.
    pub fn new(context: &Context<B>, keys: EvaluationKeys<B>) -> Result<Self> {
        keys.context().check_same("Evaluator::new", context)?;
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
    fn check(&self, op: &'static str, ct: &Ciphertext<B>) -> Result<()> {
        self.context.check_same(op, ct.context())?;
        ct.check_whole(op)
    }

    fn relinearization_key(&self, op: &'static str, level: usize) -> Result<&Key<B>> {
        let (key, budget) = self
            .keys
            .relinearization()
            .ok_or(CkksError::NoRelinearizationKey { op })?;
        within_budget(op, budget, level)?;
        Ok(key)
    }

    /// The key of an automorphism; `None` for the identity.
    fn galois_key(
        &self,
        op: &'static str,
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
            .ok_or_else(|| CkksError::NoGaloisKey {
                op,
                what: what(),
                element: galois.value(),
            })?;
        within_budget(op, budget, level)?;
        Ok(Some(key))
    }
}

fn within_budget(op: &'static str, budget: usize, level: usize) -> Result<()> {
    if level <= budget {
        Ok(())
    } else {
        Err(CkksError::KeyBudget { op, budget, level })
    }
}
