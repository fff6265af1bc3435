//! Where rows are, and the position-by-position operations.

use std::sync::Arc;

use arras_hal::{GaloisElement, LimbConstant, Limbs, RowCopy};
use arras_shaders::{
    Elementwise, Kernel, PAIRS_PER_DISPATCH,
    layout::{Entry, Header, NONE, RowPair, flags},
};

use crate::{GpuBuf, GpuEngine, GpuRing, lists::List, memory::Block, recorder::Launch};

/// Rows of a block: those of limb position l, batch item p, component c start at row `base + l + p * stride + c * part`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) block: &'a Block,
    pub(crate) base: usize,
    pub(crate) stride: usize,
    pub(crate) part: usize,
}

impl<'a> View<'a> {
    /// A buffer `[parts][batch]`.
    pub(crate) fn new(buf: &'a GpuBuf, parts: usize) -> Self {
        Self::of_block(&buf.block, buf.shape.limbs.len(), buf.shape.polys / parts)
    }

    pub(crate) fn of_block(block: &'a Block, limbs: usize, batch: usize) -> Self {
        Self {
            block,
            base: 0,
            stride: limbs,
            part: limbs * batch,
        }
    }

    /// From this component on.
    pub(crate) fn component(self, c: usize) -> Self {
        Self {
            base: self.base + c * self.part,
            ..self
        }
    }

    /// From this batch item on.
    pub(crate) fn item(self, p: usize) -> Self {
        Self {
            base: self.base + p * self.stride,
            ..self
        }
    }

    /// Row of a limb position of component c, batch item 0.
    pub(crate) fn row(self, c: usize, limb: usize) -> u32 {
        (self.base + c * self.part + limb) as u32
    }
}

impl GpuEngine {
    pub(crate) fn header(&self, ring: &GpuRing) -> Header {
        Header {
            n: ring.basis.n() as u32,
            log_n: ring.basis.log_n(),
            a_count: 1,
            b_count: 1,
            galois_0: 1,
            w_count: 1,
            ..Header::default()
        }
    }

