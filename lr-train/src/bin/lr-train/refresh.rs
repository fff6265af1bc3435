//! `refresh`: a state, decrypted and re-encrypted.

use std::path::PathBuf;

use arras::toolkit::text;
use clap::Args;
use lr_train::trainer::files::{load_result, save_state};
use serde_json::json;

use crate::{
    Done,
    failure::Failure,
    incoming::Incoming,
    keygen,
    output::{Answer, Output, claim, path},
};

/// Client, between rounds: decrypt a state and re-encrypt it for the next round
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is written, so nothing can be sent back, unless every check of the decrypted state passed. A state is taken if it is of the
data set and the round that come next; the last one once more, if the process ended early. After a refusal nothing of the data set is
taken until somebody has looked why and says --after-refusal.

Example:
  lr-train refresh --keys keys --state result-1.arras --out state-2.arras")]
pub(crate) struct Refresh {
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    /// State that `train` returned
    #[arg(long)]
    state: PathBuf,
    #[command(flatten)]
    incoming: Incoming,
    /// State to write, for the next `train`
    #[arg(long)]
    out: PathBuf,
    /// Replace it
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Refresh, _: &Output) -> Done {
    let (keys, owner) = keygen::open(&args.keys)?;
    let result = load_result(
        &args.state,
        owner.plan(),
        owner.key_set_id(),
        owner.context(),
    )?;
    if result.finished {
        return Err(Failure::file(
            &args.state,
            "holds a finished model, and no round follows: read it with `lr-train decrypt`",
        ));
    }
    let out = claim(&args.out, args.force)?;
    let (record, state) = args.incoming.take(&keys, &owner, &result)?;
    let state = owner.encrypt_state(&record, &state, result.round + 1)?;
    let bytes = save_state(owner.plan(), &state, out)?;
    let rounds = owner.plan().rounds().len();
    let out = args.out.display();
    let text = format!(
        "state for round {} of {rounds}: {out}, {}\nnext, on the server: lr-train train --eval-keys EVAL --data DATA --state {out} --out ..",
        state.round + 1,
        text::bytes(bytes)
    );
    let json =
        json!({"round": state.round, "rounds": rounds, "bytes": bytes, "out": path(&args.out)});
    Ok(Answer::new(text, json))
}
