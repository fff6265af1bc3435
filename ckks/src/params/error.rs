//! What can be wrong with a parameter set or with a request for one.

use arras_hal::Named;

use super::path::{LevelWidth, Window};

/// An invalid parameter set, a request that no set meets, or a level that a set does not have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The ring degree is outside the supported range.
    #[error(
        "log_n = {log_n} is outside {min}..={max}: 13 to 17 are useful with 128-bit security, smaller ones only in tests"
    )]
    RingDegree {
        /// Requested log2 of the ring degree.
        log_n: u32,
        /// Smallest supported.
        min: u32,
        /// Largest supported.
        max: u32,
    },
    /// A list is shorter or longer than any valid set's.
    #[error("{got} {what}, expected {min} to {max}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
    },
    /// A level uses primes that the chain does not have, or none at all.
    #[error(
        "level {level} has the window {window} (mains,terminals), which is not within the chain's {chain} or is empty"
    )]
    WindowOutsideChain {
        /// The level.
        level: usize,
        /// Its window.
        window: Window,
        /// Number of mains and terminals in the chain.
        chain: Window,
    },
    /// Some mains or terminals are used by no level and would only weaken the keys.
    #[error(
        "the levels use at most {used} (mains,terminals) of the chain's {chain}: remove the unused primes"
    )]
    UnusedPrimes {
        /// Largest counts over all levels.
        used: Window,
        /// Number of mains and terminals in the chain.
        chain: Window,
    },
    /// A prime is outside the interval of its role.
    #[error("{role} prime {prime} is outside {min}..{bound}")]
    PrimeSize {
        /// The offending value.
        prime: u32,
        /// Main, terminal or special.
        role: &'static str,
        /// Inclusive lower bound.
        min: u32,
        /// Exclusive upper bound.
        bound: u32,
    },
    /// A modulus is not prime.
    #[error("{role} modulus {modulus} is not prime")]
    NotPrime {
        /// The offending value.
        modulus: u32,
        /// Main, terminal or special.
        role: &'static str,
    },
    /// A prime has no transform of the required length.
    #[error("{role} prime {prime} is not 1 modulo 2^{step_log2}, as log_n = {log_n} needs")]
    Congruence {
        /// The offending value.
        prime: u32,
        /// Main, terminal or special.
        role: &'static str,
        /// log2 of the modulus of the congruence.
        step_log2: u32,
        /// log2 of the ring degree.
        log_n: u32,
    },
    /// A prime occurs twice.
    #[error("prime {prime} occurs more than once in the basis")]
    DuplicatePrime {
        /// The repeated value.
        prime: u32,
    },
    /// The digit groups do not cover every main and terminal exactly once.
    #[error(
        "the digit groups cover {covered} limbs with {empty} empty groups, expected exactly the {limbs} mains and terminals"
    )]
    DigitPartition {
        /// Sum of the group sizes.
        covered: usize,
        /// Number of groups of size zero.
        empty: usize,
        /// Mains plus terminals.
        limbs: usize,
    },
    /// P is not large enough for a digit.
    #[error(
        "P exceeds digit {digit} by {margin:.2} bits only, at least {required} are needed: add a special prime or split the digit"
    )]
    DigitMargin {
        /// Index of the digit.
        digit: usize,
        /// log2(P / digit).
        margin: f64,
        /// Least margin.
        required: u32,
    },
    /// The scale of level 0 is not the one of the level width.
    #[error("base scale {base_scale} does not belong to {width}, whose base scale is {expected}")]
    BaseScale {
        /// The offending value.
        base_scale: f64,
        /// The set's level width.
        width: LevelWidth,
        /// Its base scale.
        expected: f64,
    },
    /// The steps between windows make a level's scale drift away.
    #[error(
        "the scale of level {level} is 2^{log2_scale:.2}, expected 2^{low:.2} to 2^{high:.2}: the step to this level, or a prime's size, is out of proportion"
    )]
    ScaleDrift {
        /// The first level outside.
        level: usize,
        /// Its log2 scale; not a number below 1 and above 2^64.
        log2_scale: f64,
        /// Lowest allowed; above `high` if no scale is right for the level's window.
        low: f64,
        /// Highest allowed.
        high: f64,
    },
    /// A level cannot hold useful values at its scale.
    #[error(
        "level {level} holds values below 2^{headroom:.2} only, at least 2^{required} are needed: use a larger window"
    )]
    Headroom {
        /// The level.
        level: usize,
        /// log2(Q / (2 s)).
        headroom: f64,
        /// Least headroom.
        required: u32,
    },
    /// A base conversion has more sources than its arithmetic allows.
    #[error(
        "rescaling from level {level} converts {sources} limbs at once, specials included; at most {max} fit: use more digits"
    )]
    ConversionSources {
        /// The level.
        level: usize,
        /// Specials plus dropped limbs.
        sources: usize,
        /// Most allowed.
        max: usize,
    },
    /// The keys' modulus is too large for the ring degree.
    #[error(
        "log2 QP = {log2_qp:.1} exceeds {limit}, the 128-bit bound at log_n = {log_n}: use fewer levels, more digits or a larger ring"
    )]
    SecurityBound {
        /// log2 of the product of every prime of the basis.
        log2_qp: f64,
        /// The table's bound.
        limit: u32,
        /// log2 of the ring degree.
        log_n: u32,
    },
    /// There is no security bound for this ring degree.
    #[error("no 128-bit bound is tabulated for log_n = {log_n}: use 13 to 17")]
    NoSecurityBound {
        /// log2 of the ring degree.
        log_n: u32,
    },
    /// An insecure set was given where only secure ones are accepted.
    #[error(
        "the parameter set is INSECURE (for tests only) and was given where only secure sets are accepted"
    )]
    InsecureRefused,
    /// The builder was not told something that it needs.
    #[error("{what} was not given: call ParametersBuilder::{method}")]
    NotGiven {
        /// What is missing.
        what: &'static str,
        /// The builder's method that takes it.
        method: &'static str,
    },
    /// The chain does not fit the security bound at this ring degree.
    #[error("{levels} levels of {width} with at most {most_digits} digits do not fit log_n = {log_n}; {}", advice(*.deepest, *.sufficient_log_n))]
    DoesNotFit {
        /// log2 of the ring degree.
        log_n: u32,
        /// Requested levels.
        levels: usize,
        /// Requested width.
        width: LevelWidth,
        /// Most digits of a key that were asked for.
        most_digits: usize,
        /// The most levels that fit here with the same width and digits; `None` if not even level 0 does.
        deepest: Option<usize>,
        /// The smallest ring at which they do fit.
        sufficient_log_n: Option<u32>,
    },
    /// The pool of primes is too small.
    #[error(
        "log_n = {log_n} has no {mains} mains and {terminals} terminals ({available_mains} mains are available): use fewer levels"
    )]
    NotEnoughPrimes {
        /// log2 of the ring degree.
        log_n: u32,
        /// Mains needed.
        mains: usize,
        /// Terminals needed.
        terminals: usize,
        /// Mains available.
        available_mains: usize,
    },
    /// Digits were requested in a number that no chain has.
    #[error("dnum = 0: a key has at least one digit; use Dnum::Auto to have the number chosen")]
    NoDigits,
    /// A circuit needs more slots than the largest ring has.
    #[error(
        "a circuit on {slots} slots was requested; sets have 1 to {max}: split the data over several ciphertexts"
    )]
    Slots {
        /// Requested slots.
        slots: usize,
        /// Slots of the largest ring.
        max: usize,
    },
    /// Level 0 of no set holds values this large.
    #[error(
        "values up to {largest} at level 0 are more than any set holds there, less than 2^{most_bits:.1}; scale the data down, or ask for one level more \
         and keep such results at level 1, which holds far larger ones; magnitudes are not negative"
    )]
    NoHeadroom {
        /// The largest value that was asked for.
        largest: f64,
        /// log2 of what level 0 holds at most.
        most_bits: f64,
    },
    /// No safe set offers the depth at the precision.
    #[error("no safe set has {depth} levels at {precision_bits} bits of precision; {}", circuit_advice(.best))]
    NoSetForCircuit {
        /// Multiplications in a row.
        depth: usize,
        /// Requested bits.
        precision_bits: u32,
        /// What does work.
        best: CircuitLimits,
    },
    /// An operation was asked to go up, or to stay.
    #[error("{}from level {from} to level {to}: the target must be lower", prefix(*.operation, " "))]
    LevelOrder {
        /// The operation, once it is named.
        operation: Option<&'static str>,
        /// Level at hand.
        from: usize,
        /// Level asked for.
        to: usize,
    },
    /// A level above the chain's top.
    #[error("{}level {level} does not exist, the top level is {max}", prefix(*.operation, ": "))]
    NoSuchLevel {
        /// The operation, once it is named.
        operation: Option<&'static str>,
        /// Level asked for.
        level: usize,
        /// Top level of the set.
        max: usize,
    },
    /// What bootstrapping, or its security, rests on is something else.
    #[error(
        "bootstrapping: {what} is {got}, and must be {required}; ParametersBuilder::bootstrapping makes such sets"
    )]
    Bootstrap {
        /// What it is.
        what: &'static str,
        /// What was found.
        got: String,
        /// What is needed.
        required: String,
    },
    /// The specification could not be serialized to be fingerprinted.
    #[error("fingerprinting the parameter set: {0}")]
    Serialization(#[from] postcard::Error),
}

