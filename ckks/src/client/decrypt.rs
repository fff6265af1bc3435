//! Decryption.

use arras_hal::{Eval, Limbs, Named, Poly, SecretEngine, Shape};
use num_complex::Complex64;
use zeroize::Zeroizing;

use super::SecretKey;
use crate::{
    Ciphertext, CkksError, CkksErrorKind, Result,
    encoding::compose_centred,
    random::{Purpose, Seed, flooding},
};

/// How many limbs are used to decrypt: four primes below 2^30 hold 116 bits, beyond which doubles say
/// nothing more.
const LIMBS: usize = 4;

/// Decrypts.
///
/// A CKKS decryption contains the ciphertext's error, and the error depends on the secret key. Whoever sees decryptions with
/// all their digits can recover the key (Li and Micciancio, ePrint 2020/1533). Values of [`Decryptor::decrypt`] are for the key's owner;
/// what others see goes through [`Decryptor::decrypt_for_sharing`].
#[derive(Debug)]
pub struct Decryptor<'a, S: SecretEngine> {
    key: &'a SecretKey<S>,
}

/// A decryption that others may see.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SharedDecryption {
    /// The values of every ciphertext of the batch.
    pub values: Vec<Vec<f64>>,
    /// log2 of the noise added to a coefficient over the least error that a computed ciphertext has. The attack's advantage against
    /// q shared decryptions falls as sqrt(q) * 2^-flooding_bits (ePrint 2022/816, section 4).
    pub flooding_bits: f64,
}

impl<'a, S: SecretEngine> Decryptor<'a, S> {
    /// A decryptor with this key.
    pub fn new(key: &'a SecretKey<S>) -> Self {
        Self { key }
    }

    /// The real parts of all slots, a vector for every ciphertext of the batch. For the key's owner only.
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`]; the engine's.
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

    /// The real parts of all slots with flooding noise: a slot's noise has a standard deviation of 2^-bits, and hides the digits
    /// below. The noise is fresh at every call.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] if the noise would not exceed the error that a ciphertext has anyway: ask for fewer bits.
    /// As [`Decryptor::decrypt`].
    pub fn decrypt_for_sharing(&self, ct: &Ciphertext<S>, bits: f64) -> Result<SharedDecryption> {
        CkksError::within("decrypt_for_sharing", || {
            let context = self.key.context();
            let n = context.params().n() as f64;
            // A slot is a sum of N coefficients times numbers of magnitude 1.
            let sigma = ct.scale() * (-bits).exp2() / n.sqrt();
            // The rounding of one rescale: a uniform error in each component, the second times a ternary secret.
            let least_error = ((1.0 + 2.0 * n / 3.0) / 12.0).sqrt();
            let flooding_bits = (sigma / least_error).log2();
            if !(flooding_bits > 0.0 && sigma.is_finite()) {
                let most = (ct.scale() / (n.sqrt() * least_error)).log2();
                return Err(CkksErrorKind::OutOfRange {
                    what: "bits",
                    value: bits,
                    range: format!(
                        "bits below {most:.1}, where the noise exceeds the ciphertext's own error"
                    ),
                }
                .into());
            }
            let seed = Seed::from_os()?;
            let mut values = Vec::with_capacity(ct.batch());
            for (i, mut coefficients) in self
                .coefficients(ct)
                .named("decrypt")?
                .into_iter()
                .enumerate()
            {
                let mut noise = Zeroizing::new(vec![0.0; coefficients.len()]);
                flooding(
                    &mut seed.stream(Purpose::Flooding, [i as u64, 0, 0]),
                    sigma,
                    &mut noise,
                );
                for (c, e) in coefficients.iter_mut().zip(noise.iter()) {
                    *c += e;
                }
                values.push(context.encoder().decode_real(&coefficients, ct.scale())?);
            }
            Ok(SharedDecryption {
                values,
                flooding_bits,
            })
        })
    }

    /// The centred coefficients of every ciphertext of the batch, at the ciphertext's scale.
    fn coefficients(&self, ct: &Ciphertext<S>) -> Result<Vec<Zeroizing<Vec<f64>>>> {
        let context = self.key.context();
        context.check_same(ct.context())?;
        let limbs = self.enough_limbs(ct.limbs());
        let batch = ct.batch();
        let key = self.key.on(&limbs)?;
        let mut sum = self.sensitive(batch, &limbs)?;
        // Horner's rule in the secret: ((c_2 s) + c_1) s + c_0.
        for component in (0..ct.components()).rev() {
            let part = ct
                .poly()
                .select(component * batch..(component + 1) * batch, &limbs)?;
            sum.add_assign(&part)?;
            if component > 0 {
                let mut product = self.sensitive(batch, &limbs)?;
                sum.mul_into(&key, &mut product)?;
                sum = product;
            }
        }
        let n = context.params().n();
        let moduli = context.moduli_of(&limbs);
        let mut words = Zeroizing::new(vec![0; batch * limbs.len() * n]);
        sum.intt().download_into(&mut words)?;
        words
            .chunks_exact(limbs.len() * n)
            .map(|rows| {
                let rows: Vec<&[u32]> = rows.chunks_exact(n).collect();
                Ok(Zeroizing::new(compose_centred(&rows, &moduli)?))
            })
            .collect()
    }

    fn sensitive(&self, batch: usize, limbs: &Limbs) -> Result<Poly<S, Eval>> {
        let ring = self.key.context().ring();
        Ok(Poly::secret_zeros(ring, &Shape::new(batch, limbs.clone()))?)
    }

    /// The largest limbs, at most [`LIMBS`].
    fn enough_limbs(&self, limbs: &Limbs) -> Limbs {
        let order = self.key.context().largest_first(limbs);
        Limbs::new(order.into_iter().take(LIMBS).map(|(_, i)| i))
    }
}
