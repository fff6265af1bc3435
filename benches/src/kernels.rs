//! Where a device's time goes: latency, throughput and host time of single operations, and the device's time by kernel.

use arras::{
    GpuEngine,
    ckks::Ciphertext,
    hal::{Backend, SecretEngine},
    secret_backend,
    toolkit::text::seconds,
};
use clap::Args;

use crate::{
    Client, Common, Result, Server,
    engines::Adapter,
    parameter_sets::Set,
    report::{
        Form::{Fixed, Plain, Seconds},
        Origin, Report, Table, column, hidden,
    },
    scheme::{Call, key_switching_calls},
    timing::{Repeat, clock},
};

/// Device time by kernel, from timestamp queries, beside latency and throughput of the operations.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Ring degrees and levels, as LOG_N:LEVELS.
    #[arg(long, value_delimiter = ',', default_value = "15:15,16:34")]
    sets: Vec<Set>,
    #[command(flatten)]
    gpu: Adapter,
    /// Operations enqueued before one wait, for the throughput.
    #[arg(long, default_value_t = 50)]
    enqueued: usize,
    /// Runs of which the median is given.
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Ciphertexts of a batch.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    batch: Vec<usize>,
    /// Leave out the times of kernels.
    #[arg(long)]
    no_profile: bool,
}

/// Single calls of the evaluator, by name, to look at what one of them costs a device and its host.
pub(crate) fn calls<B: Backend>() -> impl Iterator<Item = (&'static str, Call<B>)> {
    let rescale: Call<B> = |e, x, y| Ok(vec![e.level_down(&e.add(x, y)?, x.level() - 1)?]);
    key_switching_calls()
        .into_iter()
        .chain([("rescale", rescale)])
}

impl Arguments {
    /// Measures and publishes `kernels`.
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            self.sets = vec!["13:2".parse()?];
            (self.enqueued, self.runs) = (2, 1);
        }
        let mut report = Report::new("Device time by kernel", "kernels", Origin::here());
        let plain = self.gpu.open(false)?;
        let device = format!("{}: {}", plain.name(), plain.adapter());
        report.text(&device).number("device", &device);
        for set in &self.sets {
            let params = set.parameters()?;
            let client = Client::new(&params, secret_backend())?;
            for &batch in &self.batch {
                eprintln!("{set}, batch {batch}");
                report
                    .part("parts")
                    .number("set", params.to_string())
                    .number("batch", batch)
                    .heading(format_args!("Batch {batch}"))
                    .fixed_width(&params)
                    .add(&self.times(&plain, &client, batch)?);
                if !self.no_profile {
                    profile(&self.gpu.open(true)?, &client, batch, &mut report)?;
                }
            }
        }
        common.output.page("kernels", &report)
    }

    fn times(
        &self,
        engine: &GpuEngine,
        client: &Client<impl SecretEngine>,
        batch: usize,
    ) -> Result<Table> {
        let server = Server::new(client, engine.clone())?;
        let [x, y] = operands(&server, batch)?;
        let mut table = Table::new(
            "operations",
            [
                column("operation", Plain),
                column("latency", Seconds),
                // Per call of many before one wait.
                column("enqueued", Seconds),
                // Until the last of them was enqueued.
                column("host", Seconds),
                column("dispatches", Fixed(1)),
                column("submits", Fixed(2)).key("submissions"),
            ],
        );
        let (repeat, count) = (Repeat::times(self.runs.max(1)), self.enqueued.max(1));
        for (name, call) in calls() {
            let once = || {
                call(&server.evaluator, &x, &y)?;
                Ok(())
            };
            let wait = || Ok(engine.sync()?);
            warm_up(once, wait)?;
            let before = (engine.dispatch_count(), engine.submit_count());
            let [enqueued, host] = repeat.queued(count, once, wait)?;
            // One run is not among those of the timing.
            let calls = ((host.runs + 1) * count) as f64;
            let per_call = |now: u64, before: u64| (now - before) as f64 / calls;
            let dispatches = per_call(engine.dispatch_count(), before.0);
            let submissions = per_call(engine.submit_count(), before.1);
            let [latency, _] = repeat.queued(1, once, wait)?;
            table.row((name, latency, enqueued, host, dispatches, submissions));
        }
        Ok(table)
    }
}

/// The server's operands, `batch` times.
fn operands<B: Backend>(server: &Server<B>, batch: usize) -> Result<[Ciphertext<B>; 2]> {
    let repeat = |x: &Ciphertext<B>| Ciphertext::concat(&vec![x; batch]);
    Ok([repeat(&server.x)?, repeat(&server.y)?])
}

/// Compiles, fills the pool, and works for a while: a device that has been idle begins with low clocks.
fn warm_up(
    mut once: impl FnMut() -> Result<()>,
    mut wait: impl FnMut() -> Result<()>,
) -> Result<()> {
    let repeat = Repeat::times(2).warmed_up(0.3);
    repeat.time(|| clock(|| once().and_then(|()| wait())))?;
    Ok(())
}

fn profile(
    engine: &GpuEngine,
    client: &Client<impl SecretEngine>,
    batch: usize,
    report: &mut Report,
) -> Result<()> {
    const RUNS: u32 = 20;
    let server = Server::new(client, engine.clone())?;
    let [x, y] = operands(&server, batch)?;
    for (operation, call) in calls::<GpuEngine>() {
        let once = || {
            call(&server.evaluator, &x, &y)?;
            Ok(())
        };
        let wait = || Ok(engine.sync()?);
        warm_up(once, wait)?;
        engine.take_profile();
        for _ in 0..RUNS {
            once()?;
        }
        wait()?;
        let profile = engine.take_profile();
        if profile.is_empty() {
            // A device without timestamps has nothing to tell.
            continue;
        }
        let mut kernels = Table::new(
            "kernels",
            [
                column("kernel", Plain),
                column("time", Seconds).key("seconds"),
                column("dispatches", Fixed(1)),
                column("workgroups", Plain),
                hidden("operation"),
            ],
        );
        let mut total = 0.0;
        for kernel in profile {
            let time = kernel.time.as_secs_f64() / f64::from(RUNS);
            total += time;
            kernels.row((
                kernel.kernel.to_string(),
                time,
                kernel.dispatches as f64 / f64::from(RUNS),
                kernel.workgroups / u64::from(RUNS),
                operation,
            ));
        }
        report
            .text(format_args!(
                "{operation}: {} on the device.",
                seconds(total)
            ))
            .add(&kernels);
    }
    Ok(())
}
