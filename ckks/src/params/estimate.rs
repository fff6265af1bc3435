//! What the best known attacks on a parameter set's ring-LWE problem cost: our own estimate, so that "128 bits" can be checked.
//!
//! ```text
//!   ring-LWE, degree n, modulus q = QP, ternary secret, error 3.19 .. 3.24   (read as LWE of dimension n, any number of samples)
//!     primal   an embedding lattice of dimension d = m + n + 1 in which (e | xi s | tau) is unusually short: BKZ with blocks of beta finds it
//!     dual     short (x | y / xi) with y = A^T x mod q, d = m + n: <x, b> is then small for an LWE sample, and uniform otherwise
//!   cost       BKZ with blocks of beta in dimension d, under a cost model of lattice sieving
//! ```
//! Sources: geometric series assumption and success condition of "new hope" (ePrint 2015/1092, section 6.3, and 2017/815), scaled for
//! small secrets (Bai and Galbraith, ACISP 2014); root Hermite factor of Chen's thesis (2013); dual attack with the vectors of one sieve
//! (ePrint 2017/047). The table of [`max_log2_qp`](super::max_log2_qp) comes from the lattice estimator (ePrint 2015/046); its figures
//! for the same problems stand in `docs/security.md` beside these. Secrets here are uniform ternary, for which hybrid attacks that guess
//! part of the secret gain nothing over these two; a sparse secret would need them.

use core::{
    f64::consts::{E, LN_2, LOG2_E, PI},
    fmt,
};

use super::{Parameters, limits::LOG_N};

/// Standard deviation of an error, as the table assumes it; samples here have 3.24.
const ERROR: f64 = 3.19;
/// Variance of a uniform ternary secret.
const SECRET_VARIANCE: f64 = 2.0 / 3.0;
/// log2 of the growth of one sieve's cost with each dimension of its block (ePrint 2015/1128).
const SIEVE: f64 = 0.292;
/// log2 of the growth of the number of short vectors that one sieve leaves.
const SIEVE_VECTORS: f64 = 0.2075;
/// Block sizes that are looked at: below the first, Chen's root Hermite factor does not hold.
const BLOCKS: core::ops::RangeInclusive<u32> = 60..=4000;

/// How lattice reduction is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CostModel {
    /// Gates of a nearest-neighbour sieve in all blocks, with dimensions for free: MATZOV, "Report on the Security of LWE" (2022),
    /// section 5. The estimator's default, in which the table says 128.
    Matzov,
    /// `0.292 beta + 16.4 + log2(8 d)`: Becker, Ducas, Gama, Laarhoven (SODA 2016), 8 d calls of the sieve.
    Bdgl16,
    /// `0.292 beta`: one sieve without its constant factors and polynomial terms. A lower bound, not a cost.
    CoreSvp,
}

impl CostModel {
    /// All models.
    pub const ALL: [Self; 3] = [Self::Matzov, Self::Bdgl16, Self::CoreSvp];

    /// What it is called in the literature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matzov => "MATZOV",
            Self::Bdgl16 => "BDGL16",
            Self::CoreSvp => "core-SVP",
        }
    }

    /// log2 of the operations of BKZ with blocks of `beta` in dimension `d`.
    fn log2_cost(self, beta: f64, d: f64) -> f64 {
        match self {
            Self::Matzov => {
                // A sieve in dimension beta - f finds what one in dimension beta would (ePrint 2017/999).
                let free = (beta * (4.0f64 / 3.0).ln() / (beta / (2.0 * PI * E)).ln()).max(0.0);
                // The progressive sieves of one block, and the progressive blocks of one reduction: geometric series, both.
                let series = -(1.0 - (-SIEVE).exp2()).log2();
                let nearest_neighbours = 0.296_135 * (beta - free) + 20.387_886;
                2.0 * series + (d - beta).max(1.0).log2() + nearest_neighbours
            }
            Self::Bdgl16 => SIEVE * beta + 16.4 + (8.0 * d).log2(),
            Self::CoreSvp => SIEVE * beta,
        }
    }
}

