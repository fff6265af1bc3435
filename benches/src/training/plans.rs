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
    toolkit::{cost::CostTable, plan::ServerMemory, run::Options, text::percent},
};
use clap::Args;
use lr_train::{
    circuits::Kind,
    preprocess::{Preprocessor, Scheme},
    report::peak_memory,
    trainer::{
        DataOwner, ErrorsFor, PlannerOptions, RoundResult, Settings as Training, TrainingServer,
        files::{
            DatasetFile, KeyDirectory, dataset_file_bytes, load_evaluation, save_result,
            write_dataset,
        },
        plan,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Trainings, data::TrainTest};
use crate::{
    Common, Result,
    process::again,
    report::{Form::*, Origin, Report, Table, column, hidden},
};

/// What memory of the process may differ from the plan's, as a share of the run's.
const MEMORY_TOLERANCE: f64 = 0.2;
/// What seconds may differ likewise.
const SECONDS_TOLERANCE: f64 = 0.3;

/// What plans say against what trainings take: bytes, memory, seconds; fails if bytes or memory are not as planned.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    of: Trainings,
    /// Rows of a minibatch.
    #[arg(long, default_value_t = 64)]
    minibatch: usize,
    /// Trainings for each number of threads, of which the fastest counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Measured costs, as `scaling --costs` writes them; a table for each number of threads [default: built-in costs].
    #[arg(long)]
    costs: Option<PathBuf>,
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
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        if let (Some(threads), Some(folder)) = (self.server, &self.folder) {
            println!("{}", serde_json::to_string(&server(folder, threads)?)?);
            return Ok(());
        }
        if common.quick {
            (self.of.iterations, self.minibatch, self.runs) = (2, 16, 1);
        }
        let data = self.of.images(common.quick)?;
        let costs: Vec<CostTable> = match &self.costs {
            Some(file) => serde_json::from_str(&fs::read_to_string(file)?)?,
            None => vec![],
        };
        if let (Some(kind), Some(folder)) = (self.client, &self.folder) {
            let sent = self.client(&data, &costs, kind, folder)?;
            println!("{}", serde_json::to_string(&sent)?);
            return Ok(());
        }
        let summaries: Vec<String> = costs.iter().map(CostTable::summary).collect();
        let costs = match &summaries[..] {
            [] => "the costs that come with the toolkit".into(),
            some => some.join("; "),
        };
        let data = format!(
            "{}, {} iterations, minibatches of {}",
            data.name, self.of.iterations, self.minibatch
        );
        let mut report = Report::new("Plans held to runs", "plans", Origin::here());
        report.number("data", &data).number("costs", &costs);
        report.text(format_args!("{data}; times of the plan from {costs}."));
        let (sizes_hold, seconds_hold) = self.compare(&mut report)?;
        let word = |holds| if holds { "hold" } else { "**do not hold**" };
        report.text(format_args!(
            "Bytes exact and memory within {}: {}. Seconds within {}: {}.",
            percent(MEMORY_TOLERANCE),
            word(sizes_hold),
            percent(SECONDS_TOLERANCE),
            word(seconds_hold)
        ));
        common.output.page("plans", &report)?;
        if !sizes_hold {
            return Err("bytes or memory are not as planned: see above".into());
        }
        if self.strict && !seconds_hold {
            return Err("seconds are not as planned: see above".into());
        }
        Ok(())
    }

    /// The tables, and whether bytes are exact and memory is within the tolerance (where the system tells it), and seconds likewise.
    fn compare(&self, report: &mut Report) -> Result<(bool, bool)> {
        let exact = |v: &Value| {
            let (plan, run) = (&v["plan"], &v["run"]);
            if plan == run {
                run.to_string()
            } else {
                format!("**{plan} != {run}**")
            }
        };
        let off = |v: &Value| format!("{:+.0} %", 100.0 * v.as_f64().unwrap_or(f64::NAN));
        let power = |v: &Value| format!("2^{v}");
        let mut sizes = Table::new(
            "sizes",
            [
                column("circuit", Plain),
                column("N", By(power)).key("log_n"),
                column("data bytes, plan = run", By(exact)).key("data_bytes"),
                column("key bytes, plan = run", By(exact)).key("key_bytes"),
                column("memory, plan", Bytes).key("memory_plan"),
                column("memory, run", Bytes)
                    .key("memory_run")
                    .or("the system does not tell"),
                column("off", By(off)).or(""),
            ],
        );
        let mut times = Table::new(
            "seconds",
            [
                column("circuit", Plain),
                column("threads", Plain),
                column("plan", Seconds),
                column("run", Seconds),
                column("off", By(off)),
                column("first run", Seconds),
                hidden("peak"),
            ],
        );
        let parts = column("the plan's memory", Plain).key("text");
        let mut parts = Table::new("memory", [column("circuit", Plain), parts, hidden("plan")]);
        let (mut sizes_hold, mut seconds_hold) = (true, true);
        for kind in Kind::ALL.into_iter().filter(|&kind| self.of.has(kind)) {
            eprintln!("{kind}");
            let (sent, trained) = self.measure(kind)?;
            let circuit = kind.name();
            let plan = sent.memory.total();
            let peak = trained.iter().filter_map(|run| run.peak).max();
            let off = peak.map(|peak| plan as f64 / peak as f64 - 1.0);
            sizes_hold &= [sent.keys, sent.data].iter().all(|of| of.plan == of.run)
                && off.is_none_or(|off| off.abs() <= MEMORY_TOLERANCE);
            sizes.row((circuit, sent.log_n, sent.data, sent.keys, plan, peak, off));
            for (run, plan) in trained.iter().zip(sent.seconds) {
                let off = plan / run.seconds - 1.0;
                seconds_hold &= off.abs() <= SECONDS_TOLERANCE;
                let seconds = [plan, run.seconds, off, run.first];
                times.row((circuit, run.threads, seconds, run.peak));
            }
            parts.row((circuit, sent.memory.to_string(), sent.memory));
        }
        report.heading("Bytes and memory").add(&sizes);
        report
            .heading("Seconds")
            .text("\"First run\" is the fastest first run of a process, which takes its memory from the system.")
            .add(&times);
        report.heading("Parts of the plan's memory").add(&parts);
        Ok((sizes_hold, seconds_hold))
    }

    /// One circuit: a client's process, then servers' processes.
    fn measure(&self, circuit: Kind) -> Result<(Sent, Vec<Trained>)> {
        let folder = tempfile::tempdir()?;
        let name = folder.path().display().to_string();
        let sent = again(&["--client", circuit.name(), "--folder", &name], &[])?;
        let mut trained = vec![];
        for threads in &self.of.threads {
            let count = threads.to_string();
            let server = ["--server", &count, "--folder", &name];
            let mut best: Option<Trained> = None;
            for _ in 0..self.runs {
                let found: Trained = again(&server, &[])?;
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
        Ok((sent, trained))
    }

    /// Plans a training, makes keys and encrypts data into a folder: the client's part.
    fn client(
        &self,
        data: &TrainTest,
        costs: &[CostTable],
        kind: Kind,
        folder: &Path,
    ) -> Result<Sent> {
        let training = Training::new(self.minibatch, self.of.iterations.into()).circuit(kind);
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
        let (plan, report) = planned(self.of.most_threads())?;
        let mut seconds = vec![];
        for &threads in &self.of.threads {
            let of = planned(threads)?.1.chosen.seconds;
            seconds.push(of.first().ok_or("no costs")?.seconds);
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
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Pair {
    plan: u64,
    run: u64,
}

/// What a client made, and what its plan says.
#[derive(Serialize, Deserialize)]
struct Sent {
    log_n: u32,
    /// The file of evaluation keys.
    keys: Pair,
    /// The file of encrypted data.
    data: Pair,
    /// For each number of threads.
    seconds: Vec<f64>,
    memory: ServerMemory,
}

/// What a server saw.
#[derive(Serialize, Deserialize)]
struct Trained {
    threads: usize,
    /// Seconds of the first training of a process, the fastest one: it takes its memory from the system, which no plan can know the price
    /// of (in a virtual machine the host may have to find it first).
    first: f64,
    /// Seconds of a training in a process that has trained before: what the plan's seconds are held to.
    seconds: f64,
    /// The most memory of the process, in bytes, where the system says.
    peak: Option<u64>,
}

/// Trains one round from a folder's files: the server's part.
fn server(folder: &Path, threads: usize) -> Result<Trained> {
    let engine = CpuEngine::with_threads(threads)?;
    let (plan, keys) = load_evaluation(&folder.join("keys/eval"), false)?;
    let id = keys.id();
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
