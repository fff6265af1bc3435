//! `encrypt`: data to ciphertexts.

use std::path::PathBuf;

use arras::toolkit::text;
use clap::Args;
use lr_train::{
    TrainError,
    data::{Classes, Dataset},
    preprocess::Scheme,
    trainer::{
        DatasetRecord, Doubt, ExchangeError, PreparedData, TrainingPlan,
        files::{DatasetFile, KeyDirectory},
    },
};
use serde_json::json;

use crate::{
    Done,
    failure::Failure,
    keygen,
    output::{Answer, Output, claim, file_bytes, path},
    plan,
    sources::{Normalization, Source, few, say_spreads},
};

/// Client: encrypt a data set for all rounds
#[derive(Debug, Args)]
#[command(after_help = "\
Columns are those that the plan was made from, found by their names, and become features as they did then: missing values, levels of categories.
Names, classes and normalization stay with the keys, in secret/datasets. The file appears whole or not at all: if the process ends
early, run it again. With --resume it is left alone if it is there already, whole and of the same rows.

Examples:
  lr-train encrypt --keys keys --data train.csv --label diagnosis --out data.arras
  lr-train encrypt --keys keys --data builtin:digits --out data.arras")]
pub(crate) struct Encrypt {
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    #[command(flatten)]
    source: Source,
    /// How columns are normalized [default: as the plan says]
    #[arg(long, value_enum)]
    normalize: Option<Normalization>,
    /// File of encrypted data to write
    #[arg(long)]
    out: PathBuf,
    /// Replace the file, and encrypt even if training on these rows breaks what its circuits assume
    #[arg(long)]
    force: bool,
    /// Do nothing if the file already exists, is complete, and was made from these keys and rows
    #[arg(long)]
    resume: bool,
}

/// Tries with keys that are replaced meanwhile.
const TRIES: usize = 5;

pub(crate) fn run(args: &Encrypt, output: &Output) -> Done {
    let keys = KeyDirectory::new(&args.keys);
    let layout = keys.columns()?.map(|columns| columns.layout().clone());
    let model = keygen::open(&args.keys)?.1.plan().settings().model;
    let data = plan::read_data(&args.source, model, layout, output)?;
    for _ in 1..TRIES {
        match encrypt(args, &data, output) {
            Err(Failure::Train(TrainError::Exchange(ExchangeError::KeysReplaced { .. }))) => {}
            done => return done,
        }
    }
    encrypt(args, &data, output)
}

fn encrypt(args: &Encrypt, data: &Dataset, output: &Output) -> Done {
    let (keys, owner) = keygen::open(&args.keys)?;
    let planned = owner.plan().normalization();
    let scheme = args.normalize.map_or(planned, Scheme::from);
    let prepared = owner.prepare(data, scheme)?;
    if args.resume && args.out.exists() {
        let file = DatasetFile::open(&args.out, owner.plan(), owner.key_set_id())?;
        let record = keys.record(file.origin().dataset)?;
        if prepared.is_of(&record) {
            file.verify()?;
            say(&prepared, data, owner.plan(), output);
            return Ok(answer(args, &record, true));
        }
        return Err(Failure::file(
            &args.out,
            "holds other rows than the data given; name another file, or use --force to replace it",
        ));
    }
    judge(prepared.record(), args.force)?;
    let replaced = DatasetFile::open(&args.out, owner.plan(), owner.key_set_id());
    let out = claim(&args.out, args.force)?;
    for left in keys.clear_records()? {
        output.note(format_args!(
            "removed {}, which an earlier encrypt had left when it was ended",
            left.display()
        ));
    }
    let progress = output.progress("encrypting");
    keys.write_dataset(&owner, &prepared, out, |at| progress.at(at.done, at.total))?;
    drop(progress);
    if let Ok(replaced) = replaced {
        let origin = replaced.origin();
        if keys.record_path(origin.dataset).exists() {
            keys.replace_dataset(origin)?;
        }
        output.note(format_args!(
            "note: {} stays, in case somebody still trains on the data set that was replaced; delete it if nobody does",
            keys.record_path(origin.dataset).display()
        ));
    }
    say(&prepared, data, owner.plan(), output);
    Ok(answer(args, prepared.record(), false))
}

