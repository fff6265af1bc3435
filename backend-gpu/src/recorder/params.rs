//! Parameters of dispatches.
//!
//! Those that only depend on plans and on where operands are stay on the device, in places of their own. The others of a submission are one piece
//! of host memory. Both travel with the submission and are written in front of its commands: `queue.write_buffer` runs before everything in the next
//! submission.

use std::collections::HashMap;

use arras_shaders::layout::{Header, PARAMS_WINDOW_BYTES};

use super::{Recorder, Submission};
use crate::device::Gpu;

/// Words of a submission's parameters.
const SUBMISSION_WORDS: usize = 1 << 18;
/// Words of the parameters that stay on the device: 16 MiB, after those of the submission; few in unit tests, where they start over.
const KEPT_WORDS: usize = if cfg!(test) { 1 << 13 } else { 4 << 20 };
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
        size: (SUBMISSION_WORDS + KEPT_WORDS) as u64 * 4 + PARAMS_WINDOW_BYTES,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn words(params: &[&[u8]]) -> usize {
    params.iter().map(|part| part.len() / 4).sum()
}

impl Recorder {
    /// Where parameters of the submission are, in bytes.
    pub(super) fn lay_params(&self, submission: &mut Submission, params: &[&[u8]]) -> u32 {
        if submission.job.params.len() + words(params) > SUBMISSION_WORDS {
            self.submit(submission);
        }
        let at = submission.job.params.len();
        for part in params {
            submission
                .job
                .params
                .extend_from_slice(bytemuck::cast_slice(part));
        }
        let aligned = submission.job.params.len().next_multiple_of(ALIGN_WORDS);
        submission.job.params.resize(aligned, 0);
        (at * 4) as u32
    }

    /// Where parameters that stay on the device are, in bytes: written with the submission of their first use, to a place that nothing in it reads
    /// for another list.
    pub(super) fn keep_params(
        &self,
        submission: &mut Submission,
        key: ParamsKey,
        params: &[&[u8]],
    ) -> u32 {
        if let Some(&at) = submission.kept.places.get(&key) {
            return at;
        }
        let words = words(params).next_multiple_of(ALIGN_WORDS);
        if submission.kept.words + words > KEPT_WORDS {
            // Submissions before still read the places that are written again.
            self.submit(submission);
            submission.kept = Kept::default();
        }
        let at = ((SUBMISSION_WORDS + submission.kept.words) * 4) as u32;
        submission.job.kept_params.push((at, params.concat()));
        submission.kept.words += words;
        submission.kept.places.insert(key, at);
        at
    }
}

#[cfg(test)]
mod tests {
    use arras_hal::{
        Backend, Eval, GaloisElement, Key, KeyLayout, KeySwitchSpec, Limbs, Poly, Reference, Shape,
    };

    use super::*;
    use crate::{
        GpuEngine, GpuOptions,
        device::lock,
        testing::{present, ring},
    };

    /// Rotations of batches of 1 to 12, twice: each batch has lists of its own.
    fn rotations<B: Backend>(engine: &B) -> Vec<Vec<u32>> {
        let ring = ring(engine, &[97, 193, 257, 353, 449, 577]);
        let window = Limbs::new(0..4);
        let spec = KeySwitchSpec {
            groups: vec![Limbs::new(0..2), Limbs::new(2..4)],
            special: Limbs::new(4..6),
        };
        let words = |shape: &Shape| -> Vec<u32> {
            let count = shape.words(ring.basis().n()) as u32;
            (0..count).map(|k| (k * k + 7 * k) % 97).collect()
        };
        let layout = KeyLayout {
            digits: 2,
            limbs: ring.basis().all_limbs(),
        };
        let key = words(&Shape::new(4, layout.limbs.clone()));
        let key = Key::prepare(&ring, &layout, &key).unwrap();
        let g = GaloisElement::rotation(1, 4);
        let batches = (1..=12).chain(1..=12);
        // All of them first: an upload waits for what is recorded.
        let inputs: Vec<Poly<B, Eval>> = batches
            .map(|batch| {
                let shape = Shape::new(2 * batch, window.clone());
                Poly::from_words(&ring, &shape, &words(&shape)).unwrap()
            })
            .collect();
        let rotated: Vec<Poly<B, Eval>> = inputs
            .iter()
            .map(|x| x.rotate(&key, g, &spec, &window).unwrap())
            .collect();
        rotated.iter().map(|x| x.to_words().unwrap()).collect()
    }

    #[test]
    fn parameters_that_stay_start_over_where_there_is_no_more_room() {
        let Some(engine) = present(GpuEngine::new(&GpuOptions::default())) else {
            return;
        };
        assert!(rotations(&engine) == rotations(&Reference::new()));
        let submission = lock(&engine.recorder().submission);
        // Of more than a hundred launches with lists of their own, the room holds those of the last few.
        let places = submission.kept.places.len();
        assert!((1..60).contains(&places), "{places}");
        assert!(submission.kept.words <= KEPT_WORDS);
    }
}
