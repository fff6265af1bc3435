//! What encrypted training learns, beside training on plaintexts with the same minibatches, constants and polynomial.

use std::{ops::RangeInclusive, path::PathBuf, time::Instant};

use arras::{
    CpuEngine,
    toolkit::text::{UNKNOWN, fixed, percent},
};
use clap::Args;
use lr_train::{
    data::{Dataset, builtin},
    metrics::Quality,
    plain::{History, Rate, State, nesterov, scores},
    preprocess::{Preprocessor, Scheme},
    sigmoid::Approximation,
    split::{Order, Split, k_fold},
    trainer::{Candidate, PlannerOptions, Rounds, Settings, TrainerBuilder, training_rows},
};
use serde_json::{Value, json};

use super::{
    circuit::largest_difference,
    data::{self, CLINICAL, TrainTest, clinical},
    reference_folds::reference_folds,
};
use crate::{
    Common, Result,
    report::{Form::*, Origin, Report, Table, column, hidden},
};

/// What encrypted training learns, beside training on plaintexts; fails if a bound is not kept.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder with `mnist/` and `clinical/` in it [default: the variable ARRAS_DATA, then ../shared/data].
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
        for (name, reference) in CLINICAL.into_iter().filter(|_| !common.quick) {
            match clinical(&folder, name)? {
                Some(data) => {
                    eprintln!("{name}, {} rows", data.rows());
                    qualities.full_batch(name, &data, Some(reference), &plan)?;
                }
                None => eprintln!(
                    "\n*** NO {name}.txt in {}: LEFT OUT.\n",
                    folder.join("clinical").display()
                ),
            }
        }
        common.output.page("quality", &qualities.report(origin))?;
        if qualities.passed {
            return Ok(());
        }
        Err("a bound was not kept: see FAILED above".into())
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

/// Trains on plaintexts and tests; the history has the weights after every iteration.
fn plaintext(train: &Dataset, test: &Dataset, settings: &Settings) -> Result<(Score, History)> {
    let normalization = Preprocessor::fit(train, Scheme::MaxAbs)?;
    let z = training_rows(settings.optimizer, train, &normalization)?;
    let own = settings.plain(train.rows())?;
    let (history, _) = nesterov(&z, &own, State::zero(z.rows().ncols()))?;
    let weights = history.weights().ok_or("no iteration")?;
    let scores = scores(&normalization.apply(test)?, weights)?;
    let quality = Quality::measure(&scores, test.labels())?;
    Ok((score(&quality), history))
}

/// One or several encrypted trainings and their plaintext twins.
struct Encrypted {
    /// The planner's choice, for the first.
    chosen: Candidate,
    /// Means over the trainings.
    score: Score,
    twin: Score,
    /// The largest difference of a weight from the twin's, after any round.
    weight_error: f64,
    /// Of the server, all trainings together.
    server_seconds: f64,
    /// Of everything: plan, keys, encryption, server, refresh, decryption.
    seconds: f64,
}

/// Trains encrypted and on plaintexts, and tests both, for each pair of rows to train and to test on.
fn encrypted<'a>(
    pairs: impl IntoIterator<Item = (&'a Dataset, &'a Dataset)>,
    settings: impl Fn(usize) -> Settings,
    plan: &Plan,
) -> Result<Encrypted> {
    let options = PlannerOptions::new().log_n(plan.log_n.clone());
    let (mut scores, mut twins, mut chosen) = (vec![], vec![], None);
    let (mut weight_error, mut server_seconds, mut seconds) = (0.0f64, 0.0, 0.0);
    for (train, test) in pairs {
        let settings = settings(train.rows());
        let (twin, history) = plaintext(train, test, &settings)?;
        let history = history.iterations();
        let start = Instant::now();
        let engine = CpuEngine::new();
        let trainer = TrainerBuilder::new(&settings, train)
            .planner(options.clone())
            .build(engine.clone(), engine)?;
        let result = trainer.train_with(|done| {
            server_seconds += done.report.map_or(0.0, |report| report.seconds);
            let at = done.state.iteration.checked_sub(1);
            if let Some(twin) = at.and_then(|at| history.get(at)) {
                let error = largest_difference(&done.state.w, &twin.weights);
                weight_error = weight_error.max(error);
            }
            Ok(())
        })?;
        let model = trainer.decrypt(&result)?;
        seconds += start.elapsed().as_secs_f64();
        let last = &history.last().ok_or("no iteration")?.weights;
        if model.weights.len() != last.len() {
            return Err(format!("{} weights against {}", model.weights.len(), last.len()).into());
        }
        weight_error = weight_error.max(largest_difference(&model.weights, last));
        scores.push(score(&model.evaluate(test)?.quality()));
        twins.push(twin);
        chosen.get_or_insert_with(|| trainer.report().chosen.clone());
    }
    Ok(Encrypted {
        chosen: chosen.ok_or("no training")?,
        score: over(&scores, mean),
        twin: over(&twins, mean),
        weight_error,
        server_seconds,
        seconds,
    })
}

