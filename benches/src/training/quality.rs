//! What encrypted training learns, beside training on plaintexts with the same minibatches, constants and polynomial.

use std::{ops::RangeInclusive, path::PathBuf, time::Instant};

use arras::{
    CpuEngine,
    toolkit::text::{Table, UNKNOWN, fixed, percent},
};
use clap::Args;
use lr_train::{
    circuits::Kind,
    data::{Dataset, builtin},
    metrics::Quality,
    plain::{Rate, State, nesterov, scores},
    preprocess::{Preprocessor, Scheme, signed_rows},
    sigmoid::Approximation,
    split::{Order, Split, k_fold},
    trainer::{PlannerOptions, Rounds, Settings, TrainerBuilder},
};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{
    circuit::largest_difference,
    data::{self, CLINICAL, TrainTest, clinical},
    reference_folds::reference_folds,
};
use crate::{
    Common, Result,
    report::{Origin, Report},
};

/// What encrypted training learns, beside training on plaintexts; fails if a bound is not kept.
#[derive(Args)]
pub struct Arguments {
    /// Folder with `mnist/` and `clinical/` in it [default: the variable ARRAS_DATA, then ../shared/data].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Train folds on plaintexts alone.
    #[arg(long)]
    plain_folds: bool,
}

impl Arguments {
    /// Trains and publishes `quality`.
    ///
    /// # Errors
    /// The trainer's; for files that cannot be written; if a bound is not kept.
    pub fn run(self, common: &Common) -> Result<()> {
        let origin = Origin::here();
        let mut qualities = Qualities::default();
        if common.quick {
            let plan = Plan {
                images: (2, 16),
                clinical: 2,
                log_n: 14..=15,
                encrypted_folds: false,
            };
            qualities.images(&data::digits()?, &plan, None)?;
            qualities.full_batch("breast cancer", &builtin::breast_cancer()?, None, &plan)?;
        } else {
            let plan = Plan {
                images: (32, 128),
                clinical: 7,
                log_n: 15..=16,
                encrypted_folds: !self.plain_folds,
            };
            let folder = data::folder(self.data);
            let images = data::mnist_or_digits(&folder)?;
            eprintln!("{}", images.name);
            let least = Score {
                accuracy: 0.96,
                auc: 0.99,
            };
            qualities.images(&images, &plan, (!images.built_in).then_some(least))?;
            qualities.clinical(&folder, &plan)?;
        }
        common
            .output
            .publish("quality", &qualities.report(origin), &qualities)?;
        if qualities.passed() {
            return Ok(());
        }
        Err("a bound was not kept: see FAILED above".into())
    }
}

/// Seeds of minibatches that the plaintext figures are means over; the encrypted run takes the first.
pub const SEEDS: u64 = 5;
/// Seeds of folds that the plaintext figures are means over; the encrypted run takes the first unless there are the reference's folds.
pub const FOLD_SEEDS: u64 = 20;
/// Folds.
pub const FOLDS: usize = 5;

/// What to run.
struct Plan {
    /// Iterations and rows of a minibatch on images.
    pub images: (usize, usize),
    /// Iterations on clinical sets, each over all rows.
    pub clinical: usize,
    /// Ring degrees that the planner may take, by their base-2 logarithms.
    pub log_n: RangeInclusive<u32>,
    /// Whether folds are trained encrypted, too.
    pub encrypted_folds: bool,
}

/// Accuracy and area under the curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Share of rows taken for what they are.
    pub accuracy: f64,
    /// Area under the ROC curve.
    pub auc: f64,
}

impl Score {
    fn of(quality: &Quality) -> Self {
        Self {
            accuracy: quality.accuracy,
            auc: quality.auc.unwrap_or(f64::NAN),
        }
    }

    fn mean(scores: &[Self]) -> Self {
        let n = scores.len() as f64;
        Self {
            accuracy: scores.iter().map(|s| s.accuracy).sum::<f64>() / n,
            auc: scores.iter().map(|s| s.auc).sum::<f64>() / n,
        }
    }

