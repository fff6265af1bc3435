//! Rational rescale and mod_down, fused.
//!
//! ```text
//!   x_i   = intt(in_i) * N^-1 (S/s_i)^-1 R      dropped i;  in = src + P sigma(addend)
//!   v     = quotient(x)
//!   out_d = src_d * (R/S) + sigma(addend)_d * (P R/S) - ntt(convert(x, v))_d * (1/S)
//! ```
//! The last line is one pass over the row; a restored limb has only its last term.

use arras_hal::{ModDownPlan, RescalePlan, Result};

use super::{
    batch::{Grid, Needs, stride},
    convert::{Sources, Target, convert_rows},
};
use crate::{
    CpuEngine, CpuRing,
    kernels::{dispatch, switch::Terms},
    memory::{CpuBuf, Part, View, Words},
    permutation::Permutation,
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
    pub(super) fn addend(&self, poly: usize, limb: usize) -> Option<(&'a [u32], u32)> {
        let (addend, plan) = self.addend?;
        if poly >= addend.polys() {
            return None;
        }
        let position = plan.window().position(limb)?;
        let factor = plan.special_product().as_slice()[position].value;
        Some((addend.row(poly, position), factor))
    }

    /// A part of a batch.
    pub(super) fn of(&self, part: Part) -> Self {
        Self {
            src: self.src.map(|src| src.of(part)),
            addend: self.addend.map(|(addend, plan)| (addend.of(part), plan)),
            permutation: self.permutation,
        }
    }
}

/// The dropped limbs on the way down: coefficients as conversions read them, `[dropped][poly]`, and their quotients, `[poly]`.
pub(super) struct Dropped {
    x: Words,
    quotients: Words,
    polys: usize,
}

impl Dropped {
    fn sources(&self, n: usize, count: usize, poly: usize) -> Sources<'_> {
        let x = Grid::new(self.x.as_ref(), n, stride(n));
        let mut sources = Sources::new((0..count).map(|i| x.row(i * self.polys + poly)));
        sources.push(Grid::new(self.quotients.as_ref(), n, stride(n)).row(poly));
        sources
    }
}

/// A dropped limb's evaluations, those of `src` or the row's own, to the coefficients that a conversion reads.
pub(super) fn drop_row(
    ring: &CpuRing,
    plan: &RescalePlan,
    i: usize,
    words: &mut [u32],
    src: Option<&[u32]>,
) {
    let prime = ring.prime(plan.dropped().at(i));
    let scale = plan.source_scale().as_slice()[i].value;
    dispatch::inverse(
        ring.level(),
        prime,
        words,
        src,
        prime.mul(prime.n_inverse, scale),
    );
}

/// The last step of target t: its row, with what was converted to it, becomes the result. `src` is absent where the input has no
/// such term. What will be read next, `ahead`, is fetched meanwhile.
pub(super) fn finish_row(
    ring: &CpuRing,
    plan: &RescalePlan,
    t: usize,
    words: &mut [u32],
    src: Option<&[u32]>,
    addend: Option<(&[u32], u32)>,
    permutation: Option<&Permutation>,
    ahead: &[u32],
) {
    let (level, prime) = (ring.level(), ring.prime(plan.to().at(t)));
    dispatch::forward(level, prime, words, false, ahead);
    let inverse = plan.dropped_inverse().as_slice()[t].value;
    let kept = prime.mul(plan.restored_product().as_slice()[t].value, inverse);
    // What is restored was zero before, the addend too.
    let terms = if plan.to_in_from()[t].is_none() {
        Terms::only(prime.to_montgomery(prime.neg(inverse)))
    } else {
        Terms {
            src: src.map(|src| (src, prime.to_montgomery(kept))),
            addend: addend
                .map(|(row, special)| (row, prime.to_montgomery(prime.mul(special, kept)))),
            permutation,
            factor: prime.to_montgomery(prime.neg(inverse)),
        }
    };
    dispatch::combine(level, prime, words, terms);
}

