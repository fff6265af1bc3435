//! What the host needs to keep a device at work: processor time of the thread that records, by operation and for a training run.
//!
//! Runs on software Vulkan too: what the device computes is not counted, though it disturbs the caches of the same processor. Linux only.

use std::fs;

use arras::{GpuEngine, hal::Backend, secret_backend, toolkit::run::Options};
use clap::Args;
use lr_train::circuits::Kind;

use crate::{
    Client, Common, Result, Server,
    engines::Adapter,
    kernels::calls,
    parameter_sets::Set,
    report::{
        Form::{Plain, Seconds},
        Origin, Report, Table, column,
    },
    timing::Repeat,
    training::circuit::{MNIST, Prepared},
};

/// Processor time of the thread that records operations for a device.
#[derive(Args)]
pub(crate) struct Arguments {
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

impl Arguments {
    /// Measures and publishes `recording`.
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            self.sets = vec!["13:2".parse()?];
            (self.enqueued, self.runs, self.no_training) = (2, 1, true);
        }
        let mut report = Report::new("What recording takes", "recording", Origin::here());
        let engine = self.gpu.open(false)?;
        let mut table = Table::new(
            "rows",
            [
                column("operation", Plain).key("what"),
                column("dispatches", Plain),
                column("host", Seconds).key("seconds"),
                column("a dispatch", Seconds).key("seconds_of_a_dispatch"),
            ],
        );
        let enqueued = self.enqueued.max(1);
        for set in &self.sets {
            let client = Client::new(&set.parameters()?, secret_backend())?;
            let server = Server::new(&client, engine.clone())?;
            for (name, call) in calls() {
                let row = self.least(&engine, enqueued, || {
                    for _ in 0..enqueued {
                        call(&server.evaluator, &server.x, &server.y)?;
                    }
                    Ok(())
                })?;
                table.row((format!("{set}: {name}"), row));
            }
        }
        if !self.no_training {
            let prepared = Prepared::new(Kind::SingleChain, MNIST)?;
            let loaded = prepared.workload.load(engine.clone(), Options::new())?;
            let row = self.least(&engine, 1, || loaded.seconds().map(drop))?;
            table.row(("training, single-chain, six minibatches", row));
        }
        let device = engine.adapter().to_string();
        report
            .number("device", &device)
            .text(&device)
            .text("Processor time of the thread that records; the least of all runs, the wait included.")
            .add(&table);
        common.output.page("recording", &report)
    }

    /// The dispatches of one of the `calls` of `run`, and the least seconds of one and of a dispatch, until all are with the driver and
    /// done.
    fn least(
        &self,
        engine: &GpuEngine,
        calls: usize,
        mut run: impl FnMut() -> Result<()>,
    ) -> Result<(u64, f64, f64)> {
        let mut dispatches = 0;
        let timing = Repeat::times(self.runs.max(1)).time(|| {
            let (before, start) = (engine.dispatch_count(), processor_seconds()?);
            run()?;
            engine.sync()?;
            dispatches = (engine.dispatch_count() - before) / calls as u64;
            Ok(processor_seconds()? - start)
        })?;
        let seconds = timing.fastest / calls as f64;
        Ok((dispatches, seconds, seconds / dispatches as f64))
    }
}

/// Seconds that this thread has run.
fn processor_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().unwrap_or_default();
    Ok(first.parse::<f64>()? * 1e-9)
}
