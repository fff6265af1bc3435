//! Dispatches are recorded and submitted in bounded lots; uploads and downloads keep their place in the order.
//!
//! A lot's parameters are one piece of host memory, written in front of its commands: `queue.write_buffer` runs before
//! everything in the next submission. For the same reason a buffer that a recorded command uses is never
//! written before the lot has been submitted.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use arras_hal::{HalError, Result};
use arras_shaders::{
    Kernel, Prelude,
    layout::{Entry, Header, MAX_ENTRIES, MAX_ROW_PAIRS, PARAMS_WINDOW_BYTES, RowPair},
};

use crate::{
    device::{Gpu, lock},
    memory::{Block, Memory},
    profile::Profiler,
};

/// Dispatches of a lot: large enough to make a submission cheap, small enough to keep the device busy meanwhile.
const LOT: usize = 64;
/// Words of a lot's parameters.
const LOT_WORDS: usize = 1 << 18;
/// Parameters start at multiples of this many words: the largest alignment that a device may ask for.
const ALIGN_WORDS: usize = 64;
/// Uploads and downloads go in pieces of this many words: 64 MiB.
const PIECE_WORDS: usize = 16 << 20;
/// Uploads that may wait for a submission.
const WAITING_WRITES: usize = 64;
/// Workgroups in one dimension of a dispatch.
const GRID: u32 = 65_535;
/// Bind groups kept.
const BIND_GROUPS: usize = 4096;

/// One operation of a kernel over entries and a batch.
pub(crate) struct Launch<'a> {
    pub(crate) kernel: Kernel,
    pub(crate) header: Header,
    /// Rows of the output.
    pub(crate) entries: Vec<Entry>,
    /// Entries that every dispatch needs after its rows.
    pub(crate) tail: Vec<Entry>,
    /// Entries of one workgroup.
    pub(crate) group: usize,
    /// Workgroups in x.
    pub(crate) x: u32,
    /// Batch items.
    pub(crate) batch: usize,
    /// Batch items of one workgroup.
    pub(crate) width: usize,
    pub(crate) dst: &'a Block,
    pub(crate) inputs: Vec<&'a Block>,
}

/// Bytes to copy from one block to another.
pub(crate) struct Transfer<'a> {
    pub(crate) src: &'a Block,
    pub(crate) src_offset: u64,
    pub(crate) dst: &'a Block,
    pub(crate) dst_offset: u64,
    pub(crate) bytes: u64,
}

struct Dispatch {
    kernel: Kernel,
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    offset: u32,
    grid: [u32; 3],
}

#[derive(Default)]
struct Lot {
    dispatches: Vec<Dispatch>,
    params: Vec<u32>,
    /// Ids of the buffers that the lot uses.
    touched: HashSet<u64>,
    /// By id, offset and length of what they bind.
    bind_groups: HashMap<Vec<[u64; 3]>, wgpu::BindGroup>,
    released: u64,
    writes: usize,
    written_words: usize,
}

pub(crate) struct Recorder {
    gpu: Arc<Gpu>,
    memory: Arc<Memory>,
    params: wgpu::Buffer,
    lot: Mutex<Lot>,
    staging: Mutex<Option<wgpu::Buffer>>,
    profiler: Option<Profiler>,
    dispatches: AtomicU64,
    submissions: AtomicU64,
}

impl Recorder {
    pub(crate) fn new(gpu: &Arc<Gpu>, memory: &Arc<Memory>, profile: bool) -> Self {
        let params = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("parameters"),
            // A window starts anywhere in the lot.
            size: LOT_WORDS as u64 * 4 + PARAMS_WINDOW_BYTES,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self {
            gpu: gpu.clone(),
            memory: memory.clone(),
            params,
            lot: Mutex::default(),
            staging: Mutex::default(),
            profiler: profile.then(|| Profiler::new(gpu, LOT)),
            dispatches: AtomicU64::new(0),
            submissions: AtomicU64::new(0),
        }
    }

    pub(crate) fn dispatches(&self) -> u64 {
        self.dispatches.load(Ordering::Relaxed)
    }

    pub(crate) fn submissions(&self) -> u64 {
        self.submissions.load(Ordering::Relaxed)
    }

    pub(crate) fn profiler(&self) -> Option<&Profiler> {
        self.profiler.as_ref()
    }

