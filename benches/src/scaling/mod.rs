//! How the time of multiply, relinearize, rescale grows with the ring degree, levels, batch and threads, beside its model.
//!
//! The model counts steps ([`crate::roofline`]) and takes what each costs alone from one measurement, at one ring degree with one thread:
//! transforms grow by `N log N` and everything else by `N`; a batch is that many single ones; threads share the work evenly.

mod plot;

use std::{
    iter,
    path::{Path, PathBuf},
};

use arras::{
    CpuEngine,
    ckks::{Ciphertext, Parameters},
    toolkit::{cost::measured_parameters, text::seconds as duration},
};
use clap::Args;

use crate::{
    Common, Operation, Result, Server,
    libraries::ours::unit_costs,
    parameter_sets,
    process::{all_threads, thread_counts},
    report::{Form::*, Origin, Report, Table, column, write},
    roofline::{Costs, Counts},
    timing::Timing,
    training::circuit::measured_costs,
};

/// Ring degrees of the cost tables, by their base-2 logarithms.
const TABLES: [u32; 4] = [13, 14, 15, 16];

/// How cost grows with ring degree, levels, batch and threads; the planner's cost tables.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Seconds for each point of a curve.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// File for the cost tables of the planner (toolkit/src/cost/default.json); without it none are made.
    #[arg(long)]
    costs: Option<PathBuf>,
    /// Seconds for each cost table.
    #[arg(long, default_value_t = 60.0)]
    cost_seconds: f64,
}

impl Arguments {
    /// Measures and publishes `scaling` with its picture, and makes cost tables if a file is given for them.
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let settings = if common.quick {
            Settings {
                log_n: &[13, 14],
                reference: 13,
                level: 1,
                batches: &[1, 2],
                seconds: 0.001,
            }
        } else {
            Settings {
                log_n: &[13, 14, 15, 16],
                reference: 15,
                level: 2,
                batches: &[1, 2, 4, 8, 16, 32],
                seconds: self.seconds,
            }
        };
        let origin = Origin::here();
        let (costs, curves) = measure(&settings)?;
        let report = report(origin, settings.reference, costs, &curves);
        common.output.page("scaling", &report)?;
        common.output.write("scaling.svg", &plot::draw(&curves)?)?;
        match &self.costs {
            Some(path) if common.quick => cost_tables(path, &TABLES[..1], 0.0),
            Some(path) => cost_tables(path, &TABLES, self.cost_seconds),
            None => Ok(()),
        }
    }
}

/// A table for each ring degree and number of threads, one line of the file for each.
fn cost_tables(path: &Path, tables: &[u32], seconds: f64) -> Result<()> {
    let mut lines = Vec::new();
    for &log_n in tables {
        for threads in thread_counts() {
            eprintln!("cost table, N = 2^{log_n}, {threads} threads");
            let table = measured_costs(&measured_parameters(log_n)?, threads, seconds)?;
            eprintln!("  {}", table.summary());
            lines.push(table.to_json()?);
        }
    }
    write(path, &format!("[\n{}\n]\n", lines.join(",\n")))
}

/// How much to measure.
struct Settings {
    log_n: &'static [u32],
    /// The ring of the model's costs, of levels, batch and threads.
    reference: u32,
    /// The level that every ring degree is measured at.
    level: usize,
    batches: &'static [usize],
    /// For each point.
    seconds: f64,
}

/// Time against one size, the others fixed: the size, measured median seconds (of a whole batch), and those by the model.
struct Curve {
    of: &'static str,
    fixed: String,
    points: Vec<(usize, f64, f64)>,
}

impl Curve {
    fn measure(
        of: &'static str,
        fixed: String,
        sizes: impl IntoIterator<Item = usize>,
        point: impl Fn(usize) -> Result<(f64, f64)>,
    ) -> Result<Self> {
        let mut points = Vec::new();
        for size in sizes {
            eprintln!("{of} {size}");
            let (measured, model) = point(size)?;
            points.push((size, measured, model));
        }
        Ok(Self { of, fixed, points })
    }
}

