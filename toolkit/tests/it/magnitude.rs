//! Bounds on values, from the ranges of inputs to what is decrypted.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{CkksErrorKind, params::LevelWidth};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Client, EncodingUnit, Homomorphic, Plan, PlanOptions, Program,
    Recorder, Samples, Stage, ToolkitErrorKind, Value,
    interpret::{Bounds, PlannedAssumption},
    linalg::Dot,
    plan,
};

use crate::support::{
    Numbers, assert_kind, attempt, circuit, client, function, homomorphic, insecure, says,
};

fn bound(circuit: &Circuit, largest: f64) -> f64 {
    let bounds = Bounds::of(circuit, |_| largest);
    bounds.node(circuit.outputs()[0].node())
}

fn planned(program: &Program, samples: Samples) -> arras_toolkit::Result<Plan> {
    let options = PlanOptions::new(8.0, samples).level_width(LevelWidth::Bits39);
    plan(&[Stage::once(program)], &options)
}

#[test]
fn bounds_follow_operations_slot_by_slot() {
    let of =
        |body: fn(&arras_toolkit::Slots) -> arras_toolkit::Slots| bound(&function(64, body), 3.0);
    assert_eq!(of(|x| x.add(&x.square())), 12.0);
    assert_eq!(of(|x| x.sub(&x.rotate(1)).negate()), 6.0);
    assert_eq!(of(|x| x.add_scalar(-2.0).multiply_scalar(-0.5)), 2.5);
    assert_eq!(of(|x| x.multiply_integer(-4).lower_level(1)), 12.0);
    assert_eq!(of(|x| x.rotate_and_sum(1, 8)), 24.0);
    assert_eq!(of(|x| x.rotation_sum(&[0, 1, 1])), 9.0);
    let mask = |s: usize| {
        vec![
            (0..4)
                .map(|j| f64::from(u8::from(j == s)))
                .collect::<Vec<f64>>(),
        ]
    };
    // Masks that do not overlap select, they do not add up.
    let selected = function(64, |x| {
        let parts: Vec<_> = (0..4)
            .map(|s| x.rotate(s as i64).multiply_plain(mask(s)))
            .collect();
        arras_toolkit::Slots::sum(&parts).unwrap()
    });
    assert_eq!(bound(&selected, 3.0), 3.0);
    let weighted = function(64, |x| {
        x.weighted_rotation_sum(vec![(0, vec![vec![2.0]]), (5, vec![vec![-1.0, 0.5]])])
    });
    assert_eq!(bound(&weighted, 3.0), 9.0);
}

/// Padding is zero and counts for nothing.
#[test]
fn sums_count_entries_and_not_slots() {
    let unit = EncodingUnit::new(8, 16).unwrap();
    let product = circuit(unit.slots(), |r| {
        let a = r.matrix("a", 5, 7, unit);
        r.output("ax", &a.dot(&r.column_vector("x", 7, unit)));
    });
    assert_eq!(bound(&product, 2.0), 28.0);
}

#[test]
fn decrypted_values_are_within_the_bounds_of_their_ciphertexts() {
    let unit = EncodingUnit::new(16, 32).unwrap();
    let recorded = circuit(unit.slots(), |r| {
        let a = r.matrix("a", 20, 30, unit);
        let x = r.column_vector("x", 30, unit);
        let y = a.dot(&x);
        r.output("y", &y);
        r.output("sum", &(&y + &y));
        r.output("same", &a);
    });
    let program = Program::new(recorded);
    let params = insecure(10, 3);
    let client = client(&params, CpuEngine::new());
    let mut numbers = Numbers(11);
    let inputs = Bindings::<Value>::new()
        .with("a", numbers.matrix(20, 30))
        .with("x", numbers.vector(30));
    let sent = client.encrypt_inputs(&program, &inputs).unwrap();
    let run = homomorphic(&client, &program)
        .run(&program, &sent.expand(client.context()).unwrap())
        .unwrap();
    let bounds = Bounds::of(program.circuit(), |_| 1.0);
    for (output, of) in program
        .circuit()
        .outputs()
        .iter()
        .map(|o| (o, &run.outputs[o.name()]))
    {
        let bound = of.ciphertext().bound();
        assert_eq!(bound, bounds.node(output.node()), "{}", output.name());
        let entries = client.decrypt(of).unwrap().entries();
        assert!(
            entries.iter().all(|x| x.abs() <= bound + 1e-4),
            "{}",
            output.name()
        );
    }
    assert_eq!(run.outputs["y"].ciphertext().bound(), 30.0);
    assert_eq!(run.outputs["same"].ciphertext().bound(), 1.0);
}

