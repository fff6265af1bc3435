//! Plans held to runs: bytes exact, memory of the server's process within 20 %, seconds within 30 %.
//!
//! ```text
//!   client process    plan -> keys/, data.arras               bytes of files against the plan's
//!   server process    keys/eval, data.arras -> one round      seconds and peak memory against the plan's
//! ```
//! Both do what the command line's verbs do, each in a process of its own for every circuit, so that a peak is that of one training: the
//! library's `Trainer`, which is both sides at once, has both sides' memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use arras::{
    CpuEngine,
    ckks::wire::{AtomicFile, Overwrite},
    toolkit::{
        cost::CostTable,
        plan::ServerMemory,
        run::Options,
        text::{self, Table, bytes, percent},
    },
};
use clap::Args;
use lr_train::{
    circuits::Kind,
    preprocess::{Preprocessor, Scheme},
    report::peak_memory,
    trainer::{
        DataOwner, ErrorsFor, KeySetId, PlannerOptions, RoundResult, Settings as Training,
        TrainingServer,
        files::{
            DatasetFile, KeyDirectory, dataset_file_bytes, load_evaluation, save_result,
            write_dataset,
        },
        plan,
    },
};
use serde::{Deserialize, Serialize};

use super::data::{self, TrainTest};
use crate::{
    Common, Result,
    process::again,
    report::{Origin, Report},
};

/// What memory of the process may differ from the plan's, as a share of the run's.
pub const MEMORY_TOLERANCE: f64 = 0.2;
/// What seconds may differ likewise.
pub const SECONDS_TOLERANCE: f64 = 0.3;

/// What plans say against what trainings take: bytes, memory, seconds; fails if bytes or memory are not as planned.
#[derive(Args)]
pub struct Arguments {
    /// Folder with `mnist/` in it [default: the variable ARRAS_DATA, then ../shared/data]. Without MNIST the built-in digits stand in.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Minibatches to train on.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=12))]
    iterations: u16,
    /// Rows of a minibatch.
    #[arg(long, default_value_t = 64)]
    minibatch: usize,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Trainings for each number of threads, of which the fastest counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Measured costs, as `scaling --costs` writes them; a table for each number of threads [default: built-in costs].
    #[arg(long)]
    costs: Option<PathBuf>,
    /// Circuits; all if none is named.
    #[arg(long)]
    circuit: Vec<Kind>,
    /// Fail if seconds are off, too: only on a machine without other work.
    #[arg(long)]
    strict: bool,
    /// Be the client for this circuit.
    #[arg(long, hide = true, requires = "folder")]
    client: Option<Kind>,
    /// Be the server with this many threads.
    #[arg(long, hide = true, requires = "folder")]
    server: Option<usize>,
    /// The folder of both.
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
}

impl Arguments {
    /// Measures and publishes `plans`.
    ///
    /// # Errors
    /// The trainer's; for files that cannot be written; if bytes or memory are not as planned.
    pub fn run(mut self, common: &Common) -> Result<()> {
        if let (Some(threads), Some(folder)) = (self.server, &self.folder) {
            println!("{}", serde_json::to_string(&server(folder, threads)?)?);
            return Ok(());
        }
        let data = if common.quick {
            (self.iterations, self.minibatch, self.runs) = (2, 16, 1);
            data::digits()?
        } else {
            data::mnist_or_digits(&data::folder(self.data.take()))?
        };
        let costs: Vec<CostTable> = match &self.costs {
            Some(file) => serde_json::from_str(&fs::read_to_string(file)?)?,
            None => vec![],
        };
        if let (Some(kind), Some(folder)) = (self.client, &self.folder) {
            let sent = self.client(&data, &costs, kind, folder)?;
            println!("{}", serde_json::to_string(&sent)?);
            return Ok(());
        }
        let origin = Origin::here();
        let summaries: Vec<String> = costs.iter().map(CostTable::summary).collect();
        let mut plans = Plans {
            data: format!(
                "{}, {} iterations, minibatches of {}",
                data.name, self.iterations, self.minibatch
            ),
            costs: match &summaries[..] {
                [] => "the costs that come with the toolkit".into(),
                some => some.join("; "),
            },
            rows: vec![],
        };
        for kind in Kind::ALL {
            if self.circuit.is_empty() || self.circuit.contains(&kind) {
                eprintln!("{kind}");
                plans.rows.push(self.row(kind)?);
            }
        }
        common
            .output
            .publish("plans", &plans.report(origin), &plans)?;
        if !plans.sizes_hold() {
            return Err("bytes or memory are not as planned: see above".into());
        }
        if self.strict && !plans.seconds_hold() {
            return Err("seconds are not as planned: see above".into());
        }
        Ok(())
    }

