//! The device: pipelines and bind group layouts, and the errors that surface at the next wait.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arras_hal::{HalError, HalErrorKind};
use arras_shaders::{Kernel, Prelude, layout::PARAMS_WINDOW_BYTES};

use crate::{AdapterReport, Arithmetic, GpuError, GpuOptions, adapter};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first error of the device. It stays: what was computed after it is lost, and no wait may succeed again.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    first: Mutex<Option<String>>,
    lost: AtomicBool,
}

impl Faults {
    pub(crate) fn record(&self, message: impl Into<String>) {
        lock(&self.first).get_or_insert_with(|| message.into());
    }

    fn lose(&self, message: String) {
        self.record(message);
        self.lost.store(true, Ordering::Release);
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    pub(crate) fn first(&self) -> Option<String> {
        lock(&self.first).clone()
    }
}

/// Bindings after the parameters and the output, at most.
const MAX_INPUTS: usize = 6;

struct Layout {
    bind_group: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

pub(crate) struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) report: AdapterReport,
    pub(crate) reason: String,
    pub(crate) int64: bool,
    pub(crate) faults: Arc<Faults>,
    layouts: Vec<Layout>,
    /// `None` for a kernel that did not compile.
    pipelines: Mutex<HashMap<(Kernel, Prelude), Option<wgpu::ComputePipeline>>>,
    #[cfg(test)]
    pub(crate) broken: Mutex<Option<Kernel>>,
}

impl Gpu {
    pub(crate) fn open(options: &GpuOptions) -> Result<Self, GpuError> {
        let instance = adapter::instance();
        let (adapter, report, reason) = adapter::select(&instance, options)?;
        let int64 = match options.arithmetic {
            Arithmetic::Auto => report.int64,
            Arithmetic::Portable => false,
            Arithmetic::Int64 if report.int64 => true,
            Arithmetic::Int64 => {
                return Err(GpuError::NoInt64 {
                    adapter: report.name,
                });
            }
        };
        let mut features = wgpu::Features::empty();
        features.set(wgpu::Features::SHADER_INT64, int64);
        if options.profile {
            if !adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
                return Err(GpuError::NoTimestamps {
                    adapter: report.name,
                });
            }
            features |= wgpu::Features::TIMESTAMP_QUERY;
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("arras"),
            required_features: features,
            // The defaults stop at 128 MiB per binding.
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
                GpuError::Open {
                    adapter: report.name.clone(),
                    message: error.to_string(),
                }
            })?;
        let faults = Arc::new(Faults::default());
        let sink = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            sink.record(error.to_string());
        }));
        let sink = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            sink.lose(format!(
                "the device was lost ({reason:?}): {message}; make a new engine"
            ));
        });
        tracing::info!(adapter = %report, %reason, "gpu engine opened");
        let layouts = (0..=MAX_INPUTS).map(|n| layout(&device, n)).collect();
        Ok(Self {
            device,
            queue,
            report,
            reason,
            int64,
            faults,
            layouts,
            pipelines: Mutex::default(),
            #[cfg(test)]
            broken: Mutex::new(None),
        })
    }

    /// Waits for the device, or lets it free what it has finished with.
    pub(crate) fn poll(&self, poll: wgpu::PollType) {
        self.guarded(|| self.device.poll(poll));
    }

    /// wgpu panics where the driver loses the device while it is waited for; here that is an error at this wait and every later one.
    fn guarded(&self, poll: impl FnOnce() -> Result<wgpu::PollStatus, wgpu::PollError>) {
        if self.faults.is_lost() {
            return;
        }
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.faults.record(format!("waiting failed: {error}")),
            Err(_) => self
                .faults
                .lose("the device was lost while it was waited for; make a new engine".to_owned()),
        }
    }

    pub(crate) fn name(&self) -> String {
        let arithmetic = if self.int64 { "64-bit" } else { "32-bit" };
        format!(
            "gpu, {} ({}), {arithmetic} arithmetic",
            self.report.name, self.report.backend
        )
    }

    /// The first error, as the engine's error.
    pub(crate) fn check(&self) -> Result<(), HalError> {
        match self.faults.first() {
            None => Ok(()),
            Some(message) => Err(HalErrorKind::Device {
                engine: self.name(),
                message,
            }
            .into()),
        }
    }

    pub(crate) fn bind_group_layout(&self, inputs: usize) -> &wgpu::BindGroupLayout {
        &self.layouts[inputs].bind_group
    }

    /// The kernel's pipeline, compiled at its first use. A failure is recorded and surfaces at the next wait.
    pub(crate) fn pipeline(
        &self,
        kernel: Kernel,
        prelude: Prelude,
    ) -> Option<wgpu::ComputePipeline> {
        let mut pipelines = lock(&self.pipelines);
        if let Some(found) = pipelines.get(&(kernel, prelude)) {
            return found.clone();
        }
        let made = match self.compile(kernel, prelude) {
            Ok(pipeline) => Some(pipeline),
            Err(message) => {
                self.faults
                    .record(format!("kernel {kernel:?} did not compile: {message}"));
                None
            }
        };
        pipelines.insert((kernel, prelude), made.clone());
        made
    }

    fn compile(&self, kernel: Kernel, prelude: Prelude) -> Result<wgpu::ComputePipeline, String> {
        let source = kernel.source(prelude);
        #[cfg(test)]
        let source = if *lock(&self.broken) == Some(kernel) {
            source.replace("fn main", "fn main_of_nothing(")
        } else {
            source
        };
        let scopes = [
            self.device.push_error_scope(wgpu::ErrorFilter::Internal),
            self.device.push_error_scope(wgpu::ErrorFilter::Validation),
        ];
        let label = format!("{kernel:?}");
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(&label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&label),
                layout: Some(&self.layouts[kernel.inputs()].pipeline),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // Every kernel writes a word of its tile before it reads it.
                    zero_initialize_workgroup_memory: false,
                    ..wgpu::PipelineCompilationOptions::default()
                },
                cache: None,
            });
        // Scopes are a stack: the last pushed is the first popped.
        let mut first = None;
        for scope in scopes.into_iter().rev() {
            if let Some(error) = pollster::block_on(scope.pop()) {
                first.get_or_insert(error);
            }
        }
        match first {
            None => Ok(pipeline),
            Some(error) => Err(error.to_string()),
        }
    }
}

