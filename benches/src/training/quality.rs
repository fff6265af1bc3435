//! What encrypted training learns, beside training on plaintexts with the same minibatches, constants and polynomial, and how well encrypted
//! rows are scored.

use std::{ops::RangeInclusive, path::PathBuf, time::Instant};

use arras::toolkit::text::{UNKNOWN, fixed, percent};
use clap::Args;
use lr_train::{
    data::{Dataset, builtin},
    metrics::Quality,
    plain::{Rate, State, nesterov, scores},
    preprocess::{Preprocessor, Scheme},
    sigmoid::Approximation,
    split::{Order, Split, k_fold},
    trainer::{PlannerOptions, Rounds, Settings, TrainerBuilder, training_rows},
};
use serde_json::{Value, json};

use super::{
    data::{self, CLINICAL, TrainTest},
    models::Models,
    reference_folds::reference_folds,
    scoring,
    trained::{Cost, Trained, number},
};
use crate::{
    Common, Result,
    report::{Form::*, Origin, Report, Table, column, hidden},
};

/// What encrypted training learns, beside training on plaintexts; fails if a bound is not kept.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder with `mnist/`, `clinical/` and `packages/` in it [default: the variable ARRAS_DATA, then ../shared/data].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Train folds on plaintexts alone.
    #[arg(long)]
    plain_folds: bool,
}

impl Arguments {
    /// Trains and publishes `quality`.
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let origin = Origin::here();
        let mut qualities = Qualities::new();
        let plan = match common.quick {
            true => Plan {
                images: (2, 16),
                clinical: 2,
                log_n: 14..=15,
                encrypted_folds: false,
            },
            false => Plan {
                images: (32, 128),
                clinical: 7,
                log_n: 15..=16,
                encrypted_folds: !self.plain_folds,
            },
        };
        let folder = data::folder(self.data.as_deref());
        let images = data::images(Some(&folder), common.quick)?;
        eprintln!("{}", images.name);
        let least = (!images.built_in).then_some([0.96, 0.99]);
        qualities.images(&images, &plan, least)?;
        if common.quick {
            qualities.full_batch("breast cancer", &builtin::breast_cancer()?, None, &plan)?;
        }
        let mut clinical = vec![];
        for (name, reference) in CLINICAL.into_iter().filter(|_| !common.quick) {
            if let Some(data) = data::clinical(&folder, name)? {
                eprintln!("{name}, {} rows", data.rows());
                qualities.full_batch(name, &data, Some(reference), &plan)?;
                clinical.push((name, data));
            }
        }
        let models = Models::train(&folder, &clinical, common.quick, &mut qualities.checks)?;
        let scores = scoring::score(common.quick, &mut qualities.checks)?;
        let report = qualities.report(origin, &models, &scores);
        common.output.page("quality", &report)?;
        if qualities.checks.failed {
            return Err("a bound was not kept: see FAILED above".into());
        }
        Ok(())
    }
}

/// Seeds of minibatches that the plaintext figures are means over; the encrypted run takes the first.
const SEEDS: u64 = 5;
/// Seeds of folds that the plaintext figures are means over; the encrypted run takes the first unless there are the reference's folds.
const FOLD_SEEDS: u64 = 20;
/// Folds.
const FOLDS: usize = 5;

/// What to run.
struct Plan {
    /// Iterations and rows of a minibatch on images.
    images: (usize, usize),
    /// Iterations on clinical sets, each over all rows.
    clinical: usize,
    /// Ring degrees that the planner may take, by their base-2 logarithms.
    log_n: RangeInclusive<u32>,
    /// Whether folds are trained encrypted, too.
    encrypted_folds: bool,
}

/// Accuracy and area under the curve.
type Score = [f64; 2];

fn score(quality: &Quality) -> Score {
    [quality.accuracy, quality.auc.unwrap_or(f64::NAN)]
}

