//! Sums of products of two rows that nobody prepared.

use super::{reduce::Modular, views};
use crate::{ring::Prime, simd::Simd};

/// The most pairs of one [`weighted_sum`]: 15 products and a carried residue stay below 2^64.
pub(crate) const MAX_TERMS: usize = 15;

/// The most pairs of one [`sum_of_products`], whose middle sum has two products a pair.
pub(crate) const MAX_PAIRS: usize = 7;

#[inline(always)]
fn mul<S: Simd>(s: S, a: S::V, b: S::V) -> S::W {
    s.mul_wide(a, s.odd(a), b, s.odd(b))
}

/// (a0 b0, a0 b1 + a1 b0, a1 b1), each operand read once. The middle sum is below 2 q^2 < 2^(2k+1).
#[inline(always)]
pub(crate) fn tensor<S: Simd>(
    s: S,
    prime: &Prime,
    dst: [&mut [u32]; 3],
    a: [&[u32]; 2],
    b: [&[u32]; 2],
) {
    let m = Modular::new(s, prime);
    let [d0, d1, d2] = dst.map(|d| s.view_mut(d));
    let ([a0, a1], [b0, b1]) = (a.map(|a| s.view(a)), b.map(|b| s.view(b)));
    let dst = d0.iter_mut().zip(d1).zip(d2);
    for (((d0, d1), d2), ((&a0, &a1), (&b0, &b1))) in
        dst.zip(a0.iter().zip(a1).zip(b0.iter().zip(b1)))
    {
        *d0 = m.reduce_4q(m.barrett(mul(s, a0, b0)));
        *d2 = m.reduce_4q(m.barrett(mul(s, a1, b1)));
        *d1 = m.reduce_4q(m.barrett(s.add_wide(mul(s, a0, b1), mul(s, a1, b0))));
    }
}

/// The sum of the tensors of at most [`MAX_PAIRS`] entries `[a0, a1, b0, b1]`, added to `dst` if asked.
#[inline(always)]
pub(crate) fn sum_of_products<S: Simd>(
    s: S,
    prime: &Prime,
    dst: [&mut [u32]; 3],
    pairs: &[[&[u32]; 4]],
    accumulate: bool,
) {
    debug_assert!(pairs.len() <= MAX_PAIRS);
    let m = Modular::new(s, prime);
    let mut rows: [[&[S::V]; 4]; MAX_PAIRS] = [[&[]; 4]; MAX_PAIRS];
    for (rows, pair) in rows.iter_mut().zip(pairs) {
        *rows = views(s, pair);
    }
    let [d0, d1, d2] = dst.map(|d| s.view_mut(d));
    // Locals, not arrays mapped by closures: such closures are not inlined into the vector code.
    for i in 0..d0.len() {
        let (mut s0, mut s1, mut s2) = if accumulate {
            (s.widen_low(d0[i]), s.widen_low(d1[i]), s.widen_low(d2[i]))
        } else {
            let zero = s.widen_low(s.splat(0));
            (zero, zero, zero)
        };
        for rows in &rows[..pairs.len()] {
            let (a0, a1, b0, b1) = (rows[0][i], rows[1][i], rows[2][i], rows[3][i]);
            let (a0o, a1o, b0o, b1o) = (s.odd(a0), s.odd(a1), s.odd(b0), s.odd(b1));
            s0 = s.add_wide(s0, s.mul_wide(a0, a0o, b0, b0o));
            s1 = s.add_wide(s1, s.mul_wide(a0, a0o, b1, b1o));
            s1 = s.add_wide(s1, s.mul_wide(a1, a1o, b0, b0o));
            s2 = s.add_wide(s2, s.mul_wide(a1, a1o, b1, b1o));
        }
        d0[i] = m.reduce_4q(m.wide(s0));
        d1[i] = m.reduce_4q(m.wide(s1));
        d2[i] = m.reduce_4q(m.wide(s2));
    }
}

/// The sum of the products of at most [`MAX_TERMS`] pairs, added to `dst` if asked.
#[inline(always)]
pub(crate) fn weighted_sum<S: Simd>(
    s: S,
    prime: &Prime,
    dst: &mut [u32],
    pairs: &[[&[u32]; 2]],
    accumulate: bool,
) {
    debug_assert!(pairs.len() <= MAX_TERMS);
    let m = Modular::new(s, prime);
    let mut rows: [[&[S::V]; 2]; MAX_TERMS] = [[&[]; 2]; MAX_TERMS];
    for (rows, pair) in rows.iter_mut().zip(pairs) {
        *rows = views(s, pair);
    }
    for (i, d) in s.view_mut(dst).iter_mut().enumerate() {
        let mut sum = s.widen_low(if accumulate { *d } else { s.splat(0) });
        for rows in &rows[..pairs.len()] {
            let [a, b] = rows.map(|row| row[i]);
            sum = s.add_wide(sum, mul(s, a, b));
        }
        *d = m.reduce_4q(m.wide(sum));
    }
}