fn layout(device: &wgpu::Device, inputs: usize) -> Layout {
    let entry = |binding: usize, read_only, has_dynamic_offset, min_binding_size| {
        wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only },
                has_dynamic_offset,
                min_binding_size,
            },
            count: None,
        }
    };
    let window = wgpu::BufferSize::new(PARAMS_WINDOW_BYTES);
    let mut entries = vec![entry(0, true, true, window), entry(1, false, false, None)];
    entries.extend((0..inputs).map(|k| entry(k + 2, true, false, None)));
    let bind_group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    });
    let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&bind_group)],
        immediate_size: 0,
    });
    Layout {
        bind_group,
        pipeline,
    }
}

#[cfg(test)]
mod tests {
    use arras_hal::{Eval, HalErrorKind, Limbs, Poly, Shape};
    use arras_shaders::{Elementwise, Kernel};

    use super::{Gpu, lock};
    use crate::{
        GpuEngine, GpuOptions,
        testing::{present, ring},
    };

    #[test]
    fn a_driver_that_loses_the_device_during_a_wait_is_an_error_and_no_panic() {
        let Some(gpu) = present(Gpu::open(&GpuOptions::default())) else {
            return;
        };
        gpu.guarded(|| panic!("the driver lost the device"));
        assert!(gpu.faults.is_lost());
        assert!(gpu.check().unwrap_err().to_string().contains("lost"));
        // It is not asked again.
        gpu.guarded(|| unreachable!());
    }

    #[test]
    fn a_kernel_that_does_not_compile_is_an_error_at_the_next_wait() {
        let Some(engine) = present(GpuEngine::new(&GpuOptions::default())) else {
            return;
        };
        *lock(&engine.gpu().broken) = Some(Kernel::Elementwise(Elementwise::Add));
        let ring = ring(&engine, &[97, 193]);
        let shape = Shape::new(1, Limbs::new([0, 1]));
        let x: Poly<GpuEngine, Eval> = Poly::from_words(&ring, &shape, &[5; 32]).unwrap();
        assert_eq!(x.to_words().unwrap(), [5; 32]);
        let lost = x.add(&x).unwrap();
        let HalErrorKind::Device { message, .. } = lost.to_words().unwrap_err().into_kind() else {
            panic!("no error");
        };
        assert!(message.contains("Add"), "{message}");
        // It stays: nothing that was computed with the missing kernel may be read as if it were there.
        let error = ring.sync().unwrap_err();
        assert!(matches!(error.kind(), HalErrorKind::Device { .. }));
    }
}