/// The table, what must hold, and how far the reference's figures are.
struct Qualities {
    table: Table,
    checks: Vec<Value>,
    verdicts: Vec<String>,
    passed: bool,
    references: Vec<String>,
    start: Instant,
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or(f64::NAN)
}

fn share(value: &Value) -> String {
    percent(value.as_f64().unwrap_or(f64::NAN))
}

/// A mean, and its deviation in the same unit if there is one.
fn spread(mean: String, value: &Value, unit: f64, decimals: usize) -> String {
    match value["deviation"].as_f64() {
        Some(deviation) => format!("{mean} ± {:.decimals$}", unit * deviation),
        None => mean,
    }
}

/// Iterations of rounds: `7x4 + 1x4`.
fn lengths(rounds: &[Value]) -> String {
    let runs = rounds.chunk_by(|a, b| a == b);
    let runs = runs.map(|run| format!("{}x{}", run.len(), run[0]));
    runs.collect::<Vec<_>>().join(" + ")
}

impl Qualities {
    fn new() -> Self {
        let accuracy = |v: &Value| spread(percent(number(v, "mean")), v, 100.0, 2);
        let auc = |v: &Value| spread(fixed(number(v, "mean"), 4), v, 1.0, 4);
        let trained = |v: &Value| {
            let rounds = lengths(v["rounds"].as_array().map_or(&[], Vec::as_slice));
            let circuit = v["circuit"].as_str().unwrap_or(UNKNOWN);
            format!("{circuit}, 2^{}, {rounds}", v["log_n"])
        };
        let times = |v: &Value| format!("{:.1} / {:.1}", number(v, "server"), number(v, "all"));
        let error = |v: &Value| format!("{:.1e}", v.as_f64().unwrap_or(f64::NAN));
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
            column("weight err.", By(error)).key("weight_error"),
            column("circuit, N, rounds", By(trained)).key("trained"),
            column("server / all s", By(times)).key("seconds"),
            hidden("seeds"),
        ];
        Self {
            table: Table::new("table", columns.map(|column| column.or(UNKNOWN))),
            checks: vec![],
            verdicts: vec![],
            passed: true,
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
            run.map(|run| run.weight_error),
            run.map(|run| {
                let of = &run.chosen;
                json!({"circuit": of.kind, "log_n": of.log_n, "log_qp": of.log2_qp, "levels": of.levels, "rounds": of.rounds})
            }),
            run.map(|run| json!({"server": run.server_seconds, "all": run.seconds})),
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

    fn check(&mut self, what: &str, value: f64, at_least: bool, bound: f64) {
        // Not for a value that is no number.
        let (sign, passed) = match at_least {
            true => (">=", value >= bound),
            false => ("<=", value <= bound),
        };
        let word = if passed { "ok" } else { "**FAILED**" };
        let line = format!("- {word}: {what}: {value:.3e} {sign} {bound:.3e}");
        self.verdicts.push(line);
        self.checks
            .push(json!({"what": what, "value": value, "bound": bound, "at_least": at_least}));
        self.passed &= passed;
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
            .map(|seed| Ok(plaintext(&data.train, &data.test, &settings(seed))?.0))
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
                self.check(&what, mean, true, least);
            }
        }
        let what = format!("{}: encrypted against its twin, ", data.name);
        let difference = (run.score[0] - run.twin[0]).abs();
        self.check(&format!("{what}accuracy"), difference, false, 0.001);
        self.check(&(what + "worst weight"), run.weight_error, false, 1e-3);
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
                self.check(&what, difference.abs(), false, 0.01);
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
                Ok(plaintext(train, test, &settings(train.rows()))?.0)
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

    fn report(&self, origin: Origin) -> Report {
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
        let seconds = self.start.elapsed().as_secs_f64();
        report
            .heading("Checks")
            .text(self.verdicts.join("\n"))
            .number("checks", &self.checks)
            .number("seconds", seconds)
            .text(format_args!("Run time {seconds:.0} s."));
        report
    }
}
