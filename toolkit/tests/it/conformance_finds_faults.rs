//! The conformance suite fails for engines that are wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arras_hal::{Backend, Reference, decorators::Tampered};
use arras_toolkit::conformance::{Absent, check, lists};

/// Clears what one operation of the reference engine computed.
fn wrong(op: &'static str) -> Tampered<Reference> {
    Tampered::new(Reference::new()).clearing(op)
}

/// The message with which a check fails.
fn failure<B: Backend>(engine: Result<B, Absent>, list: &str) -> String {
    let (name, operations) = lists().into_iter().find(|l| l.0 == list).unwrap();
    let check = || check(engine, name, operations);
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("a wrong engine passed");
    *panic.downcast::<String>().unwrap()
}

#[test]
fn the_output_that_differs_is_named() {
    for (op, circuit, output) in [
        ("relinearize", "arithmetic of 5x7", "column product differs"),
        ("rescale", "masks of 5x7", "column vector differs"),
        ("rotation_sum", "sums of 5x7", "columns differs"),
        ("rotate", "extract of 11x19", "block differs"),
        ("weighted_sum", "masks of 5x7", "column vector differs"),
    ] {
        let list = circuit.split(' ').next().unwrap();
        let message = failure(Ok(wrong(op)), list);
        assert!(message.contains(output), "{op}: {message}");
        assert!(message.contains(circuit), "{op}: {message}");
        assert!(message.contains("Waves, 1 side by side"), "{op}: {message}");
    }
}

#[test]
fn an_absent_engine_fails_only_where_it_is_required() {
    let required = std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1");
    let absent = || Err::<Reference, _>(Absent::because("no device"));
    if required {
        assert!(failure(absent(), "outer").contains("no device"));
    } else {
        let (name, operations) = lists()[0];
        check(absent(), name, operations);
    }
}
