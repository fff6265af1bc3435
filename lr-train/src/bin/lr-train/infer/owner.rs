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
    keygen,
    output::{Answer, Output, claim, claim_private, overwrite, path},
    predict::{self, quoted},
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

pub(super) fn make_keys(args: &Keygen, output: &Output) -> Done {
    let bytes = arras::ckks::wire::read_bounded(&args.plan, PLAN_BYTES)?;
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
    let (id, plan) = (owner.key_set_id(), owner.plan().id());
    let next = ("service", "infer encrypt", "rows.arras");
    Ok(keygen::answer(&args.out, &folder, (id, plan), &keys, next))
}

/// The most bytes of a plan.
const PLAN_BYTES: u64 = 1 << 22;

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
        Some(source) => {
            expect_model(&args.scorer, owner.plan())?;
            owner.encrypt(&rows(source, &args.scorer, output)?)?
        }
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

/// Rows of a model are normalized by it, and no others.
fn expect_model(scorer: &Scorer, plan: &InferencePlan) -> Result<(), Failure> {
    match (plan.spec().of_model, scorer.model.is_some()) {
        (true, false) => Err(Failure::Usage(
            "the plan is of a trained model, by which rows are normalized: give it with --model FILE".into(),
        )),
        (false, true) => Err(Failure::Usage(
            "the plan is of a network, which takes rows as they are: leave --model out".into(),
        )),
        _ => Ok(()),
    }
}

/// Rows as they are to be encrypted: normalized by the model if there is one.
fn rows(source: &Source, scorer: &Scorer, output: &Output) -> Result<Array2<f64>, Failure> {
    let model = scorer.model()?;
    let known = model.as_ref().map_or_else(Known::nothing, Known::of_model);
    let table = source.read_table(known)?;
    source.say(&table, output);
    let left_out = table.reading().map_or(&[][..], |r| &r.rows_left_out);
    if let Some(first) = left_out.first() {
        return Err(Failure::Usage(format!(
            "{} rows, the first of them number {}, have missing values and would be left out, and scores come back without the numbers of rows: take those rows out of the file, or a              model of --missing-values impute",
            left_out.len(),
            first + 1
        )));
    }
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
    // Writing to a string does not fail.
    let mut text = String::new();
    let network = args.scorer.network(owner.plan().spec().largest_input)?;
    if let Some(network) = &network {
        let (found, given) = (scores.ncols(), network.outputs());
        if found != given {
            let reason = format!(
                "have {found} scores for each row, and what they are to be read by makes {given}: name the model or network by which they were made"
            );
            return Err(Failure::file(&args.scores, reason));
        }
    }
    if let (Some(model), false) = (args.scorer.model()?, probabilities) {
        return Ok(predict::told(&model, scores, 0..).0);
    }
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
