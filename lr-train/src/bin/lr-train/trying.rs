//! `try`: which settings suit the data, before anything is encrypted.

use arras::toolkit::text::{self, Table};
use clap::Args;
use lr_train::{
    plain::Rate,
    preprocess::Preprocessor,
    search::{Found, Options, Outcome, search},
    trainer::{self, ErrorsFor, PlanReport, PlannerOptions},
};
use serde_json::json;

use crate::{
    Done,
    choosing::chosen,
    failure::Failure,
    output::{Answer, Output},
    plan, signals,
    sources::Source,
};

/// Client: search settings that suit the data, in the clear, with the plaintext twin of the training
#[derive(Debug, Args)]
#[command(after_help = "\
Tries normalizations, polynomials, rates, penalties, minibatches and numbers of iterations, first on a few rows and the best on more, and
judges each by the log loss of calibrated probabilities on rows held back. Of those that are nearly as good as the best it chooses the one
that costs the server least. Nothing is written and nothing leaves this machine; but settings chosen from data say a little about them, and a
plan with these settings tells it to the server.

Examples:
  lr-train try --data train.csv --label diagnosis
  lr-train try --data builtin:breast-cancer --most-iterations 12")]
pub(crate) struct Try {
    #[command(flatten)]
    source: Source,
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
    let data = plan::read_data(&args.source, None, output)?;
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
    let found = search(&data, &options)?;
    let setting = &found.chosen.setting;
    let features = Preprocessor::fit(&data, setting.scheme)?.features() + 1;
    let planner = PlannerOptions::new().errors(ErrorsFor::Nothing);
    let (_, report) = trainer::plan(&found.settings(), features, data.rows(), &planner)?;
    let arguments = setting.arguments().unwrap_or_default();
    let arguments = format!("{arguments} --rounds fastest");
    let command = format!("lr-train plan {} {arguments}", args.source.arguments());
    let text = format!(
        "{}\n\n{}\n{}\nnext: {command} --out plan.toml",
        table(&found),
        chosen(&found),
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
