//! What encrypted training learns, beside training on plaintexts with the same minibatches, constants and polynomial.

use std::{ops::RangeInclusive, time::Instant};

use arras::CpuEngine;
use lr_train::{
    circuits::Kind,
    data::Dataset,
    metrics::Quality,
    plain::{self, Rate, State, nesterov, scores},
    preprocess::{Preprocessor, Scheme, signed_rows},
    report::Machine,
    sigmoid::{Approximation, Sigmoid},
    split::{Minibatches, Order, Split, k_fold},
    trainer::{PlannerOptions, Rounds, Settings, TrainerBuilder},
};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{
    data::{CLINICAL, TrainTest, clinical},
    encrypted::largest_difference,
    reference_folds::reference_folds,
};
use crate::{Result, report};

/// Seeds of minibatches that the plaintext figures are means over; the encrypted run takes the first.
pub const SEEDS: u64 = 5;
/// Seeds of folds that the plaintext figures are means over; the encrypted run takes the first unless there are the reference's folds.
pub const FOLD_SEEDS: u64 = 20;
/// Folds.
pub const FOLDS: usize = 5;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Qualities {
    /// The machine.
    pub machine: Machine,
    /// The commit that ran, if known.
    pub commit: Option<String>,
    /// Processes that were running or waiting at the start.
    pub load: Option<f64>,
    /// Threads.
    pub threads: usize,
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
    let own = plain::PlainSettings {
        iterations: settings.iterations,
        rate: settings.rate.clone(),
        sigmoid: Sigmoid::Polynomial(settings.activation.clone()),
        batches: Minibatches::new(train.rows(), settings.minibatch, settings.order)?,
    };
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
    /// Nothing trained yet.
    pub fn new() -> Self {
        let state = report::Machine::here();
        Self {
            machine: Machine::here(),
            commit: state.commit,
            load: state.load,
            threads: CpuEngine::new().threads(),
            table: Vec::new(),
            checks: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Images, threes against eights, in minibatches with refresh rounds. `least` is what the plaintext mean must reach.
    ///
    /// # Errors
    /// The trainer's.
    pub fn images(&mut self, data: &TrainTest, plan: &Plan, least: Option<Score>) -> Result<()> {
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
    pub fn full_batch(
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
    pub fn clinical(
        &mut self,
        folder: &std::path::Path,
        plan: &Plan,
        progress: &dyn Fn(&str),
    ) -> Result<()> {
        for (name, reference) in CLINICAL {
            match clinical(folder, name)? {
                Some(data) => {
                    progress(&format!("{name}, {} rows", data.rows()));
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

impl Default for Qualities {
    fn default() -> Self {
        Self::new()
    }
}

fn planner(plan: &Plan) -> PlannerOptions {
    PlannerOptions {
        log_n: plan.log_n.clone(),
        ..PlannerOptions::default()
    }
}
