//! `decrypt`: a result to a model.

use std::path::PathBuf;

use arras::toolkit::text::Table;
use clap::Args;
use lr_train::{
    ModelKind, TrainError,
    data::Dataset,
    metrics::Threshold,
    plain::FitError,
    trainer::{
        Model,
        files::{load_result, save_model},
    },
};
use serde_json::json;

use crate::{
    Done,
    evaluate::{self, Quality},
    failure::Failure,
    incoming::Incoming,
    keygen,
    output::{Answer, Output, claim_private, path},
    sources::{Known, Purpose, Source, few},
};

/// Client: decrypt a result to a model
#[derive(Debug, Args)]
#[command(mut_arg("data", |data| data.required(false)), after_help = "\
The model holds names, classes and normalization beside the weights: it is written for its owner only. A result is taken if it is of
the data set and the round that come next, or the last one once more. After a refusal nothing of the data set is taken until somebody
has looked why and says --after-refusal.

With --data, the rows that it was trained on, scores are calibrated: two numbers are fitted in the clear, here, and stored in the model, so
that its probabilities are those of the data. Nothing of it reaches the server.

Examples:
  lr-train decrypt --keys keys --result result.arras --out model.json
  lr-train decrypt --keys keys --result result.arras --data train.csv --label diagnosis --out model.json
  lr-train decrypt --keys keys --result result.arras --data train.csv --label diagnosis --threshold balanced --out model.json")]
pub(crate) struct Decrypt {
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    /// Encrypted result that `train` returned
    #[arg(long)]
    result: PathBuf,
    /// Accept the state of a round that is not the last: its weights are no finished model
    #[arg(long)]
    intermediate: bool,
    #[command(flatten)]
    incoming: Incoming,
    #[command(flatten)]
    source: Option<Source>,
    /// From which probability rows are taken for the positive class: a number, or balanced, the share of that class in --data, which weighs
    /// both classes alike [default: 0.5]
    #[arg(long, value_parser = parse_threshold)]
    threshold: Option<Cut>,
    /// Model to write, in JSON
    #[arg(long)]
    out: PathBuf,
    /// Replace it
    #[arg(long)]
    force: bool,
}

/// Where classes are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Balanced,
    At(Threshold),
}

pub(crate) fn parse_threshold(text: &str) -> Result<Cut, String> {
    if text == "balanced" {
        return Ok(Cut::Balanced);
    }
    let probability = text
        .parse::<f64>()
        .map_err(|_| "give a number between 0 and 1, or balanced".to_owned())?;
    Threshold::new(probability)
        .map(Cut::At)
        .map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Decrypt, output: &Output) -> Done {
    let (keys, owner) = keygen::open(&args.keys)?;
    let result = load_result(
        &args.result,
        owner.plan(),
        owner.key_set_id(),
        owner.context(),
    )?;
    if !result.finished && !args.intermediate {
        return Err(Failure::file(
            &args.result,
            format!(
                "holds the state after round {} of {}, not a finished model: refresh it for the next round with `lr-train refresh`, or look at \
                 its weights with --intermediate",
                result.round + 1,
                owner.plan().rounds().len()
            ),
        ));
    }
    let data = match &args.source {
        Some(source) => {
            let record = keys.record(result.origin.dataset)?;
            let known = Known::of_record(owner.plan(), &record);
            let data = source.read(&Purpose::Calibrating(known))?;
            source.say(data.table(), output);
            Some(data)
        }
        None => None,
    };
    let out = claim_private(&args.out, args.force)?;
    let (record, state) = args.incoming.take(&keys, &owner, &result)?;
    let mut model = record.model(owner.plan(), &state.w)?;
    let not_calibrated = finish(data.as_ref(), args.threshold, &mut model)?;
    save_model(&model, out)?;
    let rounds = owner.plan().rounds().len();
    let what = if result.finished {
        "model".to_owned()
    } else {
        format!(
            "not the finished model, but that after round {} of {rounds}:",
            result.round + 1
        )
    };
    if let Some(reason) = &not_calibrated {
        output.note(format_args!("note: not calibrated: {reason}"));
    }
    let usage = record.forecast.as_ref().map(|forecast| forecast.usage);
    let rows = usage.map_or(format!("{} rows", model.rows), |usage| usage.to_string());
    // Of an earlier round the twin's numbers are not.
    if result.finished {
        for doubt in record
            .forecast
            .iter()
            .flat_map(|forecast| forecast.doubts(None))
        {
            output.note(format_args!("note: {doubt}"));
        }
    }
    let text = format!(
        "{what} of {} weights from {} written to {}\n{}{}next: lr-train evaluate --model {2} --data ..",
        model.weights.len(),
        rows,
        args.out.display(),
        match &data {
            Some(data) if model.measure.is_some() => fit(&model, data)?,
            Some(data) if !model.class_names.is_empty() => {
                let told = Quality::of(&model, data)?.told(&model.classes);
                format!("on the rows that it was trained on:\n{told}\n")
            }
            _ => calibration(&model, args.source.is_some()),
        },
        coefficients(&model),
    );
    let json = json!({
        "weights": model.weights.len(),
        "rows": model.rows,
        "usage": usage,
        "finished": result.finished,
        "calibration": model.calibration,
        "threshold": model.threshold,
        "coefficients": match &model.class_names[..] {
            [] => json!(model.coefficients()),
            _ => json!(model.all_coefficients()),
        },
        "class-names": model.class_names,
        "round": result.round,
        "rounds": rounds,
        "out": path(&args.out),
    });
    Ok(Answer::new(text, json))
}

