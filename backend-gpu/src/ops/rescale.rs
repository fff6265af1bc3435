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
use crate::{GpuEngine, GpuRing};

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
        let x = self.memory().alloc(all_parts * batch * dropped.len() * n)?;
        let xs = View::of_block(&x, dropped.len(), batch);
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
        self.transform(
            ring,
            &Transform {
                direction: Direction::Inverse,
                entries,
                batch,
                dst: &x,
                dst_stride: dropped.len(),
                src: Some((src.block, src.stride)),
            },
            &[],
        );
        // Scratch is contiguous over components and batch: one list of polynomials.
        let y = self.memory().alloc(all_parts * batch * to.len() * n)?;
        let conversions = ring.conversion(plan.table(), self.memory(), self.recorder())?;
        self.convert(
            ring,
            &conversions,
            (&y, to.len()),
            |target| target,
            (&x, dropped.len()),
            all_parts * batch,
        );
        let ys = View::of_block(&y, to.len(), batch);
        let mut entries = Vec::new();
        let mut ends = Vec::new();
        for c in 0..all_parts {
            for (t, limb) in to.iter().enumerate() {
                let lift = plan.restored_product().as_slice()[t];
                let divide = plan.dropped_inverse().as_slice()[t];
                let entry = Entry {
                    dst: ys.row(c, t),
                    table: limb as u32,
                    k0: lift.value,
                    k0_shoup: lift.shoup,
                    k1: divide.value,
                    k1_shoup: divide.shoup,
                    ..ring.entry(limb)
                };
                entries.push(entry);
                ends.push(Entry {
                    dst: dsts[c / parts].row(c % parts, t),
                    a: ys.row(c, t),
                    b: plan.to_in_from()[t].map_or(NONE, |f| src.row(c, f)),
                    ..entry
                });
            }
        }
        let ends: Vec<RescaleEnd<'_>> = dsts
            .iter()
            .zip(ends.chunks(parts * to.len()))
            .map(|(dst, entries)| RescaleEnd {
                entries: entries.to_vec(),
                dst: dst.block,
                dst_stride: dst.stride,
                kept: src.block,
                kept_stride: src.stride,
            })
            .collect();
        self.transform(
            ring,
            &Transform {
                direction: Direction::Forward,
                entries,
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
