//! The ring of a circuit, and data of no meaning for it.
#![allow(dead_code, reason = "each example uses a part")]

use std::sync::Arc;

use arras_backend_cpu::{CpuEngine, SimdLevel};
use arras_hal::{
    Eval, Key, KeyLayout, KeySwitchSpec, Limbs, Poly, Ring, RingBasis, RingSpec, Shape, is_prime,
};

const TERMINAL: usize = 4;

/// Main primes, special primes, digits, limbs of a digit.
fn sizes(log_n: u32) -> (usize, usize, usize, usize) {
    if log_n < 16 {
        (19, 7, 4, 6)
    } else {
        (39, 15, 3, 15)
    }
}

/// The first `count` primes 1 modulo 2^17 from `from` downward.
fn primes(from: u32, count: usize) -> impl Iterator<Item = u32> {
    let candidates = (1..(from - 1) >> 17).rev().map(|k| (k << 17) + 1);
    candidates.filter(|&q| is_prime(q)).take(count)
}

/// Words below every modulus, from a small generator.
fn words(basis: &RingBasis, shape: &Shape) -> Vec<u32> {
    let mut state = 1u64;
    let n = basis.n();
    let mut words = Vec::with_capacity(shape.words(n));
    for _ in 0..shape.polys {
        for limb in shape.limbs.iter() {
            let q = basis.modulus(limb).value();
            words.extend((0..n).map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 34) as u32 % q
            }));
        }
    }
    words
}

/// A ring on an engine: for 15 levels at N = 2^15 (4 terminal, 19 main and 7 special primes, 4 digits of 6), from N = 2^16 on for 30
/// levels (4, 39, 15; 3 digits of 15).
pub(crate) struct Rig {
    pub(crate) ring: Arc<Ring<CpuEngine>>,
    /// The limbs of the highest level.
    pub(crate) window: Limbs,
    /// The limbs of the level below.
    pub(crate) lower: Limbs,
    pub(crate) spec: KeySwitchSpec,
    pub(crate) layout: KeyLayout,
}

impl Rig {
    pub(crate) fn new(log_n: u32, threads: usize, level: SimdLevel) -> Self {
        let (main, special, digits, digit) = sizes(log_n);
        let moduli: Vec<u32> = primes(1 << 24, TERMINAL)
            .chain(primes(575_000_000, main))
            .chain(primes(1 << 30, special))
            .collect();
        let basis = RingBasis::new(&RingSpec { log_n, moduli }).unwrap();
        let window = Limbs::new(0..TERMINAL + main);
        let spec = KeySwitchSpec {
            groups: (0..digits)
                .map(|j| window.iter().skip(digit * j).take(digit).collect())
                .collect(),
            special: Limbs::new(TERMINAL + main..TERMINAL + main + special),
        };
        let layout = KeyLayout {
            digits,
            limbs: basis.all_limbs(),
        };
        let engine = CpuEngine::builder().threads(threads).simd(level).build();
        Self {
            ring: Ring::new(engine.unwrap(), &basis).unwrap(),
            lower: Limbs::new(2..TERMINAL + main - 1),
            window,
            spec,
            layout,
        }
    }

    pub(crate) fn poly(&self, polys: usize) -> Poly<CpuEngine, Eval> {
        let shape = Shape::new(polys, self.window.clone());
        Poly::from_words(&self.ring, &shape, &words(self.ring.basis(), &shape)).unwrap()
    }

    pub(crate) fn key(&self) -> Key<CpuEngine> {
        let basis = self.ring.basis();
        let key_words = words(
            basis,
            &Shape::new(2 * self.layout.digits, basis.all_limbs()),
        );
        Key::prepare(&self.ring, &self.layout, &key_words).unwrap()
    }
}
