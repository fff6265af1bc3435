//! CKKS parameters: ring, primes, levels, scales, digits and the security bound.
//!
//! Three ways in, all of which end in the same checks:
//!
//! - [`Parameters::builder`] with a [`depth`](ParametersBuilder::depth) picks the smallest safe set for a circuit, and explains itself;
//! - with [`log_n`](ParametersBuilder::log_n) it takes the ring degree and the number of levels;
//! - `Parameters::try_from` takes a [`ParametersSpec`], for instance one read from a file, and trusts nothing in it.
//!
//! ```text
//! basis    T_{A-1} .. T_0 | Q_0 .. Q_{M-1} | P_0 .. P_{K-1}
//!          terminals       mains            specials
//! level          [------ window ------]                        one contiguous index range
//! digits   [---- 0 ----]  [--- 1 ---]                          groups of absolute indices
//! ```
//!
//! ```
//! use arras_ckks::Parameters;
//!
//! let params = Parameters::builder().log_n(14).levels(5).build()?;
//! assert_eq!(params.slots(), 8192);
//! assert!(params.log2_qp() <= 430.0);
//! println!("{params}");
//! # Ok::<(), arras_ckks::params::ParamsError>(())
//! ```

mod bootstrap;
pub(crate) mod bounded;
mod builder;
mod chain;
mod choice;
mod cost;
mod digits;
mod error;
mod estimate;
mod level_down;
mod limits;
mod log2;
mod path;
mod primes;
mod scales;
mod security;
mod sparse;
mod spec;
#[cfg(test)]
mod tests;

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

use arras_hal::Named;

pub use bootstrap::{
    BootstrapSpec, INTEGER_BOUND, MAX_SPARSE_MODULUS_BITS, MAX_STAGES, MIN_SECURE_LOG_N,
    SPARSE_WEIGHT,
};
pub use builder::{Dnum, ParametersBuilder, RingRequest, deepest};
pub use choice::{Choice, CircuitRequest, Explanation, Reason, Rejection};
pub use cost::{KeySwitchCost, KeySwitchLimbs};
pub use digits::MARGIN_BITS;
pub use error::{CircuitLimits, ParamsError};
pub use estimate::{Attack, CostModel, RingLwe};
pub use level_down::LevelDownPlan;
pub use limits::{
    LOG_N, MAX_CONVERSION_SOURCES, MAX_LEVELS, MAX_MAINS, MAX_TERMINALS, MIN_HEADROOM_BITS,
};
pub use path::{BASE, LevelWidth, Window, level_path};
pub use primes::{CHAIN_PRIME_BOUND, PRIME_BOUND, PRIME_MINIMUM, pool, step_log2};
pub use security::{Security, max_log2_qp};
pub use sparse::{HybridAttack, SparseRingLwe};
pub use spec::ParametersSpec;

use log2::to_bits;
use scales::difference;
use spec::Derived;

/// A validated parameter set. Cloning copies a pointer; two sets are equal if their specifications are.
///
/// Accessors that take a level panic if it is above [`raised_level`](Self::raised_level), the top: levels come from checked ciphertexts.
/// Code that takes a level from its caller checks it first, with [`check_level`](Self::check_level).
#[derive(Clone)]
pub struct Parameters(Arc<Inner>);

struct Inner {
    spec: ParametersSpec,
    derived: Derived,
    scales: Vec<f64>,
    fingerprint: [u8; 32],
}

/// The part of a key-switching digit that is present at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveDigit {
    /// Index of the digit, and so of the part of the key that belongs to it.
    pub digit: usize,
    /// Absolute indices of its limbs that the level's window contains; never empty.
    pub limbs: Range<usize>,
}

impl Parameters {
    /// Begins to build a set.
    pub fn builder() -> ParametersBuilder {
        ParametersBuilder { request: () }
    }

    /// Validates a specification and **accepts sets without any security** ([`Security::InsecureForTests`]).
    ///
    /// **For tests only.** Who calls this on input from elsewhere lets that input switch encryption off: every other rule is still
    /// checked, but the modulus is compared with no bound. Use `try_from`.
    ///
    /// # Errors
    /// The [`ParamsError`] of the first rule that the specification breaks.
    pub fn from_spec_allowing_insecure(spec: ParametersSpec) -> Result<Self, ParamsError> {
        let derived = spec.derive()?;
        let scales = derived.scales.iter().map(|s| s.to_f64()).collect();
        let fingerprint = spec.fingerprint()?;
        Ok(Self(Arc::new(Inner {
            spec,
            derived,
            scales,
            fingerprint,
        })))
    }

    /// The specification this set was made from.
    pub fn spec(&self) -> &ParametersSpec {
        &self.0.spec
    }

