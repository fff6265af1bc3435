//! `decrypt`: a result to a model.

use std::path::PathBuf;

use arras::ckks::wire::AtomicFile;
use clap::Args;
use lr_train::trainer::{
    Usage,
    files::{load_result, save_model},
};
use serde_json::json;

use crate::{
    Done,
    failure::Failure,
    keygen,
    output::{Answer, Output, overwrite, path},
};

/// Client: decrypt a result to a model
#[derive(Debug, Args)]
#[command(after_help = "\
The model holds names, classes and normalization beside the weights: it is written for its owner only.

Example:
  lr-train decrypt --keys keys --result result.arras --out model.json")]
pub(crate) struct Decrypt {
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    /// Encrypted result that `train` returned
    #[arg(long, alias = "model")]
    result: PathBuf,
    /// Accept the state of a round that is not the last: its weights are no finished model
    #[arg(long)]
    intermediate: bool,
    /// Model to write, in JSON
    #[arg(long)]
    out: PathBuf,
    /// Replace it
    #[arg(long)]
    force: bool,
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
    let record = keys.record(result.origin.dataset)?;
    let out = AtomicFile::create_private(&args.out, overwrite(args.force))?;
    let model = owner.decrypt_model(&record, &result)?;
    save_model(&model, out)?;
    let rounds = owner.plan().rounds().len();
    if !result.finished {
        output.note(format_args!(
            "note: the weights after round {} of {rounds}, not the finished model",
            result.round + 1
        ));
    }
    let usage = Usage::of(
        owner.plan().settings(),
        model.rows,
        owner.plan().minibatch(),
    )
    .map_err(Failure::Train)?;
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
        "model of {} weights from {} written to {}\nnext: lr-train evaluate --model {2} --data ..",
        model.weights.len(),
        usage,
        args.out.display()
    );
    let json = json!({
        "weights": model.weights.len(),
        "rows": model.rows,
        "usage": usage,
        "finished": result.finished,
        "round": result.round,
        "out": path(&args.out),
    });
    Ok(Answer::new(text, json))
}
