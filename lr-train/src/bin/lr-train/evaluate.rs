//! `evaluate`: how good a model is.

use std::path::PathBuf;

use arras::toolkit::text::{self, Table};
use clap::Args;
use lr_train::{metrics::Quality, trainer::files::load_model};
use serde_json::json;

use crate::{
    Done,
    output::{Answer, Output},
    sources::{Purpose, Source},
};

/// Client: measure a model on labelled rows
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

pub(crate) fn run(args: &Evaluate, output: &Output) -> Done {
    let model = load_model(&args.model)?;
    let data = args.source.read(&Purpose::Testing(model.classes.clone()))?;
    args.source.say(data.table(), output);
    let quality: Quality = model.evaluate(&data)?;
    let counts = quality.confusion;
    let auc = quality
        .auc
        .map_or("unknown: one class".to_owned(), |auc| format!("{auc:.4}"));
    let (negative, positive) = (&model.classes.negative, &model.classes.positive);
    let mut table = Table::new([
        String::new(),
        format!("predicted {negative}"),
        format!("predicted {positive}"),
    ]);
    for (class, as_negative, as_positive) in [
        (negative, counts.true_negative, counts.false_positive),
        (positive, counts.false_negative, counts.true_positive),
    ] {
        table.row([
            format!("is {class}"),
            as_negative.to_string(),
            as_positive.to_string(),
        ]);
    }
    let text = format!(
        "rows      {}\naccuracy  {}\nAUC       {auc}\nlog loss  {:.4}\n\n{table}",
        data.rows(),
        text::percent(quality.accuracy),
        quality.log_loss,
    );
    let json = json!({"rows": data.rows(), "quality": quality});
    Ok(Answer::new(text, json))
}
