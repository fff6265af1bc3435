//! Which device, and why.

use std::fmt;

use arras_shaders::{WORKGROUP_BYTES, WORKGROUP_SIZE, layout::PARAMS_WINDOW_BYTES};

use crate::GpuError;

/// Which integers shaders compute with. The results are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// 64-bit integers where the device has them.
    #[default]
    Auto,
    /// 32-bit integers only, as a browser has.
    Portable,
    /// 64-bit integers; a device without them is refused.
    Int64,
}

/// What to open, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuOptions {
    /// Only adapters whose name contains this, in any case.
    pub adapter: Option<String>,
    /// Which integers shaders compute with.
    pub arithmetic: Arithmetic,
    /// The most bytes of device memory the engine takes; without it, what the driver gives.
    pub memory_limit: Option<u64>,
    /// The most bytes that a kernel sees of a buffer, below the device's own limit: to see here how work is split on a smaller device.
    pub largest_binding: Option<u64>,
    /// Time every kernel on the device ([`crate::GpuEngine::take_profile`]). The whole becomes slower: every
    /// dispatch is a pass of its own.
    pub profile: bool,
}

/// An adapter and what it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterReport {
    /// The device's name as the driver states it.
    pub name: String,
    /// The interface: Vulkan, Metal, Dx12.
    pub backend: String,
    /// Discrete, integrated, virtual, software.
    pub kind: String,
    /// Driver name and version.
    pub driver: String,
    /// Whether shaders have 64-bit integers.
    pub int64: bool,
    /// Largest buffer that a kernel can see, in bytes.
    pub max_binding_bytes: u64,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Why it cannot serve, if so.
    pub unfit: Option<String>,
}

impl fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}, {}, {}), {} integers, bindings up to {} MiB, buffers up to {} MiB",
            self.name,
            self.kind,
            self.backend,
            self.driver,
            if self.int64 { "64-bit" } else { "32-bit" },
            self.max_binding_bytes >> 20,
            self.max_buffer_bytes >> 20
        )?;
        match &self.unfit {
            Some(why) => write!(f, ", unfit: {why}"),
            None => Ok(()),
        }
    }
}

fn report(adapter: &wgpu::Adapter) -> AdapterReport {
    let info = adapter.get_info();
    let limits = adapter.limits();
    AdapterReport {
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        }
        .into(),
        backend: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .into(),
        name: info.name,
        int64: adapter.features().contains(wgpu::Features::SHADER_INT64),
        max_binding_bytes: max_binding(&limits),
        max_buffer_bytes: limits.max_buffer_size,
        unfit: unfit(adapter, &limits),
    }
}

/// Largest range that a storage binding can cover.
pub(crate) fn max_binding(limits: &wgpu::Limits) -> u64 {
    limits
        .max_storage_buffer_binding_size
        .min(limits.max_buffer_size)
}

/// What the kernels need beyond this is checked per buffer.
fn unfit(adapter: &wgpu::Adapter, limits: &wgpu::Limits) -> Option<String> {
    let compute = wgpu::DownlevelFlags::COMPUTE_SHADERS;
    if !adapter.get_downlevel_capabilities().flags.contains(compute) {
        return Some("no compute shaders".into());
    }
    let needs = [
        (
            "invocations per workgroup",
            limits.max_compute_invocations_per_workgroup,
            WORKGROUP_SIZE,
        ),
        (
            "threads in x per workgroup",
            limits.max_compute_workgroup_size_x,
            WORKGROUP_SIZE,
        ),
        (
            "bytes of workgroup memory",
            limits.max_compute_workgroup_storage_size,
            WORKGROUP_BYTES,
        ),
        (
            "storage buffers per stage",
            limits.max_storage_buffers_per_shader_stage,
            8,
        ),
        (
            "storage buffers with dynamic offset",
            limits.max_dynamic_storage_buffers_per_pipeline_layout,
            1,
        ),
        (
            "workgroups per dimension",
            limits.max_compute_workgroups_per_dimension,
            65_535,
        ),
    ];
    let lacking = needs.iter().find(|(_, have, need)| have < need);
    if let Some((what, have, need)) = lacking {
        return Some(format!("{have} {what}, {need} needed"));
    }
    (max_binding(limits) < 4 * PARAMS_WINDOW_BYTES)
        .then(|| format!("bindings of {} bytes", max_binding(limits)))
}

pub(crate) fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // Where the driver tells its budget, refuse what exceeds it instead of letting a later allocation kill the process.
    descriptor.memory_budget_thresholds.for_resource_creation = Some(95);
    wgpu::Instance::new(descriptor)
}

fn enumerate(instance: &wgpu::Instance) -> Vec<(wgpu::Adapter, AdapterReport)> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
        .into_iter()
        .map(|adapter| {
            let report = report(&adapter);
            (adapter, report)
        })
        .collect()
}

/// Every adapter of this machine, usable or not.
pub fn adapters() -> Vec<AdapterReport> {
    enumerate(&instance())
        .into_iter()
        .map(|(_, report)| report)
        .collect()
}

/// The adapter to use, its report, and the reason in words.
pub(crate) fn select(
    instance: &wgpu::Instance,
    options: &GpuOptions,
) -> Result<(wgpu::Adapter, AdapterReport, String), GpuError> {
    let all = enumerate(instance);
    let matches = |r: &AdapterReport| {
        options.adapter.as_ref().is_none_or(|filter| {
            r.name
                .to_lowercase()
                .contains(filter.to_lowercase().as_str())
        })
    };
    let count = all.len();
    let mut found = Vec::new();
    let mut candidates = Vec::new();
    for (adapter, report) in all {
        if !matches(&report) {
            found.push(format!("{report}, not asked for"));
        } else if report.unfit.is_some() {
            found.push(report.to_string());
        } else {
            candidates.push((adapter, report));
        }
    }
    // Stable: among equals the driver's order stands.
    candidates.sort_by_key(|(_, r)| rank(&r.kind));
    let usable = candidates.len();
    let Some((adapter, report)) = candidates.into_iter().next() else {
        return Err(GpuError::NoAdapter {
            filter: options.adapter.clone(),
            found,
        });
    };
    let filter = options
        .adapter
        .as_ref()
        .map(|f| format!(" whose name contains {f:?}"))
        .unwrap_or_default();
    let reason = format!(
        "the {} of {usable} usable adapters{filter}, {count} present; discrete devices come first, software last",
        if usable == 1 { "only one" } else { "first" },
    );
    Ok((adapter, report, reason))
}

fn rank(kind: &str) -> u8 {
    match kind {
        "discrete" => 0,
        "integrated" => 1,
        "virtual" => 2,
        "other" => 3,
        _ => 4,
    }
}
