//! From a ring degree and a number of levels to a parameter set.

use super::Parameters;
use super::bootstrap::{BootstrapSpec, MAX_STAGES};
use super::chain::choose;
use super::choice::CircuitRequest;
use super::cost::KeySwitchCost;
use super::digits::{DigitPlan, basis_logs, digit_plans};
use super::error::ParamsError;
use super::limits::{LOG_N, MAX_CONVERSION_SOURCES, MAX_LEVELS};
use super::log2::{Log2, ONE, log2_prime, units};
use super::path::{BASE, EVAL_MOD_LEVELS, LevelWidth, Window, bootstrap_path, extent, level_path};
use super::primes::pool;
use super::security::{Security, max_log2_qp};
use super::spec::{ParametersSpec, check_count, check_log_n};

/// [`Dnum::Auto`] takes at most this many digits: beyond, keys grow by more than the modulus gains.
const MAX_AUTO_DNUM: usize = 8;

/// Into how many digits key switching cuts a polynomial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dnum {
    /// The number, at most 8, with the lowest modelled cost among those that fit the security bound.
    #[default]
    Auto,
    /// The fewest special primes for which at most this many digits suffice.
    Fixed(usize),
}

impl Dnum {
    /// At most this many digits.
    const fn most(self) -> usize {
        match self {
            Self::Auto => MAX_AUTO_DNUM,
            Self::Fixed(digits) => digits,
        }
    }
}

/// Builds a parameter set, from what is known of it: begin with [`Parameters::builder`].
///
/// [`depth`](Self::depth) asks for the smallest safe set for a circuit, [`log_n`](Self::log_n) for a set of a given ring. Each leads
/// to a builder with the parts that belong to it.
///
/// ```
/// use arras_ckks::{Parameters, params::Dnum};
///
/// let params = Parameters::builder().depth(2).precision_bits(18).slots(1000).build()?;
/// assert!(params.max_level() >= 2 && params.slots() >= 1000);
///
/// let params = Parameters::builder().log_n(15).levels(14).dnum(Dnum::Fixed(3)).build()?;
/// assert_eq!(params.dnum(), 3);
/// # Ok::<(), arras_ckks::params::ParamsError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ParametersBuilder<Request = ()> {
    pub(super) request: Request,
}

/// A set of a given ring degree: what [`ParametersBuilder::log_n`] builds.
#[derive(Clone, Debug)]
pub struct RingRequest {
    log_n: u32,
    levels: Option<usize>,
    width: LevelWidth,
    dnum: Dnum,
    security: Security,
    /// Stages of the maps of a bootstrap.
    stages: Option<usize>,
}

/// More have no place below the levels of a bootstrap.
const MAX_BOOTSTRAP_LEVELS: usize = MAX_LEVELS - EVAL_MOD_LEVELS - MAX_STAGES;

/// The most values of one ciphertext that two stages of a bootstrap's maps are for: beyond, a stage would have more than 64 diagonals.
const TWO_STAGES: usize = 1 << 12;

impl ParametersBuilder {
    /// A set for circuits of `depth` multiplications in a row: see [`choose`](ParametersBuilder::choose).
    pub fn depth(self, depth: usize) -> ParametersBuilder<CircuitRequest> {
        ParametersBuilder {
            request: CircuitRequest::new(depth),
        }
    }

    /// A set of ring degree `2^log_n`: 38.8 bits per level, digits chosen by cost and 128-bit security unless told otherwise.
    pub fn log_n(self, log_n: u32) -> ParametersBuilder<RingRequest> {
        let request = RingRequest {
            log_n,
            levels: None,
            width: LevelWidth::default(),
            dnum: Dnum::default(),
            security: Security::default(),
            stages: None,
        };
        ParametersBuilder { request }
    }
}

impl ParametersBuilder<RingRequest> {
    /// How many multiplications in a row a fresh ciphertext allows. Must be given; 0 is allowed.
    pub fn levels(mut self, levels: usize) -> Self {
        self.request.levels = Some(levels);
        self
    }

    /// Bits per level.
    pub fn level_width(mut self, width: LevelWidth) -> Self {
        self.request.width = width;
        self
    }

    /// Number of key-switching digits.
    pub fn dnum(mut self, dnum: Dnum) -> Self {
        self.request.dnum = dnum;
        self
    }

