//! The toy engine of `docs/adding-an-engine.md` passes the whole suite.
#![cfg(feature = "conformance")]

mod toy;

use arras_hal::conformance::Options;
use toy::Toy;

arras_hal::backend_conformance!(
    toy_engine,
    Toy::default,
    Options::new().max_log_n(12).fault(Toy::fail_next)
);
