//! Canonical scales and exact products of primes.
//!
//! Level i has exactly one scale, `s_i^2 = s_{i-1} * Pi_i` with `Pi_i` the product of the primes dropped over the product of
//! those restored on the way to level i-1. A product of two level-i ciphertexts, rescaled, then lands exactly on level i-1's
//! scale. Going *up* the chain halves relative errors at every level; going down would double them.

use core::ops::Range;

use num_bigint::BigUint;
use num_traits::ToPrimitive;

use super::log2::{Log2, log2};

/// Bits after the point of a scale held as an integer.
const SCALE_FRACTION_BITS: u32 = 64;

/// 2^64 and 2^-64; both and products with them are exact in `f64`.
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// A scale as an integer with 64 bits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FixedScale(u128);

impl FixedScale {
    /// Exactly `scale`, or `None` outside [2^20, 2^62).
    pub(crate) fn from_f64(scale: f64) -> Option<Self> {
        // 53 bits of mantissa from 2^20 up end above 2^-33, so the product is an integer below 2^126.
        let in_range = (1_048_576.0..4_611_686_018_427_387_904.0).contains(&scale);
        in_range.then_some(Self((scale * TWO_64) as u128))
    }

    /// The nearest `f64`: one rounding, relative error at most 2^-53.
    pub(crate) fn to_f64(self) -> f64 {
        self.0 as f64 / TWO_64
    }

    /// The scale times 2^64.
    pub(crate) fn into_integer(self) -> BigUint {
        self.0.into()
    }

    /// The logarithm; `None` for zero.
    pub(crate) fn log2(self) -> Option<Log2> {
        Some(log2(self.0)? - (i64::from(SCALE_FRACTION_BITS) << super::log2::FRACTION_BITS))
    }

    /// `sqrt(self * dropped / restored)`, rounded down to a multiple of 2^-64; `None` if it does not fit.
    fn step(self, dropped: &BigUint, restored: &BigUint) -> Option<Self> {
        let square = ((BigUint::from(self.0) * dropped) << SCALE_FRACTION_BITS) / restored;
        square.sqrt().to_u128().map(Self)
    }
}

/// The scales of all levels from `base` upward along `windows` (index ranges of `basis`). The error does not accumulate:
/// integer square roots err by 2^-64 in numbers of 2^30 or more, and each level halves what came before, so every scale is
/// right to 2^-93 before the one rounding to `f64`. `None` where a scale leaves [1, 2^64).
pub(crate) fn canonical_scales(
    base: FixedScale,
    basis: &[u32],
    windows: &[Range<usize>],
) -> Vec<Option<FixedScale>> {
    let mut scales = vec![Some(base)];
    let mut scale = Some(base);
    for pair in windows.windows(2) {
        let (dropped, restored) = pi(basis, &pair[1], &pair[0]);
        scale = scale
            .and_then(|s| s.step(&dropped, &restored))
            .filter(|s| s.0 >> SCALE_FRACTION_BITS != 0);
        scales.push(scale);
    }
    scales
}

/// Numerator and denominator of `Pi` of a step from one window to another: the products of the primes that are dropped and of those
/// that are restored.
fn pi(basis: &[u32], from: &Range<usize>, to: &Range<usize>) -> (BigUint, BigUint) {
    let of = |indices: Vec<usize>| product(basis, &indices);
    (of(difference(from, to)), of(difference(to, from)))
}

/// The indices of `a` that are not in `b`, ascending.
pub(crate) fn difference(a: &Range<usize>, b: &Range<usize>) -> Vec<usize> {
    a.clone().filter(|i| !b.contains(i)).collect()
}

/// The product of the primes at `indices`. Precondition: every index is within `basis`.
pub(crate) fn product(basis: &[u32], indices: &[usize]) -> BigUint {
    indices.iter().map(|&i| basis[i]).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_exact() {
        let (least, above) = (1_048_576.0, 1_048_576.000_000_000_2);
        for x in [478_590_233_455.517_6, least, above, 2f64.powi(61)] {
            assert_eq!(FixedScale::from_f64(x).unwrap().to_f64(), x);
        }
        let (below, most) = (1_048_575.0, 2f64.powi(62));
        for x in [f64::NAN, f64::INFINITY, -1e12, 0.0, below, most] {
            assert_eq!(FixedScale::from_f64(x), None);
        }
    }

    /// s_i^2 * restored = s_{i-1} * dropped, checked in integers against the floats that callers see, over 65 levels.
    #[test]
    fn relative_error_stays_below_2_to_minus_50() {
        use super::super::{chain, path};
        let width = path::LevelWidth::Bits39;
        let windows = path::level_path(width, 65);
        let chain = chain::choose(17, width, &windows).unwrap();
        let a = chain.terminals.len();
        let in_order = chain.terminals.iter().rev().chain(&chain.mains);
        let basis: Vec<u32> = in_order.copied().collect();
        let range = |w: &path::Window| a - w.terminals..a + w.mains;
        let ranges: Vec<_> = windows.iter().map(range).collect();
        let base = FixedScale::from_f64(width.base_scale()).unwrap();
        let scales = canonical_scales(base, &basis, &ranges);
        let scales: Vec<FixedScale> = scales.into_iter().map(Option::unwrap).collect();
        fn gap(a: &BigUint, b: &BigUint) -> BigUint {
            a.max(b) - a.min(b)
        }
        assert_eq!(scales.len(), 66);

        // The definition without recursion: s_i = prod_k Pi_k^(2^(k-1-i)) * s_0^(2^-i). Compare s_i^(2^i) for the first
        // levels, where the powers are still of a size to write down.
        for i in 1..=6usize {
            let mut left = BigUint::from(scales[i].0).pow(1 << i);
            let mut right = BigUint::from(base.0);
            for k in 1..=i {
                let (dropped, restored) = pi(&basis, &ranges[k], &ranges[k - 1]);
                right *= dropped.pow(1 << (k - 1));
                left *= restored.pow(1 << (k - 1));
            }
            right <<= 64 * ((1 << i) - 1);
            // 2^i times the relative error of s_i.
            assert!((gap(&left, &right) << (80 - i)) < right, "level {i}");
        }
        // And one step at a time at every level, on the rounded floats.
        for i in 1..scales.len() {
            let (s, below) = (scales[i].to_f64(), scales[i - 1].to_f64());
            let (dropped, restored) = pi(&basis, &ranges[i], &ranges[i - 1]);
            let exact = |x: f64| BigUint::from(FixedScale::from_f64(x).unwrap().0);
            let left = exact(s).pow(2) * restored;
            let right = (exact(below) * dropped) << 64;
            let near = (gap(&left, &right) << 51) < right;
            assert!(near, "level {i}: s^2 is off by more than 2^-51");
        }
    }
}
