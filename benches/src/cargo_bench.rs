//! The Criterion benches: the lists of operations on several engines and sizes, and linear algebra of the toolkit.

use std::{env, time::Duration};

use arras::{
    CpuEngine,
    hal::{Reference, SecretEngine},
};
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};

pub use crate::linear_algebra::bench as toolkit;
use crate::{
    Client, Operation, Result, Server, parameter_sets,
    process::{host_threads, thread_counts},
    ring::RingData,
    scheme::{client_operations, server_operations},
    transfers,
};

/// Whether every benchmark runs once only: as Criterion decides it, by `--test` or by the absence of cargo's `--bench`.
pub(crate) fn is_smoke_run() -> bool {
    let has = |flag| env::args().any(|argument| argument == flag);
    has("--test") || !has("--bench")
}

/// The ring degrees to measure the CPU engine at, by their base-2 logarithms: the numbers in `ARRAS_BENCH_LOG_N` (such as `14,16`),
/// otherwise 14 and 15; 13 in a smoke run.
fn cpu_sizes() -> Result<Vec<u32>> {
    const VARIABLE: &str = "ARRAS_BENCH_LOG_N";
    if is_smoke_run() {
        return Ok(vec![13]);
    }
    let Ok(list) = env::var(VARIABLE) else {
        return Ok(vec![14, 15]);
    };
    let numbers = list.split(',').map(|number| number.trim().parse());
    let numbers: std::result::Result<_, std::num::ParseIntError> = numbers.collect();
    numbers.map_err(|_| format!("{VARIABLE}={list:?} is not a list of numbers").into())
}

/// The one ring degree that the reference engine is measured at: it is slow and there is nothing to gain from knowing how slow.
const REFERENCE_LOG_N: u32 = 13;

/// The lists of operations that a bench measures.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    /// Of the ring.
    Ring,
    /// Of client and server.
    Scheme,
    /// Between host, engine and bytes.
    Transfers,
}

/// Measures a layer on the CPU engine with one and all threads, and on the reference engine at one small size.
///
/// # Errors
/// The engines'.
pub fn lists(layer: Layer) -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    for log_n in cpu_sizes()? {
        for threads in thread_counts() {
            let engine = CpuEngine::with_threads(threads)?;
            bench_engine(&mut criterion, layer, log_n, threads, &engine)?;
        }
    }
    bench_engine(&mut criterion, layer, REFERENCE_LOG_N, 1, &Reference::new())?;
    criterion.final_summary();
    Ok(())
}

fn bench_engine<E: SecretEngine>(
    criterion: &mut Criterion,
    layer: Layer,
    log_n: u32,
    threads: usize,
    engine: &E,
) -> Result<()> {
    let pool = host_threads(threads)?;
    let params = parameter_sets::standard(log_n)?;
    let name = format!("{layer:?}").to_lowercase();
    let mut group = criterion.benchmark_group(format!("{name}, 2^{log_n}, {}", engine.name()));
    configure(&mut group, Duration::from_secs(1));
    let mut take = |list: Vec<Operation<'_>>| -> Result<()> {
        for mut operation in list {
            // The setting lasts until it is changed: without bytes, the unit is one run.
            let units = operation.bytes.map(Throughput::Bytes);
            group.throughput(units.unwrap_or(Throughput::Elements(1)));
            let (name, pool) = (operation.name, &pool);
            let run = move || pool.install(|| operation.run());
            bench_runs(&mut group, BenchmarkId::from_parameter(name), || Ok(run))?;
        }
        Ok(())
    };
    if let Layer::Ring = layer {
        return take(RingData::new(&params, engine.clone())?.operations()?);
    }
    let client = Client::new(&params, engine.clone())?;
    if let Layer::Scheme = layer {
        take(client_operations(&client)?)?;
    }
    let server = Server::new(&client, engine.clone())?;
    take(match layer {
        Layer::Scheme => server_operations(&server)?,
        _ => transfers::operations(&client, &server)?,
    })
}

pub(crate) fn configure(group: &mut BenchmarkGroup<'_, WallTime>, time: Duration) {
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(time);
}

/// A benchmark of what clocks itself, prepared when it is one that was asked for.
pub(crate) fn bench_runs<R: FnMut() -> Result<Duration>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    prepare: impl FnOnce() -> Result<R>,
) -> Result<()> {
    let (mut prepare, mut prepared, mut outcome) = (Some(prepare), None, Ok(()));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|runs| {
            let mut all = || -> Result<Duration> {
                let run = match &mut prepared {
                    Some(run) => run,
                    none => none.insert(prepare.take().ok_or("it failed before")?()?),
                };
                (0..runs).map(|_| run()).sum()
            };
            all().unwrap_or_else(|error| {
                if outcome.is_ok() {
                    outcome = Err(error);
                }
                // Criterion accepts no zero.
                Duration::from_secs(1)
            })
        });
    });
    outcome
}
