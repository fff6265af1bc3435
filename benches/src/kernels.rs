//! Where a device's time goes: latency, throughput and host time of single operations, and the device's time by kernel.

use arras::{
    GpuEngine,
    ckks::{Ciphertext, Evaluator},
    hal::{Backend, SecretEngine},
    secret_backend,
    toolkit::text::{Table, fixed, seconds},
};
use clap::Args;
use serde::Serialize;

use crate::{
    Client, Common, Result, Server,
    engines::Adapter,
    fixture::ROTATIONS,
    parameter_sets::Set,
    report::{Origin, Report},
    timing::{Repeat, Timing, clock},
};

/// Device time by kernel, from timestamp queries, beside latency and throughput of the operations.
#[derive(Args)]
pub struct Arguments {
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

/// A call with two operands; its result is dropped.
pub(crate) type Call<B> =
    fn(&Evaluator<B>, &Ciphertext<B>, &Ciphertext<B>) -> arras::ckks::Result<()>;

/// Single calls of the evaluator, by name, to look at what one of them costs a device and its host.
pub(crate) fn calls<B: Backend>() -> [(&'static str, Call<B>); 5] {
    [
        ("multiply, relinearize, rescale", |e, x, y| {
            e.relinearize_and_rescale(&e.multiply(x, y)?).map(drop)
        }),
        ("rotate", |e, x, _| e.rotate(x, 1).map(drop)),
        ("8 rotations, hoisted", |e, x, _| {
            e.hoisted_rotations(x, &ROTATIONS).map(drop)
        }),
        ("sum of 8 rotations", |e, x, _| {
            e.rotation_sum(x, &ROTATIONS).map(drop)
        }),
        ("rescale", |e, x, y| {
            let product = e.add(x, y)?;
            e.level_down(&product, product.level() - 1).map(drop)
        }),
    ]
}

/// Everything that one run found out.
#[derive(Default, Serialize)]
struct Kernels {
    device: String,
    parts: Vec<Part>,
}

/// A parameter set and a batch.
#[derive(Serialize)]
struct Part {
    set: String,
    batch: usize,
    operations: Vec<Operation>,
    kernels: Vec<Kernel>,
}

/// One call.
#[derive(Serialize)]
struct Operation {
    operation: &'static str,
    latency: Timing,
    /// Per call of many before one wait.
    enqueued: Timing,
    /// Until the last of them was enqueued.
    host: Timing,
    dispatches: f64,
    submissions: f64,
}

/// A kernel's part of one call.
#[derive(Serialize)]
struct Kernel {
    operation: &'static str,
    kernel: String,
    seconds: f64,
    dispatches: f64,
    workgroups: u64,
}

impl Arguments {
    /// Measures and publishes `kernels`.
    ///
    /// # Errors
    /// The engine's; for files that cannot be written.
    pub fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            self.sets = vec!["13:2".parse()?];
            (self.enqueued, self.runs) = (2, 1);
        }
        let origin = Origin::here();
        let plain = self.gpu.open(false)?;
        let mut found = Kernels {
            device: format!("{}: {}", plain.name(), plain.adapter()),
            parts: Vec::new(),
        };
        for set in &self.sets {
            let params = set.parameters()?;
            let client = Client::new(&params, secret_backend())?;
            for &batch in &self.batch {
                eprintln!("{set}, batch {batch}");
                found.parts.push(Part {
                    set: params.to_string(),
                    batch,
                    operations: self.times(&plain, &client, batch)?,
                    kernels: if self.no_profile {
                        Vec::new()
                    } else {
                        profile(&self.gpu.open(true)?, &client, batch)?
                    },
                });
            }
        }
        common
            .output
            .publish("kernels", &found.report(origin), &found)
    }

