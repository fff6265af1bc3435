//! Key switching and what is built on it.
//!
//! ```text
//!   src --intt, scale--> coefficients --convert all digits--> ntt --+
//!   src (a digit's own limbs) -------------------------------------+-> product with the key + P * addend --> rescale
//! ```
//! Scratch is `[digit][batch][ext]` rows. Where that exceeds what one binding can cover, the batch goes through in
//! pieces.

use std::ops::Range;

use arras_hal::{GaloisElement, KeySwitchPlan, Limbs, ModDownPlan, ModUpPlan, Result};
use arras_shaders::{
    Elementwise, Kernel, ROTATIONS_PER_DISPATCH,
    layout::{Entry, NONE, flags},
};

use super::View;
use crate::{
    GpuBuf, GpuEngine, GpuKey, GpuRing,
    buffer::KeyBlock,
    lists::{List, ListKey, Site},
    memory::Block,
};

/// What is added to component 0, or to both, times P.
#[derive(Clone, Copy)]
pub(crate) struct Addend<'a> {
    pub(crate) rows: View<'a>,
    pub(crate) components: usize,
    pub(crate) plan: &'a ModDownPlan,
}

/// The inner product's factor in a weighted sum of rotations.
#[derive(Clone, Copy)]
pub(crate) struct Weight<'a> {
    pub(crate) buf: &'a GpuBuf,
    /// Batch items of the whole operation, and the first of this piece.
    pub(crate) batch: usize,
    pub(crate) first: usize,
}

/// Digits and the key they meet.
#[derive(Clone, Copy)]
pub(crate) struct Digits<'a> {
    /// `[digit][batch]` over the product's limbs.
    pub(crate) rows: View<'a>,
    /// Where a digit's own limbs are instead, and which they are.
    pub(crate) own: Option<(View<'a>, &'a ModUpPlan)>,
    pub(crate) key: &'a GpuKey,
    pub(crate) key_digits: &'a [usize],
}

/// One launch of the inner product; see the kernel for the formula.
pub(crate) struct Product<'a> {
    /// A plan that limbs, own limbs, addend and key digits are of; none if they are the caller's.
    pub(crate) plan: Option<u64>,
    pub(crate) dst: View<'a>,
    pub(crate) limbs: &'a Limbs,
    pub(crate) batch: usize,
    pub(crate) digits: Option<Digits<'a>>,
    pub(crate) galois: GaloisElement,
    /// More rotations of the same digits and addend, with keys of the same layout: at most
    /// [`ROTATIONS_PER_DISPATCH`] in all, and no weight.
    pub(crate) more: &'a [(&'a GpuKey, GaloisElement)],
    /// The identity too: both components of the addend.
    pub(crate) unmoved: bool,
    pub(crate) addend: Option<Addend<'a>>,
    pub(crate) weight: Option<Weight<'a>>,
    pub(crate) accumulate: bool,
}

impl GpuEngine {
    pub(crate) fn product(&self, ring: &GpuRing, product: &Product<'_>) {
        let Some(digits) = product.digits else {
            self.launch_product(ring, product, 0, None);
            return;
        };
        for (index, part) in digits.key.blocks.iter().enumerate() {
            self.launch_product(ring, product, index, Some(part));
        }
    }

