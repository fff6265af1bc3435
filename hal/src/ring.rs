//! The ring every engine works in: degree, moduli, roots of unity, cached plans.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use num_bigint::BigUint;
use num_traits::ToPrimitive;

use crate::{
    ConversionMode, ConversionTable, HalErrorKind, KeySwitchPlan, KeySwitchSpec, LimbConstant,
    LimbConstants, Limbs, ModDownPlan, ModUpPlan, Modulus, Named, RescalePlan, Result,
    error::ensure, galois::bit_reverse, is_prime,
};

/// What a ring is made of, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingSpec {
    /// log2 of the degree N.
    pub log_n: u32,
    /// The basis: distinct primes q = 1 mod 2N below 2^30.
    pub moduli: Vec<u32>,
}

/// A validated ring basis Z\[X\]/(X^N + 1) modulo each of a list of primes, with what engines need to
/// set up: roots of unity, and plans for base conversions, cached by their limbs.
#[derive(Debug)]
pub struct RingBasis {
    log_n: u32,
    moduli: Vec<Modulus>,
    roots: Vec<u32>,
    caches: Caches,
}

#[derive(Debug, Default)]
struct Caches {
    tables: Cache<(Limbs, Limbs, ConversionMode), ConversionTable>,
    rescales: Cache<(Limbs, Limbs), RescalePlan>,
    key_switches: Cache<(KeySwitchSpec, Limbs, Limbs), KeySwitchPlan>,
    mod_downs: Cache<(KeySwitchSpec, Limbs, Limbs), ModDownPlan>,
    mod_ups: Cache<(KeySwitchSpec, Limbs), ModUpPlan>,
}

#[derive(Debug)]
struct Cache<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: std::hash::Hash + Eq, V> Cache<K, V> {
    fn get_or_try(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<Arc<V>> {
        // The lock is not held while a value is made: plans are made of cached plans.
        if let Some(found) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(found.clone());
        }
        let made = Arc::new(make()?);
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(map.entry(key).or_insert(made).clone())
    }
}

impl RingBasis {
    /// Largest supported log2 N.
    pub const MAX_LOG_N: u32 = 17;
    /// Smallest supported log2 N (far below any secure choice; for tests).
    pub const MIN_LOG_N: u32 = 3;

    /// Validates a specification and finds the roots of unity.
    ///
    /// # Errors
    /// [`HalErrorKind::LogN`], [`HalErrorKind::ModulusCount`], or [`HalErrorKind::BadModulus`] naming the first modulus that
    /// is not prime, not 1 mod 2N, not below 2^30, or not distinct.
    pub fn new(spec: &RingSpec) -> Result<Arc<Self>> {
        Self::checked(spec).named("ring")
    }

    fn checked(spec: &RingSpec) -> Result<Arc<Self>> {
        let log_n = spec.log_n;
        if !(Self::MIN_LOG_N..=Self::MAX_LOG_N).contains(&log_n) {
            return Err(HalErrorKind::LogN { log_n }.into());
        }
        let count = spec.moduli.len();
        if count == 0 || count >= usize::from(u16::MAX) {
            return Err(HalErrorKind::ModulusCount { count }.into());
        }
        let mut seen = std::collections::HashSet::new();
        let mut moduli = Vec::with_capacity(count);
        for (index, &modulus) in spec.moduli.iter().enumerate() {
            let bad = |why| {
                Err(HalErrorKind::BadModulus {
                    index,
                    modulus,
                    why,
                }
                .into())
            };
            if modulus >= 1 << 30 {
                return bad("is not below 2^30");
            }
            if modulus % (2 << log_n) != 1 {
                return bad("is not 1 modulo 2N");
            }
            if !is_prime(modulus) {
                return bad("is not prime");
            }
            if !seen.insert(modulus) {
                return bad("appears twice");
            }
            moduli.push(Modulus::new(modulus));
        }
        let roots = moduli
            .iter()
            .map(|q| {
                q.pow(
                    q.least_primitive_root(),
                    u64::from((q.value() - 1) >> (log_n + 1)),
                )
            })
            .collect();
        Ok(Arc::new(Self {
            log_n,
            moduli,
            roots,
            caches: Caches::default(),
        }))
    }

