//! `train`: the server's part.

use std::path::{Path, PathBuf};

use arras::toolkit::{plan::ServerMemory, run::RunReport, text};
use clap::Args;
use lr_train::{
    report::peak_memory,
    trainer::{
        TrainingPlan, TrainingServer,
        files::{
            Content, DatasetFile, Holds, inspect, load_evaluation, load_state, save_result, verify,
        },
    },
};
use serde_json::json;

use crate::{
    Done,
    engines::EngineChoice,
    failure::Failure,
    output::{Answer, Output, claim, file_bytes, path},
    signals,
};

/// Server: train one round on ciphertexts; needs no secret key
#[derive(Debug, Args)]
#[command(after_help = "\
The result is a model in the last round, and a state to be refreshed by the client in the others. It appears whole or not at all: if
the process ends early, run it again. With --resume it is left alone if it is there already, of this round.

Examples:
  lr-train train --eval-keys eval --data data.arras --out result.arras
  lr-train train --eval-keys eval --data data.arras --state state-2.arras --out result-2.arras --engine gpu")]
pub(crate) struct Train {
    /// Folder of evaluation keys, which also holds the plan
    #[arg(long)]
    eval_keys: PathBuf,
    /// File of encrypted data
    #[arg(long)]
    data: PathBuf,
    /// State from `refresh`; none in the first round
    #[arg(long)]
    state: Option<PathBuf>,
    /// Result to write
    #[arg(long)]
    out: PathBuf,
    /// Replace the result
    #[arg(long)]
    force: bool,
    /// Do nothing if the result of this round and data already exists
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    engine: EngineChoice,
}

pub(crate) fn run(args: &Train, output: &Output) -> Done {
    let engine = args.engine.open()?;
    output.note(format_args!("engine: {engine}"));
    output.note(secret_note(&args.eval_keys));
    let (plan, keys) = load_evaluation(&args.eval_keys, false)
        .map_err(|error| inner_folder(&args.eval_keys).unwrap_or(error.into()))?;
    let id = keys.id();
    let data = DatasetFile::open(&args.data, &plan, id)?;
    let state = args
        .state
        .as_deref()
        .map(|file| load_state(file, &plan, id))
        .transpose()?;
    let round = state.as_ref().map_or(0, |state| state.round);
    if args.resume && args.out.exists() {
        let found = inspect(&args.out)?;
        let is_result = matches!(
            found.holds,
            Holds::Round { round: of, content: Content::Weights | Content::State } if of == round
        );
        if is_result && found.origin == data.origin() {
            verify(&args.out)?;
            return Ok(answer(args, round, plan.rounds().len(), None, &engine));
        }
        let reason = format!(
            "is not the result of round {} of these data; name another file, or use --force to replace it",
            round + 1
        );
        return Err(Failure::file(&args.out, reason));
    }
    let out = claim(&args.out, args.force)?;
    let needed = make_room(&engine, &plan, round, output)?;
    let (progress, options) = output.watched("training");
    let options = options.with_stop_token(signals::token());
    let planned = needed.total();
    let server = TrainingServer::new(plan, keys, engine.backend().clone(), options)?;
    let result = server.train(&data.round(round)?, state.as_ref())?;
    save_result(server.plan(), &result, out)?;
    let rounds = server.plan().rounds().len();
    drop((server, progress));
    let memory = Memory {
        peak: peak_memory(),
        planned,
    };
    let run = result.report.as_ref().map(|report| (report, memory));
    Ok(answer(args, round, rounds, run, &engine))
}

/// Has the engine keep the memory of a round.
///
/// # Errors
/// [`Failure::Room`].
pub(crate) fn make_room(
    engine: &arras::Engine,
    plan: &TrainingPlan,
    round: usize,
    output: &Output,
) -> Result<ServerMemory, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let needed = plan.server_memory(round, threads)?;
    output.note(format_args!(
        "memory needed: {}, of which the engine takes {} ({needed})",
        text::bytes(needed.total()),
        text::bytes(needed.on_engine()),
    ));
    let room = needed.on_engine();
    let made = engine.make_room(room);
    made.map_err(|error| Failure::Room {
        needed: room,
        error,
    })?;
    Ok(needed)
}

/// Bytes of memory.
#[derive(Clone, Copy)]
struct Memory {
    /// The most that this process has had, if the system says.
    peak: Option<u64>,
    /// What the plan says.
    planned: u64,
}

/// What is to be said of a folder that holds the folder asked for.
fn inner_folder(keys: &Path) -> Option<Failure> {
    let eval = keys.join("eval");
    let is_outer = !keys.join("plan.toml").exists() && eval.is_dir();
    let reason = format!(
        "holds the evaluation keys in a folder of their own; say --eval-keys {}",
        eval.display()
    );
    is_outer.then(|| Failure::file(keys, reason))
}

/// What a server should hear about secrets.
pub(crate) fn secret_note(eval: &Path) -> String {
    let secret = eval
        .parent()
        .map(|keys| keys.join("secret").join("secret-key.arras"))
        .filter(|file| file.exists());
    match secret {
        None => "secret key: not here and not needed".to_owned(),
        Some(file) => format!(
            "secret key: not needed and not read, but {} is next to the evaluation keys; it must never be on a server",
            file.display()
        ),
    }
}

fn answer(
    args: &Train,
    round: usize,
    rounds: usize,
    run: Option<(&RunReport, Memory)>,
    engine: &arras::Engine,
) -> Answer {
    let finished = round + 1 == rounds;
    let bytes = file_bytes(&args.out);
    let mut text = match &run {
        Some((report, memory)) => format!(
            "round {} of {rounds} trained in {}\n{report}\nmemory of the process: {}, planned: {}\n",
            round + 1,
            text::seconds(report.seconds),
            memory.peak.map_or("unknown".to_owned(), text::bytes),
            text::bytes(memory.planned)
        ),
        None => format!(
            "round {} of {rounds}: the result already exists and is complete\n",
            round + 1
        ),
    };
    let out = args.out.display();
    text += &format!(
        "{out}: an encrypted {}, {}\n",
        if finished { "model" } else { "state" },
        text::bytes(bytes)
    );
    text += &if finished {
        format!("next, at the client: lr-train decrypt --keys keys --result {out} --out model.json")
    } else {
        format!("next, at the client: lr-train refresh --keys keys --state {out} --out state.arras")
    };
    let json = json!({
        "round": round,
        "rounds": rounds,
        "finished": finished,
        "resumed": run.is_none(),
        "report": run.map(|(report, _)| report),
        "peak-memory-bytes": run.and_then(|(_, memory)| memory.peak),
        "planned-memory-bytes": run.map(|(_, memory)| memory.planned),
        "engine": engine.to_string(),
        "bytes": bytes,
        "out": path(&args.out),
    });
    Answer::new(text, json)
}
