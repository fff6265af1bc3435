//! `try`: which settings suit the data, before anything is encrypted.

use arras::toolkit::text::{self, Table};
use clap::Args;
use lr_train::{
    ModelKind,
    plain::Rate,
    preprocess::Preprocessor,
    search::{Errors, FoldsTrial, Found, FoundOnFolds, Options, Outcome, Shares},
    trainer::{self, ErrorsFor, PlanReport, PlannerOptions},
};
use serde_json::json;

use crate::{
    Done,
    choosing::Search,
    failure::Failure,
    output::{Answer, Output},
    plan::{self, MODELS},
    signals,
    sources::{Source, named},
};

/// Client: search settings that suit the data, in the clear, with the plaintext twin of the training
#[derive(Debug, Args)]
#[command(after_help = "\
Tries normalizations, polynomials, rates, penalties, minibatches and numbers of iterations, first on a few rows and the best on more, and
judges each by the log loss of calibrated probabilities on rows held back, a linear model by its squared error and one of several classes by its
accuracy. Of those that are nearly as good as the best it chooses the one
that costs the server least. Nothing is written and nothing leaves this machine; but settings chosen from data say a little about them, and a
plan with these settings tells it to the server.

Examples:
  lr-train try --data train.csv --label diagnosis
  lr-train try --data builtin:breast-cancer --most-iterations 12")]
pub(crate) struct Try {
    #[command(flatten)]
    source: Source,
    /// logistic: the probability of one of two classes; one-vs-rest: one of several classes; linear: a number, by least squares or ridge regression
    #[arg(long, default_value = "logistic", value_parser = named(&MODELS))]
    model: ModelKind,
    /// Try up to this many iterations
    #[arg(long, default_value_t = 32)]
    most_iterations: usize,
    /// Seed of samples, folds and the order of rows
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads [default: those of this machine]; the result is the same with any number
    #[arg(long)]
    threads: Option<usize>,
}

pub(crate) fn run(args: &Try, output: &Output) -> Done {
    let data = plan::read_data(&args.source, args.model, None, output)?;
    let progress = output.progress("trying");
    let seen = |done, total| progress.at(done, total);
    let stop = signals::token();
    let stopped = || stop.is_stopped();
    let mut options = Options::new()
        .seed(args.seed)
        .most_iterations(args.most_iterations)
        .on_progress(&seen)
        .stop_when(&stopped);
    if let Some(threads) = args.threads {
        options = options.threads(threads);
    }
    let found = Search::of(&data, args.model, &options)?;
    let setting = found.setting();
    let features = Preprocessor::fit(&data, setting.scheme)?.features() + 1;
    let planner = PlannerOptions::new().errors(ErrorsFor::Nothing);
    let (_, report) = trainer::plan(&found.settings(), features, data.rows(), &planner)?;
    let arguments = setting.arguments().unwrap_or_default();
    let several = match found {
        Search::Several(_) => "--model one-vs-rest ",
        _ => "",
    };
    let arguments = format!("{several}{arguments} --rounds fastest");
    let command = format!("lr-train plan {} {arguments}", args.source.arguments());
    let text = format!(
        "{}\n\n{}\n{}\nnext: {command} --out plan.toml",
        match &found {
            Search::Classes(found) => table(found),
            Search::Numbers(found) => table_of_numbers(found),
            Search::Several(found) => table_of_classes(found),
        },
        found.text(),
        costs(&report),
    );
    let json = json!({
        "found": found,
        "arguments": arguments,
        "levels": report.chosen.levels,
        "seconds": seconds(&report)?,
        "data-bytes": report.chosen.data_bytes,
        "key-bytes": report.chosen.key_file_bytes,
    });
    Ok(Answer::new(text, json))
}

/// Seconds on the server, without the client's part.
fn seconds(report: &PlanReport) -> Result<f64, Failure> {
    let first = report.chosen.seconds.first();
    first.map(|s| s.seconds).ok_or_else(|| {
        Failure::Usage("try: the planner has no table of costs for this machine".into())
    })
}

fn cells(outcome: &Outcome) -> [String; 3] {
    [
        format!("{:.4} +- {:.4}", outcome.log_loss, outcome.spread),
        format!("{:.4}", outcome.auc),
        text::percent(outcome.accuracy),
    ]
}

