//! Device memory: one wgpu buffer per block, pooled by size, accounted before it is allocated.

mod bindings;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use arras_hal::{HalError, HalErrorKind, Result};

use self::bindings::BindGroups;
use crate::{
    GpuOptions,
    adapter::max_binding,
    device::{Gpu, lock},
};

/// Bytes that freed blocks may occupy before they go back to the driver, where the device's memory is the host's.
const SHARED_POOL_BYTES: u64 = 2 << 30;
/// The same on a device with memory of its own: a large batch's scratch takes several GiB, and asking the driver for it anew takes
/// tens of times as long as computing with it. Memory that runs out is given back before an allocation fails.
const OWN_POOL_BYTES: u64 = 16 << 30;

/// Bytes that uploads may take at a time.
const UPLOAD_ROOM: u64 = 256 << 20;

const BLOCK_USAGES: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// Bytes of one buffer, at least, when the driver is asked for room.
const ROOM_PIECE: u64 = 64 << 20;

/// How much device memory an engine uses, in bytes, without its 17 MiB of parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryReport {
    /// Held by buffers, keys and tables.
    pub in_use: u64,
    /// Freed and kept for the next buffer.
    pub pooled: u64,
    /// The most that was in use at a time.
    pub peak: u64,
    /// Blocks handed out since the engine was made.
    pub handed_out: u64,
    /// How many of them were new from the driver, not from the pool.
    pub created: u64,
    /// The most the engine takes, if it was given a limit.
    pub limit: Option<u64>,
    /// The largest single buffer.
    pub largest_buffer: u64,
    /// The most that a kernel sees of a buffer. Larger buffers are worked on in pieces; tables, one limb of a key and the scratch of
    /// one batch item have to fit.
    pub largest_binding: u64,
}

pub(crate) struct Memory {
    gpu: Arc<Gpu>,
    limit: u64,
    largest_buffer: u64,
    largest_binding: u64,
    /// Bytes that freed blocks may occupy before they go back to the driver.
    largest_pool: u64,
    state: Mutex<State>,
    bind_groups: BindGroups,
}

#[derive(Default)]
struct State {
    /// By size, then by id: the lowest is handed out first, so that a sequence of operations that comes again meets the same blocks, for
    /// which bind groups are there.
    free: HashMap<u64, BTreeMap<u64, wgpu::Buffer>>,
    in_use: u64,
    pooled: u64,
    peak: u64,
    handed_out: u64,
    /// Also the last id.
    created: u64,
    /// Bytes of new blocks since it was last seen that there is room for uploads.
    since_probe: u64,
}

/// A buffer of its own, returned to the pool when dropped; or a window of such a buffer.
pub(crate) struct Block {
    /// Unique in the engine, kept when the buffer is used again; a window has that of its buffer.
    pub(crate) id: u64,
    pub(crate) buffer: wgpu::Buffer,
    /// The part of the buffer that is the block's.
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    /// A window has none, and lives no longer than the operation that made it.
    lease: Option<Arc<Memory>>,
}

impl Block {
    /// A part of the block. A binding may begin at multiples of [`Memory::alignment`].
    pub(crate) fn window(&self, offset: u64, bytes: u64) -> Self {
        Self {
            id: self.id,
            buffer: self.buffer.clone(),
            offset: self.offset + offset,
            bytes,
            lease: None,
        }
    }

    /// What a kernel sees.
    pub(crate) fn binding(&self) -> wgpu::BufferBinding<'_> {
        wgpu::BufferBinding {
            buffer: &self.buffer,
            offset: self.offset,
            size: wgpu::BufferSize::new(self.bytes),
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(memory) = &self.lease {
            memory.give_back(self.id, self.bytes, &self.buffer);
        }
    }
}

impl Memory {
    pub(crate) fn new(gpu: &Arc<Gpu>, options: &GpuOptions) -> Arc<Self> {
        let limits = gpu.device.limits();
        let whole = |bytes: u64| bytes / 256 * 256;
        Arc::new(Self {
            gpu: gpu.clone(),
            limit: options.memory_limit.unwrap_or(u64::MAX),
            largest_buffer: whole(limits.max_buffer_size),
            largest_binding: whole(
                max_binding(&limits)
                    // Offsets in kernels are 32-bit words.
                    .min(4 << 32)
                    .min(options.largest_binding.unwrap_or(u64::MAX)),
            ),
            largest_pool: match gpu.report.kind.as_str() {
                "discrete" => OWN_POOL_BYTES,
                _ => SHARED_POOL_BYTES,
            },
            state: Mutex::default(),
            bind_groups: BindGroups::default(),
        })
    }

    /// The most bytes that a kernel sees of a block.
    pub(crate) fn largest_binding(&self) -> u64 {
        self.largest_binding
    }

    /// Bindings begin at multiples of this many bytes.
    pub(crate) fn alignment(&self) -> u64 {
        u64::from(self.gpu.device.limits().min_storage_buffer_offset_alignment)
    }

    /// The bind group of a kernel's parameters, which are the same at every call, its output and its inputs.
    pub(crate) fn bind_group(
        &self,
        params: wgpu::BufferBinding<'_>,
        dst: &Block,
        inputs: &[&Block],
    ) -> wgpu::BindGroup {
        self.bind_groups.get(&self.gpu, params, dst, inputs)
    }

