//! The Criterion benches: the lists of operations on several engines and sizes, and linear algebra of the toolkit.

use std::{env, time::Duration};

use arras::{
    CpuEngine,
    hal::{Reference, SecretEngine},
    toolkit::{EncodingUnit, Program, Samples},
};
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};

use crate::{
    Result,
    fixture::send,
    layers::{Layer, walk},
    operations::large,
    parameter_sets,
    process::thread_counts,
};

/// Whether every benchmark runs once only: as Criterion decides it, by `--test` or by the absence of cargo's `--bench`.
fn is_smoke_run() -> bool {
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

/// Measures every layer on the CPU engine with one and all threads, and on the reference engine at one small size.
///
/// # Errors
/// The engines'.
pub fn layers() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    for log_n in cpu_sizes()? {
        for threads in thread_counts() {
            let engine = CpuEngine::with_threads(threads)?;
            bench_engine(&mut criterion, log_n, &engine)?;
        }
    }
    bench_engine(&mut criterion, REFERENCE_LOG_N, &Reference::new())?;
    criterion.final_summary();
    Ok(())
}

fn bench_engine<E: SecretEngine>(criterion: &mut Criterion, log_n: u32, engine: &E) -> Result<()> {
    let params = parameter_sets::standard(log_n)?;
    let name = format!("2^{log_n}, {}", engine.name());
    let mut group = group(criterion, name, Duration::from_secs(1));
    walk(&params, engine, &Layer::ALL, |layer, mut operation| {
        // The setting lasts until it is changed: without bytes, the unit is one run.
        let units = operation.bytes.map(Throughput::Bytes);
        group.throughput(units.unwrap_or(Throughput::Elements(1)));
        let id = BenchmarkId::new(format!("{layer:?}").to_lowercase(), operation.name);
        let run = || operation.run();
        bench_runs(&mut group, id, || Ok(run))
    })
}

/// Measures linear algebra on encrypted matrices and vectors of the sizes that people ask for, with one and all threads.
///
/// # Errors
/// The toolkit's.
pub fn toolkit() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let (log_n, d) = if is_smoke_run() { (14, 16) } else { (15, 128) };
    let params = parameter_sets::standard(log_n)?;
    let unit = EncodingUnit::with_height(params.slots(), d)?;
    let name = format!("toolkit, 2^{log_n}, d = {d}");
    let mut group = group(&mut criterion, name, Duration::from_secs(5));
    for case in large() {
        for threads in thread_counts() {
            let prepare = || {
                let program = Program::new(case.circuit(unit, 0)?);
                let values = Samples::uniform(-1.0, 1.0).draw(program.circuit(), 1)?;
                let (_, workload) = send(&program, &params, &values)?;
                let loaded = workload.on_threads(threads)?;
                let run = move || Ok(Duration::from_secs_f64(loaded.run()?.report.seconds));
                // Constants are encoded in a first run; what is measured are the next ones.
                run()?;
                Ok(run)
            };
            let id = BenchmarkId::new(case.name, format!("{threads} threads"));
            bench_runs(&mut group, id, prepare)?;
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn group(criterion: &mut Criterion, name: String, time: Duration) -> BenchmarkGroup<'_, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(time);
    group
}

/// A benchmark of what clocks itself, prepared when it is one that was asked for.
fn bench_runs<R: FnMut() -> Result<Duration>>(
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
