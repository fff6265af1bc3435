//! The unchecked form of a parameter set, and its checks.

use core::ops::{Range, RangeInclusive};

use arras_hal::is_prime;
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};

use super::bootstrap::BootstrapSpec;
use super::bounded::at_most;
use super::digits::{MARGIN_BITS, ranges};
use super::error::ParamsError;
use super::limits::{
    LOG_N, MAX_CONVERSION_SOURCES, MAX_LEVELS, MAX_MAINS, MAX_TERMINALS, MIN_HEADROOM_BITS,
};
use super::log2::{Log2, ONE, log2_product, to_bits};
use super::path::{LevelWidth, RAISED_BAND, Window, extent, nominal_scales};
use super::primes::{CHAIN_PRIME_BOUND, PRIME_BOUND, PRIME_MINIMUM, step_log2};
use super::scales::{FixedScale, canonical_scales, difference, product};
use super::security::{Security, max_log2_qp};

/// A scale may be this far from what its level's window would have with mains of exactly 6u and terminals of 5u: half a bit.
const MAX_DRIFT: Log2 = ONE / 2;

/// A parameter set as it is written down: nothing here has been checked. `Parameters::try_from` checks everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct ParametersSpec {
    /// log2 of the ring degree N.
    pub log_n: u32,
    /// Bits per level.
    pub level_width: LevelWidth,
    /// The window of each level, level 0 first.
    pub windows: Vec<Window>,
    /// Terminal primes `T_0 ..`, in the order in which windows take them (the basis holds them in reverse).
    pub terminals: Vec<u32>,
    /// Main primes `Q_0 ..`.
    pub mains: Vec<u32>,
    /// Special primes `P_0 ..`, whose product is P.
    pub specials: Vec<u32>,
    /// Number of limbs of each key-switching digit, from the start of the basis `T_{A-1} .. T_0, Q_0 ..`.
    pub digit_sizes: Vec<usize>,
    /// The scale of level 0; [`LevelWidth::base_scale`] of the width, to the bit.
    pub base_scale: f64,
    /// What the set promises.
    pub security: Security,
    /// What it has for bootstrapping; its last levels are then for that alone.
    pub bootstrap: Option<BootstrapSpec>,
}

/// The form in which a specification is written. Bootstrapping is a choice of the last field, so that sets without it keep their bytes.
#[derive(Serialize, Deserialize)]
#[serde(rename = "ParametersSpec", deny_unknown_fields)]
struct Written {
    log_n: u32,
    level_width: LevelWidth,
    #[serde(deserialize_with = "at_most::<{ MAX_LEVELS + 1 }, _, _>")]
    windows: Vec<Window>,
    #[serde(deserialize_with = "at_most::<MAX_TERMINALS, _, _>")]
    terminals: Vec<u32>,
    #[serde(deserialize_with = "at_most::<MAX_MAINS, _, _>")]
    mains: Vec<u32>,
    #[serde(deserialize_with = "at_most::<MAX_CONVERSION_SOURCES, _, _>")]
    specials: Vec<u32>,
    #[serde(deserialize_with = "at_most::<{ MAX_TERMINALS + MAX_MAINS }, _, _>")]
    digit_sizes: Vec<usize>,
    base_scale: f64,
    security: WrittenSecurity,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Security")]
enum WrittenSecurity {
    Classical128,
    InsecureForTests,
    #[serde(rename = "bootstrapping")]
    Bootstrapping {
        security: Security,
        bootstrap: BootstrapSpec,
    },
}

impl From<Written> for ParametersSpec {
    fn from(written: Written) -> Self {
        let (security, bootstrap) = match written.security {
            WrittenSecurity::Classical128 => (Security::Classical128, None),
            WrittenSecurity::InsecureForTests => (Security::InsecureForTests, None),
            WrittenSecurity::Bootstrapping {
                security,
                bootstrap,
            } => (security, Some(bootstrap)),
        };
        Self {
            log_n: written.log_n,
            level_width: written.level_width,
            windows: written.windows,
            terminals: written.terminals,
            mains: written.mains,
            specials: written.specials,
            digit_sizes: written.digit_sizes,
            base_scale: written.base_scale,
            security,
            bootstrap,
        }
    }
}

impl From<ParametersSpec> for Written {
    fn from(spec: ParametersSpec) -> Self {
        Self {
            log_n: spec.log_n,
            level_width: spec.level_width,
            windows: spec.windows,
            terminals: spec.terminals,
            mains: spec.mains,
            specials: spec.specials,
            digit_sizes: spec.digit_sizes,
            base_scale: spec.base_scale,
            security: match (spec.bootstrap, spec.security) {
                (None, Security::Classical128) => WrittenSecurity::Classical128,
                (None, Security::InsecureForTests) => WrittenSecurity::InsecureForTests,
                (Some(bootstrap), security) => WrittenSecurity::Bootstrapping {
                    security,
                    bootstrap,
                },
            },
        }
    }
}

pub(super) fn check_log_n(log_n: u32) -> Result<(), ParamsError> {
    let (min, max) = LOG_N.into_inner();
    if (min..=max).contains(&log_n) {
        return Ok(());
    }
    Err(ParamsError::RingDegree { log_n, min, max })
}

pub(super) fn check_count(
    what: &'static str,
    got: usize,
    allowed: RangeInclusive<usize>,
) -> Result<(), ParamsError> {
    if allowed.contains(&got) {
        return Ok(());
    }
    let (min, max) = allowed.into_inner();
    Err(ParamsError::Count {
        what,
        got,
        min,
        max,
    })
}

/// Separates fingerprints from every other use of BLAKE3.
const FINGERPRINT_CONTEXT: &str = "arras-ckks parameters fingerprint v1";

/// What the checks derive from a valid specification.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) basis: Vec<u32>,
    pub(crate) windows: Vec<Range<usize>>,
    pub(crate) digits: Vec<Range<usize>>,
    pub(crate) scales: Vec<FixedScale>,
    pub(crate) log2_q: Vec<Log2>,
    pub(crate) headroom: Vec<Log2>,
    pub(crate) log2_qp: Log2,
    pub(crate) margin: Log2,
}

