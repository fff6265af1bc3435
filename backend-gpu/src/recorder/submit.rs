//! Submissions are encoded and submitted by a thread of their own, in order, while the next one is recorded: for small operations that takes
//! the host longer than the device needs for the work.
//!
//! All writes to buffers are made here, none while a submission is on its way: wgpu clears what a submission is the first to see in front of its own
//! commands, which is after a write that comes in between.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use arras_shaders::Kernel;

use crate::{
    device::{Gpu, lock},
    profile::Profiler,
};

/// Submissions that may wait; whoever records more waits too.
const QUEUED: usize = 4;

pub(super) struct Dispatch {
    pub(super) kernel: Kernel,
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bind_group: wgpu::BindGroup,
    pub(super) offset: u32,
    pub(super) grid: [u32; 3],
}

/// What is recorded of a submission.
#[derive(Default)]
pub(super) struct Job {
    pub(super) dispatches: Vec<Dispatch>,
    /// Words at the beginning of the parameters.
    pub(super) params: Vec<u32>,
    /// Parameters that stay and that this submission is the first to use, by where they go in bytes.
    pub(super) kept_params: Vec<(u32, Vec<u8>)>,
}

impl Job {
    fn is_empty(&self) -> bool {
        self.dispatches.is_empty() && self.params.is_empty()
    }
}

struct Shared {
    gpu: Arc<Gpu>,
    params: wgpu::Buffer,
    profiler: Option<Profiler>,
    submissions: AtomicU64,
    /// Submissions that are not with the driver yet; `None` once the thread has panicked.
    waiting: Mutex<Option<usize>>,
    done: Condvar,
}

pub(super) struct Submitter {
    shared: Arc<Shared>,
    /// None while it is dropped, or where no thread could be started: then the caller submits.
    sender: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Submitter {
    pub(super) fn new(gpu: &Arc<Gpu>, params: &wgpu::Buffer, profiler: Option<Profiler>) -> Self {
        let shared = Arc::new(Shared {
            gpu: gpu.clone(),
            params: params.clone(),
            profiler,
            submissions: AtomicU64::new(0),
            waiting: Mutex::new(Some(0)),
            done: Condvar::new(),
        });
        let (sender, receiver) = sync_channel(QUEUED);
        let its = shared.clone();
        let started = std::thread::Builder::new()
            .name("arras-gpu-submit".into())
            .spawn(move || its.serve(&receiver));
        let (sender, thread) = match started {
            Ok(thread) => (Some(sender), Some(thread)),
            Err(error) => {
                tracing::warn!(%error, "no thread to submit from: recording waits for submissions");
                (None, None)
            }
        };
        Self {
            shared,
            sender,
            thread,
        }
    }

    pub(super) fn submissions(&self) -> u64 {
        self.shared.submissions.load(Ordering::Relaxed)
    }

    pub(super) fn profiler(&self) -> Option<&Profiler> {
        self.shared.profiler.as_ref()
    }

    /// Sends it to the driver some time soon, after those before it.
    pub(super) fn enqueue(&self, job: Job) {
        if job.is_empty() {
            return;
        }
        self.shared.submissions.fetch_add(1, Ordering::Relaxed);
        let Some(sender) = &self.sender else {
            self.shared.submit(&job, |_| {});
            return;
        };
        match &mut *lock(&self.shared.waiting) {
            Some(waiting) => *waiting += 1,
            // It has panicked, and what is left is lost.
            None => return,
        }
        if sender.send(job).is_err() {
            self.shared.end("the thread that submits has ended");
        }
    }

    /// Writes a part of a buffer, after every submission: before what is submitted next.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        self.drain();
        self.shared.gpu.queue.write_buffer(buffer, offset, bytes);
    }