    fn launch_product(
        &self,
        ring: &GpuRing,
        product: &Product<'_>,
        index: usize,
        part: Option<&KeyBlock>,
    ) {
        let make = || (product_entries(ring, product, part), key_digits(product));
        let list = if let Some(plan) = product.plan {
            // What is absent is 0.
            let base = |view: Option<View<'_>>| view.map_or(0, |view| view.base + 1);
            let numbers = [
                product.dst.base,
                base(product.digits.map(|d| d.rows)),
                base(product.digits.and_then(|d| d.own).map(|(rows, _)| rows)),
                base(product.addend.map(|a| a.rows)),
                product.digits.map_or(0, |d| d.key.layout_number + 1),
                index,
            ];
            ring.lists
                .get(ListKey::new(Site::Product, plan, numbers), make)
        } else {
            let (entries, tail) = make();
            List::once(entries, tail)
        };
        if list.entries.is_empty() {
            return;
        }
        let digits = product.digits.map(|d| d.rows.block);
        let addend = product.addend.map(|a| a.rows.block);
        let own = product.digits.and_then(|d| d.own);
        // A binding that the flags leave unused still needs a buffer that is not the output.
        let Some(any) = digits.or(addend) else {
            return;
        };
        let mut inputs = vec![
            digits.unwrap_or(any),
            own.map_or(any, |(rows, _)| rows.block),
            part.map_or(any, |part| &part.block),
            addend.unwrap_or(any),
        ];
        let rotations = match product.more {
            [] => {
                inputs.push(product.weight.map_or(any, |w| &w.buf.block));
                usize::from(product.galois != GaloisElement::IDENTITY)
            }
            more => {
                inputs.extend(more.iter().map(|(key, _)| &key.blocks[index].block));
                1 + more.len()
            }
        };
        let width = if product.batch > 2 { 4 } else { 1 };
        let kernel = Kernel::KeyProduct { width, rotations };
        let mut launch = self.launch(ring, kernel, 256, product.dst.block, inputs);
        let header = &mut launch.header;
        header.galois_0 = product.galois.value();
        for (k, (_, galois)) in product.more.iter().enumerate() {
            *[&mut header.galois_1, &mut header.galois_2][k] = galois.value();
        }
        header.dst_stride = product.dst.stride as u32;
        header.dst_part = product.dst.part as u32;
        if let Some(digits) = product.digits {
            header.digits = digits.key_digits.len() as u32;
            header.a_stride = digits.rows.stride as u32;
            header.a_part = digits.rows.part as u32;
            header.b_stride = own.map_or(0, |(rows, _)| rows.stride as u32);
        }
        if product.accumulate {
            header.flags |= flags::ACCUMULATE;
        }
        if product.unmoved {
            header.flags |= flags::UNMOVED;
        }
        if let Some(addend) = product.addend {
            header.c_stride = addend.rows.stride as u32;
            header.c_part = addend.rows.part as u32;
            header.flags |= flags::ADDEND_0;
            if addend.components == 2 {
                header.flags |= flags::ADDEND_1;
            }
        }
        if let Some(weight) = product.weight {
            header.w_count = weight.buf.shape.polys as u32;
            header.w_stride = weight.buf.shape.limbs.len() as u32;
            header.w_batch = weight.batch as u32;
            header.w_first = weight.first as u32;
            header.flags |= flags::WEIGHT;
        }
        launch.list = list;
        launch.batch = product.batch;
        launch.width = width;
        self.recorder().launch(ring.prelude, &launch);
    }

    /// Ranges of a batch for which scratch of `words` per item fits one binding.
    fn pieces(&self, batch: usize, words: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let fit = (self.memory().largest_binding() / (words as u64 * 4)).max(1);
        let step = usize::try_from(fit).unwrap_or(usize::MAX).min(batch).max(1);
        (0..batch)
            .step_by(step)
            .map(move |first| first..(first + step).min(batch))
    }

    /// [`GpuEngine::pieces`] for extended digits, a sum over the extended limbs and its two components brought down.
    fn switch_pieces(
        &self,
        ring: &GpuRing,
        batch: usize,
        plan: &KeySwitchPlan,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let digits = plan.mod_up().digits().len() * plan.ext().len();
        let rows = digits.max(2 * sum_limbs(plan));
        self.pieces(batch, rows * ring.basis.n())
    }

