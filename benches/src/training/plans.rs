//! Plans held to runs: bytes exact, memory of the server's process within 20 %, seconds within 30 %.
//!
//! ```text
//!   client process    plan -> keys/, data.arras               bytes of files against the plan's
//!   server process    keys/eval, data.arras -> one round      seconds and peak memory against the plan's
//! ```
//! Both do what the command line's verbs do, each in a process of its own for every circuit, so that a peak is that of one training.

use std::{fmt::Write as _, fs, path::Path};

use arras::{
    CpuEngine,
    ckks::wire::Overwrite,
    toolkit::{cost::CostTable, run::Options},
};
use lr_train::{
    circuits::Kind,
    preprocess::{Preprocessor, Scheme},
    report::{Machine, peak_memory},
    trainer::{
        DataOwner, ErrorsFor, KeySetId, PlannerOptions, RoundResult, ServerMemory,
        Settings as Training, TrainingServer,
        files::{
            DatasetFile, KeyDirectory, dataset_file_bytes, load_evaluation, save_result,
            write_dataset,
        },
        plan,
    },
};
use serde::{Deserialize, Serialize};

use super::data::TrainTest;
use crate::{Result, report};

/// What memory of the process may differ from the plan's, as a share of the run's.
pub const MEMORY_TOLERANCE: f64 = 0.2;
/// What seconds may differ likewise.
pub const SECONDS_TOLERANCE: f64 = 0.3;

/// What to train.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Iterations.
    pub iterations: usize,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// Numbers of threads.
    pub threads: Vec<usize>,
    /// Trainings of which the fastest counts.
    pub runs: usize,
    /// Measured costs; none takes the built-in ones.
    pub costs: Vec<CostTable>,
}

/// A figure of a plan and of the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair<T> {
    /// By the plan.
    pub plan: T,
    /// In the run.
    pub run: T,
}

impl Pair<f64> {
    /// How much more the plan says, as a share of the run's.
    pub fn off(&self) -> f64 {
        self.plan / self.run - 1.0
    }
}

/// What a client made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    /// log2 of the ring degree.
    pub log_n: u32,
    /// Bytes of the file of evaluation keys.
    pub keys: Pair<u64>,
    /// Bytes of the file of encrypted data.
    pub data: Pair<u64>,
    /// Seconds that the plan says, for each number of threads.
    pub seconds: Vec<(usize, f64)>,
    /// Memory that the plan says.
    pub memory: ServerMemory,
}

/// What a server saw.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Trained {
    /// Threads.
    pub threads: usize,
    /// Seconds of the first training of a process, the fastest one: it takes its memory from the system, which no plan can know the price
    /// of (in a virtual machine the host may have to find it first).
    pub first: f64,
    /// Seconds of a training in a process that has trained before: what the plan's seconds are held to.
    pub seconds: f64,
    /// The most memory of the process, in bytes, where the system says.
    pub peak: Option<u64>,
}

/// A circuit's plan and its runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The circuit.
    pub circuit: Kind,
    /// What was sent.
    pub sent: Sent,
    /// Runs, one for each number of threads.
    pub trained: Vec<Trained>,
}

impl Row {
    /// Plan and run of seconds.
    pub fn seconds(&self, threads: usize) -> Option<Pair<f64>> {
        let plan = self.sent.seconds.iter().find(|(n, _)| *n == threads)?.1;
        let run = self.trained.iter().find(|t| t.threads == threads)?.seconds;
        Some(Pair { plan, run })
    }

    /// Plan and run of the most memory of all runs, in bytes.
    pub fn memory(&self) -> Option<Pair<f64>> {
        let run = self.trained.iter().filter_map(|t| t.peak).max()? as f64;
        let plan = self.sent.memory.total() as f64;
        Some(Pair { plan, run })
    }

    /// Whether bytes are exact.
    pub fn bytes_are_exact(&self) -> bool {
        self.sent.keys.plan == self.sent.keys.run && self.sent.data.plan == self.sent.data.run
    }
}