/// Median seconds of multiply, relinearize, rescale at a level on a batch.
fn time(server: &Server<CpuEngine>, level: usize, batch: usize, each: f64) -> Result<f64> {
    let (context, evaluator) = (&server.context, &server.evaluator);
    let lowered = |ct| -> Result<_> {
        let one = evaluator.level_down(ct, level)?;
        Ok(Ciphertext::concat(&vec![&one; batch])?)
    };
    let (x, y) = (lowered(&server.x)?, lowered(&server.y)?);
    let mut operation = Operation::call("multiply", context, || {
        evaluator.relinearize_and_rescale(&evaluator.multiply(&x, &y)?)
    });
    let timing = Timing::of_operation(&mut operation, each)?;
    Ok(timing.median)
}

/// The model's costs and four curves.
fn measure(settings: &Settings) -> Result<(Costs, [Curve; 4])> {
    let &Settings {
        log_n,
        reference,
        level,
        batches,
        seconds: each,
    } = settings;
    let params = parameter_sets::standard(reference)?;
    let top = params.max_level();
    eprintln!("costs of single steps");
    let engine = CpuEngine::with_threads(1)?;
    let costs = unit_costs(&params, &engine, each)?;
    let model = |params: &Parameters, level: usize| {
        let costs = costs.at(reference, params.log_n());
        Counts::new(params, level).multiply().seconds(&costs)
    };
    let single = model(&params, top);
    let one = Server::with_threads(&params, 1)?;
    let threads = iter::successors(Some(1), |&threads| {
        (threads < all_threads()).then(|| (2 * threads).min(all_threads()))
    });
    let curves = [
        Curve::measure(
            "N",
            format!("level {level} of the standard sets, whose digits differ; one thread"),
            log_n.iter().map(|log_n| 1 << log_n),
            |n| {
                let params = parameter_sets::standard(n.ilog2())?;
                let measured = time(&Server::with_threads(&params, 1)?, level, 1, each)?;
                Ok((measured, model(&params, level)))
            },
        )?,
        Curve::measure(
            "level",
            format!("N = 2^{reference}, one thread"),
            (1..=top).filter(|level| level % 2 == top % 2 || *level == 1),
            |level| Ok((time(&one, level, 1, each)?, model(&params, level))),
        )?,
        Curve::measure(
            "batch",
            format!("N = 2^{reference}, level {top}, one thread"),
            batches.iter().copied(),
            |batch| Ok((time(&one, top, batch, each)?, single * batch as f64)),
        )?,
        Curve::measure(
            "threads",
            format!("N = 2^{reference}, level {top}"),
            threads,
            |threads| {
                let measured = time(&Server::with_threads(&params, threads)?, top, 1, each)?;
                Ok((measured, single / threads as f64))
            },
        )?,
    ];
    Ok((costs, curves))
}

/// The page; the picture is `scaling.svg` beside it.
fn report(origin: Origin, reference: u32, costs: Costs, curves: &[Curve]) -> Report {
    let mut report = Report::new("How cost grows", "scaling", origin);
    report.number("reference", reference).number("costs", costs);
    report.text(format_args!(
        "Multiply, relinearize, rescale; medians. The model counts steps and takes from one measurement at N = 2^{reference} with one thread what each \
         costs alone: a transformed row {}, a row accumulated in a conversion {}, in a product with a key {}, in a tensor {}. Transforms \
         grow by N log N, the rest by N; a batch is that many single ones, threads share the work evenly.",
        duration(costs.transform),
        duration(costs.conversion),
        duration(costs.product),
        duration(costs.tensor)
    ));
    report.text("![Measured and modelled time against N, level, batch and threads](scaling.svg)");
    for curve in curves {
        let mut table = Table::new(
            "points",
            [
                column(curve.of, Plain).key("x"),
                column("measured", Seconds),
                column("model", Seconds),
                column("measured / model", Fixed(2)),
            ],
        );
        for &(x, measured, model) in &curve.points {
            table.row((x, measured, model, measured / model));
        }
        report
            .part("curves")
            .number("of", curve.of)
            .number("fixed", &curve.fixed)
            .heading(format_args!("By {}", curve.of))
            .text(format_args!("{}.", curve.fixed))
            .add(&table);
    }
    report
}
