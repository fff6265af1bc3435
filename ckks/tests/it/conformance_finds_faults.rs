//! The scheme level of the conformance suite fails for engines that are wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arras_backend_cpu::CpuEngine;
use arras_ckks::conformance::{Absent, Program, check, client, programs, sets};
use arras_hal::{Checked, Reference, decorators::Tampered};

/// The message with which a check fails.
fn failure(check: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("a wrong engine passed");
    *panic.downcast::<String>().unwrap()
}

/// Clears what one operation of the reference engine computed.
fn wrong(op: &'static str) -> Tampered<Reference> {
    Tampered::new(Reference::new()).clearing(op)
}

/// An operation, and the step of the program that it spoils first.
type Case = (
    &'static str,
    &'static str,
    Program<Tampered<Reference>>,
    Program<Reference>,
    &'static str,
);

macro_rules! cases {
    ($($op:literal spoils $program:ident at $step:literal;)+) => {
        [$(($op, stringify!($program), programs::$program, programs::$program, $step)),+]
    };
}

#[test]
fn the_first_step_that_differs_is_named() {
    let cases: [Case; 6] = cases! {
        "tensor" spoils products at "multiply at 1, batch 1";
        "relinearize" spoils products at "relinearize, batch 1";
        "rescale" spoils levels at "level_down from 1 to 0, batch 1";
        "rotate" spoils rotations at "rotate at 0, batch 1";
        "weighted_sum" spoils plaintexts at "multiply_plain, batch 1";
        "rotation_sum" spoils circuit at "inner product, batch 1";
    };
    for (op, name, on_engine, on_reference, step) in cases {
        let set = sets::bits39();
        let message = failure(|| check(Ok(wrong(op)), set, name, on_engine, on_reference));
        says! { message => [&format!("{step:?}"), "bits39", name] }
    }
}

#[test]
fn a_wrong_client_is_found() {
    let (set, keys) = (sets::bits34(), client::keys);
    let message = failure(|| check(Ok(wrong("mul")), set, "keys", keys, client::keys));
    says! { message => ["step 0, \"key Relinearization\""] }
}

#[test]
fn an_agreement_with_the_reference_is_not_enough() {
    // A program that has no recorded hash: what a changed scheme looks like.
    let (set, engine, program) = (sets::bits39(), Ok(Reference::new()), programs::levels);
    let message = failure(|| check(engine, set, "unheard_of", program, program));
    says! { message => ["not with the recorded hash None"] }
}

#[test]
fn absent_engines_are_skipped() {
    if std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1") {
        return;
    }
    let absent = Err(Absent::because("no adapter"));
    let never: Program<Reference> = |_, _| panic!("ran");
    check(absent, sets::bits39(), "levels", never, never);
}

/// Every operation of the programs, also inside composites, compared with the reference engine one by one.
#[test]
fn the_cpu_engine_agrees_operation_by_operation() {
    for set in [sets::bits39(), sets::bits34(), sets::one_limb_digits()] {
        let engine = Checked::new(CpuEngine::with_threads(2).unwrap(), Reference::new());
        let fixture = set.fixture();
        programs::plaintexts(fixture, engine.clone()).unwrap();
        programs::products(fixture, engine.clone()).unwrap();
        programs::levels(fixture, engine.clone()).unwrap();
        programs::rotations(fixture, engine.clone()).unwrap();
        programs::circuit(fixture, engine.clone()).unwrap();
        client::keys(fixture, engine.clone()).unwrap();
        client::encryptions(fixture, engine.clone()).unwrap();
        client::decryptions(fixture, engine.clone()).unwrap();
        assert_eq!(engine.first_mismatch(), None);
        assert!(engine.operations() > 500, "{}", engine.operations());
        println!("{}: {} operations", set.name(), engine.operations());
    }
}

#[test]
fn a_checked_engine_names_the_operation() {
    let engine = Checked::new(wrong("tensor"), Reference::new());
    let outcome = programs::products(sets::bits39().fixture(), engine);
    says! { outcome.unwrap_err() => ["tensor"] }
}