/// A statistic of each figure.
fn over(scores: &[Score], statistic: fn(&[f64]) -> f64) -> Score {
    [0, 1].map(|figure| {
        let figures: Vec<f64> = scores.iter().map(|score| score[figure]).collect();
        statistic(&figures)
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation (n - 1).
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (squares.sum::<f64>() / (values.len().max(2) - 1) as f64).sqrt()
}

/// Trains on plaintexts and tests.
fn plaintext(train: &Dataset, test: &Dataset, settings: &Settings) -> Result<Score> {
    let normalization = Preprocessor::fit(train, Scheme::MaxAbs)?;
    let z = training_rows(settings.optimizer, train, &normalization)?;
    let own = settings.plain(train.rows())?;
    let (_, end) = nesterov(&z, &own, State::zero(z.rows().ncols()))?;
    let scores = scores(&normalization.apply(test)?, &end.w)?;
    Ok(score(&Quality::measure(&scores, test.labels())?))
}

/// One or several encrypted trainings and their plaintext twins, scores as means over them.
struct Encrypted {
    score: Score,
    twin: Score,
    cost: Cost,
}

/// Trains encrypted and on plaintexts, and tests both, for each pair of rows to train and to test on.
fn encrypted<'a>(
    pairs: impl IntoIterator<Item = (&'a Dataset, &'a Dataset)>,
    settings: impl Fn(usize) -> Settings,
    plan: &Plan,
) -> Result<Encrypted> {
    let options = PlannerOptions::new().log_n(plan.log_n.clone());
    let (mut scores, mut twins, mut costs) = (vec![], vec![], None::<Cost>);
    for (train, test) in pairs {
        let settings = settings(train.rows());
        let builder = TrainerBuilder::new(&settings, train).planner(options.clone());
        let Trained { model, twin, cost } = Trained::of(builder)?;
        scores.push(score(&model.evaluate(test)?.quality()));
        twins.push(score(&twin.evaluate(test)?.quality()));
        costs = Some(match costs {
            Some(before) => before.and(&cost),
            None => cost,
        });
    }
    Ok(Encrypted {
        score: over(&scores, mean),
        twin: over(&twins, mean),
        cost: costs.ok_or("no training")?,
    })
}

/// The table, what must hold, and how far the reference's figures are.
struct Qualities {
    table: Table,
    checks: Checks,
    references: Vec<String>,
    start: Instant,
}

/// Figures held to bounds.
#[derive(Default)]
pub(super) struct Checks {
    checks: Vec<Value>,
    verdicts: Vec<String>,
    failed: bool,
}

fn share(value: &Value) -> String {
    percent(value.as_f64().unwrap_or(f64::NAN))
}

impl Checks {
    /// What must hold: the program fails if it does not.
    pub(super) fn check(&mut self, what: &str, value: f64, at_least: bool, bound: f64) {
        self.failed |= !self.hold(what, value, at_least, bound, "**FAILED**");
    }

    /// What is aimed at.
    pub(super) fn goal(&mut self, what: &str, value: f64, at_least: bool, bound: f64) {
        self.hold(what, value, at_least, bound, "**missed**");
    }

    /// Whether the bound is kept.
    fn hold(
        &mut self,
        what: &str,
        value: f64,
        at_least: bool,
        bound: f64,
        otherwise: &str,
    ) -> bool {
        // Not for a value that is no number.
        let (sign, kept) = match at_least {
            true => (">=", value >= bound),
            false => ("<=", value <= bound),
        };
        let word = if kept { "ok" } else { otherwise };
        let line = format!("- {word}: {what}: {value:.3e} {sign} {bound:.3e}");
        self.verdicts.push(line);
        self.checks
            .push(json!({"what": what, "value": value, "bound": bound, "at_least": at_least}));
        kept
    }
}

/// A mean, and its deviation in the same unit if there is one.
fn spread(mean: String, value: &Value, unit: f64, decimals: usize) -> String {
    match value["deviation"].as_f64() {
        Some(deviation) => format!("{mean} ± {:.decimals$}", unit * deviation),
        None => mean,
    }
}

impl Qualities {
    fn new() -> Self {
        let accuracy = |v: &Value| spread(percent(number(v, "mean")), v, 100.0, 2);
        let auc = |v: &Value| spread(fixed(number(v, "mean"), 4), v, 1.0, 4);
        let columns = [
            column("data", Plain),
            column("tested on", Plain).key("protocol"),
            column("rows", Plain),
            column("features", Plain),
            column("k", Plain).key("iterations"),
            column("mb", Plain).key("minibatch"),
            column("plain acc.", By(accuracy)).key("plaintext_accuracy"),
            column("plain AUC", By(auc)).key("plaintext_auc"),
            column("twin acc.", By(share)).key("twin_accuracy"),
            column("encr. acc.", By(share)).key("encrypted_accuracy"),
            column("twin AUC", Fixed(4)).key("twin_auc"),
            column("encr. AUC", Fixed(4)).key("encrypted_auc"),
            column("ref. AUC", Fixed(3)).key("reference_auc"),
        ];
        let columns = columns.into_iter().chain(Cost::columns());
        let columns = columns.chain([hidden("seeds")]);
        Self {
            table: Table::new("table", columns.map(|column| column.or(UNKNOWN))),
            checks: Checks::default(),
            references: vec![],
            start: Instant::now(),
        }
    }

    /// Adds a row: rows to train on, features, iterations and rows of a minibatch; scores of plaintext training, one for each seed.
    /// Returns the mean of the scores.
    fn row(
        &mut self,
        (data, protocol): (&str, &str),
        sizes: [usize; 4],
        plain: &[Score],
        run: Option<&Encrypted>,
        reference: Option<f64>,
    ) -> Score {
        let center = over(plain, mean);
        let around = (plain.len() > 1).then(|| over(plain, deviation));
        let figure = |of: usize| json!({"mean": center[of], "deviation": around.map(|a| a[of])});
        self.table.row((
            (data, protocol, sizes),
            [figure(0), figure(1)],
            run.map_or([None; 4], |run| {
                let (twin, own) = (run.twin, run.score);
                [twin[0], own[0], twin[1], own[1]].map(Some)
            }),
            reference,
            run.map_or([const { Value::Null }; 3], |run| run.cost.cells()),
            plain.len(),
        ));
        if let Some(reference) = reference {
            let off = reference - center[1];
            let spread = around.map_or(String::new(), |around| {
                let by = off / around[1];
                format!(", {by:+.1} standard deviations of one draw of folds")
            });
            let line = format!("- {data}, {protocol}: {off:+.4} from the plaintext mean{spread}");
            self.references.push(line);
        }
        center
    }

    /// Images, threes against eights, in minibatches with refresh rounds. `least` is what the plaintext mean must reach.
    fn images(&mut self, data: &TrainTest, plan: &Plan, least: Option<Score>) -> Result<()> {
        let (iterations, minibatch) = plan.images;
        let settings = |seed| {
            Settings::new(minibatch, iterations)
                .rounds(Rounds::Fewest)
                .order(Order::Shuffled { seed })
        };
        let scores = (0..SEEDS)
            .map(|seed| plaintext(&data.train, &data.test, &settings(seed)))
            .collect::<Result<Vec<_>>>()?;
        let run = encrypted([(&data.train, &data.test)], |_| settings(0), plan)?;
        let rows = data.train.rows();
        let features = Preprocessor::fit(&data.train, Scheme::MaxAbs)?.features();
        let mean = self.row(
            (&data.name, &format!("{} test rows", data.test.rows())),
            [rows, features, iterations, minibatch],
            &scores,
            Some(&run),
            None,
        );
        if let Some(least) = least {
            for (figure, (mean, least)) in
                ["accuracy", "AUC"].iter().zip(mean.into_iter().zip(least))
            {
                let what = format!("{}: plaintext mean of {SEEDS} seeds, {figure}", data.name);
                self.checks.check(&what, mean, true, least);
            }
        }
        let what = format!("{}: encrypted against its twin, ", data.name);
        let difference = (run.score[0] - run.twin[0]).abs();
        self.checks
            .check(&format!("{what}accuracy"), difference, false, 0.001);
        self.checks
            .check(&(what + "worst weight"), run.cost.weight_error, false, 1e-3);
        Ok(())
    }

    /// A clinical set: trained and tested on all rows, then in folds. With a reference figure, its own folds are trained encrypted, and
    /// what they give is held to it; else those of the first seed.
    fn full_batch(
        &mut self,
        name: &str,
        data: &Dataset,
        reference: Option<f64>,
        plan: &Plan,
    ) -> Result<()> {
        let settings = |rows| {
            Settings::new(rows, plan.clinical)
                .rate(Rate::Harmonic(10.0))
                .activation(Approximation::quintic_8())
                .order(Order::Original)
                .rounds(Rounds::Fewest)
        };
        let features = Preprocessor::fit(data, Scheme::MaxAbs)?.features();
        let mut add = |protocol: &str, rows, plain: &[Score], run: Option<&Encrypted>| {
            let sizes = [rows, features, plan.clinical, rows];
            let mean = self.row((name, protocol), sizes, plain, run, reference);
            let mut check = |what: &str, difference: f64| {
                let what = format!("{name}, {protocol}: {what}, AUC");
                self.checks.check(&what, difference.abs(), false, 0.01);
            };
            if let Some(run) = run {
                check("encrypted against its twin", run.score[1] - run.twin[1]);
            }
            if let (Some(reference), true) = (reference, protocol.starts_with("the reference's")) {
                check("plaintext against the reference", mean[1] - reference);
                if let Some(run) = run {
                    check("encrypted against the reference", run.score[1] - reference);
                }
            }
        };
        let all = encrypted([(data, data)], settings, plan)?;
        add("all rows", data.rows(), &[all.twin], Some(&all));

        let in_folds = |folds: &[Split], also_encrypted: bool| -> Result<_> {
            let pairs = folds
                .iter()
                .map(|fold| Ok((data.select(&fold.train)?, data.select(&fold.test)?)))
                .collect::<Result<Vec<_>>>()?;
            let score = |(train, test): &(Dataset, Dataset)| {
                plaintext(train, test, &settings(train.rows()))
            };
            let scores = pairs.iter().map(score).collect::<Result<Vec<_>>>()?;
            let pairs = pairs.iter().map(|(train, test)| (train, test));
            let run = also_encrypted.then(|| encrypted(pairs, settings, plan));
            Ok((over(&scores, mean), run.transpose()?))
        };
        let rows = data.rows() - data.rows() / FOLDS;
        if reference.is_some() {
            let folds = reference_folds(data.rows(), FOLDS)?;
            let (score, run) = in_folds(&folds, plan.encrypted_folds)?;
            let protocol = format!("the reference's {FOLDS} folds");
            add(&protocol, rows, &[score], run.as_ref());
        }
        let (mut by_seed, mut encrypted) = (Vec::new(), None);
        for seed in 0..FOLD_SEEDS {
            let also_encrypted = seed == 0 && plan.encrypted_folds && reference.is_none();
            let (score, run) = in_folds(&k_fold(data.labels(), FOLDS, seed)?, also_encrypted)?;
            by_seed.push(score);
            encrypted = encrypted.or(run);
        }
        add(
            &format!("{FOLDS} folds"),
            rows,
            &by_seed,
            encrypted.as_ref(),
        );
        Ok(())
    }

    fn report(&self, origin: Origin, models: &Models, scores: &Table) -> Report {
        let mut report = Report::new("What encrypted training learns", "quality", origin);
        report.add(&self.table).text(format_args!(
            "plain: plaintext training, mean and standard deviation over seeds (of minibatches, or {FOLD_SEEDS} of folds). twin: plaintext \
             training with the seed of the encrypted one, same minibatches, constants and polynomial. ref.: a simulation of the published \
             training in the reference's {FOLDS} folds. weight err.: the largest after any round. Seconds of folds are those of all folds \
             together."
        ));
        if !self.references.is_empty() {
            let lines = self.references.join("\n");
            report.heading("Reference AUC").text(lines);
        }
        models.report(&mut report);
        scoring::report(scores, &mut report);
        let seconds = self.start.elapsed().as_secs_f64();
        report
            .heading("Checks and goals")
            .text(self.checks.verdicts.join("\n"))
            .number("checks", &self.checks.checks)
            .number("seconds", seconds)
            .text(format_args!("Run time {seconds:.0} s."));
        report
    }
}
