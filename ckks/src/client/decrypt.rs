//! Decryption.

use arras_hal::{Eval, Limbs, Poly, SecretEngine, Shape};
use num_complex::Complex64;
use zeroize::Zeroizing;

use super::SecretKey;
use crate::{
    Ciphertext, CkksError, CkksErrorKind, Result,
    encoding::{Encoder, EncodingError, compose_centred},
};

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
    /// [`CkksErrorKind::NotAResult`] for values that the ciphertext's moduli cannot hold: those of another key's ciphertexts, and of results
    /// that have wrapped around; [`CkksErrorKind::ParametersMismatch`]; the engine's.
    pub fn decrypt(&self, ct: &Ciphertext<S>) -> Result<Vec<Vec<f64>>> {
        CkksError::within("decrypt", || {
            let values = self.decoded(ct, Encoder::decode_real)?;
            self.check_results(ct, values.iter().flatten().map(|x| x.abs()))?;
            Ok(values)
        })
    }

    /// [`Decryptor::decrypt`] of whatever it is, a result or not: for looking into computations that went wrong.
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`]; the engine's.
    pub fn decrypt_unchecked(&self, ct: &Ciphertext<S>) -> Result<Vec<Vec<f64>>> {
        CkksError::within("decrypt_unchecked", || {
            self.decoded(ct, Encoder::decode_real)
        })
    }

    /// All slots, a vector for every ciphertext of the batch. For the key's owner only.
    ///
    /// # Errors
    /// As [`Decryptor::decrypt`].
    pub fn decrypt_complex(&self, ct: &Ciphertext<S>) -> Result<Vec<Vec<Complex64>>> {
        CkksError::within("decrypt", || {
            let values = self.decoded(ct, Encoder::decode_complex)?;
            self.check_results(ct, values.iter().flatten().map(|z| z.norm()))?;
            Ok(values)
        })
    }

    fn decoded<V>(
        &self,
        ct: &Ciphertext<S>,
        decode: impl Fn(&Encoder, &[f64], f64) -> Result<Vec<V>, EncodingError>,
    ) -> Result<Vec<Vec<V>>> {
        let encoder = self.key.context().encoder();
        self.coefficients(ct)?
            .iter()
            .map(|c| Ok(decode(encoder, c, ct.scale())?))
            .collect()
    }

    /// That these magnitudes are below the headroom of the limbs that decryption uses.
    ///
    /// The coefficients always are. Those of a wrapped result or of another key's are as if drawn from all that there are, and the slots
    /// they give, sums of N of them, are larger by about the root of N / 6: nearly all of them are found out.
    pub(super) fn check_results(
        &self,
        ct: &Ciphertext<S>,
        mut magnitudes: impl Iterator<Item = f64>,
    ) -> Result<()> {
        let moduli = self.key.context().moduli_of(&self.enough_limbs(ct.limbs()));
        let log2_q: f64 = moduli.iter().map(|&q| f64::from(q).log2()).sum();
        let headroom = (log2_q - 1.0 - ct.scale().log2()).exp2();
        // Not the largest first: a chain of maxima takes several times as long.
        if magnitudes.all(|m| m <= headroom) {
            return Ok(());
        }
        let level = ct.level();
        Err(CkksErrorKind::NotAResult { headroom, level }.into())
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
