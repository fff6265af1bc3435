//! Choosing the primes of a chain and their order.
//!
//! Scales are exact whatever the primes are; what a poor choice costs is headroom, because level i then sits away from its
//! nominal scale. The order is found by threshold accepting on integers: the same primes on every platform.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::error::ParamsError;
use super::limits::MAX_CONVERSION_SOURCES;
use super::log2::{FRACTION_BITS, Log2, log2_prime, units};
use super::path::{LevelWidth, Window, extent, nominal_scales};
use super::primes::{CHAIN_PRIME_BOUND, pool, step_log2};

/// Primes in the order in which windows take them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// `T_0 ..`, nearest to 2^(5u).
    pub(crate) terminals: Vec<u32>,
    /// `Q_0 ..`, near 2^(6u).
    pub(crate) mains: Vec<u32>,
    /// `P_0 ..`: every special that may be taken, largest first.
    pub(crate) specials: Vec<u32>,
}

/// Fraction bits while annealing: squares of differences of several bits, summed over all levels, fit 63 bits.
const COARSE: u32 = 24;
const ITERATIONS: u32 = 15_000;
/// How often the search starts again at most; the best order of all rounds is taken.
const ROUNDS: u32 = 20;
/// A round whose largest deviation is below this ends the search: 1/40 bit.
const GOOD: i64 = (1 << COARSE) / 40;

/// Candidates beyond the primes needed. Terminals are sparse (about 30 in an octave), so the nearest few need not have
/// products near 2^(10u); some steps change terminals alone, and no main makes up for those.
const SPARE_TERMINALS: usize = 8;
const SPARE_MAINS: usize = 40;

/// Chooses terminals and mains for `path` and lists the specials from which a prefix may be taken.
///
/// Deterministic: a function of the arguments alone. So the chains that a process has chosen are kept: a plan weighs the same ones many
/// times, and rings up to 2^16 share theirs.
///
/// # Errors
/// [`ParamsError::NotEnoughPrimes`] if the pool of this ring degree cannot supply the path.
pub(crate) fn choose(log_n: u32, width: LevelWidth, path: &[Window]) -> Result<Chain, ParamsError> {
    type Known = HashMap<(u32, LevelWidth, Vec<Window>), Chain>;
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (step_log2(log_n), width, path.to_vec());
    if let Some(chain) = known().get_or_insert_default().get(&key) {
        return Ok(chain.clone());
    }
    let chain = search(log_n, width, path)?;
    known().get_or_insert_default().insert(key, chain.clone());
    Ok(chain)
}

fn search(log_n: u32, width: LevelWidth, path: &[Window]) -> Result<Chain, ParamsError> {
    let need = extent(path);
    let mut pool = pool(log_n);
    let mut specials = pool.split_off(pool.len().saturating_sub(MAX_CONVERSION_SOURCES));
    specials.reverse();
    pool.retain(|&q| q < CHAIN_PRIME_BOUND);

    let terminals = take_nearest(&mut pool, units(5, 1), need.terminals + SPARE_TERMINALS);
    let candidates = need.mains + SPARE_MAINS.max(need.mains / 4);
    let mains = take_nearest(&mut pool, units(6, 1), candidates);
    if terminals.len() < need.terminals || mains.len() < need.mains {
        return Err(ParamsError::NotEnoughPrimes {
            log_n,
            mains: need.mains,
            terminals: need.terminals,
            available_mains: mains.len(),
        });
    }
    let mut order = Order::new(width, path, &terminals, &mains);
    order.anneal();
    let first = |count, order: &[usize], primes: &[u32]| {
        let first = order.iter().take(count);
        first.map(|&i| primes[i]).collect()
    };
    Ok(Chain {
        terminals: first(need.terminals, &order.best.0, &terminals),
        mains: first(need.mains, &order.best.1, &mains),
        specials,
    })
}

/// Removes from `pool` the `count` primes whose logarithms are nearest to `target` (fewer if there are fewer), nearest
/// first; of two equally near the smaller comes first.
fn take_nearest(pool: &mut Vec<u32>, target: Log2, count: usize) -> Vec<u32> {
    pool.sort_by_cached_key(|&q| ((log2_prime(q) - target).abs(), q));
    let rest = pool.split_off(count.min(pool.len()));
    core::mem::replace(pool, rest)
}