impl ParametersSpec {
    /// BLAKE3 of the serialized specification under a context of its own.
    pub(crate) fn fingerprint(&self) -> Result<[u8; 32], postcard::Error> {
        let bytes = postcard::to_stdvec(self)?;
        Ok(blake3::derive_key(FINGERPRINT_CONTEXT, &bytes))
    }

    /// Checks everything except whether an insecure set is welcome. Counts are bounded before any work is done on them.
    pub(crate) fn derive(&self) -> Result<Derived, ParamsError> {
        self.check_counts()?;
        self.check_windows()?;
        self.check_primes()?;
        if let Some(bootstrap) = &self.bootstrap {
            bootstrap.check(self)?;
        }
        let mut basis = self.terminals.clone();
        basis.reverse();
        basis.extend(self.mains.iter().chain(&self.specials));
        let a = self.terminals.len();
        let window = |w: &Window| a - w.terminals..a + w.mains;
        let windows: Vec<_> = self.windows.iter().map(window).collect();
        let log2_q = |w: &Range<usize>| log2_product(&basis[w.clone()]);
        let log2_q: Vec<Log2> = windows.iter().map(log2_q).collect();
        let (scales, headroom) = self.check_scales(&basis, &windows, &log2_q)?;
        self.check_conversions(&windows)?;
        let (digits, margin) = self.check_digits(&basis)?;
        let log2_qp = self.check_security(&basis)?;
        Ok(Derived {
            basis,
            windows,
            digits,
            scales,
            log2_q,
            headroom,
            log2_qp,
            margin,
        })
    }

    fn check_counts(&self) -> Result<(), ParamsError> {
        check_log_n(self.log_n)?;
        let (terminals, mains) = (self.terminals.len(), self.mains.len());
        let limbs = terminals.saturating_add(mains);
        let specials = self.specials.len();
        check_count("windows", self.windows.len(), 1..=MAX_LEVELS + 1)?;
        check_count("terminal primes", terminals, 0..=MAX_TERMINALS)?;
        check_count("main primes", mains, 0..=MAX_MAINS)?;
        let most = MAX_TERMINALS + MAX_MAINS;
        check_count("terminal and main primes", limbs, 1..=most)?;
        check_count("special primes", specials, 1..=MAX_CONVERSION_SOURCES)?;
        check_count("digits", self.digit_sizes.len(), 1..=limbs)
    }

    fn check_windows(&self) -> Result<(), ParamsError> {
        let chain = Window::new(self.mains.len(), self.terminals.len());
        for (level, &window) in self.windows.iter().enumerate() {
            let within = window.mains <= chain.mains && window.terminals <= chain.terminals;
            if !within || window == Window::new(0, 0) {
                return Err(ParamsError::WindowOutsideChain {
                    level,
                    window,
                    chain,
                });
            }
        }
        let used = extent(&self.windows);
        if used != chain {
            return Err(ParamsError::UnusedPrimes { used, chain });
        }
        Ok(())
    }