    /// A set whose ciphertexts can be bootstrapped to its highest level, `levels`, `values` real values at a time: those of one
    /// ciphertext, which repeat over its slots. Bits per level are 38.8. More levels are made above those, for bootstraps alone; 128-bit
    /// sets have a ring degree of 2^16 or more.
    pub fn bootstrapping(mut self, values: usize) -> Self {
        self.request.stages = Some(if values <= TWO_STAGES { 2 } else { 3 });
        self
    }

    /// What the set promises. **[`Security::InsecureForTests`] gives a set that anyone can decrypt**: it lifts the bound on the
    /// modulus and admits ring degrees from 2^5, and it is for tests only.
    pub fn security(mut self, security: Security) -> Self {
        self.request.security = security;
        self
    }

    /// Chooses the primes and validates the set. Deterministic: equal builders give equal sets on every platform.
    ///
    /// # Errors
    /// [`ParamsError::DoesNotFit`] with what would fit, if the modulus exceeds the security bound;
    /// [`ParamsError::NoSecurityBound`] if the ring is too small for any security; [`ParamsError::RingDegree`],
    /// [`ParamsError::Count`], [`ParamsError::NotGiven`], [`ParamsError::NoDigits`], [`ParamsError::NotEnoughPrimes`] for requests outside any set.
    pub fn build(&self) -> Result<Parameters, ParamsError> {
        self.request.build()
    }
}

impl RingRequest {
    fn build(&self) -> Result<Parameters, ParamsError> {
        let log_n = self.log_n;
        check_log_n(log_n)?;
        let levels = self.levels.ok_or(ParamsError::NotGiven {
            what: "the number of levels",
            method: "levels",
        })?;
        check_count("levels", levels, 0..=MAX_LEVELS)?;
        if self.dnum == Dnum::Fixed(0) {
            return Err(ParamsError::NoDigits);
        }
        let limit = self.limit()?;
        let (path, bootstrap) = self.path(levels)?;
        let chain = choose(log_n, self.width, &path)?;
        let limbs = basis_logs(&chain.terminals, &chain.mains);
        let specials: Vec<Log2> = chain.specials.iter().map(|&q| log2_prime(q)).collect();
        let plans = digit_plans(&limbs, &specials, most_dropped(&path));
        let Some(plan) = select(&plans, self.dnum, limit, &path, log_n) else {
            return Err(self.does_not_fit(levels, &path));
        };
        Parameters::from_spec_allowing_insecure(ParametersSpec {
            log_n,
            level_width: self.width,
            windows: path,
            terminals: chain.terminals,
            mains: chain.mains,
            specials: chain.specials[..plan.specials].to_vec(),
            digit_sizes: plan.sizes.clone(),
            base_scale: self.width.base_scale(),
            security: self.security,
            bootstrap,
        })
    }

    /// The path to `levels`, with what is above it for bootstrapping.
    fn path(&self, levels: usize) -> Result<(Vec<Window>, Option<BootstrapSpec>), ParamsError> {
        let Some(stages) = self.stages else {
            return Ok((level_path(self.width, levels), None));
        };
        check_count(
            "levels with bootstrapping",
            levels,
            stages + 1..=MAX_BOOTSTRAP_LEVELS,
        )?;
        let bootstrap = BootstrapSpec::new(levels, stages, stages);
        // No pair of terminals is missing that two stages cannot bring in.
        let path = bootstrap_path(levels, stages).unwrap_or_else(|| vec![BASE]);
        Ok((path, Some(bootstrap)))
    }

    /// The bound on log2(QP), if there is one.
    fn limit(&self) -> Result<Option<u32>, ParamsError> {
        match self.security {
            Security::InsecureForTests => Ok(None),
            Security::Classical128 => max_log2_qp(self.log_n)
                .map(Some)
                .ok_or(ParamsError::NoSecurityBound { log_n: self.log_n }),
        }
    }