/// The cheapest way to carry out one attack.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attack {
    /// Block size of the lattice reduction.
    pub block_size: u32,
    /// Dimension of the lattice.
    pub dimension: u64,
    /// log2 of its operations.
    pub log2_cost: f64,
}

/// The ring-LWE problem of a parameter set, as far as its hardness goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RingLwe {
    n: f64,
    ln_q: f64,
}

impl Parameters {
    /// The ring-LWE problem that keys and ciphertexts of this set rest on: modulo every prime that occurs.
    pub fn ring_lwe(&self) -> RingLwe {
        RingLwe {
            n: self.n() as f64,
            ln_q: self.log2_qp() * LN_2,
        }
    }
}

impl RingLwe {
    /// Degree `2^log_n` and a modulus of `log2_q` bits; `None` for degrees that no set has and moduli of less than 8 bits.
    pub fn new(log_n: u32, log2_q: f64) -> Option<Self> {
        (LOG_N.contains(&log_n) && log2_q >= 8.0 && log2_q.is_finite()).then(|| Self {
            n: f64::from(log_n).exp2(),
            ln_q: log2_q * LN_2,
        })
    }

    /// log2 of the operations of the cheaper attack.
    pub fn log2_cost(&self, model: CostModel) -> f64 {
        let (primal, dual) = (self.primal(model), self.dual(model));
        primal.log2_cost.min(dual.log2_cost)
    }

    /// The primal attack: the smallest block that finds the secret.
    pub fn primal(&self, model: CostModel) -> Attack {
        let (mut low, mut high) = BLOCKS.into_inner();
        while low < high {
            let middle = low.midpoint(high);
            if self.primal_margin(f64::from(middle)).1 >= 0.0 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let (dimension, _) = self.primal_margin(f64::from(low));
        attack(low, dimension, model.log2_cost(f64::from(low), dimension))
    }

    /// The best dimension for a block size, and by how much (ln) its projected secret is shorter than the vectors around it.
    fn primal_margin(&self, beta: f64) -> (f64, f64) {
        let (delta, tau) = (ln_root_hermite(beta), ERROR.ln());
        // vol = tau xi^n q^(d - n - 1); the best d is where the derivative of the right side vanishes.
        let lost = (self.n + 1.0) * self.ln_q - tau - self.n * ln_scaling();
        let d = (lost / delta).sqrt().max(beta + 1.0);
        let shortest = tau + 0.5 * beta.ln();
        (
            d,
            delta * (2.0 * beta - d - 1.0) + self.ln_q - lost / d - shortest,
        )
    }

    /// The dual attack: the block size at which reducing and telling the distribution from a uniform one cost least together.
    pub fn dual(&self, model: CostModel) -> Attack {
        let at = |block: u32| {
            let beta = f64::from(block);
            let delta = ln_root_hermite(beta);
            let volume = self.n * (self.ln_q - ln_scaling());
            let d = (volume / delta).sqrt().max(beta + 1.0);
            // Deviation of <x, e> + <y, s> over q, in units of the torus.
            let noise = (delta * d + volume / d + ERROR.ln() - self.ln_q).exp();
            let log2_advantage = -2.0 * (PI * noise).powi(2) * LOG2_E;
            let sieves = (-2.0 * log2_advantage - SIEVE_VECTORS * beta).max(0.0);
            attack(block, d, model.log2_cost(beta, d) + sieves)
        };
        let best = BLOCKS
            .map(at)
            .min_by(|a, b| a.log2_cost.total_cmp(&b.log2_cost));
        best.unwrap_or_else(|| at(*BLOCKS.end()))
    }
}

/// The cheaper attack in the model that the table is made with, and the lower bound.
impl fmt::Display for RingLwe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (primal, dual) = (self.primal(CostModel::Matzov), self.dual(CostModel::Matzov));
        let (name, cheaper) = if primal.log2_cost <= dual.log2_cost {
            ("primal", primal)
        } else {
            ("dual", dual)
        };
        let bound = self.log2_cost(CostModel::CoreSvp);
        write!(
            f,
            "2^{:.1} operations ({name}, blocks of {}, MATZOV), 2^{bound:.1} as core-SVP",
            cheaper.log2_cost, cheaper.block_size
        )
    }
}

