//! `evaluate`: how good a model is.

use std::path::PathBuf;

use arras::toolkit::text::{self, Table};
use clap::Args;
use lr_train::{
    data::Classes,
    metrics::{Assessment, Remark},
    trainer::{Model, files::load_model},
};
use serde_json::json;

use crate::{
    Done,
    output::{Answer, Output},
    sources::{Known, Purpose, Source},
};

/// Client: measure a model on labelled rows
#[derive(Debug, Args)]
#[command(after_help = "\
Beside each figure stands what a model that knows nothing has. Calibration compares, by fifths of the rows, the probabilities with what
happened. --json has the points of the ROC curve, too.

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
    let data = args.source.read(&Purpose::Testing(Known::new(
        &model.classes,
        &model.preprocessor,
    )))?;
    args.source.say(data.table(), output);
    say_weights(&model, output);
    let quality = model.evaluate(&data)?;
    let text = told(&quality, &model.classes);
    let json = json!({
        "rows": quality.rows,
        "calibrated": model.calibration.is_some(),
        "quality": quality,
    });
    Ok(Answer::new(text, json))
}

/// Says where probabilities are not those of the data.
pub(crate) fn say_weights(model: &Model, output: &Output) {
    if !model.has_shares_of_the_data() {
        output.note(format_args!(
            "WARNING: classes weighed differently in training, and the model is not calibrated: its probabilities are not those of the data; decrypt the \
             result again with --data and the rows that were trained on"
        ));
    }
}

/// All figures and remarks in words.
pub(crate) fn told(quality: &Assessment, classes: &Classes) -> String {
    let mut text = figures(quality, classes);
    for remark in &quality.remarks {
        text += &format!("\n{}", said(*remark, classes));
    }
    text
}

/// A remark with the classes' names.
fn said(remark: Remark, classes: &Classes) -> String {
    match remark {
        Remark::OneClassPredicted(positive) => {
            let class = if positive {
                &classes.positive
            } else {
                &classes.negative
            };
            format!("note: {remark} (it says {class:?})")
        }
        _ => format!("note: {remark}"),
    }
}

fn figures(quality: &Assessment, classes: &Classes) -> String {
    let Classes { positive, negative } = classes;
    let percent = |share: Option<f64>| share.map_or("unknown".to_owned(), text::percent);
    let lines = [
        (
            "rows",
            format!(
                "{}, {} of them {positive}",
                quality.rows,
                text::percent(quality.base_rate)
            ),
        ),
        (
            "accuracy",
            format!(
                "{} (the larger class for every row: {})",
                text::percent(quality.accuracy),
                text::percent(quality.larger_class)
            ),
        ),
        (
            "balanced accuracy",
            format!("{} (guessing: 50 %)", percent(quality.balanced_accuracy)),
        ),
        (
            "AUC",
            quality.auc.map_or("unknown: one class".to_owned(), |auc| {
                format!("{auc:.4} (guessing: 0.5)")
            }),
        ),
        (
            "log loss",
            format!(
                "{:.4} (the share of {positive} for every row: {:.4})",
                quality.log_loss, quality.base_log_loss
            ),
        ),
        ("precision", percent(quality.precision)),
        ("recall", percent(quality.recall)),
        (
            "F1",
            quality
                .f1
                .map_or("unknown".to_owned(), |f1| format!("{f1:.4}")),
        ),
        (
            "threshold",
            format!(
                "{positive} from a probability of {:.4}",
                quality.threshold.probability()
            ),
        ),
    ];
    let mut out: String = lines
        .iter()
        .map(|(name, figure)| format!("{name:<17}  {figure}\n"))
        .collect();
    let counts = quality.confusion;
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
    out += &format!("\n{table}\n");
    let mut fifths = Table::new(["fifth of rows", "rows", "predicted", "observed"]);
    for (at, fifth) in quality.calibration.iter().enumerate() {
        fifths.row([
            (at + 1).to_string(),
            fifth.rows.to_string(),
            text::percent(fifth.predicted),
            text::percent(fifth.observed),
        ]);
    }
    out + &fifths.to_string()
}
