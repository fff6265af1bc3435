//! Device time by kernel, from timestamp queries.
//!
//! A timestamp is taken between passes, so with profiling every dispatch is a pass of its own and every submission is
//! waited for: the times of kernels are right, the time of the whole is not.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arras_shaders::Kernel;

use crate::device::{Gpu, lock};

/// What the dispatches of a kernel took on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
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

pub(crate) struct Profiler {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readable: wgpu::Buffer,
    /// Nanoseconds of a tick.
    period: f64,
    totals: Mutex<HashMap<Kernel, Total>>,
}

impl Profiler {
    /// For submissions of up to `dispatches`; the device has the feature `TIMESTAMP_QUERY`.
    pub(crate) fn new(gpu: &Gpu, dispatches: usize) -> Self {
        let count = 2 * dispatches as u32;
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
            totals: Mutex::default(),
        }
    }

    /// The timestamps around dispatch `index` of a submission.
    pub(crate) fn writes(&self, index: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * index as u32),
            end_of_pass_write_index: Some(2 * index as u32 + 1),
        }
    }

    /// Makes the timestamps of `count` dispatches readable.
    pub(crate) fn resolve(&self, encoder: &mut wgpu::CommandEncoder, count: usize) {
        let bytes = 16 * count as u64;
        encoder.resolve_query_set(&self.queries, 0..2 * count as u32, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readable, 0, bytes);
    }

    /// Waits for the submission and adds its times; nothing if the device has failed.
    pub(crate) fn collect(&self, gpu: &Gpu, dispatches: &[(Kernel, [u32; 3])]) {
        let slice = self.readable.slice(..16 * dispatches.len() as u64);
        let mapped = std::sync::Arc::new(AtomicBool::new(false));
        let flag = mapped.clone();
        slice.map_async(wgpu::MapMode::Read, move |outcome| {
            flag.store(outcome.is_ok(), Ordering::Release);
        });
        if gpu
            .device
            .poll(wgpu::PollType::wait_indefinitely())
            .is_err()
            || !mapped.load(Ordering::Acquire)
        {
            return;
        }
        if let Ok(view) = slice.get_mapped_range() {
            let ticks: Vec<u64> = view
                .chunks_exact(8)
                .map(|b| b.iter().rev().fold(0, |t, &byte| t << 8 | u64::from(byte)))
                .collect();
            let mut totals = lock(&self.totals);
            for ((kernel, grid), pair) in dispatches.iter().zip(ticks.chunks_exact(2)) {
                let total = totals.entry(*kernel).or_default();
                total.dispatches += 1;
                total.workgroups += grid.iter().map(|&g| u64::from(g)).product::<u64>();
                total.nanoseconds += pair[1].saturating_sub(pair[0]) as f64 * self.period;
            }
        }
        self.readable.unmap();
    }

    /// What has been added since the last call, the longest first.
    pub(crate) fn take(&self) -> Vec<KernelTime> {
        let totals = std::mem::take(&mut *lock(&self.totals));
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