fn attack(block_size: u32, dimension: f64, log2_cost: f64) -> Attack {
    Attack {
        block_size,
        dimension: dimension.round() as u64,
        log2_cost,
    }
}

/// ln of xi: how much longer a coefficient of the error is than one of the secret.
fn ln_scaling() -> f64 {
    ERROR.ln() - 0.5 * SECRET_VARIANCE.ln()
}

/// ln of the root Hermite factor that BKZ with blocks of `beta` reaches.
fn ln_root_hermite(beta: f64) -> f64 {
    ((beta / (2.0 * PI * E)).ln() + (PI * beta).ln() / beta) / (2.0 * (beta - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::max_log2_qp;

    /// What the lattice estimator (commit 27a581bb, geometric series assumption) says at the table's limits: log2 of the cost and block
    /// size of `primal_usvp` under MATZOV, of `primal_usvp` under BDGL16, of `primal_usvp` under ADPS16 (core-SVP); cost of `dual` under MATZOV.
    const ESTIMATOR: [(u32, f64, u32, f64, f64, f64); 6] = [
        (12, 129.4, 341, 131.9, 99.6, 131.5),
        (13, 128.5, 334, 130.9, 97.5, 129.8),
        (14, 128.4, 330, 130.7, 96.4, 129.6),
        (15, 128.0, 325, 130.3, 94.9, 129.2),
        (16, 128.2, 322, 130.4, 94.0, 129.1),
        (17, 128.1, 318, 130.2, 92.9, 128.4),
    ];

    #[test]
    fn the_estimates_are_those_of_the_lattice_estimator() {
        for (log_n, matzov, block, bdgl16, core_svp, dual) in ESTIMATOR {
            let limit = f64::from(max_log2_qp(log_n).unwrap());
            let problem = RingLwe::new(log_n, limit).unwrap();
            let own = CostModel::ALL.map(|model| problem.primal(model));
            for (own, theirs) in own.iter().zip([matzov, bdgl16, core_svp]) {
                assert!(
                    (own.log2_cost - theirs).abs() < 0.3,
                    "2^{log_n}: {own:?}, {theirs}"
                );
            }
            assert!(
                own[0].block_size.abs_diff(block) <= 1,
                "2^{log_n}: {own:?}, {block}"
            );
            // The estimator also prices making many short vectors, which are longer than the shortest.
            let own = problem.dual(CostModel::Matzov);
            assert!(
                (own.log2_cost - dual).abs() < 2.1,
                "2^{log_n}: {own:?}, {dual}"
            );
        }
    }

    #[test]
    fn the_table_keeps_its_promise_under_its_own_model_and_not_beyond() {
        for log_n in 12..=17 {
            let limit = f64::from(max_log2_qp(log_n).unwrap());
            let at = |log2_q| {
                RingLwe::new(log_n, log2_q)
                    .unwrap()
                    .log2_cost(CostModel::Matzov)
            };
            assert!(at(limit) >= 127.5, "2^{log_n}: {}", at(limit));
            assert!(at(1.1 * limit) < 122.0, "2^{log_n}: {}", at(1.1 * limit));
        }
    }

    #[test]
    fn a_problem_that_no_set_has_is_none() {
        assert_eq!(RingLwe::new(15, f64::NAN), None);
        assert_eq!(RingLwe::new(15, 1.0), None);
        assert_eq!(RingLwe::new(60, 800.0), None);
    }
}
