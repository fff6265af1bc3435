//! Measures the cost tables that come with the crate: the CPU engine, N = 2^13 to 2^16, one thread and all threads.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example measure_costs -- OUT.json "MACHINE" [SECONDS] [LOG_N ..]
//! ```
//! `MACHINE` describes the machine, `SECONDS` (60) is the time for each table, `LOG_N` (13 14 15 16) the ring degrees. The file in
//! the crate is `toolkit/src/cost/default.json`.
//!
//! Every table is measured by a process of its own: encoding and encryption use the process-wide pool of threads, whose size is
//! settled when a process starts.

use std::{error::Error, process::Command};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, params::ParametersBuilder};
use arras_toolkit::cost::{CostTable, MeasureOptions};

/// Levels of each ring degree: about the most that 128 bits of security leave with four digits.
const LEVELS: [(u32, usize); 4] = [(13, 2), (14, 6), (15, 15), (16, 34)];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--table", log_n, threads, machine, seconds] => {
            let table = measure(log_n.parse()?, threads.parse()?, machine, seconds.parse()?)?;
            println!("{}", table.to_json()?);
            Ok(())
        }
        [path, machine] => all(path, machine, "60", &[]),
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
    let levels = LEVELS.iter().find(|(n, _)| *n == log_n);
    let (_, levels) = levels.ok_or("ring degrees are 13 to 16")?;
    let params = ParametersBuilder::new(log_n).levels(*levels).build()?;
    let context = Context::new(&params, CpuEngine::with_threads(threads)?)?;
    let mut options = MeasureOptions::new(*levels, threads, machine);
    options.seconds = seconds;
    Ok(CostTable::measure(&context, &options)?)
}

/// One process for each table; one line of the file for each.
fn all(path: &str, machine: &str, seconds: &str, log_ns: &[&str]) -> Result<(), Box<dyn Error>> {
    let cores = std::thread::available_parallelism()?.get();
    let mut threads = vec![1, cores];
    threads.dedup();
    let wanted = |log_n: &u32| log_ns.is_empty() || log_ns.contains(&log_n.to_string().as_str());
    let mut tables = Vec::new();
    for log_n in LEVELS.iter().map(|(log_n, _)| *log_n).filter(wanted) {
        for threads in threads.iter().map(usize::to_string) {
            eprintln!("N = 2^{log_n}, {threads} threads ..");
            let child = Command::new(std::env::current_exe()?)
                .args(["--table", &log_n.to_string(), &threads, machine, seconds])
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
