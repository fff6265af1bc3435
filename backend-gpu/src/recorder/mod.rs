//! Dispatches are recorded in bounded submissions; uploads and downloads keep their place in the order.
//!
//! ```text
//!   params     where a dispatch's parameters are
//!   submit     the thread that encodes and submits them
//!   transfer   uploads, downloads, copies, waits
//! ```
//! A buffer that a recorded command uses is never written from the host before the submission is with the driver.

mod params;
mod submit;
mod transfer;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use arras_shaders::{
    Kernel, Prelude,
    layout::{Header, MAX_ENTRIES, MAX_ROW_PAIRS, PARAMS_WINDOW_BYTES, RowPair},
};

pub(crate) use self::transfer::Transfer;
use self::{
    params::{Kept, ParamsKey},
    submit::{Dispatch, Job, Submitter},
};
use crate::{
    device::{Gpu, lock},
    lists::List,
    memory::{Block, Memory},
    profile::{KernelTime, Profiler},
};

/// Dispatches of a submission, at most: enough to make it cheap, few enough to keep the device busy meanwhile.
const LARGEST_SUBMISSION: usize = 64;
/// Dispatches of the first submission after a wait, when the device has nothing to do; later ones double.
const FIRST_SUBMISSION: usize = 8;
/// Workgroups in one dimension of a dispatch.
const GRID: u32 = 65_535;

/// One operation of a kernel over entries and a batch.
pub(crate) struct Launch<'a> {
    pub(crate) kernel: Kernel,
    pub(crate) header: Header,
    pub(crate) list: Arc<List>,
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

struct Submission {
    job: Job,
    /// Its dispatches at most.
    largest: usize,
    /// For this and later submissions.
    kept: Kept,
    /// Ids of the buffers that the submission uses.
    touched: HashSet<u64>,
    writes: usize,
    written_words: usize,
    /// Words of uploads since they were last waited for, by this and earlier submissions.
    words_ahead: usize,
}

impl Submission {
    fn take(&mut self) -> Job {
        self.touched.clear();
        self.writes = 0;
        self.written_words = 0;
        self.largest = (2 * self.largest).min(LARGEST_SUBMISSION);
        std::mem::take(&mut self.job)
    }
}

pub(crate) struct Recorder {
    gpu: Arc<Gpu>,
    memory: Arc<Memory>,
    params: wgpu::Buffer,
    submission: Mutex<Submission>,
    submitter: Submitter,
    staging: Mutex<Option<wgpu::Buffer>>,
    dispatches: AtomicU64,
}

impl Recorder {
    pub(crate) fn new(gpu: &Arc<Gpu>, memory: &Arc<Memory>, profile: bool) -> Self {
        let params = params::buffer(gpu);
        let profiler = profile.then(|| Profiler::new(gpu));
        Self {
            gpu: gpu.clone(),
            memory: memory.clone(),
            submission: Mutex::new(Submission {
                job: Job::default(),
                largest: FIRST_SUBMISSION,
                kept: Kept::default(),
                touched: HashSet::new(),
                writes: 0,
                written_words: 0,
                words_ahead: 0,
            }),
            submitter: Submitter::new(gpu, &params, profiler),
            params,
            staging: Mutex::default(),
            dispatches: AtomicU64::new(0),
        }
    }

    pub(crate) fn dispatches(&self) -> u64 {
        self.dispatches.load(Ordering::Relaxed)
    }

    pub(crate) fn submissions(&self) -> u64 {
        self.submitter.submissions()
    }

    /// Device time by kernel since the last call; empty without profiling.
    pub(crate) fn take_profile(&self) -> Vec<KernelTime> {
        let Some(profiler) = self.submitter.profiler() else {
            return Vec::new();
        };
        // Nobody submits meanwhile.
        let mut submission = lock(&self.submission);
        self.submit_now(&mut submission, |_| {});
        profiler.take(&self.gpu)
    }

    /// Records a launch, in several dispatches where entries or batch exceed what one can take.
    pub(crate) fn launch(&self, prelude: Prelude, launch: &Launch<'_>) {
        let Some(pipeline) = self.gpu.pipeline(launch.kernel, prelude) else {
            return;
        };
        let group = launch.group;
        let List { id, entries, tail } = &*launch.list;
        let chunk = (MAX_ENTRIES - tail.len()) / group * group;
        let span = launch.width * GRID as usize;
        for (part, entries) in entries.chunks(chunk).enumerate() {
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
                    bytemuck::cast_slice(tail),
                ];
                let key = id.map(|list| ParamsKey { list, part, header });
                let grid = [
                    launch.x,
                    (entries.len() / group) as u32,
                    items.div_ceil(launch.width) as u32,
                ];
                let kernel = (launch.kernel, &pipeline);
                let params = (key, &words[..]);
                self.record(kernel, launch.dst, &launch.inputs, params, grid);
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
            let kernel = (Kernel::CopyRows, &pipeline);
            self.record(kernel, dst, &[src], (None, &words), grid);
        }
    }

    fn record(
        &self,
        (kernel, pipeline): (Kernel, &wgpu::ComputePipeline),
        dst: &Block,
        inputs: &[&Block],
        (key, params): (Option<ParamsKey>, &[&[u8]]),
        grid: [u32; 3],
    ) {
        let mut submission = lock(&self.submission);
        if submission.job.dispatches.len() >= submission.largest {
            self.submit(&mut submission);
        }
        let offset = match key {
            Some(key) => self.keep_params(&mut submission, key, params),
            None => self.lay_params(&mut submission, params),
        };
        submission.touched.insert(dst.id);
        submission.touched.extend(inputs.iter().map(|b| b.id));
        let window = wgpu::BufferBinding {
            buffer: &self.params,
            offset: 0,
            size: wgpu::BufferSize::new(PARAMS_WINDOW_BYTES),
        };
        let bind_group = self.memory.bind_group(window, dst, inputs);
        submission.job.dispatches.push(Dispatch {
            kernel,
            pipeline: pipeline.clone(),
            bind_group,
            offset,
            grid,
        });
        self.dispatches.fetch_add(1, Ordering::Relaxed);
    }

    /// Passes on what is recorded; what is passed on later comes after it.
    fn submit(&self, submission: &mut Submission) {
        let job = submission.take();
        self.submitter.enqueue(job);
    }

    /// Submits what is recorded, and `last` after it; when this returns, everything is with the driver.
    fn submit_now(
        &self,
        submission: &mut Submission,
        last: impl FnOnce(&mut wgpu::CommandEncoder),
    ) {
        let job = submission.take();
        self.submitter.submit_now(&job, last);
    }
}
