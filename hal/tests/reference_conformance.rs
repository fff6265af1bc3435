//! The reference engine passes the suite that every other engine is held to, and so does every decorator around it.
#![cfg(feature = "conformance")]

use arras_hal::{
    AnyBackend, Checked, Counting, Reference, Traced,
    conformance::{Absent, Options, Subject, tests},
};

arras_hal::backend_conformance!(reference, Reference::new);

arras_hal::backend_conformance!(
    decorated,
    || Counting::new(Traced::new(Reference)),
    Options::new().max_log_n(9)
);

arras_hal::backend_conformance!(
    checked,
    || Checked::new(Reference, Reference),
    Options::new().max_log_n(7)
);

arras_hal::backend_conformance!(
    erased,
    || AnyBackend::new(Reference),
    Options::new().max_log_n(9)
);

/// A factory that finds no device skips its tests, unless the environment says that there must be one.
#[test]
fn an_absent_engine_is_skipped() {
    let subject = Subject::new(
        || Err::<Reference, _>(Absent::because("no adapter")),
        Options::new(),
    );
    let test = &tests::<Reference>()[0];
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        subject.run(test.name, |_| panic!("there is no engine to run on"));
    }));
    let required = std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1");
    assert_eq!(ran.is_err(), required);
}
