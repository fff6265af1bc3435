//! The scheme level of the conformance suite, on every engine that is here and through every decorator.

use arras_backend_cpu::{CpuEngine, SimdLevel};
use arras_hal::{AnyBackend, Checked, Counting, Reference, Traced};

arras_ckks::scheme_conformance!(reference, Reference::new);
arras_ckks::scheme_conformance!(counting, || Counting::new(Reference::new()));
arras_ckks::scheme_conformance!(traced, || Traced::new(Reference::new()));
arras_ckks::scheme_conformance!(checked, || Checked::new(Reference::new(), Reference::new()));
arras_ckks::scheme_conformance!(any, || AnyBackend::new(Reference::new()));
arras_ckks::scheme_conformance!(cpu_one_thread, || CpuEngine::with_threads(1).unwrap());
arras_ckks::scheme_conformance!(cpu_three_threads, || CpuEngine::with_threads(3).unwrap());
arras_ckks::scheme_conformance!(cpu_scalar, || CpuEngine::builder()
    .threads(1)
    .simd(SimdLevel::Scalar)
    .build()
    .unwrap());
arras_ckks::scheme_conformance!(any_cpu, || AnyBackend::new(CpuEngine::new()));

mod secret {
    use super::*;

    arras_ckks::secret_conformance!(reference, Reference::new);
    arras_ckks::secret_conformance!(counting, || Counting::new(Reference::new()));
    arras_ckks::secret_conformance!(traced, || Traced::new(Reference::new()));
    arras_ckks::secret_conformance!(checked, || Checked::new(Reference::new(), Reference::new()));
    arras_ckks::secret_conformance!(cpu_one_thread, || CpuEngine::with_threads(1).unwrap());
    arras_ckks::secret_conformance!(cpu_three_threads, || CpuEngine::with_threads(3).unwrap());
}
