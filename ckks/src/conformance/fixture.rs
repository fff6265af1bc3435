//! The client of the suite, on the reference engine.

use arras_hal::{Backend, Eval, Limbs, Poly, Reference, SecretEngine, Shape};

use super::sets::BOOTSTRAPPED;
use crate::{
    BootstrapPlan, Ciphertext, Context, EncryptionStreams, Encryptor, EvaluationKeySet,
    KeyGenerator, Parameters, Result, SecretKey, SeededCiphertext, random::Seed,
};

/// The batch sizes that programs run with.
pub(super) const BATCHES: [usize; 2] = [1, MOST];
const MOST: usize = 3;

/// The rotations that programs use.
pub(super) const ROTATIONS: [i64; 6] = [1, 2, 4, 8, 3, -5];

pub(super) const SECRET: [u8; 32] = [0x51; 32];
pub(super) const KEYS: [u8; 32] = [0x52; 32];
pub(super) const ENCRYPTIONS: [u8; 32] = [0x53; 32];

/// What a server gets from the suite's client: evaluation keys, and batches of three ciphertexts.
#[derive(Debug)]
pub struct Fixture {
    params: Parameters,
    keys: EvaluationKeySet,
    vectors: Vec<Vec<f64>>,
    /// Two batches for every level.
    fresh: Vec<[SeededCiphertext; 2]>,
    /// A batch encrypted with the public key at the highest level: its residues.
    public: Vec<u32>,
}

impl Fixture {
    /// Makes keys and ciphertexts from the suite's seeds.
    pub(super) fn new(params: &Parameters) -> Self {
        Self::make(params).expect("the reference engine computes the fixture")
    }

    fn make(params: &Parameters) -> Result<Self> {
        let context = Context::new(params, Reference::new())?;
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes(SECRET))?;
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes(KEYS));
        let mut keys = evaluation_keys(&generator)?;
        if params.bootstrap().is_some() {
            let plan = BootstrapPlan::new(params, BOOTSTRAPPED)?;
            for key in generator.bootstrapping_keys(&plan)?.iter() {
                keys.insert(key.clone())?;
            }
        }
        let public_key = generator.public_key()?.load(&context)?;
        let streams = EncryptionStreams::from_seed(Seed::from_bytes(ENCRYPTIONS));
        let encryptor = Encryptor::with_streams(&secret, &streams);
        let vectors: Vec<_> = (0..2 * MOST as u64)
            .map(|i| values(i, params.slots()))
            .collect();
        let slices: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        let (first, second) = slices.split_at(MOST);
        let fresh = (0..=params.max_level())
            .map(|level| {
                Ok([
                    encryptor.encrypt(first, level)?,
                    encryptor.encrypt(second, level)?,
                ])
            })
            .collect::<Result<_>>()?;
        let public =
            Encryptor::with_streams(&public_key, &streams).encrypt(first, params.max_level())?;
        Ok(Self {
            params: params.clone(),
            keys,
            fresh,
            public: public.poly().to_words()?,
            vectors,
        })
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    pub(super) fn keys(&self) -> &EvaluationKeySet {
        &self.keys
    }

    /// Vectors of slots.
    pub(super) fn vectors(&self, count: usize) -> Vec<&[f64]> {
        self.vectors.iter().take(count).map(Vec::as_slice).collect()
    }

    /// A fresh batch at a level on an engine; `which` is 0 or 1.
    pub(super) fn fresh<B: Backend>(
        &self,
        context: &Context<B>,
        which: usize,
        level: usize,
        batch: usize,
    ) -> Result<Ciphertext<B>> {
        take(self.fresh[level][which].expand(context)?, batch)
    }

    /// A batch encrypted with the public key, at the highest level.
    pub(super) fn public<B: Backend>(
        &self,
        context: &Context<B>,
        batch: usize,
    ) -> Result<Ciphertext<B>> {
        let level = self.params.max_level();
        let shape = Shape::new(2 * MOST, Limbs::new(self.params.window(level)));
        let poly = Poly::<B, Eval>::from_words(context.ring(), &shape, &self.public)?;
        take(Ciphertext::settled(context, poly, level, 1.0), batch)
    }
}

fn take<B: Backend>(ct: Ciphertext<B>, batch: usize) -> Result<Ciphertext<B>> {
    if batch == ct.batch() {
        return Ok(ct);
    }
    ct.pick(&(0..batch).collect::<Vec<_>>())
}

/// The keys of all programs.
pub(super) fn evaluation_keys<S: SecretEngine>(
    generator: &KeyGenerator<'_, S>,
) -> Result<EvaluationKeySet> {
    let mut keys = generator.evaluation_keys(&ROTATIONS)?;
    keys.insert(generator.conjugation_key()?)?;
    Ok(keys)
}

/// Multiples of 2^-40 in [-1, 1), from SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014).
pub(super) fn values(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0xd1b5_4a32_d192_ed03);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    (0..count)
        .map(|_| ((next() >> 23) as i64 - (1 << 40)) as f64 / (1u64 << 40) as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fill_their_range() {
        let x = values(1, 1000);
        assert!(x.iter().all(|v| (-1.0..1.0).contains(v)));
        assert!(x.iter().any(|v| *v > 0.9) && x.iter().any(|v| *v < -0.9));
        assert_ne!(x, values(2, 1000));
        assert!(x.iter().all(|v| (v * (1u64 << 40) as f64).fract() == 0.0));
    }
}