/// Calibrates a model and sets its threshold; tells why it could not be calibrated if the model is to blame.
pub(crate) fn finish(
    data: Option<&Dataset>,
    threshold: Option<Cut>,
    model: &mut Model,
) -> Result<Option<FitError>, Failure> {
    if model.settings.model != ModelKind::Logistic {
        return match threshold {
            None => Ok(None),
            Some(_) => Err(Failure::Usage(format!(
                "--threshold cuts between two classes, which a {} model does not: leave it out",
                model.settings.model
            ))),
        };
    }
    let mut blamed = None;
    if let Some(data) = data {
        match model.calibrate(data) {
            Err(TrainError::Fit(error @ FitError::AgainstClasses { .. })) => blamed = Some(error),
            other => {
                other?;
            }
        }
    }
    match (threshold, model.calibration) {
        (None, _) => {}
        (Some(Cut::At(threshold)), _) => model.threshold = threshold,
        (Some(Cut::Balanced), Some(calibration)) => {
            model.threshold =
                Threshold::new(calibration.positive_share).map_err(TrainError::from)?;
        }
        (Some(Cut::Balanced), None) => {
            return Err(match blamed {
                Some(error) => TrainError::from(error).into(),
                None => Failure::Usage(
                    "--threshold balanced is the share of the positive class in --data: name the rows that were trained on, or give a number"
                        .into(),
                ),
            });
        }
    }
    Ok(blamed)
}

/// How near a model of numbers comes to the rows that it was trained on, beside the closed form.
pub(crate) fn fit(model: &Model, data: &Dataset) -> Result<String, Failure> {
    let told = evaluate::told_numbers(&model.evaluate_values(data)?);
    let exact = match model.exact(data)? {
        Some(exact) => format!(
            "the closed form on the same columns: R^2 {}\n",
            evaluate::explained(&exact.evaluate_values(data)?)
        ),
        None => "no closed form: columns depend on each other\n".to_owned(),
    };
    Ok(format!(
        "on the rows that it was trained on:\n{told}\n{exact}"
    ))
}

fn calibration(model: &Model, asked: bool) -> String {
    match &model.calibration {
        _ if !model.class_names.is_empty() => String::new(),
        _ if model.measure.is_some() => {
            "name the rows that were trained on with --data to see how near the closed form it comes\n"
                .into()
        }
        Some(c) => format!(
            "calibrated on {} rows: log loss {:.4} (before: {:.4}); {} from a probability of {:.4}\n",
            c.rows,
            c.log_loss_after,
            c.log_loss_before,
            model.classes.positive,
            model.threshold.probability()
        ),
        None if asked => String::new(),
        None if !model.has_shares_of_the_data() => "not calibrated, and classes weighed differently in training: its probabilities are not those of the data until the \
             rows that were trained on are named with --data\n"
            .into(),
        None => "not calibrated: name the rows that were trained on with --data for probabilities that can be believed\n"
            .into(),
    }
}

/// Columns that a person reads; `--json` has all.
const SHOWN: usize = 12;

fn coefficients(model: &Model) -> String {
    if !model.class_names.is_empty() {
        let (classes, names) = (model.class_names.len(), few(&model.class_names));
        return format!("{classes} classes, each with coefficients of its own (--json): {names}\n");
    }
    let Some(all) = model.coefficients() else {
        return "no coefficients in the units of the data: the score is a sum of their logarithms\n".into();
    };
    let mut columns: Vec<_> = all.columns.iter().collect();
    columns.sort_by(|a, b| b.normalized.abs().total_cmp(&a.normalized.abs()));
    let mut head = vec!["column", "of its normalized values", "per unit"];
    if model.measure.is_none() {
        head.push("odds ratio per unit");
    }
    let mut table = Table::new(head);
    for c in columns.iter().take(SHOWN) {
        let mut row = vec![
            c.column.clone(),
            format!("{:+.4}", c.normalized),
            format!("{:+.4e}", c.per_unit),
        ];
        row.extend(c.odds_ratio.map(|ratio| format!("{ratio:.4}")));
        table.row(row);
    }
    let cut = if all.within_clip {
        ", as long as no value is cut off"
    } else {
        ""
    };
    let more = match columns.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("and {more} more columns (--json)\n"),
    };
    let what = match &model.measure {
        Some(measure) => measure.name.clone(),
        None => format!("log odds of {}", model.classes.positive),
    };
    format!(
        "\n{what} = {:+.4} + coefficients in the units of the data{cut}; the strongest first:\n{table}\n{more}\n",
        all.intercept
    )
}
