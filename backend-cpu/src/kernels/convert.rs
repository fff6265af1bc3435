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

/// How far ahead in its row a word is asked for, in words: too many rows are walked side by side for the processor to do it.
const AHEAD: usize = 256;

/// Targets of one [`convert`].
pub(crate) const MAX_TARGETS: usize = 4;

/// A target of a conversion: weights are canonical and have the factor 2^32 folded in, `start` has it too.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) prime: &'a Prime,
    pub(crate) weights: &'a [u32],
    pub(crate) start: u32,
}

/// `dst = start + sum of weight_i * x_i * 2^-32 mod q` in [0, 4q), what the forward NTT takes, for at most [`MAX_TARGETS`] rows of
/// targets. Sources are residues below 2^30 (or quotients, which are less). Lengths are multiples of [`STEP`] vectors.
///
/// Sources come from a second-level cache, so each vector is loaded once for all targets.
#[inline(always)]
pub(crate) fn convert<S: Simd>(
    s: S,
    dst: &mut [&mut [u32]],
    sources: &[&[u32]],
    targets: &[Weights<'_>],
) {
    let rows: [&[S::V]; MAX_SOURCES] = views(s, sources);
    let rows = &rows[..sources.len()];
    match (dst, targets) {
        ([a, b, c, d], [ta, tb, tc, td]) if S::LOG > 0 => {
            convert_to(s, [a, b, c, d], rows, [ta, tb, tc, td]);
        }
        ([a, b, c], [ta, tb, tc]) if S::LOG > 0 => convert_to(s, [a, b, c], rows, [ta, tb, tc]),
        ([a, b], [ta, tb]) if S::LOG > 0 => convert_to(s, [a, b], rows, [ta, tb]),
        (dst, targets) => {
            for (dst, target) in dst.iter_mut().zip(targets) {
                convert_one(s, dst, rows, target);
            }
        }
    }
}

/// One vector of `T` targets at a time.
#[inline(always)]
fn convert_to<S: Simd, const T: usize>(
    s: S,
    dst: [&mut [u32]; T],
    rows: &[&[S::V]],
    targets: [&Weights<'_>; T],
) {
    let m = targets.map(|t| Modular::new(s, t.prime));
    let dst = dst.map(|d| s.view_mut(d));
    let mut weights = [[0; T]; MAX_SOURCES];
    for (i, weights) in weights.iter_mut().enumerate().take(rows.len()) {
        for (weight, target) in weights.iter_mut().zip(targets) {
            *weight = target.weights[i];
        }
    }
    let weights = &weights[..rows.len()];
    // One chunk, nothing carried: 11 q 2^30 + q < 3 q 2^32, which `montgomery_lazy` takes.
    let few = rows.len() <= FOLD;
    for i in 0..dst[0].len() {
        let mut sums = [s.widen_low(s.splat(0)); T];
        for t in 0..T {
            sums[t] = s.widen_low(s.splat(targets[t].start));
        }
        let chunks = rows.chunks(FOLD).zip(weights.chunks(FOLD));
        let mut first = true;
        for (rows, weights) in chunks {
            if !first {
                for t in 0..T {
                    sums[t] = m[t].fold(sums[t]);
                }
            }
            first = false;
            for (row, weights) in rows.iter().zip(weights) {
                let x = row[i];
                s.prefetch(row, i + AHEAD / S::LANES);
                let odd = s.odd(x);
                for t in 0..T {
                    let w = s.splat(weights[t]);
                    sums[t] = s.add_wide(sums[t], s.mul_wide(x, odd, w, w));
                }
            }
        }
        for t in 0..T {
            dst[t][i] = if few {
                m[t].montgomery_lazy(sums[t])
            } else {
                m[t].montgomery(sums[t])
            };
        }
    }
}

#[inline(always)]
fn convert_one<S: Simd>(s: S, dst: &mut [u32], rows: &[&[S::V]], target: &Weights<'_>) {
    let m = Modular::new(s, target.prime);
    let start = s.widen_low(s.splat(target.start));
    for (i, out) in s.view_mut(dst).chunks_exact_mut(STEP).enumerate() {
        let mut sums = [start; STEP];
        let mut room = FOLD;
        for (row, &weight) in rows.iter().zip(target.weights) {
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
