//! What unit tests share.

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
