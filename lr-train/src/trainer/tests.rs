//! Both sides in memory: encrypted weights against the plaintext twin, rounds against one run, predictions against what is there.

use arras_backend_cpu::CpuEngine;
use arras_ckks::params::Security;
use arras_toolkit::{Bindings, Cleartext, Value, plan::KeyRequests, run::Options};
use ndarray::Array1;

use super::*;
use crate::{
    Fault, TrainError,
    circuits::CircuitError,
    circuits::{Kind, Results, Start},
    data::DataError,
    data::{Classes, Dataset, builtin},
    plain::FitError,
    plain::{self, State},
    preprocess::PreprocessError,
    preprocess::{Preprocessor, Scheme},
    sigmoid::Sigmoid,
    split::{Minibatches, Order},
    trainer::ExchangeError,
};

/// Small rings without security.
pub(super) fn insecure(log_n: u32) -> PlannerOptions {
    PlannerOptions {
        log_n: log_n..=log_n,
        security: Security::InsecureForTests,
        threads: 1,
        ..PlannerOptions::default()
    }
}

/// Secure rings.
fn rings(log_n: std::ops::RangeInclusive<u32>) -> PlannerOptions {
    PlannerOptions {
        log_n,
        ..PlannerOptions::default()
    }
}

/// A few rows of a built-in data set.
pub(super) fn some_rows(count: usize) -> Dataset {
    let data = builtin::breast_cancer().unwrap();
    data.select(&(0..count).collect::<Vec<_>>()).unwrap()
}

pub(super) fn features_of(data: &Dataset) -> usize {
    Preprocessor::fit(data, Scheme::MaxAbs).unwrap().features() + 1
}

fn trainer(
    settings: &Settings,
    data: &Dataset,
    options: &PlannerOptions,
) -> Trainer<CpuEngine, CpuEngine> {
    let engine = CpuEngine::new();
    TrainerBuilder::new(settings, data)
        .planner(options.clone())
        .build(engine.clone(), engine)
        .unwrap()
}

fn worst(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
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
    round
        .circuit
        .weights(|name| run.outputs.get(name))
        .unwrap()
        .0
}

fn plain_settings(settings: &Settings, rows: usize) -> plain::PlainSettings {
    plain::PlainSettings {
        iterations: settings.iterations,
        rate: settings.rate.clone(),
        sigmoid: Sigmoid::Polynomial(settings.activation.clone()),
        batches: Minibatches::new(rows, settings.minibatch, settings.order).unwrap(),
    }
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
        let z = trainer.data().signed_rows();
        let (_, end) =
            plain::nesterov(z, &plain_settings(&settings, 90), State::zero(z.ncols())).unwrap();
        let model = trainer.decrypt(&result).unwrap();
        let error = worst(&Array1::from(model.weights.clone()), &end.w);
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
        let round = trainer.owner().plan().round(0).unwrap();
        let minibatches = trainer.data().minibatches(0, 3);
        let params = trainer.owner().plan().params();
        let predicted = round.predicted_error(params, &minibatches, None).unwrap();
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
        let z = crate::preprocess::signed_rows(&normalized, data.labels()).unwrap();
        let zero = Array1::zeros(z.ncols());
        let settings = plain_settings(&settings, 60);
        let history = match optimizer {
            Optimizer::GradientDescent => plain::gradient_descent(&z, &settings, 0, zero),
            _ => plain::fixed_hessian(&z, &settings, 0, zero),
        }
        .unwrap();
        let error = worst(&Array1::from(model.weights), history.weights().unwrap());
        println!("{optimizer:?}: {error:.1e}");
        assert!(error < 1e-3, "{optimizer:?}: {error}");
    }
}