    /// log2 of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.0.spec.log_n
    }

    /// The ring degree N.
    pub fn n(&self) -> usize {
        1 << self.log_n()
    }

    /// Values per ciphertext, N/2.
    pub fn slots(&self) -> usize {
        self.n() / 2
    }

    /// The highest level that a ciphertext has outside of a bootstrap; levels are 0 to this.
    pub fn max_level(&self) -> usize {
        let raised = self.raised_level();
        self.bootstrap()
            .map_or(raised, |bootstrap| bootstrap.levels)
    }

    /// Bits per level.
    pub fn level_width(&self) -> LevelWidth {
        self.0.spec.level_width
    }

    /// What the set promises.
    pub fn security(&self) -> Security {
        self.0.spec.security
    }

    /// Every prime in basis order: terminals from last to first, mains, specials.
    pub fn moduli(&self) -> &[u32] {
        &self.0.derived.basis
    }

    /// Number of primes in the basis.
    pub fn basis_len(&self) -> usize {
        self.0.derived.basis.len()
    }

    /// The basis indices in use at `level`.
    ///
    /// # Panics
    /// If `level` is above the top.
    pub fn window(&self, level: usize) -> Range<usize> {
        self.0.derived.windows[level].clone()
    }

    /// The basis indices of mains and terminals.
    pub fn chain_range(&self) -> Range<usize> {
        0..self.special_range().start
    }

    /// The basis indices of the special primes.
    pub fn special_range(&self) -> Range<usize> {
        self.basis_len() - self.special_limbs()..self.basis_len()
    }

    /// Number of special primes.
    pub fn special_limbs(&self) -> usize {
        self.0.spec.specials.len()
    }

    /// The key-switching digits, as basis indices. They partition [`chain_range`](Self::chain_range).
    pub fn digit_groups(&self) -> &[Range<usize>] {
        &self.0.derived.digits
    }

    /// Number of digits of a full key.
    pub fn dnum(&self) -> usize {
        self.0.derived.digits.len()
    }

    /// The digits that `level` uses, with their limbs.
    ///
    /// # Panics
    /// If `level` is above the top.
    pub fn active_digits(&self, level: usize) -> Vec<ActiveDigit> {
        let window = self.window(level);
        let clip = |(digit, group): (usize, &Range<usize>)| {
            let limbs = group.start.max(window.start)..group.end.min(window.end);
            (!limbs.is_empty()).then_some(ActiveDigit { digit, limbs })
        };
        let groups = self.digit_groups().iter().enumerate();
        groups.filter_map(clip).collect()
    }

    /// Bits by which P exceeds the largest digit; at least [`MARGIN_BITS`].
    pub fn margin_bits(&self) -> f64 {
        to_bits(self.0.derived.margin)
    }

    /// The canonical scale of `level`, right to one rounding.
    ///
    /// # Panics
    /// If `level` is above the top.
    pub fn scale(&self, level: usize) -> f64 {
        self.0.scales[level]
    }

    /// log2 of the modulus of `level`.
    ///
    /// # Panics
    /// If `level` is above the top.
    pub fn log2_q(&self, level: usize) -> f64 {
        to_bits(self.0.derived.log2_q[level])
    }

    /// log2 of the product of every prime: what the security bound applies to.
    pub fn log2_qp(&self) -> f64 {
        to_bits(self.0.derived.log2_qp)
    }

    /// Values (coefficients of the encoded polynomial over its scale) at `level` must stay below 2 to this: `log2(Q / (2 s))`.
    /// Lowest at level 0, where every computation may end: about 8.7 bits at 38.8 bits per level, 13.6 at 33.95.
    ///
    /// # Panics
    /// If `level` is above the top.
    pub fn headroom_bits(&self, level: usize) -> f64 {
        to_bits(self.0.derived.headroom[level])
    }

    /// Values at `level` must stay below this: 2 to its [`headroom_bits`](Self::headroom_bits), or the largest finite number.
    ///
    /// # Panics
    /// If `level` is above the top.
    pub fn headroom(&self, level: usize) -> f64 {
        self.headroom_bits(level).exp2().min(f64::MAX)
    }

    /// The basis indices that level `from` uses and level `to` does not, ascending. Any two levels, in either order.
    ///
    /// # Panics
    /// If a level is above the top.
    pub fn dropped(&self, from: usize, to: usize) -> Vec<usize> {
        difference(&self.window(from), &self.window(to))
    }

    /// The basis indices that level `to` uses and level `from` does not, ascending.
    ///
    /// # Panics
    /// If a level is above the top.
    pub fn restored(&self, from: usize, to: usize) -> Vec<usize> {
        self.dropped(to, from)
    }

    /// The step from `level` to the level below, exactly: the basis indices whose product is the numerator of `Pi` (dropped) and
    /// those whose product is its denominator (restored). `s_level^2 = s_{level-1} * Pi`.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`] at level 0, which has no level below, and above the top.
    pub fn pi(&self, level: usize) -> Result<(Vec<usize>, Vec<usize>), ParamsError> {
        self.check_level(level).named("step down")?;
        let Some(below) = level.checked_sub(1) else {
            return Err(ParamsError::LevelOrder {
                operation: Some("step down"),
                from: 0,
                to: 0,
            });
        };
        Ok((self.dropped(level, below), self.restored(level, below)))
    }

    /// The limbs of a key that serves every level up to `level_budget`: the union of their windows, then the specials, ascending.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`] if the budget is above the top.
    pub fn key_limbs(&self, level_budget: usize) -> Result<Vec<u16>, ParamsError> {
        let max = self.raised_level();
        if level_budget > max {
            return Err(ParamsError::NoSuchLevel {
                operation: Some("cut a key to a level budget"),
                level: level_budget,
                max,
            });
        }
        // Every window reaches the boundary between terminals and mains, so a union of windows is a range.
        let windows = &self.0.derived.windows[..=level_budget];
        let start = windows.iter().map(|w| w.start).min().unwrap_or(0);
        let end = windows.iter().map(|w| w.end).max().unwrap_or(0);
        // Counts are bounded by MAX_MAINS + MAX_TERMINALS + MAX_CONVERSION_SOURCES, far below 2^16.
        let limbs = (start..end).chain(self.special_range());
        Ok(limbs.map(|i| i as u16).collect())
    }

    /// Modelled work of one merged key switch and rescale at every level.
    pub fn key_switch_cost(&self) -> KeySwitchCost {
        let spec = self.spec();
        KeySwitchCost::of_chain(
            &spec.windows,
            spec.terminals.len(),
            &spec.digit_sizes,
            spec.specials.len(),
        )
    }

    /// Bytes of one full key-switching key in memory: two polynomials over the whole basis per digit. On the wire the uniform
    /// half is a seed.
    pub fn key_bytes(&self) -> u64 {
        (self.dnum() * 2 * self.basis_len() * self.n() * 4) as u64
    }

    /// Identifies the set: BLAKE3 of its serialized specification under a context of its own.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.0.fingerprint
    }

    /// Whether the set has `level`.
    ///
    /// # Errors
    /// [`ParamsError::NoSuchLevel`] if it is above the top.
    pub fn check_level(&self, level: usize) -> Result<(), ParamsError> {
        let max = self.max_level();
        if level > max {
            Err(ParamsError::NoSuchLevel {
                operation: None,
                level,
                max,
            })
        } else {
            Ok(())
        }
    }
}

