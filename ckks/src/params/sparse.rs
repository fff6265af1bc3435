//! What the best known attacks on the sparse secret of a bootstrap cost: our own estimate, friendly to the attacker.
//!
//! ```text
//!   secret of weight h in N places, modulus q = Q_0 p
//!     guess      that all but n places hold only w of the h entries: true with probability C(k, w) C(n, h - w) / C(N, h) summed to w, k = N - n
//!     find them  by a meet in the middle without any overhead: the root of C(k, w) 2^w
//!     the rest   by a dual lattice attack in dimension n on a secret of weight h - w: 0.292 beta + 16.4 + log2(8 n)
//!   cost         the larger of the two, over the probability; the cheapest n and w
//! ```
//! Hybrid attacks: Howgrave-Graham (CRYPTO 2007); on sparse secrets Albrecht (ePrint 2017/047), Cheon, Hhan, Hong, Son (ePrint 2019/1114). For dense secrets at the limits of the
//! 128-bit table the same lattice attack comes out at 129 to 132. It orders choices; the lattice estimator was not run on this problem.

use core::f64::consts::{E, PI};
use core::fmt;

use super::Parameters;
use super::bootstrap::SPARSE_WEIGHT;
use super::limits::LOG_N;
use super::log2::{log2_product, to_bits};

/// Standard deviation of an error.
const ERROR: f64 = 3.2;
/// Block sizes that are looked at.
const BLOCKS: core::ops::RangeInclusive<u32> = 60..=20_000;
/// The steps of log2 of the lattice's dimension that are looked at.
const STEPS_OF_AN_OCTAVE: u32 = 64;

/// The ring-LWE problem under a sparse secret.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparseRingLwe {
    log_n: u32,
    weight: u32,
    log2_q: f64,
}

/// The cheapest way to carry out the hybrid attack.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct HybridAttack {
    /// Dimension of the lattice: places that are not guessed.
    pub dimension: u64,
    /// Entries that are guessed at most.
    pub guessed: u32,
    /// log2 of its operations.
    pub log2_cost: f64,
}

impl Parameters {
    /// The ring-LWE problem that the key to the sparse secret rests on, of a set with bootstrapping.
    pub fn sparse_ring_lwe(&self) -> Option<SparseRingLwe> {
        self.bootstrap()?;
        let mut primes = self.moduli().get(self.window(0))?.to_vec();
        primes.extend(self.spec().specials.first());
        SparseRingLwe::new(self.log_n(), SPARSE_WEIGHT, to_bits(log2_product(&primes)))
    }
}

impl SparseRingLwe {
    /// Degree `2^log_n`, a secret of `weight` entries of -1 or 1, a modulus of `log2_q` bits; `None` for degrees that no set has, weights from half of it, and
    /// moduli of less than 8 bits.
    pub fn new(log_n: u32, weight: u32, log2_q: f64) -> Option<Self> {
        let known = LOG_N.contains(&log_n) && log2_q >= 8.0 && log2_q.is_finite();
        (known && 2 * u64::from(weight) < 1 << log_n).then_some(Self {
            log_n,
            weight,
            log2_q,
        })
    }

    /// log2 of the modulus.
    pub fn log2_q(&self) -> f64 {
        self.log2_q
    }

    /// The cheapest hybrid attack.
    pub fn hybrid(&self) -> HybridAttack {
        let (n, h) = (1usize << self.log_n, self.weight as usize);
        let binomials = Binomials::new(n);
        let all = binomials.log2(n, h);
        let mut best = HybridAttack {
            dimension: n as u64,
            guessed: 0,
            log2_cost: self.lattice(n, h),
        };
        for step in STEPS_OF_AN_OCTAVE / 8..STEPS_OF_AN_OCTAVE * self.log_n {
            let dimension = (f64::from(step) / f64::from(STEPS_OF_AN_OCTAVE)).exp2() as usize;
            let guessed = n - dimension;
            let mut probability = 0.0;
            for w in 0..=h {
                let here = binomials.log2(guessed, w) + binomials.log2(dimension, h - w) - all;
                probability += here.exp2();
                if probability <= 0.0 {
                    continue;
                }
                let search = (binomials.log2(guessed, w) + w as f64) / 2.0;
                let one = self.lattice(dimension, h - w).max(search);
                let log2_cost = one - probability.log2();
                if log2_cost < best.log2_cost {
                    best = HybridAttack {
                        dimension: dimension as u64,
                        guessed: w as u32,
                        log2_cost,
                    };
                }
            }
        }
        best
    }