#[test]
fn a_secure_plan_keeps_what_it_says() {
    let data = some_rows(200);
    let settings = Settings::new(32, 2);
    let engine = CpuEngine::new();
    let (plan, report) = plan(
        &settings,
        features_of(&data),
        data.rows(),
        &PlannerOptions::default(),
    )
    .unwrap();
    println!("{report}");
    let chosen = &report.chosen;
    assert_eq!(plan.params().security(), Security::Classical128);
    assert!(chosen.log2_qp <= f64::from(chosen.log2_qp_bound.unwrap()));
    let fastest = |c: &Candidate| c.seconds[0].seconds;
    assert!(
        report
            .candidates
            .iter()
            .all(|c| fastest(c) >= fastest(chosen))
    );
    assert_eq!(report.candidates.len(), Kind::ALL.len());

    let (owner, keys) = DataOwner::generate(plan.clone(), engine.clone()).unwrap();
    assert_eq!(keys.len(), chosen.keys);
    assert_eq!(keys.to_bytes().unwrap().len() as u64, chosen.key_file_bytes);
    let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let sent = owner.encrypt_round(&prepared, 0).unwrap();
    let bytes: usize = sent
        .inputs
        .iter()
        .map(|(_, input)| input.ciphertext().to_bytes().unwrap().len())
        .sum();
    assert_eq!(bytes as u64, chosen.data_bytes);

    let server = TrainingServer::new(plan, keys, engine, Options::default()).unwrap();
    let result = server.train(&sent, None).unwrap();
    let run = result.report.clone().unwrap();
    println!("{run}\npredicted {:?}", chosen.memory);
    assert_eq!(run.peak_ciphertext_bytes as u64, chosen.memory.values);
    assert_eq!(run.constant_bytes as u64, chosen.memory.constants);
    let state = owner.decrypt_state(prepared.record(), &result).unwrap();
    let z = prepared.signed_rows();
    let (_, end) =
        plain::nesterov(z, &plain_settings(&settings, 200), State::zero(z.ncols())).unwrap();
    let error = worst(&state.w, &end.w);
    println!("weights: {error:.1e}");
    assert!(error < 1e-3, "{error}");
}

#[test]
fn rounds_of_the_planner_s_own_fit_their_levels() {
    let settings = Settings::new(64, 32)
        .rounds(Rounds::Fewest)
        .circuit(Kind::SingleChainMaskFree);
    let options = rings(14..=15);
    let (plan, report) = plan(&settings, 31, 400, &options).unwrap();
    println!("{report}");
    let fewest = report.candidates.iter().map(|c| c.rounds.len()).min();
    assert_eq!(Some(report.chosen.rounds.len()), fewest);
    let fastest = settings.clone().rounds(Rounds::Fastest);
    let (_, by_time) = super::plan(&fastest, 31, 400, &options).unwrap();
    assert!(by_time.chosen.seconds[0].seconds <= report.chosen.seconds[0].seconds);
    assert_eq!(report.chosen.rounds.iter().sum::<usize>(), 32);
    for index in [0, 1, report.chosen.rounds.len() - 1] {
        let round = plan.round(index).unwrap();
        let needs = KeyRequests::of(&round.program);
        let has = plan.key_requests();
        assert_eq!(&has.clone().union(&needs), has);
        assert!(round.program.levels_needed() <= plan.params().max_level());
    }
}

#[test]
fn too_many_iterations_are_answered_with_what_would_do() {
    let settings = Settings::new(32, 8).circuit(Kind::Baseline);
    let options = rings(13..=15);
    let error = plan(&settings, 31, 400, &options).unwrap_err();
    println!("{error}");
    let TrainError::Exchange(ExchangeError::TooManyIterations { most, choices, .. }) = &error
    else {
        panic!("{error}");
    };
    assert!(*most < 8 && *most >= 2);
    assert!(choices.iter().any(|c| matches!(
        c,
        Remedy::Ring {
            circuit: "baseline",
            log_n: 16 | 17
        }
    )));
    assert!(choices.iter().any(|c| matches!(
        c,
        Remedy::Circuit {
            circuit: "single-chain-mask-free",
            ..
        }
    )));
    let Some(Remedy::Rounds { rounds, length, .. }) =
        choices.iter().find(|c| matches!(c, Remedy::Rounds { .. }))
    else {
        panic!("{error}");
    };
    // What it proposes works.
    let proposed = settings.rounds(Rounds::Of(*length));
    let (_, report) = plan(&proposed, 31, 400, &options).unwrap();
    assert_eq!(report.chosen.rounds.len(), *rounds);
}