    /// A launch of a list, one entry per workgroup, x over `per_group` positions each.
    pub(crate) fn launch<'a>(
        &self,
        ring: &GpuRing,
        (kernel, per_group): (Kernel, u32),
        list: Arc<List>,
        dst: &'a Block,
        inputs: Vec<&'a Block>,
    ) -> Launch<'a> {
        Launch {
            kernel,
            header: self.header(ring),
            list,
            group: 1,
            x: (ring.basis.n() as u32).div_ceil(per_group),
            batch: 1,
            width: 1,
            dst,
            inputs,
        }
    }

    /// One entry per limb, with the same limb position in the output and all inputs.
    fn aligned_entries(&self, ring: &GpuRing, limbs: &Limbs) -> Vec<Entry> {
        limbs
            .iter()
            .enumerate()
            .map(|(position, limb)| Entry {
                dst: position as u32,
                a: position as u32,
                b: position as u32,
                ..ring.entry(limb)
            })
            .collect()
    }

    fn aligned_list(&self, ring: &GpuRing, limbs: &Limbs) -> Arc<List> {
        List::once(self.aligned_entries(ring, limbs), Vec::new())
    }

    /// `op` on rows of `dst` and those of the same limbs in the inputs, which may have more limbs.
    pub(crate) fn elementwise(
        &self,
        ring: &GpuRing,
        op: Elementwise,
        dst: &GpuBuf,
        inputs: &[&GpuBuf],
        (constants, leading): (Option<&[LimbConstant]>, usize),
    ) {
        let limbs = &dst.shape.limbs;
        let blocks = inputs.iter().map(|b| &b.block).collect();
        let count = |k: usize| inputs.get(k).map_or(1, |b| b.shape.polys as u32);
        let mut entries = self.aligned_entries(ring, limbs);
        if let Some(a) = inputs.first().filter(|a| a.shape.limbs != *limbs) {
            for (entry, limb) in entries.iter_mut().zip(limbs.iter()) {
                entry.a = a.shape.limbs.position(limb).map_or(NONE, |at| at as u32);
            }
        }
        for (entry, k) in entries.iter_mut().zip(constants.unwrap_or_default()) {
            (entry.k0, entry.k0_shoup) = (k.value, k.shoup);
        }
        let list = List::once(entries, Vec::new());
        let mut launch = self.launch(
            ring,
            (Kernel::Elementwise(op), 1024),
            list,
            &dst.block,
            blocks,
        );
        launch.header.dst_stride = limbs.len() as u32;
        launch.header.a_stride = inputs.first().map_or(0, |a| a.shape.limbs.len() as u32);
        launch.header.a_count = count(0);
        launch.header.b_stride = limbs.len() as u32;
        launch.header.b_count = count(1);
        launch.header.leading = leading as u32;
        launch.batch = dst.shape.polys;
        self.recorder().launch(ring.prelude, &launch);
    }

    pub(crate) fn copy(&self, ring: &GpuRing, dst: &GpuBuf, src: &GpuBuf, rows: &[RowCopy]) {
        let (dst_limbs, src_limbs) = (dst.shape.limbs.len() as u32, src.shape.limbs.len() as u32);
        let rows: Vec<RowPair> = rows
            .iter()
            .map(|r| RowPair {
                dst: r.dst_poly * dst_limbs + r.dst_limb,
                src: r.src_poly * src_limbs + r.src_limb,
            })
            .collect();
        let header = self.header(ring);
        self.recorder()
            .copy_rows(ring.prelude, header, &rows, &dst.block, &src.block);
    }

    pub(crate) fn gather(&self, ring: &GpuRing, dst: &GpuBuf, a: &GpuBuf, galois: GaloisElement) {
        let limbs = dst.shape.limbs.len() as u32;
        let list = self.aligned_list(ring, &dst.shape.limbs);
        let kernel = (Kernel::Automorphism, 256);
        let mut launch = self.launch(ring, kernel, list, &dst.block, vec![&a.block]);
        launch.header.dst_stride = limbs;
        launch.header.a_stride = limbs;
        launch.header.a_count = a.shape.polys as u32;
        launch.header.galois_0 = galois.value();
        launch.batch = dst.shape.polys;
        self.recorder().launch(ring.prelude, &launch);
    }

    /// `(d0, d1, d2)` of all pairs, a few pairs per dispatch.
    pub(crate) fn tensors(&self, ring: &GpuRing, dst: &GpuBuf, a: &[&GpuBuf], b: &[&GpuBuf]) {
        let limbs = dst.shape.limbs.len();
        let batch = dst.shape.polys / 3;
        let pairs: Vec<_> = a.iter().zip(b).collect();
        for (index, pairs) in pairs.chunks(PAIRS_PER_DISPATCH).enumerate() {
            let kernel = Kernel::Tensor { pairs: pairs.len() };
            let blocks = pairs
                .iter()
                .flat_map(|(a, b)| [&a.block, &b.block])
                .collect();
            let list = self.aligned_list(ring, &dst.shape.limbs);
            let mut launch = self.launch(ring, (kernel, 256), list, &dst.block, blocks);
            launch.header.dst_stride = limbs as u32;
            launch.header.dst_part = (limbs * batch) as u32;
            launch.header.a_stride = limbs as u32;
            launch.header.a_part = (limbs * batch) as u32;
            launch.header.flags = if index > 0 { flags::ACCUMULATE } else { 0 };
            launch.batch = batch;
            self.recorder().launch(ring.prelude, &launch);
        }
    }

    /// The sum of `terms[k] * weights[k]`, a few per dispatch.
    pub(crate) fn weighted(
        &self,
        ring: &GpuRing,
        dst: &GpuBuf,
        terms: &[&GpuBuf],
        weights: &[&GpuBuf],
    ) {
        let limbs = dst.shape.limbs.len() as u32;
        let pairs: Vec<_> = terms.iter().zip(weights).collect();
        for (index, pairs) in pairs.chunks(PAIRS_PER_DISPATCH).enumerate() {
            let kernel = Kernel::WeightedSum { pairs: pairs.len() };
            let blocks = pairs
                .iter()
                .flat_map(|(a, b)| [&a.block, &b.block])
                .collect();
            let count = |k: usize| pairs.get(k).map_or(1, |(_, w)| w.shape.polys as u32);
            let list = self.aligned_list(ring, &dst.shape.limbs);
            let mut launch = self.launch(ring, (kernel, 256), list, &dst.block, blocks);
            launch.header.a_stride = limbs;
            launch.header.b_count = count(0);
            launch.header.c_stride = count(1);
            launch.header.w_count = count(2);
            launch.header.flags = if index > 0 { flags::ACCUMULATE } else { 0 };
            launch.batch = dst.shape.polys;
            self.recorder().launch(ring.prelude, &launch);
        }
    }
}