#[test]
fn what_may_not_fit_is_refused_before_the_first_step() {
    let params = insecure(11, 3);
    let line = line!() + 2;
    let program = Program::new(function(params.slots(), |x| {
        x.square().square().rotate_and_sum(1, 8)
    }));
    let client = client(&params, CpuEngine::new()).largest_value(3.0);
    let inputs = Bindings::<Value>::new().with("x", vec![vec![0.5; params.slots()]]);
    let sent = client.encrypt_inputs(&program, &inputs).unwrap();
    let sent = sent.expand(client.context()).unwrap();
    let error = homomorphic(&client, &program)
        .run(&program, &sent)
        .unwrap_err();
    assert_kind!(error, ToolkitErrorKind::HeadroomExceeded(_));
    says(
        &error,
        &[
            "run",
            "level 0",
            "Recorder::assume",
            &format!("magnitude.rs:{line}"),
        ],
    );

    // Who knows better says so.
    let assumed = function(params.slots(), |x| {
        let fourth = x.square().square();
        x.recorder().assume(&fourth, 1.0);
        fourth.rotate_and_sum(1, 8)
    });
    let program = Program::new(assumed);
    let run = homomorphic(&client, &program).run(&program, &sent).unwrap();
    let y = &run.outputs["y"];
    assert_eq!(y.ciphertext().bound(), 8.0);
    let value = client.decrypt(y).unwrap().entries()[0];
    assert!((value - 8.0 * 0.5f64.powi(4)).abs() < 1e-4, "{value}");
}

#[test]
fn plans_hold_ranges_bounds_and_assumptions() {
    let slots = 4096;
    let fourth = Program::new(function(slots, |x| x.square().square()));
    let plan = planned(&fourth, Samples::uniform(-3.0, 3.0)).unwrap();
    let stage = &plan.stages()[0];
    assert_eq!(stage.inputs["x"].largest, Some(3.0));
    assert_eq!(stage.outputs["y"].largest, Some(81.0));
    let error = planned(&fourth, Samples::uniform(-5.0, 5.0)).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::HeadroomExceeded(_));
    says(&error, &["level 0", "magnitude.rs"]);
    // No sample comes near what the ranges allow.
    let sum = Program::new(function(slots, |x| x.rotate_and_sum(1, 4096)));
    let error = planned(&sum, Samples::uniform(-1.0, 1.0)).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::HeadroomExceeded(_));
    says(
        &error,
        &[
            "may reach",
            "by the ranges of the inputs",
            "Recorder::assume",
        ],
    );

    // Data beyond the range that the plan was made for do not come in; those within are declared so.
    let client =
        Client::generate(&arras_ckks::Context::new(plan.parameters(), CpuEngine::new()).unwrap())
            .unwrap();
    let with = |x: f64| Bindings::<Value>::new().with("x", vec![vec![x, 1.0, -x]].pad(slots));
    let error = client
        .encrypt_planned(stage, &fourth, &with(30.0))
        .unwrap_err();
    assert_kind!(error, ToolkitErrorKind::BeyondPlan { .. });
    says(&error, &["\"x\"", "30", "3", "plan again"]);
    let sent = client.encrypt_planned(stage, &fourth, &with(2.5)).unwrap();
    assert_eq!(sent.get("x").unwrap().ciphertext().bound(), 3.0);
    let undeclared = client.encrypt_inputs(&fourth, &with(30.0)).unwrap_err();
    let ToolkitErrorKind::Ckks(error) = undeclared.kind() else {
        panic!("{undeclared}");
    };
    assert!(matches!(error.kind(), CkksErrorKind::OutOfRange { .. }));

    // An assumption is in the plan, and the plan's trials hold values against it.
    let assuming = |bound: f64| {
        Program::new(function(slots, |x| {
            let square = x.square();
            x.recorder().assume(&square, bound);
            square.square()
        }))
    };
    let plan = planned(&assuming(10.0), Samples::uniform(-3.0, 3.0)).unwrap();
    let stage = &plan.stages()[0];
    assert_eq!(stage.outputs["y"].largest, Some(81.0));
    assert_eq!(stage.assumptions.len(), 1);
    assert_eq!(stage.assumptions[0].bound, 10.0);
    says(&plan, &["assumed", "1.000e1", "magnitude.rs"]);
    let error = planned(&assuming(4.0), Samples::uniform(-3.0, 3.0)).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::AssumptionBroken(_));
    says(&error, &["assumed up to 4.000e0", "magnitude.rs"]);
}