    /// Standard deviation over scores (n - 1).
    fn deviation(scores: &[Self]) -> Self {
        let mean = Self::mean(scores);
        let spread = |f: &dyn Fn(&Self) -> f64| {
            let squares = scores.iter().map(|s| (f(s) - f(&mean)).powi(2));
            (squares.sum::<f64>() / (scores.len().max(2) - 1) as f64).sqrt()
        };
        Self {
            accuracy: spread(&|s| s.accuracy),
            auc: spread(&|s| s.auc),
        }
    }
}

/// One or several encrypted trainings and their plaintext twins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Encrypted {
    /// The circuit that the planner chose.
    pub circuit: Kind,
    /// log2 of the ring degree.
    pub log_n: u32,
    /// log2 of the product of all moduli.
    pub log_qp: f64,
    /// Levels.
    pub levels: usize,
    /// Iterations of each round.
    pub rounds: Vec<usize>,
    /// Score of the encrypted training, mean over folds if there are several.
    pub score: Score,
    /// Score of the twin.
    pub twin: Score,
    /// The largest difference of a weight from the twin's, after any round.
    pub weight_error: f64,
    /// Seconds of the server, all trainings together.
    pub server_seconds: f64,
    /// Seconds of everything: plan, keys, encryption, server, refresh, decryption.
    pub seconds: f64,
}

/// A row of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The data set.
    pub data: String,
    /// How it is trained and tested.
    pub protocol: String,
    /// Rows to train on.
    pub rows: usize,
    /// Features, constant ones and the intercept not counted.
    pub features: usize,
    /// Iterations.
    pub iterations: usize,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// Seeds of the plaintext mean.
    pub seeds: u64,
    /// Plaintext training: the mean over seeds.
    pub plaintext: Score,
    /// Its standard deviation over seeds; none with one seed.
    pub deviation: Option<Score>,
    /// The encrypted training with the first seed.
    pub encrypted: Option<Encrypted>,
    /// Area under the curve that a simulation of the published training gave.
    pub reference_auc: Option<f64>,
}

/// Something that must hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// Its value.
    pub value: f64,
    /// What it must not be below, or not above.
    pub bound: f64,
    /// Whether the bound is from below.
    pub at_least: bool,
}

impl Check {
    /// Whether it holds; not for a value that is no number.
    pub fn passed(&self) -> bool {
        if self.at_least {
            self.value >= self.bound
        } else {
            self.value <= self.bound
        }
    }
}

/// All rows and checks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Qualities {
    /// The rows.
    pub table: Vec<Row>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Seconds of everything.
    pub seconds: f64,
}

/// Trains on plaintexts: weights after every iteration.
fn plaintext(train: &Dataset, settings: &Settings) -> Result<(Preprocessor, Vec<Array1<f64>>)> {
    let normalization = Preprocessor::fit(train, Scheme::MaxAbs)?;
    let z = signed_rows(&normalization.apply(train)?, train.labels())?;
    let own = settings.plain(train.rows())?;
    let (history, _) = nesterov(&z, &own, State::zero(z.ncols()))?;
    let weights = history.iterations().iter().map(|i| i.weights.clone());
    Ok((normalization, weights.collect()))
}

fn plaintext_score(train: &Dataset, test: &Dataset, settings: &Settings) -> Result<Score> {
    let (normalization, weights) = plaintext(train, settings)?;
    let last = weights.last().ok_or("no iteration")?;
    let scores = scores(&normalization.apply(test)?, last)?;
    Ok(Score::of(&Quality::measure(&scores, test.labels())?))
}

