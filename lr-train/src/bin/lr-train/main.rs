//! `lr-train`: logistic and linear models on encrypted data, one verb per step of the exchange.
//!
//! ```text
//!   client   plan -> keygen -> encrypt ----------> refresh (between rounds) --> decrypt -> evaluate, predict
//!                       |         |                 ^    |                        ^
//!   files            keys/eval  data.arras       state  state                  result
//!                       v         v                 |    v                        |
//!   server          train ------------------------------------------------------->
//! ```
//! `infer` has an exchange of its own, by which encrypted rows are scored.
//! Verbs live in a file each; [`sources`] reads data, [`output`] speaks to people and programs,
//! [`failure`] says what an exit code means.
#![forbid(unsafe_code)]

mod choosing;
mod decrypt;
mod demo;
mod devices;
mod encrypt;
mod engines;
mod evaluate;
mod failure;
mod incoming;
mod infer;
mod inspect;
mod keygen;
mod output;
mod plan;
mod predict;
mod refresh;
mod run;
mod secrecy;
mod self_test;
mod signals;
mod sources;
mod train;
mod trying;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};

use crate::{
    failure::Failure,
    output::{Answer, Output},
};

const EXAMPLES: &str = "\
Examples (client and server may be two machines; only keys/eval and *.arras travel):
  lr-train demo
  lr-train run     --data train.csv --label diagnosis --out diagnosis                  (all that follows, on this machine)
  lr-train try     --data train.csv --label diagnosis                                (which settings suit the data, in the clear)
  lr-train plan    --data train.csv --label diagnosis --out plan.toml                (searches them, too: --settings fixed does not)
  lr-train keygen  --plan plan.toml --out keys
  lr-train encrypt --keys keys --data train.csv --label diagnosis --out data.arras
  lr-train train   --eval-keys keys/eval --data data.arras --out result.arras        (on the server)
  lr-train decrypt --keys keys --result result.arras --out model.json
  lr-train evaluate --model model.json --data test.csv --label diagnosis
  lr-train infer plan --model model.json --rows 1000 --out scoring.toml                (score encrypted rows: infer --help)

Exit codes:
  0  done
  1  failed: engine, memory, anything not below
  2  wrong usage
  3  bad data: not a number, one class only, columns that differ from the model's, more rows or features than the plan holds
  4  a file is damaged, belongs to another plan, other keys or another data set, or is not the result that comes next
  5  a file cannot be read or written, or already exists (--force replaces it)
  6  no plan: too many iterations for the levels, too large a minibatch, a parameter outside its range, or a training that is
     predicted to fail (plan --force writes it all the same)
  130, 143  stopped by Ctrl-C (SIGINT), by SIGTERM: outputs are as they were, run the verb again; a second Ctrl-C ends it at once";

/// Trains logistic and linear models on data that stays encrypted, and scores rows that do.
#[derive(Debug, Parser)]
#[command(name = "lr-train", version, about, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    /// Print one JSON object instead of text, without progress
    #[arg(long, global = true)]
    json: bool,
    /// Print no progress and no notes
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Run(run::RunArgs),
    Try(trying::Try),
    Plan(plan::PlanArgs),
    Keygen(keygen::Keygen),
    Encrypt(encrypt::Encrypt),
    Train(train::Train),
    Refresh(refresh::Refresh),
    Decrypt(decrypt::Decrypt),
    Evaluate(evaluate::Evaluate),
    Predict(predict::Predict),
    Infer(infer::Infer),
    Inspect(inspect::Inspect),
    Devices(devices::Devices),
}

impl Verb {
    /// What it is called.
    fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Run(_) => "run",
            Self::Try(_) => "try",
            Self::Plan(_) => "plan",
            Self::Keygen(_) => "keygen",
            Self::Encrypt(_) => "encrypt",
            Self::Train(_) => "train",
            Self::Refresh(_) => "refresh",
            Self::Decrypt(_) => "decrypt",
            Self::Evaluate(_) => "evaluate",
            Self::Predict(_) => "predict",
            Self::Infer(_) => "infer",
            Self::Inspect(_) => "inspect",
            Self::Devices(_) => "devices",
        }
    }

    /// Whether it has keys, models or data in memory.
    fn is_client_s(&self) -> bool {
        match self {
            Self::Train(_) | Self::Inspect(_) | Self::Devices(_) => false,
            Self::Infer(infer) => infer.is_client_s(),
            _ => true,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Arc::new(Output::new(cli.json, cli.quiet));
    if cli.verb.is_client_s() {
        secrecy::no_core_dumps();
    }
    let verb = cli.verb.name();
    signals::listen(verb, output.clone());
    let answer = match &cli.verb {
        Verb::Demo(args) => demo::run(args, &output),
        Verb::Run(args) => run::run(args, &output),
        Verb::Try(args) => trying::run(args, &output),
        Verb::Plan(args) => plan::run(args, &output),
        Verb::Keygen(args) => keygen::run(args, &output),
        Verb::Encrypt(args) => encrypt::run(args, &output),
        Verb::Train(args) => train::run(args, &output),
        Verb::Refresh(args) => refresh::run(args, &output),
        Verb::Decrypt(args) => decrypt::run(args, &output),
        Verb::Evaluate(args) => evaluate::run(args, &output),
        Verb::Predict(args) => predict::run(args, &output),
        Verb::Infer(args) => infer::run(args, &output),
        Verb::Inspect(args) => inspect::run(args, &output),
        Verb::Devices(args) => devices::run(args, &output),
    };
    signals::answering();
    let answered = answer.and_then(|answer: Answer| output.answer(verb, answer));
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let failure = failure.explained();
            output.failure(verb, &failure);
            ExitCode::from(failure.code())
        }
    }
}

type Done = Result<Answer, Failure>;
