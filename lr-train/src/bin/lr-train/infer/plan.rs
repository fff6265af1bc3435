//! `infer plan`: what scoring will take, before any key exists.

use std::path::PathBuf;

use arras::toolkit::text;
use clap::Args;
use lr_train::{
    inference::{InferenceOptions, Weights, plan},
    sigmoid::Approximation,
};
use serde_json::json;

use super::{Scorer, WEIGHTS, named};
use crate::{
    Done,
    failure::Failure,
    output::{Answer, claim, path},
    plan::parse_sigmoid,
};

/// Who has the weights: choose parameters for scoring, and report the keys, bytes and time it needs
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    scorer: Scorer,
    /// The most rows of a request; fewer take as long
    #[arg(long, default_value_t = 256)]
    rows: usize,
    /// plain: the service has the weights in the clear; encrypted: it has them encrypted by the owner of the rows
    #[arg(long, default_value = "plain", value_parser = named(&WEIGHTS))]
    weights: Weights,
    /// Bits after the binary point to which scores are right
    #[arg(long, default_value_t = 12.0)]
    bits: f64,
    /// Have the service make probabilities of scores, by a polynomial as for `plan --sigmoid` [default: scores are returned, and the client
    /// does]
    #[arg(long, value_name = "SIGMOID", value_parser = parse_sigmoid)]
    probabilities: Option<Approximation>,
    /// What the normalized features of a model are at most in magnitude; rows beyond are refused when they are encrypted
    #[arg(long, default_value_t = 4.0)]
    largest: f64,
    /// Plan file to write
    #[arg(long)]
    out: PathBuf,
    /// Replace it
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &PlanArgs) -> Done {
    let Some(network) = args.scorer.network(args.largest)? else {
        return Err(Failure::Usage(
            "say what rows are scored by: --model FILE or --network FILE".into(),
        ));
    };
    let mut options = InferenceOptions::new(args.rows)
        .weights(args.weights)
        .bits(args.bits);
    if let Some(sigmoid) = &args.probabilities {
        options = options.sigmoid(sigmoid.clone());
    }
    let out = claim(&args.out, args.force)?;
    let (made, report) = plan(&network, &options)?;
    out.write_and_commit(made.to_toml()?.as_bytes())?;
    let seconds = report.time().work_seconds;
    let rate = args.rows as f64 / seconds;
    let text = format!(
        "{report}\n\n{} rows of {} features to {} scores in {}, {rate:.0} rows a second, once constants are encoded\nwritten to {}; next, at the client: lr-train infer keygen --plan {4} --out keys",
        args.rows,
        network.features(),
        network.outputs(),
        text::seconds(seconds),
        args.out.display(),
    );
    let json = json!({
        "plan": made.id().to_string(),
        "rows": args.rows,
        "features": network.features(),
        "outputs": network.outputs(),
        "report": report,
        "rows-a-second": rate,
        "out": path(&args.out),
    });
    Ok(Answer::new(text, json))
}
