//! The inner product of digits with a key.

use super::{
    reduce::{FOLD, Modular},
    views,
};
use crate::{permutation::Permutation, ring::Prime, simd::Simd};

/// The most digits of one [`inner_product`].
pub(crate) const MAX_DIGITS: usize = 24;

/// Vectors taken at a time.
const WIDTH: usize = 2;

/// `dst[c] = sum over j of digits[j] * keys[c][j] * 2^-32 mod q`, added to `dst` if asked, for a piece of a row that starts
/// at word `at`; keys have 2^32 folded in. `digits` are whole rows because a permutation may read anywhere in them; `keys` and
/// `dst` are pieces, multiples of two vectors.
#[inline(always)]
pub(crate) fn inner_product<S: Simd>(
    s: S,
    prime: &Prime,
    dst: [&mut [u32]; 2],
    at: usize,
    digits: &[&[u32]],
    keys: [&[&[u32]]; 2],
    permutation: Option<&Permutation>,
    accumulate: bool,
) {
    debug_assert!(digits.len() <= MAX_DIGITS);
    let m = Modular::new(s, prime);
    let dst = dst.map(|d| s.view_mut(d));
    let count = digits.len();
    let digits: [&[S::V]; MAX_DIGITS] = views(s, digits);
    let keys: [[&[S::V]; MAX_DIGITS]; 2] = keys.map(|half| views(s, half));
    let (digits, keys) = (&digits[..count], [&keys[0][..count], &keys[1][..count]]);
    let first = at / S::LANES;
    match permutation {
        None => run(s, &m, dst, digits, keys, accumulate, |row, i| {
            let x = &row[first + i..][..WIDTH];
            [x[0], x[1]]
        }),
        Some(p) => run(s, &m, dst, digits, keys, accumulate, |row, i| {
            [0, 1].map(|k| p.vector(s, row, first + i + k))
        }),
    }
}

#[inline(always)]
fn run<S: Simd>(
    s: S,
    m: &Modular<S>,
    [d0, d1]: [&mut [S::V]; 2],
    digits: &[&[S::V]],
    [k0, k1]: [&[&[S::V]]; 2],
    accumulate: bool,
    load: impl Fn(&[S::V], usize) -> [S::V; WIDTH],
) {
    let zero = s.from_low(s.splat(0));
    let dst = d0.chunks_exact_mut(WIDTH).zip(d1.chunks_exact_mut(WIDTH));
    for (i, (d0, d1)) in dst.enumerate() {
        let i = WIDTH * i;
        let (mut sums0, mut sums1) = ([zero; WIDTH], [zero; WIDTH]);
        let mut room = FOLD;
        for ((digit, k0), k1) in digits.iter().zip(k0).zip(k1) {
            if room == 0 {
                sums0 = sums0.map(|sum| m.fold(sum));
                sums1 = sums1.map(|sum| m.fold(sum));
                room = FOLD;
            }
            room -= 1;
            let (x, k0, k1) = (load(digit, i), &k0[i..][..WIDTH], &k1[i..][..WIDTH]);
            for w in 0..WIDTH {
                let odd = s.odd(x[w]);
                sums0[w] = s.add_wide(sums0[w], s.mul_wide(x[w], odd, k0[w], s.odd(k0[w])));
                sums1[w] = s.add_wide(sums1[w], s.mul_wide(x[w], odd, k1[w], s.odd(k1[w])));
            }
        }
        for w in 0..WIDTH {
            let (sum0, sum1) = (m.montgomery(sums0[w]), m.montgomery(sums1[w]));
            let (sum0, sum1) = (m.from_4q(sum0), m.from_4q(sum1));
            (d0[w], d1[w]) = if accumulate {
                (m.add(d0[w], sum0), m.add(d1[w], sum1))
            } else {
                (sum0, sum1)
            };
        }
    }
}
