//! `plan`: what a training will take, before any key exists.

mod arguments;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use lr_train::{
    ModelKind, TrainError,
    data::{Dataset, Layout},
    preprocess::Preprocessor,
    search::Found,
    trainer::{
        Doubt, ErrorsFor, PlanReport, PlannerOptions, RINGS, TrainingPlan,
        files::{PlannedColumns, dataset_file_bytes, load_costs},
        plan, training_rows, ways,
    },
};
use serde_json::json;

pub(crate) use self::arguments::{Choice, MODELS, Training, parse_sigmoid};
use crate::{
    Done,
    choosing::Chosen,
    failure::Failure,
    output::{Answer, Output, claim, claim_private, path},
    sources::{Purpose, Source, few, say_spreads},
};

/// Choose a circuit and parameters, and report the keys, data, memory and time they need, before any key exists
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lr-train plan --data train.csv --label y --out plan.toml             (settings are searched)
  lr-train plan --data builtin:digits --minibatch 64 --iterations 6 --rounds one --out plan.toml    (these are held, the others searched)
  lr-train plan --data train.csv --label y --settings fixed --iterations 8 --out plan.toml         (nothing is searched)
  lr-train plan --data train.csv --label price --model linear --out plan.toml                       (a number)
  lr-train plan --data train.csv --label species --model one-vs-rest --out plan.toml                (one of several classes)
  lr-train plan --features 31 --rows 569 --circuit single-chain --iterations 8      (without data; nothing is written)
  lr-train plan --data train.csv --label y --rounds fewest --costs server.toml --out plan.toml")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    data: PlanData,
    #[command(flatten)]
    pub(crate) training: Training,
    #[command(flatten)]
    choice: Choice,
    /// Plan file to write
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the plan file, and write a plan even if its training is predicted to fail
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Debug, Args)]
struct PlanData {
    #[command(flatten)]
    source: Option<Source>,
    /// Without --data: number of features, not counting the intercept
    #[arg(long, conflicts_with = "data", requires = "rows")]
    features: Option<usize>,
    /// Without --data: number of classes of a one-vs-rest model
    #[arg(long, conflicts_with = "data", requires = "rows")]
    classes: Option<usize>,
    /// Rows that the keys must hold [default: those of the data]
    #[arg(long)]
    rows: Option<usize>,
}

/// Reads the rows to train on, and says what was found out about them.
///
/// # Errors
/// As [`Source::read`].
pub(crate) fn read_data(
    source: &Source,
    model: ModelKind,
    layout: Option<Layout>,
    output: &Output,
) -> Result<Dataset, Failure> {
    let data = source.read(&Purpose::Training(model, layout))?;
    source.say_all(&data, output);
    Ok(data)
}

/// A plan, with what was chosen and found out on the way.
pub(crate) struct Planned {
    pub(crate) plan: TrainingPlan,
    pub(crate) report: PlanReport,
    pub(crate) chosen: Chosen,
    options: PlannerOptions,
    /// With the intercept.
    features: usize,
    rows: usize,
    /// Names of constant columns.
    dropped: Vec<String>,
}

/// Plans a training of `data`, or without them of so many features and rows.
///
/// # Errors
/// Those of the search and of the planner; [`Failure::Usage`] where neither is given.
pub(crate) fn planned(
    training: &Training,
    choice: &Choice,
    data: Option<&Dataset>,
    (features, rows): (Option<usize>, Option<usize>),
    output: &Output,
) -> Result<Planned, Failure> {
    let chosen = training.choose(data, output)?;
    let (settings, scheme) = (&chosen.settings, chosen.scheme);
    let mut errors = ErrorsFor::AnyData;
    let (features, rows, dropped) = match (data, features) {
        (Some(data), _) => {
            let preprocessor = Preprocessor::fit(data, scheme)?;
            say_spreads(&preprocessor, data.table(), output);
            let names = preprocessor.names();
            let dropped: Vec<String> = (preprocessor.dropped().iter())
                .map(|d| names[d.position].clone())
                .collect();
            let signed = training_rows(settings.optimizer, data, &preprocessor)?;
            errors = ErrorsFor::Rows(Arc::new(signed));
            (
                preprocessor.features() + 1,
                rows.unwrap_or(data.rows()),
                dropped,
            )
        }
        (None, Some(features)) => (features + 1, rows.unwrap_or(0), vec![]),
        (None, None) => {
            return Err(Failure::Usage(
                "say what to train on: --data SOURCE, or --features F --rows R".into(),
            ));
        }
    };
    let mut options = PlannerOptions::new()
        .log_n(*RINGS.start()..=choice.log_n)
        .errors(errors)
        .normalization(scheme);
    if let Some(threads) = choice.threads {
        options = options.threads(threads);
    }
    for file in &choice.costs {
        options = options.costs(load_costs(file)?);
    }
    let progress = Arc::new(output.progress("planning"));
    let seen = progress.clone();
    let options = options.on_progress(move |done, all| seen.at(done, all));
    let (plan, report) = plan(settings, features, rows, &options)?;
    Ok(Planned {
        plan,
        report,
        chosen,
        options,
        features,
        rows,
        dropped,
    })
}

