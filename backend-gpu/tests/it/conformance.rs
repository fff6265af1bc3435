//! The conformance suite on the device, with 64-bit integers in shaders and without.

use arras_backend_gpu::{Arithmetic, GpuEngine, GpuOptions};
use arras_hal::{
    backend_conformance,
    conformance::{Absent, Options, Subject, hygiene},
};

fn auto() -> Result<GpuEngine, Absent> {
    crate::common::shared(Arithmetic::Auto).ok_or_else(|| Absent::because("no adapter"))
}

fn portable() -> Result<GpuEngine, Absent> {
    crate::common::shared(Arithmetic::Portable).ok_or_else(|| Absent::because("no adapter"))
}

backend_conformance!(best_arithmetic, auto);
backend_conformance!(portable_arithmetic, portable);

/// What one batch item of these tests needs exceeds 16 KiB: 12 digits over 15 limbs, and a table for 63 limbs.
const LARGER_ITEMS: [&str; 2] = [
    "known_answers::recorded_answers_n64",
    "oracle::wide_base_conversions",
];

/// Kernels see 16 KiB, 64 rows at N = 2^6: most batches of the suite exceed that.
#[test]
fn everything_works_in_pieces_where_bindings_are_small() {
    let options = GpuOptions {
        largest_binding: Some(16 << 10),
        ..GpuOptions::default()
    };
    let Some(engine) = crate::common::engine(&options) else {
        return;
    };
    let options = Options::new().max_log_n(6);
    let subject = Subject::new(move || engine.clone(), options);
    for test in arras_hal::conformance::tests() {
        if !LARGER_ITEMS.contains(&test.name) {
            println!("{}", test.name);
            subject.run(test.name, test.run);
        }
    }
}

/// The fault destroys the device, so these tests have engines of their own.
fn of_its_own() -> Result<GpuEngine, Absent> {
    crate::common::engine(&GpuOptions::default()).ok_or_else(|| Absent::because("no adapter"))
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