trait Pad {
    fn pad(self, slots: usize) -> Vec<Vec<f64>>;
}

impl Pad for Vec<Vec<f64>> {
    fn pad(mut self, slots: usize) -> Vec<Vec<f64>> {
        self.iter_mut().for_each(|v| v.resize(slots, 0.0));
        self
    }
}

#[test]
fn runs_in_the_clear_tell_broken_assumptions() {
    let line = line!() + 4;
    let assumed = function(64, |x| {
        let r = x.recorder();
        let square = x.square();
        r.assume(&square, 4.0);
        r.largest_value(20.0);
        square.multiply_scalar(3.0).add(&square)
    });
    let assumptions = PlannedAssumption::of(&assumed);
    let bounds: Vec<f64> = assumptions.iter().map(|a| a.bound).collect();
    assert_eq!(bounds, [20.0, 4.0]);
    assert_eq!(assumptions[1].place.line, line);
    assert_eq!(bound(&assumed, 100.0), 16.0);
    let program = Program::new(assumed);
    let broken = |x: f64| {
        let inputs = Bindings::<Value>::new().with("x", vec![vec![x; 64]]);
        Cleartext::run(&program, &inputs).unwrap().broken
    };
    assert!(broken(2.0).is_empty());
    let found = broken(2.1);
    assert!((found[0].largest - 4.41).abs() < 1e-9, "{found:?}");
    assert_eq!(
        (found[0].assumption.bound, found[0].assumption.place.line),
        (4.0, line)
    );
    // Values at level 0 too: 4 x^2.
    let everywhere = broken(2.4).into_iter().any(|b| b.assumption.bound == 20.0);
    assert!(everywhere);
    says(&found[0], &["4.410e0", "4.000e0", "magnitude.rs"]);
}

#[test]
fn assumptions_change_no_step() {
    let record = |assume: bool| {
        let circuit = function(64, |x| {
            let r = x.recorder();
            let square = x.square();
            let fourth = square.square();
            if assume {
                r.assume(&square, 2.0);
                r.largest_value(100.0);
            }
            fourth.add(&x.multiply(&x.rotate(1))).rotate_and_sum(1, 4)
        });
        let program = Program::new(circuit);
        arras_toolkit::conformance::golden::shape(&program)
    };
    assert_eq!(record(false), record(true));
}

#[test]
fn bounds_that_are_no_numbers_are_refused() {
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let error = attempt(64, |r: &Recorder| {
            let x = r.slots_input("x", 1);
            r.assume(&x, bad);
            r.output("y", &x);
        });
        assert_kind!(error, ToolkitErrorKind::OutOfRange { .. });
        says(&error, &["assume", "magnitude.rs"]);
    }
}

/// An input's assumption is the range that its owner declares.
#[test]
fn inputs_are_declared_as_the_circuit_assumes() {
    let params = insecure(11, 2);
    let program = Program::new(function(params.slots(), |x| {
        x.recorder().assume(x, 7.0);
        x.multiply_integer(2)
    }));
    let client = client(&params, CpuEngine::new());
    let with = |x: f64| Bindings::<Value>::new().with("x", vec![vec![x; params.slots()]]);
    let sent = client.encrypt_inputs(&program, &with(-6.5)).unwrap();
    assert_eq!(sent.get("x").unwrap().ciphertext().bound(), 7.0);
    assert!(client.encrypt_inputs(&program, &with(7.5)).is_err());
    let server: Homomorphic<CpuEngine> = homomorphic(&client, &program);
    let run = server
        .run(&program, &sent.expand(client.context()).unwrap())
        .unwrap();
    assert_eq!(run.outputs["y"].ciphertext().bound(), 14.0);
}
