//! Key switching and what is built on it.
//!
//! ```text
//!   src --intt, scale--> coefficients --convert all digits--> ntt --+
//!   src (a digit's own limbs) -------------------------------------+-> product with the key + P * addend --> rescale
//! ```
//! Scratch is `[digit][batch][ext]` rows. Where that exceeds what one binding can cover, the batch goes through in
//! pieces.

use std::ops::Range;

use arras_hal::{Backend, GaloisElement, KeySwitchPlan, ModDownPlan, Result};
use arras_shaders::Elementwise;

use super::{
    View,
    product::{Addend, Digits, Product},
};
use crate::{GpuBuf, GpuEngine, GpuKey, GpuRing, memory::Block};

impl GpuEngine {
    /// Ranges of a batch for which scratch of `words` per item fits one binding.
    pub(super) fn pieces(
        &self,
        batch: usize,
        words: usize,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let fit = (self.memory().largest_binding() / (words as u64 * 4)).max(1);
        let step = usize::try_from(fit).unwrap_or(usize::MAX).min(batch).max(1);
        (0..batch)
            .step_by(step)
            .map(move |first| first..(first + step).min(batch))
    }

    /// [`GpuEngine::pieces`] for extended digits, a sum over the extended limbs and its two components brought down.
    pub(super) fn switch_pieces(
        &self,
        ring: &GpuRing,
        batch: usize,
        plan: &KeySwitchPlan,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let digits = plan.mod_up().digits().len() * plan.ext().len();
        let rows = digits.max(2 * sum_limbs(plan));
        self.pieces(batch, rows * ring.basis.n())
    }

    pub(super) fn digits_block(
        &self,
        ring: &GpuRing,
        items: usize,
        plan: &KeySwitchPlan,
    ) -> Result<Block> {
        let rows = plan.mod_up().digits().len() * items * plan.ext().len();
        self.recorder().alloc(rows * ring.basis.n())
    }

    /// Both components of a sum over the extended limbs.
    pub(super) fn sum_block(
        &self,
        ring: &GpuRing,
        items: usize,
        plan: &KeySwitchPlan,
    ) -> Result<Block> {
        let rows = 2 * items * plan.ext().len();
        self.recorder().alloc(rows * ring.basis.n())
    }

    /// Key switch of `batch` polynomials at `src`; `dst` is `[2][batch]`.
    pub(crate) fn switch(
        &self,
        ring: &GpuRing,
        dst: View<'_>,
        src: View<'_>,
        addend: Option<(View<'_>, usize)>,
        key: &GpuKey,
        galois: GaloisElement,
        (plan, batch): (&KeySwitchPlan, usize),
    ) -> Result<()> {
        for piece in self.switch_pieces(ring, batch, plan) {
            let src = src.item(piece.start);
            let digits = self.digits_block(ring, piece.len(), plan)?;
            self.extend_digits(ring, &digits, src, piece.len(), plan.mod_up())?;
            let addend = addend.map(|(rows, components)| Addend {
                rows: rows.item(piece.start),
                components,
                plan: plan.mod_down(),
            });
            let digits = Digits {
                rows: View::of_block(&digits, plan.ext().len(), piece.len()),
                own: Some((src, plan.mod_up())),
                key,
                key_digits: plan.mod_up().key_digits(),
            };
            let dst = dst.item(piece.start);
            let ext = plan.ext();
            let block = self.sum_block(ring, piece.len(), plan)?;
            let sum = View::of_block(&block, ext.len(), piece.len());
            let product = Product {
                plan: Some(plan.id()),
                digits: Some(digits),
                galois,
                addend,
                ..Product::new(sum, ext, piece.len())
            };
            self.product(ring, &product);
            let rescale = plan.mod_down().rescale();
            self.rescale_rows(ring, &[dst], sum, (2, piece.len()), rescale)?;
        }
        Ok(())
    }

    /// `dst = rescale(src + P * sigma(addend))`.
    pub(crate) fn add_and_down(
        &self,
        ring: &GpuRing,
        dst: &GpuBuf,
        src: &GpuBuf,
        addend: &GpuBuf,
        galois: GaloisElement,
        plan: &ModDownPlan,
    ) -> Result<()> {
        let batch = src.shape.polys / 2;
        let components = addend.shape.polys / batch;
        let sum = self.alloc(ring, &src.shape)?;
        self.elementwise(ring, Elementwise::Copy, &sum, &[src], (None, 0));
        let product = Product {
            plan: Some(plan.id()),
            galois,
            addend: Some(Addend {
                rows: View::new(addend, components),
                components,
                plan,
            }),
            accumulate: true,
            ..Product::new(View::new(&sum, 2), plan.ext(), batch)
        };
        self.product(ring, &product);
        let (dst, src) = (View::new(dst, 2), View::new(&sum, 2));
        self.rescale_rows(ring, &[dst], src, (2, batch), plan.rescale())
    }
}

/// Limbs of a sum before it is brought down, or after, where those are more.
pub(super) fn sum_limbs(plan: &KeySwitchPlan) -> usize {
    let after = plan.mod_down().rescale().to().len();
    plan.ext().len().max(after)
}
