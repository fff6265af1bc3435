//! Levels that only bootstrapping uses, and the sparse secret that it passes through.
//!
//! ```text
//! level   0 .. L_out      L_out+1 .. L_out+8      .. top
//!         8u a level      12u: two mains          12u, 10u where two terminals come in
//!         users' levels   reduction modulo Q_0    coefficients to slots
//! ```
//! All of them keep the canonical rule `s_i^2 = s_{i-1} Pi_i`: from 38.8 bits the scales climb by themselves to 58.2. One basis, one list of
//! digits and one set of keys serve all levels.
//!
//! **The sparse secret.** The reduction modulo Q_0 costs levels that grow with the number of multiples of Q_0 which raising the modulus
//! adds: about the root of the secret's weight. So a ciphertext of level 0 is switched to a secret of weight h = 32 for that step and back
//! (Bossuat, Troncoso-Pastoriza, Hubaux, ePrint 2022/024). The key that leads there is a ring-LWE sample under the sparse secret, modulo
//! Q_0 and one special prime p alone: the smaller that modulus, the harder. [`MAX_SPARSE_MODULUS_BITS`] says how large it may be.

use arras_hal::Limbs;
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};

use super::Parameters;
use super::error::ParamsError;
use super::log2::{log2_product, to_bits};
use super::path::{EVAL_MOD_LEVELS, LevelWidth, bootstrap_path};
use super::security::Security;
use super::spec::{ParametersSpec, check_count};

/// Entries of the sparse secret that are not zero, +1 or -1 each: the multiples of Q_0 then stay within 13 except with probability
/// 2^-74 for each coefficient, and within 16 always.
pub const SPARSE_WEIGHT: u32 = 32;
/// The largest multiple of Q_0 that the reduction is made for: what a cosine of degree 30 carries at 24 bits.
pub const INTEGER_BOUND: u32 = 13;
/// Most bits of the modulus Q_0 p under the sparse secret. The bound is this library's own, not a published one: Q_0 p has 78.5 bits here,
/// where published sets with h = 32 use 121; an estimate of an idealized hybrid attack gives 158 bits of security at 78.5 and N = 2^16
/// (`docs/security.md`).
pub const MAX_SPARSE_MODULUS_BITS: u64 = 80;
/// The smallest ring in which the sparse secret is used with any security: log2 of its degree. In a ring of half that degree the same
/// estimate gives 135 bits, too near to the promise for an estimate of our own.
pub const MIN_SECURE_LOG_N: u32 = 16;
/// The smallest ring for tests that bootstraps: log2 of its degree.
const MIN_LOG_N: u32 = 8;
/// Most stages of the map from coefficients to slots, and of the one from slots to coefficients.
pub const MAX_STAGES: usize = 4;

/// What a parameter set has for bootstrapping, as it is written down: nothing here has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BootstrapSpec {
    /// The level of a bootstrapped ciphertext, the highest that users see.
    pub levels: usize,
    /// Levels, one for each stage, of the map from coefficients to slots.
    pub coefficients_to_slots: usize,
    /// Levels, one for each stage, of the map from slots to coefficients; a ciphertext spends them before it is raised.
    pub slots_to_coefficients: usize,
    /// Entries of the sparse secret that are not zero: [`SPARSE_WEIGHT`].
    pub secret_weight: u32,
    /// The largest multiple of Q_0 that the reduction is made for: [`INTEGER_BOUND`].
    pub integer_bound: u32,
}

impl BootstrapSpec {
    /// Bootstrapping to `levels` with this many stages of either map.
    pub const fn new(
        levels: usize,
        coefficients_to_slots: usize,
        slots_to_coefficients: usize,
    ) -> Self {
        Self {
            levels,
            coefficients_to_slots,
            slots_to_coefficients,
            secret_weight: SPARSE_WEIGHT,
            integer_bound: INTEGER_BOUND,
        }
    }

    /// The level at which the reduction modulo Q_0 begins.
    pub(crate) const fn eval_mod_level(&self) -> usize {
        self.levels + EVAL_MOD_LEVELS
    }

