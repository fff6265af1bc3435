//! Plans, private records, models, costs.

use std::fs;

use arras_ckks::wire::{AtomicFile, Overwrite};
use lr_train::{
    data::csv,
    inference::Network,
    trainer::{
        DatasetRecord, ExchangeRecord, Model, TrainingPlan,
        files::{PlannedColumns, costs_text, load_costs, load_model},
    },
};
use serde::Serialize;

use super::{Home, text};

pub(super) fn plan(_: &Home, bytes: &[u8]) -> bool {
    let Ok(spec) = TrainingPlan::spec_from_toml(text(bytes)) else {
        return false;
    };
    let Ok(plan) = TrainingPlan::from_spec_allowing_insecure(spec) else {
        return false;
    };
    let written = plan.to_toml().unwrap();
    let again = TrainingPlan::spec_from_toml(&written).unwrap();
    assert_eq!(again, *plan.spec());
    let again = TrainingPlan::from_spec_allowing_insecure(again).unwrap();
    assert_eq!(again.to_toml().unwrap(), written);
    assert_eq!(again.id(), plan.id());
    true
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

pub(super) fn record(home: &Home, bytes: &[u8]) -> bool {
    let dataset = home.record.origin.dataset;
    fs::write(home.keys.record_path(dataset), bytes).unwrap();
    let read = DatasetRecord::from_json(text(bytes));
    if let Ok(record) = &read {
        let written = json(record);
        let again = DatasetRecord::from_json(&written).unwrap();
        assert_eq!(json(&again), written);
    }
    let Ok(record) = home.keys.record(dataset) else {
        return read.is_ok();
    };
    assert_eq!(json(&record), json(&read.unwrap()));
    // Its rows may be others: nothing that follows from it may panic.
    let _ = home.owner.decrypt_model(&record, &home.result);
    true
}

pub(super) fn exchange(home: &Home, bytes: &[u8]) -> bool {
    let origin = home.record.origin;
    fs::write(home.keys.exchange_path(origin.dataset), bytes).unwrap();
    let in_folder = home.keys.exchange(origin);
    let Ok(record) = ExchangeRecord::from_json(text(bytes)) else {
        assert!(in_folder.is_err());
        return false;
    };
    assert_eq!(ExchangeRecord::from_json(&json(&record)).unwrap(), record);
    assert_eq!(in_folder.is_ok(), record.origin == origin);
    let rounds = home.owner.plan().rounds().len();
    let _ = record.is_open(rounds);
    true
}

pub(super) fn model(home: &Home, bytes: &[u8]) -> bool {
    let by_path = load_model(&home.file(bytes));
    let Ok(model) = Model::from_json(text(bytes)) else {
        assert!(by_path.is_err());
        return false;
    };
    assert_eq!(by_path.unwrap(), model);
    let written = model.to_json().unwrap();
    assert_eq!(Model::from_json(&written).unwrap(), model);
    let _ = model.predict(&home.data);
    let _ = model.all_coefficients();
    for data in home.data_of_all_targets() {
        let _ = model.evaluate(&data);
        let _ = model.evaluate_classes(&data);
        let _ = model.evaluate_values(&data);
        let _ = model.exact(&data);
    }
    if let Ok(network) = Network::of_model(&model, 1.0) {
        assert_eq!(network.outputs(), model.settings.model.chains());
        assert_eq!(network.classes(), model.class_names);
    }
    true
}

/// Beside a plan and with the secret key.
pub(super) fn columns(home: &Home, bytes: &[u8]) -> bool {
    let plan = home.path("plan.toml");
    let beside = PlannedColumns::path_beside(&plan);
    fs::write(&beside, bytes).unwrap();
    fs::write(home.keys.secret().join("columns.json"), bytes).unwrap();
    let read = || PlannedColumns::beside(&plan, home.owner.plan());
    let in_folder = home.keys.columns();
    let Ok(Some(columns)) = read() else {
        assert!(in_folder.is_err());
        return false;
    };
    assert_eq!(in_folder.unwrap().as_ref(), Some(&columns));
    let file = AtomicFile::create_private(&beside, Overwrite::Replace).unwrap();
    columns.save(file).unwrap();
    assert_eq!(read().unwrap(), Some(columns.clone()));
    // Whatever it says of columns, rows are read by it or refused.
    let mut options = csv::Options::new("y");
    options.layout = Some(columns.layout().clone());
    if let Ok(data) = csv::read(&b"a,b,y\n1,red,yes\n,blue,no\n"[..], &options) {
        assert_eq!(data.columns(), columns.layout().features().len());
        assert!(data.features().iter().all(|x| x.is_finite()));
    }
    true
}

/// As TOML and as JSON.
pub(super) fn costs(home: &Home, bytes: &[u8]) -> bool {
    let mut taken = false;
    for name in ["costs.toml", "costs.json"] {
        let path = home.path(name);
        fs::write(&path, bytes).unwrap();
        let Ok(tables) = load_costs(&path) else {
            continue;
        };
        let written = costs_text(&path, &tables).unwrap();
        fs::write(&path, &written).unwrap();
        let again = load_costs(&path).unwrap();
        assert_eq!(costs_text(&path, &again).unwrap(), written);
        taken = true;
    }
    taken
}
