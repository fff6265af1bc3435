//! Rational rescale: inverse transform of the dropped limbs, conversion, forward transform whose last kernel subtracts and
//! scales.

use arras_hal::{RescalePlan, Result};
use arras_shaders::{
    Direction,
    layout::{Entry, NONE},
};

use super::{
    View,
    transform::{RescaleEnd, Transform},
};
use crate::{
    GpuEngine, GpuRing,
    lists::{ListKey, Site},
};

impl GpuEngine {
    /// For every output `parts` components of `batch` polynomials; output k takes components `k * parts ..` of `src`.
    pub(crate) fn rescale_rows(
        &self,
        ring: &GpuRing,
        dsts: &[View<'_>],
        src: View<'_>,
        (parts, batch): (usize, usize),
        plan: &RescalePlan,
    ) -> Result<()> {
        let (dropped, to) = (plan.dropped(), plan.to());
        let n = ring.basis.n();
        let all_parts = parts * dsts.len();
        let x = self
            .recorder()
            .alloc(all_parts * batch * dropped.len() * n)?;
        let xs = View::of_block(&x, dropped.len(), batch);
        let numbers = [all_parts, batch, src.base, src.part];
        let key = ListKey::new(Site::RescaleInverse, plan.id(), numbers);
        let list = ring.lists.get(key, || {
            let mut entries = Vec::new();
            for c in 0..all_parts {
                let constants = plan.source_scale().as_slice();
                for (i, (limb, k)) in dropped.iter().zip(constants).enumerate() {
                    let k = self.inverse_constant(ring, limb, k.value);
                    entries.push(Entry {
                        dst: xs.row(c, i),
                        a: src.row(c, plan.dropped_in_from()[i]),
                        table: limb as u32,
                        k0: k.value,
                        k0_shoup: k.shoup,
                        ..ring.entry(limb)
                    });
                }
            }
            (entries, Vec::new())
        });
        self.transform(
            ring,
            &Transform {
                direction: Direction::Inverse,
                list,
                batch,
                dst: &x,
                dst_stride: dropped.len(),
                src: Some((src.block, src.stride)),
            },
            &[],
        );
        // Scratch is contiguous over components and batch: one list of polynomials.
        let y = self.recorder().alloc(all_parts * batch * to.len() * n)?;
        let conversions = ring.conversion(plan.table(), self.recorder())?;
        self.convert(
            ring,
            (&conversions.table, &conversions.list),
            (&y, to.len()),
            (&x, dropped.len()),
            all_parts * batch,
        );
        let ys = View::of_block(&y, to.len(), batch);
        let entry = |c: usize, t: usize, limb: usize| {
            let lift = plan.restored_product().as_slice()[t];
            let divide = plan.dropped_inverse().as_slice()[t];
            Entry {
                dst: ys.row(c, t),
                table: limb as u32,
                k0: lift.value,
                k0_shoup: lift.shoup,
                k1: divide.value,
                k1_shoup: divide.shoup,
                ..ring.entry(limb)
            }
        };
        let key = ListKey::new(Site::RescaleForward, plan.id(), [all_parts, batch]);
        let list = ring.lists.get(key, || {
            let all = (0..all_parts).flat_map(|c| to.iter().enumerate().map(move |t| (c, t)));
            (
                all.map(|(c, (t, limb))| entry(c, t, limb)).collect(),
                Vec::new(),
            )
        });
        let ends = dsts.iter().enumerate().map(|(k, dst)| {
            let numbers = [
                k, parts, all_parts, batch, src.base, src.part, dst.base, dst.part,
            ];
            let key = ListKey::new(Site::RescaleEnd, plan.id(), numbers);
            let list = ring.lists.get(key, || {
                let all = (0..parts).flat_map(|c| to.iter().enumerate().map(move |t| (c, t)));
                let entries = all.map(|(part, (t, limb))| {
                    let c = k * parts + part;
                    Entry {
                        dst: dst.row(part, t),
                        a: ys.row(c, t),
                        b: plan.to_in_from()[t].map_or(NONE, |f| src.row(c, f)),
                        ..entry(c, t, limb)
                    }
                });
                (entries.collect(), Vec::new())
            });
            RescaleEnd {
                list,
                dst: dst.block,
                dst_stride: dst.stride,
                kept: src.block,
                kept_stride: src.stride,
            }
        });
        let ends: Vec<RescaleEnd<'_>> = ends.collect();
        self.transform(
            ring,
            &Transform {
                direction: Direction::Forward,
                list,
                batch,
                dst: &y,
                dst_stride: to.len(),
                src: None,
            },
            &ends,
        );
        Ok(())
    }
}
