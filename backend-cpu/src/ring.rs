//! What the engine prepares for a ring: constants and twiddles of every prime, permutations of automorphisms.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arras_hal::{GaloisElement, RingBasis};

use crate::{pages::Line, permutation::Permutation, simd::Level};

/// One prime's constants.
#[derive(Debug)]
pub(crate) struct Prime {
    /// The prime, below 2^30.
    pub(crate) q: u32,
    /// q^-1 mod 2^32.
    pub(crate) inverse: u32,
    /// 2^32 mod q.
    pub(crate) radix: u32,
    /// k - 1 where 2^(k-1) < q < 2^k.
    pub(crate) shift: u32,
    /// floor(2^(k+31) / q).
    pub(crate) barrett: u32,
    /// N^-1 mod q.
    pub(crate) n_inverse: u32,
    n: usize,
    /// psi^bitrev(i), then their Shoup companions: see `kernels::ntt`.
    twiddles: Box<[Line]>,
}

impl Prime {
    pub(crate) fn new(basis: &RingBasis, index: usize) -> Self {
        let modulus = basis.modulus(index);
        let (q, n) = (modulus.value(), basis.n());
        let shift = q.ilog2();
        // Newton's iteration doubles the number of right bits: q q = 1 mod 8, so 3, 6, 12, 24, 48.
        let inverse = (0..4).fold(q, |x, _| {
            x.wrapping_mul(2u32.wrapping_sub(q.wrapping_mul(x)))
        });
        debug_assert_eq!(inverse.wrapping_mul(q), 1);
        let half = n.div_ceil(16);
        let mut twiddles = vec![Line::default(); 2 * half];
        let (w, shoup) = twiddles.split_at_mut(half);
        let (w, shoup): (&mut [u32], &mut [u32]) =
            (bytemuck::cast_slice_mut(w), bytemuck::cast_slice_mut(shoup));
        for (i, value) in basis.forward_twiddles(index).into_iter().enumerate() {
            w[i] = value;
            shoup[i] = modulus.shoup(value);
        }
        Self {
            q,
            inverse,
            radix: ((1u64 << 32) % u64::from(q)) as u32,
            shift,
            barrett: ((1u64 << (shift + 32)) / u64::from(q)) as u32,
            n_inverse: basis.n_inverse(index).value,
            n,
            twiddles: twiddles.into(),
        }
    }

    /// psi^bitrev(i).
    pub(crate) fn twiddles(&self) -> &[u32] {
        let half = self.twiddles.len() / 2;
        &bytemuck::cast_slice(&self.twiddles[..half])[..self.n]
    }

    /// Shoup companions of [`Prime::twiddles`].
    pub(crate) fn twiddles_shoup(&self) -> &[u32] {
        let half = self.twiddles.len() / 2;
        &bytemuck::cast_slice(&self.twiddles[half..])[..self.n]
    }

    /// floor(w 2^32 / q).
    pub(crate) fn shoup(&self, w: u32) -> u32 {
        ((u64::from(w) << 32) / u64::from(self.q)) as u32
    }

    /// a b mod q.
    pub(crate) fn mul(&self, a: u32, b: u32) -> u32 {
        (u64::from(a) * u64::from(b) % u64::from(self.q)) as u32
    }

    /// a 2^32 mod q: what a factor of a sum reduced by Montgomery's method must be.
    pub(crate) fn to_montgomery(&self, a: u32) -> u32 {
        self.mul(a, self.radix)
    }

    /// -a mod q of a canonical residue.
    pub(crate) fn neg(&self, a: u32) -> u32 {
        if a == 0 { 0 } else { self.q - a }
    }
}

/// The engine's state for one ring.
#[derive(Debug)]
pub struct CpuRing {
    basis: Arc<RingBasis>,
    primes: Vec<Prime>,
    level: Level,
    permutations: Mutex<HashMap<u32, Arc<Permutation>>>,
}

impl CpuRing {
    pub(crate) fn new(basis: &Arc<RingBasis>, primes: Vec<Prime>, level: Level) -> Self {
        Self {
            basis: basis.clone(),
            primes,
            level,
            permutations: Mutex::default(),
        }
    }

    pub(crate) fn basis(&self) -> &Arc<RingBasis> {
        &self.basis
    }

    pub(crate) fn n(&self) -> usize {
        self.basis.n()
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn prime(&self, limb: usize) -> &Prime {
        &self.primes[limb]
    }

    /// The permutation of an automorphism, `None` for the identity. Kept: N / 4 bytes per element with AVX-512.
    pub(crate) fn permutation(&self, galois: GaloisElement) -> Option<Arc<Permutation>> {
        if galois.is_identity() {
            return None;
        }
        let cache = || {
            self.permutations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(found) = cache().get(&galois.value()) {
            return Some(found.clone());
        }
        // Made without the lock; of two makers the first wins.
        let made = Permutation::new(galois, self.basis.log_n(), self.level.lanes());
        Some(
            cache()
                .entry(galois.value())
                .or_insert_with(|| Arc::new(made))
                .clone(),
        )
    }
}
