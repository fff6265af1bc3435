//! Reduction of integers modulo a 32-bit word, by products of 32-bit words alone.
//!
//! Shoup's trick (Harvey, arXiv 1205.2926) with the constant `c' = floor(c 2^32 / q)`: for any
//! `x < 2^32` and `c < q < 2^32`, with `e = floor(x c' / 2^32)`,
//!
//! ```text
//! x c - e q = q (x c / q - e),   0 <= x c / q - x c' / 2^32 < x / 2^32 < 1,   so  0 <= x c - e q < 2q.
//! ```
//!
//! A 32x32 -> 64 bit product is what vector units have, so loops over it become vector code, with the widest vectors that the
//! processor has; nothing branches on the data.

use crate::widest;

/// A factor modulo `q` and its Shoup constant.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    // Words, not u64: the compiler must see that the products are of 32 bits by 32 bits.
    q: u32,
    c: u32,
    c_shoup: u32,
}

impl Factor {
    /// The factor `c mod q`, for `q >= 2`.
    pub(super) fn new(c: u128, q: u32) -> Self {
        let c = (c % u128::from(q)) as u32;
        let c_shoup = ((u64::from(c) << 32) / u64::from(q)) as u32;
        Self { q, c, c_shoup }
    }

    /// `x c mod q`, in `[0, 2q)`.
    #[inline(always)]
    pub(super) fn mul_lazy(self, x: u32) -> u64 {
        let x = u64::from(x);
        let e = (x * u64::from(self.c_shoup)) >> 32;
        x * u64::from(self.c) - e * u64::from(self.q)
    }

    /// `x c mod q`, in `[0, q)`.
    #[inline(always)]
    pub(super) fn mul(self, x: u32) -> u32 {
        subtract_once(self.mul_lazy(x), u64::from(self.q)) as u32
    }
}

/// `x - m` if `x >= m`, else `x`, without a branch. Both are below `2^63`.
#[inline(always)]
pub(super) fn subtract_once(x: u64, m: u64) -> u64 {
    let d = x.wrapping_sub(m);
    d.wrapping_add(m & (d >> 63).wrapping_neg())
}

/// Reduces rows of signed integers modulo one word.
pub(super) struct RowReducer {
    q: u32,
    /// `2^(32 i) mod q`.
    limbs: [Factor; 4],
}

impl RowReducer {
    /// For `q >= 2`.
    pub(super) fn new(q: u32) -> Self {
        Self {
            q,
            limbs: [0, 32, 64, 96].map(|shift| Factor::new(1 << shift, q)),
        }
    }

    /// The least multiple of `q` that is at least `2^bits`: added to a number above `-2^bits` it makes it
    /// positive and keeps its residue.
    fn lift(&self, bits: u32) -> u128 {
        (1u128 << bits).next_multiple_of(u128::from(self.q))
    }

    /// `values[i] mod q` in `[0, q)`, for `|values[i]| <= 2^62`: lifted, a value is at most
    /// `2^63 + q < 2^64`.
    pub(super) fn reduce_i64(&self, values: &[i64], out: &mut [u32]) {
        widest(|| self.reduce_i64_here(values, out));
    }

    #[inline(always)]
    fn reduce_i64_here(&self, values: &[i64], out: &mut [u32]) {
        let lift = self.lift(62) as u64;
        let [low, high, ..] = self.limbs;
        let q = u64::from(self.q);
        for (out, &value) in out.iter_mut().zip(values) {
            let u = lift.wrapping_add_signed(value);
            let r = low.mul_lazy(u as u32) + high.mul_lazy((u >> 32) as u32);
            *out = subtract_once(subtract_once(r, 2 * q), q) as u32;
        }
    }

    /// `values[i] mod q` in `[0, q)`, for `|values[i]| <= 2^126`.
    pub(super) fn reduce_i128(&self, values: &[i128], out: &mut [u32]) {
        widest(|| self.reduce_i128_here(values, out));
    }

    #[inline(always)]
    fn reduce_i128_here(&self, values: &[i128], out: &mut [u32]) {
        let lift = self.lift(126);
        let [a, b, c, d] = self.limbs;
        let q = u64::from(self.q);
        for (out, &value) in out.iter_mut().zip(values) {
            let u = lift.wrapping_add_signed(value);
            let r = a.mul_lazy(u as u32)
                + b.mul_lazy((u >> 32) as u32)
                + c.mul_lazy((u >> 64) as u32)
                + d.mul_lazy((u >> 96) as u32);
            let r = subtract_once(r, 4 * q);
            *out = subtract_once(subtract_once(r, 2 * q), q) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::tests::words;

    const MODULI: [u32; 9] = [
        2,
        3,
        65_537,
        1 << 30,
        1_073_479_681,
        2_147_483_489,
        (1 << 31) + 11,
        u32::MAX - 4,
        u32::MAX,
    ];

    #[test]
    fn i64_rows_match_rem_euclid() {
        let edge = 1i64 << 62;
        let mut values: Vec<i64> = words(1, 20_000)
            .iter()
            .map(|&w| w as i64 >> (1 + w % 62))
            .collect();
        values.extend([0, 1, -1, edge, -edge, edge - 1, 1 - edge]);
        for q in MODULI {
            values.extend([1, 2, 3, 1000].map(|k| k * i64::from(q)));
            values.extend([1, 2, 3, 1000].map(|k| -k * i64::from(q)));
            let mut out = vec![0; values.len()];
            RowReducer::new(q).reduce_i64(&values, &mut out);
            for (&v, &r) in values.iter().zip(&out) {
                assert_eq!(
                    i128::from(r),
                    i128::from(v).rem_euclid(i128::from(q)),
                    "{v} mod {q}"
                );
            }
        }
    }

    #[test]
    fn i128_rows_match_rem_euclid() {
        let edge = 1i128 << 126;
        let w = words(2, 40_000);
        let mut values: Vec<i128> = w
            .chunks_exact(2)
            .map(|p| ((u128::from(p[0]) << 64 | u128::from(p[1])) as i128) >> (1 + p[0] % 126))
            .collect();
        values.extend([0, 1, -1, edge, -edge, edge - 1, 1 - edge]);
        for q in MODULI {
            let k = (1i128 << 125) / i128::from(q);
            values.extend([k * i128::from(q), -k * i128::from(q), k * i128::from(q) - 1]);
            let mut out = vec![0; values.len()];
            RowReducer::new(q).reduce_i128(&values, &mut out);
            for (&v, &r) in values.iter().zip(&out) {
                assert_eq!(i128::from(r), v.rem_euclid(i128::from(q)), "{v} mod {q}");
            }
        }
    }

    #[test]
    fn factors_match_remainders() {
        let w = words(3, 4000);
        for q in MODULI {
            for p in w.chunks_exact(2) {
                let (x, c) = (p[0] as u32, p[1]);
                let want = u128::from(x) * u128::from(c) % u128::from(q);
                assert_eq!(
                    u128::from(Factor::new(u128::from(c), q).mul(x)),
                    want,
                    "{x} * {c} mod {q}"
                );
            }
            let top = Factor::new(u128::from(q - 1), q);
            assert!(top.mul_lazy(u32::MAX) < 2 * u64::from(q));
        }
    }
}