    pub(crate) fn report(&self) -> MemoryReport {
        let state = lock(&self.state);
        MemoryReport {
            in_use: state.in_use,
            pooled: state.pooled,
            peak: state.peak,
            handed_out: state.handed_out,
            created: state.created,
            limit: (self.limit != u64::MAX).then_some(self.limit),
            largest_buffer: self.largest_buffer,
            largest_binding: self.largest_binding,
        }
    }

    /// A block that kernels see whole.
    pub(crate) fn alloc(self: &Arc<Self>, words: usize) -> Result<Block> {
        self.alloc_up_to(words, self.largest_binding)
    }

    /// A block of any size that the device has; kernels see windows of it where it is larger than a binding.
    pub(crate) fn alloc_large(self: &Arc<Self>, words: usize) -> Result<Block> {
        self.alloc_up_to(words, self.largest_buffer)
    }

    fn alloc_up_to(self: &Arc<Self>, words: usize, most: u64) -> Result<Block> {
        let asked = words as u64 * 4;
        if asked > most {
            return Err(self.refuse(asked, most));
        }
        // Rounding up must not take a block above what one binding covers.
        let bytes = match size_class(asked) {
            class if asked <= self.largest_binding => class.min(self.largest_binding),
            class => class.min(most),
        };
        let mut state = lock(&self.state);
        if let Some((id, buffer)) = state.free.get_mut(&bytes).and_then(BTreeMap::pop_first) {
            state.pooled -= bytes;
            return Ok(self.hand_out(&mut state, id, buffer, bytes));
        }
        if state.in_use + state.pooled + bytes > self.limit {
            self.release(&mut state);
        }
        if state.in_use + bytes > self.limit {
            return Err(self.refuse(asked, self.limit.saturating_sub(state.in_use)));
        }
        let buffer = self
            .create_block(&mut state, bytes)
            .map_err(|()| self.refuse(asked, 0))?;
        state.created += 1;
        let id = state.created;
        Ok(self.hand_out(&mut state, id, buffer, bytes))
    }

    /// Gives what the pool holds back to the driver. The device must have finished what uses it.
    pub(crate) fn give_up_pool(&self) {
        self.release(&mut lock(&self.state));
        self.finish();
    }

    /// Asks the driver for `bytes` more than what is in use, and gives them back: no interface tells what is free. The pool should be empty.
    pub(crate) fn make_room(&self, bytes: u64) -> Result<()> {
        let state = lock(&self.state);
        let allowed = self.limit.saturating_sub(state.in_use);
        // A software device's memory is the machine's, which the system promises beyond what there is.
        let free = match self.gpu.report.kind.as_str() {
            "software" => free_main_memory(),
            _ => None,
        };
        let allowed = free.unwrap_or(u64::MAX).min(allowed);
        if bytes > allowed {
            return Err(self.refuse(bytes, allowed));
        }
        let mut held = Vec::new();
        let mut found = 0;
        // Few pieces, yet some room is found where not all is there.
        let piece = (bytes / 16).max(ROOM_PIECE).min(self.largest_buffer);
        while found < bytes {
            let piece = (bytes - found).min(piece).next_multiple_of(256);
            match self.create(piece, BLOCK_USAGES) {
                Ok(buffer) => held.push(buffer),
                Err(()) => break,
            }
            found += piece;
        }
        for buffer in held {
            buffer.destroy();
        }
        self.finish();
        self.gpu.check()?;
        if found < bytes {
            return Err(self.refuse(bytes, found));
        }
        Ok(())
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
        state.handed_out += 1;
        Block {
            id,
            buffer,
            offset: 0,
            bytes,
            lease: Some(self.clone()),
        }
    }

    /// A new block's buffer, with room left beside it for what wgpu uploads through: it loses the device where it has none.
    fn create_block(&self, state: &mut State, bytes: u64) -> std::result::Result<wgpu::Buffer, ()> {
        let buffer = self.create(bytes, BLOCK_USAGES)?;
        state.since_probe += bytes;
        if state.since_probe >= UPLOAD_ROOM / 2 {
            let usages = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
            let room = UPLOAD_ROOM.min(self.largest_buffer);
            self.create(room, usages)?.destroy();
            self.gpu.poll(wgpu::PollType::Poll);
            state.since_probe = 0;
        }
        Ok(buffer)
    }

    /// A buffer that the host reads.
    pub(crate) fn readable(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let usages = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        self.create(bytes, usages)
            .map_err(|()| self.refuse(bytes, 0))
    }

    /// A new buffer; an error if the driver has no memory. Other errors stay with the engine.
    fn create(
        &self,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> std::result::Result<wgpu::Buffer, ()> {
        let scope = self
            .gpu
            .device
            .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage,
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
            .insert(id, buffer.clone());
        if state.pooled > self.largest_pool {
            self.release(&mut state);
        }
    }

    /// Drops what the pool holds.
    fn release(&self, state: &mut State) {
        state.free.clear();
        state.pooled = 0;
        self.bind_groups.clear();
    }

    /// Waits for the device: then the memory of buffers that nobody holds is the driver's again.
    fn finish(&self) {
        self.gpu.poll(wgpu::PollType::wait_indefinitely());
    }

    /// The error for bytes that are not to be had.
    pub(crate) fn refuse(&self, bytes: u64, available: u64) -> HalError {
        HalErrorKind::OutOfMemory {
            engine: self.gpu.name(),
            bytes,
            available,
        }
        .into()
    }
}

/// What the system could give a process, where it tells.
fn free_main_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
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
