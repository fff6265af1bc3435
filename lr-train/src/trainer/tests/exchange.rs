//! What does not belong together is told apart: data and plans, models and data, things of two exchanges.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Ciphertext, Encryptor, Evaluator, SecretKey};
use arras_toolkit::{Encrypted, run::Options};

use super::{
    super::{Model, Rounds, Settings, TrainingServer, plan},
    features_of, insecure, owner, server, small_plan, some_rows, trainer,
};
use crate::{
    Fault, TrainError,
    circuits::Kind,
    data::{Classes, DataError, Dataset},
    preprocess::{PreprocessError, Scheme},
    trainer::ExchangeError,
};

#[test]
fn data_that_no_plan_holds_is_refused() {
    let data = some_rows(60);
    let features = features_of(&data);
    let settings = Settings::new(16, 1).circuit(Kind::Baseline);
    let prepare = |features: usize, rows: usize, data: &Dataset| {
        let (plan, _) = plan(&settings, features, rows, &insecure(11)).unwrap();
        owner(&plan).0.prepare(data, Scheme::MaxAbs).map(|_| ())
    };
    assert!(prepare(features + 3, 70, &data).is_ok());
    let of = |class: bool| {
        (0..60)
            .filter(|&r| data.labels()[r] == class)
            .collect::<Vec<_>>()
    };
    let few = [&of(false)[..5], &of(true)[..5]].concat();
    for (features, rows, data) in [
        (features, 59, &data),
        (features - 1, 60, &data),
        (features, 60, &data.select(&few).unwrap()),
    ] {
        let error = prepare(features, rows, data).unwrap_err();
        let beyond = matches!(
            error,
            TrainError::Exchange(ExchangeError::BeyondPlan { .. })
        );
        assert!(beyond, "{error}");
    }
    let error = prepare(features, 60, &data.select(&of(true)).unwrap()).unwrap_err();
    let one_class = matches!(error, TrainError::Data(DataError::OneClass { .. }));
    assert!(one_class, "{error}");
}