    fn does_not_fit(&self, levels: usize, path: &[Window]) -> ParamsError {
        let best = |log_n| Budget::new(log_n)?.best(path, self.dnum);
        let deepest = if self.stages.is_none() {
            deepest(self.log_n, self.width, self.dnum).filter(|&deepest| deepest < levels)
        } else {
            let budget = Budget::new(self.log_n);
            (0..levels).rev().find(|&levels| {
                let path = self.path(levels);
                let plan = budget.as_ref().zip(path.ok());
                plan.is_some_and(|(budget, (path, _))| budget.best(&path, self.dnum).is_some())
            })
        };
        ParamsError::DoesNotFit {
            log_n: self.log_n,
            levels,
            width: self.width,
            most_digits: self.dnum.most(),
            deepest,
            sufficient_log_n: (self.log_n + 1..=*LOG_N.end()).find(|&n| best(n).is_some()),
        }
    }
}

/// The most levels of `width` that fit the 128-bit bound at ring degree `2^log_n`, planned with nominal prime sizes; `None` if
/// not even level 0 fits or no bound is tabulated.
pub fn deepest(log_n: u32, width: LevelWidth, dnum: Dnum) -> Option<usize> {
    let budget = Budget::new(log_n)?;
    budget.deepest(width, dnum)
}

/// Limbs that one step down drops, at most.
pub(crate) fn most_dropped(path: &[Window]) -> usize {
    let dropped = path.windows(2).map(|pair| {
        let (to, from) = (pair[0], pair[1]);
        from.mains.saturating_sub(to.mains) + from.terminals.saturating_sub(to.terminals)
    });
    dropped.max().unwrap_or(0)
}

/// The plan that `dnum` asks for among those within `limit`; `plans` are sorted by digits, fewest first.
fn select<'a>(
    plans: &'a [DigitPlan],
    dnum: Dnum,
    limit: Option<u32>,
    path: &[Window],
    log_n: u32,
) -> Option<&'a DigitPlan> {
    // The last 2^-20 bit covers the rounding of the logarithms; the bound is checked on the exact product later.
    let fits = |plan: &&DigitPlan| {
        limit.is_none_or(|limit| plan.log2_qp <= i64::from(limit) * ONE - (ONE >> 20))
    };
    match dnum {
        Dnum::Fixed(digits) => plans
            .iter()
            .rfind(|plan| plan.sizes.len() <= digits)
            .filter(fits),
        Dnum::Auto => plans
            .iter()
            .filter(|plan| plan.sizes.len() <= MAX_AUTO_DNUM)
            .filter(fits)
            .min_by_key(|plan| plan_cost(plan, path).weighted(log_n)),
    }
}

/// Modelled cost of a plan.
pub(crate) fn plan_cost(plan: &DigitPlan, path: &[Window]) -> KeySwitchCost {
    KeySwitchCost::of_chain(path, extent(path).terminals, &plan.sizes, plan.specials)
}

/// Planning at a ring degree with nominal prime sizes, without choosing primes.
pub(crate) struct Budget {
    log_n: u32,
    limit: u32,
    specials: Vec<Log2>,
}

impl Budget {
    /// `None` where no security bound is tabulated.
    pub(crate) fn new(log_n: u32) -> Option<Self> {
        let limit = max_log2_qp(log_n)?;
        let largest = pool(log_n).into_iter().rev().take(MAX_CONVERSION_SOURCES);
        Some(Self {
            log_n,
            limit,
            specials: largest.map(log2_prime).collect(),
        })
    }

    /// The plan that a build would choose, or `None` if the path does not fit.
    pub(crate) fn best(&self, path: &[Window], dnum: Dnum) -> Option<DigitPlan> {
        let Window { mains, terminals } = extent(path);
        let mut limbs = vec![units(5, 1); terminals];
        limbs.resize(terminals + mains, units(6, 1));
        let plans = digit_plans(&limbs, &self.specials, most_dropped(path));
        select(&plans, dnum, Some(self.limit), path, self.log_n).cloned()
    }

    /// The most levels that fit.
    pub(crate) fn deepest(&self, width: LevelWidth, dnum: Dnum) -> Option<usize> {
        // More levels need a larger chain (tested in `path`), so what fits is a prefix.
        let (mut unknown, mut too_many) = (0, MAX_LEVELS + 1);
        while unknown < too_many {
            let middle = (unknown + too_many) / 2;
            if self.best(&level_path(width, middle), dnum).is_some() {
                unknown = middle + 1;
            } else {
                too_many = middle;
            }
        }
        too_many.checked_sub(1)
    }
}
