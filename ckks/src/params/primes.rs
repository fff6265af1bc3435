//! The pools of primes that chains are drawn from.
//!
//! Every prime is below 2^30 (32-bit words keep two spare bits, so that a sum of four residues is lazy) and congruent to 1 modulo 2^17, so that
//! a primitive 2N-th root of unity exists for every N up to 2^16 and one form of modular multiplication serves all; at
//! N = 2^17 the step is 2^18.

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

/// Whether `n` is prime. Deterministic: Miller-Rabin with the bases 2, 3, 5 and 7 has no liar below 3 215 031 751
/// (Jaeschke 1993), and larger `n` also pass base 11, which settles everything below 2^32.
pub fn is_prime(n: u32) -> bool {
    const SMALL: [u32; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    if let Some(p) = SMALL.iter().find(|&&p| n.is_multiple_of(p)) {
        return n == *p;
    }
    let n = u64::from(n);
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    [2u64, 3, 5, 7, 11].iter().all(|&base| {
        let mut x = power(base, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        for _ in 1..twos {
            x = x * x % n;
            if x == n - 1 {
                return true;
            }
        }
        false
    })
}

/// `base^exponent mod modulus` for a modulus below 2^32; variable time, public inputs only.
fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut square) = (1, base % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    result
}

/// All primes from [`PRIME_MINIMUM`] to [`PRIME_BOUND`] usable at ring degree `2^log_n`, ascending.
pub fn pool(log_n: u32) -> Vec<u32> {
    let step = 1u32 << step_log2(log_n);
    (PRIME_MINIMUM..PRIME_BOUND)
        .step_by(step as usize)
        .map(|base| base + 1)
        .filter(|&q| is_prime(q))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_trial_division() {
        let by_division = |n: u32| {
            let mut divisors = (2..).take_while(|d| d * d <= n);
            n >= 2 && divisors.all(|d| !n.is_multiple_of(d))
        };
        for n in 0..20_000 {
            assert_eq!(is_prime(n), by_division(n), "{n}");
        }
        // Strong pseudoprimes to base 2, to bases 2 and 3, to bases 2, 3 and 5, and to bases 2, 3, 5 and 7.
        for n in [2047, 1_373_653, 25_326_001, 3_215_031_751] {
            assert!(!is_prime(n), "{n}");
        }
        assert!(is_prime(4_294_967_291) && !is_prime(u32::MAX));
    }

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
