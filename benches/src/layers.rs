//! The Criterion benches: which engines and sizes, and how the lists of operations of each layer become benchmarks.

use std::time::Duration;

use arras::{
    CpuEngine,
    ckks::Parameters,
    hal::{Backend, Reference, SecretEngine},
};
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use rayon::ThreadPool;

use crate::{
    Client, Operation, Result, Server, parameter_sets,
    process::{host_threads, thread_counts},
    ring::RingData,
    scheme::{client_operations, server_operations},
    transfers,
};

/// Whether every benchmark runs once only: as Criterion decides it, by `--test` or by the absence of cargo's `--bench`.
pub fn is_smoke_run() -> bool {
    let has = |flag| std::env::args().any(|argument| argument == flag);
    has("--test") || !has("--bench")
}

/// The ring degrees to measure the CPU engine at, by their base-2 logarithms: the numbers in `ARRAS_BENCH_LOG_N` (such as `14,16`),
/// otherwise 14 and 15; 13 in a smoke run.
///
/// # Errors
/// If the variable is not a list of numbers.
pub fn cpu_sizes() -> Result<Vec<u32>> {
    const VARIABLE: &str = "ARRAS_BENCH_LOG_N";
    if is_smoke_run() {
        return Ok(vec![13]);
    }
    let Ok(list) = std::env::var(VARIABLE) else {
        return Ok(vec![14, 15]);
    };
    list.split(',')
        .map(|number| {
            number
                .trim()
                .parse()
                .map_err(|_| format!("{VARIABLE}={list:?} is not a list of numbers").into())
        })
        .collect()
}

/// The one ring degree that the reference engine is measured at: it is slow and there is nothing to gain from knowing how slow.
const REFERENCE_LOG_N: u32 = 13;

/// A layer that can be measured on any engine.
pub trait Layer {
    /// Its name.
    const NAME: &'static str;

    /// Prepares a client on one engine and a server on another and passes the layer's operations to `take`.
    ///
    /// # Errors
    /// The engines', and those of `take`.
    fn prepare<S: SecretEngine, B: Backend>(
        params: &Parameters,
        client: S,
        server: B,
        take: &mut dyn FnMut(Vec<Operation<'_>>) -> Result<()>,
    ) -> Result<()>;
}

/// The ring layer ([`crate::ring`]).
pub struct RingLayer;
/// The scheme layer ([`crate::scheme`]).
pub struct SchemeLayer;
/// The transfers ([`crate::transfers`]).
pub struct TransferLayer;

impl Layer for RingLayer {
    const NAME: &'static str = "ring";

    fn prepare<S: SecretEngine, B: Backend>(
        params: &Parameters,
        _: S,
        server: B,
        take: &mut dyn FnMut(Vec<Operation<'_>>) -> Result<()>,
    ) -> Result<()> {
        take(RingData::new(params, server)?.operations()?)
    }
}

impl Layer for SchemeLayer {
    const NAME: &'static str = "scheme";

    fn prepare<S: SecretEngine, B: Backend>(
        params: &Parameters,
        client: S,
        server: B,
        take: &mut dyn FnMut(Vec<Operation<'_>>) -> Result<()>,
    ) -> Result<()> {
        let client = Client::new(params, client)?;
        take(client_operations(&client)?)?;
        take(server_operations(&Server::new(&client, server)?)?)
    }
}

impl Layer for TransferLayer {
    const NAME: &'static str = "transfers";

    fn prepare<S: SecretEngine, B: Backend>(
        params: &Parameters,
        client: S,
        server: B,
        take: &mut dyn FnMut(Vec<Operation<'_>>) -> Result<()>,
    ) -> Result<()> {
        let client = Client::new(params, client)?;
        let server = Server::new(&client, server)?;
        take(transfers::operations(&client, &server)?)
    }
}

/// Adds a layer's benchmarks: the CPU engine with one and all threads at [`cpu_sizes`], and the reference engine at one small size.
///
/// # Errors
/// The engines'.
pub fn bench_layer<L: Layer>(criterion: &mut Criterion) -> Result<()> {
    for log_n in cpu_sizes()? {
        for threads in thread_counts() {
            let engine = CpuEngine::with_threads(threads)?;
            bench_engine::<L, _>(criterion, log_n, threads, &engine)?;
        }
    }
    bench_engine::<L, _>(criterion, REFERENCE_LOG_N, 1, &Reference::new())
}

fn bench_engine<L: Layer, E: SecretEngine>(
    criterion: &mut Criterion,
    log_n: u32,
    threads: usize,
    engine: &E,
) -> Result<()> {
    let pool = host_threads(threads)?;
    let params = parameter_sets::standard(log_n)?;
    let title = format!("{}, 2^{log_n}, {}", L::NAME, engine.name());
    let mut group = criterion.benchmark_group(title);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    L::prepare(&params, engine.clone(), engine.clone(), &mut |list| {
        for mut operation in list {
            bench_operation(&mut group, &pool, &mut operation)?;
        }
        Ok(())
    })?;
    group.finish();
    Ok(())
}

fn bench_operation(
    group: &mut BenchmarkGroup<'_, WallTime>,
    pool: &ThreadPool,
    operation: &mut Operation<'_>,
) -> Result<()> {
    // The setting lasts until it is changed: without bytes, the unit is one run.
    group.throughput(match operation.bytes() {
        Some(bytes) => Throughput::Bytes(bytes),
        None => Throughput::Elements(1),
    });
    let mut outcome = Ok(());
    group.bench_function(operation.name(), |bencher| {
        bencher.iter_custom(|runs| {
            let total: Result<Duration> = pool.install(|| (0..runs).map(|_| operation.run()).sum());
            total.unwrap_or_else(|error| {
                outcome = Err(error);
                // Criterion accepts no zero.
                Duration::from_secs(1)
            })
        });
    });
    outcome
}
