//! Number-theoretic transforms.

use std::sync::Arc;

use arras_shaders::{
    Direction, Kernel, NttKernel, NttLoad, NttPart, NttStore,
    layout::{Entry, Header},
};

use super::Operand;
use crate::{GpuBuf, GpuEngine, GpuRing, lists::List, memory::Block};

/// Rows to transform: the list names them in the output and in the input, `table` being the limb.
pub(crate) struct Transform<'a> {
    pub(crate) direction: Direction,
    pub(crate) list: Arc<List>,
    pub(crate) batch: usize,
    pub(crate) dst: &'a Block,
    pub(crate) dst_stride: usize,
    /// Where the rows are read, with the rows between batch items; `None` in place.
    pub(crate) src: Option<(&'a Block, usize)>,
}

/// The end of a rescale: the last kernel writes elsewhere.
pub(crate) struct RescaleEnd<'a> {
    /// The last kernel's: `dst` in the output, `a` the row transformed, `b` the row kept.
    pub(crate) list: Arc<List>,
    pub(crate) dst: &'a Block,
    pub(crate) dst_stride: usize,
    pub(crate) kept: &'a Block,
    pub(crate) kept_stride: usize,
}

impl GpuEngine {
    /// All rows of a buffer, in place, in pieces where it exceeds a binding.
    pub(super) fn transform_buffer(&self, ring: &GpuRing, x: &GpuBuf, direction: Direction) {
        self.primitive(ring, Operand::updated(x, 1), &[], |x, _| {
            self.transform_piece(ring, x, direction);
            Ok(())
        });
    }

    fn transform_piece(&self, ring: &GpuRing, x: &GpuBuf, direction: Direction) {
        let limbs = &x.shape.limbs;
        let entries = limbs.iter().enumerate().map(|(position, limb)| {
            let k = self.inverse_constant(ring, limb, 1);
            Entry {
                dst: position as u32,
                table: limb as u32,
                k0: k.value,
                k0_shoup: k.shoup,
                ..ring.entry(limb)
            }
        });
        self.transform(
            ring,
            &Transform {
                direction,
                list: List::once(entries.collect(), Vec::new()),
                batch: x.shape.polys,
                dst: &x.block,
                dst_stride: limbs.len(),
                src: None,
            },
            &[],
        );
    }

    /// With `ends`, the last kernel runs once for each of them, over the rows that they name.
    pub(crate) fn transform(
        &self,
        ring: &GpuRing,
        transform: &Transform<'_>,
        ends: &[RescaleEnd<'_>],
    ) {
        let parts = NttKernel::parts(ring.basis.log_n(), transform.direction);
        for (index, &part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            if last && !ends.is_empty() {
                for end in ends {
                    self.rescale_end(ring, transform, part, end);
                }
            } else {
                self.plain_part(ring, transform, part, index == 0);
            }
        }
    }

    fn plain_part(&self, ring: &GpuRing, t: &Transform<'_>, part: NttPart, first: bool) {
        let src = t.src.filter(|_| first);
        let mut header = self.header(ring);
        header.dst_stride = t.dst_stride as u32;
        header.a_stride = src.map_or(0, |(_, stride)| stride as u32);
        header.a_count = t.batch as u32;
        let kernel = NttKernel {
            log_n: ring.basis.log_n(),
            direction: t.direction,
            part,
            load: if src.is_some() {
                NttLoad::Input
            } else {
                NttLoad::InPlace
            },
            store: NttStore::Plain,
        };
        let inputs = src.map(|(block, _)| block).into_iter().collect();
        self.launch_ntt(ring, kernel, header, t.list.clone(), t.batch, t.dst, inputs);
    }

    fn rescale_end(&self, ring: &GpuRing, t: &Transform<'_>, part: NttPart, end: &RescaleEnd<'_>) {
        let mut header = self.header(ring);
        header.dst_stride = end.dst_stride as u32;
        header.a_stride = t.dst_stride as u32;
        header.a_count = t.batch as u32;
        header.b_stride = end.kept_stride as u32;
        header.b_count = t.batch as u32;
        let kernel = NttKernel {
            log_n: ring.basis.log_n(),
            direction: t.direction,
            part,
            load: NttLoad::Input,
            store: NttStore::Rescale,
        };
        let inputs = vec![t.dst, end.kept];
        self.launch_ntt(
            ring,
            kernel,
            header,
            end.list.clone(),
            t.batch,
            end.dst,
            inputs,
        );
    }

    fn launch_ntt<'a>(
        &self,
        ring: &'a GpuRing,
        kernel: NttKernel,
        header: Header,
        list: Arc<List>,
        batch: usize,
        dst: &'a Block,
        inputs: Vec<&'a Block>,
    ) {
        let twiddles = match kernel.direction {
            Direction::Forward => &ring.forward,
            Direction::Inverse => &ring.inverse,
        };
        let blocks = [twiddles].into_iter().chain(inputs).collect();
        let mut launch = self.launch(ring, (Kernel::Ntt(kernel), 1), list, dst, blocks);
        launch.header = header;
        launch.x = kernel.tiles();
        launch.batch = batch;
        self.recorder().launch(ring.prelude, &launch);
    }
}
