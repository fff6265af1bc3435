//! From what a circuit needs to the smallest safe parameter set, with reasons.

use core::fmt;

use super::builder::{Budget, Dnum, ParametersBuilder, plan_cost};
use super::error::{CircuitLimits, ParamsError};
use super::limits::{LOG_N, MAX_LEVELS};
use super::log2::{Log2, ONE, to_bits, units};
use super::path::{LevelWidth, Window, level_path, nominal_scales};
use super::{Parameters, max_log2_qp};

/// Ring degrees that circuits are planned for; below 2^13 no level fits the security bound.
const SMALLEST_LOG_N: u32 = 13;

/// A chain may be this much longer than the circuit: the top levels of some lengths have a smaller scale than the others, so
/// a longer chain can be more precise at the levels that are used.
const SPARE_LEVELS: usize = 2;

/// A parameter set chosen for a circuit, and why.
#[must_use]
#[derive(Clone, Debug)]
pub struct Choice {
    explanation: Explanation,
}

impl Choice {
    /// The chosen set.
    pub fn parameters(&self) -> &Parameters {
        &self.explanation.parameters
    }

    /// What was chosen and why; `Display` gives one line per fact.
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// The chosen set alone.
    pub fn into_parameters(self) -> Parameters {
        self.explanation.parameters
    }
}

/// Why a set was chosen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// Multiplications in a row that were asked for.
    pub depth: usize,
    /// Bits of precision that were asked for.
    pub precision_bits: u32,
    /// Slots that were asked for.
    pub slots: usize,
    /// The largest magnitude at level 0 that was asked for.
    pub largest_value: f64,
    /// Predicted precision of the worst slot in tenths of a bit, for values of magnitude 1 and less: see
    /// [`ParametersBuilder::choose`].
    pub predicted_tenths: u32,
    /// Alternatives that were considered and not taken, smallest ring first.
    pub rejected: Vec<Rejection>,
    parameters: Parameters,
}

/// An alternative that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// log2 of its ring degree.
    pub log_n: u32,
    /// Its level width; `None` if the ring was rejected whatever the width.
    pub width: Option<LevelWidth>,
    /// Why.
    pub reason: Reason,
}

/// Why an alternative was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The ring has too few slots.
    Slots {
        /// Slots of the ring.
        available: usize,
    },
    /// Fewer levels than the depth fit the security bound.
    Levels {
        /// The most levels that fit; `None` if not even level 0 does.
        deepest: Option<usize>,
    },
    /// The predicted precision is too low.
    Precision {
        /// Predicted tenths of a bit at the requested depth.
        predicted_tenths: u32,
    },
    /// Its level 0 cannot hold the largest value.
    Headroom {
        /// What it holds, in whole bits.
        bits: u32,
    },
    /// It meets the request and key switching costs more.
    Cost {
        /// Modelled cost in percent of the chosen set's.
        percent: u64,
    },
    /// Its primes, once chosen, did not fit although their nominal sizes did.
    Primes,
}

/// A set for a circuit: what [`ParametersBuilder::depth`] builds.
#[derive(Clone, Debug)]
pub struct CircuitRequest {
    depth: usize,
    precision_bits: Option<u32>,
    slots: usize,
    largest_value: f64,
}

impl ParametersBuilder<CircuitRequest> {
    /// Correct bits after the point in the worst slot. Must be given.
    pub fn precision_bits(mut self, bits: u32) -> Self {
        self.request.precision_bits = Some(bits);
        self
    }

    /// Values in a ciphertext, at least; 1 unless it is given.
    pub fn slots(mut self, slots: usize) -> Self {
        self.request.slots = slots;
        self
    }

    /// The largest magnitude that any value at level 0 may have, where every computation may end; 1 unless it is given. Level 0 holds
    /// magnitudes below 2^8.7 at 38.8 bits per level and below 2^13.6 at 33.95 ([`Parameters::headroom`]), every other level far more: larger
    /// results stay at level 1 of a set with one level more.
    pub fn largest_value(mut self, largest: f64) -> Self {
        self.request.largest_value = largest;
        self
    }