/// The state of the search: permutations of candidate terminals and mains (of which the path uses a prefix).
struct Order<'a> {
    path: &'a [Window],
    nominal: Vec<i64>,
    /// Logarithms of the candidates, in the current order, and the candidates' indices.
    terminals: Vec<(i64, usize)>,
    mains: Vec<(i64, usize)>,
    used: Window,
    /// What the chain should not exceed in sum: budgets are planned with nominal sizes.
    nominal_sum: i64,
    nominal_base: i64,
    best: (Vec<usize>, Vec<usize>),
    // Prefix sums, kept to avoid allocating in the loop.
    terminal_sums: Vec<i64>,
    main_sums: Vec<i64>,
}

impl<'a> Order<'a> {
    fn new(width: LevelWidth, path: &'a [Window], terminals: &[u32], mains: &[u32]) -> Self {
        let coarse = |x: Log2| x >> (FRACTION_BITS - COARSE);
        let indexed = |primes: &[u32]| {
            let logs = primes.iter().map(|&q| coarse(log2_prime(q)));
            logs.zip(0..).collect()
        };
        let need = extent(path);
        let nominal = nominal_scales(width, path);
        Self {
            path,
            nominal: nominal.into_iter().map(coarse).collect(),
            terminals: indexed(terminals),
            mains: indexed(mains),
            used: need,
            nominal_sum: coarse(units(need.size(), 1)),
            nominal_base: coarse(units(path[0].size(), 1)),
            best: ((0..terminals.len()).collect(), (0..mains.len()).collect()),
            terminal_sums: vec![0; need.terminals + 1],
            main_sums: vec![0; need.mains + 1],
        }
    }

    /// Sum of squared deviations of the base window and of the scales, fifteen times the largest of them again, and the squared excess of the sum; and the
    /// largest deviation.
    fn cost(&mut self) -> (i64, i64) {
        fn prefix_sums(sums: &mut [i64], terms: &[(i64, usize)]) {
            for (i, &(x, _)) in terms.iter().take(sums.len() - 1).enumerate() {
                sums[i + 1] = sums[i] + x;
            }
        }
        prefix_sums(&mut self.terminal_sums, &self.terminals);
        prefix_sums(&mut self.main_sums, &self.mains);
        let size = |w: &Window| self.main_sums[w.mains] + self.terminal_sums[w.terminals];
        // The base window fixes the headroom of level 0.
        let base = size(&self.path[0]) - self.nominal_base;
        let (mut sum, mut worst) = (base * base, 0i64);
        let mut scale = self.nominal[0];
        for (pair, nominal) in self.path.windows(2).zip(&self.nominal[1..]) {
            scale = (scale + size(&pair[1]) - size(&pair[0])) >> 1;
            let deviation = scale - nominal;
            sum += deviation * deviation;
            worst = worst.max(deviation.abs());
        }
        let excess = (size(&self.used) - self.nominal_sum).max(0);
        (sum + 15 * worst * worst + excess * excess, worst)
    }

    /// Searches from [`ROUNDS`] beginnings and keeps the best order in `self.best`.
    fn anneal(&mut self) {
        let mut random = SplitMix64(0x6172_7261_7300_0001);
        let mut best = (i64::MAX, i64::MAX);
        for _ in 0..ROUNDS {
            self.round(&mut random, &mut best);
            if best.1 < GOOD {
                break;
            }
        }
    }

    /// The mains or the terminals, and how many of them the path uses.
    fn primes(&mut self, of_mains: bool) -> (&mut [(i64, usize)], usize) {
        if of_mains {
            (&mut self.mains, self.used.mains)
        } else {
            (&mut self.terminals, self.used.terminals)
        }
    }

    fn round(&mut self, random: &mut SplitMix64, best: &mut (i64, i64)) {
        let mut current = self.cost().0;
        // 10^-3 bits squared, shrinking by 1/1024 a step: at the end a deviation of 2 * 10^-5 bits.
        let mut threshold: i64 = (1i64 << (2 * COARSE)) / 1000;
        for _ in 0..ITERATIONS {
            // Two swaps at once let a pair of terminals change while its product stays.
            let (of_mains, swaps) = match random.below(8) {
                0 => (false, 1),
                1 => (false, 2),
                _ => (self.used.mains > 0, 1),
            };
            let (list, used) = self.primes(of_mains);
            let mut done = [(0, 0); 2];
            for swap in &mut done[..swaps] {
                *swap = (random.below(used), random.below(list.len()));
                list.swap(swap.0, swap.1);
            }
            let (cost, worst) = self.cost();
            // Worse by up to k thresholds passes with probability 2^-k: Metropolis' rule without an exponential.
            if cost - current <= threshold * i64::from(random.next().trailing_zeros()) {
                current = cost;
                if cost < best.0 {
                    *best = (cost, worst);
                    self.best.0.clear();
                    self.best.0.extend(self.terminals.iter().map(|t| t.1));
                    self.best.1.clear();
                    self.best.1.extend(self.mains.iter().map(|m| m.1));
                }
            } else {
                let (list, _) = self.primes(of_mains);
                for swap in done[..swaps].iter().rev() {
                    list.swap(swap.0, swap.1);
                }
            }
            threshold -= threshold >> 10;
        }
    }
}