#[test]
fn models_refuse_other_features_and_classes() {
    let data = some_rows(60);
    let settings = Settings::new(16, 1).circuit(Kind::Baseline);
    let trainer = trainer(&settings, &data, &insecure(11));
    let model = trainer.decrypt(&trainer.train().unwrap()).unwrap();
    let again = Model::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(again, model);
    let predictions = model.predict(&data).unwrap();
    assert_eq!(predictions.len(), 60);
    for p in predictions {
        let positive = p.score > 0.0;
        assert_eq!(positive, p.class == model.classes.positive);
        assert_eq!(positive, p.probability > 0.5);
    }

    // The same rows by the first of these names, with these classes.
    let with = |names: Vec<String>, classes: &Classes| {
        let columns: Vec<usize> = (0..names.len()).collect();
        let x = data.features().select(ndarray::Axis(1), &columns);
        Dataset::new(x, data.labels().to_vec(), names, classes.clone()).unwrap()
    };
    let mut names = data.feature_names().to_vec();
    names.swap(0, 1);
    let error = model
        .predict(&with(names.clone(), data.classes()))
        .unwrap_err();
    let by_name = matches!(
        error,
        TrainError::Preprocess(PreprocessError::ColumnName { .. })
    );
    assert!(by_name, "{error}");
    names.pop();
    let error = model.evaluate(&with(names, data.classes())).unwrap_err();
    let by_count = matches!(
        error,
        TrainError::Preprocess(PreprocessError::ColumnCount { .. })
    );
    assert!(by_count, "{error}");
    let classes = Classes {
        negative: "a".into(),
        positive: "b".into(),
    };
    let error = model
        .evaluate(&with(data.feature_names().to_vec(), &classes))
        .unwrap_err();
    let by_class = matches!(
        error,
        TrainError::Exchange(ExchangeError::OtherClasses { .. })
    );
    assert!(by_class, "{error}");

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

#[track_caller]
fn mismatch<T>(result: crate::Result<T>) {
    let error = result.map(|_| ()).unwrap_err();
    println!("{error}");
    let mismatch = matches!(error, TrainError::Exchange(ExchangeError::Mismatch { .. }));
    assert!(mismatch, "{error}");
}

#[test]
fn things_of_different_exchanges_do_not_mix() {
    let data = some_rows(60);
    let settings = Settings::new(16, 2)
        .circuit(Kind::Baseline)
        .rounds(Rounds::Count(2));
    let plan = small_plan(&settings, &data);
    let ((client, keys), (stranger, strange_keys)) = (owner(&plan), owner(&plan));
    let prepared = client.prepare(&data, Scheme::MaxAbs).unwrap();
    let record = prepared.record();
    let other_data = client.prepare(&data, Scheme::MaxAbs).unwrap();
    mismatch(stranger.encrypt_round(&prepared, 0));
    let sent = client.encrypt_round(&prepared, 0).unwrap();
    let second = client.encrypt_round(&prepared, 1).unwrap();
    mismatch(server(&plan, strange_keys).train(&sent, None));
    let server = server(&plan, keys);
    mismatch(server.train(&second, None));
    let result = server.train(&sent, None).unwrap();
    assert!(!result.finished);
    let state = client.refresh(record, &result).unwrap();
    mismatch(server.train(&sent, Some(&state)));
    mismatch(stranger.refresh(record, &result));
    mismatch(client.refresh(other_data.record(), &result));
    let foreign = client.encrypt_round(&other_data, 1).unwrap();
    mismatch(server.train(&foreign, Some(&state)));
    let end = server.train(&second, Some(&state)).unwrap();
    assert!(end.finished);
    let nothing = client.refresh(record, &end).unwrap_err();
    let TrainError::Exchange(ExchangeError::NothingToRefresh { round, rounds }) = &nothing else {
        panic!("{nothing}");
    };
    assert_eq!((*round, *rounds), (2, 2));
    assert!(nothing.to_string().contains("decrypt it"), "{nothing}");

    // A key of the right name and the wrong secret gives no weights.
    let (mut forged, mut forged_record) = (end.clone(), record.clone());
    forged.origin.keys = stranger.key_set_id();
    forged_record.origin.keys = stranger.key_set_id();
    let error = stranger.decrypt_model(&forged_record, &forged).unwrap_err();
    let unusable = matches!(
        error,
        TrainError::Exchange(ExchangeError::UnusableResult { .. })
    );
    assert!(unusable, "{error}");
    // What a message says may be passed on, and decrypted values must not be.
    let text = error.to_string();
    assert!(
        text.contains("beyond 2^") && text.matches('.').count() == 1,
        "{text}"
    );

    let other = small_plan(&Settings::new(16, 3).circuit(Kind::Baseline), &data);
    let (other_owner, other_keys) = owner(&other);
    mismatch(other_owner.encrypt_round(&prepared, 0));
    let engine = CpuEngine::new();
    assert!(TrainingServer::new(plan, other_keys, engine, Options::default()).is_err());
}

/// A server that returns ciphertexts of its own choice, under the right names and identifiers.
#[test]
fn ciphertexts_that_the_circuit_does_not_return_are_refused_before_they_are_decrypted() {
    let data = some_rows(60);
    let plan = small_plan(
        &Settings::new(16, 2).circuit(Kind::SingleChainMaskFree),
        &data,
    );
    let (client, keys) = owner(&plan);
    let prepared = client.prepare(&data, Scheme::MaxAbs).unwrap();
    let sent = client.encrypt_round(&prepared, 0).unwrap();
    let honest = server(&plan, keys).train(&sent, None).unwrap();
    client.decrypt_model(prepared.record(), &honest).unwrap();

    let forged = |forge: &dyn Fn(&Ciphertext<CpuEngine>) -> Ciphertext<CpuEngine>| {
        let mut result = honest.clone();
        for output in result.outputs.values_mut() {
            let other = forge(output.ciphertext());
            *output = Encrypted::new(*output.layout(), other).unwrap();
        }
        client
            .decrypt_model(prepared.record(), &result)
            .unwrap_err()
            .to_string()
    };
    // x - x is (0, 0), and a number may be added to it: weights of the server's choice, made without any key.
    let text = forged(&|own| {
        let evaluator = Evaluator::without_keys(own.context())
            .assuming(1.0)
            .unwrap();
        let nothing = evaluator.sub(own, own).unwrap();
        evaluator.add_scalar(&nothing, 0.5).unwrap()
    });
    assert!(
        text.contains("in the clear") && text.contains("do not decrypt it"),
        "{text}"
    );
    // One level up the bound on magnitudes would be another.
    let stranger = SecretKey::generate(client.context()).unwrap();
    let text = forged(&|own| {
        let rows = vec![&[0.5][..]; own.batch()];
        let encryptor = Encryptor::new(&stranger).unwrap();
        let higher = encryptor.encrypt(&rows, own.level() + 1).unwrap();
        higher.expand(client.context()).unwrap()
    });
    assert!(
        text.contains("level 1") && text.contains("level 0"),
        "{text}"
    );
    let mut fewer = honest.clone();
    fewer.outputs.clear();
    client.decrypt_model(prepared.record(), &fewer).unwrap_err();
}
