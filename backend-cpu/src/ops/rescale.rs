//! Rational rescale and mod_down, fused.
//!
//! ```text
//!   x_i   = intt(in_i) * N^-1 (S/s_i)^-1 R      dropped i;  in = src + P sigma(addend)
//!   v     = quotient(x)
//!   out_d = src_d * (R/S) + sigma(addend)_d * (P R/S) - ntt(convert(x, v))_d * (1/S)
//! ```
//! The last line is one pass over the row; a restored limb has only its last term.

use arras_hal::{ModDownPlan, RescalePlan, Result};

use super::convert::{Sources, Target, convert_rows};
use crate::{
    CpuEngine, CpuRing,
    kernels::switch::Terms,
    memory::{CpuBuf, View},
    permutation::Permutation,
    simd,
};

/// What a rescale reads: `src + P * sigma(addend)`.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// Over the plan's input limbs; absent means zero.
    pub(super) src: Option<View<'a>>,
    /// Over the window, for the first polynomials of the output, with P.
    pub(super) addend: Option<(View<'a>, &'a ModDownPlan)>,
    /// sigma.
    pub(super) permutation: Option<&'a Permutation>,
}

impl<'a> Input<'a> {
    /// The row of the addend for polynomial p of the output at a limb, with P modulo its prime.
    fn addend(&self, poly: usize, limb: usize) -> Option<(&'a [u32], u32)> {
        let (addend, plan) = self.addend?;
        if poly >= addend.polys() {
            return None;
        }
        let position = plan.window().position(limb)?;
        let factor = plan.special_product().as_slice()[position].value;
        Some((addend.row(poly, position), factor))
    }
}

impl CpuEngine {
    pub(super) fn rescale_input(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        input: Input<'_>,
        plan: &RescalePlan,
    ) -> Result<()> {
        let (n, polys, level) = (ring.n(), dst.polys(), ring.level());
        debug_assert_eq!(&dst.shape().limbs, plan.to());
        let dropped = plan.dropped();
        let secret = dst.is_secret();
        let mut x = self.scratch(dropped.len() * polys * n, secret)?;
        self.each_chunk(x.as_mut(), n, |row, words| {
            let (i, p) = (row / polys, row % polys);
            let limb = dropped.at(i);
            let prime = ring.prime(limb);
            let src = input.src.map(|src| src.row(p, plan.dropped_in_from()[i]));
            let addend = input.addend(p, limb);
            let factor = addend.map_or(0, |(_, factor)| factor);
            let addend = addend.map(|(row, _)| row);
            simd::lift(level, prime, words, src, addend, input.permutation, factor);
            let scale = plan.source_scale().as_slice()[i].value;
            simd::inverse(level, prime, words, prime.mul(prime.n_inverse, scale));
        });
        let x = x.as_ref();
        let source = |p: usize, i: usize| &x[(i * polys + p) * n..][..n];
        let table = plan.table();
        let quotients = self.quotients(ring, table, (polys, secret), source)?;

        let group = self.group(plan.to().len(), polys);
        self.each_chunk(dst.words_mut(), group * polys * n, |g, words| {
            let first = g * group;
            let count = words.len() / (polys * n);
            let targets: Vec<Target> = (first..first + count)
                .map(|t| Target::new(ring, table, t))
                .collect();
            for p in 0..polys {
                let mut sources = Sources::new((0..dropped.len()).map(|i| source(p, i)));
                sources.push(&quotients.as_ref()[p * n..][..n]);
                convert_rows(ring, &sources, &targets, words, |k| (k * polys + p) * n);
            }
            for (row, words) in words.chunks_exact_mut(n).enumerate() {
                let (t, p) = (first + row / polys, row % polys);
                let limb = plan.to().at(t);
                let prime = ring.prime(limb);
                simd::forward(level, prime, words, false);
                let inverse = plan.dropped_inverse().as_slice()[t].value;
                let kept = prime.mul(plan.restored_product().as_slice()[t].value, inverse);
                // What is restored was zero before, the addend too.
                let terms = match plan.to_in_from()[t] {
                    None => Terms::only(prime.to_montgomery(prime.neg(inverse))),
                    Some(from) => Terms {
                        src: input
                            .src
                            .map(|src| (src.row(p, from), prime.to_montgomery(kept))),
                        addend: input.addend(p, limb).map(|(row, special)| {
                            (row, prime.to_montgomery(prime.mul(special, kept)))
                        }),
                        permutation: input.permutation,
                        factor: prime.to_montgomery(prime.neg(inverse)),
                    },
                };
                simd::combine(level, prime, words, terms);
            }
        });
        Ok(())
    }
}