    fn digits_block(&self, ring: &GpuRing, items: usize, plan: &KeySwitchPlan) -> Result<Block> {
        let rows = plan.mod_up().digits().len() * items * plan.ext().len();
        self.memory().alloc(rows * ring.basis.n())
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
            let block = self
                .memory()
                .alloc(2 * piece.len() * ext.len() * ring.basis.n())?;
            let sum = View::of_block(&block, ext.len(), piece.len());
            self.product(
                ring,
                &Product {
                    plan: Some(plan.id()),
                    dst: sum,
                    limbs: ext,
                    batch: piece.len(),
                    digits: Some(digits),
                    galois,
                    more: &[],
                    unmoved: false,
                    addend,
                    weight: None,
                    accumulate: false,
                },
            );
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
        let sum = self.scratch(ring, &src.shape)?;
        self.elementwise(ring, Elementwise::Copy, &sum, &[src], (None, 0));
        self.product(
            ring,
            &Product {
                plan: Some(plan.id()),
                dst: View::new(&sum, 2),
                limbs: plan.ext(),
                batch,
                digits: None,
                galois,
                more: &[],
                unmoved: false,
                addend: Some(Addend {
                    rows: View::new(addend, components),
                    components,
                    plan,
                }),
                weight: None,
                accumulate: true,
            },
        );
        let (dst, src) = (View::new(dst, 2), View::new(&sum, 2));
        self.rescale_rows(ring, &[dst], src, (2, batch), plan.rescale())
    }

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
                let block = self.memory().alloc(range.len() * rows * n)?;
                let sums = View::of_block(&block, plan.ext().len(), piece.len());
                let mut outputs = Vec::with_capacity(range.len());
                for (k, rotation) in range.enumerate() {
                    let key = keys[rotation];
                    let (digits, addend) = term(c0, digits.as_ref(), key, plan, piece.len());
                    self.product(
                        ring,
                        &Product {
                            plan: Some(plan.id()),
                            dst: sums.component(2 * k),
                            limbs: plan.ext(),
                            batch: piece.len(),
                            digits,
                            galois: galois[rotation],
                            more: &[],
                            unmoved: false,
                            addend: Some(addend),
                            weight: None,
                            accumulate: false,
                        },
                    );
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
            let block = self
                .memory()
                .alloc(2 * piece.len() * ext.len() * ring.basis.n())?;
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
#[derive(Debug, Default, PartialEq, Eq)]
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
    let layout = |k: usize| keys[k].map(|key: &GpuKey| key.layout_number);
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

/// Limbs of a sum before it is brought down, or after, where those are more.
fn sum_limbs(plan: &KeySwitchPlan) -> usize {
    let after = plan.mod_down().rescale().to().len();
    plan.ext().len().max(after)
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

/// The key digit of every digit.
fn key_digits(product: &Product<'_>) -> Vec<Entry> {
    let digits = product.digits.map(|d| d.key_digits).unwrap_or_default();
    let entry = |&digit: &usize| Entry {
        dst: digit as u32,
        ..Entry::default()
    };
    digits.iter().map(entry).collect()
}

/// The limbs of the product, or those that this block of the key has.
fn product_entries(ring: &GpuRing, product: &Product<'_>, part: Option<&KeyBlock>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = product
        .limbs
        .iter()
        .enumerate()
        .map(|(position, limb)| Entry {
            dst: product.dst.row(0, position),
            a: product.digits.map_or(NONE, |d| d.rows.row(0, position)),
            w: position as u32,
            ..ring.entry(limb)
        })
        .collect();
    if let Some((rows, plan)) = product.digits.and_then(|d| d.own) {
        for (j, digit) in plan.digits().iter().enumerate() {
            let positions = digit.source_in_ext().iter().zip(digit.source_in_window());
            for (&in_ext, &in_window) in positions {
                entries[in_ext].list = j as u32;
                entries[in_ext].b = rows.row(0, in_window);
            }
        }
    }
    if let Some(addend) = product.addend {
        let constants = addend.plan.special_product().as_slice();
        let positions = addend.plan.window_in_ext().iter().zip(constants);
        for (in_window, (&in_ext, k)) in positions.enumerate() {
            entries[in_ext].c = addend.rows.row(0, in_window);
            (entries[in_ext].k0, entries[in_ext].k0_shoup) = (k.value, k.shoup);
        }
    }
    let (Some(digits), Some(part)) = (product.digits, part) else {
        return entries;
    };
    let layout = &digits.key.layout;
    let limbs = product.limbs.iter().zip(entries);
    limbs
        .filter_map(|(limb, entry)| {
            let in_part = layout.limbs.position(limb)?.checked_sub(part.first)?;
            (in_part < part.limbs).then(|| Entry {
                table: (in_part * layout.digits * 2) as u32,
                ..entry
            })
        })
        .collect()
}
