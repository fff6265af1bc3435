//! Bootstraps in rings without security, with the primes and levels of a real set.
//!
//! The known answers come from `ckks/tests/golden/bootstrap`; a model of the whole in exact residues gives worst slots of 24 bits for N = 2^8.

mod keys;
mod maps;
mod steps;
mod traps;

use std::sync::OnceLock;

use arras_backend_cpu::CpuEngine;
use arras_hal::{Eval, Limbs, Poly, SecretEngine, Shape};
use num_complex::Complex64;
use serde::Deserialize;

use super::{BootstrapPlan, Bootstrapper};
use crate::{
    Ciphertext, Context, Decryptor, EncryptionStreams, Encryptor, EvaluationKeySet, Evaluator,
    KeyGenerator, Parameters, SecretKey,
    encoding::compose_centred,
    params::{Dnum, Security},
    random::Seed,
};

#[derive(Deserialize)]
pub(super) struct Answers {
    pub(super) maps: Vec<MapAnswer>,
    pub(super) cosine: Vec<f64>,
    pub(super) reduction: Vec<Reduction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct MapAnswer {
    pub(super) values: usize,
    pub(super) stages: usize,
    pub(super) z: Vec<f64>,
    pub(super) coefficients: Vec<f64>,
    pub(super) slots: Vec<(f64, f64)>,
    pub(super) to_coefficients: Vec<usize>,
    pub(super) to_slots: Vec<usize>,
}

/// t / Q_0 = integer + message / 2^12.5, and what becomes of it for values up to 1.
#[derive(Deserialize)]
pub(super) struct Reduction {
    pub(super) integer: i32,
    pub(super) message: f64,
    pub(super) v: f64,
    pub(super) c0: f64,
    pub(super) c3: f64,
}

pub(super) fn answers() -> Answers {
    let text = include_str!("../../../tests/golden/bootstrap/answers.json");
    serde_json::from_str(text).unwrap()
}

/// The levels of the first 128-bit set, N = 2^16, in a small ring.
pub(super) fn toy(log_n: u32, levels: usize, values: usize) -> Parameters {
    let builder = Parameters::builder().log_n(log_n).levels(levels);
    let builder = builder.dnum(Dnum::Fixed(3)).bootstrapping(values);
    builder
        .security(Security::InsecureForTests)
        .build()
        .unwrap()
}

pub(super) fn cpu(threads: usize) -> CpuEngine {
    CpuEngine::with_threads(threads).unwrap()
}

/// Client and server, everything from fixed seeds.
pub(super) struct Party<S: SecretEngine> {
    pub(super) context: Context<S>,
    pub(super) secret: SecretKey<S>,
    pub(super) keys: EvaluationKeySet,
    pub(super) plan: BootstrapPlan,
    streams: EncryptionStreams,
}

impl<S: SecretEngine> Party<S> {
    pub(super) fn new(params: &Parameters, engine: S, values: usize) -> Self {
        Self::of_plan(BootstrapPlan::new(params, values).unwrap(), engine)
    }

    pub(super) fn of_plan(plan: BootstrapPlan, engine: S) -> Self {
        let context = Context::new(plan.params(), engine).unwrap();
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let keys = generator.bootstrapping_keys(&plan).unwrap();
        let streams = EncryptionStreams::from_seed(Seed::from_bytes([3; 32]));
        Self {
            context,
            secret,
            keys,
            plan,
            streams,
        }
    }

    pub(super) fn evaluator(&self) -> Evaluator<S> {
        Evaluator::new(&self.context, self.keys.load(&self.context).unwrap()).unwrap()
    }

    pub(super) fn bootstrapper(&self, bound: f64) -> Bootstrapper<S> {
        Bootstrapper::new(&self.evaluator(), &self.plan, bound).unwrap()
    }

    /// A batch of vectors that repeat over the slots, at the least level.
    pub(super) fn encrypt(&self, vectors: &[&[f64]], bound: f64) -> Ciphertext<S> {
        self.encrypt_at(self.plan.least_level(), vectors, bound)
    }

