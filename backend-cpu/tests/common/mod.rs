//! A ring with windows, a key-switching basis and reproducible operands on any engine.
#![allow(
    dead_code,
    reason = "every test file is a crate and uses a part of this"
)]

use std::sync::Arc;

use arras_hal::{
    Backend, Eval, Key, KeyLayout, KeySwitchSpec, Limbs, Poly, Ring, RingBasis, RingSpec, Shape,
    is_prime,
};

/// 2 primes near 2^24, 5 near 2^29 and 2 below 2^30, all 1 modulo 2^18.
const MODULI: [u32; 3] = [1 << 24, 580_000_000, 1 << 30];
const COUNTS: [usize; 3] = [2, 5, 2];

fn moduli() -> Vec<u32> {
    let below = |top: u32, count| {
        let candidates = (1..(top - 1) >> 18).rev().map(|k| (k << 18) + 1);
        candidates.filter(|&q| is_prime(q)).take(count)
    };
    MODULI
        .into_iter()
        .zip(COUNTS)
        .flat_map(|(top, count)| below(top, count))
        .collect()
}

/// Canonical words from a seed, one in four an edge value.
pub(crate) fn words(basis: &RingBasis, shape: &Shape, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as u32
    };
    let mut words = Vec::with_capacity(shape.words(basis.n()));
    for _ in 0..shape.polys {
        for limb in shape.limbs.iter() {
            let q = basis.modulus(limb).value();
            let edges = [0, 1, q - 1, q / 2, q / 2 + 1, (1 << 24) - 1, q - 2, 2];
            words.extend((0..basis.n()).map(|_| {
                let x = next();
                if x % 4 == 0 {
                    edges[(x >> 8) as usize % 8] % q
                } else {
                    next() % q
                }
            }));
        }
    }
    words
}

pub(crate) struct Rig<B: Backend> {
    pub(crate) ring: Arc<Ring<B>>,
    pub(crate) window: Limbs,
    pub(crate) lower: Limbs,
    pub(crate) spec: KeySwitchSpec,
}

impl<B: Backend> Rig<B> {
    pub(crate) fn new(engine: B, log_n: u32) -> Self {
        let moduli = moduli();
        let basis = RingBasis::new(&RingSpec { log_n, moduli }).unwrap();
        Self {
            ring: Ring::new(engine, &basis).unwrap(),
            // A gap at 0, and a limb that comes back below.
            window: Limbs::new(1..7),
            lower: Limbs::new([0, 1, 2, 3, 4]),
            spec: KeySwitchSpec {
                groups: vec![Limbs::new(0..3), Limbs::new(3..5), Limbs::new(5..7)],
                special: Limbs::new(7..9),
            },
        }
    }

    pub(crate) fn over(&self, polys: usize, limbs: Limbs, seed: u64) -> Poly<B, Eval> {
        let shape = Shape::new(polys, limbs);
        let words = words(self.ring.basis(), &shape, seed);
        Poly::from_words(&self.ring, &shape, &words).unwrap()
    }

    pub(crate) fn poly(&self, polys: usize, seed: u64) -> Poly<B, Eval> {
        self.over(polys, self.window.clone(), seed)
    }

    pub(crate) fn wide(&self, polys: usize, seed: u64) -> Poly<B, Eval> {
        self.over(polys, self.window.union(&self.spec.special), seed)
    }

    pub(crate) fn key(&self, seed: u64) -> Key<B> {
        let layout = KeyLayout {
            digits: 3,
            limbs: self.ring.basis().all_limbs(),
        };
        let shape = Shape::new(6, layout.limbs.clone());
        let words = words(self.ring.basis(), &shape, seed);
        Key::prepare(&self.ring, &layout, &words).unwrap()
    }
}
