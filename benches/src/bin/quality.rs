//! What encrypted training learns: MNIST 3 against 8 by refresh rounds, and five clinical sets, beside training on plaintexts.
//!
//! Run with: cargo run --release -p arras-benches --bin quality -- --out docs/benchmarks
#![forbid(unsafe_code)]

use std::path::PathBuf;

use arras_benches::{
    Result,
    training::{
        data, make_folder,
        quality::{Plan, Qualities, Score},
        write,
    },
};
use clap::Parser;
use lr_train::data::builtin;

/// Trains encrypted and on plaintexts and compares what was learned; fails if a bound is not kept.
#[derive(Parser)]
struct Arguments {
    /// Folder with `mnist/` and `clinical/` in it [default: the variable ARRAS_DATA, then ../shared/data].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder for quality.md and quality.json; without it the table is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Train folds on plaintexts alone.
    #[arg(long)]
    plain_folds: bool,
    /// Built-in data, two iterations: whether everything works, in seconds.
    #[arg(long, alias = "quick")]
    smoke: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.out {
        make_folder(folder)?;
    }
    let mut qualities = Qualities::new();
    let progress = |what: &str| eprintln!("{what}");
    if arguments.smoke {
        let plan = Plan {
            images: (2, 16),
            clinical: 2,
            log_n: 14..=15,
            encrypted_folds: false,
        };
        qualities.images(&data::digits()?, &plan, None)?;
        qualities.full_batch("breast cancer", &builtin::breast_cancer()?, None, &plan)?;
    } else {
        let plan = Plan {
            images: (32, 128),
            clinical: 7,
            log_n: 15..=16,
            encrypted_folds: !arguments.plain_folds,
        };
        let folder = data::folder(arguments.data);
        let images = data::mnist_or_digits(&folder)?;
        progress(&images.name);
        let least = Score {
            accuracy: 0.96,
            auc: 0.99,
        };
        qualities.images(&images, &plan, (!images.built_in).then_some(least))?;
        qualities.clinical(&folder, &plan, &progress)?;
    }
    println!("{}", qualities.to_text());
    if let Some(folder) = &arguments.out {
        write(folder, "quality.md", &qualities.to_markdown())?;
        let json = serde_json::to_string_pretty(&qualities)?;
        write(folder, "quality.json", &(json + "\n"))?;
    }
    if !qualities.passed() {
        return Err("a bound was not kept: see FAILED above".into());
    }
    Ok(())
}
