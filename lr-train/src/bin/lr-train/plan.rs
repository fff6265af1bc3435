//! `plan`: what a training will take, before any key exists.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use lr_train::{
    ModelKind, TrainError,
    data::{Dataset, Layout},
    plain::{FirstStep, Rate},
    preprocess::Preprocessor,
    search::Found,
    sigmoid::Approximation,
    split::{ClassWeights, Order},
    trainer::{
        CircuitChoice, Doubt, ErrorsFor, Optimizer, PlanReport, PlannerOptions, RINGS, Rounds,
        TrainingPlan,
        files::{PlannedColumns, dataset_file_bytes, load_costs},
        plan, training_rows, ways,
    },
};
use serde_json::json;

use crate::{
    Done,
    choosing::{self, Chosen},
    failure::Failure,
    output::{Answer, Output, claim, claim_private, path},
    sources::{Named, Normalization, Purpose, Source, few, named, say_spreads},
};

/// Choose a circuit and parameters, and report the keys, data, memory and time they need, before any key exists
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lr-train plan --data train.csv --label y --out plan.toml             (settings are searched)
  lr-train plan --data builtin:digits --minibatch 64 --iterations 6 --rounds one --out plan.toml    (these are held, the others searched)
  lr-train plan --data train.csv --label y --settings fixed --iterations 8 --out plan.toml         (nothing is searched)
  lr-train plan --data train.csv --label price --model linear --out plan.toml                       (a number)
  lr-train plan --data train.csv --label species --model one-vs-rest --out plan.toml                (one of several classes)
  lr-train plan --features 31 --rows 569 --circuit single-chain --iterations 8      (without data; nothing is written)
  lr-train plan --data train.csv --label y --rounds fewest --costs server.toml --out plan.toml")]
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
    /// Replace the plan file, and write a plan even if its training is predicted to fail
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
    /// Without --data: number of classes of a one-vs-rest model
    #[arg(long, conflicts_with = "data", requires = "rows")]
    classes: Option<usize>,
    /// Rows that the keys must hold [default: those of the data]
    #[arg(long)]
    rows: Option<usize>,
}

/// What is to be trained.
#[derive(Clone, Debug, Args)]
pub(crate) struct Training {
    /// logistic: the probability of one of two classes; one-vs-rest: one of several classes, by a logistic model of each; linear: a number, by least
    /// squares, or ridge regression with --l2
    #[arg(long, default_value = "logistic", value_parser = named(&MODELS))]
    pub(crate) model: ModelKind,
    /// auto (the fastest), baseline, mask-free, low-depth, single-chain or single-chain-mask-free
    #[arg(long, default_value = "auto", value_parser = parse_circuit)]
    pub(crate) circuit: CircuitChoice,
    /// Where settings come from that are not given. auto: with --data they are searched with the plaintext twin of the training, on this machine
    /// (as `lr-train try` does); without data, and with fixed: as stated with each
    #[arg(long, default_value = "auto", value_parser = named(&SETTINGS))]
    pub(crate) settings: choosing::SettingsFrom,
    /// How columns are normalized [default: auto; fixed: standard-clipped]
    #[arg(long, value_enum)]
    pub(crate) normalize: Option<Normalization>,
    /// Rows of a minibatch [default: auto; fixed: 64]
    #[arg(long)]
    pub(crate) minibatch: Option<usize>,
    /// Iterations, over all rounds [default: auto; fixed: 6]
    #[arg(long)]
    pub(crate) iterations: Option<usize>,
    /// Learning rate [default: auto; fixed: 0.1]
    #[arg(long)]
    pub(crate) lr: Option<f64>,
    /// How the learning rate changes: stays constant, or falls as 1/t
    #[arg(long, default_value = "constant", value_parser = named(&SCHEDULES))]
    pub(crate) schedule: Schedule,
    /// What moves the weights; settings are searched for nesterov alone
    #[arg(long, default_value = "nesterov", value_parser = named(&OPTIMIZERS))]
    pub(crate) optimizer: Optimizer,
    /// one, a number of rounds, of:N (N iterations each), fewest (as few as the levels allow) or fastest (least work for the server, often
    /// many short rounds; refreshes are not counted); between rounds the client refreshes the state [default: fastest if settings are
    /// searched, else one]
    #[arg(long, value_parser = parse_rounds)]
    pub(crate) rounds: Option<Rounds>,
    /// Polynomial in place of the sigmoid: cubic-16, cubic-8, quintic-8 or septic-8 as published, with half their interval, or DEGREE:HALF for
    /// the least-squares fit of degree 3, 5 or 7, as in 7:24 [default: auto; fixed: cubic-16]
    #[arg(long, value_parser = parse_sigmoid)]
    pub(crate) sigmoid: Option<Approximation>,
    /// Penalty on squares of weights (L2), the intercept apart: half of it times their sum is added to the mean loss. Costs no level [default:
    /// auto; fixed: 0]
    #[arg(long)]
    pub(crate) l2: Option<f64>,
    /// How Nesterov's momentum begins: full (alpha 1), or published (alpha 0.01, by which the first step is all but lost) [default: full]
    #[arg(long, value_parser = named(&FIRST_STEPS))]
    pub(crate) first_step: Option<FirstStep>,
    /// Order of rows: a seed, which is the search's, too, `original`, or `stratified` (each minibatch has the classes' shares), with a seed
    /// `stratified:SEED` [default: 0]
    #[arg(long, value_parser = parse_order)]
    order: Option<Order>,
    /// What a row weighs by its class: `balanced` (both classes alike) or the weights of a negative and a positive row, as in 1,5. Rows are drawn in
    /// proportion, in stratified order, which costs the server nothing; `decrypt --data` makes probabilities those of the data again
    #[arg(long, value_name = "WEIGHTS", value_parser = parse_weights)]
    class_weights: Option<ClassWeights>,
}

