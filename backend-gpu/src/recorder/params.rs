//! Parameters of dispatches.
//!
//! Those that only depend on plans and on where operands are stay on the device, in places of their own. The others of a lot are one piece
//! of host memory, written in front of its commands: `queue.write_buffer` runs before everything in the next submission.

use std::collections::HashMap;

use arras_shaders::layout::{Header, PARAMS_WINDOW_BYTES};

use super::{Lot, Recorder};
use crate::device::Gpu;

/// Words of a lot's parameters.
const LOT_WORDS: usize = 1 << 18;
/// Words of the parameters that stay on the device: 16 MiB, after those of the lot.
const KEPT_WORDS: usize = 4 << 20;
/// Parameters start at multiples of this many words: the largest alignment that a device may ask for.
const ALIGN_WORDS: usize = 64;

/// Parameters that stay on the device: a part of a kept list under one header.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ParamsKey {
    pub(super) list: u64,
    pub(super) part: usize,
    pub(super) header: Header,
}

/// Where parameters that stay are, in bytes.
#[derive(Default)]
pub(super) struct Kept {
    places: HashMap<ParamsKey, u32>,
    words: usize,
}

/// The device's memory for parameters.
pub(super) fn buffer(gpu: &Gpu) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("parameters"),
        // A window starts anywhere.
        size: (LOT_WORDS + KEPT_WORDS) as u64 * 4 + PARAMS_WINDOW_BYTES,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn words(params: &[&[u8]]) -> usize {
    params.iter().map(|part| part.len() / 4).sum()
}

impl Recorder {
    /// Where parameters of the lot are, in bytes.
    pub(super) fn lay_params(&self, lot: &mut Lot, params: &[&[u8]]) -> u32 {
        if lot.params.len() + words(params) > LOT_WORDS {
            self.submit(lot);
        }
        let at = lot.params.len();
        for part in params {
            lot.params.extend_from_slice(bytemuck::cast_slice(part));
        }
        let aligned = lot.params.len().next_multiple_of(ALIGN_WORDS);
        lot.params.resize(aligned, 0);
        (at * 4) as u32
    }

    /// Where parameters that stay on the device are, in bytes: written at their first use, to a place that nothing
    /// recorded reads.
    pub(super) fn keep_params(&self, lot: &mut Lot, key: ParamsKey, params: &[&[u8]]) -> u32 {
        if let Some(&at) = lot.kept.places.get(&key) {
            return at;
        }
        let words = words(params).next_multiple_of(ALIGN_WORDS);
        if lot.kept.words + words > KEPT_WORDS {
            self.submit(lot);
            // Places that lots before read are written again.
            self.submitter.drain();
            lot.kept = Kept::default();
        }
        let at = ((LOT_WORDS + lot.kept.words) * 4) as u32;
        self.gpu
            .queue
            .write_buffer(&self.params, u64::from(at), &params.concat());
        lot.kept.words += words;
        lot.kept.places.insert(key, at);
        at
    }
}
