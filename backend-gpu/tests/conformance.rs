//! The conformance suite on the device, with 64-bit integers in shaders and without.

mod common;

use arras_backend_gpu::{Arithmetic, GpuEngine};
use arras_hal::{
    backend_conformance,
    conformance::{Absent, Options, Subject, hygiene},
};

fn auto() -> Result<GpuEngine, Absent> {
    common::shared(Arithmetic::Auto).ok_or_else(|| Absent::because("no adapter"))
}

fn portable() -> Result<GpuEngine, Absent> {
    common::shared(Arithmetic::Portable).ok_or_else(|| Absent::because("no adapter"))
}

backend_conformance!(best_arithmetic, auto);
backend_conformance!(portable_arithmetic, portable);

/// The fault destroys the device, so these tests have engines of their own.
fn of_its_own() -> Result<GpuEngine, Absent> {
    common::engine(&arras_backend_gpu::GpuOptions::default())
        .ok_or_else(|| Absent::because("no adapter"))
}

fn faulty() -> Subject<GpuEngine> {
    Subject::new(of_its_own, Options::new().fault(GpuEngine::destroy_device))
}

#[test]
fn a_destroyed_device_surfaces_at_the_next_wait() {
    faulty().run("destroyed", hygiene::device_errors_surface_at_the_next_wait);
}

#[test]
fn a_destroyed_device_surfaces_at_sync() {
    faulty().run("destroyed", hygiene::device_errors_surface_at_sync);
}