impl Named for ParamsError {
    fn named(mut self, name: &'static str) -> Self {
        if let Self::LevelOrder { operation, .. } | Self::NoSuchLevel { operation, .. } = &mut self
        {
            operation.get_or_insert(name);
        }
        self
    }
}

fn prefix(operation: Option<&str>, end: &str) -> String {
    operation.map_or_else(String::new, |operation| format!("{operation}{end}"))
}

/// The limits near a request that no set meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitLimits {
    /// The deepest circuit that has the requested precision, if the precision can be had at all.
    pub depth_at_precision: Option<usize>,
    /// The precision that the requested depth can have, in tenths of a bit, if the depth can be had at all.
    pub precision_at_depth_tenths: Option<u32>,
}

fn advice(deepest: Option<usize>, sufficient_log_n: Option<u32>) -> String {
    let here = deepest.map(|levels| format!("{levels} levels fit here"));
    let larger = sufficient_log_n.map(|log_n| format!("log_n = {log_n} has room for them"));
    match (here, larger) {
        (Some(here), Some(larger)) => format!("{here}, and {larger}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            "no supported ring has room for them: use more digits or fewer levels".to_owned()
        }
    }
}

fn circuit_advice(best: &CircuitLimits) -> String {
    let depth = best
        .depth_at_precision
        .map(|depth| format!("{depth} levels have that precision"));
    let precision = best
        .precision_at_depth_tenths
        .map(|tenths| format!("that depth has {}.{} bits", tenths / 10, tenths % 10));
    match (depth, precision) {
        (Some(depth), Some(precision)) => format!("{depth}, and {precision}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            "neither the depth nor the precision can be had: refresh ciphertexts between rounds"
                .to_owned()
        }
    }
}
