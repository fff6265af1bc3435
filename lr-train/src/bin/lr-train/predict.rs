//! `predict`: what a model says of each row.

use std::{fmt::Write, path::PathBuf};

use clap::Args;
use lr_train::trainer::files::load_model;
use serde_json::json;

use crate::{
    Done, evaluate,
    failure::Failure,
    output::{Answer, Output, claim_private, path},
    sources::{Known, Source},
};

/// Client: predict class and probability of each row
#[derive(Debug, Args)]
#[command(after_help = "\
Prints CSV: row (from 1), score, probability of the positive class (calibrated if `decrypt` was given --data), class by the model's
threshold. A label column that the file may have is left out of the
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
        .read_table(Known::new(&model.classes, &model.preprocessor))
        .map_err(|error| with_label(args, error))?;
    args.source.say(&table, output);
    evaluate::say_weights(&model, output);
    let predictions = model
        .predict(&table)
        .map_err(|error| with_label(args, error.into()))?;
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
    let Some(out) = &args.out else {
        return Ok(Answer::data(text, json!({"predictions": predictions})));
    };
    claim_private(out, args.force)?.write_and_commit(text.as_bytes())?;
    let said = format!("{} rows written to {}", predictions.len(), out.display());
    Ok(Answer::new(
        said,
        json!({"rows": predictions.len(), "out": path(out)}),
    ))
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
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
