//! `predict`: what a model says of each row.

use std::{fmt::Write, path::PathBuf};

use clap::Args;
use lr_train::{
    ModelKind, TrainError,
    data::FeatureTable,
    trainer::{Model, files::load_model},
};
use serde_json::{Value, json};

use crate::{
    Done,
    failure::Failure,
    output::{Answer, Output, claim_private, path},
    sources::{Known, Source},
};

/// Client: predict class and probability, or the number, of each row
#[derive(Debug, Args)]
#[command(after_help = "\
Prints CSV: row (from 1), score, probability of the positive class (calibrated if `decrypt` was given --data), class by the model's
threshold. Of a linear model row and prediction, in the units of its target; of several classes row, class and the score of each. A label column that the file may have is left out of the
features with --label.

Examples:
  lr-train predict --model model.json --data new.csv
  lr-train predict --model model.json --data test.csv --label diagnosis --out predictions.csv")]
pub(crate) struct Predict {
    /// Model in JSON
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    source: Source,
    /// File to write instead of printing
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace it
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Predict, output: &Output) -> Done {
    let model = load_model(&args.model)?;
    let table = args
        .source
        .read_table(Known::of_model(&model))
        .map_err(|error| with_label(args, error))?;
    args.source.say(&table, output);
    let told = match model.settings.model {
        ModelKind::Linear => numbers(&model, &table),
        ModelKind::OneVsRest { .. } => several(&model, &table),
        _ => classes(&model, &table),
    };
    let (text, predictions) = told.map_err(|error| with_label(args, error.into()))?;
    let rows = table.rows();
    let Some(out) = &args.out else {
        return Ok(Answer::data(text, json!({"predictions": predictions})));
    };
    claim_private(out, args.force)?.write_and_commit(text.as_bytes())?;
    let said = format!("{rows} rows written to {}", out.display());
    Ok(Answer::new(said, json!({"rows": rows, "out": path(out)})))
}

/// Score, probability and class of each row, as CSV and for programs.
fn classes(model: &Model, table: &FeatureTable) -> Result<(String, Value), TrainError> {
    let predictions = model.predict(table)?;
    let mut text = String::from("row,score,probability,class\n");
    let left_out = table.reading().map_or(&[][..], |r| &r.rows_left_out);
    // Rows keep the numbers that they have in the file.
    let rows = (0..).filter(|row| left_out.binary_search(row).is_err());
    for (row, p) in rows.zip(&predictions) {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{},{},{},{}",
            row + 1,
            p.score,
            p.probability,
            quoted(&p.class)
        );
    }
    Ok((text, json!(predictions)))
}

/// Class and scores of each row, as CSV and for programs.
fn several(model: &Model, table: &FeatureTable) -> Result<(String, Value), TrainError> {
    let (told, scores) = (model.told_classes(table)?, model.class_scores(table)?);
    let mut text = String::from("row,class");
    for name in &model.class_names {
        let _ = write!(text, ",{}", quoted(&format!("score of {name}")));
    }
    text.push('\n');
    let mut predictions = vec![];
    for (row, (told, scores)) in told.iter().zip(scores.rows()).enumerate() {
        let class = &model.class_names[*told];
        let _ = write!(text, "{},{}", row + 1, quoted(class));
        for score in scores {
            let _ = write!(text, ",{score}");
        }
        text.push('\n');
        predictions.push(json!({"class": class, "scores": scores.to_vec()}));
    }
    Ok((text, predictions.into()))
}

/// The number of each row, as CSV and for programs.
fn numbers(model: &Model, table: &FeatureTable) -> Result<(String, Value), TrainError> {
    let values = model.values(table)?;
    let mut text = String::from("row,prediction\n");
    for (row, value) in values.iter().enumerate() {
        let _ = writeln!(text, "{},{value}", row + 1);
    }
    Ok((text, json!(values)))
}

/// Columns that do not fit may be those of the features and the label.
fn with_label(args: &Predict, error: Failure) -> Failure {
    if args.source.label.is_some() || error.code() != 3 {
        return error;
    }
    Failure::WithHint {
        error: Box::new(error),
        hint: "if the file still has its label, name that column with --label; others are left out with --drop",
    }
}

/// A field as CSV has it.
pub(crate) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