    fn times(
        &self,
        engine: &GpuEngine,
        client: &Client<impl SecretEngine>,
        batch: usize,
    ) -> Result<Vec<Operation>> {
        let server = Server::new(client, engine.clone())?;
        let [x, y] = operands(&server, batch)?;
        let mut list = Vec::new();
        for (operation, call) in calls::<GpuEngine>() {
            let once = || call(&server.evaluator, &x, &y);
            warm_up(engine, once)?;
            let count = self.enqueued.max(1);
            let (mut enqueued, mut host) = (Vec::new(), Vec::new());
            let before = (engine.dispatch_count(), engine.submit_count());
            for _ in 0..self.runs.max(1) {
                let start = std::time::Instant::now();
                for _ in 0..count {
                    once()?;
                }
                host.push(start.elapsed().as_secs_f64() / count as f64);
                engine.sync()?;
                enqueued.push(start.elapsed().as_secs_f64() / count as f64);
            }
            let total = (enqueued.len() * count) as f64;
            let per_call = |now: u64, before: u64| (now - before) as f64 / total;
            let dispatches = per_call(engine.dispatch_count(), before.0);
            let submissions = per_call(engine.submit_count(), before.1);
            let latency = Repeat::times(self.runs.max(1)).time(|| {
                clock(|| {
                    once()?;
                    Ok(engine.sync()?)
                })
            })?;
            list.push(Operation {
                operation,
                latency,
                enqueued: Timing::of(&enqueued),
                host: Timing::of(&host),
                dispatches,
                submissions,
            });
        }
        Ok(list)
    }
}

/// The server's operands, `batch` times.
fn operands<B: Backend>(server: &Server<B>, batch: usize) -> Result<[Ciphertext<B>; 2]> {
    let repeat = |x: &Ciphertext<B>| Ciphertext::concat(&vec![x; batch]);
    Ok([repeat(&server.x)?, repeat(&server.y)?])
}

/// Compiles, fills the pool, and works for a while: a device that has been idle begins with low clocks.
fn warm_up(engine: &GpuEngine, once: impl Fn() -> arras::ckks::Result<()>) -> Result<()> {
    let run = || {
        clock(|| {
            once()?;
            Ok(engine.sync()?)
        })
    };
    Repeat::times(2).warmed_up(0.3).time(run)?;
    Ok(())
}

fn profile(
    engine: &GpuEngine,
    client: &Client<impl SecretEngine>,
    batch: usize,
) -> Result<Vec<Kernel>> {
    const RUNS: u32 = 20;
    let server = Server::new(client, engine.clone())?;
    let [x, y] = operands(&server, batch)?;
    let mut list = Vec::new();
    for (operation, call) in calls::<GpuEngine>() {
        warm_up(engine, || call(&server.evaluator, &x, &y))?;
        engine.take_profile();
        for _ in 0..RUNS {
            call(&server.evaluator, &x, &y)?;
        }
        engine.sync()?;
        list.extend(engine.take_profile().into_iter().map(|kernel| Kernel {
            operation,
            kernel: kernel.kernel.to_string(),
            seconds: kernel.time.as_secs_f64() / f64::from(RUNS),
            dispatches: kernel.dispatches as f64 / f64::from(RUNS),
            workgroups: kernel.workgroups / u64::from(RUNS),
        }));
    }
    Ok(list)
}

impl Kernels {
    fn report(&self, origin: Origin) -> Report {
        let mut report = Report::new("Device time by kernel", "kernels", origin);
        report.text(&self.device);
        for part in &self.parts {
            let mut operations = Table::new([
                "operation",
                "latency",
                "enqueued",
                "host",
                "dispatches",
                "submits",
            ]);
            for row in &part.operations {
                operations.row([
                    row.operation.to_owned(),
                    row.latency.show(),
                    row.enqueued.show(),
                    row.host.show(),
                    fixed(row.dispatches, 1),
                    fixed(row.submissions, 2),
                ]);
            }
            report
                .heading(format_args!("Batch {}", part.batch))
                .fixed_width(&part.set)
                .table(&operations);
            for of in part.kernels.chunk_by(|a, b| a.operation == b.operation) {
                let mut kernels = Table::new(["kernel", "time", "dispatches", "workgroups"]);
                for row in of {
                    kernels.row([
                        row.kernel.clone(),
                        seconds(row.seconds),
                        fixed(row.dispatches, 1),
                        row.workgroups.to_string(),
                    ]);
                }
                let name = of.first().map_or("", |row| row.operation);
                let total = of.iter().map(|row| row.seconds).sum();
                report
                    .text(format_args!("{name}: {} on the device.", seconds(total)))
                    .table(&kernels);
            }
        }
        report
    }
}
