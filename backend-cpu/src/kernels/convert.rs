//! Base conversion of pieces of rows.

use super::{
    STEP,
    reduce::{FOLD, Modular},
};
use crate::{ring::Prime, simd::Simd};

/// The quotient v of the conversion with quotient, in wrapping 32-bit arithmetic:
/// `(sum (x_i >> 14) * reciprocal_i + 2^25) >> 26`.
#[inline(always)]
pub(crate) fn quotient<S: Simd>(s: S, dst: &mut [u32], sources: &[&[u32]], reciprocals: &[u32]) {
    for (i, d) in s.view_mut(dst).iter_mut().enumerate() {
        let mut sum = s.splat(1 << 25);
        for (source, &reciprocal) in sources.iter().zip(reciprocals) {
            let x = s.shr(s.view(source)[i], 14);
            sum = s.add(sum, s.mul_lo(x, s.splat(reciprocal)));
        }
        *d = s.shr(sum, 26);
    }
}

/// `dst = start + sum of weight_i * x_i * 2^-32 mod q` in [0, 3q): what the forward NTT takes. Sources are residues below
/// 2^30 (or quotients, which are less); weights are canonical and have the factor 2^32 folded in, `start` has it too. Lengths
/// are multiples of [`STEP`] vectors.
#[inline(always)]
pub(crate) fn convert<S: Simd>(
    s: S,
    prime: &Prime,
    dst: &mut [u32],
    sources: &[&[u32]],
    weights: &[u32],
    start: u32,
) {
    let m = Modular::new(s, prime);
    let start = s.from_low(s.splat(start));
    for (i, out) in s.view_mut(dst).chunks_exact_mut(STEP).enumerate() {
        let mut sums = [start; STEP];
        let mut room = FOLD;
        for (source, &weight) in sources.iter().zip(weights) {
            if room == 0 {
                sums = sums.map(|sum| m.fold(sum));
                room = FOLD;
            }
            room -= 1;
            let x = &s.view(source)[i * STEP..][..STEP];
            let w = s.splat(weight);
            for (sum, &x) in sums.iter_mut().zip(x) {
                *sum = s.add_wide(*sum, s.mul_wide(x, s.odd(x), w, w));
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = m.montgomery(sum);
        }
    }
}
