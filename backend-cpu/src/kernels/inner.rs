//! The inner product of digits with a key.

use super::reduce::{FOLD, Modular};
use crate::{permutation::Permutation, ring::Prime, simd::Simd};

/// `dst[c] = sum over j of digits[j] * keys[j][c] * 2^-32 mod q` for a piece of a row that starts at word `at`; keys
/// have 2^32 folded in. `digits` are whole rows because a permutation may read anywhere in them; `keys` and `dst` are
/// pieces.
#[inline(always)]
pub(crate) fn inner_product<S: Simd>(
    s: S,
    prime: &Prime,
    dst: [&mut [u32]; 2],
    at: usize,
    digits: &[&[u32]],
    keys: &[[&[u32]; 2]],
    permutation: Option<&Permutation>,
) {
    let m = Modular::new(s, prime);
    let [d0, d1] = dst.map(|d| s.view_mut(d));
    let first = at / S::LANES;
    match permutation {
        None => run(s, &m, d0, d1, digits, keys, |row, i| row[first + i]),
        Some(p) => run(s, &m, d0, d1, digits, keys, |row, i| {
            p.vector(s, row, first + i)
        }),
    }
}

#[inline(always)]
fn run<S: Simd>(
    s: S,
    m: &Modular<S>,
    d0: &mut [S::V],
    d1: &mut [S::V],
    digits: &[&[u32]],
    keys: &[[&[u32]; 2]],
    load: impl Fn(&[S::V], usize) -> S::V,
) {
    for (i, (d0, d1)) in d0.iter_mut().zip(d1).enumerate() {
        let mut sums = [s.from_low(s.splat(0)); 2];
        let mut room = FOLD;
        for (digit, key) in digits.iter().zip(keys) {
            if room == 0 {
                sums = sums.map(|sum| m.fold(sum));
                room = FOLD;
            }
            room -= 1;
            let x = load(s.view(digit), i);
            let x_odd = s.odd(x);
            for (sum, half) in sums.iter_mut().zip(key) {
                let k = s.view(half)[i];
                *sum = s.add_wide(*sum, s.mul_wide(x, x_odd, k, s.odd(k)));
            }
        }
        let [sum0, sum1] = sums.map(|sum| m.from_4q(m.montgomery(sum)));
        (*d0, *d1) = (sum0, sum1);
    }
}
