//! `infer keygen`, `encrypt` and `decrypt`: the side of whoever owns the rows.

use std::{fmt::Write, path::PathBuf};

use arras::{SecretBackend, ckks::Context, toolkit::text};
use clap::Args;
use lr_train::{
    inference::{InferenceOwner, InferencePlan},
    trainer::files::{
        ExchangePlan, Holds, InferenceContent, KeyDirectory, inspect, load_scores, save_request,
    },
};
use ndarray::Array2;
use serde_json::json;

use super::Scorer;
use crate::{
    Done,
    failure::Failure,
    output::{Answer, Output, claim, claim_private, file_bytes, overwrite, path},
    predict::quoted,
    signals,
    sources::{Known, Source},
};

/// Client: make the keys of a plan of `infer`
#[derive(Debug, Args)]
pub(super) struct Keygen {
    /// Plan file of `infer plan`
    #[arg(long)]
    plan: PathBuf,
    /// Folder of keys to write
    #[arg(long)]
    out: PathBuf,
    /// Replace the keys: what was encrypted with the old ones can no longer be decrypted
    #[arg(long)]
    force: bool,
}

pub(super) fn keygen(args: &Keygen, output: &Output) -> Done {
    let bytes = arras::ckks::wire::read_bounded(&args.plan, 1 << 28)?;
    let text = String::from_utf8_lossy(&bytes);
    let plan = InferencePlan::read(&text, false).map_err(Failure::in_file(&args.plan))?;
    let folder = KeyDirectory::new(&args.out);
    signals::claimed();
    let claim = folder.claim(overwrite(args.force))?;
    let progress = output.progress("making keys");
    let context =
        Context::new(plan.params(), arras::secret_backend())?.with_stop_token(signals::token());
    let (owner, keys) =
        InferenceOwner::generate(plan, &context, |at| progress.at(at.done, at.total))?;
    claim.save_keys(owner.plan(), owner.client().secret_key()?, &keys)?;
    let bytes = file_bytes(&folder.evaluation().join("evaluation-keys.arras"));
    let text = format!(
        "keys {}: a secret key in {} (keep it), {} evaluation keys, {}, in {} (send it to the service)\nnext: lr-train infer encrypt --keys {} --data .. --out rows.arras",
        owner.key_set_id(),
        folder.secret().display(),
        keys.set().len(),
        text::bytes(bytes),
        folder.evaluation().display(),
        args.out.display(),
    );
    let json = json!({
        "keys": owner.key_set_id().to_string(),
        "plan": owner.plan().id().to_string(),
        "evaluation-keys": keys.set().len(),
        "evaluation-key-bytes": bytes,
        "secret": path(&folder.secret()),
        "eval": path(&folder.evaluation()),
    });
    Ok(Answer::new(text, json))
}

fn open(keys: &std::path::Path) -> Result<InferenceOwner<SecretBackend>, Failure> {
    let folder = KeyDirectory::new(keys).with_stop_token(signals::token());
    let (plan, secret, id) = folder.secrets(arras::secret_backend())?;
    Ok(InferenceOwner::with_keys(plan, secret, id)?)
}

/// Client: encrypt rows to be scored (--data), or the weights of a model or network (without)
#[derive(Debug, Args)]
#[command(mut_arg("data", |data| data.required(false)))]
pub(super) struct Encrypt {
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    #[command(flatten)]
    source: Option<Source>,
    #[command(flatten)]
    scorer: Scorer,
    /// File to write
    #[arg(long)]
    out: PathBuf,
    /// Replace it
    #[arg(long)]
    force: bool,
}

pub(super) fn encrypt(args: &Encrypt, output: &Output) -> Done {
    let owner = open(&args.keys)?;
    let request = match &args.source {
        Some(source) => owner.encrypt(&rows(source, &args.scorer, output)?)?,
        None if args.scorer.is_none() => {
            return Err(Failure::Usage(
                "say what to encrypt: rows by --data SOURCE (with --model FILE those of a model), or weights by --network FILE or --model FILE".into(),
            ));
        }
        None => {
            let network = args.scorer.network(owner.plan().spec().largest_input)?;
            owner.encrypt_weights(&network.ok_or(Failure::Usage("no weights".into()))?)?
        }
    };
    let out = claim(&args.out, args.force)?;
    let bytes = save_request(owner.plan(), &request, out)?;
    let what = match request.content {
        InferenceContent::Rows => format!("{} encrypted rows", request.rows),
        _ => "encrypted weights".to_owned(),
    };
    let text = format!(
        "{}: {what}, {}\nnext, at the service: lr-train infer score --eval-keys keys/eval --rows .. --out scores.arras",
        args.out.display(),
        text::bytes(bytes),
    );
    let json = json!({
        "rows": request.rows,
        "origin": request.origin,
        "bytes": bytes,
        "out": path(&args.out),
    });
    Ok(Answer::new(text, json))
}