    /// The set that [`choose`](Self::choose) chooses, without its reasons.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    pub fn build(&self) -> Result<Parameters, ParamsError> {
        Ok(self.choose()?.into_parameters())
    }

    /// The smallest safe set for the circuit, and why.
    ///
    /// Picks the smallest ring from 2^13 to 2^17 that has the slots, the levels and the precision within the 128-bit bound; in it, the
    /// width, length and number of digits with the lowest modelled key-switching cost. Insecure sets are never considered.
    ///
    /// The predicted precision starts from the floors measured after a multiplication by a fresh value of magnitude at most 1 (22.5
    /// bits up to N = 2^15, one less for each doubling after; 4.85 less at 33.95 bits per level), less the bits by which
    /// the lowest scale in use is below 2^38.8, less 1 bit at depth 2 and 0.4 for each further doubling of the depth. A circuit that
    /// amplifies errors itself (repeated squaring of values near 1 doubles them every time) needs that much more.
    ///
    /// # Errors
    /// [`ParamsError::NotGiven`] without a precision; [`ParamsError::Slots`] if no ring has this many; [`ParamsError::NoSetForCircuit`],
    /// with the nearest requests that can be met, if no ring has the levels at the precision; [`ParamsError::NoHeadroom`] for a largest value that
    /// level 0 of no set holds.
    pub fn choose(&self) -> Result<Choice, ParamsError> {
        self.request.choose()
    }
}

