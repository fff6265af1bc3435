//! Encrypted weights against the plaintext twin, rounds against one run, predictions against what is there.

use arras_backend_cpu::CpuEngine;
use arras_ckks::params::Security;
use arras_toolkit::{Bindings, Cleartext, Value};
use ndarray::Array1;

use super::{
    super::{
        Candidate, Optimizer, PlannerOptions, Rounds, Settings, Trainer, TrainerBuilder, plan,
    },
    features_of, insecure, owner, server, some_rows, trainer,
};
use crate::{
    circuits::Kind,
    plain::{self, Examples, State},
    preprocess::{Scheme, signed_rows},
    search::{self, Given},
    sigmoid::Approximation,
};

pub(super) fn worst(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |m, (a, b)| (a - b).abs().max(m))
}

/// The same round's program on plaintext, from the same state.
fn twin(
    trainer: &Trainer<CpuEngine, CpuEngine>,
    round: usize,
    start: Option<&State>,
) -> Array1<f64> {
    let round = trainer.owner().plan().round(round).unwrap();
    let count = round.circuit.spec().iterations();
    let minibatches = trainer.data().minibatches(round.first, count);
    let inputs: Bindings<Value> = round.circuit.inputs(&minibatches, start).unwrap();
    let run = Cleartext::run(&round.program, &inputs).unwrap();
    let weights = round.circuit.weights(|name| run.outputs.get(name));
    weights.unwrap().0
}

/// The weights of the same training without encryption.
pub(super) fn in_the_clear(settings: &Settings, z: &Examples) -> Array1<f64> {
    let (rows, features) = z.rows().dim();
    let features = features * z.chains();
    let (plain, zero) = (settings.plain(rows).unwrap(), Array1::zeros(features));
    let history = match settings.optimizer {
        Optimizer::Nesterov => plain::nesterov(z, &plain, State::zero(features)).map(|of| of.0),
        Optimizer::GradientDescent => plain::gradient_descent(z, &plain, 0, zero),
        Optimizer::FixedHessian => plain::fixed_hessian(z.rows(), &plain, 0, zero),
    };
    history.unwrap().weights().unwrap().clone()
}

#[test]
fn two_rounds_of_every_circuit_are_one_longer_run_in_plaintext() {
    let data = some_rows(90);
    for kind in Kind::ALL {
        let settings = Settings::new(16, 5).circuit(kind).rounds(Rounds::Count(2));
        let trainer = trainer(&settings, &data, &insecure(11));
        assert_eq!(trainer.report().chosen.rounds, [3, 2]);
        let mut before: Option<State> = None;
        let result = trainer
            .train_with(|done| {
                let twin = twin(&trainer, done.round, before.as_ref());
                let error = worst(&done.state.w, &twin);
                println!("{kind} round {}: {error:.1e}", done.round);
                assert!(error < 1e-3, "{kind} round {}: {error}", done.round);
                before = Some(done.state.clone());
                Ok(())
            })
            .unwrap();
        let z = trainer.data().examples();
        let end = in_the_clear(&settings, z);
        let model = trainer.decrypt(&result).unwrap();
        let error = worst(&Array1::from(model.weights.clone()), &end);
        println!("{kind}: {error:.1e} from one run of 5 iterations");
        assert!(error < 1e-3, "{kind}: {error}");
    }
}

#[test]
fn predicted_errors_are_those_of_training() {
    let data = some_rows(120);
    for kind in Kind::ALL {
        let settings = Settings::new(16, 3).circuit(kind);
        let trainer = trainer(&settings, &data, &insecure(12));
        let plan = trainer.owner().plan();
        let minibatches = trainer.data().minibatches(0, 3);
        let predicted = plan
            .round(0)
            .unwrap()
            .predicted_error(plan.params(), &minibatches, None);
        let predicted = predicted.unwrap();
        let before = trainer.report().predicted_error.unwrap();
        let twin = twin(&trainer, 0, None);
        let mut measured: Vec<f64> = (0..3)
            .map(|_| {
                let mut error = 0.0;
                trainer
                    .train_with(|done| {
                        error = worst(&done.state.w, &twin);
                        Ok(())
                    })
                    .unwrap();
                error
            })
            .collect();
        measured.sort_by(f64::total_cmp);
        let bits = |x: f64| -x.log2();
        let (p, b, m) = (bits(predicted), bits(before), bits(measured[1]));
        println!("{kind}: predicted {p:.2} bits, {b:.2} from random data, measured {m:.2}");
        assert!((m - p).abs() < 3.0 && p - m < 1.0, "{kind}: {p} and {m}");
        assert!((m - b).abs() < 4.0 && b - m < 1.0, "{kind}: {b} and {m}");
    }
}

