//! `infer`: scores of encrypted rows, one step of the exchange for each verb below it.

mod owner;
mod plan;
mod service;

use std::path::{Path, PathBuf};

use arras::ckks::wire::read_bounded;
use clap::{Args, Subcommand};
use lr_train::{
    inference::{Network, Weights},
    trainer::{Model, files::load_model},
};

use crate::{
    Done,
    failure::Failure,
    output::Output,
    sources::{Named, named},
};

/// Score encrypted rows by a model or a small network, with weights in the clear or encrypted
#[derive(Debug, Args)]
#[command(after_help = "\
Weights in the clear: the service has the model, the client has the rows. Encrypted weights: the client has both, and the service sees neither.

Examples:
  lr-train infer plan    --network network.json --rows 256 --out scoring.toml                   (service; with --weights encrypted the client)
  lr-train infer keygen  --plan scoring.toml --out keys                                         (client)
  lr-train infer encrypt --keys keys --data new.csv --out rows.arras                            (client; of a model: --model model.json)
  lr-train infer encrypt --keys keys --network network.json --out weights.arras                 (client, for encrypted weights)
  lr-train infer score   --eval-keys keys/eval --rows rows.arras --network network.json --out scores.arras      (service; or --weights weights.arras)
  lr-train infer decrypt --keys keys --request rows.arras --scores scores.arras                 (client)

A network is JSON: {\"version\": 1, \"layers\": [{\"weights\": [[..], ..], \"bias\": [..], \"activation\": \"square\"}, ..]}, a row of weights for each input, as
scikit-learn's coefs_ are and PyTorch's weights transposed; \"input-scale\" is what rows are multiplied by, \"largest-input\" what their
entries are at most then, \"classes\" names the outputs. examples/train_square_network.py makes one.")]
pub(crate) struct Infer {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Plan(plan::PlanArgs),
    Keygen(owner::Keygen),
    Encrypt(owner::Encrypt),
    Score(service::Score),
    Decrypt(owner::Decrypt),
}

impl Infer {
    /// Whether it has keys, weights or rows in memory.
    pub(crate) fn is_client_s(&self) -> bool {
        !matches!(self.verb, Verb::Score(_))
    }
}

pub(crate) fn run(args: &Infer, output: &Output) -> Done {
    match &args.verb {
        Verb::Plan(args) => plan::run(args),
        Verb::Keygen(args) => owner::make_keys(args, output),
        Verb::Encrypt(args) => owner::encrypt(args, output),
        Verb::Score(args) => service::run(args, output),
        Verb::Decrypt(args) => owner::decrypt(args),
    }
}

const WEIGHTS: [Named<Weights>; 2] = [("plain", Weights::Plain), ("encrypted", Weights::Encrypted)];

/// What rows are scored by.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub(super) struct Scorer {
    /// Model in JSON, as `decrypt` writes it
    #[arg(long)]
    model: Option<PathBuf>,
    /// Network in JSON
    #[arg(long)]
    network: Option<PathBuf>,
}

/// The most bytes of a network in JSON.
const NETWORK_BYTES: u64 = 1 << 25;

impl Scorer {
    fn is_none(&self) -> bool {
        self.model.is_none() && self.network.is_none()
    }

    fn model(&self) -> Result<Option<Model>, Failure> {
        Ok(self.model.as_deref().map(load_model).transpose()?)
    }

    /// The network, or that of the model for normalized entries up to `largest`; none if neither is given.
    fn network(&self, largest: f64) -> Result<Option<Network>, Failure> {
        if let Some(model) = self.model()? {
            return Ok(Some(Network::of_model(&model, largest)?));
        }
        self.network.as_deref().map(read_network).transpose()
    }
}

fn read_network(file: &Path) -> Result<Network, Failure> {
    let bytes = read_bounded(file, NETWORK_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Failure::file(file, format!("is not text ({error})")))?;
    Network::from_json(&text).map_err(Failure::in_file(file))
}
