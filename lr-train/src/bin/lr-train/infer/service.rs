//! `infer score`: the service's side.

use std::path::PathBuf;

use arras::toolkit::text;
use clap::Args;
use lr_train::{
    inference::{InferencePlan, InferenceServer, ServedWeights, Weights},
    trainer::files::{InferenceContent, load_evaluation_of, load_request, save_scores},
};
use serde_json::json;

use super::Scorer;
use crate::{
    Done,
    engines::EngineChoice,
    failure::Failure,
    output::{Answer, Output, claim, path},
    signals, train,
};

/// Service: score encrypted rows; no secret key is needed
#[derive(Debug, Args)]
pub(super) struct Score {
    /// Folder of evaluation keys, as the client sent it
    #[arg(long)]
    eval_keys: PathBuf,
    /// Encrypted rows
    #[arg(long)]
    rows: PathBuf,
    #[command(flatten)]
    scorer: Scorer,
    /// Encrypted weights, in place of a model or network in the clear
    #[arg(long)]
    weights: Option<PathBuf>,
    /// File of encrypted scores to write
    #[arg(long)]
    out: PathBuf,
    /// Replace it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    engine: EngineChoice,
}

pub(super) fn run(args: &Score, output: &Output) -> Done {
    let engine = args.engine.open()?;
    output.note(format_args!("engine: {engine}"));
    output.note(train::secret_note(&args.eval_keys));
    let (plan, keys) = load_evaluation_of::<InferencePlan>(&args.eval_keys, false)?;
    let (id, spec) = (keys.id(), plan.spec());
    let request = load_request(&args.rows, InferenceContent::Rows, &plan, id)?;
    let network = args.scorer.network(spec.largest_input)?;
    let sent = match &args.weights {
        Some(file) => Some(load_request(file, InferenceContent::Weights, &plan, id)?),
        None => None,
    };
    let weights = match (&network, &sent, spec.weights) {
        (Some(network), None, Weights::Plain) => ServedWeights::Plain(network),
        (None, Some(sent), Weights::Encrypted) => ServedWeights::Encrypted(sent),
        (_, _, Weights::Encrypted) => {
            return Err(Failure::Usage(
                "the plan is for encrypted weights: give --weights FILE, and neither --model nor --network".into(),
            ));
        }
        _ => {
            return Err(Failure::Usage(
                "the plan is for weights in the clear: give --network FILE or --model FILE, and no --weights".into(),
            ));
        }
    };
    let out = claim(&args.out, args.force)?;
    let (progress, options) = output.watched("scoring");
    let options = options.with_stop_token(signals::token());
    let backend = engine.backend().clone();
    let server = InferenceServer::new(plan.clone(), keys, &weights, backend, options)?;
    let (scores, report) = server.score(&request)?;
    drop(progress);
    let bytes = save_scores(&plan, &scores, out)?;
    let text = format!(
        "{} rows scored in {}\n{report}\n{}: encrypted scores, {}\nnext, at the client: lr-train infer decrypt --keys keys --request {} --scores {2}",
        request.rows,
        text::seconds(report.seconds),
        args.out.display(),
        text::bytes(bytes),
        args.rows.display(),
    );
    let json = json!({
        "rows": request.rows,
        "report": report,
        "engine": engine.to_string(),
        "bytes": bytes,
        "out": path(&args.out),
    });
    Ok(Answer::new(text, json))
}
