//! What unit tests share.

use std::sync::Arc;

use arras_hal::{Backend, Ring, RingBasis, RingSpec};

use crate::GpuError;

/// What was opened; without an adapter nothing, which is said, and a failure where `ARRAS_REQUIRE_GPU=1`.
pub(crate) fn present<T>(opened: Result<T, GpuError>) -> Option<T> {
    match opened {
        Ok(opened) => Some(opened),
        Err(error) => {
            let required = std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1");
            assert!(!required, "ARRAS_REQUIRE_GPU=1, but {error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// A ring of degree 16 on an engine.
pub(crate) fn ring<B: Backend>(engine: &B, moduli: &[u32]) -> Arc<Ring<B>> {
    let spec = RingSpec {
        log_n: 4,
        moduli: moduli.to_vec(),
    };
    Ring::new(engine.clone(), &RingBasis::new(&spec).unwrap()).unwrap()
}
