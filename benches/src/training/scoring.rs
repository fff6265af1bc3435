//! A network applied to encrypted rows: the handwritten digits that it was not trained on.

use std::time::Instant;

use arras::{CpuEngine, ckks::Context, toolkit::run::Options};
use lr_train::{
    ModelKind,
    data::Target,
    inference::{
        InferenceOptions, InferenceOwner, InferenceServer, Network, ServedWeights, Weights, plan,
    },
    metrics::SeveralClasses,
    trainer::Model,
};
use ndarray::Array2;

use super::{circuit::largest_difference, data, quality::Checks, trained::error};
use crate::{
    Result,
    report::{Form::*, Report, Table, column},
};

const NETWORK: &str = include_str!("../../../lr-train/data/digits-network.json");

/// What a plan of 12 bits promises of scores.
const PROMISED: f64 = 1.0 / 4096.0;

/// Scores by weights in the clear and, unless it is to be quick, by encrypted ones.
pub(super) fn score(quick: bool, checks: &mut Checks) -> Result<Table> {
    let mut table = Table::new(
        "scoring",
        [
            column("weights", Plain),
            column("rows", Plain),
            column("log2 N", Plain),
            column("levels", Plain),
            column("accuracy", Fixed(4)),
            column("in the clear", Fixed(4)),
            column("worst score error", By(error)),
            column("server, a request", Seconds).key("server_seconds"),
            column("rows a second", Fixed(0)),
            column("client, all", Seconds).key("client_seconds"),
            column("keys", Bytes).key("key_bytes"),
            column("sent", Bytes).key("input_bytes"),
            column("scores", Bytes).key("output_bytes"),
        ],
    );
    let network = Network::from_json(NETWORK)?;
    let several = ModelKind::OneVsRest { classes: 0 };
    let data = data::held_back(several, Some(network.classes().to_vec()))?;
    let Target::Several { labels, names } = data.target() else {
        return Err("the digits held back have no classes".into());
    };
    let (rows, clear) = (data.features(), network.scores(data.features(), None)?);
    let accuracy = |scores: &Array2<f64>| -> Result<f64> {
        let told = scores.rows().into_iter();
        let told: Vec<usize> = told
            .map(|row| Model::told_class(row.iter().copied()))
            .collect();
        Ok(SeveralClasses::measure(&told, labels, names)?.accuracy)
    };
    let all = [
        ("in the clear", Weights::Plain),
        ("encrypted", Weights::Encrypted),
    ];
    for (name, weights) in all.into_iter().take(if quick { 1 } else { 2 }) {
        eprintln!("scoring of digits, weights {name}");
        let options = InferenceOptions::new(data.rows()).weights(weights);
        let (plan, planned) = plan(&network, &options)?;
        let params = plan.params().clone();
        let engine = CpuEngine::new();
        let start = Instant::now();
        let context = Context::new(&params, engine.clone())?;
        let (owner, keys) = InferenceOwner::generate(plan.clone(), &context, |_| ())?;
        let sent = (weights == Weights::Encrypted).then(|| owner.encrypt_weights(&network));
        let sent = sent.transpose()?;
        let request = owner.encrypt(rows)?;
        let mut client = start.elapsed().as_secs_f64();
        let served = sent
            .as_ref()
            .map_or(ServedWeights::Plain(&network), ServedWeights::Encrypted);
        let server = InferenceServer::new(plan, keys, &served, engine, Options::default())?;
        // The first request has constants encoded that later ones find.
        server.score(&request)?;
        let start = Instant::now();
        let (scores, _) = server.score(&request)?;
        let seconds = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let scores = owner.decrypt(&scores)?;
        client += start.elapsed().as_secs_f64();
        let (own, worst) = (accuracy(&scores)?, largest_difference(&scores, &clear));
        let rate = rows.nrows() as f64 / seconds;
        table.row((
            (name, rows.nrows(), params.log_n(), params.max_level()),
            [own, accuracy(&clear)?, worst],
            [seconds, rate, client],
            [
                planned.key_set_bytes(),
                planned.input_bytes(),
                planned.output_bytes(),
            ]
            .map(|b| b.wire),
        ));
        let what = |what: &str| format!("scoring of digits, weights {name}: {what}");
        checks.goal(&what("accuracy"), own, true, 0.97);
        checks.check(&what("worst score"), worst, false, PROMISED);
        checks.goal(&what("rows a second"), rate, true, 100.0);
    }
    Ok(table)
}

/// Adds the table to a page.
pub(super) fn report(table: &Table, report: &mut Report) {
    report.heading("Scores of encrypted rows").text(
        "A network of 64 pixels, 32 squares and 10 scores on the images of handwritten digits that it was not trained on, all in one request. Seconds of the \
         server are those of the second request: the first has constants encoded. The client's are of keys, encryption and decryption. Bytes are those of \
         the plan.",
    );
    report.add(table);
}