    /// One circuit: a client's process, then servers' processes. Encoding uses the process-wide pool of threads, which is limited likewise.
    fn row(&self, circuit: Kind) -> Result<Row> {
        let folder = tempfile::tempdir()?;
        let name = folder.path().display().to_string();
        let sent = again(&["--client", circuit.name(), "--folder", &name], &[])?;
        let mut trained = vec![];
        for threads in &self.threads {
            let count = threads.to_string();
            let server = ["--server", &count, "--folder", &name];
            let mut best: Option<Trained> = None;
            for _ in 0..self.runs {
                let found: Trained = again(&server, &[("RAYON_NUM_THREADS", &count)])?;
                best = Some(match best {
                    Some(best) => Trained {
                        first: best.first.min(found.first),
                        seconds: best.seconds.min(found.seconds),
                        peak: best.peak.max(found.peak),
                        ..best
                    },
                    None => found,
                });
            }
            trained.extend(best);
        }
        Ok(Row {
            circuit,
            sent,
            trained,
        })
    }

    /// Plans a training, makes keys and encrypts data into a folder: the client's part.
    fn client(
        &self,
        data: &TrainTest,
        costs: &[CostTable],
        kind: Kind,
        folder: &Path,
    ) -> Result<Sent> {
        let training = Training::new(self.minibatch, self.iterations.into()).circuit(kind);
        let features = Preprocessor::fit(&data.train, Scheme::MaxAbs)?.features() + 1;
        let planned = |threads| {
            let tables = costs.iter().filter(|table| table.spec().threads == threads);
            let options = PlannerOptions::new()
                .threads(threads)
                .costs(tables.cloned())
                .errors(ErrorsFor::Nothing);
            plan(&training, features, data.train.rows(), &options)
        };
        // The plan that is run is that for the most threads; the others tell the same circuit's times, as sums may be added up otherwise.
        let most = self.threads.iter().copied().max().unwrap_or(1);
        let (plan, report) = planned(most)?;
        let mut seconds = vec![];
        for &threads in &self.threads {
            let of = planned(threads)?.1.chosen.seconds;
            seconds.push((threads, of.first().map_or(f64::NAN, |s| s.seconds)));
        }
        let (owner, keys) = DataOwner::generate(plan.clone(), CpuEngine::new())?;
        let directory = KeyDirectory::new(folder.join("keys"));
        directory.claim(Overwrite::Replace)?.save(&owner, &keys)?;
        let prepared = owner.prepare(&data.train, Scheme::MaxAbs)?;
        let file = AtomicFile::create(folder.join("data.arras"), Overwrite::Replace)?;
        let written = write_dataset(&owner, &prepared, file, |_| {})?;
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
    /// What was trained on.
    pub data: String,
    /// Where the plan's times come from.
    pub costs: String,
    /// One for each circuit.
    pub rows: Vec<Row>,
}

/// Trains one round from a folder's files: the server's part.
fn server(folder: &Path, threads: usize) -> Result<Trained> {
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
    let file = AtomicFile::create(folder.join("result.arras"), Overwrite::Replace)?;
    save_result(server.plan(), &result, file)?;
    Ok(Trained {
        threads,
        first,
        seconds: seconds(&result),
        peak: peak_memory(),
    })
}

impl Plans {
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

    fn report(&self, origin: Origin) -> Report {
        let mut report = Report::new("Plans held to runs", "plans", origin);
        report.text(format_args!(
            "{}; times of the plan from {}.",
            self.data, self.costs
        ));
        let off = |pair: Pair<f64>| format!("{:+.0} %", 100.0 * pair.off());

        let mut sizes = Table::new([
            "circuit",
            "N",
            "data bytes, plan = run",
            "key bytes, plan = run",
            "memory, plan",
            "memory, run",
            "off",
        ]);
        let mut times = Table::new(["circuit", "threads", "plan", "run", "off", "first run"]);
        let mut parts = Table::new(["circuit", "the plan's memory"]);
        for row in &self.rows {
            let exact = |pair: Pair<u64>| {
                if pair.plan == pair.run {
                    pair.run.to_string()
                } else {
                    format!("**{} != {}**", pair.plan, pair.run)
                }
            };
            let mut cells = vec![
                row.circuit.name().to_owned(),
                format!("2^{}", row.sent.log_n),
                exact(row.sent.data),
                exact(row.sent.keys),
                bytes(row.sent.memory.total()),
            ];
            match row.memory() {
                Some(m) => cells.extend([bytes(m.run as u64), off(m)]),
                None => cells.push("the system does not tell".into()),
            }
            sizes.row(cells);
            for trained in &row.trained {
                if let Some(s) = row.seconds(trained.threads) {
                    times.row([
                        row.circuit.name().to_owned(),
                        trained.threads.to_string(),
                        text::seconds(s.plan),
                        text::seconds(s.run),
                        off(s),
                        text::seconds(trained.first),
                    ]);
                }
            }
            parts.row([row.circuit.name().to_owned(), row.sent.memory.to_string()]);
        }
        report.heading("Bytes and memory").table(&sizes);
        report
            .heading("Seconds")
            .text("\"First run\" is the fastest first run of a process, which takes its memory from the system.")
            .table(&times);
        report.heading("Parts of the plan's memory").table(&parts);
        let word = |holds| if holds { "hold" } else { "**do not hold**" };
        report.text(format_args!(
            "Bytes exact and memory within {}: {}. Seconds within {}: {}.",
            percent(MEMORY_TOLERANCE),
            word(self.sizes_hold()),
            percent(SECONDS_TOLERANCE),
            word(self.seconds_hold())
        ));
        report
    }
}
