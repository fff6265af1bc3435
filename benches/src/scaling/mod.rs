//! How the time of multiply, relinearize, rescale grows with the ring degree, levels, batch and threads, beside its model.
//!
//! The model counts steps ([`crate::roofline`]) and takes what each costs alone from one measurement, at one ring degree with one thread:
//! transforms grow by `N log N` and everything else by `N`; a batch is that many single ones; threads share the work evenly.

mod plot;

use std::path::{Path, PathBuf};

use arras::{
    CpuEngine,
    ckks::{Context, Parameters},
    toolkit::{
        cost::{CostTable, MeasureOptions, measured_parameters},
        text::{Table, seconds as duration},
    },
};
use clap::Args;
use serde::Serialize;

use crate::{
    Client, Common, Operation, Result, Server,
    libraries::ours::unit_costs,
    parameter_sets,
    process::{again, all_threads, host_threads, thread_counts},
    report::{Origin, Report, write},
    roofline::{Costs, Counts},
    timing::Timing,
};

/// Ring degrees of the cost tables, by their base-2 logarithms.
const TABLES: [u32; 4] = [13, 14, 15, 16];

/// How cost grows with ring degree, levels, batch and threads; the planner's cost tables.
#[derive(Args)]
pub struct Arguments {
    /// Seconds for each point of a curve.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// File for the cost tables of the planner (toolkit/src/cost/default.json); without it none are made.
    #[arg(long)]
    costs: Option<PathBuf>,
    /// Seconds for each cost table.
    #[arg(long, default_value_t = 60.0)]
    cost_seconds: f64,
    /// Measure one table, of this ring degree and this many threads, and print it: what the program starts itself with.
    #[arg(long, hide = true, num_args = 2, value_names = ["LOG_N", "THREADS"])]
    table: Option<Vec<u32>>,
}

impl Arguments {
    /// Measures and publishes `scaling` with its picture, and makes cost tables if a file is given for them.
    ///
    /// # Errors
    /// The engine's; for files that cannot be written.
    pub fn run(self, common: &Common) -> Result<()> {
        let cost_seconds = if common.quick { 0.0 } else { self.cost_seconds };
        if let Some([log_n, threads]) = self.table.as_deref() {
            let table = cost_table(*log_n, usize::try_from(*threads)?, cost_seconds)?;
            println!("{}", table.to_json()?);
            return Ok(());
        }
        let settings = if common.quick {
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
                seconds: self.seconds,
            }
        };
        let origin = Origin::here();
        let scaling = measure(&settings, &|what| eprintln!("{what}"))?;
        common
            .output
            .publish("scaling", &scaling.report(origin), &scaling)?;
        common
            .output
            .write("scaling.svg", &plot::draw(&scaling.curves)?)?;
        match &self.costs {
            Some(path) if common.quick => cost_tables(path, &TABLES[..1]),
            Some(path) => cost_tables(path, &TABLES),
            None => Ok(()),
        }
    }
}

fn cost_table(log_n: u32, threads: usize, seconds: f64) -> Result<CostTable> {
    let params = measured_parameters(log_n)?;
    let context = Context::new(&params, CpuEngine::with_threads(threads)?)?;
    let machine = Origin::here().machine.cpu;
    let mut options = MeasureOptions::new(params.max_level(), threads, machine);
    options.seconds = seconds;
    Ok(CostTable::measure(&context, &options)?)
}

/// One process for each table: encoding and encryption use the process-wide pool of threads, whose size is settled when a process
/// starts. One line of the file for each.
fn cost_tables(path: &Path, tables: &[u32]) -> Result<()> {
    let mut lines = Vec::new();
    for log_n in tables {
        for threads in thread_counts() {
            eprintln!("cost table, N = 2^{log_n}, {threads} threads");
            let threads = threads.to_string();
            let arguments = ["--table", &log_n.to_string(), &threads];
            let table: CostTable = again(&arguments, &[("RAYON_NUM_THREADS", &threads)])?;
            eprintln!("  {}", table.summary());
            lines.push(table.to_json()?);
        }
    }
    write(path, &format!("[\n{}\n]\n", lines.join(",\n")))
}

/// How much to measure.
struct Settings {
    /// Base-2 logarithms of ring degrees.
    log_n: Vec<u32>,
    /// The ring of the model's costs, of levels, batch and threads.
    reference: u32,
    /// The level that every ring degree is measured at.
    level: usize,
    /// Ciphertexts at once.
    batches: Vec<usize>,
    /// Seconds for each point.
    seconds: f64,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Point {
    /// Ring degree, level, batch or threads.
    x: usize,
    /// Median seconds of the whole batch.
    measured: f64,
    /// By the model.
    model: f64,
}

/// Time against one size, the others fixed.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Curve {
    /// What grows.
    of: &'static str,
    /// What stays.
    fixed: String,
    /// By ascending `x`.
    points: Vec<Point>,
}

/// Everything that one run found out.
#[derive(Debug, Serialize)]
struct Scaling {
    /// The ring of the model's costs.
    reference: u32,
    /// Seconds of the model's steps there.
    costs: Costs,
    /// Four curves.
    curves: Vec<Curve>,
}

