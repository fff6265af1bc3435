//! The secret key.

use arras_hal::{Eval, Limbs, Poly, SecretEngine};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::small_poly;
use crate::{
    Context, Result,
    random::{Purpose, Seed, ternary},
};

/// A uniform ternary secret.
///
/// Its coefficients are overwritten when it is dropped; it does not print them.
pub struct SecretKey<S: SecretEngine> {
    context: Context<S>,
    coefficients: Zeroizing<Vec<i8>>,
    poly: Poly<S, Eval>,
}

impl<S: SecretEngine> SecretKey<S> {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// If the operating system has no randomness or the engine no memory.
    pub fn generate(context: &Context<S>) -> Result<Self> {
        Self::from_seed(context, &Seed::from_os()?)
    }

    /// The key of a seed: for tests and runs that must be reproducible.
    ///
    /// # Errors
    /// If the engine has no memory.
    pub fn from_seed(context: &Context<S>, seed: &Seed) -> Result<Self> {
        let mut coefficients = Zeroizing::new(vec![0; context.params().n()]);
        ternary(
            &mut seed.stream(Purpose::SecretKey, [0; 3]),
            &mut coefficients,
        );
        Self::from_coefficients(context, coefficients)
    }

    pub(crate) fn from_coefficients(
        context: &Context<S>,
        coefficients: Zeroizing<Vec<i8>>,
    ) -> Result<Self> {
        let limbs = context.ring().basis().all_limbs();
        let poly = small_poly(context.ring(), &coefficients, &limbs)?;
        Ok(Self {
            context: context.clone(),
            coefficients,
            poly,
        })
    }

    /// The context.
    pub fn context(&self) -> &Context<S> {
        &self.context
    }

    /// The ternary coefficients, for serialization.
    pub(crate) fn coefficients(&self) -> &[i8] {
        &self.coefficients
    }

    /// The key over some limbs, in memory that is overwritten when it is dropped.
    pub(crate) fn on(&self, limbs: &Limbs) -> Result<Poly<S, Eval>> {
        Ok(self.poly.select_secret(0..1, limbs)?)
    }

    /// Whether two keys are equal, in constant time.
    pub fn equals(&self, other: &Self) -> bool {
        let bytes = |key: &Self| -> Zeroizing<Vec<u8>> {
            Zeroizing::new(key.coefficients.iter().map(|&c| c as u8).collect())
        };
        self.context.params().fingerprint() == other.context.params().fingerprint()
            && bytes(self).ct_eq(&bytes(other)).into()
    }
}

impl<S: SecretEngine> std::fmt::Debug for SecretKey<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(secret)")
    }
}
