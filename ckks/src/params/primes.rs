//! The pools of primes that chains are drawn from.
//!
//! Every prime is below 2^30 (32-bit words keep two spare bits, so that a sum of four residues is lazy) and congruent to 1 modulo 2^17, so that
//! a primitive 2N-th root of unity exists for every N up to 2^16 and one form of modular multiplication serves all; at
//! N = 2^17 the step is 2^18.

use std::sync::OnceLock;

use arras_hal::is_prime;

/// Exclusive upper bound of every prime.
pub const PRIME_BOUND: u32 = 1 << 30;

/// Exclusive upper bound of mains and terminals, 2^29.41: up to here a product of a residue below 2q and a residue below q
/// needs no reduction first in the 16-bit Montgomery form.
pub const CHAIN_PRIME_BOUND: u32 = 713_332_764;

/// Inclusive lower bound of every prime. The quotient estimate of a base conversion drops the low 14 bits of a residue,
/// which costs 2^14 / q: at most 2^-9 per source limb from here on.
pub const PRIME_MINIMUM: u32 = 1 << 23;

/// Base-2 logarithm of the step: primes are 1 modulo `2^step_log2(log_n)`. 17 up to N = 2^16, 18 at N = 2^17.
pub const fn step_log2(log_n: u32) -> u32 {
    if log_n <= 16 { 17 } else { log_n + 1 }
}

/// All primes from [`PRIME_MINIMUM`] to [`PRIME_BOUND`] usable at ring degree `2^log_n`, ascending.
pub fn pool(log_n: u32) -> Vec<u32> {
    // There are two, which every plan asks for many times.
    static POOLS: [OnceLock<Vec<u32>>; 2] = [const { OnceLock::new() }; 2];
    let step_log2 = step_log2(log_n);
    let sieve = || {
        (PRIME_MINIMUM..PRIME_BOUND)
            .step_by(1 << step_log2)
            .map(|base| base + 1)
            .filter(|&q| is_prime(q))
            .collect()
    };
    match POOLS.get((step_log2 - 17) as usize) {
        Some(known) => known.get_or_init(sieve).clone(),
        None => sieve(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_have_the_known_sizes() {
        for (log_n, all) in [(5, 822), (13, 822), (16, 822), (17, 422)] {
            let step = 1u32 << step_log2(log_n);
            let small = (1..PRIME_MINIMUM).step_by(step as usize);
            let small = small.filter(|&q| is_prime(q)).count();
            let pool = pool(log_n);
            assert_eq!(pool.len() + small, all, "log_n {log_n}");
            let range = PRIME_MINIMUM..PRIME_BOUND;
            assert!(pool.iter().all(|q| q % step == 1 && range.contains(q)));
            assert!(pool.is_sorted());
        }
    }
}