/// Median seconds of multiply, relinearize, rescale at a level on a batch.
fn time(
    server: &Server<CpuEngine>,
    level: usize,
    batch: usize,
    threads: usize,
    each: f64,
) -> Result<f64> {
    let (context, evaluator) = (&server.context, &server.evaluator);
    let lowered = |ct| -> Result<_> {
        let one = evaluator.level_down(ct, level)?;
        Ok(arras::ckks::Ciphertext::concat(&vec![&one; batch])?)
    };
    let (x, y) = (lowered(&server.x)?, lowered(&server.y)?);
    let mut operation = Operation::call("multiply", context, || {
        evaluator.relinearize_and_rescale(&evaluator.multiply(&x, &y)?)
    });
    let timing = host_threads(threads)?.install(|| Timing::of_operation(&mut operation, each))?;
    Ok(timing.median)
}

fn server(params: &Parameters, threads: usize) -> Result<Server<CpuEngine>> {
    let client = Client::new(params, CpuEngine::new())?;
    Ok(Server::new(&client, CpuEngine::with_threads(threads)?)?)
}

/// Measures the four curves.
///
/// # Errors
/// The engine's.
fn measure(settings: &Settings, progress: &dyn Fn(&str)) -> Result<Scaling> {
    let Settings {
        reference,
        level,
        seconds: each,
        ..
    } = *settings;
    let params = parameter_sets::standard(reference)?;
    let top = params.max_level();
    progress("costs of single steps");
    let engine = CpuEngine::with_threads(1)?;
    let (costs, _) = host_threads(1)?.install(|| unit_costs(&params, &engine, each))?;
    let mut scaling = Scaling {
        reference,
        costs,
        curves: Vec::new(),
    };
    let model = |params: &Parameters, level: usize| {
        let costs = costs.at(reference, params.log_n());
        Counts::new(params, level).multiply().seconds(&costs)
    };

    let mut points = Vec::new();
    for &log_n in &settings.log_n {
        progress(&format!("N = 2^{log_n}"));
        let params = parameter_sets::standard(log_n)?;
        points.push(Point {
            x: params.n(),
            measured: time(&server(&params, 1)?, level, 1, 1, each)?,
            model: model(&params, level),
        });
    }
    let fixed = format!("level {level} of the standard sets, whose digits differ; one thread");
    scaling.add("N", fixed, points);

    let one = server(&params, 1)?;
    let mut points = Vec::new();
    for level in (1..=top).filter(|level| level % 2 == top % 2 || *level == 1) {
        progress(&format!("level {level}"));
        points.push(Point {
            x: level,
            measured: time(&one, level, 1, 1, each)?,
            model: model(&params, level),
        });
    }
    scaling.add("level", format!("N = 2^{reference}, one thread"), points);

    let single = model(&params, top);
    let mut points = Vec::new();
    for &batch in &settings.batches {
        progress(&format!("batch {batch}"));
        points.push(Point {
            x: batch,
            measured: time(&one, top, batch, 1, each)?,
            model: single * batch as f64,
        });
    }
    let fixed = format!("N = 2^{reference}, level {top}, one thread");
    scaling.add("batch", fixed, points);
    drop(one);

    let mut points = Vec::new();
    let mut threads = 1;
    loop {
        progress(&format!("{threads} threads"));
        points.push(Point {
            x: threads,
            measured: time(&server(&params, threads)?, top, 1, threads, each)?,
            model: single / threads as f64,
        });
        if threads >= all_threads() {
            break;
        }
        threads = (2 * threads).min(all_threads());
    }
    scaling.add("threads", format!("N = 2^{reference}, level {top}"), points);
    Ok(scaling)
}

impl Scaling {
    fn add(&mut self, of: &'static str, fixed: String, points: Vec<Point>) {
        self.curves.push(Curve { of, fixed, points });
    }

    /// The page; the picture is `scaling.svg` beside it.
    fn report(&self, origin: Origin) -> Report {
        let mut report = Report::new("How cost grows", "scaling", origin);
        report.text(format_args!(
            "Multiply, relinearize, rescale; medians. The model counts steps and takes from one measurement at N = 2^{} with one thread what each \
             costs alone: a transformed row {}, a row accumulated in a conversion {}, in a product with a key {}, in a tensor {}. Transforms \
             grow by N log N, the rest by N; a batch is that many single ones, threads share the work evenly.",
            self.reference,
            duration(self.costs.transform),
            duration(self.costs.conversion),
            duration(self.costs.product),
            duration(self.costs.tensor)
        ));
        report
            .text("![Measured and modelled time against N, level, batch and threads](scaling.svg)");
        for curve in &self.curves {
            let mut table = Table::new([curve.of, "measured", "model", "measured / model"]);
            for point in &curve.points {
                table.row([
                    point.x.to_string(),
                    duration(point.measured),
                    duration(point.model),
                    format!("{:.2}", point.measured / point.model),
                ]);
            }
            report
                .heading(format_args!("By {}", curve.of))
                .text(format_args!("{}.", curve.fixed))
                .table(&table);
        }
        report
    }
}
