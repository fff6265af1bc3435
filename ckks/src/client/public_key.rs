//! The public key.

use arras_hal::{Backend, Eval, Limbs, Poly, Shape};

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

    /// (b, a) over the limbs `limbs`, two polynomials.
    pub(super) fn on<B: Backend>(
        &self,
        context: &Context<B>,
        limbs: &Limbs,
    ) -> Result<(Poly<B, Eval>, Poly<B, Eval>)> {
        if self.params.fingerprint() != context.params().fingerprint() {
            return Err(parameters_mismatch(
                "encrypt",
                &self.params,
                context.params(),
            ));
        }
        let n = self.params.n();
        let all = Self::limbs(&self.params);
        let mut b = Vec::with_capacity(limbs.len() * n);
        for (row, limb) in self.b.chunks_exact(n).zip(all.iter()) {
            if limbs.contains(limb) {
                b.extend_from_slice(row);
            }
        }
        let list = crate::keys::limbs_and_moduli(&self.params, limbs);
        let mut a = vec![0; limbs.len() * n];
        uniform_rows(
            &self.seed,
            Purpose::PublicKeyUniform,
            [0, 0],
            &list,
            n,
            &mut a,
        );
        let shape = Shape::new(1, limbs.clone());
        let ring = context.ring();
        Ok((
            Poly::from_words(ring, &shape, &b)?,
            Poly::from_words(ring, &shape, &a)?,
        ))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", Self::limbs(&self.params))
    }
}
