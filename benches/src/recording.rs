//! What the host needs to keep a device at work: processor time of the thread that records, by operation and for a training run.
//!
//! Runs on software Vulkan too: what the device computes is not counted, though it disturbs the caches of the same processor. Linux only.

use std::fs;

use arras::{
    GpuEngine,
    hal::Backend,
    secret_backend,
    toolkit::{
        run::Options,
        text::{Table, seconds},
    },
};
use clap::Args;
use lr_train::circuits::Kind;
use serde::Serialize;

use crate::{
    Client, Common, Result, Server,
    engines::Adapter,
    kernels::calls,
    parameter_sets::Set,
    report::{Origin, Report},
    training::circuit::{MNIST, Prepared},
};

/// Processor time of the thread that records operations for a device.
#[derive(Args)]
pub struct Arguments {
    /// Ring degrees and levels, as LOG_N:LEVELS.
    #[arg(long, value_delimiter = ',', default_value = "14:5,15:15")]
    sets: Vec<Set>,
    #[command(flatten)]
    gpu: Adapter,
    /// Operations between two waits.
    #[arg(long, default_value_t = 12)]
    enqueued: usize,
    /// Runs of which the least is given: what disturbs a thread only adds.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Leave out the training run (six minibatches of 64 rows and 196 features, single-chain).
    #[arg(long)]
    no_training: bool,
}

/// Everything that one run found out.
#[derive(Serialize)]
struct Recording {
    device: String,
    rows: Vec<Row>,
}

/// What recording something takes.
#[derive(Serialize)]
struct Row {
    what: String,
    /// Dispatches of one.
    dispatches: u64,
    /// Least processor seconds of one.
    seconds: f64,
}

impl Arguments {
    /// Measures and publishes `recording`.
    ///
    /// # Errors
    /// The engine's; for files that cannot be written; where the system does not tell a thread's time.
    pub fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            self.sets = vec!["13:2".parse()?];
            (self.enqueued, self.runs, self.no_training) = (2, 1, true);
        }
        let origin = Origin::here();
        let engine = self.gpu.open(false)?;
        let mut found = Recording {
            device: engine.adapter().to_string(),
            rows: Vec::new(),
        };
        let enqueued = self.enqueued.max(1);
        for set in &self.sets {
            let client = Client::new(&set.parameters()?, secret_backend())?;
            let server = Server::new(&client, engine.clone())?;
            for (name, call) in calls() {
                let what = format!("{set}: {name}");
                found.rows.push(self.least(&engine, what, enqueued, || {
                    for _ in 0..enqueued {
                        call(&server.evaluator, &server.x, &server.y)?;
                    }
                    Ok(())
                })?);
            }
        }
        if !self.no_training {
            let prepared = Prepared::new(Kind::SingleChain, MNIST)?;
            let loaded = prepared.workload.load(engine.clone(), Options::new())?;
            let what = "training, single-chain, six minibatches".into();
            let run = || loaded.seconds().map(drop);
            found.rows.push(self.least(&engine, what, 1, run)?);
        }
        let mut table = Table::new(["operation", "dispatches", "host", "a dispatch"]);
        for row in &found.rows {
            table.row([
                row.what.clone(),
                row.dispatches.to_string(),
                seconds(row.seconds),
                seconds(row.seconds / row.dispatches as f64),
            ]);
        }
        let mut report = Report::new("What recording takes", "recording", origin);
        report
            .text(&found.device)
            .text("Processor time of the thread that records; the least of all runs, the wait included.")
            .table(&table);
        common.output.publish("recording", &report, &found)
    }

    /// Least seconds of `run`, until its `calls` are with the driver and done, and the dispatches of one of them.
    fn least(
        &self,
        engine: &GpuEngine,
        what: String,
        calls: usize,
        mut run: impl FnMut() -> Result<()>,
    ) -> Result<Row> {
        run()?;
        engine.sync()?;
        let before = engine.dispatch_count();
        let runs = self.runs.max(1);
        let mut least = f64::INFINITY;
        for _ in 0..runs {
            let start = processor_seconds()?;
            run()?;
            engine.sync()?;
            least = least.min(processor_seconds()? - start);
        }
        let dispatches = engine.dispatch_count() - before;
        Ok(Row {
            what,
            dispatches: dispatches / (runs * calls) as u64,
            seconds: least / calls as f64,
        })
    }
}

/// Seconds that this thread has run.
fn processor_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    Ok(first.parse::<f64>()? * 1e-9)
}
