//! Linear algebra on encrypted matrices and vectors, of the sizes that people ask for.

use std::time::Duration;

use arras::{
    CpuEngine,
    ckks::Parameters,
    toolkit::{
        Circuit, EncodingUnit, Polynomial, Program, Recorder, Samples,
        linalg::{Dot, PlainMatrix},
    },
};
use criterion::{BenchmarkId, Criterion};
use ndarray::Array2;

use crate::{
    Result,
    cargo_bench::{configure, is_smoke_run},
    fixture::{Loaded, send, values},
    parameter_sets,
    process::{host_threads, thread_counts},
};

type Record = fn(&Recorder, EncodingUnit, usize) -> arras::toolkit::Result<()>;

/// Names, with sizes relative to d = 128, and what is recorded for a d.
const CASES: [(&str, Record); 6] = [
    (
        "encrypted matrix (d x d) x encrypted matrix (d x d)",
        |recorder, unit, d| {
            let (a, b) = (
                recorder.matrix("A", d, d, unit),
                recorder.matrix("B", d, d, unit),
            );
            recorder.output("C", &a.dot(&b));
            Ok(())
        },
    ),
    (
        "plaintext matrix (8 d x 8 d) x encrypted column vector",
        |recorder, _, d| {
            let unit = EncodingUnit::with_height(recorder.slots(), recorder.slots() / (8 * d))?;
            let x = recorder.column_vector("x", 8 * d, unit);
            recorder.output("y", &plain(8 * d).dot(&x));
            Ok(())
        },
    ),
    ("the same in two levels", |recorder, _, d| {
        let unit = EncodingUnit::with_height(recorder.slots(), recorder.slots() / (8 * d))?;
        let x = recorder.column_vector("x", 8 * d, unit);
        recorder.output("y", &plain(8 * d).dot_in_two_levels(&x));
        Ok(())
    }),
    (
        "encrypted matrix (4 d x 2 d) x encrypted column vector",
        |recorder, unit, d| {
            let a = recorder.matrix("A", 4 * d, 2 * d, unit);
            let x = recorder.column_vector("x", 2 * d, unit);
            recorder.output("y", &a.dot(&x));
            Ok(())
        },
    ),
    (
        "encrypted row vector x encrypted matrix (4 d x 2 d)",
        |recorder, unit, d| {
            let a = recorder.matrix("A", 4 * d, 2 * d, unit);
            let x = recorder.row_vector("x", 4 * d, unit);
            recorder.output("y", &x.dot(&a));
            Ok(())
        },
    ),
    (
        "polynomial of degree 7 of a matrix (d x d)",
        |recorder, unit, d| {
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            let p = Polynomial::interpolate(sigmoid, -1.0, 1.0, 7)?;
            let a = recorder.matrix("A", d, d, unit);
            recorder.output("p(A)", &a.polynomial(&p));
            Ok(())
        },
    ),
];

fn plain(d: usize) -> PlainMatrix {
    let mut numbers = values(7, d * d).into_iter();
    Array2::from_shape_simple_fn((d, d), || numbers.next().unwrap_or_default()).into()
}

/// Runs the benchmarks.
///
/// # Errors
/// The toolkit's.
pub fn bench() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let (log_n, d) = if is_smoke_run() { (14, 16) } else { (15, 128) };
    let params = parameter_sets::standard(log_n)?;
    let unit = EncodingUnit::with_height(params.slots(), d)?;
    let mut outcome = Ok(());
    let mut group = criterion.benchmark_group(format!("toolkit, 2^{log_n}, d = {d}"));
    configure(&mut group, Duration::from_secs(5));
    for (name, record) in CASES {
        for threads in thread_counts() {
            let id = BenchmarkId::new(name, format!("{threads} threads"));
            // Keys and inputs are made when the benchmark is one that was asked for.
            group.bench_function(id, |bencher| {
                let recorder = Recorder::new(params.slots());
                let prepared = recorder
                    .and_then(|recorder| {
                        record(&recorder, unit, d)?;
                        recorder.finish()
                    })
                    .map_err(Into::into)
                    .and_then(|circuit| Prepared::new(&params, circuit, threads));
                let server = match prepared {
                    Ok(server) => server,
                    Err(error) => {
                        outcome = Err(error);
                        return bencher.iter(|| ());
                    }
                };
                bencher.iter_custom(|runs| {
                    let total: Result<Duration> = (0..runs).map(|_| server.run()).sum();
                    total.unwrap_or_else(|error| {
                        outcome = Err(error);
                        // Criterion accepts no zero.
                        Duration::from_secs(1)
                    })
                });
            });
        }
    }
    group.finish();
    criterion.final_summary();
    outcome
}

/// A program with its keys and inputs on an engine, and the threads around it.
struct Prepared {
    loaded: Loaded<CpuEngine>,
    pool: rayon::ThreadPool,
}

impl Prepared {
    fn new(params: &Parameters, circuit: Circuit, threads: usize) -> Result<Self> {
        let program = Program::new(circuit);
        let values = Samples::uniform(-1.0, 1.0).draw(program.circuit(), 1)?;
        let (_, workload) = send(&program, params, &values)?;
        let prepared = Self {
            loaded: workload.on_threads(threads)?,
            pool: host_threads(threads)?,
        };
        // Constants are encoded in a first run; what is measured are the next ones.
        prepared.run()?;
        Ok(prepared)
    }

    fn run(&self) -> Result<Duration> {
        let run = self.pool.install(|| self.loaded.run())?;
        Ok(Duration::from_secs_f64(run.report.seconds))
    }
}
