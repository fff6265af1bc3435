//! Client and server in one place, for tests.
#[macro_use]
mod refused;

use arras_ckks::{
    Ciphertext, Complex64, Context, Decryptor, EncryptionStreams, Encryptor, Evaluator,
    KeyGenerator, LoadedPublicKey, Parameters, PrecisionReport, SecretKey,
    params::{Dnum, LevelWidth, Security},
    random::Seed,
};
use arras_hal::SecretEngine;
use rand_core::SeedableRng;

/// A context with keys, everything from fixed seeds.
pub(crate) struct Party<S: SecretEngine> {
    pub(crate) context: Context<S>,
    pub(crate) secret: SecretKey<S>,
    pub(crate) streams: EncryptionStreams,
    pub(crate) evaluator: Evaluator<S>,
}

impl<S: SecretEngine> Party<S> {
    pub(crate) fn new(params: &Parameters, engine: S, rotations: &[i64]) -> Self {
        let context = Context::new(params, engine).unwrap();
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let mut set = generator.evaluation_keys(rotations).unwrap();
        set.insert(generator.conjugation_key().unwrap()).unwrap();
        let evaluator = Evaluator::new(&context, set.load(&context).unwrap()).unwrap();
        let streams = EncryptionStreams::from_seed(Seed::from_bytes([3; 32]));
        Self {
            context,
            secret,
            streams,
            evaluator,
        }
    }

    pub(crate) fn encryptor(&self) -> Encryptor<'_, SecretKey<S>> {
        Encryptor::with_streams(&self.secret, &self.streams)
    }

    pub(crate) fn encrypt(&self, values: &[f64], level: usize) -> Ciphertext<S> {
        self.encrypt_batch(&[values], level)
    }

    pub(crate) fn encrypt_batch(&self, vectors: &[&[f64]], level: usize) -> Ciphertext<S> {
        self.encrypt_values(vectors, level)
    }

    /// Of values up to `largest`.
    pub(crate) fn encrypt_up_to(
        &self,
        vectors: &[&[f64]],
        level: usize,
        largest: f64,
    ) -> Ciphertext<S> {
        let encryptor = self.encryptor().largest_value(largest);
        let seeded = encryptor.encrypt(vectors, level).unwrap();
        seeded.expand(&self.context).unwrap()
    }

    /// Of real or complex values.
    pub(crate) fn encrypt_values<V: Copy + Into<Complex64> + Sync>(
        &self,
        vectors: &[&[V]],
        level: usize,
    ) -> Ciphertext<S> {
        // Complex numbers with parts up to 1.
        let encryptor = self.encryptor().largest_value(1.5);
        let seeded = encryptor.encrypt(vectors, level).unwrap();
        seeded.expand(&self.context).unwrap()
    }

    pub(crate) fn settle(&self, ct: &Ciphertext<S>) -> Ciphertext<S> {
        self.evaluator.relinearize_and_rescale(ct).unwrap()
    }

    /// The public key from a seed of its own.
    pub(crate) fn public_key(&self) -> LoadedPublicKey<S> {
        let generator = KeyGenerator::with_seed(&self.secret, Seed::from_bytes([9; 32]));
        let key = generator.public_key().unwrap();
        key.load(&self.context).unwrap()
    }

    pub(crate) fn decrypt(&self, ct: &Ciphertext<S>) -> Vec<f64> {
        self.decrypt_batch(ct).remove(0)
    }

    pub(crate) fn decrypt_batch(&self, ct: &Ciphertext<S>) -> Vec<Vec<f64>> {
        Decryptor::new(&self.secret).decrypt(ct).unwrap()
    }
}

/// A small set without any security.
pub(crate) fn insecure(log_n: u32, levels: usize) -> Parameters {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(LevelWidth::Bits39)
        .dnum(Dnum::Fixed(3))
        .security(Security::InsecureForTests)
        .build()
        .unwrap()
}

/// The default 128-bit set of a degree with this many levels.
pub(crate) fn secure(log_n: u32, levels: usize) -> Parameters {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .build()
        .unwrap()
}

/// Values in [-1, 1] from a seed.
pub(crate) fn values(seed: u64, count: usize) -> Vec<f64> {
    use rand_core::Rng;
    let mut rng = chacha20::ChaCha20Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| rng.next_u64() as i64 as f64 / (1u64 << 63) as f64)
        .collect()
}

/// -log2 of the worst error.
pub(crate) fn bits(expected: &[f64], actual: &[f64]) -> f64 {
    let report = PrecisionReport::real(expected, &actual[..expected.len()]);
    report.unwrap().worst_bits()
}
