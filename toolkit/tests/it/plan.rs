//! Plans against runs.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Evaluator, KeyGenerator, Parameters, params::LevelWidth};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, EncodingUnit, Encrypted, Homomorphic, Plan, PlanOptions, Program,
    Recorder, Result, Samples, Stage, ToolkitErrorKind, linalg::Dot, plan::RejectedReason,
    run::Options,
};

use crate::support::{client, insecure, worst};

/// The plan of a single circuit.
fn plan(circuit: &Circuit, options: &PlanOptions) -> Result<Plan> {
    let program = Program::new(circuit.clone());
    arras_toolkit::plan(&[Stage::once(&program)], options)
}

fn matrix_by_vector(rows: usize, cols: usize) -> Circuit {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let recorder = Recorder::new(unit.slots()).unwrap();
    let a = recorder.matrix("a", rows, cols, unit);
    let x = recorder.column_vector("x", cols, unit);
    recorder.output("ax", &a.dot(&x));
    recorder.finish().unwrap()
}

fn chain(slots: usize, products: usize) -> Circuit {
    let recorder = Recorder::new(slots).unwrap();
    let (x, y) = (recorder.slots_input("x", 1), recorder.slots_input("y", 1));
    let product = (0..products).fold(x, |product, _| product.multiply(&y));
    recorder.output("product", &product);
    recorder.finish().unwrap()
}

/// A bit of everything: several units, batches in waves, values that live long, hoisted rotations, weights, picks.
fn mixed(slots: usize) -> Circuit {
    let recorder = Recorder::new(slots).unwrap();
    let (x, y) = (recorder.slots_input("x", 3), recorder.slots_input("y", 1));
    let products = x.multiply(&y);
    let rotated = y.rotate(1).add(&y.rotate(2)).add(&y.rotate(5));
    let weights = |seed: i64| {
        vec![
            (0..slots as i64)
                .map(|j| ((j * seed) % 7) as f64 / 7.0)
                .collect(),
        ]
    };
    let weighted = x.weighted_rotation_sum(vec![(0, weights(1)), (3, weights(2)), (4, weights(3))]);
    let sum = products.add(&weighted).multiply(&rotated);
    let parts = sum.pick(&[2, 0]).multiply_plain(weights(5));
    recorder.output("parts", &parts.add_plain(weights(6)));
    recorder.output("sum", &sum.rotation_sum(&[0, 1, 2]));
    recorder.output_at("early", &products.rotate(9), 1);
    recorder.finish().unwrap()
}

/// Runs what was planned: every byte as planned, the precision as predicted.
fn compare(plan: &Plan, circuit: Circuit, samples: &Samples) {
    let program = Program::new(circuit);
    let stage = &plan.stages()[0];
    let client = client(plan.parameters(), CpuEngine::new());
    let context = client.context();
    let inputs = samples.draw(program.circuit(), 99).unwrap();

    let generator = KeyGenerator::new(client.secret_key().unwrap()).unwrap();
    let keys = plan.key_requests().generate(&generator).unwrap();
    assert_eq!(
        plan.key_set_bytes().wire,
        keys.to_bytes().unwrap().len() as u64
    );
    assert_eq!(plan.key_set_bytes().loaded, keys.expanded_bytes());
    let loaded: u64 = plan.keys().iter().map(|k| k.bytes.loaded).sum();
    assert_eq!(loaded, plan.key_set_bytes().loaded);
    assert_eq!(plan.keys().len(), keys.len());

    let sent = client.encrypt_inputs(&program, &inputs).unwrap();
    let mut encrypted: Bindings<Encrypted<CpuEngine>> = Bindings::new();
    for (name, value) in sent.iter() {
        let planned = &stage.inputs[name];
        let bytes = value.ciphertext().to_bytes().unwrap();
        assert_eq!(planned.bytes.wire, bytes.len() as u64);
        let value = value.expand(context).unwrap();
        assert_eq!(planned.bytes.loaded, value.ciphertext().bytes() as u64);
        assert_eq!(
            (planned.level, planned.layout),
            (value.level(), *value.layout())
        );
        encrypted.insert(name, value);
    }

    let evaluator = Evaluator::new(context, keys.load(context).unwrap()).unwrap();
    let homomorphic = Homomorphic::with_options(evaluator, Options::new().side_by_side(2));
    let run = homomorphic.run(&program, &encrypted).unwrap();
    let report = &run.report;
    assert_eq!(
        stage.peak_ciphertext_bytes,
        report.peak_ciphertext_bytes as u64
    );
    assert_eq!(stage.constant_bytes, report.constant_bytes as u64);
    assert_eq!(
        (stage.steps, stage.calls, stage.waves, stage.width),
        (report.steps, report.calls, report.waves, report.width)
    );
    let exact = Cleartext::run(&program, &inputs).unwrap().outputs;
    for (name, output) in &run.outputs {
        let planned = &stage.outputs[name];
        let bytes = output.ciphertext().to_bytes().unwrap();
        assert_eq!(planned.bytes.wire, bytes.len() as u64);
        assert_eq!(planned.level, output.level());
        let error = worst(&client.decrypt(output).unwrap(), &exact[name]);
        let bits = stage
            .precision
            .as_ref()
            .unwrap()
            .output(name)
            .unwrap()
            .bits();
        let optimism = bits + error.log2();
        assert!((-3.0..=1.0).contains(&optimism), "{name}: {bits} {error:e}");
    }
    assert!(plan.time().critical_path_seconds <= plan.time().work_seconds * (1.0 + 1e-12));
    assert!(plan.time().work_seconds > 0.0);
}

