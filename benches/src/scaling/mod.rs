//! How the time of multiply, relinearize, rescale grows with the ring degree, levels, batch and threads, beside its model.
//!
//! The model counts steps ([`crate::floor`]) and takes what each costs alone from one measurement, at one ring degree with one thread:
//! transforms grow by `N log N` and everything else by `N`; a batch is that many single ones; threads share the work evenly.

mod plot;

use std::fmt::Write;

use arras::{CpuEngine, ckks::Parameters};
use serde::Serialize;

use crate::{
    Client, Operation, Result, Server,
    floor::{Costs, Counts},
    peers::ours::unit_costs,
    report::{Machine, Timing, machine_table, seconds, table},
    sets,
    suite::{all_threads, host_threads},
};

/// How much to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base-2 logarithms of ring degrees.
    pub log_n: Vec<u32>,
    /// The ring of the model's costs, of levels, batch and threads.
    pub reference: u32,
    /// The level that every ring degree is measured at.
    pub level: usize,
    /// Ciphertexts at once.
    pub batches: Vec<usize>,
    /// Seconds for each point.
    pub seconds: f64,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Ring degree, level, batch or threads.
    pub x: usize,
    /// Median seconds of the whole batch.
    pub measured: f64,
    /// By the model.
    pub model: f64,
}

/// Time against one size, the others fixed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// What grows.
    pub of: &'static str,
    /// What stays.
    pub fixed: String,
    /// By ascending `x`.
    pub points: Vec<Point>,
}

/// Everything that one run found out.
#[derive(Debug, Serialize)]
pub struct Scaling {
    /// Where it ran.
    pub machine: Machine,
    /// The ring of the model's costs.
    pub reference: u32,
    /// Seconds of the model's steps there.
    pub costs: Costs,
    /// Four curves.
    pub curves: Vec<Curve>,
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
    let nothing = || Ok(());
    let mut operation = Operation::on_engine("multiply", context, nothing, |()| {
        evaluator.relinearize_and_rescale(&evaluator.multiply(&x, &y)?)
    });
    let timing = host_threads(threads)?.install(|| Timing::of(&mut operation, each))?;
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
pub fn measure(settings: &Settings, progress: &dyn Fn(&str)) -> Result<Scaling> {
    let Settings {
        reference,
        level,
        seconds: each,
        ..
    } = *settings;
    let params = sets::standard(reference)?;
    let top = params.max_level();
    progress("costs of single steps");
    let engine = CpuEngine::with_threads(1)?;
    let (costs, _) = host_threads(1)?.install(|| unit_costs(&params, &engine, each))?;
    let mut scaling = Scaling {
        machine: Machine::here(),
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
        let params = sets::standard(log_n)?;
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
    pub fn to_markdown(&self) -> String {
        let mut text = String::from(
            "# How cost grows\n\nFrom `cargo run --release -p arras-benches --bin scaling -- --out docs/benchmarks`.\n\n",
        );
        text += &machine_table(&self.machine);
        let Costs {
            transform,
            conversion,
            product,
            tensor,
        } = self.costs;
        let _ = writeln!(
            text,
            "\nMultiply, relinearize, rescale; medians. The model counts steps and takes from one measurement at N = 2^{} with one thread what each \
             costs alone: a transformed row {}, a row accumulated in a conversion {}, in a product with a key {}, in a tensor {}. Transforms \
             grow by N log N, the rest by N; a batch is that many single ones, threads share the work evenly.\n\n![Measured and modelled \
             time against N, level, batch and threads](scaling.svg)",
            self.reference,
            seconds(transform),
            seconds(conversion),
            seconds(product),
            seconds(tensor)
        );
        for curve in &self.curves {
            let rows: Vec<_> = curve
                .points
                .iter()
                .map(|point| {
                    vec![
                        point.x.to_string(),
                        seconds(point.measured),
                        seconds(point.model),
                        format!("{:.2}", point.measured / point.model),
                    ]
                })
                .collect();
            let head = [curve.of, "measured", "model", "measured / model"];
            let _ = write!(
                text,
                "\n## By {}\n\n{}.\n\n{}",
                curve.of,
                curve.fixed,
                table(&head, &rows)
            );
        }
        text
    }

    /// The curves as a picture.
    ///
    /// # Errors
    /// None but those of drawing.
    pub fn to_svg(&self) -> Result<String> {
        plot::draw(&self.curves)
    }
}