impl TryFrom<ParametersSpec> for Parameters {
    type Error = ParamsError;

    /// Validates a specification, trusting nothing in it. Insecure sets are refused.
    ///
    /// # Errors
    /// The [`ParamsError`] of the first rule that the specification breaks; [`ParamsError::InsecureRefused`] for
    /// [`Security::InsecureForTests`].
    fn try_from(spec: ParametersSpec) -> Result<Self, ParamsError> {
        if spec.security == Security::InsecureForTests {
            return Err(ParamsError::InsecureRefused);
        }
        Self::from_spec_allowing_insecure(spec)
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.fingerprint == other.0.fingerprint
    }
}

impl Eq for Parameters {}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parameters").field(&self.0.spec).finish()
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.spec();
        let name = crate::context::abbreviate(&self.fingerprint());
        writeln!(f, "CKKS parameters {name}, {}", self.security())?;
        let (log_n, slots) = (self.log_n(), self.slots());
        writeln!(f, "  ring     N = 2^{log_n}, {slots} slots")?;
        write!(f, "  levels   {}, {}", self.max_level(), self.level_width())?;
        match self.bootstrap() {
            Some(_) => {
                let raised = self.raised_level() - self.max_level();
                writeln!(f, ", and {raised} for bootstrapping")?;
            }
            None => writeln!(f)?,
        }
        let (terminals, mains) = (spec.terminals.len(), spec.mains.len());
        let specials = spec.specials.len();
        write!(f, "  primes   {terminals} terminals, {mains} mains, ")?;
        writeln!(f, "{specials} specials")?;
        write!(f, "  modulus  log2 QP = {:.1}", self.log2_qp())?;
        match (self.security(), max_log2_qp(self.log_n())) {
            (Security::Classical128, Some(limit)) => writeln!(f, " of at most {limit}")?,
            _ => writeln!(f, ", compared with NO bound")?,
        }
        writeln!(f, "  attacks  {}", self.ring_lwe())?;
        if let Some(sparse) = self.sparse_ring_lwe() {
            writeln!(f, "  sparse   {sparse}")?;
        }
        let sizes: Vec<String> = spec.digit_sizes.iter().map(usize::to_string).collect();
        let (dnum, sizes) = (self.dnum(), sizes.join(" + "));
        let margin = self.margin_bits();
        let mebibytes = self.key_bytes() as f64 / f64::from(1 << 20);
        write!(f, "  keys     {dnum} digits of {sizes} limbs, ")?;
        writeln!(f, "margin {margin:.1} bits, {mebibytes:.1} MiB each")?;
        let fold = |pick: fn(f64, f64) -> f64, start: f64| {
            self.0.scales.iter().copied().fold(start, pick).log2()
        };
        let (low, high) = (fold(f64::min, f64::INFINITY), fold(f64::max, 0.0));
        write!(
            f,
            "  scales   2^{low:.2} to 2^{high:.2}, values up to 2^{:.1}",
            self.headroom_bits(0)
        )
    }
}
