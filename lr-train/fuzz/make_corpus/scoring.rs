//! Networks, plans to apply them, and an exchange of rows, weights and scores.

use std::{fs, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, params::Security, wire::Overwrite};
use arras_toolkit::run::Options;
use lr_train::{
    inference::{
        Activation, InferenceOptions, InferenceOwner, InferencePlan, InferenceServer, Layer,
        Network, ServedWeights, Weights, plan,
    },
    sigmoid::Approximation,
    trainer::files::{KeyDirectory, save_request, save_scores},
};
use ndarray::Array2;

use super::created;

fn network(widths: &[usize]) -> Network {
    let layer = |sizes: &[usize]| {
        let value = |at: usize| (at * 5 % 9) as f64 / 8.0 - 0.5;
        let weights = Array2::from_shape_fn((sizes[0], sizes[1]), |(r, c)| value(r + 3 * c));
        let bias = (0..sizes[1]).map(value).collect();
        Layer::new(weights, bias, Activation::Square).unwrap()
    };
    Network::new(widths.windows(2).map(layer).collect()).unwrap()
}

fn options(rows: usize) -> InferenceOptions {
    let options = InferenceOptions::new(rows).threads(1).log_n(6..=6);
    options.security(Security::InsecureForTests)
}

/// Names and contents, made in a folder.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (small, deep) = (network(&[2, 2]), network(&[3, 2, 1]));
    let sigmoid = options(3).sigmoid(Approximation::cubic_8());
    let (in_the_clear, _) = plan(&deep, &sigmoid).unwrap();
    let encrypted = options(4).weights(Weights::Encrypted);
    let (of_one, _) = plan(&network(&[3, 1]), &encrypted).unwrap();
    let (plan, _) = plan(&small, &encrypted).unwrap();

    let engine = CpuEngine::with_threads(1).unwrap();
    let context = Context::new(plan.params(), engine.clone()).unwrap();
    let (owner, keys) = InferenceOwner::generate(plan.clone(), &context, |_| ()).unwrap();
    let directory = KeyDirectory::new(folder.join("scoring")).allowing_insecure();
    let claimed = directory.claim(Overwrite::Refuse).unwrap();
    let secret = owner.client().secret_key().unwrap();
    claimed.save_keys(&plan, secret, &keys).unwrap();
    let rows = owner.encrypt(&Array2::from_elem((3, 2), 0.5)).unwrap();
    let weights = owner.encrypt_weights(&small).unwrap();
    let served = ServedWeights::Encrypted(&weights);
    let server = InferenceServer::new(plan.clone(), keys, &served, engine, Options::default());
    let (scores, _) = server.unwrap().score(&rows).unwrap();
    let file = |name: &str| folder.join(name);
    save_request(&plan, &rows, created(&file("rows.arras"))).unwrap();
    save_request(&plan, &weights, created(&file("weights.arras"))).unwrap();
    save_scores(&plan, &scores, created(&file("scores.arras"))).unwrap();

    let (evaluation, secret) = (directory.evaluation(), directory.secret());
    let read = |(name, path): (&str, _)| (name.to_owned(), fs::read(path).unwrap());
    let text = |name: &str, plan: &InferencePlan| {
        (format!("scoring/{name}"), plan.to_toml().unwrap().into())
    };
    let json = |name: &str, network: &Network| {
        (format!("network/{name}"), network.to_json().unwrap().into())
    };
    let mut files: Vec<_> = [
        ("scoring/scoring.toml", evaluation.join("plan.toml")),
        ("keys/scoring.json", evaluation.join("keys.json")),
        (
            "evaluation/scoring-keys.arras",
            evaluation.join("evaluation-keys.arras"),
        ),
        ("owner/scoring.json", secret.join("owner.json")),
        ("secret/scoring-key.arras", secret.join("secret-key.arras")),
        ("inference/rows.arras", file("rows.arras")),
        ("inference/weights.arras", file("weights.arras")),
        ("inference/scores.arras", file("scores.arras")),
    ]
    .map(read)
    .into();
    files.extend([
        text("clear.toml", &in_the_clear),
        text("vector.toml", &of_one),
        json("small.json", &small),
        json("deep.json", &deep.largest_input(4.0).unwrap()),
    ]);
    files
}
