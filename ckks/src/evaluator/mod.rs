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

use std::sync::Arc;

use arras_hal::{Backend, GaloisElement, Key, Named};

use crate::{
    Ciphertext, CkksErrorKind, Context, Result,
    keys::{EvaluationKeys, KeyKind},
    magnitude,
};

/// Computes on ciphertexts of one context, with evaluation keys only.
///
/// Nobody who uses an [`Evaluator`] needs to know about scales. Operands of different levels are brought to the
/// lower one; products stay pending (see [`Ciphertext`]) until an operation needs them settled; every
/// settled ciphertext of a level has exactly that level's canonical scale. Nothing is remembered between operations: a product that is
/// used several times is relinearized and rescaled once by [`Evaluator::relinearize_and_rescale`], or each time it is used.
///
/// Bounds on the values follow every operation ([`Ciphertext::bound`]): one whose result its level cannot hold is refused with
/// [`CkksErrorKind::Overflow`] before anything is computed. [`Evaluator::assuming`] states what operations cannot know.
#[derive(Debug)]
pub struct Evaluator<B: Backend> {
    context: Context<B>,
    keys: Arc<EvaluationKeys<B>>,
    /// A bound that the caller states of results.
    assumed: Option<f64>,
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
            keys: Arc::new(keys),
            assumed: None,
        })
    }

    /// An evaluator without keys: sums, products with plaintexts, unrelinearized products.
    pub fn without_keys(context: &Context<B>) -> Self {
        Self {
            context: context.clone(),
            keys: Arc::new(EvaluationKeys::none(context)),
            assumed: None,
        }
    }

    /// The same evaluator for operations whose results have values up to `bound`, whatever the operands' bounds let expect: a sum of
    /// numbers of which few are large, a polynomial on its interval. The results carry the smaller of the two bounds. It costs nothing;
    /// the keys are shared.
    ///
    /// Whoever assumes answers for it: where values are larger, results may wrap around modulo Q without an error.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] for a bound that is negative or not finite.
    pub fn assuming(&self, bound: f64) -> Result<Self> {
        let bound = magnitude::declared("the assumed bound", bound).named("assuming")?;
        Ok(Self {
            context: self.context.clone(),
            keys: Arc::clone(&self.keys),
            assumed: Some(bound),
        })
    }

    /// The bound of a result at `level`, from what its operands let expect.
    ///
    /// # Errors
    /// [`CkksErrorKind::Overflow`] if the level cannot hold it.
    fn bound(&self, level: usize, expected: f64) -> Result<f64> {
        let bound = self.assumed.map_or(expected, |most| most.min(expected));
        magnitude::held(self.context.params(), level, bound)
    }

    /// An operand's ciphertexts as a result: their bound, or the assumed one.
    fn as_result(&self, ct: Ciphertext<B>) -> Result<Ciphertext<B>> {
        let bound = self.bound(ct.level(), ct.bound())?;
        Ok(ct.with_bound(bound))
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

    /// This evaluator once more, with no bound assumed.
    pub(crate) fn share(&self) -> Self {
        Self {
            context: self.context.clone(),
            keys: Arc::clone(&self.keys),
            assumed: None,
        }
    }

    pub(crate) fn relinearization_key(&self, level: usize) -> Result<&Key<B>> {
        let (key, budget) = self
            .keys
            .get(KeyKind::Relinearization)
            .ok_or(CkksErrorKind::NoRelinearizationKey)?;
        within_budget(budget, level)?;
        Ok(key)
    }

    /// The key of an automorphism; `None` for the identity.
    pub(crate) fn galois_key(
        &self,
        galois: GaloisElement,
        level: usize,
        what: impl FnOnce() -> String,
    ) -> Result<Option<&Key<B>>> {
        if galois.is_identity() {
            return Ok(None);
        }
        let (key, budget) =
            self.keys
                .get(KeyKind::Galois(galois))
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