pub(crate) fn run(args: &PlanArgs, output: &Output) -> Done {
    let data = match &args.data.source {
        Some(source) => Some(read_data(source, args.training.model, None, output)?),
        None => None,
    };
    let size = (args.data.features, args.data.rows);
    let mut training = args.training.clone();
    training.model = match (training.model, args.data.classes, &data) {
        (ModelKind::OneVsRest { .. }, Some(classes), None) => ModelKind::OneVsRest { classes },
        (ModelKind::OneVsRest { .. }, None, None) => {
            return Err(Failure::Usage(
                "--model one-vs-rest without --data: say how many classes there are with --classes"
                    .into(),
            ));
        }
        (model, Some(_), _) if !matches!(model, ModelKind::OneVsRest { .. }) => {
            return Err(Failure::Usage(format!(
                "--classes is for --model one-vs-rest, not for {model}: leave it out"
            )));
        }
        (model, ..) => model,
    };
    let planned = planned(&training, &args.choice, data.as_ref(), size, output)?;
    let Planned {
        plan,
        report,
        chosen,
        options,
        features,
        rows,
        dropped,
    } = planned;
    judge(&report, chosen.classes_found(), args.force, output)?;
    let ways = ways(&chosen.settings, features, rows, &options, &report.chosen)?;
    if let Some(out) = &args.out {
        let file = claim(out, args.force)?;
        keep_columns(out, &plan, data.as_ref(), args.force)?;
        file.write_and_commit(plan.to_toml()?.as_bytes())?;
    }
    let said = chosen.text(data.is_some());
    let model = chosen.settings.model;
    let several = data
        .as_ref()
        .map_or(&[][..], |data| data.target().class_names());
    let mut text = format!(
        "model: {model}\n{said}\n\n{report}\n{ways}\n\nholds {rows} rows of {} features",
        features - 1
    );
    if !dropped.is_empty() {
        text += &format!(
            " ({} constant columns left out: {})",
            dropped.len(),
            few(&dropped)
        );
    }
    match &args.out {
        Some(out) => {
            text += &format!(
                "\nwritten to {}; next: lr-train keygen --plan {0} --out keys",
                out.display()
            );
        }
        None => text += "\nnothing written: name a file with --out",
    }
    let json = json!({
        "plan": plan.id().to_string(),
        "model": model.name(),
        "class-names": several,
        "settings": chosen.json(),
        "rows": rows,
        "features": features - 1,
        "dropped": dropped.len(),
        "dropped-names": dropped,
        "classes": data.as_ref().map(lr_train::data::Dataset::classes),
        "reading": data.as_ref().and_then(|data| data.table().reading()),
        "feature-names": data.as_ref().map(lr_train::data::Dataset::feature_names),
        "data-file-bytes": dataset_file_bytes(&plan)?,
        "report": report,
        "ways": ways,
        "out": args.out.as_deref().map(path),
    });
    Ok(Answer::new(text, json))
}

/// Writes what was fitted to columns beside a plan, for `keygen` and `encrypt`; what an earlier plan left there is removed.
fn keep_columns(
    out: &Path,
    plan: &TrainingPlan,
    data: Option<&Dataset>,
    force: bool,
) -> Result<(), Failure> {
    let path = PlannedColumns::path_beside(out);
    // The plan's place is this call's: whoever was killed before a plan was written there, or what is replaced, has left them.
    let replaces = force || PlannedColumns::are_beside(out);
    match data.and_then(|data| data.table().layout()) {
        Some(layout) => {
            let file = claim_private(&path, replaces)?;
            Ok(PlannedColumns::new(plan, layout.clone()).save(file)?)
        }
        None if replaces && path.symlink_metadata().is_ok() => {
            std::fs::remove_file(&path).map_err(|error| TrainError::Write { path, error }.into())
        }
        None => Ok(()),
    }
}

/// Says what is doubtful about a training, and refuses one that would give no useful model unless it was asked for.
pub(crate) fn judge(
    report: &PlanReport,
    found: Option<&Found>,
    force: bool,
    output: &Output,
) -> Result<(), Failure> {
    // The search has judged calibrated probabilities and ranks, on rows held back.
    let settled = |doubt: &Doubt| {
        found.is_some() && matches!(doubt, Doubt::OneClass { .. } | Doubt::Loss { .. })
    };
    let (settled, doubts): (Vec<Doubt>, Vec<Doubt>) =
        report.doubts().into_iter().partition(settled);
    let (grave, slight): (Vec<Doubt>, Vec<Doubt>) = doubts.into_iter().partition(Doubt::is_grave);
    if !force && !grave.is_empty() {
        return Err(Failure::Doubtful(grave));
    }
    if let (Some(found), false) = (found, settled.is_empty()) {
        output.note(format_args!(
            "note: before it is calibrated the model says one class of every row, or probabilities that are far off; rows held back it ranks with an AUC of \
             {:.3}: calibrate it by `decrypt --data .. --threshold balanced`",
            found.chosen.outcome.auc
        ));
    }
    for doubt in grave {
        output.note(format_args!("WARNING (--force): {doubt}"));
    }
    for doubt in slight {
        output.note(format_args!("note: {doubt}"));
    }
    let usage = report.forecast.as_ref().map(|forecast| forecast.usage);
    if let Some(doubt) = usage.and_then(|usage| usage.doubt()) {
        output.note(format_args!("note: {doubt}"));
    }
    Ok(())
}

/// Reads a plan file.
///
/// # Errors
/// What the system refuses and what is wrong with the plan, naming the file.
pub(crate) fn read(file: &Path) -> Result<TrainingPlan, Failure> {
    let bytes = arras::ckks::wire::read_bounded(file, 1 << 28)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let reason =
            format!("is not text ({error}); give the plan that `lr-train plan --out` wrote");
        Failure::file(file, reason)
    })?;
    TrainingPlan::from_toml(&text).map_err(Failure::in_file(file))
}
