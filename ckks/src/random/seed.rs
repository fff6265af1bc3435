//! Seeds and streams.

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::RandomError;

/// What a stream is for. Each purpose derives its streams in a domain of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Ternary secret keys.
    SecretKey,
    /// Errors of switching keys.
    KeyError,
    /// Uniform halves of switching keys.
    KeyUniform,
    /// Errors of public keys.
    PublicKeyError,
    /// Uniform halves of public keys.
    PublicKeyUniform,
    /// Errors of encryptions.
    EncryptionError,
    /// Uniform halves of secret-key encryptions.
    EncryptionUniform,
    /// Ternary masks of public-key encryptions.
    EncryptionTernary,
    /// Noise of what is opened for others.
    Flooding,
    /// Seeds of objects: keys, encryptions.
    ObjectSeed,
    /// What openings derive from a secret key.
    OpeningSecret,
    /// What binds a ledger of openings to its key.
    LedgerKey,
    /// What shows that a ledger was written by its key's owner.
    LedgerTag,
    /// Sparse secrets of bootstraps.
    SparseSecret,
    /// Errors of the switching keys to and from a sparse secret.
    SparseKeyError,
}

impl Purpose {
    fn context(self) -> &'static str {
        match self {
            Self::SecretKey => "arras 2026-11 ckks secret key",
            Self::KeyError => "arras 2026-11 ckks switching key error",
            Self::KeyUniform => "arras 2026-11 ckks switching key uniform half",
            Self::PublicKeyError => "arras 2026-11 ckks public key error",
            Self::PublicKeyUniform => "arras 2026-11 ckks public key uniform half",
            Self::EncryptionError => "arras 2026-11 ckks encryption error",
            Self::EncryptionUniform => "arras 2026-11 ckks encryption uniform half",
            Self::EncryptionTernary => "arras 2026-11 ckks encryption ternary mask",
            Self::Flooding => "arras 2026-11 ckks flooding noise",
            Self::ObjectSeed => "arras 2026-11 ckks object seed",
            Self::OpeningSecret => "arras 2026-11 ckks secret of openings",
            Self::LedgerKey => "arras 2026-11 ckks key of a ledger",
            Self::LedgerTag => "arras 2026-11 ckks tag of a ledger",
            Self::SparseSecret => "arras 2026-12 ckks sparse secret",
            Self::SparseKeyError => "arras 2026-12 ckks sparse switching key error",
        }
    }
}

fn derive(seed: &[u8; 32], purpose: Purpose, indices: [u64; 3]) -> Seed {
    let [a, b, c] = indices.map(u64::to_le_bytes);
    derive_from(purpose, &[seed, &a, &b, &c])
}

fn derive_from(purpose: Purpose, parts: &[&[u8]]) -> Seed {
    let mut hasher = blake3::Hasher::new_derive_key(purpose.context());
    for part in parts {
        hasher.update(part);
    }
    let mut seed = Seed::zero();
    hasher.finalize_xof().fill(&mut *seed.0);
    hasher.zeroize();
    seed
}

/// A secret seed of 256 bits, overwritten when it is dropped. It has a place of its own, so that passing it on leaves no copies on the
/// stack.
#[derive(Clone)]
pub struct Seed(Box<[u8; 32]>);

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Seed {}

impl Seed {
    fn zero() -> Self {
        Self(Box::new([0; 32]))
    }

    /// A fresh seed from the operating system.
    ///
    /// # Errors
    /// [`RandomError::OperatingSystem`].
    pub fn from_os() -> Result<Self, RandomError> {
        let mut seed = Self::zero();
        getrandom::fill(&mut *seed.0).map_err(|source| RandomError::OperatingSystem { source })?;
        Ok(seed)
    }

    /// A given seed, for tests and runs that must be reproducible to the bit. Whoever knows the seed knows
    /// every secret made from it, and using one twice for different data reveals their difference.
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let mut seed = Self::zero();
        seed.0.copy_from_slice(&bytes);
        bytes.zeroize();
        seed
    }

    /// The seed of an object.
    #[must_use]
    pub fn derive(&self, purpose: Purpose, indices: [u64; 3]) -> Self {
        derive(&self.0, purpose, indices)
    }

    /// A seed that may be published: it expands uniform halves and says nothing about this one.
    pub fn public(&self, purpose: Purpose, indices: [u64; 3]) -> PublicSeed {
        // One more derivation step keeps published seeds apart from the secret seeds of the same purpose.
        let secret = self.derive(Purpose::ObjectSeed, [u64::MAX, 0, 0]);
        PublicSeed(*derive(&secret.0, purpose, indices).0)
    }

    /// The seed of a secret of any length, of which it says nothing.
    pub(crate) fn of_secret(purpose: Purpose, secret: &[u8]) -> Self {
        derive_from(purpose, &[secret])
    }

    /// The seed of a message: a pseudorandom function with this seed as its key.
    pub(crate) fn derive_for(&self, purpose: Purpose, message: &[u8; 32]) -> Self {
        derive_from(purpose, &[&*self.0, message])
    }

    /// A hash of a message that nobody makes without this seed, and that may be published.
    pub(crate) fn tag(&self, purpose: Purpose, message: &[u8]) -> blake3::Hash {
        blake3::Hash::from_bytes(*derive_from(purpose, &[&*self.0, message]).0)
    }

    /// A secret stream.
    pub fn stream(&self, purpose: Purpose, indices: [u64; 3]) -> Stream {
        Stream::new(&derive(&self.0, purpose, indices).0)
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(secret)")
    }
}