#[test]
fn every_optimizer_is_its_plaintext_reference() {
    let data = some_rows(60);
    for optimizer in [Optimizer::GradientDescent, Optimizer::FixedHessian] {
        let settings = Settings::new(16, 3)
            .circuit(Kind::SingleChain)
            .rate(plain::Rate::Harmonic(0.8))
            .rounds(Rounds::Of(2))
            .optimizer(optimizer);
        let trainer = trainer(&settings, &data, &insecure(11));
        assert_eq!(trainer.report().chosen.rounds, [2, 1]);
        let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
        let normalized = model.preprocessor.apply(&data).unwrap();
        let z = signed_rows(&normalized, data.labels()).unwrap().into();
        let error = worst(&Array1::from(model.weights), &in_the_clear(&settings, &z));
        println!("{optimizer:?}: {error:.1e}");
        assert!(error < 1e-3, "{optimizer:?}: {error}");
    }
}

/// What a search on the client chooses: a wide interval, a penalty, a whole first step, over two rounds.
#[test]
fn penalty_and_first_step_are_those_of_the_plaintext_reference() {
    let data = some_rows(60);
    for kind in Kind::ALL {
        let settings = Settings::new(16, 3)
            .circuit(kind)
            .activation(Approximation::least_squares(7, 24.0).unwrap())
            .penalty(0.03)
            .first_step(plain::FirstStep::Full)
            .rounds(Rounds::Of(2));
        let trainer = trainer(&settings, &data, &insecure(11));
        let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
        let normalized = model.preprocessor.apply(&data).unwrap();
        let z = signed_rows(&normalized, data.labels()).unwrap().into();
        let twin = in_the_clear(&settings, &z);
        let other = in_the_clear(&settings.clone().penalty(0.0), &z);
        assert!(worst(&twin, &other) > 1e-3, "the penalty shows");
        let error = worst(&Array1::from(model.weights), &twin);
        println!("{kind}: {error:.1e}");
        assert!(error < 1e-4, "{kind}: {error}");
    }
}

#[test]
fn penalties_that_cannot_be_are_refused() {
    let told = |settings: Settings| {
        plan(&settings, 31, 400, &insecure(11))
            .unwrap_err()
            .to_string()
    };
    let settings = Settings::new(16, 2);
    for penalty in [-0.1, f64::NAN, 1.0, 3.0] {
        let said = told(settings.clone().penalty(penalty));
        assert!(said.contains("penalty"), "{said}");
    }
    let said = told(settings.optimizer(Optimizer::FixedHessian).penalty(0.1));
    assert!(said.contains("gradient-descent"), "{said}");
}

#[test]
fn a_secure_plan_keeps_what_it_says() {
    let data = some_rows(200);
    let settings = Settings::new(32, 2);
    let (features, options) = (features_of(&data), PlannerOptions::default());
    let (plan, report) = plan(&settings, features, data.rows(), &options).unwrap();
    println!("{report}");
    let chosen = &report.chosen;
    assert_eq!(plan.params().security(), Security::Classical128);
    assert!(chosen.log2_qp <= f64::from(chosen.log2_qp_bound.unwrap()));
    let fastest = |c: &Candidate| c.seconds[0].seconds;
    let mut all = report.candidates.iter();
    assert!(all.all(|c| fastest(c) >= fastest(chosen)));
    assert_eq!(report.candidates.len(), Kind::ALL.len());

    let (owner, keys) = owner(&plan);
    assert_eq!(keys.set().len(), chosen.keys);
    assert_eq!(
        keys.set().to_bytes().unwrap().len() as u64,
        chosen.key_file_bytes
    );
    let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let sent = owner.encrypt_round(&prepared, 0).unwrap();
    let inputs = sent.inputs.iter();
    let bytes = inputs.map(|(_, input)| input.ciphertext().to_bytes().unwrap().len());
    let bytes: usize = bytes.sum();
    assert_eq!(bytes as u64, chosen.data_bytes);

    let result = server(&plan, keys).train(&sent, None).unwrap();
    let run = result.report.clone().unwrap();
    println!("{run}\npredicted {:?}", chosen.memory);
    assert_eq!(run.peak_ciphertext_bytes as u64, chosen.memory.values);
    assert_eq!(run.constant_bytes as u64, chosen.memory.constants);
    let state = owner.decrypt_state(prepared.record(), &result).unwrap();
    let error = worst(&state.w, &in_the_clear(&settings, prepared.examples()));
    println!("weights: {error:.1e}");
    assert!(error < 1e-3, "{error}");
}

#[test]
fn settings_that_are_searched_are_trained_with() {
    let data = some_rows(120);
    let given = Given {
        iterations: Some(2),
        minibatch: Some(32),
        ..Given::default()
    };
    let options = search::Options::new().given(given);
    let builder = TrainerBuilder::search(&data, &options).unwrap();
    let found = builder.found().unwrap().clone();
    let engine = CpuEngine::new();
    let trainer = builder
        .planner(insecure(11))
        .build(engine.clone(), engine)
        .unwrap();
    let plan = trainer.owner().plan();
    assert_eq!(plan.settings(), &found.settings());
    assert_eq!(plan.normalization(), found.chosen.setting.scheme);
    assert_eq!((plan.settings().iterations, plan.minibatch()), (2, 32));
    let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
    let clear = in_the_clear(plan.settings(), trainer.data().examples());
    let error = worst(&Array1::from(model.weights.clone()), &clear);
    println!("{}: {error:.1e}", found.chosen.setting);
    assert!(error < 1e-3, "{error}");
}