    /// Checks everything that a specification says of bootstrapping. Its counts and primes have been checked.
    pub(super) fn check(&self, spec: &ParametersSpec) -> Result<(), ParamsError> {
        let refuse = |what, got: String, required: String| {
            Err(ParamsError::Bootstrap {
                what,
                got,
                required,
            })
        };
        let stages = 1..=MAX_STAGES;
        check_count(
            "stages from coefficients to slots",
            self.coefficients_to_slots,
            stages.clone(),
        )?;
        check_count(
            "stages from slots to coefficients",
            self.slots_to_coefficients,
            stages,
        )?;
        if self.levels <= self.slots_to_coefficients {
            let required = format!(
                "above {}, the stages from slots to coefficients: a bootstrapped ciphertext must be able to be bootstrapped again",
                self.slots_to_coefficients
            );
            return refuse("the level after it", self.levels.to_string(), required);
        }
        if spec.level_width != LevelWidth::Bits39 {
            let required = LevelWidth::Bits39.to_string();
            return refuse("the width", spec.level_width.to_string(), required);
        }
        for (what, got, required) in [
            (
                "the weight of the sparse secret",
                self.secret_weight,
                SPARSE_WEIGHT,
            ),
            (
                "the bound on multiples of Q_0",
                self.integer_bound,
                INTEGER_BOUND,
            ),
        ] {
            if got != required {
                return refuse(what, got.to_string(), required.to_string());
            }
        }
        let least = match spec.security {
            Security::Classical128 => MIN_SECURE_LOG_N,
            Security::InsecureForTests => MIN_LOG_N,
        };
        if spec.log_n < least {
            let required = format!("at least {least}: a sparse secret needs the larger ring");
            return refuse("log2 of the ring degree", spec.log_n.to_string(), required);
        }
        // Lists of different lengths differ, so no path longer than what was given is made.
        let length = self
            .levels
            .saturating_add(EVAL_MOD_LEVELS + 1 + self.coefficients_to_slots);
        let path = (length == spec.windows.len())
            .then(|| bootstrap_path(self.levels, self.coefficients_to_slots))
            .flatten();
        if path.as_ref() != Some(&spec.windows) {
            let got = format!(
                "{} windows up to {}",
                spec.windows.len(),
                spec.windows[spec.windows.len() - 1]
            );
            let required = match path.and_then(|path| Some((path.len(), *path.last()?))) {
                Some((windows, top)) => format!("the {windows} windows of its path, up to {top}"),
                None => format!("{length}, with stages for all terminals"),
            };
            return refuse("the list of windows", got, required);
        }
        if spec.specials.len() < 2 {
            return refuse(
                "the number of specials",
                spec.specials.len().to_string(),
                "at least 2, by which the key from the sparse secret is scaled".to_owned(),
            );
        }
        // Window 0 is T_1, T_0; the key adds P_0.
        let sparse = [&spec.terminals[..2], &spec.specials[..1]].concat();
        let modulus: BigUint = sparse.iter().copied().product();
        if modulus.bits() > MAX_SPARSE_MODULUS_BITS {
            return refuse(
                "log2 of Q_0 p, the modulus under the sparse secret,",
                format!("{:.2}", to_bits(log2_product(&sparse))),
                format!("at most {MAX_SPARSE_MODULUS_BITS}"),
            );
        }
        Ok(())
    }
}

impl Parameters {
    /// What the set has for bootstrapping, if it has.
    pub fn bootstrap(&self) -> Option<&BootstrapSpec> {
        self.spec().bootstrap.as_ref()
    }

    /// The highest level of all. Above [`max_level`](Self::max_level) a ciphertext is only inside of a bootstrap.
    pub fn raised_level(&self) -> usize {
        self.spec().windows.len() - 1
    }

    /// The first `count` special primes' limbs.
    pub(crate) fn first_specials(&self, count: usize) -> Limbs {
        Limbs::new(self.special_range().take(count))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dnum, max_log2_qp};
    use super::*;

    fn set(log_n: u32, levels: usize, security: Security) -> Result<Parameters, ParamsError> {
        let builder = Parameters::builder().log_n(log_n).levels(levels);
        let builder = builder.dnum(Dnum::Fixed(3)).bootstrapping(512);
        builder.security(security).build()
    }

    /// Counts, sizes and scales that an independent model of the chain gives.
    #[test]
    fn the_chain_has_its_counts_and_scales() {
        let params = set(16, 17, Security::Classical128).unwrap();
        let spec = params.spec();
        let counts = (spec.mains.len(), spec.terminals.len(), spec.specials.len());
        assert_eq!((counts, params.dnum()), ((41, 4, 15), 3));
        assert!((params.log2_qp() - 1739.9).abs() < 0.5);
        assert!(params.log2_qp() <= f64::from(max_log2_qp(16).unwrap()));
        assert_eq!((params.max_level(), params.raised_level()), (17, 27));
        let raised = [48.5, 53.4, 55.8, 57.0, 57.6, 57.9, 58.05, 58.1, 58.2, 58.2];
        for (level, want) in (18..).zip(raised) {
            let got = params.scale(level).log2();
            assert!((got - want).abs() < 0.15, "level {level}: 2^{got:.3}");
        }
        // Two mains a level from L_out to the reduction's first, so that dropping limbs is all there is to going down.
        for level in 18..=25 {
            assert!(params.restored(level, level - 1).is_empty());
            assert_eq!(params.dropped(level, level - 1).len(), 2);
        }
        assert_eq!(params.window(27), params.chain_range());
    }