/// A published seed of 256 bits, which expands the uniform halves of keys and ciphertexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicSeed([u8; 32]);

impl PublicSeed {
    /// The seed with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A public stream.
    pub fn stream(&self, purpose: Purpose, indices: [u64; 3]) -> Stream {
        Stream::new(&derive(&self.0, purpose, indices).0)
    }
}

/// A ChaCha20 stream, buffered. Its state is overwritten when it is dropped.
pub struct Stream {
    rng: ChaCha20Rng,
    buffer: Zeroizing<[u8; Stream::BUFFER]>,
    used: usize,
}

impl Stream {
    const BUFFER: usize = 4096;

    fn new(key: &[u8; 32]) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed(*key),
            buffer: Zeroizing::new([0; Self::BUFFER]),
            used: Self::BUFFER,
        }
    }

    /// Bytes that are there without asking the generator, at least `least`: what is left of the buffer, or a new one. `least` divides
    /// the buffer's size, so that no word is cut.
    fn ready(&mut self, least: usize) -> &[u8] {
        debug_assert!(Self::BUFFER.is_multiple_of(least));
        if self.used + least > Self::BUFFER {
            self.rng.fill_bytes(&mut *self.buffer);
            self.used = 0;
        }
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// The next bytes of the stream.
    fn next<const K: usize>(&mut self) -> [u8; K] {
        let bytes = self.ready(K).first_chunk().copied().unwrap_or([0; K]);
        self.used += K;
        bytes
    }

    /// Calls `f` with the next words of `K` bytes, at least one and at most `most` (which is not 0), and returns what it
    /// does. All of them are used up.
    pub(super) fn next_words<const K: usize, T>(
        &mut self,
        most: usize,
        f: impl FnOnce(&[[u8; K]]) -> T,
    ) -> T {
        let (words, _) = self.ready(K).as_chunks();
        let words = words.get(..most).unwrap_or(words);
        let (count, result) = (words.len(), f(words));
        self.used += count * K;
        result
    }

    /// The next 32-bit word, little-endian.
    pub fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.next())
    }

    /// The next 64-bit word, little-endian.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_every_index() {
        let seed = Seed::from_bytes([7; 32]);
        let first = |s: &Seed, p, i| s.stream(p, i).next_u64();
        let base = first(&seed, Purpose::KeyError, [1, 2, 3]);
        assert_eq!(base, first(&seed, Purpose::KeyError, [1, 2, 3]));
        let others = [
            first(&seed, Purpose::KeyUniform, [1, 2, 3]),
            first(&seed, Purpose::KeyError, [0, 2, 3]),
            first(&seed, Purpose::KeyError, [1, 0, 3]),
            first(&seed, Purpose::KeyError, [1, 2, 0]),
            first(&Seed::from_bytes([8; 32]), Purpose::KeyError, [1, 2, 3]),
            seed.public(Purpose::KeyError, [1, 2, 3])
                .stream(Purpose::KeyError, [1, 2, 3])
                .next_u64(),
            first(
                &seed.derive(Purpose::KeyError, [1, 2, 3]),
                Purpose::KeyError,
                [1, 2, 3],
            ),
        ];
        let distinct: std::collections::HashSet<_> = others.iter().chain([&base]).collect();
        assert_eq!(distinct.len(), others.len() + 1);
        assert_ne!(
            seed.public(Purpose::KeyUniform, [0; 3]).as_bytes(),
            &*seed.derive(Purpose::KeyUniform, [0; 3]).0,
        );
    }

    #[test]
    fn a_stream_is_chacha20_under_the_derived_key() {
        let mut stream = PublicSeed::from_bytes([1; 32]).stream(Purpose::KeyUniform, [4, 5, 6]);
        let mut material = vec![1; 32];
        for index in [4u64, 5, 6] {
            material.extend(index.to_le_bytes());
        }
        let key = blake3::derive_key("arras 2026-11 ckks switching key uniform half", &material);
        let mut rng = ChaCha20Rng::from_seed(key);
        for _ in 0..3000 {
            let mut word = [0; 4];
            rng.fill_bytes(&mut word);
            assert_eq!(stream.next_u32(), u32::from_le_bytes(word));
        }
    }

    #[test]
    fn fresh_seeds_differ_and_do_not_print() {
        let (a, b) = (Seed::from_os().unwrap(), Seed::from_os().unwrap());
        assert_ne!(a.0, b.0);
        assert_eq!(format!("{a:?}"), "Seed(secret)");
    }
}
