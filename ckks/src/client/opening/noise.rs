//! Noise that is a function of the secret key and of what is opened.

use arras_hal::SecretEngine;
use blake3::Hash;
use zeroize::Zeroizing;

use super::Opening;
use crate::{
    Ciphertext, Result, SecretKey,
    params::Parameters,
    random::{Purpose, Seed, flooding},
};

/// log2 of a deviation over the unit to which what is opened is rounded: far below the noise, and far above the steps in which
/// double precision numbers lie, which would say something of their own.
const ROUNDING_BITS: u32 = 20;

/// What openings derive from a secret key; overwritten when it is dropped.
pub(super) struct OpeningSecret(Seed);

impl OpeningSecret {
    pub(super) fn new<S: SecretEngine>(key: &SecretKey<S>) -> Self {
        let bytes = key.coefficients().iter().map(|&c| c as u8).collect();
        let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(bytes);
        Self(Seed::of_secret(Purpose::OpeningSecret, &bytes))
    }

    /// What binds a ledger to the key and says nothing else about it.
    pub(super) fn commitment(&self, params: &Parameters) -> Hash {
        self.0.tag(Purpose::LedgerKey, &params.fingerprint())
    }

    /// What only the key's owner can write under a ledger.
    pub(super) fn tag(&self, contents: &[u8]) -> Hash {
        self.0.tag(Purpose::LedgerTag, contents)
    }

    /// The noise of one ciphertext.
    pub(super) fn noise(&self, digest: &Hash, sigma: f64, count: usize) -> Zeroizing<Vec<f64>> {
        let seed = self.0.derive_for(Purpose::Flooding, digest.as_bytes());
        let mut noise = Zeroizing::new(vec![0.0; count]);
        flooding(
            &mut seed.stream(Purpose::Flooding, [0; 3]),
            sigma,
            &mut noise,
        );
        noise
    }
}

/// The digest of each ciphertext of a batch with everything that its noise depends on. It is the same for one ciphertext in
/// whatever batch, so that no ciphertext is ever opened with two noises, nor counted twice.
pub(super) fn digests<S: SecretEngine>(ct: &Ciphertext<S>, request: &Opening) -> Result<Vec<Hash>> {
    let params = ct.context().params();
    let (n, limbs, batch) = (params.n(), ct.limbs(), ct.batch());
    let mut head = blake3::Hasher::new_derive_key("arras 2026-11 ckks opened ciphertext");
    head.update(&params.fingerprint());
    let numbers = [ct.level(), ct.components(), request.period, limbs.len()];
    for number in numbers.into_iter().chain(limbs.iter()) {
        head.update(&(number as u64).to_le_bytes());
    }
    head.update(&request.bits.to_le_bytes());
    let words = ct.poly().to_words()?;
    let parts: Vec<&[u32]> = words.chunks_exact(limbs.len() * n).collect();
    let mut bytes = vec![0; 4 * n];
    let digest = |index: usize| {
        let mut hasher = head.clone();
        for part in parts.iter().skip(index).step_by(batch) {
            for row in part.chunks_exact(n) {
                for (bytes, word) in bytes.chunks_exact_mut(4).zip(row) {
                    bytes.copy_from_slice(&word.to_le_bytes());
                }
                hasher.update(&bytes);
            }
        }
        hasher.finalize()
    };
    Ok((0..batch).map(digest).collect())
}

/// Adds noise modulo Q.
pub(super) struct Rounding {
    modulus: i128,
    /// What is opened are multiples of 2 to this.
    shift: u32,
}

impl Rounding {
    pub(super) fn new(moduli: &[u32], sigma: f64) -> Self {
        // At most four primes of 31 bits.
        let modulus = moduli.iter().map(|&q| i128::from(q)).product();
        let shift = (sigma.log2() as u32).saturating_sub(ROUNDING_BITS);
        Self { modulus, shift }
    }

    /// The exact sum, centred and rounded. A double precision sum would swallow the noise of a large coefficient.
    pub(super) fn add(&self, x: i128, noise: f64) -> f64 {
        let half = self.modulus / 2;
        let sum = (x + noise as i128 + half).rem_euclid(self.modulus) - half;
        let unit = 1i128 << self.shift;
        ((sum + unit / 2).div_euclid(unit) * unit) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_modulo_q_and_rounded_to_their_unit() {
        let moduli = [1_073_479_681, 1_073_217_537, 1_073_184_769, 1_073_086_465];
        let q: i128 = moduli.iter().map(|&q| i128::from(q)).product();
        let fine = Rounding::new(&moduli, 1000.0);
        assert_eq!(fine.add(41, 1.0), 42.0);
        assert_eq!(fine.add(q / 2, 1.0), -((q / 2) as f64));
        assert_eq!(fine.add(-(q / 2), -1.0), (q / 2) as f64);
        let coarse = Rounding::new(&moduli, f64::exp2(50.0));
        let unit = f64::exp2(30.0);
        for x in [-5 * (1i128 << 30) - 3, 7, (1 << 29) - 1, 1 << 29] {
            let got = coarse.add(x, f64::exp2(40.0));
            assert_eq!(got % unit, 0.0);
            assert!((got as i128 - x - (1 << 40)).abs() <= 1 << 29, "{x}");
        }
        // Noise below the last bit of a double precision value carries into it.
        let odd = (1i128 << 100) + (1 << 47) - (1 << 39);
        assert_eq!(coarse.add(odd, 0.0), f64::exp2(100.0));
        assert_eq!(
            coarse.add(odd, f64::exp2(40.0)),
            f64::exp2(100.0) + f64::exp2(48.0)
        );
    }
}
