//! Measures the cost tables that come with the crate: the CPU engine, N = 2^13 to 2^16, one thread and all threads. On a machine
//! that does nothing else:
//!
//! ```text
//! cargo run --release -p arras-toolkit --example measure_costs -- toolkit/src/cost/default.json "MACHINE" [SECONDS] [LOG_N ..]
//! ```
//! `MACHINE` describes the machine, `SECONDS` (60) is the time for each table, `LOG_N` (13 14 15 16) the ring degrees, up to 17. Every cost
//! is the median of three runs or more after a warm-up. `lr-train devices --measure` measures likewise, on any engine.
//!
//! Every table is measured by a process of its own: encoding and encryption use the process-wide pool of threads, whose size is
//! settled when a process starts.

use std::{error::Error, process::Command};

use arras_backend_cpu::CpuEngine;
use arras_ckks::Context;
use arras_toolkit::cost::{CostTable, MeasureOptions, measured_parameters};

/// Ring degrees that are measured if none is named.
const LOG_NS: [&str; 4] = ["13", "14", "15", "16"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--table", log_n, threads, machine, seconds] => {
            let table = measure(log_n.parse()?, threads.parse()?, machine, seconds.parse()?)?;
            println!("{}", table.to_json()?);
            Ok(())
        }
        [path, machine] => all(path, machine, "60", &LOG_NS),
        [path, machine, seconds] => all(path, machine, seconds, &LOG_NS),
        [path, machine, seconds, log_ns @ ..] => all(path, machine, seconds, log_ns),
        _ => Err("usage: measure_costs OUT.json MACHINE [SECONDS] [LOG_N ..]".into()),
    }
}

fn measure(
    log_n: u32,
    threads: usize,
    machine: &str,
    seconds: f64,
) -> Result<CostTable, Box<dyn Error>> {
    let params = measured_parameters(log_n)?;
    let context = Context::new(&params, CpuEngine::with_threads(threads)?)?;
    let mut options = MeasureOptions::new(params.max_level(), threads, machine);
    options.seconds = seconds;
    Ok(CostTable::measure(&context, &options)?)
}

/// One process for each table; one line of the file for each.
fn all(path: &str, machine: &str, seconds: &str, log_ns: &[&str]) -> Result<(), Box<dyn Error>> {
    let cores = std::thread::available_parallelism()?.get();
    let mut threads = vec![1, cores];
    threads.dedup();
    let mut tables = Vec::new();
    for log_n in log_ns {
        for threads in threads.iter().map(usize::to_string) {
            eprintln!("N = 2^{log_n}, {threads} threads ..");
            let child = Command::new(std::env::current_exe()?)
                .args(["--table", log_n, &threads, machine, seconds])
                .env("RAYON_NUM_THREADS", &threads)
                .output()?;
            if !child.status.success() {
                return Err(String::from_utf8_lossy(&child.stderr).into());
            }
            let json = String::from_utf8(child.stdout)?.trim().to_owned();
            eprintln!("  {}", CostTable::from_json(&json)?.summary());
            tables.push(json);
        }
    }
    std::fs::write(path, format!("[\n{}\n]\n", tables.join(",\n")))?;
    Ok(())
}