impl CircuitRequest {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            depth,
            precision_bits: None,
            slots: 1,
            largest_value: 1.0,
        }
    }

    fn choose(&self) -> Result<Choice, ParamsError> {
        let (depth, slots) = (self.depth, self.slots);
        let precision_bits = self.precision_bits.ok_or(ParamsError::NotGiven {
            what: "the precision",
            method: "precision_bits",
        })?;
        let max = 1 << (LOG_N.end() - 1);
        if !(1..=max).contains(&slots) {
            return Err(ParamsError::Slots { slots, max });
        }
        let widths = self.widths()?;
        let mut rejected = vec![];
        for log_n in SMALLEST_LOG_N..=*LOG_N.end() {
            let available = 1 << (log_n - 1);
            let mut reject = |width, reason| {
                rejected.push(Rejection {
                    log_n,
                    width,
                    reason,
                });
            };
            if available < slots {
                reject(None, Reason::Slots { available });
                continue;
            }
            let Some(budget) = Budget::new(log_n) else {
                continue;
            };
            let candidates =
                candidates(&budget, log_n, depth, precision_bits, &widths, &mut reject);
            for (i, candidate) in candidates.iter().enumerate() {
                let builder = Parameters::builder()
                    .log_n(log_n)
                    .level_width(candidate.width)
                    .levels(candidate.levels);
                let parameters = match builder.build() {
                    Ok(parameters) => parameters,
                    Err(ParamsError::DoesNotFit { .. } | ParamsError::NotEnoughPrimes { .. }) => {
                        reject(Some(candidate.width), Reason::Primes);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                if parameters.headroom(0) <= self.largest_value {
                    let bits = parameters.headroom_bits(0) as u32;
                    reject(Some(candidate.width), Reason::Headroom { bits });
                    continue;
                }
                // Of the other width's lengths, only the cheapest is worth a line.
                if let Some(other) = candidates[i..]
                    .iter()
                    .find(|other| other.width != candidate.width)
                {
                    let percent =
                        (u128::from(other.cost) * 100 / u128::from(candidate.cost.max(1))) as u64;
                    reject(Some(other.width), Reason::Cost { percent });
                }
                let explanation = Explanation {
                    depth,
                    precision_bits,
                    slots,
                    largest_value: self.largest_value,
                    predicted_tenths: candidate.predicted_tenths,
                    rejected,
                    parameters,
                };
                return Ok(Choice { explanation });
            }
        }
        Err(ParamsError::NoSetForCircuit {
            depth,
            precision_bits,
            best: limits(depth, precision_bits, slots, &widths),
        })
    }

    /// The widths whose level 0 holds the largest value, by nominal sizes.
    fn widths(&self) -> Result<Vec<LevelWidth>, ParamsError> {
        let largest = self.largest_value;
        let holds = |&width: &LevelWidth| largest < headroom_bits(width).exp2();
        let widths: Vec<_> = LevelWidth::ALL.into_iter().filter(holds).collect();
        // Also what is not a number.
        if widths.is_empty() || largest.is_sign_negative() {
            let most = LevelWidth::ALL.map(headroom_bits);
            let most_bits = most.into_iter().fold(0.0, f64::max);
            return Err(ParamsError::NoHeadroom { largest, most_bits });
        }
        Ok(widths)
    }
}

/// log2 of what level 0 holds, by nominal sizes.
fn headroom_bits(width: LevelWidth) -> f64 {
    let size = level_path(width, 0)
        .first()
        .map_or(0, |window| window.size());
    let modulus = units(size, 1);
    to_bits(modulus) - width.bits() - 1.0
}

struct Candidate {
    width: LevelWidth,
    levels: usize,
    predicted_tenths: u32,
    cost: u64,
}

/// What meets depth and precision at one ring degree, cheapest first; reasons for widths of which nothing does go to `reject`.
fn candidates(
    budget: &Budget,
    log_n: u32,
    depth: usize,
    precision_bits: u32,
    widths: &[LevelWidth],
    reject: &mut impl FnMut(Option<LevelWidth>, Reason),
) -> Vec<Candidate> {
    let mut found = vec![];
    for &width in widths {
        let mut most_precise = None;
        for levels in lengths(depth) {
            let path = level_path(width, levels);
            let Some(plan) = budget.best(&path, Dnum::Auto) else {
                break;
            };
            let predicted_tenths = predict(log_n, width, &path, depth);
            most_precise = most_precise.max(Some(predicted_tenths));
            if predicted_tenths >= precision_bits.saturating_mul(10) {
                let cost = plan_cost(&plan, &path).weighted(log_n);
                found.push(Candidate {
                    width,
                    levels,
                    predicted_tenths,
                    cost,
                });
            }
        }
        let reason = match most_precise {
            None => Reason::Levels {
                deepest: budget.deepest(width, Dnum::Auto),
            },
            Some(predicted_tenths) => Reason::Precision { predicted_tenths },
        };
        if found.iter().all(|candidate| candidate.width != width) {
            reject(Some(width), reason);
        }
    }
    found.sort_by_key(|candidate| (candidate.cost, candidate.levels));
    found
}

/// Lengths of chain worth considering for a depth.
fn lengths(depth: usize) -> impl Iterator<Item = usize> {
    (depth..=depth.saturating_add(SPARE_LEVELS)).take_while(|&levels| levels <= MAX_LEVELS)
}

/// Predicted precision in tenths of a bit, in whole tenths rounded down.
fn predict(log_n: u32, width: LevelWidth, path: &[Window], depth: usize) -> u32 {
    // Worst-slot floors after a multiplication at 38.8 bits per level, measured: 22.5 bits up to N = 2^15, one less for every doubling.
    let floor: u32 = 225 - 10 * log_n.saturating_sub(15);
    let lowest = nominal_scales(width, path)
        .into_iter()
        .take(depth + 1)
        .min()
        .unwrap_or(0);
    let missing: Log2 = (units(8, 1) - lowest).max(0);
    // The nominal scales are sums of rounded units; 2^-20 bit keeps that from costing a tenth.
    let missing_tenths = ((missing - (ONE >> 20)).max(0) * 10 + ONE - 1) / ONE;
    let growth = match depth {
        0 | 1 => 0,
        _ => 10 + 4 * ((depth - 1).ilog2()),
    };
    floor
        .saturating_sub(u32::try_from(missing_tenths).unwrap_or(u32::MAX))
        .saturating_sub(growth)
}

/// What could be had instead of a request that nothing meets.
fn limits(depth: usize, precision_bits: u32, slots: usize, widths: &[LevelWidth]) -> CircuitLimits {
    let mut best = CircuitLimits {
        depth_at_precision: None,
        precision_at_depth_tenths: None,
    };
    for log_n in (SMALLEST_LOG_N..=*LOG_N.end()).filter(|log_n| 1 << (log_n - 1) >= slots) {
        let Some(budget) = Budget::new(log_n) else {
            continue;
        };
        for &width in widths {
            let Some(deepest) = budget.deepest(width, Dnum::Auto) else {
                continue;
            };
            let precision = |depth: usize| {
                let fits = lengths(depth).take_while(|&levels| levels <= deepest);
                fits.map(|levels| predict(log_n, width, &level_path(width, levels), depth))
                    .max()
            };
            let enough =
                |&depth: &usize| precision(depth) >= Some(precision_bits.saturating_mul(10));
            best.depth_at_precision = best
                .depth_at_precision
                .max((0..=deepest).rev().find(enough));
            best.precision_at_depth_tenths = best.precision_at_depth_tenths.max(precision(depth));
        }
    }
    best
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            depth,
            precision_bits,
            slots,
            largest_value,
            parameters: set,
            ..
        } = self;
        let (log_n, levels, width) = (set.log_n(), set.max_level(), set.level_width());
        let (dnum, specials) = (set.dnum(), set.special_limbs());
        let (log2_qp, headroom) = (set.log2_qp(), set.headroom_bits(0));
        writeln!(
            f,
            "asked for  depth {depth}, {precision_bits} bits, {slots} slots, values up to {largest_value} at level 0"
        )?;
        writeln!(
            f,
            "ring       N = 2^{log_n}, {} slots: the smallest that has all three",
            1 << (log_n - 1)
        )?;
        writeln!(f, "levels     {levels}, {width}")?;
        writeln!(
            f,
            "digits     {dnum}, with {specials} special primes: the cheapest key switching that fits"
        )?;
        let limit = max_log2_qp(log_n).unwrap_or(0);
        writeln!(
            f,
            "security   log2 QP = {log2_qp:.1} of at most {limit} for 128 bits"
        )?;
        writeln!(
            f,
            "precision  {} bits predicted",
            Tenths(self.predicted_tenths)
        )?;
        let holds = set.headroom(0);
        writeln!(
            f,
            "headroom   level 0 holds values below 2^{headroom:.1} = {holds:.0}"
        )?;
        let rejected: Vec<String> = self.rejected.iter().map(Rejection::to_string).collect();
        match &rejected[..] {
            [] => write!(f, "rejected   nothing smaller exists"),
            all => write!(f, "rejected   {}", all.join("\n           ")),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "N = 2^{}", self.log_n)?;
        if let Some(width) = self.width {
            write!(f, ", {width}")?;
        }
        match &self.reason {
            Reason::Slots { available } => write!(f, ": {available} slots only"),
            Reason::Levels {
                deepest: Some(deepest),
            } => write!(f, ": room for {deepest} levels"),
            Reason::Levels { deepest: None } => write!(f, ": no room for any level"),
            Reason::Precision { predicted_tenths } => {
                write!(f, ": {} bits predicted", Tenths(*predicted_tenths))
            }
            Reason::Headroom { bits } => write!(f, ": level 0 holds values below 2^{bits} only"),
            Reason::Cost { percent } => {
                write!(f, ": key switching costs {percent}% of the chosen set's")
            }
            Reason::Primes => write!(f, ": the primes do not fit by a fraction of a bit"),
        }
    }
}

