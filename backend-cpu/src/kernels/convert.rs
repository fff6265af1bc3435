//! Base conversion of pieces of rows.

use super::{
    STEP,
    reduce::{FOLD, Modular},
    views,
};
use crate::{ring::Prime, simd::Simd};

/// The most sources of one conversion, the quotient included.
pub(crate) const MAX_SOURCES: usize = arras_hal::ConversionTable::MAX_SOURCES + 1;

/// The quotient v of the conversion with quotient, in wrapping 32-bit arithmetic:
/// `(sum (x_i >> 14) * reciprocal_i + 2^25) >> 26`. Lengths are multiples of [`STEP`] vectors.
#[inline(always)]
pub(crate) fn quotient<S: Simd>(s: S, dst: &mut [u32], sources: &[&[u32]], reciprocals: &[u32]) {
    let rows: [&[S::V]; MAX_SOURCES] = views(s, sources);
    for (i, out) in s.view_mut(dst).chunks_exact_mut(STEP).enumerate() {
        let mut sums = [s.splat(1 << 25); STEP];
        for (row, &reciprocal) in rows.iter().zip(reciprocals) {
            let r = s.splat(reciprocal);
            for (sum, &x) in sums.iter_mut().zip(&row[i * STEP..][..STEP]) {
                *sum = s.add(*sum, s.mul_lo(s.shr(x, 14), r));
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = s.shr(sum, 26);
        }
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
    let start = s.widen_low(s.splat(start));
    let rows: [&[S::V]; MAX_SOURCES] = views(s, sources);
    for (i, out) in s.view_mut(dst).chunks_exact_mut(STEP).enumerate() {
        let mut sums = [start; STEP];
        let mut room = FOLD;
        for (row, &weight) in rows.iter().zip(weights) {
            if room == 0 {
                // A loop, not a map: its closure is not inlined into the vector code.
                for sum in &mut sums {
                    *sum = m.fold(*sum);
                }
                room = FOLD;
            }
            room -= 1;
            let w = s.splat(weight);
            for (sum, &x) in sums.iter_mut().zip(&row[i * STEP..][..STEP]) {
                *sum = s.add_wide(*sum, s.mul_wide(x, s.odd(x), w, w));
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = m.montgomery(sum);
        }
    }
}