    fn check_primes(&self) -> Result<(), ParamsError> {
        let step_log2 = step_log2(self.log_n);
        for (role, primes, bound) in [
            ("terminal", &self.terminals, CHAIN_PRIME_BOUND),
            ("main", &self.mains, CHAIN_PRIME_BOUND),
            ("special", &self.specials, PRIME_BOUND),
        ] {
            for &prime in primes {
                if !(PRIME_MINIMUM..bound).contains(&prime) {
                    return Err(ParamsError::PrimeSize {
                        prime,
                        role,
                        min: PRIME_MINIMUM,
                        bound,
                    });
                }
                if prime % (1 << step_log2) != 1 {
                    return Err(ParamsError::Congruence {
                        prime,
                        role,
                        step_log2,
                        log_n: self.log_n,
                    });
                }
                if !is_prime(prime) {
                    return Err(ParamsError::NotPrime {
                        modulus: prime,
                        role,
                    });
                }
            }
        }
        let mut all = [&self.terminals[..], &self.mains, &self.specials].concat();
        all.sort_unstable();
        match all.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ParamsError::DuplicatePrime { prime: pair[0] }),
            None => Ok(()),
        }
    }

    /// The canonical scale of every level, and log2 of its headroom.
    fn check_scales(
        &self,
        basis: &[u32],
        windows: &[Range<usize>],
        log2_q: &[Log2],
    ) -> Result<(Vec<FixedScale>, Vec<Log2>), ParamsError> {
        let expected = self.level_width.base_scale();
        let base = FixedScale::from_f64(self.base_scale)
            .filter(|_| self.base_scale.to_bits() == expected.to_bits())
            .ok_or(ParamsError::BaseScale {
                base_scale: self.base_scale,
                width: self.level_width,
                expected,
            })?;
        let users = self.bootstrap.map_or(windows.len(), |b| b.levels + 1);
        let band = |level| {
            if level < users {
                self.level_width.scale_band()
            } else {
                RAISED_BAND
            }
        };
        let nominal = nominal_scales(self.level_width, &self.windows);
        let mut levels = Vec::with_capacity(windows.len());
        for (level, scale) in canonical_scales(base, basis, windows)
            .into_iter()
            .enumerate()
        {
            // Windows in proportion, and primes of the sizes that the windows are counted in.
            let band = band(level);
            let low = band.0.max(nominal[level] - MAX_DRIFT);
            let high = band.1.min(nominal[level] + MAX_DRIFT);
            let log2_scale = scale.and_then(FixedScale::log2);
            let (Some(scale), Some(log2_scale)) =
                (scale, log2_scale.filter(|s| (low..=high).contains(s)))
            else {
                return Err(ParamsError::ScaleDrift {
                    level,
                    log2_scale: log2_scale.map_or(f64::NAN, to_bits),
                    low: to_bits(low),
                    high: to_bits(high),
                });
            };
            let headroom = log2_q[level] - log2_scale - ONE;
            if headroom < i64::from(MIN_HEADROOM_BITS) * ONE {
                let headroom = to_bits(headroom);
                return Err(ParamsError::Headroom {
                    level,
                    headroom,
                    required: MIN_HEADROOM_BITS,
                });
            }
            levels.push((scale, headroom));
        }
        Ok(levels.into_iter().unzip())
    }

    fn check_conversions(&self, windows: &[Range<usize>]) -> Result<(), ParamsError> {
        for (below, pair) in windows.windows(2).enumerate() {
            let sources = self.specials.len() + difference(&pair[1], &pair[0]).len();
            if sources > MAX_CONVERSION_SOURCES {
                return Err(ParamsError::ConversionSources {
                    level: below + 1,
                    sources,
                    max: MAX_CONVERSION_SOURCES,
                });
            }
        }
        Ok(())
    }

    /// The digits as index ranges, and the smallest margin.
    fn check_digits(&self, basis: &[u32]) -> Result<(Vec<Range<usize>>, Log2), ParamsError> {
        let limbs = self.terminals.len() + self.mains.len();
        let sizes = self.digit_sizes.iter();
        let covered = sizes.fold(0usize, |sum, &size| sum.saturating_add(size));
        let empty = self.digit_sizes.iter().filter(|&&size| size == 0).count();
        if covered != limbs || empty > 0 {
            return Err(ParamsError::DigitPartition {
                covered,
                empty,
                limbs,
            });
        }
        let digits = ranges(&self.digit_sizes);
        let p: BigUint = self.specials.iter().copied().product();
        let log2_p = log2_product(&self.specials);
        let mut least = log2_p;
        for (digit, range) in digits.iter().enumerate() {
            let margin = log2_p - log2_product(&basis[range.clone()]);
            // The decision is on integers: P >= 2^margin * digit.
            let indices: Vec<usize> = range.clone().collect();
            if p < product(basis, &indices) << MARGIN_BITS {
                return Err(ParamsError::DigitMargin {
                    digit,
                    margin: to_bits(margin),
                    required: MARGIN_BITS,
                });
            }
            least = least.min(margin);
        }
        Ok((digits, least))
    }

    /// log2(QP), after comparing the exact product with the table.
    fn check_security(&self, basis: &[u32]) -> Result<Log2, ParamsError> {
        let log2_qp = log2_product(basis);
        if self.security == Security::Classical128 {
            let log_n = self.log_n;
            let limit = max_log2_qp(log_n).ok_or(ParamsError::NoSecurityBound { log_n })?;
            let qp: BigUint = basis.iter().copied().product();
            // An odd product of `limit` bits is below 2^limit.
            if qp.bits() > u64::from(limit) {
                return Err(ParamsError::SecurityBound {
                    log2_qp: to_bits(log2_qp),
                    limit,
                    log_n,
                });
            }
        }
        Ok(log2_qp)
    }
}