/// Refuses rows that would break what the circuits assume, unless they were asked for.
pub(crate) fn judge(record: &DatasetRecord, force: bool) -> Result<(), Failure> {
    let doubts = record.forecast.iter().flat_map(|of| of.doubts(None));
    let broken: Vec<Doubt> = doubts.filter(Doubt::is_broken_assumption).collect();
    if force || broken.is_empty() {
        return Ok(());
    }
    Err(Failure::Doubtful(broken))
}

/// Says where data are others than planned, and what is doubtful about a training on them.
fn say(prepared: &PreparedData, data: &Dataset, plan: &TrainingPlan, output: &Output) {
    let record = prepared.record();
    say_spreads(&record.preprocessor, data.table(), output);
    let (scheme, planned) = (record.preprocessor.scheme(), plan.normalization());
    if scheme != planned {
        output.note(format_args!(
            "note: columns are normalized by {}, the plan was made for {}: what it predicted is not about these rows",
            scheme.name(),
            planned.name()
        ));
    }
    for (what, found, planned) in [
        ("rows", record.rows, plan.rows()),
        (
            "features",
            record.preprocessor.features(),
            plan.features() - 1,
        ),
    ] {
        if found != planned {
            output.note(format_args!("note: {found} {what}, the plan was made for {planned}: are these the data that it was made with?"));
        }
    }
    let Some(forecast) = &record.forecast else {
        return;
    };
    for doubt in forecast.doubts(None) {
        let word = if doubt.is_grave() { "WARNING" } else { "note" };
        output.note(format_args!("{word}: {doubt}"));
    }
    if let Some(doubt) = forecast.usage.doubt() {
        output.note(format_args!("note: {doubt}"));
    }
}

/// Those of a target that has two.
pub(crate) fn two_classes(record: &DatasetRecord) -> Option<&Classes> {
    let two = record.measure.is_none() && record.class_names.is_empty();
    two.then_some(&record.classes)
}

fn answer(args: &Encrypt, record: &DatasetRecord, resumed: bool) -> Answer {
    let bytes = file_bytes(&args.out);
    let names = record.preprocessor.names();
    let dropped = record.preprocessor.dropped().iter();
    let dropped: Vec<&str> = dropped.map(|d| &*names[d.position]).collect();
    let did = if resumed {
        "already exists and is complete"
    } else {
        "written"
    };
    let (dataset, rows) = (record.origin.dataset, record.rows);
    let features = record.preprocessor.features();
    let learned = match &record.measure {
        Some(measure) => format!("target {:?}", measure.name),
        None if record.class_names.is_empty() => {
            format!("positive class {:?}", record.classes.positive)
        }
        None => format!("classes {}", few(&record.class_names)),
    };
    let out = args.out.display();
    let used = record.forecast.as_ref().map(|forecast| forecast.usage);
    let rows_used = used.map_or(format!("{rows} rows"), |used| used.to_string());
    let mut text = format!(
        "data set {dataset}: {rows_used}, {features} features, {learned}; {out} {did}, {}",
        text::bytes(bytes),
    );
    if !dropped.is_empty() {
        text += &format!(
            "\nleft out because they are constant: {}",
            dropped.join(", ")
        );
    }
    text += &format!(
        "\nnext, on the server: lr-train train --eval-keys EVAL --data {out} --out result.arras"
    );
    let json = json!({
        "dataset": dataset.to_string(),
        "rows": rows,
        "forecast": record.forecast,
        "classes": two_classes(record),
        "class-names": record.class_names,
        "target": record.measure,
        "normalization": record.preprocessor.scheme(),
        "features": features,
        "dropped": dropped,
        "bytes": bytes,
        "resumed": resumed,
        "out": path(&args.out),
    });
    Answer::new(text, json)
}
