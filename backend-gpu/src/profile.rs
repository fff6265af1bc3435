//! Device time by kernel, from timestamp queries.
//!
//! A timestamp is taken between passes, so with profiling every dispatch is a pass of its own: the times of kernels are right, the
//! time of the whole is not. Timestamps stay on the device until they are asked for or many are there, so that the device is kept
//! as busy as without them: one that waits between kernels lowers its clocks.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use arras_shaders::Kernel;

use crate::device::{Gpu, lock};

/// What the dispatches of a kernel took on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KernelTime {
    /// The kernel.
    pub kernel: String,
    /// Number of dispatches.
    pub dispatches: u64,
    /// Number of workgroups of all of them.
    pub workgroups: u64,
    /// Time of all of them.
    pub time: Duration,
}

#[derive(Clone, Copy, Default)]
struct Total {
    dispatches: u64,
    workgroups: u64,
    nanoseconds: f64,
}

/// Dispatches whose timestamps a set holds; wgpu allows twice as many queries.
const DISPATCHES: usize = 2048;
/// Timestamps are resolved to multiples of 256 bytes: those of so many dispatches.
const ALIGN: usize = 16;

pub(crate) struct Profiler {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readable: wgpu::Buffer,
    /// Nanoseconds of a tick.
    period: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Dispatches of which timestamps are in the set, gaps included.
    used: usize,
    /// What they are of.
    dispatches: Vec<(usize, Kernel, [u32; 3])>,
    totals: HashMap<Kernel, Total>,
}

impl Profiler {
    /// The device has the feature `TIMESTAMP_QUERY`.
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let count = 2 * DISPATCHES as u32;
        let buffer = |usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: u64::from(count) * 8,
                usage,
                mapped_at_creation: false,
            })
        };
        Self {
            queries: gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            readable: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            period: f64::from(gpu.queue.get_timestamp_period()),
            state: Mutex::default(),
        }
    }

    /// Makes place for the timestamps of a submission; the number of its first dispatch. Waits for the device where the set is full.
    pub(crate) fn begin(&self, gpu: &Gpu, count: usize) -> usize {
        let mut state = lock(&self.state);
        if state.used + count > DISPATCHES {
            self.collect(gpu, &mut state);
        }
        state.used
    }

    /// The timestamps around a dispatch.
    pub(crate) fn writes(&self, index: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * index as u32),
            end_of_pass_write_index: Some(2 * index as u32 + 1),
        }
    }

    /// Resolves the timestamps of these dispatches, the first of which has number `first`.
    pub(crate) fn resolve(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        first: usize,
        dispatches: impl ExactSizeIterator<Item = (Kernel, [u32; 3])>,
    ) {
        let queries = 2 * first as u32..2 * (first + dispatches.len()) as u32;
        encoder.resolve_query_set(&self.queries, queries, &self.resolved, 16 * first as u64);
        let mut state = lock(&self.state);
        state.used = (first + dispatches.len()).next_multiple_of(ALIGN);
        let numbered = dispatches.enumerate();
        state
            .dispatches
            .extend(numbered.map(|(k, (kernel, grid))| (first + k, kernel, grid)));
    }

    /// Waits for the device and adds the times of what is in the set; nothing if the device has failed.
    fn collect(&self, gpu: &Gpu, state: &mut State) {
        let dispatches = std::mem::take(&mut state.dispatches);
        let bytes = 16 * std::mem::take(&mut state.used) as u64;
        if dispatches.is_empty() {
            return;
        }
        let descriptor = wgpu::CommandEncoderDescriptor { label: None };
        let mut encoder = gpu.device.create_command_encoder(&descriptor);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readable, 0, bytes);
        gpu.queue.submit([encoder.finish()]);
        let slice = self.readable.slice(..bytes);
        // Another thread's poll may call back, later than the mapping is there: the range says whether it is.
        slice.map_async(wgpu::MapMode::Read, |_| {});
        gpu.poll(wgpu::PollType::wait_indefinitely());
        if let Ok(view) = slice.get_mapped_range() {
            let ticks: Vec<u64> = view
                .chunks_exact(8)
                .map(|b| b.iter().rev().fold(0, |t, &byte| t << 8 | u64::from(byte)))
                .collect();
            for (index, kernel, grid) in dispatches {
                let total = state.totals.entry(kernel).or_default();
                let time = ticks[2 * index + 1].saturating_sub(ticks[2 * index]);
                total.dispatches += 1;
                total.workgroups += grid.iter().map(|&g| u64::from(g)).product::<u64>();
                total.nanoseconds += time as f64 * self.period;
            }
        }
        self.readable.unmap();
    }

    /// What has been submitted since the last call, the longest first. Waits for the device.
    pub(crate) fn take(&self, gpu: &Gpu) -> Vec<KernelTime> {
        let mut state = lock(&self.state);
        self.collect(gpu, &mut state);
        let totals = std::mem::take(&mut state.totals);
        let mut list: Vec<KernelTime> = totals
            .into_iter()
            .map(|(kernel, total)| KernelTime {
                kernel: kernel.to_string(),
                dispatches: total.dispatches,
                workgroups: total.workgroups,
                time: Duration::from_nanos(total.nanoseconds as u64),
            })
            .collect();
        list.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.kernel.cmp(&b.kernel)));
        list
    }
}