#[test]
fn a_matrix_by_vector_product_takes_what_was_planned() {
    let samples = Samples::uniform(-1.0, 1.0);
    let circuit = matrix_by_vector(134, 70);
    let plan = plan(&circuit, &PlanOptions::new(12.0, samples.clone())).unwrap();
    assert_eq!(plan.parameters().log_n(), 13);
    assert_eq!(plan.levels_needed(), 2);
    assert!(plan.parameters().max_level() >= 2);
    assert!(plan.stages()[0].precision.as_ref().unwrap().suffices(12.0));
    assert!(plan.bits().unwrap() >= 12.0);
    compare(&plan, circuit, &samples);

    let text = plan.to_string();
    for part in [
        "parameters",
        "input \"a\"",
        "evaluation keys",
        "critical path",
        "peak ciphertexts",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn a_mixed_circuit_takes_what_was_planned() {
    let samples = Samples::uniform(-1.0, 1.0);
    for params in [insecure(11, 3), insecure(11, 5)] {
        let options = PlanOptions::new(8.0, samples.clone()).parameters(&params);
        let plan = plan(&mixed(params.slots()), &options).unwrap();
        assert_eq!(plan.parameters(), &params);
        compare(&plan, mixed(params.slots()), &samples);
    }
}

#[test]
fn more_precision_takes_a_wider_level_and_more_depth_a_larger_ring() {
    let samples = Samples::uniform(-1.0, 1.0);
    let planned = |bits: f64, slots: usize, products: usize| {
        plan(
            &chain(slots, products),
            &PlanOptions::new(bits, samples.clone()).trials(1),
        )
    };
    let coarse = planned(10.0, 8192, 2).unwrap();
    assert_eq!(coarse.parameters().level_width(), LevelWidth::Bits34);
    let fine = planned(coarse.bits().unwrap() + 4.0, 8192, 2).unwrap();
    assert_eq!(
        fine.parameters().level_width(),
        LevelWidth::Bits39,
        "{coarse}\n{fine}"
    );
    let narrow = |r: &arras_toolkit::plan::Rejected| {
        r.width == LevelWidth::Bits34 && matches!(r.reason, RejectedReason::Precision { .. })
    };
    assert!(fine.rejected().iter().any(narrow), "{fine}");

    let error = planned(10.0, 4096, 12).unwrap_err();
    let ToolkitErrorKind::TooDeep {
        needed,
        slots,
        available,
        sufficient_slots,
    } = error.kind()
    else {
        panic!("{error}");
    };
    assert_eq!((*needed, *slots), (12, 4096));
    assert!(available.unwrap() < 12);
    let sufficient = sufficient_slots.unwrap();
    assert!(
        error
            .to_string()
            .contains(&format!("record it on {sufficient} slots")),
        "{error}"
    );
    assert_eq!(
        planned(10.0, sufficient, 12).unwrap().parameters().slots(),
        sufficient
    );
    let error = planned(10.0, 4096, 200).unwrap_err();
    assert!(error.to_string().contains("no ring has so many"), "{error}");
    let error = planned(10.0, 512, 1).unwrap_err();
    assert!(error.to_string().contains("at most none"), "{error}");

    let error = planned(40.0, 4096, 2).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::PrecisionNotReached { asked, reached, .. }
        if *asked == 40.0 && (20.0..30.0).contains(reached)),
        "{error}"
    );
}

