//! What can go wrong before there is an engine.

/// Errors of choosing and opening a device. Later errors are [`arras_hal::HalError`]s.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No adapter fits.
    #[error(
        "gpu: no usable adapter{}; found: {}; install a Vulkan, Metal or DX12 driver or choose the CPU engine",
        .filter.as_ref().map(|f| format!(" whose name contains {f:?}")).unwrap_or_default(),
        if .found.is_empty() { "none".to_owned() } else { .found.join("; ") }
    )]
    NoAdapter {
        /// The substring asked for.
        filter: Option<String>,
        /// Every adapter with the reason against it.
        found: Vec<String>,
    },
    /// The adapter lacks a feature that was asked for.
    #[error(
        "gpu: adapter {adapter:?} has no 64-bit integers in shaders; use the portable arithmetic"
    )]
    NoInt64 {
        /// The adapter's name.
        adapter: String,
    },
    /// Profiling needs timestamps.
    #[error("gpu: adapter {adapter:?} has no timestamp queries; open it without profiling")]
    NoTimestamps {
        /// The adapter's name.
        adapter: String,
    },
    /// The driver refused to open the device.
    #[error(
        "gpu: adapter {adapter:?} could not be opened: {message}; close other programs that use it or choose the CPU engine"
    )]
    Open {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        message: String,
    },
}