#[test]
fn capacities_grow_with_the_ring_and_name_minibatches_that_are_too_large() {
    let options = PlannerOptions::default();
    let table = capacity(&Settings::new(100, 1), 31, 400, &options).unwrap();
    for kind in Kind::ALL {
        let most: Vec<Option<usize>> = table
            .iter()
            .filter(|c| c.kind == kind)
            .map(|c| c.iterations)
            .collect();
        println!("{kind}: {most:?}");
        assert!(most.is_sorted());
        assert_eq!(most[0].is_none(), kind.uses_gram(), "{kind}");
    }
    // Design figures: levels of the ring over levels of an iteration.
    let at = |kind, log_n| {
        table
            .iter()
            .find(|c| c.kind == kind && c.log_n == log_n)
            .unwrap()
            .iterations
            .unwrap()
    };
    assert!(at(Kind::Baseline, 16) >= 7 && at(Kind::SingleChainMaskFree, 16) >= 16);
    let error = plan(
        &Settings::new(100, 1).circuit(Kind::LowDepth),
        31,
        400,
        &rings(13..=13),
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Circuit(CircuitError::MinibatchTooLarge {
                rows: 100,
                most: 64,
                ..
            })
        ),
        "{error}"
    );
}

#[test]
fn the_depth_of_small_circuits_is_that_of_large_ones() {
    let activation = crate::sigmoid::Approximation::cubic_16();
    let mut depths = depth::Depths::new(&activation, Optimizer::Nesterov);
    for kind in Kind::ALL {
        for (iterations, rounds) in [(1, 1), (4, 1), (5, 2), (7, 3)] {
            let settings = Settings::new(16, iterations)
                .circuit(kind)
                .rounds(Rounds::Count(rounds));
            let (plan, report) = plan(&settings, 31, 400, &insecure(11)).unwrap();
            let levels = depths.deepest(kind, &report.chosen.rounds).unwrap();
            assert_eq!(plan.params().max_level(), levels, "{kind}");
        }
    }
}

#[test]
fn auto_leaves_out_circuits_beyond_their_longest_run() {
    let settings = Settings::new(16, 14).rounds(Rounds::Count(7));
    let (_, report) = plan(&settings, 31, 400, &rings(14..=15)).unwrap();
    assert!(
        report
            .candidates
            .iter()
            .all(|c| c.kind != Kind::LowDepth && !c.beyond_longest_run)
    );
    let given = settings.circuit(Kind::LowDepth);
    let (_, report) = plan(&given, 31, 400, &rings(14..=15)).unwrap();
    assert!(report.chosen.beyond_longest_run && report.to_string().contains("WARNING"));
}