    /// log2 of the degree.
    pub fn log_n(&self) -> u32 {
        self.log_n
    }

    /// The degree N: words per row.
    pub fn n(&self) -> usize {
        1 << self.log_n
    }

    /// Number of primes.
    pub fn len(&self) -> usize {
        self.moduli.len()
    }

    /// Never true; a basis has at least one prime.
    pub fn is_empty(&self) -> bool {
        self.moduli.is_empty()
    }

    /// The prime with this index.
    ///
    /// # Panics
    /// If the index is not below [`RingBasis::len`].
    pub fn modulus(&self, index: usize) -> Modulus {
        self.moduli[index]
    }

    /// All primes.
    pub fn moduli(&self) -> &[Modulus] {
        &self.moduli
    }

    /// The primitive 2N-th root of unity psi = g^((q-1)/2N), g the least primitive root of prime `index`.
    /// It fixes the boundary order: evaluation index i is the value at psi^(2 bitrev(i) + 1).
    ///
    /// # Panics
    /// If the index is not below [`RingBasis::len`].
    pub fn psi(&self, index: usize) -> u32 {
        self.roots[index]
    }

    /// psi^bitrev(i) for i in 0..N: the twiddles of the forward transform, in the order in which a
    /// decimation-in-time pass structure reads them.
    pub fn forward_twiddles(&self, index: usize) -> Vec<u32> {
        self.bit_reversed_powers(index, self.roots[index])
    }

    /// psi^-bitrev(i) for i in 0..N: the twiddles of the inverse transform.
    pub fn inverse_twiddles(&self, index: usize) -> Vec<u32> {
        self.bit_reversed_powers(index, self.moduli[index].inv(self.roots[index]))
    }

    fn bit_reversed_powers(&self, index: usize, root: u32) -> Vec<u32> {
        let q = self.moduli[index];
        let mut powers = vec![0; self.n()];
        let mut power = 1;
        for i in 0..self.n() as u32 {
            powers[bit_reverse(i, self.log_n) as usize] = power;
            power = q.mul(power, root);
        }
        powers
    }

    /// N^-1 modulo prime `index`.
    pub fn n_inverse(&self, index: usize) -> LimbConstant {
        let q = self.moduli[index];
        q.constant(q.inv(self.n() as u32 % q.value()))
    }

    /// All limbs of the basis.
    pub fn all_limbs(&self) -> Limbs {
        Limbs::new(0..self.len())
    }

    /// The product of the primes of `limbs`.
    pub fn product(&self, limbs: &Limbs) -> BigUint {
        limbs
            .iter()
            .map(|i| BigUint::from(self.moduli[i].value()))
            .product()
    }

    /// `value mod q` for each of `limbs`.
    pub fn reduce(&self, value: &BigUint, limbs: &Limbs) -> LimbConstants {
        self.constants(limbs, |q| (value % q.value()).to_u32().unwrap_or(0))
    }

    /// One constant per limb, made from its modulus; reduced to canonical form.
    pub fn constants(&self, limbs: &Limbs, f: impl Fn(Modulus) -> u32) -> LimbConstants {
        let constants = limbs
            .iter()
            .map(|i| {
                let q = self.moduli[i];
                q.constant(f(q))
            })
            .collect();
        LimbConstants::new(limbs.clone(), constants)
    }

    pub(crate) fn check_limbs(&self, limbs: &Limbs) -> Result<()> {
        ensure(limbs.fit(self.len()), || {
            let (limbs, basis) = (limbs.clone(), self.len());
            HalErrorKind::BadLimbs { limbs, basis }
        })
    }

