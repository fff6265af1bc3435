//! `plan`: what a training will take, before any key exists.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use lr_train::{
    plain::Rate,
    preprocess::Preprocessor,
    sigmoid::Approximation,
    split::Order,
    trainer::{
        CircuitChoice, ErrorsFor, Optimizer, PlannerOptions, RINGS, Rounds, Settings, plan,
        training_rows,
    },
};
use serde_json::json;

use crate::{
    Done, costs,
    failure::Failure,
    output::{Answer, Output, path},
    sources::{Normalization, Purpose, Source},
    staging::Staging,
};

/// Choose a circuit and parameters, and report the keys, data, memory and time they need, before any key exists
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lr-train plan --data builtin:digits --minibatch 64 --iterations 6 --out plan.toml
  lr-train plan --features 31 --rows 569 --circuit single-chain --iterations 8      (without data; nothing is written)
  lr-train plan --data train.csv --label y --iterations 32 --rounds fewest --costs server.toml --out plan.toml
  lr-train plan --data train.csv --label y --iterations 32 --rounds fastest --out plan.toml    (many short rounds on a small ring)")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    data: PlanData,
    #[command(flatten)]
    pub(crate) training: Training,
    #[command(flatten)]
    choice: Choice,
    /// Plan file to write
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the plan file
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Debug, Args)]
struct PlanData {
    #[command(flatten)]
    source: Option<Source>,
    /// Without --data: number of features, not counting the intercept
    #[arg(long, conflicts_with = "data", requires = "rows")]
    features: Option<usize>,
    /// Rows that the keys must hold [default: those of the data]
    #[arg(long)]
    rows: Option<usize>,
    /// How columns are normalized
    #[arg(long, value_enum, default_value_t)]
    normalize: Normalization,
}

/// What is to be trained.
#[derive(Clone, Debug, Args)]
pub(crate) struct Training {
    /// auto (the fastest), baseline, mask-free, low-depth, single-chain or single-chain-mask-free
    #[arg(long, default_value = "auto", value_parser = parse_circuit)]
    pub(crate) circuit: CircuitChoice,
    /// Rows of a minibatch
    #[arg(long, default_value_t = 64)]
    pub(crate) minibatch: usize,
    /// Iterations, over all rounds
    #[arg(long, default_value_t = 6)]
    pub(crate) iterations: usize,
    /// Learning rate
    #[arg(long, default_value_t = 1.0)]
    pub(crate) lr: f64,
    /// How the learning rate changes: stays constant, or falls as 1/t
    #[arg(long, value_enum, default_value_t)]
    schedule: Schedule,
    #[arg(long, value_enum, default_value_t)]
    optimizer: OptimizerName,
    /// one, a number of rounds, of:N (N iterations each), fewest (as few as the levels allow) or fastest (least work for the server, often
    /// many short rounds; refreshes are not counted); between rounds the client refreshes the state
    #[arg(long, default_value = "one", value_parser = parse_rounds)]
    pub(crate) rounds: Rounds,
    /// Polynomial in place of the sigmoid: degree and half the interval
    #[arg(long, value_enum, default_value_t)]
    sigmoid: SigmoidName,
    /// Seed of the order of rows, or `original`
    #[arg(long, default_value = "0", value_parser = parse_order)]
    order: Order,
}

