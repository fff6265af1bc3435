//! Engines, rings and words for the tests.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod scenarios;

use std::sync::{Arc, OnceLock};

use arras_backend_gpu::{Arithmetic, GpuEngine, GpuOptions};
use arras_ckks::Parameters;
use arras_hal::{Backend, KeySwitchSpec, Limbs, Ring, RingBasis, RingSpec, is_prime};
use arras_toolkit::conformance::party;

/// The engine, or `None` with the reason printed; with `ARRAS_REQUIRE_GPU=1` a missing adapter is a failure.
pub fn engine(options: &GpuOptions) -> Option<GpuEngine> {
    match GpuEngine::new(options) {
        Ok(engine) => Some(engine),
        Err(error) => {
            let required = std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1");
            assert!(!required, "ARRAS_REQUIRE_GPU=1, but {error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// One engine per arithmetic for a whole test binary: compiling kernels takes longer than running them.
pub fn shared(arithmetic: Arithmetic) -> Option<GpuEngine> {
    static AUTO: OnceLock<Option<GpuEngine>> = OnceLock::new();
    static PORTABLE: OnceLock<Option<GpuEngine>> = OnceLock::new();
    let cell = match arithmetic {
        Arithmetic::Portable => &PORTABLE,
        _ => &AUTO,
    };
    let options = GpuOptions {
        arithmetic,
        ..GpuOptions::default()
    };
    cell.get_or_init(|| engine(&options)).clone()
}

/// Engines with 64-bit integers (where the device has them) and without.
pub fn engines() -> Vec<GpuEngine> {
    [Arithmetic::Auto, Arithmetic::Portable]
        .into_iter()
        .filter_map(shared)
        .collect()
}

/// SplitMix64: words for tests, not for secrets.
pub struct Words(u64);

impl Words {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A residue, often one at an edge.
    pub fn residue(&mut self, q: u32) -> u32 {
        let r = self.next();
        let x = (r >> 32) as u32;
        match r % 16 {
            0 => 0,
            1 => 1 % q,
            2 => q - 1,
            3 => (q - 1) / 2,
            4 => q.div_ceil(2) % q,
            5 => ((1u32 << (x % 30)) + 1) % q,
            6 => ((1u32 << (x % 30)) - 1) % q,
            _ => x % q,
        }
    }

    /// `[polys][limbs][N]` canonical residues.
    pub fn rows(&mut self, basis: &RingBasis, polys: usize, limbs: &Limbs) -> Vec<u32> {
        let mut words = Vec::with_capacity(polys * limbs.len() * basis.n());
        for _ in 0..polys {
            for limb in limbs.iter() {
                let q = basis.modulus(limb).value();
                words.extend((0..basis.n()).map(|_| self.residue(q)));
            }
        }
        words
    }
}

/// The `count` largest primes `1 mod step` below `bound`.
pub fn primes_below(bound: u32, step: u32, count: usize) -> Vec<u32> {
    let below = (1..=(bound - 2) / step).rev().map(|k| k * step + 1);
    below.filter(|&q| is_prime(q)).take(count).collect()
}

/// A ring in the form of a real chain: `terminals` primes of 24 bits, `mains` of 29, `special` of 30.
pub fn chain(log_n: u32, terminals: usize, mains: usize, special: usize) -> Arc<RingBasis> {
    let step = 1 << 17;
    let mut moduli = primes_below(1 << 25, step, terminals);
    moduli.extend(primes_below(720_000_000, step, mains));
    moduli.extend(primes_below((1 << 30) - (1 << 15), step, special));
    RingBasis::new(&RingSpec { log_n, moduli }).unwrap()
}

/// A toy ring: the smallest primes that fit, and the largest ones below 2^30, which are not 1 modulo 2^16.
pub fn toy(log_n: u32) -> Arc<RingBasis> {
    let step = 2 << log_n;
    let mut moduli = primes_below(step * 40, step, 4);
    moduli.extend(primes_below(1 << 30, step, 6));
    RingBasis::new(&RingSpec { log_n, moduli }).unwrap()
}

/// Parameters without any security.
pub fn parameters(log_n: u32, levels: usize) -> Parameters {
    party::insecure(log_n, levels).unwrap()
}

pub fn ring<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Arc<Ring<B>> {
    Ring::new(engine.clone(), basis).unwrap()
}

/// Digits of `width` limbs over all but the last `special` limbs.
pub fn spec(basis: &RingBasis, special: usize, width: usize) -> KeySwitchSpec {
    let rest = basis.len() - special;
    KeySwitchSpec {
        groups: (0..rest)
            .step_by(width)
            .map(|first| Limbs::new(first..(first + width).min(rest)))
            .collect(),
        special: Limbs::new(rest..basis.len()),
    }
}