/// All circuits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plans {
    /// The machine.
    pub machine: Machine,
    /// The commit that ran, if known.
    pub commit: Option<String>,
    /// Processes that were running or waiting at the start.
    pub load: Option<f64>,
    /// What was trained on.
    pub data: String,
    /// Where the plan's times come from.
    pub costs: String,
    /// One for each circuit.
    pub rows: Vec<Row>,
}

/// Plans a training, makes keys and encrypts data into a folder: the client's part.
///
/// # Errors
/// Those of the trainer and of files.
pub fn client(data: &TrainTest, settings: &Settings, kind: Kind, folder: &Path) -> Result<Sent> {
    let training = Training::new(settings.minibatch, settings.iterations).circuit(kind);
    let features = Preprocessor::fit(&data.train, Scheme::MaxAbs)?.features() + 1;
    let planned = |threads| {
        let options = PlannerOptions {
            threads,
            costs: settings
                .costs
                .iter()
                .filter(|table| table.spec().threads == threads)
                .cloned()
                .collect(),
            errors: ErrorsFor::Nothing,
            ..PlannerOptions::default()
        };
        plan(&training, features, data.train.rows(), &options)
    };
    // The plan that is run is that for the most threads; the others tell the same circuit's times, as sums may be added up otherwise.
    let most = settings.threads.iter().copied().max().unwrap_or(1);
    let (plan, report) = planned(most)?;
    let mut seconds = vec![];
    for &threads in &settings.threads {
        let of = planned(threads)?.1.chosen.seconds;
        seconds.push((threads, of.first().map_or(f64::NAN, |s| s.seconds)));
    }
    let (owner, keys) = DataOwner::generate(plan.clone(), CpuEngine::new())?;
    let directory = KeyDirectory::new(folder.join("keys"));
    directory.save(&owner, &keys, Overwrite::Replace)?;
    let prepared = owner.prepare(&data.train, Scheme::MaxAbs)?;
    let written = write_dataset(
        &owner,
        &prepared,
        &folder.join("data.arras"),
        Overwrite::Replace,
        |_| {},
    )?;
    let key_file = directory.evaluation().join("evaluation-keys.arras");
    Ok(Sent {
        log_n: report.chosen.log_n,
        keys: Pair {
            plan: report.chosen.key_file_bytes,
            run: fs::metadata(key_file)?.len(),
        },
        data: Pair {
            plan: dataset_file_bytes(&plan)?,
            run: written,
        },
        seconds,
        memory: report.chosen.memory,
    })
}

/// Trains one round from a folder's files: the server's part.
///
/// # Errors
/// Those of the trainer and of files.
pub fn server(folder: &Path, threads: usize) -> Result<Trained> {
    let engine = CpuEngine::with_threads(threads)?;
    let (plan, keys) = load_evaluation(&folder.join("keys/eval"), false)?;
    let id = KeySetId::of(&keys)?;
    let data = DatasetFile::open(folder.join("data.arras"), &plan, id)?;
    let options = Options::new().side_by_side(threads);
    let server = TrainingServer::new(plan, keys, engine, options)?;
    let seconds = |result: &RoundResult<CpuEngine>| {
        let report = result.report.as_ref();
        report.map_or(f64::NAN, |report| report.seconds)
    };
    let first = seconds(&server.train(&data.round(0)?, None)?);
    let result = server.train(&data.round(0)?, None)?;
    save_result(
        server.plan(),
        &result,
        &folder.join("result.arras"),
        Overwrite::Replace,
    )?;
    Ok(Trained {
        threads,
        first,
        seconds: seconds(&result),
        peak: peak_memory(),
    })
}

impl Plans {
    /// Nothing run yet.
    pub fn new(data: &str, settings: &Settings) -> Self {
        let state = report::Machine::here();
        let costs: Vec<String> = settings.costs.iter().map(CostTable::summary).collect();
        Self {
            machine: Machine::here(),
            commit: state.commit,
            load: state.load,
            data: format!(
                "{data}, {} iterations, minibatches of {}",
                settings.iterations, settings.minibatch
            ),
            costs: if costs.is_empty() {
                "the costs that come with the toolkit".into()
            } else {
                costs.join("; ")
            },
            rows: vec![],
        }
    }