/// What the planner may take.
#[derive(Clone, Debug, Args)]
pub(crate) struct Choice {
    /// Measured costs, as `devices --measure` writes them; the first file's engine decides, the others' times are shown [default: built-in costs of
    /// the CPU engine]
    #[arg(long, value_name = "FILE")]
    costs: Vec<PathBuf>,
    /// Largest log2 of the ring degree
    #[arg(long, default_value_t = *RINGS.end(), value_parser = clap::value_parser!(u32).range(i64::from(*RINGS.start())..=i64::from(*RINGS.end())))]
    log_n: u32,
    /// Threads of the server, for the built-in costs [default: those of this machine]
    #[arg(long, value_parser = parse_threads)]
    threads: Option<usize>,
}

/// The most threads of a server, for the built-in costs.
#[cfg(feature = "cpu")]
const MOST_THREADS: usize = arras::CpuEngine::MAX_THREADS;
#[cfg(not(feature = "cpu"))]
const MOST_THREADS: usize = usize::MAX;

fn parse_threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=MOST_THREADS).contains(n));
    number.ok_or_else(|| format!("give 1 to {MOST_THREADS} threads"))
}

pub(crate) const MODELS: [Named<ModelKind>; 3] = [
    ("logistic", ModelKind::Logistic),
    ("one-vs-rest", ModelKind::OneVsRest { classes: 0 }),
    ("linear", ModelKind::Linear),
];

const SETTINGS: [Named<choosing::SettingsFrom>; 2] = [
    ("auto", choosing::SettingsFrom::Auto),
    ("fixed", choosing::SettingsFrom::Fixed),
];

/// What makes a rate of its first value.
pub(crate) type Schedule = fn(f64) -> Rate;

const SCHEDULES: [Named<Schedule>; 2] =
    [("constant", Rate::Constant), ("harmonic", Rate::Harmonic)];

const OPTIMIZERS: [Named<Optimizer>; 3] = [
    ("nesterov", Optimizer::Nesterov),
    ("gradient-descent", Optimizer::GradientDescent),
    ("fixed-hessian", Optimizer::FixedHessian),
];

const FIRST_STEPS: [Named<FirstStep>; 2] = [
    ("published", FirstStep::Published),
    ("full", FirstStep::Full),
];

pub(crate) fn parse_sigmoid(text: &str) -> Result<Approximation, String> {
    let mut all = Approximation::of_the_literature().into_iter();
    if let Some((_, published)) = all.find(|(name, _)| *name == text) {
        return Ok(published);
    }
    let own = text
        .split_once(':')
        .and_then(|(degree, bound)| Some((degree.parse().ok()?, bound.parse().ok()?)));
    let Some((degree, bound)) = own else {
        return Err(
            "give cubic-16, cubic-8, quintic-8, septic-8, or DEGREE:HALF such as 7:24".to_owned(),
        );
    };
    Approximation::least_squares(degree, bound).map_err(|error| error.to_string())
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
    let stratified = |seed| {
        let weights = ClassWeights::Equal;
        Order::Stratified { seed, weights }
    };
    let found = match (text, text.strip_prefix("stratified:")) {
        ("original", _) => Some(Order::Original),
        ("stratified", _) => Some(stratified(0)),
        (_, Some(seed)) => seed.parse().ok().map(stratified),
        _ => text.parse().ok().map(|seed| Order::Shuffled { seed }),
    };
    found.ok_or_else(|| "give a number, original, stratified or stratified:NUMBER".to_owned())
}

