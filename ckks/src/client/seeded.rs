//! Secret-key encryptions in half the bytes.

use arras_hal::{Backend, Eval, Named, Poly, Shape};

use crate::{
    Ciphertext, Context, Result,
    context::parameters_mismatch,
    params::Parameters,
    random::{PublicSeed, Purpose, uniform_rows},
};

/// A batch of fresh secret-key encryptions: component 0, and the seed of component 1.
#[derive(Clone, PartialEq, Eq)]
pub struct SeededCiphertext {
    pub(crate) params: Parameters,
    pub(crate) level: usize,
    pub(crate) seed: PublicSeed,
    /// `[batch][limbs][N]`, evaluations.
    pub(crate) c0: Vec<u32>,
}

impl SeededCiphertext {
    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// The level.
    pub fn level(&self) -> usize {
        self.level
    }

    /// Number of ciphertexts.
    pub fn batch(&self) -> usize {
        self.c0.len() / (self.params.window(self.level).len() * self.params.n()).max(1)
    }

    /// The ciphertexts on an engine.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::ParametersMismatch`], [`crate::CkksErrorKind::Stopped`]; the engine's if it has no memory.
    pub fn expand<B: Backend>(&self, context: &Context<B>) -> Result<Ciphertext<B>> {
        if self.params.fingerprint() != context.params().fingerprint() {
            return Err(parameters_mismatch(&self.params, context.params()).named("expand"));
        }
        let limbs = context.window(self.level).named("expand")?.clone();
        let batch = self.batch();
        let mut words = Vec::with_capacity(2 * self.c0.len());
        words.extend_from_slice(&self.c0);
        words.extend(uniform_halves(context, &self.seed, &limbs, batch).named("expand")?);
        let shape = Shape::new(2 * batch, limbs);
        let poly = Poly::<B, Eval>::from_words(context.ring(), &shape, &words)?;
        Ok(Ciphertext::settled(context, poly, self.level))
    }
}

/// The uniform halves of a batch, `[batch][limbs][N]`.
pub(super) fn uniform_halves<B: Backend>(
    context: &Context<B>,
    seed: &PublicSeed,
    limbs: &arras_hal::Limbs,
    batch: usize,
) -> Result<Vec<u32>> {
    let params = context.params();
    let n = params.n();
    let list = crate::keys::limbs_and_moduli(params, limbs);
    let mut words = vec![0; batch * limbs.len() * n];
    for (i, part) in words.chunks_exact_mut(limbs.len() * n).enumerate() {
        context.stopped()?;
        uniform_rows(
            context.engine().workers(),
            seed,
            Purpose::EncryptionUniform,
            [i as u64, 0],
            &list,
            n,
            part,
        )?;
    }
    Ok(words)
}

impl std::fmt::Debug for SeededCiphertext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SeededCiphertext({} at level {})",
            self.batch(),
            self.level
        )
    }
}
