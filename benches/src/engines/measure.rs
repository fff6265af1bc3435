//! Latency of one operation and time per operation of many; the device's time by kernel.

use std::hash::{DefaultHasher, Hash, Hasher};

use arras::{
    GpuEngine,
    ckks::{Context, SeededCiphertext},
    hal::{Backend, SecretEngine},
    toolkit::text::seconds,
};
use serde::Serialize;

use super::cases::{Case, calls, operands};
use crate::{
    Client, Result, Server,
    report::{Form::*, Table, column, hidden},
    timing::{Repeat, clock},
};

/// Operations in a queue: enough to hide a submission, and about this many seconds of them.
const QUEUED: std::ops::RangeInclusive<usize> = 2..=512;
const QUEUED_SECONDS: f64 = 0.05;

/// An engine's times of one operation, in seconds; medians.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Measured {
    /// From an idle engine to an idle engine.
    pub(super) latency: f64,
    /// Per operation of many enqueued at once.
    pub(super) each: f64,
    /// Per operation, until the last of them was enqueued: what the host needs to record and to submit. Where it comes near `each`, the
    /// host is what the device waits for.
    pub(super) enqueue: f64,
    /// Per operation, processor time of the thread that records, the wait included: the least of all runs, as what disturbs a thread
    /// only adds. No number where the system does not say.
    pub(super) recording: f64,
    /// Operations in the queue.
    pub(super) queued: usize,
    /// Dispatches to the device, if the engine has one.
    pub(super) dispatches: Option<u64>,
    /// Submissions, that of the wait included.
    pub(super) submissions: Option<u64>,
    /// A hash of the result's residues. It is the same on every engine, or one of them is wrong.
    pub(super) fingerprint: u64,
}

/// Measures for about `seconds`, after a first run and half as many seconds of work that does not count: many in a queue, unless a whole
/// training is `alone`. The engine is `gpu`, if there is one.
pub(super) fn measure<B: Backend>(
    case: &mut Case<'_>,
    context: &Context<B>,
    gpu: Option<&GpuEngine>,
    alone: bool,
    seconds: f64,
) -> Result<Measured> {
    let wait = || Ok(context.ring().sync()?);
    let mut hasher = DefaultHasher::new();
    (case.run)()?()?
        .iter()
        .for_each(|words| words.hash(&mut hasher));
    let mut run = || {
        drop((case.run)()?);
        Ok(())
    };
    // Kernels are compiled and pools filled by now; the counts are those of a repeated run.
    run().and_then(|()| wait())?;
    let counts = || gpu.map(|gpu| (gpu.dispatch_count(), gpu.submit_count()));
    let before = counts();
    let one = clock(|| run().and_then(|()| wait()))?;
    let counted = counts().zip(before);
    let counted = counted.map(|(now, before)| (now.0 - before.0, now.1 - before.1));
    let (dispatches, submissions) = counted.unzip();
    let queued = match alone {
        true => 1,
        false => ((QUEUED_SECONDS / one) as usize).clamp(*QUEUED.start(), *QUEUED.end()),
    };
    let repeat = Repeat::lasting(seconds / 2.0);
    let warmed_up = repeat.warmed_up(seconds / 2.0);
    let [each, enqueue, recording] = warmed_up.queued(queued, &mut run, wait)?;
    let latency = match alone {
        true => each,
        false => repeat.time(|| {
            clock(|| {
                let output = (case.run)()?;
                wait()?;
                Ok(output)
            })
        })?,
    };
    Ok(Measured {
        latency: latency.median,
        each: each.median,
        enqueue: enqueue.median,
        recording: recording.fastest,
        queued,
        dispatches,
        submissions,
        fingerprint: hasher.finish(),
    })
}

/// What every kernel of an engine that clocks them takes in the calls on a batch: a table for each call, and its heading. A device without
/// timestamps has none.
pub(super) fn kernels(
    engine: &GpuEngine,
    client: &Client<impl SecretEngine>,
    inputs: &[SeededCiphertext; 2],
    batch: usize,
    seconds_each: f64,
) -> Result<Vec<(String, Table)>> {
    const RUNS: u32 = 20;
    let server = Server::new(client, engine.clone())?;
    let params = client.context.params();
    let (log_n, levels) = (params.log_n(), params.max_level());
    let [x, y] = operands(&server.context, inputs, batch)?;
    let mut tables = Vec::new();
    for (operation, call) in calls::<GpuEngine>() {
        let many = |runs: u32| -> Result<()> {
            for _ in 0..runs {
                call(&server.evaluator, &x, &y)?;
            }
            Ok(engine.sync()?)
        };
        // A device that has been idle begins with low clocks.
        let warm_up = Repeat::times(2).warmed_up(seconds_each);
        warm_up.time(|| clock(|| many(1)))?;
        engine.take_profile();
        many(RUNS)?;
        let columns = [
            column("kernel", Plain),
            column("time", Seconds).key("seconds"),
            column("dispatches", Fixed(1)),
            column("workgroups", Plain),
            hidden("operation"),
            hidden("log_n"),
            hidden("levels"),
            hidden("batch"),
        ];
        let (mut table, mut total) = (Table::new("kernels", columns), 0.0);
        for kernel in engine.take_profile() {
            let time = kernel.time.as_secs_f64() / f64::from(RUNS);
            total += time;
            let dispatches = kernel.dispatches as f64 / f64::from(RUNS);
            let workgroups = kernel.workgroups / u64::from(RUNS);
            let counts = (dispatches, workgroups);
            let of = (operation, log_n, levels, batch);
            table.row((kernel.kernel.to_string(), time, counts, of));
        }
        let on = format!("N = 2^{log_n}, {levels} levels, batch {batch}");
        let total = seconds(total);
        tables.push((format!("{on}: {operation}: {total} on the device."), table));
    }
    Ok(tables)
}
