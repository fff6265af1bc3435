//! The engine.

use std::{fmt, sync::Arc};

use arras_hal::{Backend, HalError, Result, Workers};
use arras_shaders::Kernel;

use crate::{
    AdapterReport, GpuError, GpuOptions, GpuRing, KernelTime, MemoryReport, device::Gpu,
    memory::Memory, recorder::Recorder,
};

/// An engine on one device. Clones share it.
///
/// Safe to use from several threads: operations of each are executed in its order.
#[derive(Clone)]
pub struct GpuEngine(Arc<Inner>);

struct Inner {
    gpu: Arc<Gpu>,
    memory: Arc<Memory>,
    recorder: Recorder,
    workers: Workers,
}

impl GpuEngine {
    /// Opens the device that the options ask for.
    ///
    /// # Errors
    /// [`GpuError`]: no usable adapter, a feature that it lacks, or the driver's refusal.
    pub fn new(options: &GpuOptions) -> Result<Self, GpuError> {
        let gpu = Arc::new(Gpu::open(options)?);
        let memory = Memory::new(&gpu, options);
        let recorder = Recorder::new(&gpu, &memory, options.profile);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Where the system starts no more threads the caller's do.
        let workers = Workers::new(cores, "arras-host").unwrap_or_else(|_| Workers::single());
        Ok(Self(Arc::new(Inner {
            gpu,
            memory,
            recorder,
            workers,
        })))
    }

    /// The host's threads, and the process that has them and the device.
    pub(crate) fn host(&self) -> &Workers {
        &self.0.workers
    }

    /// The adapter in use.
    pub fn adapter(&self) -> &AdapterReport {
        &self.0.gpu.report
    }

    /// Why this adapter, in words.
    pub fn reason(&self) -> &str {
        &self.0.gpu.reason
    }

    /// Device memory in use.
    pub fn memory_report(&self) -> MemoryReport {
        self.0.memory.report()
    }

    /// Finds out, before much is loaded, whether `bytes` more of device memory can be had: by the engine's limit, and by allocating
    /// them for a moment.
    ///
    /// # Errors
    /// [`arras_hal::HalErrorKind::OutOfMemory`] with what there is; [`arras_hal::HalErrorKind::Device`] if the engine has failed before.
    pub fn make_room(&self, bytes: u64) -> Result<()> {
        self.0.recorder.give_up_pool()?;
        self.0.memory.make_room(bytes)
    }

    /// Kernel dispatches recorded since the engine was made.
    pub fn dispatch_count(&self) -> u64 {
        self.0.recorder.dispatches()
    }

    /// Submissions to the device since the engine was made.
    pub fn submit_count(&self) -> u64 {
        self.0.recorder.submissions()
    }

    /// Device time by kernel since the last call, the longest first; empty without [`GpuOptions::profile`].
    pub fn take_profile(&self) -> Vec<KernelTime> {
        self.0.recorder.take_profile()
    }

    /// Compiles every kernel that a ring uses, instead of at its first use.
    ///
    /// # Errors
    /// [`arras_hal::HalErrorKind::Device`] if one does not compile, or the engine has failed before.
    pub fn warm_up(&self, ring: &GpuRing) -> Result<()> {
        for kernel in Kernel::all(ring.basis.log_n()) {
            self.0.gpu.pipeline(kernel, ring.prelude);
        }
        self.0.gpu.check()
    }

    /// Gives the device back to the driver at once. Every later wait of every clone is an error.
    pub fn destroy_device(&self) {
        self.0
            .gpu
            .faults
            .record("the device was destroyed by its owner; make a new engine");
        self.0.gpu.device.destroy();
    }

    /// Keeps an error that has nowhere else to go; it comes out of every later wait.
    pub(crate) fn fail(&self, error: &HalError) {
        self.0.gpu.faults.record(error.to_string());
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.0.memory
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    pub(crate) fn gpu(&self) -> &Gpu {
        &self.0.gpu
    }
}

impl fmt::Debug for GpuEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuEngine({})", self.name())
    }
}
