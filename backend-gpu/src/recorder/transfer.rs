//! Uploads, downloads, copies between buffers, waits, and memory for them: each keeps its place in the order of what is recorded.

use arras_hal::{HalErrorKind, Result};

use super::{FIRST_SUBMISSION, Recorder};
use crate::{device::lock, memory::Block};

/// Uploads and downloads go in pieces of this many words: 64 MiB.
const PIECE_WORDS: usize = 16 << 20;
/// Pieces of uploads that may wait for the device: wgpu keeps them in memory of their own.
const PIECES_AHEAD: usize = 4;
/// Uploads that may wait for a submission.
const WAITING_WRITES: usize = 64;

/// Bytes to copy from one block to another.
pub(crate) struct Transfer<'a> {
    pub(crate) src: &'a Block,
    pub(crate) src_offset: u64,
    pub(crate) dst: &'a Block,
    pub(crate) dst_offset: u64,
    pub(crate) bytes: u64,
}

impl Recorder {
    /// Copies ranges of bytes, after everything recorded; no binding is needed for it.
    pub(crate) fn transfer(&self, copies: &[Transfer<'_>]) {
        if copies.is_empty() {
            return;
        }
        self.submit_now(&mut lock(&self.submission), |encoder| {
            for copy in copies {
                let (src, dst) = (copy.src, copy.dst);
                encoder.copy_buffer_to_buffer(
                    &src.buffer,
                    src.offset + copy.src_offset,
                    &dst.buffer,
                    dst.offset + copy.dst_offset,
                    copy.bytes,
                );
            }
        });
    }

    /// Writes the first words of a buffer, after everything recorded.
    pub(crate) fn upload(&self, block: &Block, words: &[u32]) {
        let mut submission = lock(&self.submission);
        if submission.touched.contains(&block.id) {
            self.submit_now(&mut submission, |_| {});
        }
        for (piece, words) in words.chunks(PIECE_WORDS).enumerate() {
            let offset = (piece * PIECE_WORDS) as u64 * 4;
            let bytes = bytemuck::cast_slice(words);
            self.submitter.write(&block.buffer, offset, bytes);
            submission.writes += 1;
            submission.written_words += words.len();
            if submission.writes >= WAITING_WRITES || submission.written_words >= PIECE_WORDS {
                self.submit_now(&mut submission, |_| {});
            }
            submission.words_ahead += words.len();
            if submission.words_ahead >= PIECES_AHEAD * PIECE_WORDS {
                self.submit_now(&mut submission, |_| {});
                self.gpu.poll(wgpu::PollType::wait_indefinitely());
                submission.words_ahead = 0;
            }
        }
    }

    /// Memory that kernels see whole. What the pool keeps goes back to the driver before one is refused.
    pub(crate) fn alloc(&self, words: usize) -> Result<Block> {
        self.alloc_from(|| self.memory.alloc(words))
    }

    /// Memory of any size that the device has; kernels see windows of it where it is larger than a binding.
    pub(crate) fn alloc_large(&self, words: usize) -> Result<Block> {
        self.alloc_from(|| self.memory.alloc_large(words))
    }

    fn alloc_from(&self, alloc: impl Fn() -> Result<Block>) -> Result<Block> {
        match alloc() {
            Err(error) if matches!(error.kind(), HalErrorKind::OutOfMemory { .. }) => {
                self.give_up_pool()?;
                alloc()
            }
            outcome => outcome,
        }
    }

    /// Gives what the pool keeps back to the driver, when nothing recorded uses it any more.
    pub(crate) fn give_up_pool(&self) -> Result<()> {
        self.sync()?;
        self.memory.give_up_pool();
        Ok(())
    }

    /// Waits for everything recorded.
    pub(crate) fn sync(&self) -> Result<()> {
        self.submit_now(&mut lock(&self.submission), |_| {});
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        let mut submission = lock(&self.submission);
        submission.largest = FIRST_SUBMISSION;
        submission.words_ahead = 0;
        drop(submission);
        self.gpu.poll(wgpu::PollType::wait_indefinitely());
        self.gpu.check()
    }

    /// Waits for everything recorded and reads the first words of a buffer.
    pub(crate) fn download(&self, block: &Block, words: &mut [u32]) -> Result<()> {
        let mut staging = lock(&self.staging);
        let piece_words = words.len().min(PIECE_WORDS);
        let needed = (piece_words as u64 * 4).next_power_of_two();
        if staging.as_ref().is_none_or(|s| s.size() < needed) {
            *staging = None;
            *staging = Some(self.memory.readable(needed)?);
        }
        let Some(buffer) = staging.as_ref() else {
            return self.gpu.check();
        };
        for (piece, words) in words.chunks_mut(PIECE_WORDS).enumerate() {
            let bytes = words.len() as u64 * 4;
            let offset = (piece * PIECE_WORDS) as u64 * 4;
            self.submit_now(&mut lock(&self.submission), |encoder| {
                encoder.copy_buffer_to_buffer(&block.buffer, offset, buffer, 0, bytes);
            });
            if let Err(error) = self.read(buffer, words) {
                // Its state is unknown after a failed mapping.
                *staging = None;
                return Err(error);
            }
        }
        Ok(())
    }

    fn read(&self, buffer: &wgpu::Buffer, words: &mut [u32]) -> Result<()> {
        let slice = buffer.slice(..words.len() as u64 * 4);
        let faults = self.gpu.faults.clone();
        slice.map_async(wgpu::MapMode::Read, move |outcome| {
            if let Err(error) = outcome {
                faults.record(format!("reading back failed: {error}"));
            }
        });
        self.wait()?;
        match slice.get_mapped_range() {
            Ok(view) => words.copy_from_slice(bytemuck::cast_slice(&view)),
            Err(error) => {
                return Err(HalErrorKind::Device {
                    engine: self.gpu.name(),
                    message: format!("reading back failed: {error}"),
                }
                .into());
            }
        }
        buffer.unmap();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arras_hal::{Backend, Eval, Limbs, Poly, Shape};

    use crate::{
        GpuEngine, GpuOptions,
        testing::{present, ring},
    };

    #[test]
    fn what_the_pool_gives_up_is_the_drivers_again() {
        let Some(engine) = present(GpuEngine::new(&GpuOptions::default())) else {
            return;
        };
        let ring = ring(&engine, &[97, 193]);
        let shape = Shape::new(1 << 18, Limbs::new(0..2));
        let bytes = (shape.words(16) * 4) as u64;
        let allocated = || {
            let report = engine.gpu().device.generate_allocator_report();
            report.map(|r| r.total_allocated_bytes)
        };
        engine.sync().unwrap();
        let Some(before) = allocated() else {
            eprintln!("skipped: this driver's memory is not counted");
            return;
        };
        let x = Poly::<_, Eval>::zeros(&ring, &shape).unwrap();
        let sum = x.add(&x).unwrap();
        assert!(allocated().unwrap() >= before + 2 * bytes);
        drop((x, sum));
        // The sum is not even submitted.
        assert_eq!(engine.memory_report().pooled, 2 * bytes);
        engine.recorder().give_up_pool().unwrap();
        assert_eq!(engine.memory_report().pooled, 0);
        let after = allocated().unwrap();
        assert!(after < before + bytes, "{before} before, {after} after");
    }
}
