//! Encrypted runs beside plaintext ones.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{EvaluationKeySet, Evaluator, KeyGenerator, Parameters, SecretKey, random::Seed};
use arras_hal::{Reference, SecretEngine, StopToken};
use arras_toolkit::{
    Bindings, Cleartext, Client, Encrypted, Homomorphic, Program, Recorder, ToolkitErrorKind,
    Tracer, Value,
    interpret::{Bound, TraceReport, walk},
    plan::KeyRequests,
    run::{Options, Run},
};

use crate::support::{Numbers, assert_kind, client, function, insecure, says, survives_json};

fn encrypted<S: SecretEngine>(
    client: &Client<S>,
    program: &Program,
    inputs: &Bindings<Value>,
) -> Bindings<Encrypted<S>> {
    let sent = client.encrypt_inputs(program, inputs).unwrap();
    sent.expand(client.context()).unwrap()
}

fn homomorphic<S: SecretEngine>(
    client: &Client<S>,
    program: &Program,
    tamper: impl FnOnce(&mut EvaluationKeySet),
) -> Homomorphic<S> {
    let generator = KeyGenerator::new(client.secret_key().unwrap()).unwrap();
    let mut keys = KeyRequests::of(program).generate(&generator).unwrap();
    tamper(&mut keys);
    let keys = keys.load(client.context()).unwrap();
    Homomorphic::new(Evaluator::new(client.context(), keys).unwrap())
}

fn debug(params: &Parameters, program: &Program, inputs: &Bindings<Value>) -> TraceReport {
    debug_on(CpuEngine::new(), params, program, inputs)
}

fn debug_on<S: SecretEngine>(
    engine: S,
    params: &Parameters,
    program: &Program,
    inputs: &Bindings<Value>,
) -> TraceReport {
    let client = client(params, engine);
    let homomorphic = homomorphic(&client, program, |_| {});
    let encrypted = encrypted(&client, program, inputs);
    let secret = client.secret_key().unwrap();
    let bound = Bound::relative(1e-4);
    let debug = Tracer::new(program, &homomorphic, secret, &encrypted, inputs, bound);
    debug.unwrap().run(program).unwrap()
}

fn spread(slots: usize, amplitude: f64) -> Value {
    let mut numbers = Numbers(3);
    let slots = (0..slots).map(|_| amplitude * numbers.next()).collect();
    Value::Slots(vec![slots])
}

#[test]
fn a_good_circuit_passes() {
    let params = insecure(11, 3);
    let program = Program::new(function(params.slots(), |x| {
        let y = x.square().rotate(3).add(x).multiply_scalar(0.3);
        y.rotate_and_sum(1, 8)
    }));
    let inputs = Bindings::new().with("x", spread(params.slots(), 1.0));
    let report = debug(&params, &program, &inputs);
    assert!(report.passed(), "{report}");
    assert_eq!(report.steps(), program.steps().len());
    let worst = report.worst().unwrap();
    assert!(worst.error > 0.0 && worst.error < 1e-4);
    says(&report, &["all within the bound"]);

    let on_reference = debug_on(Reference::new(), &params, &program, &inputs);
    assert!(on_reference.passed(), "{on_reference}");
    assert_eq!(on_reference.steps(), report.steps());
}

#[test]
fn values_beyond_the_headroom_are_found_where_they_arise() {
    let params = insecure(11, 4);
    let recorder = Recorder::new(params.slots()).unwrap();
    let x = recorder.slots_input("x", 1);
    let square = x.square();
    let fourth = square.square();
    let line = line!() + 1;
    let eighth = fourth.square();
    recorder.output("scaled", &eighth.multiply_scalar(1e-6));
    let program = Program::new(recorder.finish().unwrap());
    // All slots alike, so that the one coefficient is as large as the values.
    let bits = params.headroom_bits(1) / 8.0 + 0.05;
    let inputs = Bindings::new().with("x", vec![vec![bits.exp2(); params.slots()]]);
    let report = debug(&params, &program, &inputs);
    let deviation = report.deviation().expect("an overflow");
    assert_eq!(deviation.place.line, line, "{report}");
    let at = (deviation.kind.as_str(), deviation.level);
    assert_eq!(at, ("multiply", 1), "{report}");
    assert!(deviation.exceeds_headroom());
    assert!(deviation.expected > 0.0, "{report}");
    assert!(deviation.actual < 0.0, "{report}");
    says(&report, &["debug.rs", "expected", "actual"]);
    says(&report, &["level      1", "scale      2^", "do not fit"]);
    survives_json(&report);
}