    /// The table that converts residues modulo `from` to residues modulo `to`, cached.
    ///
    /// # Errors
    /// [`HalErrorKind::Plan`] if `from` is empty, has more than [`ConversionTable::MAX_SOURCES`] limbs or meets `to`
    /// (quotient mode allows nothing else either); [`HalErrorKind::BadLimbs`].
    pub fn conversion_table(
        &self,
        from: &Limbs,
        to: &Limbs,
        mode: ConversionMode,
    ) -> Result<Arc<ConversionTable>> {
        self.caches
            .tables
            .get_or_try((from.clone(), to.clone(), mode), || {
                ConversionTable::new(self, from, to, mode)
            })
            .named("base_convert")
    }

    /// The plan of a rational rescale between two lists of limbs, cached.
    ///
    /// # Errors
    /// [`HalErrorKind::Plan`] if nothing is dropped, too many limbs are dropped, or `to` is empty.
    pub fn rescale_plan(&self, from: &Limbs, to: &Limbs) -> Result<Arc<RescalePlan>> {
        self.caches
            .rescales
            .get_or_try((from.clone(), to.clone()), || {
                RescalePlan::new(self, from, to)
            })
            .named("rescale")
    }

    /// The plan that extends the digits of a polynomial over `window`, cached.
    ///
    /// # Errors
    /// [`HalErrorKind::Plan`] if the window is empty, meets the special limbs, or has a limb in no group.
    pub fn mod_up_plan(&self, spec: &KeySwitchSpec, window: &Limbs) -> Result<Arc<ModUpPlan>> {
        self.caches
            .mod_ups
            .get_or_try((spec.clone(), window.clone()), || {
                ModUpPlan::new(self, spec, window)
            })
            .named("mod_up")
    }

    /// The plan of a division by the special primes of what is over `window` and these, to the limbs `to`, cached.
    ///
    /// # Errors
    /// As [`RingBasis::rescale_plan`].
    pub fn mod_down_plan(
        &self,
        spec: &KeySwitchSpec,
        window: &Limbs,
        to: &Limbs,
    ) -> Result<Arc<ModDownPlan>> {
        self.caches
            .mod_downs
            .get_or_try((spec.clone(), window.clone(), to.clone()), || {
                ModDownPlan::new(self, spec, window, to)
            })
            .named("mod_down")
    }

    /// The plan of a key switch at `window` whose result lands on the limbs `to`, cached. With `to`
    /// another level's window, mod_down and rescale are merged.
    ///
    /// # Errors
    /// As [`RingBasis::mod_up_plan`] and [`RingBasis::rescale_plan`].
    pub fn key_switch_plan(
        &self,
        spec: &KeySwitchSpec,
        window: &Limbs,
        to: &Limbs,
    ) -> Result<Arc<KeySwitchPlan>> {
        self.caches
            .key_switches
            .get_or_try((spec.clone(), window.clone(), to.clone()), || {
                let mod_up = self.mod_up_plan(spec, window)?;
                let mod_down = ModDownPlan::new(self, spec, window, to)?;
                Ok(KeySwitchPlan::new(mod_up, mod_down))
            })
            .named("mod_down")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(moduli: &[u32]) -> RingSpec {
        RingSpec {
            log_n: 4,
            moduli: moduli.to_vec(),
        }
    }

    #[test]
    fn bad_rings_are_refused_with_the_modulus_named() {
        let why = |s: &RingSpec| RingBasis::new(s).unwrap_err().to_string();
        assert!(RingBasis::new(&spec(&[97, 193])).is_ok());
        assert!(why(&spec(&[97, 97])).contains("appears twice"));
        assert!(why(&spec(&[97, 161])).contains("161 at index 1 is not prime"));
        assert!(why(&spec(&[101])).contains("1 modulo 2N"));
        assert!(why(&spec(&[1_073_741_857])).contains("2^30"));
        assert!(why(&spec(&[])).contains("0 moduli"));
        assert!(
            why(&RingSpec {
                log_n: 18,
                moduli: vec![97]
            })
            .contains("18")
        );
    }

    #[test]
    fn psi_has_order_2n() {
        let ring = RingBasis::new(&spec(&[97, 193])).unwrap();
        for i in 0..2 {
            let q = ring.modulus(i);
            assert_eq!(q.pow(ring.psi(i), 16), q.value() - 1);
        }
    }
}