    /// Whether all bytes are exact and all memory is within the tolerance; where the system tells no memory, that is not looked at.
    pub fn sizes_hold(&self) -> bool {
        self.rows.iter().all(|row| {
            let memory = row.memory();
            row.bytes_are_exact() && memory.is_none_or(|m| m.off().abs() <= MEMORY_TOLERANCE)
        })
    }

    /// Whether all seconds are within the tolerance.
    pub fn seconds_hold(&self) -> bool {
        self.rows.iter().all(|row| {
            let mut of = row.trained.iter().filter_map(|t| row.seconds(t.threads));
            of.all(|s| s.off().abs() <= SECONDS_TOLERANCE)
        })
    }

    /// Everything as text.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}\n{}\ncommit {}, load at the start {}\ntimes of the plan from {}\n\n",
            self.data,
            self.machine,
            self.commit.as_deref().unwrap_or("unknown"),
            self.load.map_or("unknown".into(), |l| format!("{l:.1}")),
            self.costs
        );
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        let _ = writeln!(
            text,
            "{:<24}{:>6}{:>22}{:>22}{:>8}{:>10}{:>8}",
            "circuit", "N", "data bytes", "key bytes", "memory", "MiB", ""
        );
        let _ = writeln!(
            text,
            "{:<30}{:>22}{:>22}{:>8}{:>10}{:>8}",
            "", "plan = run", "plan = run", "plan", "run", "off"
        );
        for row in &self.rows {
            let bytes = |pair: Pair<u64>| {
                if pair.plan == pair.run {
                    pair.run.to_string()
                } else {
                    format!("{} != {}", pair.plan, pair.run)
                }
            };
            let _ = write!(
                text,
                "{:<24}{:>6}{:>22}{:>22}",
                row.circuit.name(),
                format!("2^{}", row.sent.log_n),
                bytes(row.sent.data),
                bytes(row.sent.keys)
            );
            let _ = match row.memory() {
                Some(m) => writeln!(
                    text,
                    "{:>8.0}{:>10.0}{:>+7.0} %",
                    mib(m.plan),
                    mib(m.run),
                    100.0 * m.off()
                ),
                None => writeln!(text, "   the system does not tell"),
            };
        }
        text.push_str(
            "\nseconds: plan, run, how far the plan is off; in brackets the first run of a process, which takes its memory from the system\n",
        );
        for row in &self.rows {
            let _ = write!(text, "{:<24}", row.circuit.name());
            for trained in &row.trained {
                if let Some(s) = row.seconds(trained.threads) {
                    let _ = write!(
                        text,
                        "   {} thr. {:>7.3} {:>7.3} {:>+5.0} % ({:.3})",
                        trained.threads,
                        s.plan,
                        s.run,
                        100.0 * s.off(),
                        trained.first
                    );
                }
            }
            text.push('\n');
        }
        text.push_str("\nparts of the plan's memory, MiB\n");
        for row in &self.rows {
            let _ = writeln!(text, "{:<24}{}", row.circuit.name(), row.sent.memory);
        }
        let word = |holds| if holds { "hold" } else { "DO NOT HOLD" };
        let _ = writeln!(
            text,
            "\nBytes exact and memory within {:.0} %: {}. Seconds within {:.0} %: {}.",
            100.0 * MEMORY_TOLERANCE,
            word(self.sizes_hold()),
            100.0 * SECONDS_TOLERANCE,
            word(self.seconds_hold())
        );
        text
    }

    /// Everything as Markdown.
    pub fn to_markdown(&self) -> String {
        format!(
            "# Plans held to runs\n\nFrom `cargo run --release -p arras-benches --bin plans`.\n\n```text\n{}```\n",
            self.to_text()
        )
    }
}
