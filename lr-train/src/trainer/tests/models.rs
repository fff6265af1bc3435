//! Models other than logistic regression of two classes.

use arras_backend_cpu::CpuEngine;
use ndarray::{Array1, Array2};

use super::{
    insecure,
    training::{in_the_clear, worst},
};
use crate::{
    ModelKind,
    circuits::Kind,
    data::{Dataset, FeatureTable, Target},
    inference::Network,
    plain::{FirstStep, Rate, exact},
    preprocess::{Scheme, signed_rows},
    search,
    split::Order,
    trainer::{ExchangeError, Model, Rounds, Settings, TrainerBuilder, plan},
};

/// Rows whose target is a sum of their columns, and something that no column says.
fn measured(rows: usize, unit: f64) -> Dataset {
    let at = |row: usize, column: usize| (row as f64 * (0.37 + 0.21 * column as f64)).sin();
    let features = Array2::from_shape_fn((rows, 5), |(row, column)| at(row, column));
    let of = |row: usize| {
        let said = 3.0 * at(row, 0) - 2.0 * at(row, 1) + 0.5 * at(row, 4);
        unit * (50.0 + said + 0.3 * at(row, 9))
    };
    let names = (0..5).map(|c| format!("x{c}")).collect();
    let (name, values) = ("dose".to_owned(), (0..rows).map(of).collect());
    let table = FeatureTable::new(features, names).unwrap();
    table.with_target(Target::Real { name, values }).unwrap()
}

fn settings(minibatch: usize, iterations: usize) -> Settings {
    Settings::new(minibatch, iterations)
        .model(ModelKind::Linear)
        .rate(Rate::Constant(0.5))
        .first_step(FirstStep::Full)
        .order(Order::Original)
}

#[test]
fn linear_regression_of_every_circuit_is_that_of_its_twin() {
    let data = measured(90, 1.0);
    for kind in Kind::ALL {
        for penalty in [0.0, 0.1] {
            let settings = settings(16, 5).circuit(kind).rounds(Rounds::Count(2));
            let settings = settings.penalty(penalty);
            let engine = CpuEngine::new();
            let trainer = TrainerBuilder::new(&settings, &data)
                .scheme(Scheme::Standard)
                .planner(insecure(11))
                .build(engine.clone(), engine)
                .unwrap();
            let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
            let clear = in_the_clear(&settings, trainer.data().examples());
            let error = worst(&Array1::from(model.weights.clone()), &clear);
            let predicted = trainer.report().predicted_error.unwrap();
            println!(
                "{kind}, penalty {penalty}: {error:.1e}, predicted {predicted:.1e}, {} levels",
                trainer.report().chosen.levels
            );
            assert!(error < 1e-3, "{kind}: {error}");
            assert!(error < 20.0 * predicted, "{kind}: {error} of {predicted}");
        }
    }
}

#[test]
fn a_model_of_numbers_is_in_the_units_of_its_target() {
    for unit in [1.0, 1e12, 1e-12] {
        let data = measured(64, unit);
        let settings = settings(64, 8).circuit(Kind::MaskFree);
        let engine = CpuEngine::new();
        let trainer = TrainerBuilder::new(&settings, &data)
            .scheme(Scheme::Standard)
            .planner(insecure(11))
            .build(engine.clone(), engine)
            .unwrap();
        let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
        let read = Model::from_json(&model.to_json().unwrap()).unwrap();
        assert_eq!(read, model);
        let found = model.evaluate_values(&data).unwrap();
        println!("{unit:e}: {found:?}");
        let optimum = exact(trainer.data().examples(), 0.0).unwrap();
        let best = 1.0 - 2.0 * optimum.loss;
        assert!(
            found.r_squared.unwrap() > best - 0.005,
            "{found:?} of {best}"
        );
        assert!(found.rmse < 0.4 * unit && found.base_rmse > 2.0 * unit);
        let coefficients = model.coefficients().unwrap();
        let first = &coefficients.columns[0];
        assert!((first.per_unit / unit - 3.0).abs() < 0.3, "{first:?}");
        assert!((coefficients.intercept / unit - 50.0).abs() < 0.5);
        assert_eq!(first.odds_ratio, None);
    }
}