/// Trains encrypted and on plaintexts, and tests both.
fn encrypted(
    train: &Dataset,
    test: &Dataset,
    settings: &Settings,
    options: &PlannerOptions,
) -> Result<Encrypted> {
    let start = Instant::now();
    let engine = CpuEngine::new();
    let trainer = TrainerBuilder::new(settings, train)
        .planner(options.clone())
        .build(engine.clone(), engine)?;
    let (_, twins) = plaintext(train, settings)?;
    let mut weight_error = 0.0f64;
    let mut server_seconds = 0.0;
    let result = trainer.train_with(|done| {
        server_seconds += done.report.map_or(0.0, |report| report.seconds);
        if let Some(twin) = done
            .state
            .iteration
            .checked_sub(1)
            .and_then(|t| twins.get(t))
        {
            weight_error = weight_error.max(largest_difference(done.state.w.iter(), twin.iter()));
        }
        Ok(())
    })?;
    let model = trainer.decrypt(&result)?;
    let seconds = start.elapsed().as_secs_f64();
    let twin = plaintext_score(train, test, settings)?;
    let last = twins.last().ok_or("no iteration")?;
    if model.weights.len() != last.len() {
        return Err(format!("{} weights against {}", model.weights.len(), last.len()).into());
    }
    let chosen = &trainer.report().chosen;
    Ok(Encrypted {
        circuit: chosen.kind,
        log_n: chosen.log_n,
        log_qp: chosen.log2_qp,
        levels: chosen.levels,
        rounds: chosen.rounds.clone(),
        score: Score::of(&model.evaluate(test)?),
        twin,
        weight_error: weight_error.max(largest_difference(&model.weights, last.iter())),
        server_seconds,
        seconds,
    })
}

/// One entry for several trainings: means of scores, worst errors, sums of times.
fn together(runs: &[Encrypted]) -> Option<Encrypted> {
    let scores: Vec<Score> = runs.iter().map(|r| r.score).collect();
    let twins: Vec<Score> = runs.iter().map(|r| r.twin).collect();
    Some(Encrypted {
        score: Score::mean(&scores),
        twin: Score::mean(&twins),
        weight_error: runs.iter().map(|r| r.weight_error).fold(0.0, f64::max),
        server_seconds: runs.iter().map(|r| r.server_seconds).sum(),
        seconds: runs.iter().map(|r| r.seconds).sum(),
        ..runs.first()?.clone()
    })
}

