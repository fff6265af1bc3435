//! Device memory: one wgpu buffer per block, pooled by size, accounted before it is allocated.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use arras_hal::{HalError, Result};

use crate::{
    GpuOptions,
    adapter::max_binding,
    device::{Gpu, lock},
};

/// Bytes that freed blocks may occupy before they go back to the driver.
const POOL_BYTES: u64 = 2 << 30;

/// How much device memory an engine uses, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// Held by buffers, keys and tables.
    pub in_use: u64,
    /// Freed and kept for the next buffer.
    pub pooled: u64,
    /// The most that was in use at a time.
    pub peak: u64,
    /// The most the engine takes, if it was given a limit.
    pub limit: Option<u64>,
    /// The largest single buffer.
    pub largest: u64,
}

pub(crate) struct Memory {
    gpu: Arc<Gpu>,
    limit: u64,
    largest: u64,
    state: Mutex<State>,
    /// Counts releases to the driver: who caches references to buffers drops them when it changes.
    released: AtomicU64,
}

#[derive(Default)]
struct State {
    free: HashMap<u64, Vec<(u64, wgpu::Buffer)>>,
    in_use: u64,
    pooled: u64,
    peak: u64,
    next_id: u64,
}

/// A buffer of its own, returned to the pool when dropped.
pub(crate) struct Block {
    /// Unique in the engine, kept when the buffer is used again.
    pub(crate) id: u64,
    pub(crate) buffer: wgpu::Buffer,
    bytes: u64,
    memory: Arc<Memory>,
}

impl Drop for Block {
    fn drop(&mut self) {
        self.memory.give_back(self.id, self.bytes, &self.buffer);
    }
}

impl Memory {
    pub(crate) fn new(gpu: &Arc<Gpu>, options: &GpuOptions) -> Arc<Self> {
        Arc::new(Self {
            gpu: gpu.clone(),
            limit: options.memory_limit.unwrap_or(u64::MAX),
            // Offsets in kernels are 32-bit words.
            largest: max_binding(&gpu.device.limits())
                .min(4 << 32)
                .min(options.largest_buffer.unwrap_or(u64::MAX))
                / 256
                * 256,
            state: Mutex::default(),
            released: AtomicU64::new(0),
        })
    }

    /// The largest block.
    pub(crate) fn largest(&self) -> u64 {
        self.largest
    }

    pub(crate) fn released(&self) -> u64 {
        self.released.load(Ordering::Acquire)
    }

    pub(crate) fn report(&self) -> MemoryReport {
        let state = lock(&self.state);
        MemoryReport {
            in_use: state.in_use,
            pooled: state.pooled,
            peak: state.peak,
            limit: (self.limit != u64::MAX).then_some(self.limit),
            largest: self.largest,
        }
    }

    pub(crate) fn alloc(self: &Arc<Self>, words: usize) -> Result<Block> {
        let asked = words as u64 * 4;
        let bytes = size_class(asked).min(self.largest);
        if asked > self.largest {
            return Err(self.refuse(asked, self.largest));
        }
        let mut state = lock(&self.state);
        if let Some((id, buffer)) = state.free.get_mut(&bytes).and_then(Vec::pop) {
            state.pooled -= bytes;
            return Ok(self.hand_out(&mut state, id, buffer, bytes));
        }
        if state.in_use + state.pooled + bytes > self.limit {
            self.release(&mut state);
        }
        if state.in_use + bytes > self.limit {
            return Err(self.refuse(asked, self.limit.saturating_sub(state.in_use)));
        }
        let buffer = match self.create(bytes) {
            Ok(buffer) => buffer,
            Err(_) if state.pooled > 0 => {
                self.release(&mut state);
                self.create(bytes).map_err(|()| self.refuse(asked, 0))?
            }
            Err(()) => return Err(self.refuse(asked, 0)),
        };
        state.next_id += 1;
        let id = state.next_id;
        Ok(self.hand_out(&mut state, id, buffer, bytes))
    }

    fn hand_out(
        self: &Arc<Self>,
        state: &mut State,
        id: u64,
        buffer: wgpu::Buffer,
        bytes: u64,
    ) -> Block {
        state.in_use += bytes;
        state.peak = state.peak.max(state.in_use);
        Block {
            id,
            buffer,
            bytes,
            memory: self.clone(),
        }
    }

    /// A new buffer; an error if the driver has no memory. Other errors stay with the engine.
    fn create(&self, bytes: u64) -> std::result::Result<wgpu::Buffer, ()> {
        let scope = self
            .gpu
            .device
            .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        match pollster::block_on(scope.pop()) {
            None => Ok(buffer),
            Some(_) => Err(()),
        }
    }

    fn give_back(&self, id: u64, bytes: u64, buffer: &wgpu::Buffer) {
        let mut state = lock(&self.state);
        state.in_use -= bytes;
        state.pooled += bytes;
        state
            .free
            .entry(bytes)
            .or_default()
            .push((id, buffer.clone()));
        if state.pooled > POOL_BYTES {
            self.release(&mut state);
        }
    }

    fn release(&self, state: &mut State) {
        state.free.clear();
        state.pooled = 0;
        self.released.fetch_add(1, Ordering::AcqRel);
    }

    fn refuse(&self, bytes: u64, available: u64) -> HalError {
        HalError::OutOfMemory {
            engine: self.gpu.name(),
            bytes,
            available,
        }
    }
}

/// Eight sizes per power of two, so that buffers of nearly one size share a pool at a cost of at most an eighth.
fn size_class(bytes: u64) -> u64 {
    let bytes = bytes.max(256);
    let step = (bytes.next_power_of_two() / 16).max(256);
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn classes_hold_what_is_asked_and_waste_little() {
        for bytes in [1, 256, 257, 4096, 5000, 1 << 20, (1 << 20) + 1, 123_456_789] {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(256));
            assert!(class <= bytes.max(256) + (bytes / 8).max(256));
            assert_eq!(size_class(class), class);
        }
    }
}