#[test]
fn a_wrong_key_is_found_at_the_first_rotation_by_it() {
    let params = insecure(11, 2);
    let client = client(&params, CpuEngine::new());
    let recorder = Recorder::new(params.slots()).unwrap();
    let x = recorder.slots_input("x", 1);
    let good = x.square().rotate(1);
    let line = line!() + 1;
    let bad = good.rotate(2);
    recorder.output("y", &bad.add(&good));
    let program = Program::new(recorder.finish().unwrap());
    // The key of rotation 2 of somebody else's secret.
    let stranger = SecretKey::from_seed(client.context(), &Seed::from_bytes([9; 32])).unwrap();
    let homomorphic = homomorphic(&client, &program, |keys| {
        let mut of_two = KeyRequests::of(&program);
        of_two.relinearization = None;
        of_two.rotations.retain(|&steps, _| steps == 2);
        let (kind, level) = of_two.kinds(params.log_n())[0];
        let generator = KeyGenerator::new(&stranger).unwrap();
        let mut tampered = EvaluationKeySet::new(&params);
        for key in keys.iter().filter(|key| key.kind() != kind) {
            tampered.insert(key.clone()).unwrap();
        }
        let wrong = generator.switching_key(kind, level).unwrap();
        tampered.insert(wrong).unwrap();
        *keys = tampered;
    });
    let inputs = Bindings::new().with("x", spread(params.slots(), 1.0));
    let encrypted = encrypted(&client, &program, &inputs);
    let secret = client.secret_key().unwrap();
    let make = || {
        let bound = Bound::absolute(1e-3);
        Tracer::new(&program, &homomorphic, secret, &encrypted, &inputs, bound).unwrap()
    };
    let report = make().run(&program).unwrap();
    let deviation = report.deviation().expect("a wrong key");
    let at = (deviation.place.line, deviation.kind.as_str());
    assert_eq!(at, (line, "rotate"));
    assert!(!deviation.exceeds_headroom());
    assert_eq!(deviation.operands[0].operation, "rotate");

    // In a pair with another interpretation it is an error, with the place.
    let mut pair = (make(), Cleartext::new(&program, &inputs).unwrap());
    let error = walk(&program, &mut pair, |_, _| Ok(())).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::Deviates(_));
}

/// A token stops a run at the next group, a context's what is made and loaded on it; without one the same calls succeed.
#[test]
fn tokens_stop_runs_keys_and_encryption() {
    let params = insecure(11, 3);
    let program = Program::new(function(params.slots(), |x| x.square().add(x).rotate(3)));
    let inputs = Bindings::new().with("x", spread(params.slots(), 1.0));
    let client = client(&params, CpuEngine::new());
    let keys = client.evaluation_keys(&program).unwrap();
    let loaded = keys.load(client.context()).unwrap();
    let evaluator = Arc::new(Evaluator::new(client.context(), loaded).unwrap());
    let sent = client.encrypt_inputs(&program, &inputs).unwrap();
    let encrypted = sent.expand(client.context()).unwrap();
    let server = Homomorphic::new(evaluator.clone());
    let whole = server.run(&program, &encrypted).unwrap();

    let token = StopToken::new();
    let seen = Arc::new(AtomicUsize::new(0));
    let (stop, count) = (token.clone(), seen.clone());
    let options = Options::new()
        .with_stop_token(token)
        .side_by_side(1)
        .on_progress(move |at| {
            count.store(at.done, Ordering::Relaxed);
            stop.stop();
        });
    let stopped = Homomorphic::with_options(evaluator.clone(), options);
    let error = stopped.run(&program, &encrypted).unwrap_err();
    assert_kind!(error, ToolkitErrorKind::Stopped(_));
    says(&error, &["run: stopped before its end"]);
    assert_eq!(seen.load(Ordering::Relaxed), 1, "one group ran");

    let unset = Options::new().with_stop_token(StopToken::new());
    let again = Homomorphic::with_options(evaluator, unset)
        .run(&program, &encrypted)
        .unwrap();
    let bytes = |run: &Run<CpuEngine>| {
        let y = run.output("y").unwrap();
        y.ciphertext().to_bytes().unwrap()
    };
    assert!(bytes(&again) == bytes(&whole));

    let token = StopToken::new();
    let context = client.context().clone().with_stop_token(token.clone());
    let secret = SecretKey::generate(&context).unwrap();
    token.stop();
    let generator = KeyGenerator::new(&secret).unwrap();
    let error = KeyRequests::of(&program).generate(&generator).unwrap_err();
    assert!(error.is_stopped(), "{error}");
    let held = Client::with_secret_key(secret).unwrap();
    let errors = [
        held.encrypt_inputs(&program, &inputs).unwrap_err(),
        sent.expand(&context).unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_stopped(), "{error}");
    }
    sent.expand(client.context()).unwrap();
}
