//! Plans against runs.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Evaluator, KeyGenerator, Parameters, params::LevelWidth};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Encrypted, Homomorphic, Plan, PlanOptions, Program, Recorder,
    Result, Samples, Stage, ToolkitErrorKind, plan::RejectedReason, run::Options,
};

use crate::support::{
    assert_kind, chain, circuit, client, insecure, matrix_by_vector, says, survives_json, worst,
};

/// The plan of a single circuit.
fn plan(circuit: &Circuit, options: &PlanOptions) -> Result<Plan> {
    let program = Program::new(circuit.clone());
    arras_toolkit::plan(&[Stage::once(&program)], options)
}

/// A bit of everything: several units, batches in waves, values that live long, hoisted rotations, weights, picks.
fn mixed(slots: usize) -> Circuit {
    let recorder = Recorder::new(slots).unwrap();
    let (x, y) = (recorder.slots_input("x", 3), recorder.slots_input("y", 1));
    let products = x.multiply(&y);
    let rotated = y.rotate(1).add(&y.rotate(2)).add(&y.rotate(5));
    let weights = |seed: i64| {
        let weight = |j| ((j * seed) % 7) as f64 / 7.0;
        vec![(0..slots as i64).map(weight).collect()]
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
    let planned = plan.key_set_bytes();
    assert_eq!(planned.wire, keys.to_bytes().unwrap().len() as u64);
    assert_eq!(planned.loaded, keys.expanded_bytes());
    let loaded: u64 = plan.keys().iter().map(|k| k.bytes.loaded).sum();
    assert_eq!(loaded, planned.loaded);
    assert_eq!(plan.keys().len(), keys.len());

    let sent = client.encrypt_inputs(&program, &inputs).unwrap();
    let mut encrypted: Bindings<Encrypted<CpuEngine>> = Bindings::new();
    for (name, value) in sent.iter() {
        let planned = &stage.inputs[name];
        let bytes = value.ciphertext().to_bytes().unwrap();
        assert_eq!(planned.bytes.wire, bytes.len() as u64);
        let value = value.expand(context).unwrap();
        assert_eq!(planned.bytes.loaded, value.ciphertext().bytes() as u64);
        let found = (value.level(), *value.layout());
        assert_eq!((planned.level, planned.layout), found);
        encrypted.insert(name, value);
    }

    let evaluator = Evaluator::new(context, keys.load(context).unwrap()).unwrap();
    let homomorphic = Homomorphic::with_options(evaluator, Options::new().side_by_side(2));
    let run = homomorphic.run(&program, &encrypted).unwrap();
    let report = &run.report;
    let peak = report.peak_ciphertext_bytes as u64;
    assert_eq!(stage.peak_ciphertext_bytes, peak);
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
        let precision = stage.precision.as_ref().unwrap();
        let bits = precision.output(name).unwrap().bits();
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

    says(&plan, &["parameters", "input \"a\"", "evaluation keys"]);
    says(&plan, &["critical path", "peak ciphertexts"]);
    survives_json(&plan);
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
        let options = PlanOptions::new(bits, samples.clone()).trials(1);
        plan(&chain(slots, products), &options)
    };
    let coarse = planned(10.0, 8192, 2).unwrap();
    assert_eq!(coarse.parameters().level_width(), LevelWidth::Bits34);
    let fine = planned(coarse.bits().unwrap() + 4.0, 8192, 2).unwrap();
    let width = fine.parameters().level_width();
    assert_eq!(width, LevelWidth::Bits39, "{coarse}\n{fine}");
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
    says(&error, &[&format!("record it on {sufficient} slots")]);
    let plan = planned(10.0, sufficient, 12).unwrap();
    assert_eq!(plan.parameters().slots(), sufficient);
    let error = planned(10.0, 4096, 200).unwrap_err();
    says(&error, &["no ring has this many", "re-encrypt"]);
    says(planned(10.0, 512, 1).unwrap_err(), &["at most none"]);

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
    assert_kind!(error, ToolkitErrorKind::HeadroomExceeded(_));
    says(&error, &["support/mod.rs"]);

    let samples = Samples::uniform(-1.0, 1.0);
    let with = |params: &Parameters, circuit: &Circuit| {
        let options = PlanOptions::new(1.0, samples.clone()).parameters(params);
        plan(circuit, &options).unwrap_err()
    };
    let error = with(&insecure(11, 2), &chain(1024, 3));
    let ToolkitErrorKind::TooFewLevels {
        needed, available, ..
    } = error.kind()
    else {
        panic!("{error}");
    };
    assert_eq!((*needed, *available), (3, 2));
    let error = with(&insecure(11, 2), &chain(2048, 1));
    assert!(
        matches!(
            error.kind(),
            ToolkitErrorKind::SlotsMismatch { circuit: 2048, .. }
        ),
        "{error}"
    );
    let error = plan(&chain(4096, 1), &PlanOptions::new(1.0, Samples::default())).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::UnknownName { .. });
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
    let union = of_long.key_requests().clone();
    let union = union.union(of_short.key_requests());
    assert_eq!(together.key_requests(), &union);
    let [all, long_bytes, short_bytes] =
        [&together, &of_long, &of_short].map(|plan| plan.input_bytes().wire);
    assert_eq!(all, long_bytes + 3 * short_bytes);
    let seconds = of_long.time().seconds() + 3.0 * of_short.time().seconds();
    assert!((together.time().seconds() - seconds).abs() < 1e-9);
    let (memory, parts) = (together.memory(), [of_long.memory(), of_short.memory()]);
    assert_eq!(memory.keys, together.key_set_bytes().loaded);
    assert!(parts.iter().all(|part| memory.total() >= part.total()));
    assert!(memory.scratch > 0 && memory.process > 0);
    assert_eq!(memory.slack, (memory.on_engine() - memory.slack) / 16);
    assert!(together.bits().is_none() && together.stages()[1].precision.is_none());
    says(&together, &["stage 2, 3 times"]);

    let error = arras_toolkit::plan(&[], &options).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::OutOfRange { .. });
    let other = Program::new(chain(2048, 1));
    let error = arras_toolkit::plan(&[Stage::once(&long), Stage::once(&other)], &options);
    let error = error.unwrap_err();
    assert_kind!(error, ToolkitErrorKind::SlotsMismatch { circuit: 2048, .. });
}

/// A product and a rotation.
fn mixed_of(slots: usize, steps: i64) -> Circuit {
    circuit(slots, |r| {
        r.output("moved", &r.slots_input("x", 2).square().rotate(steps));
    })
}
