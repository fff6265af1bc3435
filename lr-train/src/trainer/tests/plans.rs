//! Plans: what is chosen, what fits, what is refused.

use std::sync::{Arc, Mutex};

use arras_ckks::params::Security;
use arras_toolkit::plan::KeyRequests;

use super::{
    super::{
        CircuitChoice, ErrorsFor, MAX_FEATURES, MAX_ROWS, Optimizer, PlanReport, PlanSpec,
        PlannerOptions, Remedy, Rounds, Settings, TrainingPlan, Ways, files, plan,
        planner::depths::Depths,
        round::{Place, RECORDED, places},
        ways,
    },
    insecure, owner, rings, server, small_plan, some_rows,
};
use crate::{
    TrainError,
    circuits::{CircuitError, Geometry, Kind, LARGEST_VALUE, Results, Start},
    plain::{FitError, Rate},
    preprocess::Scheme,
    sigmoid::Approximation,
    split::Order,
    trainer::ExchangeError,
};

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
    let (_, by_time) = super::super::plan(&fastest, 31, 400, &options).unwrap();
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
fn ways_to_spread_a_training_stand_side_by_side() {
    let options = rings(13..=15);
    let compared = |settings: &Settings| {
        let (_, report) = plan(settings, 31, 400, &options).unwrap();
        let all = ways(settings, 31, 400, &options, &report.chosen).unwrap();
        println!("{all}");
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Ways>(&json).unwrap(), all);
        let names: Vec<Rounds> = all.all().iter().map(|way| way.rounds).collect();
        (all, names, report)
    };
    let settings = Settings::new(64, 6).rounds(Rounds::Fastest);
    let (all, names, report) = compared(&settings);
    assert_eq!(names, [Rounds::One, Rounds::Fastest]);
    let [one, fastest] = all.all() else { panic!() };
    let (one, fastest) = (one.best.as_ref().unwrap(), fastest.best.as_ref().unwrap());
    assert_eq!(fastest, &report.chosen);
    let alone = plan(&settings.rounds(Rounds::One), 31, 400, &options).unwrap();
    assert_eq!(one, &alone.1.chosen);
    assert!(fastest.seconds[0].seconds < one.seconds[0].seconds);
    assert!(fastest.client.memory < one.client.memory);
    // One round sends no state and fetches one model.
    assert!((one.state_bytes, one.client.refresh_seconds) == (0, 0.0));
    assert!(fastest.result_bytes > one.result_bytes);

    // Too long for one upload; the caller's own rounds come first.
    let settings = Settings::new(64, 32).rounds(Rounds::Of(2));
    let (all, names, report) = compared(&settings);
    assert_eq!(
        names,
        [Rounds::Of(2), Rounds::One, Rounds::Fewest, Rounds::Fastest]
    );
    assert_eq!(all.all()[0].best.as_ref(), Some(&report.chosen));
    assert_eq!(all.all()[1].best, None);
    assert!(all.to_string().contains("does not fit"));
    let rounds = |at: usize| all.all()[at].best.as_ref().unwrap().rounds.len();
    assert!(rounds(2) > 1 && rounds(2) <= rounds(0));
}