/// What the planner may take.
#[derive(Clone, Debug, Args)]
struct Choice {
    /// Measured costs, as `devices --measure` writes them; the plan is chosen for the first file's engine, times are reported for all [default: built-in costs of
    /// the CPU engine]
    #[arg(long, value_name = "FILE")]
    costs: Vec<PathBuf>,
    /// Largest log2 of the ring degree
    #[arg(long, default_value_t = *RINGS.end(), value_parser = clap::value_parser!(u32).range(i64::from(*RINGS.start())..=i64::from(*RINGS.end())))]
    log_n: u32,
    /// Threads of the server, for the built-in costs [default: those of this machine]
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Schedule {
    #[default]
    Constant,
    Harmonic,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum OptimizerName {
    #[default]
    Nesterov,
    GradientDescent,
    FixedHessian,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SigmoidName {
    #[default]
    #[value(name = "cubic-16")]
    Cubic16,
    #[value(name = "cubic-8")]
    Cubic8,
    #[value(name = "quintic-8")]
    Quintic8,
    #[value(name = "septic-8")]
    Septic8,
}

fn parse_circuit(text: &str) -> Result<CircuitChoice, String> {
    text.parse()
        .map_err(|error: lr_train::TrainError| error.to_string())
}

fn parse_rounds(text: &str) -> Result<Rounds, String> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|&n| n > 0);
    match text {
        "one" => Some(Rounds::One),
        "fewest" => Some(Rounds::Fewest),
        "fastest" => Some(Rounds::Fastest),
        _ => match text.strip_prefix("of:") {
            Some(length) => number(length).map(Rounds::Of),
            None => number(text).map(Rounds::Count),
        },
    }
    .ok_or_else(|| {
        "give one, fewest, fastest, a number of rounds, or of:N for rounds of N iterations"
            .to_owned()
    })
}

fn parse_order(text: &str) -> Result<Order, String> {
    if text == "original" {
        return Ok(Order::Original);
    }
    text.parse()
        .map(|seed| Order::Shuffled { seed })
        .map_err(|_| "give a number, or original".to_owned())
}

impl Training {
    pub(crate) fn settings(&self) -> Settings {
        let optimizer = match self.optimizer {
            OptimizerName::Nesterov => Optimizer::Nesterov,
            OptimizerName::GradientDescent => Optimizer::GradientDescent,
            OptimizerName::FixedHessian => Optimizer::FixedHessian,
        };
        let activation = match self.sigmoid {
            SigmoidName::Cubic16 => Approximation::cubic_16(),
            SigmoidName::Cubic8 => Approximation::cubic_8(),
            SigmoidName::Quintic8 => Approximation::quintic_8(),
            SigmoidName::Septic8 => Approximation::septic_8(),
        };
        let rate = match self.schedule {
            Schedule::Constant => Rate::Constant(self.lr),
            Schedule::Harmonic => Rate::Harmonic(self.lr),
        };
        let mut settings = Settings::new(self.minibatch, self.iterations)
            .optimizer(optimizer)
            .activation(activation)
            .rounds(self.rounds)
            .order(self.order)
            .rate(rate);
        settings.circuit = self.circuit;
        settings
    }
}

pub(crate) fn run(args: &PlanArgs, _: &Output) -> Done {
    let settings = args.training.settings();
    let scheme = args.data.normalize.into();
    let data = match &args.data.source {
        Some(source) => Some(source.read(&Purpose::Training)?),
        None => None,
    };
    let mut errors = ErrorsFor::AnyData;
    let (features, rows, dropped) = match (&data, args.data.features) {
        (Some(data), _) => {
            let preprocessor = Preprocessor::fit(data, scheme)?;
            let dropped = preprocessor.dropped().len();
            let signed = training_rows(settings.optimizer, data, &preprocessor)?;
            errors = ErrorsFor::Rows(Arc::new(signed));
            (
                preprocessor.features() + 1,
                args.data.rows.unwrap_or(data.rows()),
                dropped,
            )
        }
        (None, Some(features)) => (features + 1, args.data.rows.unwrap_or(0), 0),
        (None, None) => {
            return Err(Failure::Usage(
                "say what to train on: --data SOURCE, or --features F --rows R".into(),
            ));
        }
    };
    let mut options = PlannerOptions {
        log_n: *RINGS.start()..=args.choice.log_n,
        errors,
        ..PlannerOptions::default()
    };
    if let Some(threads) = args.choice.threads {
        options.threads = threads;
    }
    for file in &args.choice.costs {
        options.costs.extend(costs::read(file)?);
    }
    let (plan, report) = plan(&settings, features, rows, &options)?;
    if let Some(out) = &args.out {
        let staging = Staging::claim(out, args.force)?;
        std::fs::write(staging.path(), plan.to_toml()?).map_err(Failure::io("write", out))?;
        staging.commit()?;
    }
    let mut text = format!("{report}\n\nholds {rows} rows of {} features", features - 1);
    if dropped > 0 {
        text += &format!(" ({dropped} constant columns left out)");
    }
    match &args.out {
        Some(out) => {
            text += &format!(
                "\nwritten to {}; next: lr-train keygen --plan {0} --out keys",
                out.display()
            );
        }
        None => text += "\nnothing written: name a file with --out",
    }
    let json = json!({
        "plan": plan.id().to_string(),
        "rows": rows,
        "features": features - 1,
        "dropped": dropped,
        "data-file-bytes": lr_train::trainer::files::dataset_file_bytes(&plan)?,
        "report": report,
        "out": args.out.as_deref().map(path),
    });
    Ok(Answer::new(text, json))
}

/// Reads a plan file.
///
/// # Errors
/// [`Failure::Io`]; what is wrong with the plan, naming the file.
pub(crate) fn read(file: &Path) -> Result<lr_train::trainer::TrainingPlan, Failure> {
    let bytes = arras::ckks::wire::read_bounded(file, 1 << 28)?;
    let text = String::from_utf8(bytes).map_err(|error| Failure::File {
        path: file.to_owned(),
        reason: format!("is not text ({error}); give the plan that `lr-train plan --out` wrote"),
    })?;
    lr_train::trainer::TrainingPlan::from_toml(&text).map_err(Failure::in_file(file))
}
