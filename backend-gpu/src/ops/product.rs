//! Inner products of extended digits with keys: one launch for each block of a key.

use arras_hal::{GaloisElement, Limbs, ModDownPlan, ModUpPlan};
use arras_shaders::{
    Kernel,
    layout::{Entry, NONE, flags},
};

use super::rows::View;
use crate::{
    GpuBuf, GpuEngine, GpuKey, GpuRing,
    buffer::KeyBlock,
    lists::{List, ListKey, Site},
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
    /// [`arras_shaders::ROTATIONS_PER_DISPATCH`] in all, and no weight.
    pub(crate) more: &'a [(&'a GpuKey, GaloisElement)],
    /// The identity too: both components of the addend.
    pub(crate) unmoved: bool,
    pub(crate) addend: Option<Addend<'a>>,
    pub(crate) weight: Option<Weight<'a>>,
    pub(crate) accumulate: bool,
}

impl<'a> Product<'a> {
    /// Of nothing yet, without rotations.
    pub(crate) fn new(dst: View<'a>, limbs: &'a Limbs, batch: usize) -> Self {
        Self {
            plan: None,
            dst,
            limbs,
            batch,
            digits: None,
            galois: GaloisElement::IDENTITY,
            more: &[],
            unmoved: false,
            addend: None,
            weight: None,
            accumulate: false,
        }
    }
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
        let mut launch = self.launch(ring, (kernel, 256), list, product.dst.block, inputs);
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
        launch.batch = product.batch;
        launch.width = width;
        self.recorder().launch(ring.prelude, &launch);
    }
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
