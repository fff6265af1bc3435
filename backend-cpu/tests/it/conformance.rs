//! The engine's conformance to the reference, every SIMD level and several thread counts.

use arras_backend_cpu::{CpuEngine, SimdLevel};
use arras_hal::conformance::Options;

/// An engine at a level, or the widest below it that this processor has.
fn engine(threads: usize, level: SimdLevel) -> CpuEngine {
    let level = level.min(SimdLevel::detect());
    CpuEngine::builder()
        .threads(threads)
        .simd(level)
        .build()
        .unwrap()
}

arras_hal::backend_conformance!(scalar, || engine(1, SimdLevel::Scalar));
arras_hal::backend_conformance!(avx2, || engine(1, SimdLevel::Avx2));
arras_hal::backend_conformance!(avx512, || engine(1, SimdLevel::Avx512));
arras_hal::backend_conformance!(three_threads, || engine(3, SimdLevel::Avx512));
// Small enough for tools that look at every access, large enough for the widest vectors.
arras_hal::backend_conformance!(
    small_rings,
    || engine(2, SimdLevel::Avx512),
    Options::new().max_log_n(7)
);
