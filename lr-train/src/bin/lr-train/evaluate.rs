//! `evaluate`: how good a model is.

use std::path::PathBuf;

use arras::toolkit::text::{self, Table};
use clap::Args;
use lr_train::{
    ModelKind,
    data::{Classes, Dataset},
    metrics::{Accuracy, Assessment, Remark, SeveralClasses},
    trainer::{Model, files::load_model},
};
use serde::Serialize;
use serde_json::json;

use crate::{
    Done,
    failure::Failure,
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
    let data = args
        .source
        .read(&Purpose::Testing(Known::of_model(&model)))?;
    args.source.say(data.table(), output);
    say_weights(&model, output);
    let quality = Quality::of(&model, &data)?;
    let text = quality.told(&model.classes);
    let json = json!({
        "rows": data.rows(),
        "calibrated": model.calibration.is_some(),
        "quality": quality,
    });
    Ok(Answer::new(text, json))
}

/// How good a model is, by its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Quality {
    Classes(Box<Assessment>),
    Several(SeveralClasses),
    Numbers(Accuracy),
}

impl Quality {
    pub(crate) fn of(model: &Model, data: &Dataset) -> Result<Self, Failure> {
        Ok(match model.settings.model {
            ModelKind::Linear => Self::Numbers(model.evaluate_values(data)?),
            ModelKind::OneVsRest { .. } => Self::Several(model.evaluate_classes(data)?),
            _ => Self::Classes(Box::new(model.evaluate(data)?)),
        })
    }

    /// In words.
    pub(crate) fn told(&self, classes: &Classes) -> String {
        match self {
            Self::Classes(assessment) => told(assessment, classes),
            Self::Several(several) => told_classes(several),
            Self::Numbers(accuracy) => told_numbers(accuracy),
        }
    }

    /// What training makes less.
    pub(crate) fn loss(&self) -> f64 {
        match self {
            Self::Classes(assessment) => assessment.log_loss,
            Self::Several(several) => 1.0 - several.accuracy,
            Self::Numbers(accuracy) => accuracy.rmse,
        }
    }
}

/// R^2 with the digits that matter.
pub(crate) fn explained(accuracy: &Accuracy) -> String {
    let explained = accuracy.r_squared.map(|r| format!("{r:.4}"));
    explained.unwrap_or_else(|| "unknown: the target does not vary".to_owned())
}

/// All figures of a model of several classes in words.
fn told_classes(several: &SeveralClasses) -> String {
    let percent = |share: Option<f64>| share.map_or("unknown".to_owned(), text::percent);
    let mut classes = Table::new(["class", "rows", "recall", "precision"]);
    for class in &several.classes {
        let (recall, precision) = (percent(class.recall), percent(class.precision));
        classes.row([
            class.class.clone(),
            class.rows.to_string(),
            recall,
            precision,
        ]);
    }
    let names = several.classes.iter().map(|class| class.class.clone());
    let heads = std::iter::once("is, told".to_owned()).chain(names.clone());
    let mut confusion = Table::new(heads);
    for (name, row) in names.zip(&several.confusion) {
        let counts = row.iter().map(ToString::to_string);
        confusion.row(std::iter::once(name).chain(counts));
    }
    let note = if several.accuracy <= several.largest_class {
        "\nnote: the model is no better than saying the largest class for every row"
    } else {
        ""
    };
    format!(
        "rows               {}\naccuracy           {} (the largest class for every row: {})\nmean recall        {}\n\n{classes}\n{confusion}{note}",
        several.rows,
        text::percent(several.accuracy),
        text::percent(several.largest_class),
        text::percent(several.balanced_accuracy),
    )
}

/// All figures of a model of numbers in words.
pub(crate) fn told_numbers(accuracy: &Accuracy) -> String {
    let Accuracy {
        rows,
        rmse,
        mae,
        base_rmse,
        base_mae,
        ..
    } = accuracy;
    let lines = [
        ("rows", rows.to_string()),
        (
            "R^2",
            format!("{} (the mean of these rows: 0)", explained(accuracy)),
        ),
        (
            "root mean squared error",
            format!("{rmse:.5} (the mean of the rows trained on: {base_rmse:.5})"),
        ),
        (
            "mean absolute error",
            format!("{mae:.5} (the mean of the rows trained on: {base_mae:.5})"),
        ),
    ];
    let lines = lines.map(|(name, figure)| format!("{name:<23}  {figure}"));
    let note = if accuracy.rmse > accuracy.base_rmse {
        "\nnote: the model is worse than saying the mean of the rows trained on for every row"
    } else {
        ""
    };
    format!("{}{note}", lines.join("\n"))
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
fn told(quality: &Assessment, classes: &Classes) -> String {
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
