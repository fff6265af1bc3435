//! Plans, private records, models, costs.

use std::fs;

use lr_train::trainer::{
    DatasetRecord, ExchangeRecord, Model, TrainingPlan,
    files::{costs_text, load_costs, load_model},
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
    let _ = model.evaluate(&home.data);
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