/// Its first value.
fn rate(rate: &Rate) -> String {
    rate.at(0).map_or(String::new(), |rate| rate.to_string())
}

fn table(found: &Found) -> String {
    let mut table = Table::new([
        "normalization",
        "sigmoid",
        "rate",
        "L2",
        "minibatch",
        "steps",
        "levels",
        "log loss",
        "AUC",
        "accuracy",
    ]);
    let mut row = |trial: &lr_train::search::Trial, mark: &str| {
        let s = &trial.setting;
        let mut cells_of: Vec<String> = vec![
            format!("{}{mark}", s.scheme.name()),
            s.activation.name().unwrap_or_default(),
            rate(&s.rate),
            s.penalty.to_string(),
            s.minibatch.to_string(),
            s.iterations.to_string(),
            s.levels().to_string(),
        ];
        cells_of.extend(cells(&trial.outcome));
        table.row(cells_of);
    };
    for trial in &found.trials {
        row(trial, "");
    }
    row(&found.chosen, " (chosen)");
    if let Some(outcome) = &found.exact {
        let mut exact = vec!["exact solver".to_owned()];
        exact.resize(7, String::new());
        exact.extend(cells(outcome));
        table.row(exact);
    }
    format!(
        "{table}\n{} candidates, {} of them refused for leaving their interval; {} folds of {} of {} rows; log loss after calibration, +- its\n\
         standard deviation over folds; levels of one round",
        found.candidates, found.refused, found.folds, found.sampled, found.rows
    )
}

/// What was tried on folds, with columns of its own for what each gives.
fn table_on_folds<E>(
    found: &FoundOnFolds<E>,
    (heads, exact): ([&str; 2], &str),
    cells: impl Fn(&E) -> [String; 2],
) -> String {
    let heads = [
        "normalization",
        "polynomial",
        "rate",
        "L2",
        "minibatch",
        "steps",
        "levels",
    ]
    .into_iter()
    .chain(heads);
    let mut table = Table::new(heads);
    let mut row = |trial: &FoldsTrial<E>, mark: &str| {
        let s = &trial.setting;
        let polynomial = if s.activation.is_linear() {
            "line".to_owned()
        } else {
            s.activation.name().unwrap_or_default()
        };
        let mut row = vec![
            format!("{}{mark}", s.scheme.name()),
            polynomial,
            rate(&s.rate),
            s.penalty.to_string(),
            s.minibatch.to_string(),
            s.iterations.to_string(),
            s.levels().to_string(),
        ];
        row.extend(cells(&trial.errors));
        table.row(row);
    };
    for trial in &found.trials {
        row(trial, "");
    }
    row(&found.chosen, " (chosen)");
    if let Some(errors) = &found.exact {
        let mut row = vec![exact.to_owned()];
        row.resize(7, String::new());
        row.extend(cells(errors));
        table.row(row);
    }
    format!(
        "{table}\n{} candidates; {} folds of {} of {} rows; +- is the standard deviation over folds; levels of one round",
        found.candidates, found.folds, found.sampled, found.rows
    )
}

fn table_of_numbers(found: &FoundOnFolds<Errors>) -> String {
    let heads = (["R^2", "root mean squared error"], "closed form");
    table_on_folds(found, heads, |errors| {
        let r_squared = format!("{:.4} +- {:.4}", errors.r_squared, errors.spread);
        [r_squared, format!("{:.5}", errors.rmse)]
    })
}

fn table_of_classes(found: &FoundOnFolds<Shares>) -> String {
    let heads = (["accuracy", "mean recall"], "exact solver");
    table_on_folds(found, heads, |shares| {
        let (accuracy, spread) = (text::percent(shares.accuracy), text::percent(shares.spread));
        let recall = text::percent(shares.balanced_accuracy);
        [format!("{accuracy} +- {spread}"), recall]
    })
}

fn costs(report: &PlanReport) -> String {
    let chosen = &report.chosen;
    let seconds = chosen
        .seconds
        .first()
        .map_or(text::UNKNOWN.to_owned(), |s| text::seconds(s.seconds));
    format!(
        "it takes {} rounds of circuit {}, {} levels, {seconds} on the server, {} of keys and {} of data",
        chosen.rounds.len(),
        chosen.kind,
        chosen.levels,
        text::bytes(chosen.key_file_bytes),
        text::bytes(chosen.data_bytes),
    )
}