#[test]
fn targets_and_models_of_different_kinds_are_told_apart() {
    let data = measured(40, 1.0);
    let refused = |settings: &Settings, data: &Dataset| {
        let engine = CpuEngine::new();
        let builder = TrainerBuilder::new(settings, data).planner(insecure(11));
        builder
            .build(engine.clone(), engine)
            .unwrap_err()
            .to_string()
    };
    let logistic = Settings::new(16, 2);
    let told = refused(&logistic, &data);
    assert!(told.contains("--model linear"), "{told}");
    let told = refused(&settings(16, 2), &super::some_rows(40));
    assert!(told.contains("--model logistic"), "{told}");
    let mut sigmoid = settings(16, 2);
    sigmoid.activation = logistic.activation.clone();
    let told = refused(&sigmoid, &data);
    assert!(told.contains("leave --sigmoid out"), "{told}");
    let constant = data.table().clone().with_target(Target::Real {
        name: "dose".to_owned(),
        values: vec![7.0; 40],
    });
    let told = refused(&settings(16, 2), &constant.unwrap());
    assert!(told.contains("\"dose\"") && told.contains("vary"), "{told}");
}

/// Rows of three classes that lie apart along two columns.
fn three_classes(rows: usize) -> Dataset {
    let noise = |row: usize, column: usize| (row as f64 * (0.83 + 0.31 * column as f64)).sin();
    let centre = [[1.5, 0.0, 0.2], [-1.0, 1.5, -0.3], [-0.5, -1.5, 0.1]];
    let features = Array2::from_shape_fn((rows, 3), |(row, column)| {
        centre[row % 3][column] + 0.6 * noise(row, column)
    });
    let names = ["x", "y", "z"].map(str::to_owned).to_vec();
    let table = FeatureTable::new(features, names).unwrap();
    let target = Target::Several {
        labels: (0..rows).map(|row| row % 3).collect(),
        names: ["red", "green", "blue"].map(str::to_owned).to_vec(),
    };
    table.with_target(target).unwrap()
}

#[test]
fn several_classes_of_every_circuit_are_those_of_their_twins() {
    let data = three_classes(60);
    for kind in Kind::ALL {
        let settings = Settings::new(16, 5)
            .circuit(kind)
            .model(ModelKind::OneVsRest { classes: 3 })
            .first_step(FirstStep::Full)
            .penalty(0.01)
            .rounds(Rounds::Count(2));
        let engine = CpuEngine::new();
        let trainer = TrainerBuilder::new(&settings, &data)
            .scheme(Scheme::Standard)
            .planner(insecure(11))
            .build(engine.clone(), engine)
            .unwrap();
        let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
        assert_eq!(model.weights.len(), 3 * 4);
        let clear = in_the_clear(&settings, trainer.data().examples());
        let error = worst(&Array1::from(model.weights.clone()), &clear);
        let found = model.evaluate_classes(&data).unwrap();
        println!("{kind}: {error:.1e}, accuracy {:.3}", found.accuracy);
        assert!(error < 1e-3, "{kind}: {error}");
        assert!(found.accuracy > 0.9, "{kind}: {found:?}");
        // Each is the logistic model of its class against the rest.
        let normalized = model.preprocessor.apply(&data).unwrap();
        let labels: Vec<bool> = (0..60).map(|row| row % 3 == 1).collect();
        let alone = signed_rows(&normalized, &labels).unwrap().into();
        let green = in_the_clear(&settings, &alone);
        assert!(worst(&clear.iter().skip(4).take(4).copied().collect(), &green) < 1e-12);
        let read = Model::from_json(&model.to_json().unwrap()).unwrap();
        assert_eq!(read, model);
        assert_eq!(model.all_coefficients().unwrap().len(), 3);
        // Encrypted rows are scored by a network of the same outputs.
        let network = Network::of_model(&model, 8.0).unwrap();
        let scored = network.scores(&normalized, None).unwrap();
        let scores = model.class_scores(&data).unwrap();
        assert!((&scored - &scores).iter().all(|d| d.abs() < 1e-12));
        assert_eq!(network.classes(), model.class_names);
    }
}