impl Qualities {
    /// Images, threes against eights, in minibatches with refresh rounds. `least` is what the plaintext mean must reach.
    ///
    /// # Errors
    /// The trainer's.
    fn images(&mut self, data: &TrainTest, plan: &Plan, least: Option<Score>) -> Result<()> {
        let start = Instant::now();
        let (iterations, minibatch) = plan.images;
        let settings = |seed| {
            Settings::new(minibatch, iterations)
                .rounds(Rounds::Fewest)
                .order(Order::Shuffled { seed })
        };
        let scores = (0..SEEDS)
            .map(|seed| plaintext_score(&data.train, &data.test, &settings(seed)))
            .collect::<Result<Vec<_>>>()?;
        let options = planner(plan);
        let encrypted = encrypted(&data.train, &data.test, &settings(0), &options)?;
        let mean = Score::mean(&scores);
        if let Some(least) = least {
            let what = format!("{}: plaintext mean of {SEEDS} seeds, ", data.name);
            self.at_least(what.clone() + "accuracy", mean.accuracy, least.accuracy);
            self.at_least(what + "AUC", mean.auc, least.auc);
        }
        let difference = (encrypted.score.accuracy - encrypted.twin.accuracy).abs();
        let what = format!("{}: encrypted against its twin, ", data.name);
        self.at_most(what.clone() + "accuracy", difference, 0.001);
        self.at_most(what + "worst weight", encrypted.weight_error, 1e-3);
        self.table.push(Row {
            data: data.name.clone(),
            protocol: format!("{} test rows", data.test.rows()),
            rows: data.train.rows(),
            features: Preprocessor::fit(&data.train, Scheme::MaxAbs)?.features(),
            iterations,
            minibatch,
            seeds: SEEDS,
            plaintext: mean,
            deviation: Some(Score::deviation(&scores)),
            encrypted: Some(encrypted),
            reference_auc: None,
        });
        self.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// A clinical set: trained and tested on all rows, then in folds. With a reference figure, its own folds are trained encrypted, and
    /// what they give is held to it; else those of the first seed.
    ///
    /// # Errors
    /// The trainer's.
    fn full_batch(
        &mut self,
        name: &str,
        data: &Dataset,
        reference_auc: Option<f64>,
        plan: &Plan,
    ) -> Result<()> {
        let start = Instant::now();
        let settings = |rows| {
            Settings::new(rows, plan.clinical)
                .rate(Rate::Harmonic(10.0))
                .activation(Approximation::quintic_8())
                .order(Order::Original)
                .rounds(Rounds::Fewest)
        };
        let options = planner(plan);
        let all = encrypted(data, data, &settings(data.rows()), &options)?;
        let mut row = Row {
            data: name.into(),
            protocol: "all rows".into(),
            rows: data.rows(),
            features: Preprocessor::fit(data, Scheme::MaxAbs)?.features(),
            iterations: plan.clinical,
            minibatch: data.rows(),
            seeds: 1,
            plaintext: all.twin,
            deviation: None,
            encrypted: Some(all),
            reference_auc,
        };
        self.against_twin(&row);
        self.table.push(row.clone());

        let in_folds = |folds: &[Split], also_encrypted: bool| -> Result<_> {
            let (mut scores, mut runs) = (Vec::new(), Vec::new());
            for fold in folds {
                let (train, test) = (data.select(&fold.train)?, data.select(&fold.test)?);
                let settings = settings(train.rows());
                scores.push(plaintext_score(&train, &test, &settings)?);
                if also_encrypted {
                    runs.push(encrypted(&train, &test, &settings, &options)?);
                }
            }
            Ok((Score::mean(&scores), together(&runs)))
        };
        row.rows = data.rows() - data.rows() / FOLDS;
        row.minibatch = row.rows;
        if let Some(reference) = reference_auc {
            row.protocol = format!("the reference's {FOLDS} folds");
            let folds = reference_folds(data.rows(), FOLDS)?;
            (row.plaintext, row.encrypted) = in_folds(&folds, plan.encrypted_folds)?;
            self.against_twin(&row);
            let runs = [
                ("plaintext", Some(row.plaintext)),
                ("encrypted", row.encrypted.as_ref().map(|run| run.score)),
            ];
            for (which, score) in runs {
                if let Some(score) = score {
                    let what = format!(
                        "{name}, {}: {which} against the reference, AUC",
                        row.protocol
                    );
                    self.at_most(what, (score.auc - reference).abs(), 0.01);
                }
            }
            self.table.push(row.clone());
        }

        let mut by_seed = Vec::new();
        row.encrypted = None;
        for seed in 0..FOLD_SEEDS {
            let also_encrypted = seed == 0 && plan.encrypted_folds && reference_auc.is_none();
            let (score, run) = in_folds(&k_fold(data.labels(), FOLDS, seed)?, also_encrypted)?;
            by_seed.push(score);
            row.encrypted = row.encrypted.or(run);
        }
        row.protocol = format!("{FOLDS} folds");
        row.seeds = FOLD_SEEDS;
        row.plaintext = Score::mean(&by_seed);
        row.deviation = Some(Score::deviation(&by_seed));
        self.against_twin(&row);
        self.table.push(row);
        self.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// The clinical sets that are in a folder.
    ///
    /// # Errors
    /// The trainer's; for damaged files.
    fn clinical(&mut self, folder: &std::path::Path, plan: &Plan) -> Result<()> {
        for (name, reference) in CLINICAL {
            match clinical(folder, name)? {
                Some(data) => {
                    eprintln!("{name}, {} rows", data.rows());
                    self.full_batch(name, &data, Some(reference), plan)?;
                }
                None => eprintln!(
                    "\n*** NO {name}.txt in {}: LEFT OUT.\n",
                    folder.join("clinical").display()
                ),
            }
        }
        Ok(())
    }

    /// Whether every check holds.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(Check::passed)
    }

    fn against_twin(&mut self, row: &Row) {
        if let Some(encrypted) = &row.encrypted {
            let difference = (encrypted.score.auc - encrypted.twin.auc).abs();
            let what = format!(
                "{}, {}: encrypted against its twin, AUC",
                row.data, row.protocol
            );
            self.at_most(what, difference, 0.01);
        }
    }

    fn at_least(&mut self, what: String, value: f64, bound: f64) {
        self.checks.push(Check {
            what,
            value,
            bound,
            at_least: true,
        });
    }

    fn at_most(&mut self, what: String, value: f64, bound: f64) {
        self.checks.push(Check {
            what,
            value,
            bound,
            at_least: false,
        });
    }
}

const HEADER: [&str; 16] = [
    "data",
    "tested on",
    "rows",
    "features",
    "k",
    "mb",
    "plain acc.",
    "plain AUC",
    "twin acc.",
    "encr. acc.",
    "twin AUC",
    "encr. AUC",
    "ref. AUC",
    "weight err.",
    "circuit, N, rounds",
    "server / all s",
];

impl Qualities {
    fn report(&self, origin: Origin) -> Report {
        let mut report = Report::new("What encrypted training learns", "quality", origin);
        let table = Table::new(HEADER).with_rows(self.table.iter().map(Row::cells));
        report.table(&table).text(format_args!(
            "plain: plaintext training, mean and standard deviation over seeds (of minibatches, or {FOLD_SEEDS} of folds). twin: plaintext \
             training with the seed of the encrypted one, same minibatches, constants and polynomial. ref.: a simulation of the published \
             training in the reference's {FOLDS} folds. weight err.: the largest after any round. Seconds of folds are those of all folds \
             together."
        ));
        let references = self.table.iter().filter_map(|row| {
            let off = row.reference_auc? - row.plaintext.auc;
            let spread = row.deviation.map_or(String::new(), |d| {
                let by = off / d.auc;
                format!(", {by:+.1} standard deviations of one draw of folds")
            });
            let Row { data, protocol, .. } = row;
            Some(format!(
                "- {data}, {protocol}: {off:+.4} from the plaintext mean{spread}"
            ))
        });
        let references: Vec<String> = references.collect();
        if !references.is_empty() {
            report.heading("Reference AUC").text(references.join("\n"));
        }
        let checks = self.checks.iter().map(|check| {
            let sign = if check.at_least { ">=" } else { "<=" };
            let word = if check.passed() { "ok" } else { "**FAILED**" };
            let Check {
                what, value, bound, ..
            } = check;
            format!("- {word}: {what}: {value:.3e} {sign} {bound:.3e}")
        });
        report
            .heading("Checks")
            .text(checks.collect::<Vec<_>>().join("\n"));
        report.text(format_args!("Run time {:.0} s.", self.seconds));
        report
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let row = self;
        let run = row.encrypted.as_ref();
        let of = |f: &dyn Fn(&Encrypted) -> String| run.map_or(UNKNOWN.into(), f);
        let spread = |text: String, deviation: Option<String>| match deviation {
            Some(deviation) => format!("{text} ± {deviation}"),
            None => text,
        };
        [
            row.data.clone(),
            row.protocol.clone(),
            row.rows.to_string(),
            row.features.to_string(),
            row.iterations.to_string(),
            row.minibatch.to_string(),
            spread(
                percent(row.plaintext.accuracy),
                row.deviation.map(|d| format!("{:.2}", 100.0 * d.accuracy)),
            ),
            spread(
                fixed(row.plaintext.auc, 4),
                row.deviation.map(|d| format!("{:.4}", d.auc)),
            ),
            of(&|r| percent(r.twin.accuracy)),
            of(&|r| percent(r.score.accuracy)),
            of(&|r| fixed(r.twin.auc, 4)),
            of(&|r| fixed(r.score.auc, 4)),
            row.reference_auc
                .map_or(UNKNOWN.into(), |auc| fixed(auc, 3)),
            of(&|r| format!("{:.1e}", r.weight_error)),
            of(&|r| format!("{}, 2^{}, {}", r.circuit, r.log_n, lengths(&r.rounds))),
            of(&|r| format!("{:.1} / {:.1}", r.server_seconds, r.seconds)),
        ]
        .into()
    }
}

/// Iterations of rounds: `7 x 4 + 1 x 4`.
fn lengths(rounds: &[usize]) -> String {
    let runs = rounds.chunk_by(|a, b| a == b);
    runs.map(|run| format!("{}x{}", run.len(), run[0]))
        .collect::<Vec<_>>()
        .join(" + ")
}

fn planner(plan: &Plan) -> PlannerOptions {
    PlannerOptions::new().log_n(plan.log_n.clone())
}
