//! What the host needs to keep a device at work: processor time of the thread that records, by operation and for a training run.
//!
//! Runs on software Vulkan too: what the device computes is not counted, though it disturbs the caches of the same processor. Linux only.
#![forbid(unsafe_code)]

use std::fs;

use arras::{CpuEngine, GpuEngine, GpuOptions, hal::Backend, secret_backend};
use arras_benches::{
    Client, Result, Server,
    calls::calls,
    resident::{Prepared, Size},
    sets::Set,
};
use clap::Parser;
use lr_train::circuits::Kind;

#[derive(Parser)]
#[command(about = "Processor time of the thread that records operations for a device")]
struct Options {
    /// Ring degrees and levels, as LOG_N:LEVELS.
    #[arg(long, value_delimiter = ',', default_value = "14:5,15:15")]
    sets: Vec<Set>,
    /// Only adapters whose name contains this.
    #[arg(long)]
    adapter: Option<String>,
    /// Operations between two waits.
    #[arg(long, default_value_t = 12)]
    enqueued: usize,
    /// Runs of which the least is given: what disturbs a thread only adds.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Leave out the training run (six minibatches of 64 rows and 196 features, single-chain).
    #[arg(long)]
    no_training: bool,
}

/// Seconds that this thread has run.
fn processor_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    Ok(first.parse::<f64>()? * 1e-9)
}

/// Least seconds of `run`, until its work is with the driver and done, and the dispatches of one of them.
fn least(
    engine: &GpuEngine,
    runs: usize,
    mut run: impl FnMut() -> Result<()>,
) -> Result<(f64, u64)> {
    run()?;
    engine.sync()?;
    let before = engine.dispatch_count();
    let mut least = f64::INFINITY;
    let runs = runs.max(1);
    for _ in 0..runs {
        let start = processor_seconds()?;
        run()?;
        engine.sync()?;
        least = least.min(processor_seconds()? - start);
    }
    Ok((least, (engine.dispatch_count() - before) / runs as u64))
}

fn main() -> Result<()> {
    let options = Options::parse();
    let engine = GpuEngine::new(&GpuOptions {
        adapter: options.adapter.clone(),
        ..GpuOptions::default()
    })?;
    println!("{}", engine.adapter());
    println!(
        "{:50} {:>10} {:>10} {:>14}",
        "operation", "dispatches", "host us", "us a dispatch"
    );
    let show = |what: &str, calls: usize, (time, dispatches): (f64, u64)| {
        println!(
            "{what:50} {:10} {:10.1} {:14.2}",
            dispatches / calls as u64,
            time * 1e6 / calls as f64,
            time * 1e6 / dispatches as f64,
        );
    };
    for set in &options.sets {
        let client = Client::new(&set.parameters()?, secret_backend())?;
        let server = Server::new(&client, engine.clone())?;
        let enqueued = options.enqueued.max(1);
        for (name, call) in calls() {
            let time = least(&engine, options.runs, || {
                for _ in 0..enqueued {
                    call(&server.evaluator, &server.x, &server.y)?;
                }
                Ok(())
            })?;
            show(&format!("{set}: {name}"), enqueued, time);
        }
    }
    if !options.no_training {
        let size = Size {
            iterations: 6,
            rows: 64,
            features: 196,
        };
        let prepared = Prepared::new(Kind::SingleChain, size, CpuEngine::new())?;
        let (resident, _) = prepared.load(engine.clone(), 1)?;
        let time = least(&engine, options.runs, || resident.seconds().map(drop))?;
        show("training, single-chain, six minibatches", 1, time);
    }
    Ok(())
}
