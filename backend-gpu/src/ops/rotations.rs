//! Rotations that share their digits: several of one ciphertext, and sums of them.

use arras_hal::{GaloisElement, KeySwitchPlan, Result};
use arras_shaders::ROTATIONS_PER_DISPATCH;

use super::{
    View,
    key_switch::sum_limbs,
    product::{Addend, Digits, Product, Weight},
};
use crate::{GpuBuf, GpuEngine, GpuKey, GpuRing, memory::Block};

impl GpuEngine {
    /// Every rotation of `[2][B]`, with the digits extended once.
    pub(crate) fn hoisted(
        &self,
        ring: &GpuRing,
        dsts: &[&GpuBuf],
        src: &GpuBuf,
        keys: &[Option<&GpuKey>],
        galois: &[GaloisElement],
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let batch = src.shape.polys / 2;
        let all = View::new(src, 2);
        for piece in self.switch_pieces(ring, batch, plan) {
            let c0 = all.item(piece.start);
            let digits = self.hoist(ring, c0, keys, plan, piece.len())?;
            // As many rotations at a time as one binding holds sums of.
            let (n, rows) = (ring.basis.n(), 2 * piece.len() * plan.ext().len());
            for range in self.pieces(dsts.len(), 2 * piece.len() * sum_limbs(plan) * n) {
                let block = self.recorder().alloc(range.len() * rows * n)?;
                let sums = View::of_block(&block, plan.ext().len(), piece.len());
                let mut outputs = Vec::with_capacity(range.len());
                for (k, rotation) in range.enumerate() {
                    let key = keys[rotation];
                    let (digits, addend) = term(c0, digits.as_ref(), key, plan, piece.len());
                    let product = Product {
                        plan: Some(plan.id()),
                        digits,
                        galois: galois[rotation],
                        addend: Some(addend),
                        ..Product::new(sums.component(2 * k), plan.ext(), piece.len())
                    };
                    self.product(ring, &product);
                    outputs.push(View::new(dsts[rotation], 2).item(piece.start));
                }
                let rescale = plan.mod_down().rescale();
                self.rescale_rows(ring, &outputs, sums, (2, piece.len()), rescale)?;
            }
        }
        Ok(())
    }

    /// The weighted sum of rotations of `[2][B]`, brought down once.
    pub(crate) fn summed(
        &self,
        ring: &GpuRing,
        dst: &GpuBuf,
        src: &GpuBuf,
        keys: &[Option<&GpuKey>],
        galois: &[GaloisElement],
        weights: &[&GpuBuf],
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let batch = src.shape.polys / 2;
        let all = View::new(src, 2);
        let ext = plan.ext();
        let parts = sum_parts(keys, !weights.is_empty());
        for piece in self.switch_pieces(ring, batch, plan) {
            let c0 = all.item(piece.start);
            let digits = self.hoist(ring, c0, keys, plan, piece.len())?;
            let block = self.sum_block(ring, piece.len(), plan)?;
            let sum = View::of_block(&block, ext.len(), piece.len());
            for (index, part) in parts.iter().enumerate() {
                let first = part.rotations.first().or(part.identity.as_ref());
                let Some(&first) = first else { continue };
                let (digits, addend) = term(c0, digits.as_ref(), keys[first], plan, piece.len());
                let more = part.rotations.iter().skip(1);
                let more: Vec<_> = more.filter_map(|&k| Some((keys[k]?, galois[k]))).collect();
                self.product(
                    ring,
                    &Product {
                        plan: Some(plan.id()),
                        dst: sum,
                        limbs: ext,
                        batch: piece.len(),
                        digits,
                        galois: galois[first],
                        more: &more,
                        unmoved: part.identity.is_some() && !part.rotations.is_empty(),
                        addend: Some(addend),
                        weight: weights.get(first).map(|buf| Weight {
                            buf,
                            batch,
                            first: piece.start,
                        }),
                        accumulate: index > 0,
                    },
                );
            }
            let dst = View::new(dst, 2).item(piece.start);
            let rescale = plan.mod_down().rescale();
            self.rescale_rows(ring, &[dst], sum, (2, piece.len()), rescale)?;
        }
        Ok(())
    }

    /// Extended digits of component 1, unless no rotation needs them.
    fn hoist(
        &self,
        ring: &GpuRing,
        c0: View<'_>,
        keys: &[Option<&GpuKey>],
        plan: &KeySwitchPlan,
        batch: usize,
    ) -> Result<Option<Block>> {
        if keys.iter().all(Option::is_none) {
            return Ok(None);
        }
        let digits = self.digits_block(ring, batch, plan)?;
        self.extend_digits(ring, &digits, c0.component(1), batch, plan.mod_up())?;
        Ok(Some(digits))
    }
}

/// Terms of a sum of rotations that one launch adds up.
struct SumPart {
    /// Those with keys.
    rotations: Vec<usize>,
    /// One without.
    identity: Option<usize>,
}

/// All terms in parts: with weights each alone, otherwise as many as a launch takes whose keys lie alike, and one without a key
/// beside the first of them.
fn sum_parts(keys: &[Option<&GpuKey>], weighted: bool) -> Vec<SumPart> {
    let most = if weighted { 1 } else { ROTATIONS_PER_DISPATCH };
    let layout = |k: usize| keys[k].map(|key| key.layout_number);
    let mut parts: Vec<SumPart> = Vec::new();
    for k in (0..keys.len()).filter(|&k| keys[k].is_some()) {
        match parts.last_mut() {
            Some(part) if part.rotations.len() < most && layout(part.rotations[0]) == layout(k) => {
                part.rotations.push(k);
            }
            _ => parts.push(SumPart {
                rotations: vec![k],
                identity: None,
            }),
        }
    }
    for k in (0..keys.len()).filter(|&k| keys[k].is_none()) {
        match parts.first_mut() {
            Some(part) if !weighted && part.identity.is_none() => part.identity = Some(k),
            _ => parts.push(SumPart {
                rotations: Vec::new(),
                identity: Some(k),
            }),
        }
    }
    parts
}

/// One rotation: digits with their key and component 0 as addend; without a key (the identity) both components, lifted.
fn term<'a>(
    c0: View<'a>,
    digits: Option<&'a Block>,
    key: Option<&'a GpuKey>,
    plan: &'a KeySwitchPlan,
    batch: usize,
) -> (Option<Digits<'a>>, Addend<'a>) {
    let digits = digits.zip(key).map(|(block, key)| Digits {
        rows: View::of_block(block, plan.ext().len(), batch),
        own: Some((c0.component(1), &**plan.mod_up())),
        key,
        key_digits: plan.mod_up().key_digits(),
    });
    let addend = Addend {
        rows: c0,
        components: if digits.is_some() { 1 } else { 2 },
        plan: plan.mod_down(),
    };
    (digits, addend)
}
