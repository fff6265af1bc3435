//! Encryption.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arras_hal::{Coeff, Eval, HalError, Limbs, Poly, SecretEngine, Shape};
use num_complex::Complex64;
use zeroize::Zeroizing;

use super::{
    LoadedPublicKey, SecretKey, SeededCiphertext, errors, seeded::uniform_halves, small_poly,
};
use crate::{
    Ciphertext, CkksError, CkksErrorKind, Context, Result,
    encoding::{IntCoefficients, residue_rows},
    random::{Purpose, Seed, ternary},
};

/// What encryptors draw their randomness from: a seed, and a count of the calls that have drawn from it. Clones count together, so that
/// encryptors of several keys can share one seed.
#[derive(Clone, Debug)]
pub struct EncryptionStreams {
    seed: Seed,
    next: Arc<AtomicU64>,
}

impl EncryptionStreams {
    /// From the operating system's randomness.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn from_os() -> Result<Self> {
        Ok(Self::from_seed(Seed::from_os()?))
    }

    /// From a seed: the same ciphertexts in the same order, on every engine and with any number of threads, for tests and runs that must be
    /// reproducible. Streams made twice from one seed must never encrypt different data: the difference would be readable.
    pub fn from_seed(seed: Seed) -> Self {
        Self {
            seed,
            next: Arc::default(),
        }
    }

    fn next_call(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A key that encrypts: a [`SecretKey`], whose ciphertexts take half the bytes, or a [`LoadedPublicKey`].
pub trait EncryptionKey: sealed::Sealed {
    /// The client's engine.
    type Engine: SecretEngine;
    /// What an encryption is.
    type Ciphertext;

    /// The context of the key.
    fn context(&self) -> &Context<Self::Engine>;

    /// Encrypts encoded vectors at `level` with the streams of call number `call`: [`Encryptor::encrypt`] encodes and counts.
    ///
    /// # Errors
    /// [`CkksErrorKind::LevelTooHigh`]; if the engine has no memory.
    fn encrypt_encoded(
        &self,
        encoded: &[IntCoefficients],
        level: usize,
        seed: &Seed,
        call: u64,
    ) -> Result<Self::Ciphertext>;
}

/// Encrypts batches of vectors with one key. Every call draws from streams of its own.
#[derive(Debug)]
pub struct Encryptor<'k, K: EncryptionKey> {
    key: &'k K,
    streams: EncryptionStreams,
}

impl<'k, K: EncryptionKey> Encryptor<'k, K> {
    /// An encryptor with fresh randomness from the operating system.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn new(key: &'k K) -> Result<Self> {
        Ok(Self::with_streams(key, &EncryptionStreams::from_os()?))
    }

    /// An encryptor that makes the same ciphertexts from the same seed: see [`EncryptionStreams::from_seed`].
    pub fn with_seed(key: &'k K, seed: Seed) -> Self {
        Self::with_streams(key, &EncryptionStreams::from_seed(seed))
    }

    /// An encryptor that draws from these streams, after what has been drawn from them.
    pub fn with_streams(key: &'k K, streams: &EncryptionStreams) -> Self {
        let streams = streams.clone();
        Self { key, streams }
    }

    /// Encrypts vectors of real or complex numbers at `level`, one ciphertext each. Shorter vectors are padded with zeros.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`], [`CkksErrorKind::LevelTooHigh`]; [`CkksErrorKind::OutOfRange`] and [`CkksErrorKind::Encoding`] for a value that
    /// does not fit; [`CkksErrorKind::Stopped`].
    pub fn encrypt<V: Copy + Into<Complex64> + Sync>(
        &self,
        vectors: &[&[V]],
        level: usize,
    ) -> Result<K::Ciphertext> {
        CkksError::within("encrypt", || {
            let encoded = encode(self.key.context(), vectors, level)?;
            let call = self.streams.next_call();
            self.key
                .encrypt_encoded(&encoded, level, &self.streams.seed, call)
        })
    }
}

fn encode<S: SecretEngine, V: Copy + Into<Complex64> + Sync>(
    context: &Context<S>,
    vectors: &[&[V]],
    level: usize,
) -> Result<Vec<IntCoefficients>> {
    if vectors.is_empty() {
        return Err(CkksErrorKind::Empty.into());
    }
    context.window(level)?;
    let scale = context.params().scale(level);
    let encode = |v: &&[V]| {
        context.stopped()?;
        check_magnitude(context, v)?;
        Ok(context.encoder().encode(v, scale)?)
    };
    context.engine().workers().map(vectors, encode)
}