impl CpuEngine {
    /// The quotients of dropped limbs.
    pub(super) fn dropped(
        &self,
        ring: &CpuRing,
        plan: &RescalePlan,
        x: Words,
        (polys, secret): (usize, bool),
    ) -> Result<Dropped> {
        let n = ring.n();
        let rows = Grid::new(x.as_ref(), n, stride(n));
        let source = |p: usize, i: usize| rows.row(i * polys + p);
        let quotients = self.quotients(ring, plan.table(), (polys, secret), source)?;
        Ok(Dropped {
            x,
            quotients,
            polys,
        })
    }

    /// Converts to the targets from `first` on whose rows these are, `[target][poly]`.
    pub(super) fn convert_down(
        &self,
        ring: &CpuRing,
        plan: &RescalePlan,
        dropped: &Dropped,
        first: usize,
        rows: &mut [&mut [u32]],
    ) {
        let polys = dropped.polys;
        let targets: Vec<Target> = (first..first + rows.len() / polys)
            .map(|t| Target::new(ring, plan.table(), t))
            .collect();
        for p in 0..polys {
            let sources = dropped.sources(ring.n(), plan.dropped().len(), p);
            convert_rows(ring, &sources, &targets, rows, |k| k * polys + p);
        }
    }

    /// Rescales a batch of `[components][batch]` polynomials.
    pub(super) fn rescale_input(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        input: Input<'_>,
        batch: usize,
        plan: &RescalePlan,
    ) -> Result<()> {
        debug_assert_eq!(&dst.shape().limbs, plan.to());
        let (stride, secret) = (stride(ring.n()), dst.is_secret());
        let rows = (dst.polys() / batch) * plan.dropped().len();
        self.each_part(
            ring.n(),
            (batch, rows * stride),
            &mut [dst],
            |_, count| Needs {
                part: vec![
                    rows * count * stride,
                    rows / plan.dropped().len().max(1) * count * stride,
                ],
                task: Vec::new(),
            },
            |engine, part, dst| {
                engine.rescale_rows(ring, &mut dst[0], input.of(part), plan, secret)
            },
        )
    }

    pub(super) fn rescale_rows(
        &self,
        ring: &CpuRing,
        dst: &mut [&mut [u32]],
        input: Input<'_>,
        plan: &RescalePlan,
        secret: bool,
    ) -> Result<()> {
        let (n, stride, level) = (ring.n(), stride(ring.n()), ring.level());
        let polys = dst.len() / plan.to().len();
        let mut x = self.scratch(plan.dropped().len() * polys * stride, secret)?;
        self.each_chunk(x.as_mut(), stride, |row, words| {
            let (i, p) = (row / polys, row % polys);
            let (words, limb) = (&mut words[..n], plan.dropped().at(i));
            let src = input.src.map(|src| src.row(p, plan.dropped_in_from()[i]));
            let addend = input.addend(p, limb);
            match (addend, src) {
                // The coefficients of nothing.
                (None, None) => words.fill(0),
                (None, src) => drop_row(ring, plan, i, words, src),
                (Some((addend, factor)), src) => {
                    let (prime, permutation) = (ring.prime(limb), input.permutation);
                    dispatch::lift(level, prime, words, src, addend, permutation, factor);
                    drop_row(ring, plan, i, words, None);
                }
            }
        });
        let dropped = self.dropped(ring, plan, x, (polys, secret))?;
        let group = self.group(plan.to().len(), polys);
        self.each_rows(dst, group * polys, |g, rows| {
            let first = g * group;
            self.convert_down(ring, plan, &dropped, first, rows);
            for (row, words) in rows.iter_mut().enumerate() {
                let (t, p) = (first + row / polys, row % polys);
                let addend = input.addend(p, plan.to().at(t));
                let src = plan.to_in_from()[t];
                let src = src.and_then(|from| Some(input.src?.row(p, from)));
                finish_row(ring, plan, t, words, src, addend, input.permutation, &[]);
            }
            Ok(())
        })
    }
}