#[test]
fn circuits_whose_levels_do_not_hold_their_values_leave_room_for_others() {
    let settings = Settings::new(64, 6);
    let options = PlannerOptions::new();
    for rounds in [Rounds::Fewest, Rounds::Fastest] {
        let settings = settings.clone().rounds(rounds);
        let (_, report) = plan(&settings, 31, 569, &options).unwrap();
        assert_eq!(report.chosen.rounds.iter().sum::<usize>(), 6);
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
    let (_, report) = plan(&Settings::new(100, 1), 31, 400, &options).unwrap();
    let table = report.capacity;
    for kind in Kind::ALL {
        let of_kind = table.iter().filter(|c| c.kind == kind);
        let most: Vec<Option<usize>> = of_kind.map(|c| c.iterations).collect();
        println!("{kind}: {most:?}");
        assert!(most.is_sorted());
        assert_eq!(most[0].is_none(), kind.uses_gram(), "{kind}");
    }
    // Design figures: levels of the ring over levels of an iteration.
    let at = |kind, log_n| {
        let mut rows = table.iter();
        let row = rows.find(|c| c.kind == kind && c.log_n == log_n);
        row.unwrap().iterations.unwrap()
    };
    assert!(at(Kind::Baseline, 16) >= 7 && at(Kind::SingleChainMaskFree, 16) >= 16);
    let settings = Settings::new(100, 1).circuit(Kind::LowDepth);
    let error = plan(&settings, 31, 400, &rings(13..=13)).unwrap_err();
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

/// The chain of just enough levels of some rounds holds a little less at level 0 than the circuits assume.
#[test]
fn a_chain_with_too_little_headroom_is_made_longer() {
    let settings = Settings::new(1024, 32)
        .circuit(Kind::Baseline)
        .rounds(Rounds::Fastest);
    let options = rings(17..=17).errors(ErrorsFor::Nothing);
    let (plan, _) = plan(&settings, 197, 12_000, &options).unwrap();
    assert!(plan.params().headroom(0) > LARGEST_VALUE);
}

#[test]
fn minibatches_of_too_many_ciphertexts_are_told_what_fits() {
    let options = rings(13..=17).errors(ErrorsFor::Nothing);
    for circuit in [CircuitChoice::Auto, CircuitChoice::Given(Kind::MaskFree)] {
        let of = |rows| {
            let mut settings = Settings::new(rows, 2);
            settings.circuit = circuit;
            plan(&settings, 1001, 10_000_000, &options)
        };
        let error = of(10_000_000).unwrap_err();
        let TrainError::Circuit(CircuitError::TooManyCiphertexts { most, .. }) = error else {
            panic!("{error}");
        };
        assert_eq!(error.fault(), crate::Fault::Plan);
        let error = of(most + 1).unwrap_err();
        assert!(error.to_string().contains("--minibatch"), "{error}");
        let outline = |rows| Geometry::choose(Kind::MaskFree, 1 << 16, 1001, rows);
        if circuit != CircuitChoice::Auto {
            assert!(outline(most).is_ok() && outline(most + 1).is_err());
        }
    }
}

#[test]
fn planning_tells_how_far_it_is_and_can_be_stopped() {
    let settings = Settings::new(16, 3).rounds(Rounds::Fastest);
    let seen = Arc::new(Mutex::new(vec![]));
    let kept = seen.clone();
    let options = rings(13..=15).on_progress(move |done, all| {
        kept.lock().unwrap().push((done, all));
    });
    plan(&settings, 20, 100, &options).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 15 && seen.is_sorted(), "{seen:?}");
    assert!(seen.iter().all(|(done, all)| done < all), "{seen:?}");
    // At its beginning, and from within: the token is set by the first report of progress.
    let token = arras_hal::StopToken::new();
    let setter = token.clone();
    let options = options.on_progress(move |done, _| {
        if done == 8 {
            setter.stop();
        }
    });
    for _ in 0..2 {
        let options = options.clone().with_stop_token(token.clone());
        let error = plan(&settings, 20, 100, &options).unwrap_err();
        assert!(
            error.is_stopped() && error.fault() == crate::Fault::Stopped,
            "{error}"
        );
    }
}

#[test]
fn the_depth_of_small_circuits_is_that_of_large_ones() {
    let settings = Settings::new(16, 1);
    let mut depths = Depths::new(&settings);
    for kind in Kind::ALL {
        for (iterations, rounds) in [(1, 1), (4, 1), (5, 2), (7, 3)] {
            let settings = Settings::new(16, iterations)
                .circuit(kind)
                .rounds(Rounds::Count(rounds));
            let (plan, report) = plan(&settings, 31, 400, &insecure(11)).unwrap();
            let places = places(report.chosen.rounds.iter().copied()).into_iter();
            let deepest = places.map(|place| depths.of(kind, place).unwrap()).max();
            assert_eq!(deepest, Some(plan.params().max_level()), "{kind}");
        }
    }
}

/// So that the first length that does not fit ends the search for the longest that does.
#[test]
fn longer_rounds_are_not_shallower() {
    for activation in [Approximation::cubic_16(), Approximation::septic_8()] {
        for optimizer in [Optimizer::Nesterov, Optimizer::GradientDescent] {
            let settings = Settings::new(16, 1)
                .activation(activation.clone())
                .optimizer(optimizer)
                .penalty(0.05);
            let mut depths = Depths::new(&settings);
            for kind in Kind::ALL {
                for (first, last) in [(true, true), (true, false), (false, true), (false, false)] {
                    let mut of = |iterations| {
                        let place = Place {
                            iterations,
                            first,
                            last,
                        };
                        depths.of(kind, place).unwrap()
                    };
                    let depths: Vec<usize> = (1..=14).map(&mut of).collect();
                    assert!(depths.is_sorted(), "{kind} {first} {last}: {depths:?}");
                }
            }
        }
    }
}

#[test]
fn auto_leaves_out_circuits_beyond_their_longest_run() {
    let settings = Settings::new(16, 14).rounds(Rounds::Count(7));
    let (_, report) = plan(&settings, 31, 400, &rings(14..=15)).unwrap();
    let mut all = report.candidates.iter();
    assert!(all.all(|c| c.kind != Kind::LowDepth && !c.beyond_longest_run));
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
    let changes: [Change; 17] = [
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
            p.settings.rate = Rate::Constant(f64::NAN);
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
        ("a key that nothing needs", |p| {
            let unused = (1..).find(|steps| !p.keys.rotations.contains_key(steps));
            p.keys.rotations.insert(unused.unwrap(), 1);
        }),
        ("a key that is missing", |p| {
            p.keys.rotations.pop_last();
        }),
        ("a key of more levels than it needs", |p| {
            let mut levels = p.keys.rotations.values_mut();
            let most = p.parameters.windows.len() - 1;
            *levels.find(|level| **level < most).unwrap() += 1;
        }),
        ("no relinearization", |p| p.keys.relinearization = None),
    ];
    for (what, change) in changes {
        let mut spec = plan.spec().clone();
        change(&mut spec);
        assert!(TrainingPlan::try_from(spec).is_err(), "{what}");
    }
    let mut weak = plan.spec().clone();
    weak.parameters.security = Security::InsecureForTests;
    assert!(TrainingPlan::try_from(weak.clone()).is_err());
    assert!(TrainingPlan::from_spec_allowing_insecure(weak).is_ok());
    assert!(TrainingPlan::from_toml("version = ").is_err());
    // A key that is named twice, and a plan of an earlier release, whatever else it has.
    let first = text.split("[[keys.rotations]]").nth(1).unwrap();
    let first = first.split("\n[").next().unwrap();
    let twice = format!("[[keys.rotations]]{first}\n[[keys.rotations]]");
    let twice = text.replacen("[[keys.rotations]]", &twice, 1);
    let error = TrainingPlan::from_toml(&twice).unwrap_err();
    assert!(error.to_string().contains("named twice"), "{error}");
    // Fields that nobody knows, in every table, and coefficients beyond reason.
    for table in [
        "[settings]",
        "[settings.activation]",
        "[keys]",
        "[parameters]",
    ] {
        let more = text.replacen(table, &format!("{table}\nunknown = 1"), 1);
        let error = TrainingPlan::from_toml(&more).unwrap_err().to_string();
        assert!(error.contains("unknown"), "{table}: {error}\n{text}");
    }
    let odd = text
        .lines()
        .find(|line| line.starts_with("odd = ["))
        .unwrap();
    for wild in [
        "odd = [0.25, 1e300]",
        "odd = [1e9, 0.1]",
        "odd = [nan, 0.1]",
    ] {
        let error = TrainingPlan::from_toml(&text.replacen(odd, wild, 1)).unwrap_err();
        assert!(error.to_string().contains("coefficient"), "{error}");
    }
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
    let steps = settings.rule().steps(&settings.rate, 16, 0, 5).unwrap();
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
    let recorded = || RECORDED.with(std::cell::Cell::get);
    let data = some_rows(60);
    let settings = Settings::new(16, 4)
        .circuit(Kind::SingleChain)
        .rounds(Rounds::Count(2));
    let plan = small_plan(&settings, &data);
    // Read again, as each command does.
    let read = || TrainingPlan::from_spec_allowing_insecure(plan.spec().clone()).unwrap();
    let before = recorded();
    let (client, service) = (read(), read());
    let (owner, keys) = owner(&client);
    let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let sent = [0, 1].map(|round| owner.encrypt_round(&prepared, round).unwrap());
    files::dataset_file_bytes(&client).unwrap();
    assert_eq!(
        recorded() - before,
        4,
        "each side records each round once, to check its keys"
    );

    service.data_shapes().unwrap();
    service.server_memory(0, 1).unwrap();
    let server = server(&service, keys);
    let result = server.train(&sent[0], None).unwrap();
    let state = owner.refresh(prepared.record(), &result).unwrap();
    let result = server.train(&sent[1], Some(&state)).unwrap();
    owner.decrypt_model(prepared.record(), &result).unwrap();
    assert_eq!(recorded() - before, 4, "and nothing after that");
}

#[test]
fn settings_out_of_range_are_refused() {
    let options = insecure(11);
    let three = Settings::new(16, 3);
    let bad = [
        Settings::new(0, 1),
        Settings::new(16, 0),
        three.clone().rounds(Rounds::Count(0)),
        three.clone().rounds(Rounds::Count(4)),
        three.clone().rounds(Rounds::Of(0)),
        three.clone().rate(Rate::Constant(-1.0)),
        three.rate(Rate::Given(vec![1.0])),
    ];
    for settings in bad {
        let refused = plan(&settings, 5, 50, &options);
        let by_range = matches!(
            refused,
            Err(TrainError::Fit(FitError::Hyperparameter { .. }))
        );
        assert!(by_range, "{settings:?}");
    }
    assert!(plan(&Settings::new(16, 1), 0, 50, &options).is_err());
    assert!("auto".parse::<CircuitChoice>().is_ok() && "fast".parse::<CircuitChoice>().is_err());
}