    /// Records a launch, in several dispatches where entries or batch exceed what one can take.
    pub(crate) fn launch(&self, prelude: Prelude, launch: &Launch<'_>) {
        let Some(pipeline) = self.gpu.pipeline(launch.kernel, prelude) else {
            return;
        };
        let group = launch.group;
        let chunk = (MAX_ENTRIES - launch.tail.len()) / group * group;
        let span = launch.width * GRID as usize;
        for entries in launch.entries.chunks(chunk) {
            let mut first = 0;
            while first < launch.batch {
                let items = span.min(launch.batch - first);
                let header = Header {
                    first: first as u32,
                    batch: launch.batch as u32,
                    entries: entries.len() as u32,
                    ..launch.header
                };
                let words = [
                    bytemuck::bytes_of(&header),
                    bytemuck::cast_slice(entries),
                    bytemuck::cast_slice(&launch.tail),
                ];
                let grid = [
                    launch.x,
                    (entries.len() / group) as u32,
                    items.div_ceil(launch.width) as u32,
                ];
                let kernel = (launch.kernel, &pipeline);
                self.record(kernel, launch.dst, &launch.inputs, &words, grid);
                first += items;
            }
        }
    }

    /// Records copies of rows.
    pub(crate) fn copy_rows(
        &self,
        prelude: Prelude,
        header: Header,
        rows: &[RowPair],
        dst: &Block,
        src: &Block,
    ) {
        let Some(pipeline) = self.gpu.pipeline(Kernel::CopyRows, prelude) else {
            return;
        };
        for rows in rows.chunks(MAX_ROW_PAIRS) {
            let words = [bytemuck::bytes_of(&header), bytemuck::cast_slice(rows)];
            let grid = [header.n.div_ceil(1024), rows.len() as u32, 1];
            self.record((Kernel::CopyRows, &pipeline), dst, &[src], &words, grid);
        }
    }

    fn record(
        &self,
        (kernel, pipeline): (Kernel, &wgpu::ComputePipeline),
        dst: &Block,
        inputs: &[&Block],
        bytes: &[&[u8]],
        grid: [u32; 3],
    ) {
        let mut lot = lock(&self.lot);
        let words: usize = bytes.iter().map(|b| b.len() / 4).sum();
        if lot.dispatches.len() >= LOT || lot.params.len() + words > LOT_WORDS {
            self.submit(&mut lot, |_| {});
        }
        let offset = (lot.params.len() * 4) as u32;
        for part in bytes {
            lot.params.extend_from_slice(bytemuck::cast_slice(part));
        }
        let aligned = lot.params.len().next_multiple_of(ALIGN_WORDS);
        lot.params.resize(aligned, 0);
        lot.touched.insert(dst.id);
        lot.touched.extend(inputs.iter().map(|b| b.id));
        let bind_group = self.bind_group(&mut lot, dst, inputs);
        lot.dispatches.push(Dispatch {
            kernel,
            pipeline: pipeline.clone(),
            bind_group,
            offset,
            grid,
        });
        self.dispatches.fetch_add(1, Ordering::Relaxed);
    }

