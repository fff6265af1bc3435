//! How a training and the planner's choice are asked for.

use std::path::PathBuf;

use clap::Args;
use lr_train::{
    ModelKind,
    plain::{FirstStep, Rate},
    sigmoid::Approximation,
    split::{ClassWeights, Order},
    trainer::{CircuitChoice, Optimizer, RINGS, Rounds},
};

use crate::{
    choosing,
    failure::Failure,
    sources::{Named, Normalization, named},
};

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
    pub(super) costs: Vec<PathBuf>,
    /// Largest log2 of the ring degree
    #[arg(long, default_value_t = *RINGS.end(), value_parser = clap::value_parser!(u32).range(i64::from(*RINGS.start())..=i64::from(*RINGS.end())))]
    pub(super) log_n: u32,
    /// Threads of the server, for the built-in costs [default: those of this machine]
    #[arg(long, value_parser = parse_threads)]
    pub(super) threads: Option<usize>,
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