    #[test]
    fn as_many_levels_fit_as_the_model_finds() {
        for (dnum, levels, full) in [(2, 13, 12), (3, 17, 16), (4, 19, 18), (5, 21, 19)] {
            for (values, levels) in [(512, levels), (1 << 15, full)] {
                let fits = |levels| {
                    let builder = Parameters::builder().log_n(16).levels(levels);
                    builder
                        .dnum(Dnum::Fixed(dnum))
                        .bootstrapping(values)
                        .build()
                };
                assert_eq!(fits(levels).unwrap().max_level(), levels);
                refused! {
                    fits(levels + 1) => ParamsError::DoesNotFit { deepest, .. } if *deepest == Some(levels)
                }
            }
        }
    }

    #[test]
    fn what_security_rests_on_cannot_be_changed() {
        let good = set(16, 17, Security::Classical128).unwrap().spec().clone();
        let mutated = |f: &dyn Fn(&mut ParametersSpec, &mut BootstrapSpec)| {
            let mut spec = good.clone();
            let mut bootstrap = spec.bootstrap.unwrap();
            f(&mut spec, &mut bootstrap);
            spec.bootstrap = Some(bootstrap);
            Parameters::try_from(spec)
        };
        assert!(mutated(&|_, _| ()).is_ok());
        refused! {
            mutated(&|_, b| b.secret_weight = 31) => ParamsError::Bootstrap { what: "the weight of the sparse secret", .. },
            mutated(&|_, b| b.secret_weight = 0) => ParamsError::Bootstrap { .. },
            mutated(&|_, b| b.integer_bound = 12) => ParamsError::Bootstrap { what: "the bound on multiples of Q_0", .. },
            mutated(&|_, b| b.levels = 16) => ParamsError::Bootstrap { what: "the list of windows", .. },
            mutated(&|_, b| b.levels = usize::MAX) => ParamsError::Bootstrap { .. },
            mutated(&|_, b| b.levels = 2) => ParamsError::Bootstrap { what: "the level after it", .. },
            mutated(&|_, b| b.coefficients_to_slots = 0) => ParamsError::Count { got: 0, .. },
            mutated(&|_, b| b.coefficients_to_slots = 3) => ParamsError::Bootstrap { .. },
            mutated(&|_, b| b.slots_to_coefficients = 5) => ParamsError::Count { got: 5, .. },
            mutated(&|s, _| s.windows.swap(19, 20)) => ParamsError::Bootstrap { .. },
            mutated(&|s, _| s.log_n = 15) => ParamsError::Bootstrap { what: "log2 of the ring degree", .. },
            mutated(&|s, _| s.level_width = LevelWidth::Bits34) => ParamsError::Bootstrap { what: "the width", .. },
            // A terminal of 29 bits in window 0.
            mutated(&|s, _| core::mem::swap(&mut s.terminals[0], &mut s.mains[40])) => ParamsError::Bootstrap { what, .. } if what.contains("Q_0 p"),
        }
        // Raised levels without what they are for have scales that no set has.
        let mut plain = good.clone();
        plain.bootstrap = None;
        refused! { Parameters::try_from(plain) => ParamsError::ScaleDrift { level: 18, .. } }
    }

    #[test]
    fn the_written_form_says_whether_there_is_bootstrapping() {
        let toy = set(8, 17, Security::InsecureForTests).unwrap();
        let bytes = postcard::to_stdvec(toy.spec()).unwrap();
        assert_eq!(
            postcard::from_bytes::<ParametersSpec>(&bytes).unwrap(),
            *toy.spec()
        );
        let text = serde_json::to_string(toy.spec()).unwrap();
        assert_eq!(
            serde_json::from_str::<ParametersSpec>(&text).unwrap(),
            *toy.spec()
        );
        assert!(text.contains("bootstrapping"), "{text}");
        let mut plain = toy.spec().clone();
        plain.bootstrap = None;
        let shorter = postcard::to_stdvec(&plain).unwrap();
        // A choice more, and its fields.
        assert_eq!(bytes.len(), shorter.len() + 6);
        assert_ne!(plain.fingerprint().unwrap(), toy.fingerprint());
    }
}
