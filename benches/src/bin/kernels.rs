//! Where a GPU's time goes: operations of the scheme, latency and throughput, and the device time of every kernel in them.
//!
//! Runs offline; needs nothing but a driver.
#![forbid(unsafe_code)]

use std::time::Instant;

use arras::{Arithmetic, GpuEngine, GpuOptions, ckks::Ciphertext, hal::Backend, secret_backend};
use arras_benches::{Client, Result, Server, calls::calls, sets::Set};
use clap::Parser;

#[derive(Parser)]
#[command(about = "Device time by kernel, from timestamp queries")]
struct Options {
    /// Ring degrees and levels, as LOG_N:LEVELS.
    #[arg(long, value_delimiter = ',', default_value = "15:15,16:34")]
    sets: Vec<Set>,
    /// Only adapters whose name contains this.
    #[arg(long)]
    adapter: Option<String>,
    /// Only 32-bit integers in shaders.
    #[arg(long)]
    portable: bool,
    /// Operations enqueued before one wait, for the throughput.
    #[arg(long, default_value_t = 50)]
    enqueued: usize,
    /// Runs of which the median is given.
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Ciphertexts of a batch.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    batch: Vec<usize>,
    /// Leave out the times of kernels.
    #[arg(long)]
    no_profile: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let open = |profile| {
        GpuEngine::new(&GpuOptions {
            adapter: options.adapter.clone(),
            arithmetic: if options.portable {
                Arithmetic::Portable
            } else {
                Arithmetic::Auto
            },
            profile,
            ..GpuOptions::default()
        })
    };
    let plain = open(false)?;
    println!("{}\n{}", plain.name(), plain.adapter());
    for set in &options.sets {
        let params = set.parameters()?;
        let client = Client::new(&params, secret_backend())?;
        for &batch in &options.batch {
            println!("\n{params}, batch {batch}");
            times(&options, &plain, &client, batch)?;
            if !options.no_profile {
                profile(&open(true)?, &client, batch)?;
            }
        }
    }
    Ok(())
}

/// The server's operands, `batch` times.
fn operands<B: Backend>(server: &Server<B>, batch: usize) -> Result<[Ciphertext<B>; 2]> {
    let repeat = |x: &Ciphertext<B>| Ciphertext::concat(&vec![x; batch]);
    Ok([repeat(&server.x)?, repeat(&server.y)?])
}

/// Compiles, fills the pool, and works for a while: a device that has been idle begins with low clocks.
fn warm_up(engine: &GpuEngine, once: impl Fn() -> arras::ckks::Result<()>) -> Result<()> {
    let start = Instant::now();
    for run in 0.. {
        if run >= 3 && start.elapsed().as_secs_f64() > 0.3 {
            break;
        }
        once()?;
        engine.sync()?;
    }
    Ok(())
}

fn times(
    options: &Options,
    engine: &GpuEngine,
    client: &Client<impl arras::hal::SecretEngine>,
    batch: usize,
) -> Result<()> {
    let server = Server::new(client, engine.clone())?;
    let [x, y] = operands(&server, batch)?;
    println!(
        "{:32} {:>12} {:>12} {:>12} {:>10} {:>8}",
        "operation", "latency us", "enqueued us", "host us", "dispatches", "submits"
    );
    for (name, call) in calls::<GpuEngine>() {
        let once = || call(&server.evaluator, &x, &y);
        warm_up(engine, once)?;
        let mut latency = Vec::new();
        let mut enqueued = Vec::new();
        let mut host = Vec::new();
        let before = (engine.dispatch_count(), engine.submit_count());
        for _ in 0..options.runs {
            let start = Instant::now();
            for _ in 0..options.enqueued {
                once()?;
            }
            host.push(start.elapsed().as_secs_f64() / options.enqueued as f64);
            engine.sync()?;
            enqueued.push(start.elapsed().as_secs_f64() / options.enqueued as f64);
        }
        let total = (options.runs * options.enqueued) as f64;
        let dispatches = (engine.dispatch_count() - before.0) as f64 / total;
        let submits = (engine.submit_count() - before.1) as f64 / total;
        for _ in 0..options.runs {
            let start = Instant::now();
            once()?;
            engine.sync()?;
            latency.push(start.elapsed().as_secs_f64());
        }
        let us = |list: &mut Vec<f64>| {
            list.sort_by(f64::total_cmp);
            list[list.len() / 2] * 1e6
        };
        println!(
            "{name:32} {:12.1} {:12.1} {:12.1} {dispatches:10.1} {submits:8.2}",
            us(&mut latency),
            us(&mut enqueued),
            us(&mut host),
        );
    }
    Ok(())
}

fn profile(
    engine: &GpuEngine,
    client: &Client<impl arras::hal::SecretEngine>,
    batch: usize,
) -> Result<()> {
    const RUNS: u32 = 20;
    let server = Server::new(client, engine.clone())?;
    let [x, y] = operands(&server, batch)?;
    for (name, call) in calls::<GpuEngine>() {
        warm_up(engine, || call(&server.evaluator, &x, &y))?;
        engine.take_profile();
        for _ in 0..RUNS {
            call(&server.evaluator, &x, &y)?;
        }
        engine.sync()?;
        let list = engine.take_profile();
        let total: f64 = list.iter().map(|k| k.time.as_secs_f64()).sum();
        println!(
            "  {name}: {:.1} us on the device",
            total * 1e6 / f64::from(RUNS)
        );
        for kernel in list {
            let time = kernel.time.as_secs_f64() * 1e6 / f64::from(RUNS);
            println!(
                "    {:40} {:8.1} us {:5.1} dispatches {:8} workgroups",
                kernel.kernel,
                time,
                kernel.dispatches as f64 / f64::from(RUNS),
                kernel.workgroups / u64::from(RUNS)
            );
        }
    }
    Ok(())
}
