//! The public key.

use arras_hal::{Eval, Limbs, Named, Poly, SecretEngine, Shape};

use crate::{
    Context, Result,
    context::parameters_mismatch,
    params::Parameters,
    random::{PublicSeed, Purpose, uniform_rows},
};

/// A public key (b, a) with b = e - a s, over all limbs of ciphertexts and one special limb: encryption works modulo
/// Q p and divides by p, which saves about 4 bits of precision.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) params: Parameters,
    pub(crate) seed: PublicSeed,
    /// `[limbs][N]`, evaluations.
    pub(crate) b: Vec<u32>,
}

impl PublicKey {
    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// Limbs of a public key: everything but the special limbs after the first.
    pub(crate) fn limbs(params: &Parameters) -> Limbs {
        Limbs::new(0..=params.special_range().start)
    }

    /// Expands the seed and hands the key to the client's engine: what an [`Encryptor`](super::Encryptor) takes.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::ParametersMismatch`]; the engine's if it has no memory.
    pub fn load<S: SecretEngine>(&self, context: &Context<S>) -> Result<LoadedPublicKey<S>> {
        if self.params.fingerprint() != context.params().fingerprint() {
            return Err(parameters_mismatch(&self.params, context.params()).named("load key"));
        }
        let limbs = Self::limbs(&self.params);
        let list = crate::keys::limbs_and_moduli(&self.params, &limbs);
        let mut words = self.b.clone();
        let half = words.len();
        words.resize(2 * half, 0);
        let (purpose, n) = (Purpose::PublicKeyUniform, self.params.n());
        let (workers, a) = (context.engine().workers(), &mut words[half..]);
        uniform_rows(workers, &self.seed, purpose, [0, 0], &list, n, a)?;
        Ok(LoadedPublicKey {
            context: context.clone(),
            poly: Poly::from_words(context.ring(), &Shape::new(2, limbs), &words)?,
        })
    }
}

/// A [`PublicKey`] in the client's engine.
pub struct LoadedPublicKey<S: SecretEngine> {
    context: Context<S>,
    /// (b, a).
    poly: Poly<S, Eval>,
}

impl<S: SecretEngine> LoadedPublicKey<S> {
    /// The context it is loaded into.
    pub fn context(&self) -> &Context<S> {
        &self.context
    }

    /// b (0) or a (1) over `limbs`.
    pub(super) fn half(&self, half: usize, limbs: &Limbs) -> Result<Poly<S, Eval>> {
        Ok(self.poly.select(half..half + 1, limbs)?)
    }
}

impl<S: SecretEngine> std::fmt::Debug for LoadedPublicKey<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LoadedPublicKey({})", self.poly.limbs())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", Self::limbs(&self.params))
    }
}
