//! `evaluate`: how good a model is.

use std::path::PathBuf;

use arras::toolkit::text;
use clap::Args;
use lr_train::{metrics::Quality, trainer::files::load_model};
use serde_json::json;

use crate::{
    Done,
    output::{Answer, Output},
    sources::{Purpose, Source},
};

/// Client: how good a model is on labelled rows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lr-train evaluate --model model.json --data test.csv --label diagnosis
  lr-train evaluate --model model.json --data builtin:digits      (the part that was not trained on)")]
pub(crate) struct Evaluate {
    /// Model in JSON
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(args: &Evaluate, _: &Output) -> Done {
    let model = load_model(&args.model)?;
    let data = args.source.read(&Purpose::Testing(model.classes.clone()))?;
    let quality: Quality = model.evaluate(&data)?;
    let counts = quality.confusion;
    let auc = quality
        .auc
        .map_or("unknown: one class".to_owned(), |auc| format!("{auc:.4}"));
    let text = format!(
        "rows      {}\naccuracy  {}\nAUC       {auc}\nlog loss  {:.4}\n\n{:<24}{:>14}{:>14}\n{:<24}{:>14}{:>14}\n{:<24}{:>14}{:>14}",
        data.rows(),
        text::percent(quality.accuracy),
        quality.log_loss,
        "",
        format!("taken for {}", model.classes.negative),
        format!("for {}", model.classes.positive),
        format!("is {}", model.classes.negative),
        counts.true_negative,
        counts.false_positive,
        format!("is {}", model.classes.positive),
        counts.false_negative,
        counts.true_positive,
    );
    let json = json!({"rows": data.rows(), "quality": quality});
    Ok(Answer::new(text, json))
}
