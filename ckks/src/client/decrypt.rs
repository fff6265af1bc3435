//! Decryption.

use arras_hal::{Eval, Limbs, Named, Poly, SecretEngine, Shape};
use num_complex::Complex64;
use zeroize::Zeroizing;

use super::SecretKey;
use crate::{Ciphertext, Result, encoding::compose_centred};

/// How many limbs are used to decrypt: four primes below 2^30 hold 116 bits, beyond which doubles say
/// nothing more.
pub(super) const LIMBS: usize = 4;

/// Decrypts.
///
/// A CKKS decryption contains the ciphertext's error, and the error depends on the secret key. Whoever sees decryptions with
/// all their digits can recover the key (Li and Micciancio, ePrint 2020/1533). Values of [`Decryptor::decrypt`] are for the key's owner;
/// what others see goes through [`Decryptor::open_for_others`], which counts it.
#[derive(Debug)]
pub struct Decryptor<'a, S: SecretEngine> {
    key: &'a SecretKey<S>,
}

impl<'a, S: SecretEngine> Decryptor<'a, S> {
    /// A decryptor with this key.
    pub fn new(key: &'a SecretKey<S>) -> Self {
        Self { key }
    }

    pub(super) fn key(&self) -> &'a SecretKey<S> {
        self.key
    }

    /// The real parts of all slots, a vector for every ciphertext of the batch. For the key's owner only.
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`](crate::CkksErrorKind::ParametersMismatch); the engine's.
    pub fn decrypt(&self, ct: &Ciphertext<S>) -> Result<Vec<Vec<f64>>> {
        let encoder = self.key.context().encoder();
        self.coefficients(ct)
            .named("decrypt")?
            .iter()
            .map(|c| Ok(encoder.decode_real(c, ct.scale())?))
            .collect()
    }

    /// All slots, a vector for every ciphertext of the batch. For the key's owner only.
    ///
    /// # Errors
    /// As [`Decryptor::decrypt`].
    pub fn decrypt_complex(&self, ct: &Ciphertext<S>) -> Result<Vec<Vec<Complex64>>> {
        let encoder = self.key.context().encoder();
        self.coefficients(ct)
            .named("decrypt")?
            .iter()
            .map(|c| Ok(encoder.decode_complex(c, ct.scale())?))
            .collect()
    }

    /// The centred coefficients of every ciphertext of the batch, at the ciphertext's scale.
    fn coefficients(&self, ct: &Ciphertext<S>) -> Result<Vec<Zeroizing<Vec<f64>>>> {
        let context = self.key.context();
        context.check_same(ct.context())?;
        let limbs = self.enough_limbs(ct.limbs());
        let (n, moduli) = (context.params().n(), context.moduli_of(&limbs));
        self.residues(ct, &limbs)?
            .chunks_exact(limbs.len() * n)
            .map(|rows| {
                let rows: Vec<&[u32]> = rows.chunks_exact(n).collect();
                Ok(Zeroizing::new(compose_centred(&rows, &moduli)?))
            })
            .collect()
    }

    /// The residues of the decrypted polynomials, `[ciphertexts][limbs][N]`, of a ciphertext of the key's context.
    pub(super) fn residues(
        &self,
        ct: &Ciphertext<S>,
        limbs: &Limbs,
    ) -> Result<Zeroizing<Vec<u32>>> {
        let batch = ct.batch();
        let key = self.key.on(limbs)?;
        let mut sum = self.sensitive(batch, limbs)?;
        // Horner's rule in the secret: ((c_2 s) + c_1) s + c_0.
        for component in (0..ct.components()).rev() {
            let part = ct
                .poly()
                .select(component * batch..(component + 1) * batch, limbs)?;
            sum.add_assign(&part)?;
            if component > 0 {
                let mut product = self.sensitive(batch, limbs)?;
                sum.mul_into(&key, &mut product)?;
                sum = product;
            }
        }
        let n = self.key.context().params().n();
        let mut words = Zeroizing::new(vec![0; batch * limbs.len() * n]);
        sum.intt().download_into(&mut words)?;
        Ok(words)
    }

    fn sensitive(&self, batch: usize, limbs: &Limbs) -> Result<Poly<S, Eval>> {
        let ring = self.key.context().ring();
        Ok(Poly::secret_zeros(ring, &Shape::new(batch, limbs.clone()))?)
    }

    /// The largest limbs, at most [`LIMBS`].
    pub(super) fn enough_limbs(&self, limbs: &Limbs) -> Limbs {
        let order = self.key.context().largest_first(limbs);
        Limbs::new(order.into_iter().take(LIMBS).map(|(_, i)| i))
    }
}