    /// Waits until every submission is with the driver.
    fn drain(&self) {
        let mut waiting = lock(&self.shared.waiting);
        while waiting.is_some_and(|submissions| submissions > 0) {
            let woken = self.shared.done.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends it and commands after it, when those before it are with the driver: for a caller that is going to wait.
    pub(super) fn submit_now(&self, job: &Job, last: impl FnOnce(&mut wgpu::CommandEncoder)) {
        self.drain();
        self.shared.submissions.fetch_add(1, Ordering::Relaxed);
        self.shared.submit(job, last);
    }
}

impl Drop for Submitter {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported and recorded.
            let _ = thread.join();
        }
    }
}

/// Counts a submission as done; after a panic, all of them, and keeps the fault.
struct Done<'a>(&'a Shared);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end("a submission panicked");
            return;
        }
        if let Some(waiting) = &mut *lock(&self.0.waiting) {
            *waiting -= 1;
        }
        self.0.done.notify_all();
    }
}

impl Shared {
    fn serve(&self, jobs: &Receiver<Job>) {
        for job in jobs {
            let _done = Done(self);
            self.submit(&job, |_| {});
        }
    }

    fn end(&self, why: &str) {
        self.gpu.faults.record(format!("{why}; make a new engine"));
        *lock(&self.waiting) = None;
        self.done.notify_all();
    }

    fn submit(&self, job: &Job, last: impl FnOnce(&mut wgpu::CommandEncoder)) {
        let gpu = &self.gpu;
        if gpu.faults.is_lost() {
            // Every call would only add an error to the one that is kept.
            return;
        }
        for (at, params) in &job.kept_params {
            gpu.queue.write_buffer(&self.params, u64::from(*at), params);
        }
        if !job.params.is_empty() {
            gpu.queue
                .write_buffer(&self.params, 0, bytemuck::cast_slice(&job.params));
        }
        let descriptor = wgpu::CommandEncoderDescriptor { label: None };
        let mut encoder = gpu.device.create_command_encoder(&descriptor);
        match &self.profiler {
            Some(profiler) if !job.dispatches.is_empty() => {
                let first = profiler.begin(gpu, job.dispatches.len());
                for (index, d) in job.dispatches.iter().enumerate() {
                    let writes = Some(profiler.writes(first + index));
                    run(&mut encoder, std::slice::from_ref(d), writes);
                }
                let done = job.dispatches.iter().map(|d| (d.kernel, d.grid));
                profiler.resolve(&mut encoder, first, done);
            }
            _ => run(&mut encoder, &job.dispatches, None),
        }
        last(&mut encoder);
        gpu.queue.submit([encoder.finish()]);
        // Without a poll now and then, wgpu keeps the staging memory of finished writes.
        gpu.poll(wgpu::PollType::Poll);
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
    let mut bound: Option<&wgpu::ComputePipeline> = None;
    for d in dispatches {
        if bound != Some(&d.pipeline) {
            pass.set_pipeline(&d.pipeline);
            bound = Some(&d.pipeline);
        }
        pass.set_bind_group(0, &d.bind_group, &[d.offset]);
        let [x, y, z] = d.grid;
        pass.dispatch_workgroups(x, y, z);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GpuOptions, testing::present};

    #[test]
    fn a_panic_while_a_lot_is_submitted_is_a_fault_and_nobody_waits_for_ever() {
        let Some(gpu) = present(Gpu::open(&GpuOptions::default())).map(Arc::new) else {
            return;
        };
        let submitter = Submitter::new(&gpu, &super::super::params::buffer(&gpu), None);
        // As if two submissions waited, and the first of them met a bug.
        *lock(&submitter.shared.waiting) = Some(2);
        let shared = submitter.shared.clone();
        let thread = std::thread::spawn(move || {
            let _done = Done(&shared);
            panic!("a bug");
        });
        submitter.drain();
        assert!(thread.join().is_err());
        assert!(gpu.check().unwrap_err().to_string().contains("panicked"));
        submitter.drain();
        // What comes too late is dropped, and nobody waits for it.
        let params = vec![0; 64];
        submitter.enqueue(Job {
            params,
            ..Job::default()
        });
        submitter.drain();
        assert!(lock(&submitter.shared.waiting).is_none());
    }
}