struct Tenths(u32);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Security;
    use super::*;

    fn request(depth: usize, precision: u32, slots: usize) -> Result<Choice, ParamsError> {
        let builder = Parameters::builder().depth(depth);
        builder.precision_bits(precision).slots(slots).choose()
    }

    fn choose(depth: usize, precision: u32, slots: usize) -> Choice {
        request(depth, precision, slots).unwrap()
    }

    #[test]
    fn the_smallest_ring_with_depth_precision_and_slots_wins() {
        for (depth, precision, slots, log_n) in [
            (0, 20, 1, 13),
            (1, 22, 4096, 13),
            (5, 15, 100, 14),
            (1, 22, 8192, 14),
            (1, 15, 8193, 15),
            (14, 20, 1000, 15),
            (16, 20, 1000, 15),
            (15, 15, 1000, 15),
            (18, 18, 1000, 16),
            (30, 18, 1000, 16),
            (60, 12, 1000, 17),
            (1, 20, 65_536, 17),
        ] {
            let choice = choose(depth, precision, slots);
            let params = choice.parameters();
            assert_eq!(params.log_n(), log_n, "{}", choice.explanation());
            assert!(params.max_level() >= depth && params.slots() >= slots);
            assert!(choice.explanation().predicted_tenths >= 10 * precision);
            assert_eq!(params.security(), Security::Classical128);
        }
    }

    #[test]
    fn precision_decides_the_width() {
        for (precision, width) in [(15, LevelWidth::Bits34), (20, LevelWidth::Bits39)] {
            let choice = choose(12, precision, 1000);
            assert_eq!(choice.parameters().level_width(), width);
        }
    }

    #[test]
    fn predictions_stay_below_the_measured_floors() {
        let width = LevelWidth::Bits39;
        let predict =
            |log_n, depth, levels| predict(log_n, width, &level_path(width, levels), depth);
        assert_eq!(predict(14, 1, 4), 225);
        assert_eq!(predict(15, 2, 4), 215);
        // Floor after 15 multiplications at N = 2^15 is 20.5.
        assert!((195..=205).contains(&predict(15, 15, 16)));
        assert_eq!(predict(16, 1, 4), 215);
        // Five levels end on a scale of 7.5u; a longer chain does not use its top.
        assert!(predict(14, 5, 5) + 20 <= predict(14, 5, 6));
    }

    #[test]
    fn explanations_name_the_choice_and_what_was_rejected() {
        let choice = choose(14, 20, 1000);
        let text = choice.explanation();
        says! {
            text => ["depth 14, 20 bits, 1000 slots", "N = 2^15", "of at most 868"],
            text => ["bits predicted", "N = 2^13, ", "room for"],
        }
        let too_deep = |r: &Rejection| r.log_n == 14 && matches!(r.reason, Reason::Levels { .. });
        assert!(choice.explanation().rejected.iter().any(too_deep));
        let first = choose(1, 15, 20_000).explanation().rejected[0].clone();
        assert_eq!(first.reason, Reason::Slots { available: 4096 });
    }

    #[test]
    fn impossible_requests_say_what_would_work() {
        let Err(ParamsError::NoSetForCircuit { best, .. }) = request(100, 20, 1000) else {
            panic!()
        };
        assert_eq!(best.precision_at_depth_tenths, None);
        let depth = best.depth_at_precision.unwrap();
        assert!(choose(depth, 20, 1000).parameters().max_level() >= depth);

        let error = request(10, 30, 1000).unwrap_err();
        let ParamsError::NoSetForCircuit { best, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(best.depth_at_precision, None);
        let tenths = best.precision_at_depth_tenths.unwrap();
        assert!(choose(10, tenths / 10, 1000).explanation().predicted_tenths >= tenths / 10 * 10);
        assert!(error.to_string().contains("that depth has"), "{error}");

        assert!(request(usize::MAX, 0, 1).is_err());
        assert!(request(1, u32::MAX, 1).is_err());
        let error = Parameters::builder().depth(1).build().unwrap_err();
        says! { error => ["call ParametersBuilder::precision_bits"] }
        for slots in [0, 65_537, usize::MAX] {
            refused! { request(1, 10, slots) => ParamsError::Slots { slots: s, max: 65_536 } if *s == slots }
        }
    }
}
