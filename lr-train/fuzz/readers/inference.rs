//! Networks, plans to apply them, and containers of kind 13.

use std::fs;

use arras_backend_cpu::CpuEngine;
use arras_ckks::wire::{AtomicFile, Overwrite};
use arras_toolkit::run::Options;
use lr_train::{
    inference::{InferencePlan, InferenceServer, Network, ServedWeights},
    trainer::files::{
        ExchangePlan, InferenceContent, inspect, load_evaluation_of, load_request, load_scores,
        save_request, save_scores, verify,
    },
};
use ndarray::Array2;

use super::{
    Home, text,
    training::{both, expect_same},
};

pub(super) fn network(home: &Home, bytes: &[u8]) -> bool {
    let Ok(network) = Network::from_json(text(bytes)) else {
        return false;
    };
    let written = network.to_json().unwrap();
    let again = Network::from_json(&written).unwrap();
    assert_eq!(again, network);
    assert_eq!(again.to_json().unwrap(), written);
    let rows = Array2::from_elem((2, network.features()), 0.5);
    let scores = network.scores(&rows, None).unwrap();
    assert_eq!(scores.dim(), (2, network.outputs()));
    // Of another shape than the plan's, or larger, it is refused.
    let _ = home.scoring.owner.encrypt_weights(&network);
    true
}

/// A circuit is recorded for every plan, and grows with what it says: only small ones are asked for here, the limit of the others has a test of
/// its own.
pub(super) fn plan(home: &Home, bytes: &[u8]) -> bool {
    let Ok(spec) = InferencePlan::spec_from_toml(text(bytes)) else {
        return false;
    };
    let widths = spec.layers.iter().map(|layer| layer.outputs);
    let widest = widths.chain([spec.features]).max().unwrap_or(0);
    if widest > 16 || spec.rows > 256 || spec.parameters.log_n > 8 {
        return false;
    }
    let Ok(plan) = InferencePlan::allowing_insecure(spec) else {
        return false;
    };
    let written = plan.to_toml().unwrap();
    let again = InferencePlan::read(&written, true).unwrap();
    assert_eq!((&again, again.id()), (&plan, plan.id()));
    assert_eq!(again.to_toml().unwrap(), written);
    assert!(plan.outputs() > 0 && plan.unit().is_ok());

    // In the place of the plan that keys were made for, it is that plan or refused.
    let keys = &home.scoring.keys;
    let (evaluation, secret) = (keys.evaluation(), keys.secret());
    fs::write(evaluation.join("plan.toml"), bytes).unwrap();
    fs::write(secret.join("plan.toml"), bytes).unwrap();
    if let Ok((there, keys)) = load_evaluation_of::<InferencePlan>(&evaluation, true) {
        assert_eq!(there, plan);
        assert_eq!(keys.id(), home.scoring.owner.key_set_id());
    }
    if let Ok((there, ..)) = keys.secrets::<InferencePlan, _>(CpuEngine::default()) {
        assert_eq!(there, *home.scoring.owner.plan());
    }
    true
}

pub(super) fn file(home: &Home, bytes: &[u8]) -> bool {
    both(bytes, |bytes| read_file(home, bytes))
}

fn read_file(home: &Home, bytes: &[u8]) -> bool {
    let (path, scoring) = (home.file(bytes), &home.scoring);
    let (plan, id) = (scoring.owner.plan(), scoring.owner.key_set_id());
    let whole = verify(&path).is_ok();
    let described = inspect(&path).is_ok();
    let out = home.path("written.arras");
    let written = || AtomicFile::create(&out, Overwrite::Replace).unwrap();
    let mut taken = false;
    if let Ok(rows) = load_request(&path, InferenceContent::Rows, plan, id) {
        taken = true;
        save_request(plan, &rows, written()).unwrap();
        expect_same(&out, bytes);
        let _ = scoring.server.score(&rows);
    }
    if let Ok(weights) = load_request(&path, InferenceContent::Weights, plan, id) {
        assert!(!taken);
        taken = true;
        save_request(plan, &weights, written()).unwrap();
        expect_same(&out, bytes);
        let engine = CpuEngine::with_threads(1).unwrap();
        let served = ServedWeights::Encrypted(&weights);
        let keys = scoring.evaluation.clone();
        let _ = InferenceServer::new(plan.clone(), keys, &served, engine, Options::default());
    }
    let context = scoring.owner.client().context();
    if let Ok(scores) = load_scores(&path, plan, id, context) {
        assert!(!taken);
        taken = true;
        save_scores(plan, &scores, written()).unwrap();
        expect_same(&out, bytes);
        // What a service forged is decrypted, too.
        if let Ok(decrypted) = scoring.owner.decrypt(&scores) {
            assert_eq!(decrypted.dim(), (scores.rows, plan.outputs()));
        }
    }
    assert!(!taken || (described && whole));
    taken
}
