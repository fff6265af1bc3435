#![doc = include_str!("../README.md")]
//!
//! ```text
//!   GpuEngine     the Backend: primitives and fused composites     (modules engine, ops)
//!   Recorder      dispatches recorded in bounded submissions       (module recorder)
//!   Profiler      device time by kernel                            (module profile)
//!   Memory        buffers, pooled and accounted                    (module memory)
//!   Gpu           device, queue, pipelines, deferred errors        (module device)
//!   adapter       which device, and why                            (module adapter)
//! ```
//!
//! No secret may reach it:
//!
//! ```compile_fail,E0277
//! fn generate_keys<E: arras_hal::SecretEngine>() {}
//! generate_keys::<arras_backend_gpu::GpuEngine>();
//! ```
//!
//! Operations only enqueue; an error of the device stays with the engine and comes out of every later wait.
#![forbid(unsafe_code)]

mod adapter;
mod buffer;
mod device;
mod engine;
mod error;
mod lists;
mod memory;
mod ops;
mod profile;
mod recorder;
mod ring;
#[cfg(test)]
mod testing;

pub use adapter::{AdapterReport, Arithmetic, GpuOptions, adapters};
pub use buffer::{GpuBuf, GpuKey};
pub use engine::GpuEngine;
pub use error::GpuError;
pub use memory::MemoryReport;
pub use profile::KernelTime;
pub use ring::GpuRing;
