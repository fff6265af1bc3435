//! The toolkit level of the conformance suite on the device, with 64-bit integers (where it has them) and without.

use arras_backend_gpu::{Arithmetic, GpuEngine};
use arras_toolkit::conformance::Absent;

fn device(arithmetic: Arithmetic) -> Result<GpuEngine, Absent> {
    crate::common::shared(arithmetic).ok_or_else(|| Absent::because("no adapter"))
}

arras_toolkit::toolkit_conformance!(auto, || device(Arithmetic::Auto));
arras_toolkit::toolkit_conformance!(portable, || device(Arithmetic::Portable));
