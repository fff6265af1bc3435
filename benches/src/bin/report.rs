//! Measures every operation at several ring degrees and prints tables of times, sizes and precisions.
//!
//! Run with: cargo run --release -p arras-benches --bin report -- --out docs/benchmarks
#![forbid(unsafe_code)]

use std::{fs, path::PathBuf};

use arras::{CpuEngine, hal::Backend};
use arras_benches::{
    Result,
    report::{Engine, Machine, Report, markdown, measure_set},
    sets,
};
use clap::Parser;

/// Measures every operation at several ring degrees and prints tables of times, sizes and precisions.
#[derive(Parser)]
struct Arguments {
    /// Base-2 logarithms of the ring degrees (13 to 16 have a set that is deep enough).
    #[arg(long, value_delimiter = ',', default_value = "14,15,16", value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: Vec<u32>,
    /// Numbers of threads, a column each.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Seconds to repeat each operation for.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Folder for report.md and report.json; without it the report is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    // A mistyped number of threads or an unwritable folder is found out now and not after the measurements.
    let engines = arguments
        .threads
        .iter()
        .map(|&threads| {
            let name = CpuEngine::with_threads(threads)?.name();
            Ok(Engine { name, threads })
        })
        .collect::<Result<Vec<_>>>()?;
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)
            .map_err(|error| format!("--out {}: {error}", folder.display()))?;
    }
    let machine = Machine::here();
    let mut reports = Vec::new();
    for &log_n in &arguments.log_n {
        let params = sets::standard(log_n)?;
        reports.push(measure_set(
            &params,
            &arguments.threads,
            arguments.seconds,
            &|what| eprintln!("{what}"),
        )?);
    }
    let report = Report {
        machine,
        engines,
        seconds_per_operation: arguments.seconds,
        sets: reports,
    };
    let text = markdown(&report);
    print!("{text}");
    if let Some(folder) = &arguments.out {
        fs::write(folder.join("report.md"), text)?;
        let json = serde_json::to_string_pretty(&report)?;
        fs::write(folder.join("report.json"), json + "\n")?;
        eprintln!("wrote report.md and report.json to {}", folder.display());
    }
    Ok(())
}
