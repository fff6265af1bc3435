//! Base conversion, and the extension of key-switching digits.

use arras_hal::{LimbConstant, ModUpPlan, Result};
use arras_shaders::{
    COEFFICIENTS_PER_GROUP, Direction, Elementwise, Kernel, TARGETS_PER_GROUP,
    layout::{Entry, NONE},
};

use super::{View, transform::Transform};
use crate::{GpuBuf, GpuEngine, GpuRing, memory::Block, ring::Conversions};

impl GpuEngine {
    /// Conversions of `batch` polynomials: target t, counted over all conversions, goes to row `place(t)` of the output.
    pub(crate) fn convert(
        &self,
        ring: &GpuRing,
        conversions: &Conversions,
        (dst, dst_stride): (&Block, usize),
        place: impl Fn(usize) -> usize,
        (src, src_stride): (&Block, usize),
        batch: usize,
    ) {
        let inputs = vec![src, &conversions.table];
        let mut launch = self.launch(ring, Kernel::Convert, COEFFICIENTS_PER_GROUP, dst, inputs);
        launch.header.dst_stride = dst_stride as u32;
        launch.header.a_stride = src_stride as u32;
        launch.header.a_count = batch as u32;
        launch.entries = conversions
            .entries
            .iter()
            .map(|&e| Entry {
                dst: match e.dst {
                    NONE => NONE,
                    target => place(target as usize) as u32,
                },
                ..e
            })
            .collect();
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
        let window = plan.window();
        let coefficients = self.memory().alloc(batch * window.len() * ring.basis.n())?;
        let mut entries = Vec::with_capacity(window.len());
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
        self.transform(
            ring,
            &Transform {
                direction: Direction::Inverse,
                entries,
                batch,
                dst: &coefficients,
                dst_stride: window.len(),
                src: Some((src.block, src.stride)),
            },
            &[],
        );
        let ext = plan.ext();
        let mut places = Vec::new();
        let mut entries = Vec::new();
        for (j, digit) in plan.digits().iter().enumerate() {
            for &position in digit.target_in_ext() {
                let row = j * batch * ext.len() + position;
                let limb = ext.at(position);
                places.push(row);
                entries.push(Entry {
                    dst: row as u32,
                    table: limb as u32,
                    ..ring.entry(limb)
                });
            }
        }
        let conversions = ring.digit_conversions(plan, self.memory(), self.recorder())?;
        self.convert(
            ring,
            &conversions,
            (dst, ext.len()),
            |target| places[target],
            (&coefficients, window.len()),
            batch,
        );
        self.transform(
            ring,
            &Transform {
                direction: Direction::Forward,
                entries,
                batch,
                dst,
                dst_stride: ext.len(),
                src: None,
            },
            &[],
        );
        Ok(())
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
        let kernel = Kernel::Elementwise(Elementwise::Copy);
        let mut launch = self.launch(ring, kernel, 1024, &dst.block, vec![&src.block]);
        launch.header.dst_stride = plan.ext().len() as u32;
        launch.header.a_stride = plan.window().len() as u32;
        launch.header.a_count = batch as u32;
        launch.entries = entries;
        launch.batch = batch;
        self.recorder().launch(ring.prelude, &launch);
    }
}