fn parse_weights(text: &str) -> Result<ClassWeights, String> {
    if text == "balanced" {
        return Ok(ClassWeights::Balanced);
    }
    let numbers = text
        .split_once(',')
        .and_then(|(negative, positive)| Some((negative.parse().ok()?, positive.parse().ok()?)));
    let (negative, positive) = numbers
        .ok_or("give balanced, or two numbers for the negative and the positive class: 1,5")?;
    Ok(ClassWeights::Given { negative, positive })
}

impl Training {
    /// The order of rows, if anything is said of it.
    ///
    /// # Errors
    /// [`Failure::Usage`] for weights in an order that has none.
    pub(crate) fn order(&self) -> Result<Option<Order>, Failure> {
        let Some(weights) = self.class_weights else {
            return Ok(self.order);
        };
        let seed = match self.order {
            None => 0,
            Some(Order::Shuffled { seed } | Order::Stratified { seed, .. }) => seed,
            Some(_) => {
                return Err(Failure::Usage(
                    "--class-weights draws rows in proportion to their weights; leave --order original out, or give it a seed".into(),
                ));
            }
        };
        Ok(Some(Order::Stratified { seed, weights }))
    }
}

/// Reads the rows to train on, and says what was found out about them.
///
/// # Errors
/// As [`Source::read`].
pub(crate) fn read_data(
    source: &Source,
    model: ModelKind,
    layout: Option<Layout>,
    output: &Output,
) -> Result<Dataset, Failure> {
    let data = source.read(&Purpose::Training(model, layout))?;
    source.say_all(&data, output);
    Ok(data)
}

/// A plan, with what was chosen and found out on the way.
pub(crate) struct Planned {
    pub(crate) plan: TrainingPlan,
    pub(crate) report: PlanReport,
    pub(crate) chosen: Chosen,
    options: PlannerOptions,
    /// With the intercept.
    features: usize,
    rows: usize,
    /// Names of constant columns.
    dropped: Vec<String>,
}

/// Plans a training of `data`, or without them of so many features and rows.
///
/// # Errors
/// Those of the search and of the planner; [`Failure::Usage`] where neither is given.
pub(crate) fn planned(
    training: &Training,
    choice: &Choice,
    data: Option<&Dataset>,
    (features, rows): (Option<usize>, Option<usize>),
    output: &Output,
) -> Result<Planned, Failure> {
    let chosen = training.choose(data, output)?;
    let (settings, scheme) = (&chosen.settings, chosen.scheme);
    let mut errors = ErrorsFor::AnyData;
    let (features, rows, dropped) = match (data, features) {
        (Some(data), _) => {
            let preprocessor = Preprocessor::fit(data, scheme)?;
            say_spreads(&preprocessor, data.table(), output);
            let names = preprocessor.names();
            let dropped: Vec<String> = (preprocessor.dropped().iter())
                .map(|d| names[d.position].clone())
                .collect();
            let signed = training_rows(settings.optimizer, data, &preprocessor)?;
            errors = ErrorsFor::Rows(Arc::new(signed));
            (
                preprocessor.features() + 1,
                rows.unwrap_or(data.rows()),
                dropped,
            )
        }
        (None, Some(features)) => (features + 1, rows.unwrap_or(0), vec![]),
        (None, None) => {
            return Err(Failure::Usage(
                "say what to train on: --data SOURCE, or --features F --rows R".into(),
            ));
        }
    };
    let mut options = PlannerOptions::new()
        .log_n(*RINGS.start()..=choice.log_n)
        .errors(errors)
        .normalization(scheme);
    if let Some(threads) = choice.threads {
        options = options.threads(threads);
    }
    for file in &choice.costs {
        options = options.costs(load_costs(file)?);
    }
    let progress = Arc::new(output.progress("planning"));
    let seen = progress.clone();
    let options = options.on_progress(move |done, all| seen.at(done, all));
    let (plan, report) = plan(settings, features, rows, &options)?;
    Ok(Planned {
        plan,
        report,
        chosen,
        options,
        features,
        rows,
        dropped,
    })
}