/// Values must stay below the headroom of level 0, where every ciphertext may be brought. NaN passes here and is refused by the encoder,
/// which names its slot.
fn check_magnitude<S: SecretEngine, V: Copy + Into<Complex64>>(
    context: &Context<S>,
    values: &[V],
) -> Result<()> {
    let most = context.params().headroom_bits(0).exp2();
    let magnitude = |&value: &V| {
        let z: Complex64 = value.into();
        // The same for real numbers, and no square root.
        if z.im == 0.0 { z.re.abs() } else { z.norm() }
    };
    let largest = values.iter().map(magnitude).fold(0.0, f64::max);
    if largest.is_finite() && largest >= most {
        return Err(CkksErrorKind::OutOfRange {
            what: "the largest value",
            value: largest,
            range: format!(
                "magnitudes below {most:.1}, the headroom of these parameters; scale the data down"
            ),
        }
        .into());
    }
    Ok(())
}

/// Encoded vectors over `limbs`, in memory that is overwritten when it is dropped.
fn message<S: SecretEngine>(
    context: &Context<S>,
    encoded: &[IntCoefficients],
    limbs: &Limbs,
) -> Result<Poly<S, Eval>> {
    let n = context.params().n();
    let moduli = context.moduli_of(limbs);
    let shape = Shape::new(encoded.len(), limbs.clone());
    let mut words = Zeroizing::new(vec![0; shape.words(n)]);
    let workers = context.engine().workers();
    residue_rows(workers, encoded, &moduli, n, &mut words)?;
    Ok(Poly::<S, Coeff>::from_secret_words(context.ring(), &shape, &words)?.ntt())
}

impl<S: SecretEngine> sealed::Sealed for SecretKey<S> {}

impl<S: SecretEngine> EncryptionKey for SecretKey<S> {
    type Engine = S;
    type Ciphertext = SeededCiphertext;

    fn context(&self) -> &Context<S> {
        self.context()
    }

    fn encrypt_encoded(
        &self,
        encoded: &[IntCoefficients],
        level: usize,
        seed: &Seed,
        call: u64,
    ) -> Result<SeededCiphertext> {
        let context = self.context();
        let (params, ring, batch) = (context.params(), context.ring(), encoded.len());
        let limbs = context.window(level)?.clone();
        let public = seed.public(Purpose::EncryptionUniform, [call, 0, 0]);
        let a = uniform_halves(context, &public, &limbs, batch)?;
        let a = Poly::<S, Eval>::from_words(ring, &Shape::new(batch, limbs.clone()), &a)?;
        let stream = |i| seed.stream(Purpose::EncryptionError, [call, i, 0]);
        context.stopped()?;
        let mut c0 = errors(ring, batch, stream, &limbs)?;
        context.stopped()?;
        c0.add_assign(&message(context, encoded, &limbs)?)?;
        let mut product = Poly::secret_zeros(ring, &Shape::new(batch, limbs.clone()))?;
        a.mul_into(&self.on(&limbs)?, &mut product)?;
        c0.sub_assign(&product)?;
        Ok(SeededCiphertext {
            params: params.clone(),
            level,
            seed: public,
            c0: c0.to_words()?,
        })
    }
}

impl<S: SecretEngine> sealed::Sealed for LoadedPublicKey<S> {}

impl<S: SecretEngine> EncryptionKey for LoadedPublicKey<S> {
    type Engine = S;
    type Ciphertext = Ciphertext<S>;

    fn context(&self) -> &Context<S> {
        self.context()
    }

    fn encrypt_encoded(
        &self,
        encoded: &[IntCoefficients],
        level: usize,
        seed: &Seed,
        call: u64,
    ) -> Result<Ciphertext<S>> {
        let context = self.context();
        let (params, ring, batch) = (context.params(), context.ring(), encoded.len());
        let window = context.window(level)?.clone();
        let wide = window.union(&Limbs::new([params.special_range().start]));
        let n = params.n();
        let mut masks = Zeroizing::new(vec![0; batch * n]);
        let workers = context.engine().workers();
        workers.each_chunk(&mut masks, n, |i, mask| {
            let index = [call, i as u64, 0];
            ternary(&mut seed.stream(Purpose::EncryptionTernary, index), mask);
            Ok::<_, HalError>(())
        })?;
        let mask = small_poly(ring, &masks, &wide)?;
        let half = |component: usize| -> Result<Poly<S, Eval>> {
            context.stopped()?;
            let stream = |i| seed.stream(Purpose::EncryptionError, [call, i, 1 + component as u64]);
            let mut sum = errors(ring, batch, stream, &wide)?;
            let mut product = Poly::secret_zeros(ring, &Shape::new(batch, wide.clone()))?;
            mask.mul_into(&self.half(component, &wide)?, &mut product)?;
            sum.add_assign(&product)?;
            Ok(sum.rescale(&window)?)
        };
        let mut c0 = half(0)?;
        c0.add_assign(&message(context, encoded, &window)?)?;
        let poly = Poly::concat(&[&c0, &half(1)?])?;
        Ok(Ciphertext::settled(context, poly, level))
    }
}