#[test]
fn plans_survive_toml_and_json_and_contradictions_are_refused() {
    let settings = Settings::new(16, 3)
        .rounds(Rounds::Count(3))
        .order(Order::Shuffled { seed: 7 });
    let (plan, report) = plan(&settings, 20, 100, &rings(13..=14)).unwrap();
    let text = plan.to_toml().unwrap();
    let again = TrainingPlan::from_toml(&text).unwrap();
    assert_eq!((&again, again.id()), (&plan, plan.id()));
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<TrainingPlan>(&json).unwrap(), plan);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<PlanReport>(&json).unwrap(), report);

    type Change = (&'static str, fn(&mut PlanSpec));
    let changes: [Change; 13] = [
        ("version", |p| p.version = 9),
        ("rows", |p| p.rows = 0),
        ("features", |p| p.features = usize::MAX),
        ("minibatch", |p| p.settings.minibatch = 0),
        ("rounds", |p| p.rounds.clear()),
        ("fewer iterations", |p| p.rounds.truncate(2)),
        ("an empty round", |p| {
            p.rounds[0].iterations = 0;
            p.rounds[1].iterations = 2;
        }),
        ("rate", |p| {
            p.settings.rate = plain::Rate::Constant(f64::NAN);
        }),
        ("no rotation", |p| {
            p.keys.rotations.insert(0, 1);
        }),
        ("a long rotation", |p| {
            p.keys.rotations.insert(1 << 20, 1);
        }),
        ("tiles", |p| {
            p.features = MAX_FEATURES;
            p.rows = MAX_ROWS;
            p.settings.minibatch = MAX_ROWS;
        }),
        ("long round", |p| {
            p.rounds.truncate(1);
            p.rounds[0].iterations = 5000;
            p.settings.iterations = 5000;
        }),
        ("levels", |p| p.keys.relinearization = Some(99)),
    ];
    for (what, change) in changes {
        let mut spec = plan.spec().clone();
        change(&mut spec);
        assert!(TrainingPlan::from_spec(spec).is_err(), "{what}");
    }
    let mut weak = plan.spec().clone();
    weak.parameters.security = Security::InsecureForTests;
    assert!(TrainingPlan::from_spec(weak.clone()).is_err());
    assert!(TrainingPlan::from_spec_allowing_insecure(weak).is_ok());
    assert!(TrainingPlan::from_toml("version = ").is_err());
    // A key that is named twice, and a plan of an earlier release, whatever else it has.
    let first = text.split("[[keys.rotations]]").nth(1).unwrap();
    let first = first
        .split("[[")
        .next()
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let twice = format!("[[keys.rotations]]{first}\n[[keys.rotations]]");
    let twice = text.replacen("[[keys.rotations]]", &twice, 1);
    let error = TrainingPlan::from_toml(&twice).unwrap_err();
    assert!(error.to_string().contains("named twice"), "{error}");
    let error = TrainingPlan::from_toml("version = 3\nkind = \"baseline\"").unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Exchange(ExchangeError::Version { found: 3, .. })
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("`lr-train plan --out`"),
        "{error}"
    );
}

/// What follows from a plan is what its circuits are recorded for: the same as if each round were planned alone.
#[test]
fn rounds_follow_from_the_plan() {
    let settings = Settings::new(16, 5)
        .circuit(Kind::MaskFree)
        .rounds(Rounds::Count(2));
    let (plan, report) = plan(&settings, 31, 400, &insecure(11)).unwrap();
    let steps = settings.optimizer.steps(&settings.rate, 16, 0, 5).unwrap();
    for (index, (first, count)) in [(0, 3), (3, 2)].into_iter().enumerate() {
        let round = plan.round(index).unwrap();
        let spec = round.circuit.spec();
        assert_eq!((round.index, round.first), (index, first));
        assert_eq!(spec.steps, steps[first..][..count]);
        assert_eq!((spec.slots, spec.features, spec.minibatch), (1024, 31, 16));
        assert_eq!(spec.summing, report.chosen.summing);
        assert_eq!(spec.start, [Start::Zero, Start::Encrypted][index]);
        assert_eq!(spec.results, [Results::State, Results::Model][index]);
    }
    assert!(plan.round(2).is_err());
}

#[test]
fn a_training_is_recorded_once() {
    let recorded = || round::RECORDED.with(std::cell::Cell::get);
    let data = some_rows(60);
    let settings = Settings::new(16, 4)
        .circuit(Kind::SingleChain)
        .rounds(Rounds::Count(2));
    let (plan, _) = plan(&settings, features_of(&data), 60, &insecure(11)).unwrap();
    // Read again, as each command does.
    let read = || TrainingPlan::from_spec_allowing_insecure(plan.spec().clone()).unwrap();
    let engine = CpuEngine::new();
    let (client, service) = (read(), read());
    let before = recorded();
    let (owner, keys) = DataOwner::generate(client.clone(), engine.clone()).unwrap();
    let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let sent = [0, 1].map(|round| owner.encrypt_round(&prepared, round).unwrap());
    files::dataset_file_bytes(&client).unwrap();
    assert_eq!(recorded() - before, 2, "the client records each round once");

    service.data_shapes().unwrap();
    service.server_memory(0, 1).unwrap();
    let server = TrainingServer::new(service, keys, engine, Options::default()).unwrap();
    let result = server.train(&sent[0], None).unwrap();
    let state = owner.refresh(prepared.record(), &result).unwrap();
    let result = server.train(&sent[1], Some(&state)).unwrap();
    owner.decrypt_model(prepared.record(), &result).unwrap();
    assert_eq!(recorded() - before, 4, "and so does the service");
}

