//! Base-2 logarithms in fixed point, the same bits on every platform.
//!
//! Which primes a set holds and in which order is decided by comparing logarithms. `f64::log2` comes from the
//! platform's mathematics library and differs in the last bits between systems, so such decisions use these integers.

/// A base-2 logarithm with [`FRACTION_BITS`] bits after the point.
pub(crate) type Log2 = i64;

/// Bits after the point of a [`Log2`]. A sum over 250 primes of 30 bits stays below 2^53, so it is also exact in `f64`.
pub(crate) const FRACTION_BITS: u32 = 40;

/// One bit.
pub(crate) const ONE: Log2 = 1 << FRACTION_BITS;

/// The unit `u` = 4.85 bits of which mains take 6 and terminals 5, times `multiple / divisor`.
pub(crate) const fn units(multiple: i64, divisor: i64) -> Log2 {
    // 485 * 2^40 is below 2^49, so `multiple` may reach 2^14.
    (485 * ONE * multiple) / (100 * divisor)
}

/// `log2(x)`, rounded down to a multiple of 2^-40 with an error of less than 2^-39, by repeated squaring; `None` for zero.
pub(crate) fn log2(x: u128) -> Option<Log2> {
    let whole = x.checked_ilog2()?;
    // The mantissa in [1, 2) with 63 bits after the point. Truncation costs 2^-63 at each of the 40 squarings, and
    // what is lost at squaring k is halved k times again.
    let mut mantissa = (x << (127 - whole)) >> 64;
    let mut fraction: Log2 = 0;
    for _ in 0..FRACTION_BITS {
        let square = mantissa * mantissa;
        let carry = square >> 127;
        fraction = (fraction << 1) | i64::from(carry == 1);
        mantissa = square >> (63 + carry);
    }
    Some((i64::from(whole) << FRACTION_BITS) | fraction)
}

/// `log2` of a prime.
pub(crate) fn log2_prime(q: u32) -> Log2 {
    log2(u128::from(q)).unwrap_or(0)
}

/// Sum of the logarithms of `primes`.
pub(crate) fn log2_product(primes: &[u32]) -> Log2 {
    primes.iter().map(|&q| log2_prime(q)).sum()
}

/// The logarithm in bits, for display and for callers. Exact: 53 bits hold every value that occurs.
pub(crate) fn to_bits(x: Log2) -> f64 {
    x as f64 / ONE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_floating_point() {
        let (word, wide) = ((1 << 30) - 1, (1 << 103) + 12345);
        for x in [1u128, 2, 3, 5, 786_433, word, 1 << 103, wide, u128::MAX] {
            let (got, want) = (to_bits(log2(x).unwrap()), (x as f64).log2());
            assert!((got - want).abs() < 1e-10, "log2({x}): {got}, not {want}");
        }
        assert_eq!(log2(0), None);
    }

    #[test]
    fn powers_of_two_are_exact_and_products_add_up() {
        for e in 0..128 {
            assert_eq!(log2(1u128 << e), Some(i64::from(e) << FRACTION_BITS));
        }
        let (p, q) = (713_031_681u32, 20_054_017u32);
        let sum = log2_prime(p) + log2_prime(q);
        assert!((log2(u128::from(p) * u128::from(q)).unwrap() - sum).abs() <= 4);
    }

    #[test]
    fn the_unit_is_4_85_bits() {
        assert_eq!(to_bits(units(5, 1)), 24.25);
        assert!((to_bits(units(8, 1)) - 38.8).abs() < 1e-11);
        assert!((to_bits(units(15, 2)) - 36.375).abs() < 1e-11);
    }
}
