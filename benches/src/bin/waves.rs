//! Runs a wide circuit batched and not, side by side and not, and prints wall time, work, calls and memory.
//!
//! Run with: cargo run --release -p arras-benches --bin waves -- --out docs/benchmarks
#![forbid(unsafe_code)]

use std::{fs, path::PathBuf};

use arras_benches::{Result, report::Machine, sets, waves};
use clap::Parser;

/// Runs a wide circuit batched and not, side by side and not, and prints wall time, work, calls and memory.
#[derive(Parser)]
struct Arguments {
    /// Base-2 logarithm of the ring degree (13 to 16 have a set that is deep enough).
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: u32,
    /// Independent chains.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    chains: u16,
    /// Runs of each way, after a first one.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Folder for waves.md; without it the page is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)
            .map_err(|error| format!("--out {}: {error}", folder.display()))?;
    }
    let machine = Machine::here();
    let params = sets::standard(arguments.log_n)?;
    let chains = usize::from(arguments.chains);
    let ways = waves::ways(&params, chains, arguments.runs)?;
    let text = waves::page(&ways, &params, chains, &machine);
    print!("{text}");
    if let Some(folder) = &arguments.out {
        fs::write(folder.join("waves.md"), text)?;
        eprintln!("wrote waves.md to {}", folder.display());
    }
    Ok(())
}