#[test]
fn settings_out_of_range_are_refused() {
    let options = insecure(11);
    let bad = [
        Settings::new(0, 1),
        Settings::new(16, 0),
        Settings::new(16, 3).rounds(Rounds::Count(0)),
        Settings::new(16, 3).rounds(Rounds::Count(4)),
        Settings::new(16, 3).rounds(Rounds::Of(0)),
        Settings::new(16, 3).rate(plain::Rate::Constant(-1.0)),
        Settings::new(16, 3).rate(plain::Rate::Given(vec![1.0])),
    ];
    for settings in bad {
        assert!(
            matches!(
                plan(&settings, 5, 50, &options),
                Err(TrainError::Fit(FitError::Hyperparameter { .. }))
            ),
            "{settings:?}"
        );
    }
    assert!(plan(&Settings::new(16, 1), 0, 50, &options).is_err());
    assert!("auto".parse::<CircuitChoice>().is_ok() && "fast".parse::<CircuitChoice>().is_err());
}

#[test]
fn data_that_no_plan_holds_is_refused() {
    let data = some_rows(60);
    let features = features_of(&data);
    let settings = Settings::new(16, 1).circuit(Kind::Baseline);
    let engine = CpuEngine::new();
    let prepare = |features: usize, rows: usize, data: &Dataset| {
        let (plan, _) = plan(&settings, features, rows, &insecure(11)).unwrap();
        let (owner, _) = DataOwner::generate(plan, engine.clone()).unwrap();
        owner.prepare(data, Scheme::MaxAbs).map(|_| ())
    };
    assert!(prepare(features + 3, 70, &data).is_ok());
    let of = |class: bool| {
        (0..60)
            .filter(move |&r| some_rows(60).labels()[r] == class)
            .take(5)
    };
    let few: Vec<usize> = of(false).chain(of(true)).collect();
    for (features, rows, data) in [
        (features, 59, &data),
        (features - 1, 60, &data),
        (features, 60, &data.select(&few).unwrap()),
    ] {
        let error = prepare(features, rows, data).unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::Exchange(ExchangeError::BeyondPlan { .. })
            ),
            "{error}"
        );
    }
    let ones = data
        .select(&(0..60).filter(|&r| data.labels()[r]).collect::<Vec<_>>())
        .unwrap();
    assert!(matches!(
        prepare(features, 60, &ones),
        Err(TrainError::Data(DataError::OneClass { .. }))
    ));
}

#[test]
fn models_refuse_other_features_and_classes() {
    let data = some_rows(60);
    let trainer = trainer(
        &Settings::new(16, 1).circuit(Kind::Baseline),
        &data,
        &insecure(11),
    );
    let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
    let again = Model::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(again, model);
    let predictions = model.predict(&data).unwrap();
    assert_eq!(predictions.len(), 60);
    assert!(
        predictions
            .iter()
            .all(|p| (p.score > 0.0) == (p.class == model.classes.positive)
                && (p.probability > 0.5) == (p.score > 0.0))
    );

    let mut names = data.feature_names().to_vec();
    names.swap(0, 1);
    let swapped = Dataset::new(
        data.features().clone(),
        data.labels().to_vec(),
        names.clone(),
        data.classes().clone(),
    )
    .unwrap();
    assert!(matches!(
        model.predict(&swapped),
        Err(TrainError::Preprocess(PreprocessError::ColumnName { .. }))
    ));
    names.pop();
    let narrow = data
        .features()
        .select(ndarray::Axis(1), &(0..names.len()).collect::<Vec<_>>());
    let narrow = Dataset::new(
        narrow,
        data.labels().to_vec(),
        names,
        data.classes().clone(),
    )
    .unwrap();
    assert!(matches!(
        model.evaluate(&narrow),
        Err(TrainError::Preprocess(PreprocessError::ColumnCount { .. }))
    ));
    let classes = Classes {
        negative: "a".into(),
        positive: "b".into(),
    };
    let other = Dataset::new(
        data.features().clone(),
        data.labels().to_vec(),
        data.feature_names().to_vec(),
        classes,
    )
    .unwrap();
    assert!(matches!(
        model.evaluate(&other),
        Err(TrainError::Exchange(ExchangeError::OtherClasses { .. }))
    ));

    let mut broken = model.clone();
    broken.weights.pop();
    let error = broken.to_json().unwrap_err();
    assert!(error.to_string().contains("weights"), "{error}");
    assert_eq!(error.fault(), Fault::File);
    broken = model;
    broken.weights[0] = f64::NAN;
    assert!(broken.to_json().is_err());
    assert!(Model::from_json("{").is_err());
}