    /// log2 of the cost of a dual attack on a secret of `weight` entries in dimension n, scaled to the size of the error.
    fn lattice(&self, n: usize, weight: usize) -> f64 {
        if n < 50 {
            return 0.0;
        }
        let n = n as f64;
        let scaling = (ERROR.log2() - 0.5 * (weight.max(1) as f64 / n).log2()).max(0.0);
        let room = self.log2_q - (ERROR * 2.5).log2();
        // The longest step from one vector of the reduced basis to the next that still tells the distribution from a uniform one.
        let step = room * room / (4.0 * n * (self.log2_q - scaling).max(5.0));
        let beta = f64::from(block_size(step));
        0.292 * beta + 16.4 + (8.0 * n).log2()
    }
}

/// The smallest block whose root Hermite factor has a logarithm to base 2 of at most `step`.
fn block_size(step: f64) -> u32 {
    let (mut low, mut high) = BLOCKS.into_inner();
    while low < high {
        let middle = low.midpoint(high);
        let beta = f64::from(middle);
        let delta =
            ((PI * beta).log2() / beta + (beta / (2.0 * PI * E)).log2()) / (2.0 * (beta - 1.0));
        if delta <= step {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Logarithms of binomial coefficients.
struct Binomials(Vec<f64>);

impl Binomials {
    /// Of numbers up to `most`.
    fn new(most: usize) -> Self {
        let mut factorials = vec![0.0];
        let mut sum = 0.0;
        for i in 1..=most {
            sum += (i as f64).log2();
            factorials.push(sum);
        }
        Self(factorials)
    }

    /// log2 of n over k; minus infinity if k is more than n.
    fn log2(&self, n: usize, k: usize) -> f64 {
        n.checked_sub(k).map_or(f64::NEG_INFINITY, |rest| {
            self.0[n] - self.0[k] - self.0[rest]
        })
    }
}

impl fmt::Display for SparseRingLwe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "2^{:.1} operations (hybrid, our own estimate), modulus of {:.1} bits",
            self.hybrid().log2_cost,
            self.log2_q
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::max_log2_qp;

    fn bits(log_n: u32, weight: u32, log2_q: f64) -> f64 {
        SparseRingLwe::new(log_n, weight, log2_q)
            .unwrap()
            .hybrid()
            .log2_cost
    }

    /// A program of its own gives these, rounded.
    #[test]
    fn the_estimates_are_those_of_the_model() {
        for (log_n, log2_q, model) in [
            (16, 78.5, 158.0),
            (16, 108.5, 150.0),
            (16, 121.0, 147.0),
            (15, 78.5, 135.0),
        ] {
            let ours = bits(log_n, 32, log2_q);
            assert!(
                (ours - model).abs() < 1.0,
                "N = 2^{log_n}, {log2_q} bits: {ours:.1}"
            );
        }
    }

    #[test]
    fn a_larger_modulus_a_smaller_ring_and_fewer_entries_are_easier() {
        let base = bits(14, 32, 78.5);
        assert!(
            bits(14, 32, 100.0) < base && bits(13, 32, 78.5) < base && bits(14, 24, 78.5) < base
        );
        assert!(base < bits(14, 64, 78.5));
    }

    /// The lattice attack alone, on a dense secret at the limits of the 128-bit table.
    #[test]
    fn dense_secrets_come_out_at_what_the_table_promises() {
        for log_n in 13..=17 {
            let limit = f64::from(max_log2_qp(log_n).unwrap());
            let problem = SparseRingLwe::new(log_n, 0, limit).unwrap();
            let n = 1usize << log_n;
            let cost = problem.lattice(n, 2 * n / 3);
            assert!((128.0..133.0).contains(&cost), "N = 2^{log_n}: {cost:.1}");
        }
        assert!(SparseRingLwe::new(5, 32, 60.0).is_none());
        assert!(SparseRingLwe::new(16, 32, f64::NAN).is_none());
    }
}