    fn bind_group(&self, lot: &mut Lot, dst: &Block, inputs: &[&Block]) -> wgpu::BindGroup {
        let released = self.memory.released();
        if released != lot.released || lot.bind_groups.len() >= BIND_GROUPS {
            lot.bind_groups.clear();
            lot.released = released;
        }
        let blocks = [dst].into_iter().chain(inputs.iter().copied());
        let windows: Vec<[u64; 3]> = blocks.map(|b| [b.id, b.offset, b.bytes]).collect();
        lot.bind_groups
            .entry(windows)
            .or_insert_with(|| {
                let params = wgpu::BufferBinding {
                    buffer: &self.params,
                    offset: 0,
                    size: wgpu::BufferSize::new(PARAMS_WINDOW_BYTES),
                };
                let mut entries = vec![wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(params),
                }];
                entries.extend([dst].iter().chain(inputs).enumerate().map(|(k, block)| {
                    wgpu::BindGroupEntry {
                        binding: k as u32 + 1,
                        resource: wgpu::BindingResource::Buffer(block.binding()),
                    }
                }));
                self.gpu
                    .device
                    .create_bind_group(&wgpu::BindGroupDescriptor {
                        label: None,
                        layout: self.gpu.bind_group_layout(inputs.len()),
                        entries: &entries,
                    })
            })
            .clone()
    }

    /// Submits what is recorded, and `last` after it.
    fn submit(&self, lot: &mut Lot, last: impl FnOnce(&mut wgpu::CommandEncoder)) {
        let dispatches = std::mem::take(&mut lot.dispatches);
        let gpu = &self.gpu;
        lot.touched.clear();
        lot.writes = 0;
        lot.written_words = 0;
        if gpu.faults.is_lost() {
            // Every call would only add an error to the one that is kept.
            lot.params.clear();
            return;
        }
        if !lot.params.is_empty() {
            gpu.queue
                .write_buffer(&self.params, 0, bytemuck::cast_slice(&lot.params));
        }
        let descriptor = wgpu::CommandEncoderDescriptor { label: None };
        let mut encoder = gpu.device.create_command_encoder(&descriptor);
        match &self.profiler {
            Some(profiler) if !dispatches.is_empty() => {
                for (index, d) in dispatches.iter().enumerate() {
                    let writes = Some(profiler.writes(index));
                    run(&mut encoder, std::slice::from_ref(d), writes);
                }
                profiler.resolve(&mut encoder, dispatches.len());
            }
            _ => run(&mut encoder, &dispatches, None),
        }
        last(&mut encoder);
        gpu.queue.submit([encoder.finish()]);
        self.submissions.fetch_add(1, Ordering::Relaxed);
        lot.params.clear();
        if let Some(profiler) = &self.profiler
            && !dispatches.is_empty()
        {
            let done: Vec<_> = dispatches.iter().map(|d| (d.kernel, d.grid)).collect();
            profiler.collect(gpu, &done);
        }
        // Without a poll now and then, wgpu keeps the staging memory of finished writes.
        let _ = gpu.device.poll(wgpu::PollType::Poll);
    }

    /// Copies ranges of bytes, after everything recorded; no binding is needed for it.
    pub(crate) fn transfer(&self, copies: &[Transfer<'_>]) {
        if copies.is_empty() {
            return;
        }
        self.submit(&mut lock(&self.lot), |encoder| {
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
        let mut lot = lock(&self.lot);
        if lot.touched.contains(&block.id) {
            self.submit(&mut lot, |_| {});
        }
        for (piece, words) in words.chunks(PIECE_WORDS).enumerate() {
            let offset = (piece * PIECE_WORDS) as u64 * 4;
            let bytes = bytemuck::cast_slice(words);
            self.gpu.queue.write_buffer(&block.buffer, offset, bytes);
            lot.writes += 1;
            lot.written_words += words.len();
            if lot.writes >= WAITING_WRITES || lot.written_words >= PIECE_WORDS {
                self.submit(&mut lot, |_| {});
            }
        }
    }

    /// Waits for everything recorded.
    pub(crate) fn sync(&self) -> Result<()> {
        self.submit(&mut lock(&self.lot), |_| {});
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        if let Err(error) = self.gpu.device.poll(wgpu::PollType::wait_indefinitely()) {
            self.gpu.faults.record(format!("waiting failed: {error}"));
        }
        self.gpu.check()
    }

    /// Waits for everything recorded and reads the first words of a buffer.
    pub(crate) fn download(&self, block: &Block, words: &mut [u32]) -> Result<()> {
        let mut staging = lock(&self.staging);
        let piece_words = words.len().min(PIECE_WORDS);
        let needed = (piece_words as u64 * 4).next_power_of_two();
        if staging.as_ref().is_none_or(|s| s.size() < needed) {
            *staging = Some(self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("staging"),
                size: needed,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }));
        }
        let Some(buffer) = staging.as_ref() else {
            return self.gpu.check();
        };
        for (piece, words) in words.chunks_mut(PIECE_WORDS).enumerate() {
            let bytes = words.len() as u64 * 4;
            let offset = (piece * PIECE_WORDS) as u64 * 4;
            self.submit(&mut lock(&self.lot), |encoder| {
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
                return Err(HalError::Device {
                    engine: self.gpu.name(),
                    message: format!("reading back failed: {error}"),
                });
            }
        }
        buffer.unmap();
        Ok(())
    }
}

/// Records dispatches as a pass of `encoder`.
fn run(
    encoder: &mut wgpu::CommandEncoder,
    dispatches: &[Dispatch],
    timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
) {
    if dispatches.is_empty() {
        return;
    }
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
        label: None,
        timestamp_writes,
    });
    for d in dispatches {
        pass.set_pipeline(&d.pipeline);
        pass.set_bind_group(0, &d.bind_group, &[d.offset]);
        let [x, y, z] = d.grid;
        pass.dispatch_workgroups(x, y, z);
    }
}
