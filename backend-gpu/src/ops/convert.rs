//! Base conversion, and the extension of key-switching digits.

use std::sync::Arc;

use arras_hal::{LimbConstant, ModUpPlan, Result};
use arras_shaders::{
    COEFFICIENTS_PER_GROUP, Direction, Elementwise, Kernel, TARGETS_PER_GROUP,
    layout::{Entry, NONE},
};

use super::{View, transform::Transform};
use crate::{
    GpuBuf, GpuEngine, GpuRing,
    lists::{List, ListKey, Site},
    memory::Block,
};

impl GpuEngine {
    /// Conversions of `batch` polynomials by a table; the list says where targets go.
    pub(crate) fn convert(
        &self,
        ring: &GpuRing,
        (table, list): (&Block, &Arc<List>),
        (dst, dst_stride): (&Block, usize),
        (src, src_stride): (&Block, usize),
        batch: usize,
    ) {
        let inputs = vec![src, table];
        let kernel = (Kernel::Convert, COEFFICIENTS_PER_GROUP);
        let mut launch = self.launch(ring, kernel, list.clone(), dst, inputs);
        launch.header.dst_stride = dst_stride as u32;
        launch.header.a_stride = src_stride as u32;
        launch.header.a_count = batch as u32;
        launch.group = TARGETS_PER_GROUP;
        launch.batch = batch;
        self.recorder().launch(ring.prelude, &launch);
    }

    /// N^-1 times another constant of the same limb, ready for the last pass of an inverse transform.
    pub(crate) fn inverse_constant(&self, ring: &GpuRing, limb: usize, k: u32) -> LimbConstant {
        let q = ring.basis.modulus(limb);
        q.constant(q.mul(k, ring.basis.n_inverse(limb).value))
    }

    /// Extends the digits of `batch` polynomials at `src`: rows `[digit][batch][ext]` of `dst`, without those of a digit's own
    /// limbs, which are rows of `src`.
    pub(crate) fn extend_digits(
        &self,
        ring: &GpuRing,
        dst: &Block,
        src: View<'_>,
        batch: usize,
        plan: &ModUpPlan,
    ) -> Result<()> {
        let (window, ext) = (plan.window(), plan.ext());
        let coefficients = self
            .recorder()
            .alloc(batch * window.len() * ring.basis.n())?;
        let key = ListKey::new(Site::DigitsInverse, plan.id(), [src.base]);
        let list = ring
            .lists
            .get(key, || (self.own_entries(ring, src, plan), Vec::new()));
        self.transform(
            ring,
            &Transform {
                direction: Direction::Inverse,
                list,
                batch,
                dst: &coefficients,
                dst_stride: window.len(),
                src: Some((src.block, src.stride)),
            },
            &[],
        );
        let conversions = ring.digit_conversions(plan, self.recorder())?;
        let key = ListKey::new(Site::DigitsConvert, plan.id(), [batch]);
        let list = ring.lists.get(key, || {
            let places = target_rows(plan, batch);
            let entries = conversions.list.entries.iter().map(|&e| Entry {
                dst: match e.dst {
                    NONE => NONE,
                    target => places[target as usize].0,
                },
                ..e
            });
            (entries.collect(), Vec::new())
        });
        self.convert(
            ring,
            (&conversions.table, &list),
            (dst, ext.len()),
            (&coefficients, window.len()),
            batch,
        );
        let key = ListKey::new(Site::DigitsForward, plan.id(), [batch]);
        let list = ring.lists.get(key, || {
            let entries = target_rows(plan, batch)
                .into_iter()
                .map(|(row, limb)| Entry {
                    dst: row,
                    table: limb as u32,
                    ..ring.entry(limb)
                });
            (entries.collect(), Vec::new())
        });
        self.transform(
            ring,
            &Transform {
                direction: Direction::Forward,
                list,
                batch,
                dst,
                dst_stride: ext.len(),
                src: None,
            },
            &[],
        );
        Ok(())
    }

    /// The window's rows, to be inverted and scaled for the conversions of their digits.
    fn own_entries(&self, ring: &GpuRing, src: View<'_>, plan: &ModUpPlan) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(plan.window().len());
        for digit in plan.digits() {
            let constants = digit.source_scale().as_slice();
            let positions = digit.source().iter().zip(digit.source_in_window());
            for ((limb, &position), k) in positions.zip(constants) {
                let k = self.inverse_constant(ring, limb, k.value);
                entries.push(Entry {
                    dst: position as u32,
                    a: src.row(0, position),
                    table: limb as u32,
                    k0: k.value,
                    k0_shoup: k.shoup,
                    ..ring.entry(limb)
                });
            }
        }
        entries
    }

    /// The rows of every digit that need no extension, from the window to `[digit][batch]` over the extended limbs.
    pub(crate) fn copy_own_limbs(
        &self,
        ring: &GpuRing,
        dst: &GpuBuf,
        src: &GpuBuf,
        plan: &ModUpPlan,
    ) {
        let batch = src.shape.polys;
        let mut entries = Vec::with_capacity(plan.window().len());
        for (j, digit) in plan.digits().iter().enumerate() {
            let positions = digit.source_in_ext().iter().zip(digit.source_in_window());
            for ((&in_ext, &in_window), limb) in positions.zip(digit.source().iter()) {
                entries.push(Entry {
                    dst: (j * batch * plan.ext().len() + in_ext) as u32,
                    a: in_window as u32,
                    ..ring.entry(limb)
                });
            }
        }
        let kernel = (Kernel::Elementwise(Elementwise::Copy), 1024);
        let list = List::once(entries, Vec::new());
        let mut launch = self.launch(ring, kernel, list, &dst.block, vec![&src.block]);
        launch.header.dst_stride = plan.ext().len() as u32;
        launch.header.a_stride = plan.window().len() as u32;
        launch.header.a_count = batch as u32;
        launch.batch = batch;
        self.recorder().launch(ring.prelude, &launch);
    }
}

/// Row and limb of every target of all digits, `[digit][batch][ext]`.
fn target_rows(plan: &ModUpPlan, batch: usize) -> Vec<(u32, usize)> {
    let ext = plan.ext();
    let digits = plan.digits().iter().enumerate();
    digits
        .flat_map(|(j, digit)| {
            digit.target_in_ext().iter().map(move |&position| {
                let row = j * batch * ext.len() + position;
                (row as u32, ext.at(position))
            })
        })
        .collect()
}
