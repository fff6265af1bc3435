//! The pieces of key switching: digits of a polynomial, their extension to other limbs, inner products with a key.
//!
//! ```text
//!   x        = intt of the window, times the digits' constants, plus half     [window limb][B]     once
//!   digits   = convert + ntt                                [some limbs][digit][B]     a task's scratch
//!   sums     = inner products with the key                  [2][B]     of one limb
//! ```

use arras_hal::{GaloisElement, ModUpPlan, Result};

use super::{
    CpuKey,
    batch::{Grid, Needs, split, stride},
    convert::{Sources, Target, convert_rows},
};
use crate::{
    CpuEngine, CpuRing,
    kernels::{PIECE, inner::MAX_DIGITS},
    memory::{CpuBuf, View, Words},
    permutation::Permutation,
    simd,
};

impl CpuEngine {
    /// The coefficients of `src` as conversions read them: `[window limb][B]`.
    pub(super) fn prepare_digits(
        &self,
        ring: &CpuRing,
        src: View<'_>,
        plan: &ModUpPlan,
        secret: bool,
    ) -> Result<Words> {
        let (n, stride, batch) = (ring.n(), stride(ring.n()), src.polys());
        let mut x = self.scratch(plan.window().len() * batch * stride, secret)?;
        self.each_chunk(x.as_mut(), stride, |row, words| {
            let (w, p) = (row / batch, row % batch);
            let (limb, words) = (plan.window().at(w), &mut words[..n]);
            let prime = ring.prime(limb);
            let found = plan
                .digits()
                .iter()
                .find_map(|d| Some((d, d.source().position(limb)?)));
            debug_assert!(found.is_some(), "digits cover the window");
            let Some((digit, i)) = found else { return };
            words.copy_from_slice(src.row(p, w));
            let scale = digit.source_scale().as_slice()[i].value;
            let factor = prime.mul(prime.n_inverse, scale);
            simd::inverse(ring.level(), prime, words, factor);
            simd::add_constant(ring.level(), prime, words, digit.table().half()[i]);
        });
        Ok(x)
    }

    /// All digits at some extended limbs (positions), rows `[limb][digit][B]`, canonical evaluations.
    pub(super) fn extend(
        &self,
        ring: &CpuRing,
        plan: &ModUpPlan,
        src: View<'_>,
        x: &Words,
        limbs: &[usize],
        rows: &mut [&mut [u32]],
    ) {
        let batch = src.polys();
        let x = Grid::new(x.as_ref(), ring.n(), stride(ring.n()));
        let digits = plan.digits();
        let row = |k: usize, j: usize, p: usize| (k * digits.len() + j) * batch + p;
        for (j, digit) in digits.iter().enumerate() {
            let mut places = [0; MAX_GROUP];
            let mut targets: Vec<Target> = Vec::with_capacity(limbs.len());
            for (k, &e) in limbs.iter().enumerate() {
                let limb = plan.ext().at(e);
                if let Some(position) = digit.table().to().position(limb) {
                    places[targets.len()] = k;
                    targets.push(Target::new(ring, digit.table(), position));
                } else if let Some(w) = plan.window().position(limb) {
                    for p in 0..batch {
                        rows[row(k, j, p)].copy_from_slice(src.row(p, w));
                    }
                }
            }
            for p in 0..batch {
                let sources = digit.source_in_window().iter();
                let sources = Sources::new(sources.map(|&w| x.row(w * batch + p)));
                convert_rows(ring, &sources, &targets, rows, |k| row(places[k], j, p));
            }
            for (target, &k) in targets.iter().zip(&places) {
                for p in 0..batch {
                    let words = &mut *rows[row(k, j, p)];
                    simd::forward(ring.level(), ring.prime(target.limb()), words, true);
                }
            }
        }
    }

    pub(super) fn mod_up_buffer(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        src: &CpuBuf,
        plan: &ModUpPlan,
    ) -> Result<()> {
        let secret = dst.is_secret();
        let words = plan.window().len() * stride(ring.n());
        self.each_part(
            ring.n(),
            (src.polys(), words),
            &mut [dst],
            |_, count| Needs {
                part: vec![words * count],
                task: Vec::new(),
            },
            |engine, part, dst| {
                let src = src.all().of(part);
                engine.mod_up_rows(ring, &mut dst[0], src, plan, secret)
            },
        )
    }

    /// All digits at all extended limbs, rows `[limb][digit][B]`.
    pub(super) fn mod_up_rows(
        &self,
        ring: &CpuRing,
        rows: &mut [&mut [u32]],
        src: View<'_>,
        plan: &ModUpPlan,
        secret: bool,
    ) -> Result<()> {
        let x = self.prepare_digits(ring, src, plan, secret)?;
        let each = plan.digits().len() * src.polys();
        let group = self.group(plan.ext().len(), each);
        self.each_rows(rows, group * each, |g, rows| {
            let mut limbs = [0; MAX_GROUP];
            let limbs = &mut limbs[..rows.len() / each];
            for (k, limb) in limbs.iter_mut().enumerate() {
                *limb = g * group + k;
            }
            self.extend(ring, plan, src, &x, limbs, rows);
            Ok(())
        })
    }

    /// The inner products of one limb, added to `out` if asked: `digits` is `[digit][B]`, `out` has the rows `[2][B]`.
    pub(super) fn inner_products(
        &self,
        ring: &CpuRing,
        limb: usize,
        digits: Grid<'_>,
        (key, key_digits): (&CpuKey, &[usize]),
        permutation: Option<&Permutation>,
        out: &mut [&mut [u32]],
        accumulate: bool,
    ) {
        let n = ring.n();
        let batch = out.len() / 2;
        let len = n.min(PIECE);
        let position = key.layout.limbs.position(limb);
        debug_assert!(position.is_some(), "the key has the limb");
        let position = position.unwrap_or_default();
        let prime = ring.prime(limb);
        let (b, a) = out.split_at_mut(batch);
        for at in (0..n).step_by(len) {
            for (chunk, numbers) in key_digits.chunks(MAX_DIGITS).enumerate() {
                let key = (key.piece(position, at, len), key.layout.digits, numbers);
                for p in 0..batch {
                    let mut rows: [&[u32]; MAX_DIGITS] = [&[]; MAX_DIGITS];
                    for (j, row) in rows.iter_mut().take(numbers.len()).enumerate() {
                        *row = digits.row((chunk * MAX_DIGITS + j) * batch + p);
                    }
                    let dst = [&mut b[p][at..at + len], &mut a[p][at..at + len]];
                    let rows = &rows[..numbers.len()];
                    let (level, more) = (ring.level(), accumulate || chunk > 0);
                    simd::inner_product(level, prime, dst, at, rows, key, permutation, more);
                }
            }
        }
    }

    pub(super) fn inner_product_buffer(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        digits: &CpuBuf,
        key: (&CpuKey, &[usize]),
        galois: GaloisElement,
    ) {
        let permutation = ring.permutation(galois);
        let (n, polys) = (ring.n(), dst.polys());
        let limbs = dst.shape().limbs.clone();
        let all = Grid::new(digits.words(), n, n);
        self.each_chunk(dst.words_mut(), polys * n, |l, out| {
            let (limb, digits) = (limbs.at(l), all.from(l * digits.polys()));
            let mut out = split(out, n, n);
            let permutation = permutation.as_deref();
            self.inner_products(ring, limb, digits, key, permutation, &mut out, false);
        });
    }
}

/// The most limbs of one task.
pub(super) const MAX_GROUP: usize = 4;
