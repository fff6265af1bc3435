//! Linear algebra on encrypted matrices and vectors, of the sizes that people ask for.

use std::time::Duration;

use arras::toolkit::{
    ColumnVector, EncodingUnit, Matrix, Polynomial, Program, Recorded, Recorder, Result, Samples,
    linalg::{Dot, PlainMatrix},
};
use criterion::{BenchmarkId, Criterion};
use ndarray::Array2;

use crate::{
    cargo_bench::{bench_runs, configure, is_smoke_run},
    fixture::{send, values},
    parameter_sets,
    process::{host_threads, thread_counts},
};

/// The operands of the cases, made when a case asks for them.
struct Objects<'a> {
    recorder: &'a Recorder,
    unit: EncodingUnit,
    d: usize,
}

impl Objects<'_> {
    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Matrix {
        let d = self.d;
        self.recorder.matrix(name, rows * d, columns * d, self.unit)
    }

    /// Of `8 d` entries, in a unit of that width.
    fn long_column(&self) -> Result<ColumnVector> {
        let (slots, long) = (self.recorder.slots(), 8 * self.d);
        let unit = EncodingUnit::with_height(slots, slots / long)?;
        Ok(self.recorder.column_vector("x", long, unit))
    }

    fn plain(&self) -> PlainMatrix {
        let long = 8 * self.d;
        let mut numbers = values(7, long * long).into_iter();
        Array2::from_shape_simple_fn((long, long), || numbers.next().unwrap_or_default()).into()
    }

    fn out(&self, result: &impl Recorded) -> Result<()> {
        self.recorder.output("result", result);
        Ok(())
    }
}

type Record = fn(&Objects<'_>) -> Result<()>;

/// Names, with sizes relative to d = 128, and what is recorded for a d.
const CASES: [(&str, Record); 6] = [
    ("encrypted matrix (d x d) x encrypted matrix (d x d)", |o| {
        o.out(&o.matrix("A", 1, 1).dot(&o.matrix("B", 1, 1)))
    }),
    (
        "plaintext matrix (8 d x 8 d) x encrypted column vector",
        |o| o.out(&o.plain().dot(&o.long_column()?)),
    ),
    ("the same in two levels", |o| {
        o.out(&o.plain().dot_in_two_levels(&o.long_column()?))
    }),
    (
        "encrypted matrix (4 d x 2 d) x encrypted column vector",
        |o| {
            let x = o.recorder.column_vector("x", 2 * o.d, o.unit);
            o.out(&o.matrix("A", 4, 2).dot(&x))
        },
    ),
    ("encrypted row vector x encrypted matrix (4 d x 2 d)", |o| {
        let x = o.recorder.row_vector("x", 4 * o.d, o.unit);
        o.out(&x.dot(&o.matrix("A", 4, 2)))
    }),
    ("polynomial of degree 7 of a matrix (d x d)", |o| {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let p = Polynomial::interpolate(sigmoid, -1.0, 1.0, 7)?;
        o.out(&o.matrix("A", 1, 1).polynomial(&p))
    }),
];

/// Runs the benchmarks.
///
/// # Errors
/// The toolkit's.
pub fn bench() -> crate::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let (log_n, d) = if is_smoke_run() { (14, 16) } else { (15, 128) };
    let params = parameter_sets::standard(log_n)?;
    let unit = EncodingUnit::with_height(params.slots(), d)?;
    let mut group = criterion.benchmark_group(format!("toolkit, 2^{log_n}, d = {d}"));
    configure(&mut group, Duration::from_secs(5));
    for (name, record) in CASES {
        for threads in thread_counts() {
            let prepare = || {
                let recorder = Recorder::new(params.slots())?;
                // Entries are random: sums of them are far smaller than they could be.
                recorder.largest_value(256.0);
                record(&Objects {
                    recorder: &recorder,
                    unit,
                    d,
                })?;
                let program = Program::new(recorder.finish()?);
                let values = Samples::uniform(-1.0, 1.0).draw(program.circuit(), 1)?;
                let (_, workload) = send(&program, &params, &values)?;
                let (loaded, pool) = (workload.on_threads(threads)?, host_threads(threads)?);
                let run = move || {
                    let run = pool.install(|| loaded.run())?;
                    Ok(Duration::from_secs_f64(run.report.seconds))
                };
                // Constants are encoded in a first run; what is measured are the next ones.
                run()?;
                Ok(run)
            };
            let id = BenchmarkId::new(name, format!("{threads} threads"));
            bench_runs(&mut group, id, prepare)?;
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