#[test]
fn what_cannot_be_planned_says_why() {
    let large = Samples::uniform(-1e9, 1e9);
    let error = plan(&chain(4096, 2), &PlanOptions::new(1.0, large)).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::HeadroomExceeded(_)),
        "{error}"
    );
    assert!(error.to_string().contains("plan.rs"), "{error}");

    let samples = Samples::uniform(-1.0, 1.0);
    let with = |params: &Parameters, circuit: &Circuit| {
        plan(
            circuit,
            &PlanOptions::new(1.0, samples.clone()).parameters(params),
        )
        .unwrap_err()
    };
    let error = with(&insecure(11, 2), &chain(1024, 3));
    assert!(
        matches!(
            error.kind(),
            ToolkitErrorKind::TooFewLevels {
                needed: 3,
                available: 2,
                ..
            }
        ),
        "{error}"
    );
    let error = with(&insecure(11, 2), &chain(2048, 1));
    assert!(
        matches!(
            error.kind(),
            ToolkitErrorKind::SlotsMismatch { circuit: 2048, .. }
        ),
        "{error}"
    );
    let error = plan(&chain(4096, 1), &PlanOptions::new(1.0, Samples::default())).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::UnknownName { .. }),
        "{error}"
    );
}

#[test]
fn stages_share_parameters_and_keys_and_add_up() {
    let (long, short) = (
        Program::new(chain(4096, 2)),
        Program::new(mixed_of(4096, 9)),
    );
    let stages = [Stage::once(&long), Stage::repeated(&short, 3)];
    let options = PlanOptions::any_precision().threads(2);
    let together = arras_toolkit::plan(&stages, &options).unwrap();
    let params = together.parameters();
    let given = options.clone().parameters(params);
    let [of_long, of_short] =
        [&long, &short].map(|p| arras_toolkit::plan(&[Stage::once(p)], &given).unwrap());
    assert_eq!(together.levels_needed(), 2);
    let union = of_long
        .key_requests()
        .clone()
        .union(of_short.key_requests());
    assert_eq!(together.key_requests(), &union);
    assert_eq!(
        together.input_bytes().wire,
        of_long.input_bytes().wire + 3 * of_short.input_bytes().wire
    );
    let seconds = of_long.time().seconds() + 3.0 * of_short.time().seconds();
    assert!((together.time().seconds() - seconds).abs() < 1e-9);
    let (memory, parts) = (together.memory(), [of_long.memory(), of_short.memory()]);
    assert_eq!(memory.keys, together.key_set_bytes().loaded);
    assert!(parts.iter().all(|part| memory.total() >= part.total()));
    assert!(memory.scratch > 0 && memory.process > 0);
    assert_eq!(memory.slack, (memory.on_engine() - memory.slack) / 16);
    assert!(together.bits().is_none() && together.stages()[1].precision.is_none());
    assert!(
        together.to_string().contains("stage 2, 3 times"),
        "{together}"
    );

    let error = arras_toolkit::plan(&[], &options).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::OutOfRange { .. }),
        "{error}"
    );
    let other = Program::new(chain(2048, 1));
    let error = arras_toolkit::plan(&[Stage::once(&long), Stage::once(&other)], &options);
    assert!(matches!(
        error.unwrap_err().kind(),
        ToolkitErrorKind::SlotsMismatch { circuit: 2048, .. }
    ));
}

/// A product and a rotation.
fn mixed_of(slots: usize, steps: i64) -> Circuit {
    let recorder = Recorder::new(slots).unwrap();
    let x = recorder.slots_input("x", 2);
    recorder.output("moved", &x.square().rotate(steps));
    recorder.finish().unwrap()
}
