//! `demo`: the whole story on built-in data, in under a minute.

mod circuit;
mod rounds;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use arras::{
    Engine,
    toolkit::{OpCount, cost::CostTable, interpret::critical_path_seconds, text},
};
use clap::Args;
use lr_train::{
    circuits::Kind,
    data::{Dataset, builtin},
    metrics::Quality,
    plain::{History, Rate, State, nesterov, scores},
    preprocess::{Preprocessor, Scheme, signed_rows},
    report::{
        CircuitTimes, Comparison, DataSummary, Machine, ModelSummary, Point, Series, Timing,
        TrainingReport,
    },
    split::train_test,
    trainer::Settings,
};
use ndarray::{Array1, Array2};

use self::circuit::Outcome;
use crate::{
    Done,
    engines::EngineChoice,
    failure::Failure,
    output::{Answer, Output, claim},
};

/// Run everything on built-in digits: plan, keys, encryption, training with several circuits, decryption, comparison, report
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is fetched, and all parameters have 128 bits of security. Circuits for which the time does not suffice are left out, and so are
points of the curves.

Examples:
  lr-train demo
  lr-train demo --rounds                     twelve iterations in three rounds, the state refreshed between them
  lr-train demo --out digits.html --force")]
pub(crate) struct Demo {
    /// Show training in rounds instead, with more iterations than the levels allow
    #[arg(long)]
    rounds: bool,
    /// Page to write [default: the first of lr-train-report.html, lr-train-report-2.html, .. that is free]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the page
    #[arg(long)]
    force: bool,
    /// Roughly how many seconds to take; baseline and low-depth always run
    #[arg(long, default_value_t = 44.0)]
    seconds: f64,
    #[command(flatten)]
    engine: EngineChoice,
}

const DATA: &str = "handwritten digits 3 and 8";
const ITERATIONS: usize = 6;
const MINIBATCH: usize = 32;
/// Standardized pixels reach about 6; with this rate inner products stay well inside [-16, 16].
const RATE: f64 = 0.2;
const SCHEME: Scheme = Scheme::Standard;

/// The data in all forms.
pub(crate) struct Material {
    train: Dataset,
    test: Dataset,
    preprocessor: Preprocessor,
    z: Array2<f64>,
    features: Array2<f64>,
}

impl Material {
    fn digits() -> Result<Self, Failure> {
        let data = builtin::digits()?;
        let split = train_test(data.labels(), 0.2, 0)?;
        let (train, test) = (data.select(&split.train)?, data.select(&split.test)?);
        let preprocessor = Preprocessor::fit(&train, SCHEME)?;
        let z = signed_rows(&preprocessor.apply(&train)?, train.labels())?;
        let features = preprocessor.apply(&test)?;
        Ok(Self {
            train,
            test,
            preprocessor,
            z,
            features,
        })
    }

    fn quality(&self, weights: &Array1<f64>) -> Result<Quality, Failure> {
        Ok(Quality::measure(
            &scores(&self.features, weights)?,
            self.test.labels(),
        )?)
    }

    /// The same training in the clear.
    fn plain(&self, settings: &Settings) -> Result<History, Failure> {
        let plain = settings.plain(self.z.nrows())?;
        Ok(nesterov(&self.z, &plain, State::zero(self.z.ncols()))?.0)
    }

    /// Of each iteration's weights.
    fn accuracy_in_the_clear(&self, history: &History) -> Result<Vec<Point>, Failure> {
        let numbered = (1..).zip(history.iterations());
        numbered
            .map(|(iteration, of)| {
                let value = self.quality(&of.weights)?.accuracy;
                Ok(Point { iteration, value })
            })
            .collect()
    }
}

fn settings(iterations: usize) -> Settings {
    Settings::new(MINIBATCH, iterations).rate(Rate::Constant(RATE))
}

pub(crate) fn run(args: &Demo, output: &Output) -> Done {
    let started = Instant::now();
    let out = args.out.clone().unwrap_or_else(free_name);
    let page = claim(&out, args.force)?;
    let engine = args.engine.open()?;
    output.note(format_args!("engine: {engine}"));
    let data = Material::digits()?;
    output.note(format_args!(
        "data: digits 3 and 8 (built in), {} rows to train on, {} to test on, {} features",
        data.train.rows(),
        data.test.rows(),
        data.z.ncols() - 1
    ));
    let mut report =
        TrainingReport::new("Logistic regression on encrypted digits", Machine::here());
    report.data = Some(DataSummary::new(
        DATA,
        &data.train,
        &data.test,
        &data.preprocessor,
    ));
    if args.rounds {
        rounds::train(&data, &engine, &mut report, output)?;
    } else {
        circuits(&data, &engine, started, args.seconds, &mut report, output)?;
    }
    page.write_and_commit(report.to_html()?.as_bytes())?;
    let json = serde_json::json!({
        "seconds": started.elapsed().as_secs_f64(),
        "page": crate::output::path(&out),
        "report": report,
    });
    let text = format!(
        "{}\n{} in all; the report: {}",
        report.to_text(100),
        text::seconds(started.elapsed().as_secs_f64()),
        out.display()
    );
    Ok(Answer::new(text, json))
}