/// Steele, Lea and Flood's SplitMix64. It decides the order of public primes; nothing secret comes from it.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform below `bound` up to a bias of `bound / 2^32`.
    fn below(&mut self, bound: usize) -> usize {
        (((self.next() >> 32) * bound as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::log2::{log2_product, to_bits};
    use super::super::path::level_path;
    use super::*;

    /// Largest deviation of a scale from its nominal value in bits, in floating point, independent of the search.
    fn drift(chain: &Chain, width: LevelWidth, path: &[Window]) -> f64 {
        let bits = |primes: &[u32]| primes.iter().map(|&q| f64::from(q).log2()).sum::<f64>();
        let size =
            |w: &Window| bits(&chain.mains[..w.mains]) + bits(&chain.terminals[..w.terminals]);
        let mut scale = width.bits();
        let mut worst = 0.0f64;
        for (pair, nominal) in path.windows(2).zip(&nominal_scales(width, path)[1..]) {
            scale = (scale + size(&pair[1]) - size(&pair[0])) / 2.0;
            worst = worst.max((scale - to_bits(*nominal)).abs());
        }
        worst
    }

    /// Chains that fit a bound with a sensible number of digits; all rings up to 2^16 draw from one pool. Steps of 33.95
    /// bits change terminals alone more often, and no main makes up for those.
    #[test]
    fn drift_is_small_and_sums_stay_nominal() {
        let check = |log_n, width, levels, bound: f64| {
            let path = level_path(width, levels);
            let chain = choose(log_n, width, &path).unwrap();
            let drift = drift(&chain, width, &path);
            let name = format!("N = 2^{log_n}, {levels} levels of {width}");
            assert!(drift <= bound, "{name}: drift {drift:.4}");
            let sum = log2_product(&chain.mains) + log2_product(&chain.terminals);
            let excess = to_bits(sum - units(extent(&path).size(), 1));
            assert!(excess < 0.25, "{name}: {excess:.3} bits over");
        };
        for levels in 1..=38 {
            check(16, LevelWidth::Bits39, levels, 0.03);
        }
        for levels in [58, 65, 71, 74] {
            check(17, LevelWidth::Bits39, levels, 0.06);
        }
        for levels in (1..=77).step_by(5).chain([72, 77]) {
            check(17, LevelWidth::Bits39, levels, 0.09);
        }
        for levels in (1..=44).step_by(4).chain([15, 18, 36, 39]) {
            check(16, LevelWidth::Bits34, levels, 0.08);
        }
        for levels in (1..=86).step_by(10) {
            check(17, LevelWidth::Bits34, levels, 0.20);
        }
    }

    #[test]
    fn primes_are_distinct_and_in_their_bands() {
        for (log_n, levels) in [(13, 1), (15, 14), (17, 65)] {
            let width = LevelWidth::Bits39;
            let Chain {
                terminals,
                mains,
                specials,
            } = choose(log_n, width, &level_path(width, levels)).unwrap();
            let mut all = [&terminals[..], &mains, &specials].concat();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
            let main = (1 << 28) + 1..CHAIN_PRIME_BOUND;
            assert!(mains.iter().all(|q| main.contains(q)));
            let terminal = 1 << 23..1 << 25;
            assert!(terminals.iter().all(|q| terminal.contains(q)));
            assert!(specials.iter().all(|&q| to_bits(log2_prime(q)) > 29.75));
            assert!(specials.windows(2).all(|p| p[0] > p[1]));
        }
    }

    #[test]
    fn a_path_longer_than_the_pool_is_refused() {
        let path = level_path(LevelWidth::Bits39, 600);
        refused! { choose(17, LevelWidth::Bits39, &path) => ParamsError::NotEnoughPrimes { log_n: 17, .. } }
    }
}