pub(crate) fn run(args: &PlanArgs, output: &Output) -> Done {
    let data = match &args.data.source {
        Some(source) => Some(read_data(source, args.training.model, None, output)?),
        None => None,
    };
    let size = (args.data.features, args.data.rows);
    let mut training = args.training.clone();
    training.model = match (training.model, args.data.classes, &data) {
        (ModelKind::OneVsRest { .. }, Some(classes), None) => ModelKind::OneVsRest { classes },
        (ModelKind::OneVsRest { .. }, None, None) => {
            return Err(Failure::Usage(
                "--model one-vs-rest without --data: say how many classes there are with --classes"
                    .into(),
            ));
        }
        (model, Some(_), _) if !matches!(model, ModelKind::OneVsRest { .. }) => {
            return Err(Failure::Usage(format!(
                "--classes is for --model one-vs-rest, not for {model}: leave it out"
            )));
        }
        (model, ..) => model,
    };
    let planned = planned(&training, &args.choice, data.as_ref(), size, output)?;
    let Planned {
        plan,
        report,
        chosen,
        options,
        features,
        rows,
        dropped,
    } = planned;
    judge(&report, chosen.classes_found(), args.force, output)?;
    let ways = ways(&chosen.settings, features, rows, &options, &report.chosen)?;
    if let Some(out) = &args.out {
        let file = claim(out, args.force)?;
        keep_columns(out, &plan, data.as_ref(), args.force)?;
        file.write_and_commit(plan.to_toml()?.as_bytes())?;
    }
    let said = chosen.text(data.is_some());
    let model = chosen.settings.model;
    let several = data
        .as_ref()
        .map_or(&[][..], |data| data.target().class_names());
    let mut text = format!(
        "model: {model}\n{said}\n\n{report}\n{ways}\n\nholds {rows} rows of {} features",
        features - 1
    );
    if !dropped.is_empty() {
        text += &format!(
            " ({} constant columns left out: {})",
            dropped.len(),
            few(&dropped)
        );
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
        "model": model.name(),
        "class-names": several,
        "settings": chosen.json(),
        "rows": rows,
        "features": features - 1,
        "dropped": dropped.len(),
        "dropped-names": dropped,
        "classes": data.as_ref().map(lr_train::data::Dataset::classes),
        "reading": data.as_ref().and_then(|data| data.table().reading()),
        "feature-names": data.as_ref().map(lr_train::data::Dataset::feature_names),
        "data-file-bytes": dataset_file_bytes(&plan)?,
        "report": report,
        "ways": ways,
        "out": args.out.as_deref().map(path),
    });
    Ok(Answer::new(text, json))
}

/// Writes what was fitted to columns beside a plan, for `keygen` and `encrypt`; what an earlier plan left there is removed.
fn keep_columns(
    out: &Path,
    plan: &TrainingPlan,
    data: Option<&Dataset>,
    force: bool,
) -> Result<(), Failure> {
    let path = PlannedColumns::path_beside(out);
    match data.and_then(|data| data.table().layout()) {
        Some(layout) => {
            // Whoever was killed before this very plan was written has left them.
            let left = matches!(PlannedColumns::beside(out, plan), Ok(Some(_)));
            let file = claim_private(&path, force || left)?;
            Ok(PlannedColumns::new(plan, layout.clone()).save(file)?)
        }
        None if force && path.symlink_metadata().is_ok() => {
            std::fs::remove_file(&path).map_err(|error| TrainError::Write { path, error }.into())
        }
        None => Ok(()),
    }
}

/// Says what is doubtful about a training, and refuses one that would give no useful model unless it was asked for.
pub(crate) fn judge(
    report: &PlanReport,
    found: Option<&Found>,
    force: bool,
    output: &Output,
) -> Result<(), Failure> {
    // The search has judged calibrated probabilities and ranks, on rows held back.
    let settled = |doubt: &Doubt| {
        found.is_some() && matches!(doubt, Doubt::OneClass { .. } | Doubt::Loss { .. })
    };
    let (settled, doubts): (Vec<Doubt>, Vec<Doubt>) =
        report.doubts().into_iter().partition(settled);
    let (grave, slight): (Vec<Doubt>, Vec<Doubt>) = doubts.into_iter().partition(Doubt::is_grave);
    if !force && !grave.is_empty() {
        return Err(Failure::Doubtful(grave));
    }
    if let (Some(found), false) = (found, settled.is_empty()) {
        output.note(format_args!(
            "note: before it is calibrated the model says one class of every row, or probabilities that are far off; rows held back it ranks with an AUC of \
             {:.3}: calibrate it by `decrypt --data .. --threshold balanced`",
            found.chosen.outcome.auc
        ));
    }
    for doubt in grave {
        output.note(format_args!("WARNING (--force): {doubt}"));
    }
    for doubt in slight {
        output.note(format_args!("note: {doubt}"));
    }
    let usage = report.forecast.as_ref().map(|forecast| forecast.usage);
    if let Some(doubt) = usage.and_then(|usage| usage.doubt()) {
        output.note(format_args!("note: {doubt}"));
    }
    Ok(())
}

/// Reads a plan file.
///
/// # Errors
/// What the system refuses and what is wrong with the plan, naming the file.
pub(crate) fn read(file: &Path) -> Result<TrainingPlan, Failure> {
    let bytes = arras::ckks::wire::read_bounded(file, 1 << 28)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let reason =
            format!("is not text ({error}); give the plan that `lr-train plan --out` wrote");
        Failure::file(file, reason)
    })?;
    TrainingPlan::from_toml(&text).map_err(Failure::in_file(file))
}