#[test]
fn things_of_different_exchanges_do_not_mix() {
    let data = some_rows(60);
    let settings = Settings::new(16, 2)
        .circuit(Kind::Baseline)
        .rounds(Rounds::Count(2));
    let engine = CpuEngine::new();
    let (plan_a, _) = plan(&settings, features_of(&data), 60, &insecure(11)).unwrap();
    let (owner, keys) = DataOwner::generate(plan_a.clone(), engine.clone()).unwrap();
    let (stranger, strange_keys) = DataOwner::generate(plan_a.clone(), engine.clone()).unwrap();
    let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let record = prepared.record();
    let other_data = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let mismatch = |error: TrainError| {
        assert!(
            matches!(error, TrainError::Exchange(ExchangeError::Mismatch { .. })),
            "{error}"
        );
        println!("{error}");
    };
    mismatch(stranger.encrypt_round(&prepared, 0).unwrap_err());
    let sent = owner.encrypt_round(&prepared, 0).unwrap();
    let second = owner.encrypt_round(&prepared, 1).unwrap();
    let wrong = TrainingServer::new(
        plan_a.clone(),
        strange_keys,
        engine.clone(),
        Options::default(),
    )
    .unwrap();
    mismatch(wrong.train(&sent, None).unwrap_err());
    let server =
        TrainingServer::new(plan_a.clone(), keys, engine.clone(), Options::default()).unwrap();
    mismatch(server.train(&second, None).unwrap_err());
    let result = server.train(&sent, None).unwrap();
    assert!(!result.finished);
    let state = owner.refresh(record, &result).unwrap();
    mismatch(server.train(&sent, Some(&state)).unwrap_err());
    mismatch(stranger.refresh(record, &result).unwrap_err());
    mismatch(owner.refresh(other_data.record(), &result).unwrap_err());
    let foreign = owner.encrypt_round(&other_data, 1).unwrap();
    mismatch(server.train(&foreign, Some(&state)).unwrap_err());
    let end = server.train(&second, Some(&state)).unwrap();
    assert!(end.finished);
    let nothing = owner.refresh(record, &end).unwrap_err();
    assert!(
        matches!(
            nothing,
            TrainError::Exchange(ExchangeError::NothingToRefresh {
                round: 2,
                rounds: 2
            })
        ) && nothing.to_string().contains("decrypt it"),
        "{nothing}"
    );

    // A key of the right name and the wrong secret gives no weights.
    let mut forged = end.clone();
    forged.origin.keys = stranger.key_set_id();
    let mut forged_record = record.clone();
    forged_record.origin.keys = stranger.key_set_id();
    let error = stranger.decrypt_model(&forged_record, &forged).unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Exchange(ExchangeError::UnusableResult { .. })
        ),
        "{error}"
    );

    let (plan_b, _) = plan(
        &Settings::new(16, 3).circuit(Kind::Baseline),
        features_of(&data),
        60,
        &insecure(11),
    )
    .unwrap();
    let (other_owner, other_keys) = DataOwner::generate(plan_b, engine.clone()).unwrap();
    mismatch(other_owner.encrypt_round(&prepared, 0).unwrap_err());
    assert!(TrainingServer::new(plan_a, other_keys, engine, Options::default()).is_err());
}