    pub(super) fn encrypt_at(&self, level: usize, vectors: &[&[f64]], bound: f64) -> Ciphertext<S> {
        let slots = self.context.slots();
        let full: Vec<Vec<f64>> = vectors.iter().map(|v| v.repeat(slots / v.len())).collect();
        let full: Vec<&[f64]> = full.iter().map(Vec::as_slice).collect();
        let encryptor = Encryptor::with_streams(&self.secret, &self.streams).largest_value(bound);
        encryptor
            .encrypt(&full, level)
            .unwrap()
            .expand(&self.context)
            .unwrap()
    }

    pub(super) fn decrypt(&self, ct: &Ciphertext<S>) -> Vec<Vec<f64>> {
        Decryptor::new(&self.secret).decrypt(ct).unwrap()
    }

    /// The coefficients of one polynomial `[2]` of any level.
    pub(super) fn coefficients(&self, poly: &Poly<S, Eval>) -> Vec<f64> {
        let order = self.context.largest_first(poly.limbs());
        let limbs = Limbs::new(order.into_iter().take(4).map(|(_, limb)| limb));
        let [mut b, a] = [0, 1].map(|c| poly.select(c..c + 1, &limbs).unwrap());
        b.add_assign(&a.mul(&self.secret.on(&limbs).unwrap()).unwrap())
            .unwrap();
        let words = b.intt().to_words().unwrap();
        let rows: Vec<&[u32]> = words.chunks_exact(self.context.params().n()).collect();
        compose_centred(&rows, &self.context.moduli_of(&limbs)).unwrap()
    }

    /// The slots of one polynomial `[2]` at the scale of a level.
    pub(super) fn slots(&self, poly: &Poly<S, Eval>, level: usize) -> Vec<Complex64> {
        let scale = self.context.params().scale(level);
        let coefficients = self.coefficients(poly);
        self.context
            .encoder()
            .decode_complex(&coefficients, scale)
            .unwrap()
    }

    /// Integers as coefficients over the top window, under no secret at all.
    pub(super) fn raised(&self, coefficients: &[i64]) -> Poly<S, Eval> {
        let params = self.context.params();
        let limbs = self.context.raised_window(params.raised_level()).unwrap();
        let residue = |q: u32| move |&x: &i64| x.rem_euclid(i64::from(q)) as u32;
        let moduli = self.context.moduli_of(limbs);
        let rows = moduli
            .iter()
            .flat_map(|&q| coefficients.iter().map(residue(q)));
        let mut words: Vec<u32> = rows.collect();
        words.resize(2 * words.len(), 0);
        let shape = Shape::new(2, limbs.clone());
        let poly = Poly::<S, arras_hal::Coeff>::from_words(self.context.ring(), &shape, &words);
        poly.unwrap().ntt()
    }
}

/// The party of most tests: N = 2^8, 32 values.
pub(super) fn party() -> &'static Party<CpuEngine> {
    static PARTY: OnceLock<Party<CpuEngine>> = OnceLock::new();
    PARTY.get_or_init(|| Party::new(&toy(8, 17, 32), cpu(1), 32))
}

/// Values in [-1, 1].
pub(super) fn values(seed: u64, count: usize) -> Vec<f64> {
    let mut stream =
        Seed::from_bytes([seed as u8; 32]).stream(crate::random::Purpose::KeyError, [seed, 0, 0]);
    let unit = |word: u64| (word >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
    (0..count).map(|_| unit(stream.next_u64())).collect()
}

/// -log2 of the largest error; the expected values repeat.
pub(super) fn bits(expected: &[f64], actual: impl IntoIterator<Item = f64>) -> f64 {
    let errors = actual
        .into_iter()
        .zip(expected.iter().cycle())
        .map(|(a, e)| (a - e).abs());
    -errors.fold(0.0, f64::max).log2()
}

/// Position of the coefficient that slot j's value becomes: bits reversed in each half.
pub(super) fn reversed(values: usize) -> impl Fn(usize) -> usize {
    let n = values / 2;
    move |j| (j & (n - 1)).reverse_bits() >> (usize::BITS - n.trailing_zeros()) | (j & n)
}
