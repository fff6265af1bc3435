//! The scheme level of the conformance suite fails for engines that are wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arras_backend_cpu::CpuEngine;
use arras_ckks::conformance::{Absent, Program, check, client, programs, sets};
use arras_hal::{Backend, Checked, Reference, decorators::Tampered};

/// The message with which a check fails.
fn failure(check: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("a wrong engine passed");
    *panic.downcast::<String>().unwrap()
}

/// Clears what one operation of the reference engine computed.
fn wrong(op: &'static str) -> Tampered<Reference> {
    Tampered::new(Reference::new()).after(move |name, engine, ring, outputs| {
        if name == op {
            for output in outputs.iter_mut() {
                engine.zero(ring, output);
            }
        }
    })
}

type Case = (
    &'static str,
    &'static str,
    Program<Tampered<Reference>>,
    Program<Reference>,
    &'static str,
);

#[test]
fn the_first_step_that_differs_is_named() {
    let cases: [Case; 6] = [
        (
            "tensor",
            "products",
            programs::products,
            programs::products,
            "multiply at 1, batch 1",
        ),
        (
            "relinearize",
            "products",
            programs::products,
            programs::products,
            "relinearize, batch 1",
        ),
        (
            "rescale",
            "levels",
            programs::levels,
            programs::levels,
            "level_down from 1 to 0, batch 1",
        ),
        (
            "rotate",
            "rotations",
            programs::rotations,
            programs::rotations,
            "rotate at 0, batch 1",
        ),
        (
            "weighted_sum",
            "plaintexts",
            programs::plaintexts,
            programs::plaintexts,
            "multiply_plain, batch 1",
        ),
        (
            "rotation_sum",
            "circuit",
            programs::circuit,
            programs::circuit,
            "inner product, batch 1",
        ),
    ];
    for (op, name, on_engine, on_reference, step) in cases {
        let message = failure(|| {
            check(Ok(wrong(op)), sets::bits39(), name, on_engine, on_reference);
        });
        assert!(message.contains(&format!("{step:?}")), "{op}: {message}");
        assert!(
            message.contains("bits39") && message.contains(name),
            "{message}"
        );
    }
}

#[test]
fn a_wrong_client_is_found() {
    let message = failure(|| {
        check(
            Ok(wrong("mul")),
            sets::bits34(),
            "keys",
            client::keys,
            client::keys,
        );
    });
    assert!(
        message.contains("step 0, \"key Relinearization\""),
        "{message}"
    );
}

#[test]
fn an_agreement_with_the_reference_is_not_enough() {
    // A program that has no recorded hash: what a changed scheme looks like.
    let message = failure(|| {
        check(
            Ok(Reference::new()),
            sets::bits39(),
            "unheard_of",
            programs::levels,
            programs::levels,
        );
    });
    assert!(
        message.contains("not with the recorded hash None"),
        "{message}"
    );
}

#[test]
fn absent_engines_are_skipped() {
    if std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1") {
        return;
    }
    check::<Reference>(
        Err(Absent::because("no adapter")),
        sets::bits39(),
        "levels",
        |_, _| panic!("ran"),
        |_, _| panic!("ran"),
    );
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
    let error = programs::products(sets::bits39().fixture(), engine)
        .unwrap_err()
        .to_string();
    assert!(error.contains("tensor"), "{error}");
}