/// Every circuit for all iterations as far as time suffices, then shorter runs for the curves.
fn circuits(
    data: &Material,
    engine: &Engine,
    started: Instant,
    seconds: f64,
    report: &mut TrainingReport,
    output: &Output,
) -> Result<(), Failure> {
    let history = data.plain(&settings(ITERATIONS))?;
    report.plaintext_accuracy = data.accuracy_in_the_clear(&history)?;
    let mut clock = Clock {
        data,
        engine,
        history: &history,
        output,
        started,
        budget: Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)),
        planned: 0.0,
        spent: 0.0,
    };
    let order = [
        Kind::Baseline,
        Kind::LowDepth,
        Kind::SingleChain,
        Kind::SingleChainMaskFree,
        Kind::MaskFree,
    ];
    let mut done: Vec<(Kind, usize, Outcome)> = vec![];
    for (position, kind) in order.into_iter().enumerate() {
        if let Some(outcome) = clock.run(position < 2, kind, ITERATIONS)? {
            output.note(outcome.summary(data)?);
            done.push((kind, ITERATIONS, outcome));
        }
    }
    // The cheapest first: their curves are complete when time runs out.
    let mut kinds: Vec<(f64, Kind)> = done
        .iter()
        .map(|(kind, _, outcome)| (outcome.elapsed, *kind))
        .collect();
    kinds.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, kind) in kinds {
        for iterations in 1..ITERATIONS {
            if let Some(outcome) = clock.run(false, kind, iterations)? {
                done.push((kind, iterations, outcome));
            }
        }
    }
    fill(data, &history, &mut done, report)
}

/// The report of all runs.
fn fill(
    data: &Material,
    history: &History,
    done: &mut [(Kind, usize, Outcome)],
    report: &mut TrainingReport,
) -> Result<(), Failure> {
    done.sort_by_key(|(kind, iterations, _)| {
        (Kind::ALL.iter().position(|k| k == kind), *iterations)
    });
    let mut rows = vec![];
    for kind in Kind::ALL {
        let runs: Vec<&(Kind, usize, Outcome)> =
            done.iter().filter(|(of, ..)| *of == kind).collect();
        let (mut accuracy, mut errors) = (vec![], vec![]);
        for &&(_, iteration, ref outcome) in &runs {
            let point = |value| Point { iteration, value };
            accuracy.push(point(data.quality(&outcome.weights)?.accuracy));
            errors.push(point(outcome.error));
        }
        let Some((_, _, last)) = runs.last() else {
            continue;
        };
        let quality = data.quality(&last.weights)?;
        // From the built-in costs of single operations.
        let table = CostTable::built_in(&last.params, 1)?;
        let times = OpCount::with_costs_of(&last.program, &table)?;
        let critical = critical_path_seconds(&last.program, &table)?;
        rows.push(last.row(times.seconds(), critical, &quality));
        let times = CircuitTimes::new(kind.name(), Timing::Estimated, 1, &times);
        report.times.push(times);
        report.shapes.push(last.shape.clone());
        report.plans.push(last.plan.clone());
        report.accuracy.push(Series::new(kind.name(), accuracy));
        report.weight_error.push(Series::new(kind.name(), errors));
        // The story is told for the low-depth circuit.
        if kind == Kind::LowDepth {
            report.stages = last.stages.clone();
            report.model = Some(model(data, kind, &last.weights, history)?);
        }
    }
    let data = format!("{DATA}, {ITERATIONS} minibatches of {MINIBATCH}");
    let mut comparison = Comparison::new(report.machine.clone(), data);
    comparison.rows = rows;
    report.comparison = Some(comparison);
    Ok(())
}

fn model(
    data: &Material,
    kind: Kind,
    weights: &Array1<f64>,
    history: &History,
) -> Result<ModelSummary, Failure> {
    let quality = data.quality(weights)?;
    let plaintext = history.weights().map(|weights| data.quality(weights));
    let weights = weights.to_vec();
    let mut model = ModelSummary::new(kind.name(), &data.preprocessor, &weights, quality);
    model.plaintext_quality = plaintext.transpose()?;
    Ok(model)
}

/// What is left of the time, by how long runs took beside their plans.
struct Clock<'a> {
    data: &'a Material,
    engine: &'a Engine,
    history: &'a History,
    output: &'a Output,
    started: Instant,
    budget: Duration,
    planned: f64,
    spent: f64,
}

impl Clock<'_> {
    fn run(
        &mut self,
        always: bool,
        kind: Kind,
        iterations: usize,
    ) -> Result<Option<Outcome>, Failure> {
        let (plan, report) = circuit::plan(self.data, kind, iterations)?;
        let planned = report.chosen.seconds.first().map_or(0.0, |s| s.seconds);
        // Keys and encryption come on top of the plan's seconds; earlier runs tell how much.
        let ratio = if self.planned > 0.0 {
            self.spent / self.planned
        } else {
            3.0
        };
        let expected = Duration::from_secs_f64(planned * ratio);
        if !always && self.started.elapsed() + expected > self.budget {
            return Ok(None);
        }
        let plan = (plan, report);
        let outcome = circuit::train(self.data, plan, self.engine, self.history, self.output)?;
        self.planned += planned;
        self.spent += outcome.elapsed;
        Ok(Some(outcome))
    }
}

/// A name that no file has.
fn free_name() -> PathBuf {
    let name = |n: usize| match n {
        1 => PathBuf::from("lr-train-report.html"),
        _ => PathBuf::from(format!("lr-train-report-{n}.html")),
    };
    (1..)
        .map(name)
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_else(|| name(1))
}
