//! The suite finds what it is there to find: engines with one fault each, and the tests that must notice.
#![cfg(feature = "conformance")]

mod broken;

use std::panic::{AssertUnwindSafe, catch_unwind};

use arras_hal::{
    Backend, Domain, Reference,
    conformance::{self, Options, Subject},
    decorators::Tampered,
};
use broken::{Fault, Faulty};

/// Names of the tests of the suite that an engine fails.
fn failures<B: Backend>(subject: &Subject<B>) -> Vec<&'static str> {
    let all = conformance::tests::<B>();
    assert!(all.len() > 70, "the suite's table has lost tests");
    let failed = all.iter().filter(|test| {
        catch_unwind(AssertUnwindSafe(|| subject.run(test.name, test.run))).is_err()
    });
    failed.map(|test| test.name).collect()
}

/// Every test of `expected` fails, each of which is there to find this very fault.
fn assert_caught<B: Backend>(subject: &Subject<B>, expected: &[&str]) {
    let failed = failures(subject);
    for name in expected {
        assert!(
            failed.contains(name),
            "{name} did not notice; these did: {failed:?}"
        );
    }
}

fn faulty(fault: Fault) -> Subject<Faulty> {
    let options = Options::new().max_log_n(8).fault(Faulty::fail_next);
    Subject::new(move || Faulty::new(fault), options)
}

fn tampered(
    op: &'static str,
    limb: usize,
    f: impl Fn(&mut [u32], u32) + Copy + Send + Sync + 'static,
) -> Subject<Tampered<Reference>> {
    let make = move || {
        Tampered::new(Reference).after(move |name, engine, ring, outputs| {
            if name == op {
                let out = &mut *outputs[0];
                let shape = engine.shape(out).clone();
                let n = engine.basis(ring).n();
                let mut words = vec![0; shape.words(n)];
                engine
                    .download(ring, out, Domain::Eval, &mut words)
                    .expect("the reference engine does not fail");
                if let Some(l) = shape.limbs.position(limb) {
                    let q = engine.basis(ring).modulus(limb).value();
                    f(&mut words[l * n..][..n], q);
                }
                *out = engine
                    .upload(ring, &shape, Domain::Eval, &words)
                    .expect("the reference engine does not fail");
            }
        })
    };
    Subject::new(make, Options::new().max_log_n(8))
}

#[test]
fn a_sound_engine_passes() {
    assert_eq!(failures(&faulty(Fault::None)), [""; 0]);
    assert_eq!(failures(&tampered("ntt", 9, |_, _| ())), [""; 0]);
}

#[test]
fn a_wrong_butterfly_is_caught() {
    // One output of one limb at one index.
    let broken = tampered("ntt", 9, |row, q| row[5] = (row[5] + 1) % q);
    assert_caught(
        &broken,
        &[
            "known_answers::ntt_evaluates_at_the_stated_points",
            "known_answers::recorded_answers_n8",
            "known_answers::products_are_negacyclic",
            "laws::transforms_are_inverse",
            "oracle::ntt",
        ],
    );
}

#[test]
fn a_wrong_fused_rescale_is_caught() {
    assert_caught(
        &faulty(Fault::WrongFusedRescale),
        &[
            "known_answers::rescale_divides",
            "known_answers::recorded_answers_n64",
            "oracle::rescale",
            "default_bodies::rescale",
        ],
    );
}

#[test]
fn residues_that_are_not_canonical_are_caught() {
    let broken = tampered("sub", 4, |row, q| {
        for word in row {
            *word += if *word == 0 { q } else { 0 };
        }
    });
    assert_caught(
        &broken,
        &[
            "oracle::sub",
            "hygiene::outputs_are_canonical_at_the_extremes",
        ],
    );
}

#[test]
fn a_changed_input_is_caught() {
    assert_caught(
        &faulty(Fault::MutatesInput),
        &["hygiene::inputs_are_left_alone"],
    );
}

#[test]
fn trust_in_zeroed_memory_is_caught() {
    assert_caught(
        &faulty(Fault::TrustsZeroedMemory),
        &["hygiene::old_contents_do_not_matter", "oracle::mul"],
    );
}

#[test]
fn conversions_that_round_the_other_way_are_caught() {
    // Exact ties are one in 2^26: the suite makes them on purpose.
    assert_caught(
        &faulty(Fault::RoundsTiesDown),
        &[
            "known_answers::quotient_conversions_are_exact",
            "oracle::base_convert",
        ],
    );
    assert_caught(
        &faulty(Fault::Truncates),
        &[
            "known_answers::quotient_conversions_are_exact",
            "known_answers::rescale_divides",
            "oracle::base_convert",
        ],
    );
    assert_caught(
        &faulty(Fault::ConvertsPlainResidues),
        &[
            "known_answers::centred_conversions_are_exact",
            "known_answers::mod_up_extends",
            "laws::mod_up_commutes_with_automorphisms",
            "laws::hoisted_equals_unhoisted",
            "oracle::base_convert",
        ],
    );
}

#[test]
fn tables_shared_between_rings_are_caught() {
    assert_eq!(
        failures(&faulty(Fault::SharesTables)),
        ["hygiene::two_rings_live_side_by_side"]
    );
}

#[test]
fn swallowed_device_errors_are_caught() {
    assert_eq!(
        failures(&faulty(Fault::SwallowsErrors)),
        [
            "hygiene::device_errors_surface_at_the_next_wait",
            "hygiene::device_errors_surface_at_sync"
        ]
    );
}

#[test]
fn operands_repeated_the_wrong_way_are_caught() {
    assert_caught(
        &faulty(Fault::RepeatsTheFirst),
        &["oracle::add", "oracle::sub", "oracle::mul_acc"],
    );
}