#[test]
fn settings_are_searched_for_every_model_and_the_exact_solver_is_beside_it() {
    let given = search::Given {
        iterations: Some(3),
        penalty: Some(0.0),
        ..search::Given::default()
    };
    let options = search::Options::new().given(given);
    for data in [measured(60, 1.0), three_classes(60), super::some_rows(60)] {
        let engine = CpuEngine::new();
        let trainer = TrainerBuilder::search(&data, &options)
            .unwrap()
            .planner(insecure(11))
            .build(engine.clone(), engine)
            .unwrap();
        let settings = trainer.owner().plan().settings();
        assert_eq!(settings.model, ModelKind::of(data.target()));
        assert_eq!(settings.iterations, 3);
        let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
        let twin = trainer.twin().unwrap();
        let clear = in_the_clear(settings, trainer.data().examples());
        assert_eq!((twin.iterations().len(), twin.weights()), (3, Some(&clear)));
        assert!(worst(&Array1::from(model.weights.clone()), &clear) < 1e-3);
        let own = Array1::from(model.exact(&data).unwrap().unwrap().weights);
        if let Target::Several { labels, .. } = data.target() {
            // Each is that of its class against the rest.
            let labels: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
            let normalized = model.preprocessor.apply(&data).unwrap();
            let alone = exact(&signed_rows(&normalized, &labels).unwrap(), 1.0 / 60.0);
            let green = own.iter().skip(4).take(4).copied().collect();
            assert_eq!(own.len(), 3 * 4);
            assert!(worst(&green, &alone.unwrap().weights) < 1e-12);
        } else {
            let alone = exact(trainer.data().examples(), 1.0 / 60.0).unwrap();
            assert_eq!(own, alone.weights);
        }
        let other = if matches!(data.target(), Target::Real { .. }) {
            three_classes(60)
        } else {
            measured(60, 1.0)
        };
        assert!(model.exact(&other).is_err());
    }
}

#[test]
fn other_classes_than_the_plan_s_are_refused() {
    let data = three_classes(60);
    let refused = |settings: &Settings, data: &Dataset| {
        let engine = CpuEngine::new();
        let builder = TrainerBuilder::new(settings, data).planner(insecure(11));
        builder
            .build(engine.clone(), engine)
            .unwrap_err()
            .to_string()
    };
    let four = Settings::new(16, 2).model(ModelKind::OneVsRest { classes: 4 });
    let told = refused(&four, &data);
    assert!(
        told.contains("3 classes") && told.contains("of 4"),
        "{told}"
    );
    let told = refused(&Settings::new(16, 2), &data);
    assert!(told.contains("--model one-vs-rest"), "{told}");
    for classes in [0, 1, 101] {
        let none = Settings::new(16, 2).model(ModelKind::OneVsRest { classes });
        let told = plan(&none, 4, 60, &insecure(11)).unwrap_err().to_string();
        assert!(told.contains("2 to 100"), "{told}");
    }
}

#[test]
fn a_damaged_model_of_numbers_is_refused() {
    let data = measured(40, 1.0);
    let engine = CpuEngine::new();
    let trainer = TrainerBuilder::new(&settings(16, 1), &data)
        .planner(insecure(11))
        .build(engine.clone(), engine)
        .unwrap();
    let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
    for damage in [
        |m: &mut Model| m.measure = None,
        |m: &mut Model| {
            m.settings.model = ModelKind::OneVsRest {
                classes: usize::MAX,
            }
        },
        |m: &mut Model| m.settings.model = ModelKind::Logistic,
        |m: &mut Model| m.measure.as_mut().unwrap().scale = 0.0,
        |m: &mut Model| m.measure.as_mut().unwrap().mean = f64::NAN,
    ] {
        let mut damaged = model.clone();
        damage(&mut damaged);
        let error = damaged.to_json().unwrap_err();
        let malformed = matches!(
            error,
            crate::TrainError::Exchange(ExchangeError::Malformed { .. })
        );
        assert!(malformed, "{error}");
    }
}
