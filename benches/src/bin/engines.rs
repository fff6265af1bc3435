//! Measures the same operations on the CPU and the GPU engine and prints them side by side, with the device's limits.
//!
//! Run with: cargo run --release -p arras-benches --features gpu --bin engines -- --out docs/benchmarks
//!
//! The program needs nothing but itself and a driver: it can be copied to a machine without network and without this repository.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use arras_benches::{
    Result,
    engines::{Engines, Settings, compare},
    training::{make_folder, write},
};
use clap::Parser;

/// Measures the same operations on every engine.
#[derive(Parser)]
struct Arguments {
    /// Small rings, short runs: whether everything works, as on software Vulkan.
    #[arg(long)]
    quick: bool,
    /// Seconds for each row of each engine [default: 0.5, and 0.05 with --quick].
    #[arg(long)]
    seconds: Option<f64>,
    /// 32-bit integers on the GPU, as a browser has.
    #[arg(long)]
    portable: bool,
    /// Only adapters whose name contains this.
    #[arg(long)]
    adapter: Option<String>,
    /// Without the CPU engine.
    #[arg(long)]
    gpu_only: bool,
    /// Folder for engines.md and engines.json, written after every part; without it the tables are only printed.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    if let Some(folder) = &arguments.out {
        make_folder(folder)?;
    }
    let settings = Settings {
        quick: arguments.quick,
        seconds: arguments
            .seconds
            .unwrap_or(if arguments.quick { 0.05 } else { 0.5 }),
        portable: arguments.portable,
        adapter: arguments.adapter,
        gpu_only: arguments.gpu_only,
    };
    let save = |engines: &Engines| -> Result<()> {
        let Some(folder) = &arguments.out else {
            return Ok(());
        };
        write(folder, "engines.md", &engines.to_markdown())?;
        let json = serde_json::to_string_pretty(engines)?;
        write(folder, "engines.json", &(json + "\n"))
    };
    let engines = compare(&settings, &|what| eprintln!("{what}"), &save)?;
    print!("{}", engines.to_markdown());
    if engines.failures.is_empty() {
        return Ok(());
    }
    Err(format!("{} failures: see FAILED above", engines.failures.len()).into())
}
