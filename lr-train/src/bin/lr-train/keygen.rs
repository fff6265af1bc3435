//! `keygen`: the keys of a plan.

use std::path::{Path, PathBuf};

use arras::{
    SecretBackend,
    ckks::{CkksErrorKind, Context},
    toolkit::text,
};
use clap::Args;
use lr_train::{
    TrainError,
    trainer::{
        DataOwner, KeySetId, PlanId, TrainingKeys, TrainingPlan,
        files::{KeyDirectory, PlannedColumns},
    },
};
use serde_json::json;

use crate::{
    Done,
    failure::Failure,
    output::{Answer, Output, file_bytes, overwrite, path},
    plan, signals,
};

/// Client: make the keys of a plan
#[derive(Debug, Args)]
#[command(after_help = "\
The folder holds secret/, which stays with its owner (mode 0700), and eval/, which goes to the server. Keys
are made in a hidden folder beside and take their place as a whole: whenever the process ends, the old ones or the new ones are
there. What it leaves then is named and removed by the next call.

Example:
  lr-train keygen --plan plan.toml --out keys")]
pub(crate) struct Keygen {
    /// Plan file
    #[arg(long)]
    plan: PathBuf,
    /// Folder of keys to write
    #[arg(long)]
    out: PathBuf,
    /// Replace the keys: what was encrypted with the old ones can no longer be decrypted
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Keygen, output: &Output) -> Done {
    let folder = KeyDirectory::new(&args.out);
    let plan = plan::read(&args.plan)?;
    let columns = PlannedColumns::beside(&args.plan, &plan)?;
    let (owner, keys) = make(plan, columns, &folder, args.force, output)?;
    let (id, plan) = (owner.key_set_id(), owner.plan().id());
    let next = ("server", "encrypt", "data.arras");
    Ok(answer(args.out.as_path(), &folder, (id, plan), &keys, next))
}

/// What to say of keys that were made: where they are, who gets which of them, and what comes next.
pub(crate) fn answer(
    out: &Path,
    folder: &KeyDirectory,
    (id, plan): (KeySetId, PlanId),
    keys: &TrainingKeys,
    (whom, verb, file): (&str, &str, &str),
) -> Answer {
    let bytes = file_bytes(&folder.evaluation().join("evaluation-keys.arras"));
    let text = format!(
        "keys {id}: a secret key in {} (keep it), {} evaluation keys, {}, in {} (send it to the {whom})\nnext: lr-train {verb} --keys {} --data .. --out {file}",
        folder.secret().display(),
        keys.set().len(),
        text::bytes(bytes),
        folder.evaluation().display(),
        out.display(),
    );
    let json = json!({
        "keys": id.to_string(),
        "plan": plan.to_string(),
        "evaluation-keys": keys.set().len(),
        "evaluation-key-bytes": bytes,
        "secret": path(&folder.secret()),
        "eval": path(&folder.evaluation()),
    });
    Answer::new(text, json)
}

/// Makes the keys of a plan and writes them into a folder.
///
/// # Errors
/// What the scheme or the operating system refuses; complete keys that are there, unless `force`.
pub(crate) fn make(
    plan: TrainingPlan,
    columns: Option<PlannedColumns>,
    folder: &KeyDirectory,
    force: bool,
    output: &Output,
) -> Result<(DataOwner<SecretBackend>, TrainingKeys), Failure> {
    signals::claimed();
    let claim = folder.claim(overwrite(force))?;
    for left in claim.leftovers() {
        output.note(format_args!(
            "removed {}, which an earlier keygen had left when it was ended",
            left.display()
        ));
    }
    let progress = output.progress("making keys");
    let context =
        Context::new(plan.params(), arras::secret_backend())?.with_stop_token(signals::token());
    let made = DataOwner::generate_on(plan, &context, |at| progress.at(at.done, at.total))?;
    claim.columns(columns).save(&made.0, &made.1)?;
    Ok(made)
}

/// Opens a folder of keys for its owner; signals stop what is done with them.
///
/// # Errors
/// What is wrong with its files, naming them.
pub(crate) fn open(folder: &Path) -> Result<(KeyDirectory, DataOwner<SecretBackend>), Failure> {
    let keys = KeyDirectory::new(folder).with_stop_token(signals::token());
    let secret = keys.secret().join("secret-key.arras");
    match keys.owner(arras::secret_backend()) {
        Ok(owner) => Ok((keys, owner)),
        // The scheme compares parameters without knowing where they are from.
        Err(TrainError::Ckks(error))
            if matches!(error.kind(), CkksErrorKind::ParametersMismatch { .. }) =>
        {
            Err(Failure::in_file(&secret)(error.into()))
        }
        Err(error) => Err(error.into()),
    }
}