/// Rows as they are to be encrypted: normalized by the model if there is one.
fn rows(source: &Source, scorer: &Scorer, output: &Output) -> Result<Array2<f64>, Failure> {
    let model = scorer.model()?;
    let known = model.as_ref().map_or_else(Known::nothing, Known::of_model);
    let table = source.read_table(known)?;
    source.say(&table, output);
    Ok(match model {
        Some(model) => model.preprocessor.apply(&table)?,
        None => table.features().clone(),
    })
}

/// Client: decrypt scores
#[derive(Debug, Args)]
#[command(after_help = "\
Prints CSV: row (from 1), then with --model what `predict` prints, with --network the score of each class and the class with the largest, else
the scores.")]
pub(super) struct Decrypt {
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    /// The encrypted rows that were sent, so that scores of others are not taken for theirs
    #[arg(long)]
    request: PathBuf,
    /// Encrypted scores, as the service sent them
    #[arg(long)]
    scores: PathBuf,
    #[command(flatten)]
    scorer: Scorer,
    /// File to write instead of printing
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace it
    #[arg(long)]
    force: bool,
}

pub(super) fn decrypt(args: &Decrypt) -> Done {
    let owner = open(&args.keys)?;
    let context = owner.client().context();
    let scores = load_scores(&args.scores, owner.plan(), owner.key_set_id(), context)?;
    let sent = inspect(&args.request)?;
    let is_request = matches!(
        sent.holds,
        Holds::Inference { content: InferenceContent::Rows, rows } if rows == scores.rows
    );
    if !is_request || sent.origin != scores.origin {
        let reason = format!(
            "are not the scores of {}: name the request that they answer, or have it scored again",
            args.request.display()
        );
        return Err(Failure::file(&args.scores, reason));
    }
    let decrypted = owner.decrypt(&scores)?;
    let text = table(&decrypted, args, &owner)?;
    let Some(out) = &args.out else {
        let rows: Vec<Vec<f64>> = decrypted.rows().into_iter().map(|r| r.to_vec()).collect();
        return Ok(Answer::data(text, json!({ "scores": rows })));
    };
    claim_private(out, args.force)?.write_and_commit(text.as_bytes())?;
    let said = format!("{} rows written to {}", decrypted.nrows(), out.display());
    Ok(Answer::new(
        said,
        json!({"rows": decrypted.nrows(), "out": path(out)}),
    ))
}

/// Scores as CSV.
fn table(
    scores: &Array2<f64>,
    args: &Decrypt,
    owner: &InferenceOwner<SecretBackend>,
) -> Result<String, Failure> {
    let probabilities = owner.plan().spec().sigmoid.is_some();
    let mut text = String::new();
    // Writing to a string does not fail.
    let model = args.scorer.model()?;
    if let Some(measure) = model.as_ref().and_then(|model| model.measure.as_ref()) {
        text += "row,prediction\n";
        for (row, score) in scores.column(0).iter().enumerate() {
            let _ = writeln!(text, "{},{}", row + 1, measure.value(*score));
        }
        return Ok(text);
    }
    let two = model.filter(|model| model.class_names.is_empty());
    if let (Some(model), false) = (two, probabilities) {
        text += "row,score,probability,class\n";
        for (row, score) in scores.column(0).iter().enumerate() {
            let p = model.prediction(*score);
            let class = quoted(&p.class);
            let _ = writeln!(text, "{},{},{},{class}", row + 1, p.score, p.probability);
        }
        return Ok(text);
    }
    let network = args.scorer.network(owner.plan().spec().largest_input)?;
    let classes = network.map_or(vec![], |network| network.classes().to_vec());
    let what = if probabilities {
        "probability"
    } else {
        "score"
    };
    text += "row";
    for column in 0..scores.ncols() {
        let name = classes
            .get(column)
            .map_or(column.to_string(), |c| quoted(c));
        let _ = write!(text, ",{what} {name}");
    }
    text += if classes.is_empty() { "\n" } else { ",class\n" };
    for (row, of) in scores.rows().into_iter().enumerate() {
        let _ = write!(text, "{}", row + 1);
        for score in of {
            let _ = write!(text, ",{score}");
        }
        let best = (0..of.len()).max_by(|&a, &b| of[a].total_cmp(&of[b]));
        if let Some(class) = best.and_then(|best| classes.get(best)) {
            let _ = write!(text, ",{}", quoted(class));
        }
        text.push('\n');
    }
    Ok(text)
}
