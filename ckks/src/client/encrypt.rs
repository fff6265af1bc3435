//! Encryption.

use std::sync::atomic::{AtomicU64, Ordering};

use arras_hal::{Coeff, Eval, Limbs, Poly, SecretEngine, Shape};
use num_complex::Complex64;
use zeroize::Zeroizing;

use super::{PublicKey, SecretKey, SeededCiphertext, errors, seeded::uniform_halves, small_poly};
use crate::{
    Ciphertext, CkksError, Context, Result,
    encoding::IntCoefficients,
    random::{Purpose, Seed, ternary},
};

/// Encrypts batches of vectors. Every call draws from streams of its own.
#[derive(Debug)]
pub struct Encryptor<S: SecretEngine> {
    context: Context<S>,
    seed: Seed,
    next: AtomicU64,
}

impl<S: SecretEngine> Encryptor<S> {
    /// An encryptor with fresh randomness from the operating system.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn new(context: &Context<S>) -> Result<Self> {
        Ok(Self::with_seed(context, Seed::from_os()?))
    }

    /// An encryptor that makes the same ciphertexts in the same order from the same seed, on every engine and with any
    /// number of threads: for tests and runs that must be reproducible. Two encryptors with one seed must never
    /// encrypt different data: the difference would be readable.
    pub fn with_seed(context: &Context<S>, seed: Seed) -> Self {
        Self {
            context: context.clone(),
            seed,
            next: AtomicU64::new(0),
        }
    }

    /// Encrypts real vectors with the secret key at `level`, one ciphertext each, in half the bytes. Shorter vectors are padded with
    /// zeros.
    ///
    /// # Errors
    /// [`CkksError::Empty`], [`CkksError::LevelTooHigh`]; [`CkksError::OutOfRange`] and [`CkksError::Encoding`] for a value that
    /// does not fit.
    pub fn encrypt(
        &self,
        key: &SecretKey<S>,
        vectors: &[&[f64]],
        level: usize,
    ) -> Result<SeededCiphertext> {
        self.with_secret_key(key, &self.encode_real(vectors, level)?, level)
    }

    /// [`Encryptor::encrypt`] of complex vectors.
    ///
    /// # Errors
    /// As [`Encryptor::encrypt`].
    pub fn encrypt_complex(
        &self,
        key: &SecretKey<S>,
        vectors: &[&[Complex64]],
        level: usize,
    ) -> Result<SeededCiphertext> {
        self.with_secret_key(key, &self.encode_complex(vectors, level)?, level)
    }

    /// Encrypts real vectors with the public key at `level`.
    ///
    /// # Errors
    /// As [`Encryptor::encrypt`], and [`CkksError::ParametersMismatch`].
    pub fn encrypt_public(
        &self,
        key: &PublicKey,
        vectors: &[&[f64]],
        level: usize,
    ) -> Result<Ciphertext<S>> {
        self.with_public_key(key, &self.encode_real(vectors, level)?, level)
    }

    /// [`Encryptor::encrypt_public`] of complex vectors.
    ///
    /// # Errors
    /// As [`Encryptor::encrypt_public`].
    pub fn encrypt_public_complex(
        &self,
        key: &PublicKey,
        vectors: &[&[Complex64]],
        level: usize,
    ) -> Result<Ciphertext<S>> {
        self.with_public_key(key, &self.encode_complex(vectors, level)?, level)
    }

    fn encode_real(&self, vectors: &[&[f64]], level: usize) -> Result<Vec<IntCoefficients>> {
        let scale = self.scale(vectors.len(), level)?;
        vectors
            .iter()
            .map(|v| {
                self.check_magnitude(v.iter().map(|x| x.abs()))?;
                Ok(self.context.encoder().encode_real(v, scale)?)
            })
            .collect()
    }

    fn encode_complex(
        &self,
        vectors: &[&[Complex64]],
        level: usize,
    ) -> Result<Vec<IntCoefficients>> {
        let scale = self.scale(vectors.len(), level)?;
        vectors
            .iter()
            .map(|v| {
                self.check_magnitude(v.iter().map(|x| x.norm()))?;
                Ok(self.context.encoder().encode_complex(v, scale)?)
            })
            .collect()
    }

    fn scale(&self, vectors: usize, level: usize) -> Result<f64> {
        if vectors == 0 {
            return Err(CkksError::Empty { op: "encrypt" });
        }
        self.context.window("encrypt", level)?;
        Ok(self.context.params().scale(level))
    }

    /// Values must stay below the headroom of level 0, where every ciphertext may be brought. NaN passes here and is refused by the encoder, which names
    /// its slot.
    fn check_magnitude(&self, values: impl Iterator<Item = f64>) -> Result<()> {
        let most = self.context.params().headroom_bits(0).exp2();
        let largest = values.fold(0.0, f64::max);
        if largest.is_finite() && largest >= most {
            return Err(CkksError::OutOfRange {
                op: "encrypt",
                what: "the largest value",
                value: largest,
                range: format!(
                    "magnitudes below {most:.1}, the headroom of these parameters; scale the data down"
                ),
            });
        }
        Ok(())
    }

    /// Encoded vectors over `limbs`, in memory that is overwritten when it is dropped.
    fn message(&self, encoded: &[IntCoefficients], limbs: &Limbs) -> Result<Poly<S, Eval>> {
        let n = self.context.params().n();
        let moduli = self.context.moduli_of(limbs);
        let shape = Shape::new(encoded.len(), limbs.clone());
        let mut words = Zeroizing::new(vec![0; shape.words(n)]);
        let rows = encoded
            .iter()
            .flat_map(|c| moduli.iter().map(move |&q| (c, q)));
        for (row, (coefficients, q)) in words.chunks_exact_mut(n).zip(rows) {
            coefficients.residues_into(q, row);
        }
        Ok(Poly::<S, Coeff>::from_secret_words(self.context.ring(), &shape, &words)?.ntt())
    }

    fn with_secret_key(
        &self,
        key: &SecretKey<S>,
        encoded: &[IntCoefficients],
        level: usize,
    ) -> Result<SeededCiphertext> {
        const OP: &str = "encrypt";
        key.context().check_same(OP, &self.context)?;
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let params = self.context.params();
        let limbs = self.context.window(OP, level)?.clone();
        let ring = self.context.ring();
        let batch = encoded.len();
        let seed = self.seed.public(Purpose::EncryptionUniform, [call, 0, 0]);
        let a = uniform_halves(params, &seed, &limbs, batch);
        let a = Poly::<S, Eval>::from_words(ring, &Shape::new(batch, limbs.clone()), &a)?;
        let streams =
            (0..batch as u64).map(|i| self.seed.stream(Purpose::EncryptionError, [call, i, 0]));
        let mut c0 = errors(ring, streams, &limbs)?;
        c0.add_assign(&self.message(encoded, &limbs)?)?;
        let mut product = Poly::secret_zeros(ring, &Shape::new(batch, limbs.clone()))?;
        a.mul_into(&key.on(&limbs)?, &mut product)?;
        c0.sub_assign(&product)?;
        Ok(SeededCiphertext {
            params: params.clone(),
            level,
            seed,
            c0: c0.to_words()?,
        })
    }

    fn with_public_key(
        &self,
        key: &PublicKey,
        encoded: &[IntCoefficients],
        level: usize,
    ) -> Result<Ciphertext<S>> {
        const OP: &str = "encrypt_public";
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let window = self.context.window(OP, level)?.clone();
        let special = Limbs::new([self.context.params().special_range().start]);
        let wide = window.union(&special);
        let ring = self.context.ring();
        let batch = encoded.len();
        let n = self.context.params().n();
        let mut masks = Zeroizing::new(vec![0; batch * n]);
        for (i, mask) in masks.chunks_exact_mut(n).enumerate() {
            let index = [call, i as u64, 0];
            ternary(
                &mut self.seed.stream(Purpose::EncryptionTernary, index),
                mask,
            );
        }
        let mask = small_poly(ring, &masks, &wide)?;
        let (b, a) = key.on(&self.context, &wide)?;
        let half = |half: &Poly<S, Eval>, component: u64| -> Result<Poly<S, Eval>> {
            let streams = (0..batch as u64).map(|i| {
                self.seed
                    .stream(Purpose::EncryptionError, [call, i, 1 + component])
            });
            let mut sum = errors(ring, streams, &wide)?;
            let mut product = Poly::secret_zeros(ring, &Shape::new(batch, wide.clone()))?;
            mask.mul_into(half, &mut product)?;
            sum.add_assign(&product)?;
            Ok(sum.rescale(&window)?)
        };
        let mut c0 = half(&b, 0)?;
        c0.add_assign(&self.message(encoded, &window)?)?;
        let poly = Poly::concat(&[&c0, &half(&a, 1)?])?;
        Ok(Ciphertext::settled(&self.context, poly, level))
    }
}
