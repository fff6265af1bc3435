//! Measures how cost grows with ring degree, levels, batch and threads, draws it beside its model, and makes the planner's cost tables.
//!
//! Run with: cargo run --release -p arras-benches --bin scaling -- --out docs/benchmarks --costs toolkit/src/cost/default.json
#![forbid(unsafe_code)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use arras::{
    CpuEngine,
    ckks::Context,
    toolkit::cost::{CostTable, MeasureOptions, measured_parameters},
};
use arras_benches::{
    Result,
    scaling::{Settings, measure},
    suite::thread_counts,
    training::{make_folder, write},
};
use clap::Parser;
use lr_train::report::Machine;

/// Ring degrees of the cost tables, by their base-2 logarithms.
const TABLES: [u32; 4] = [13, 14, 15, 16];

/// Measures how cost grows, and makes cost tables.
#[derive(Parser)]
struct Arguments {
    /// Seconds for each point of a curve.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Folder for scaling.md, scaling.json and scaling.svg; without it the page is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// File for the cost tables of the planner (toolkit/src/cost/default.json); without it none are made.
    #[arg(long)]
    costs: Option<PathBuf>,
    /// Seconds for each cost table.
    #[arg(long, default_value_t = 60.0)]
    cost_seconds: f64,
    /// Small rings, short runs: whether everything works, in seconds.
    #[arg(long)]
    smoke: bool,
    /// Measure one table, of this ring degree and so many threads, and print it: what the program starts itself with.
    #[arg(long, hide = true, num_args = 2, value_names = ["LOG_N", "THREADS"])]
    table: Option<Vec<u32>>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    let tables = if arguments.smoke {
        &TABLES[..1]
    } else {
        &TABLES[..]
    };
    let cost_seconds = if arguments.smoke {
        0.0
    } else {
        arguments.cost_seconds
    };
    if let Some([log_n, threads]) = arguments.table.as_deref() {
        let table = cost_table(*log_n, usize::try_from(*threads)?, cost_seconds)?;
        println!("{table}");
        return Ok(());
    }
    if let Some(folder) = &arguments.out {
        make_folder(folder)?;
    }
    let settings = if arguments.smoke {
        Settings {
            log_n: vec![13, 14],
            reference: 13,
            level: 1,
            batches: vec![1, 2],
            seconds: 0.001,
        }
    } else {
        Settings {
            log_n: vec![13, 14, 15, 16],
            reference: 15,
            level: 2,
            batches: vec![1, 2, 4, 8, 16, 32],
            seconds: arguments.seconds,
        }
    };
    let scaling = measure(&settings, &|what| eprintln!("{what}"))?;
    let text = scaling.to_markdown();
    print!("{text}");
    if let Some(folder) = &arguments.out {
        write(folder, "scaling.md", &text)?;
        write(folder, "scaling.svg", &scaling.to_svg()?)?;
        let json = serde_json::to_string_pretty(&scaling)?;
        write(folder, "scaling.json", &(json + "\n"))?;
    }
    match &arguments.costs {
        Some(path) => cost_tables(path, tables),
        None => Ok(()),
    }
}

fn cost_table(log_n: u32, threads: usize, seconds: f64) -> Result<String> {
    let params = measured_parameters(log_n)?;
    let context = Context::new(&params, CpuEngine::with_threads(threads)?)?;
    let mut options = MeasureOptions::new(params.max_level(), threads, Machine::here().cpu);
    options.seconds = seconds;
    Ok(CostTable::measure(&context, &options)?.to_json()?)
}

/// One process for each table: encoding and encryption use the process-wide pool of threads, whose size is settled when a process
/// starts. One line of the file for each.
fn cost_tables(path: &Path, tables: &[u32]) -> Result<()> {
    let mut lines = Vec::new();
    for log_n in tables {
        for threads in thread_counts() {
            eprintln!("cost table, N = 2^{log_n}, {threads} threads");
            let output = Command::new(env::current_exe()?)
                .args(env::args_os().skip(1))
                .args(["--table", &log_n.to_string(), &threads.to_string()])
                .env("RAYON_NUM_THREADS", threads.to_string())
                .stderr(Stdio::inherit())
                .output()?;
            if !output.status.success() {
                return Err(format!("cost table of 2^{log_n}: {}", output.status).into());
            }
            let json = String::from_utf8(output.stdout)?.trim().to_owned();
            eprintln!("  {}", CostTable::from_json(&json)?.summary());
            lines.push(json);
        }
    }
    fs::write(path, format!("[\n{}\n]\n", lines.join(",\n")))
        .map_err(|error| format!("--costs {}: {error}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
