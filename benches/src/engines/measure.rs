//! Latency of one operation and time per operation of many.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    time::Instant,
};

use arras::{ckks::Context, hal::Backend, toolkit::run::Options};
use serde::{Deserialize, Serialize};

use super::cases::Case;
use crate::{
    Result,
    timing::{Repeat, Timing, clock},
    training::circuit::Prepared,
};

/// Operations in a queue: enough to hide a submission, and about this many seconds of them.
const QUEUED: std::ops::RangeInclusive<usize> = 2..=512;
const QUEUED_SECONDS: f64 = 0.05;

/// An engine's times of one operation, in seconds; medians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    /// From an idle engine to an idle engine.
    pub(super) latency: f64,
    /// Per operation of many enqueued at once.
    pub(super) each: f64,
    /// Per operation, until the last of them was enqueued: what the host needs to record and to submit. Where it comes near `each`, the
    /// host is what the device waits for.
    pub(super) enqueue: f64,
    /// Operations in the queue.
    pub(super) queued: usize,
    /// Dispatches to the device, if the engine has one.
    pub(super) dispatches: Option<u64>,
    /// Submissions, that of the wait included.
    pub(super) submissions: Option<u64>,
    /// A hash of the result's residues.
    pub(super) fingerprint: u64,
}

/// Dispatches and submissions so far, of an engine that has them.
pub(super) type Counters<'a, B> = &'a dyn Fn(&B) -> Option<(u64, u64)>;

/// Measures for about `seconds`, after a first run and half as many seconds of work that does not count.
///
/// # Errors
/// The engine's.
pub(super) fn measure<B: Backend>(
    case: &mut Case<'_, B>,
    context: &Context<B>,
    seconds: f64,
    counters: Counters<'_, B>,
) -> Result<Measured> {
    let run = &mut case.run;
    let ring = context.ring();
    let fingerprint = run()?.fingerprint()?;
    // Kernels are compiled and pools filled by now; the counts are those of a repeated run.
    drop(run()?);
    ring.sync()?;
    let before = counters(context.engine());
    drop(run()?);
    ring.sync()?;
    let counts = counters(context.engine())
        .zip(before)
        .map(|((dispatches, submissions), (d, s))| (dispatches - d, submissions - s));

    let one = clock(|| {
        drop(run()?);
        Ok(ring.sync()?)
    })?;
    let queued = ((QUEUED_SECONDS / one) as usize).clamp(*QUEUED.start(), *QUEUED.end());
    let mut enqueues = Vec::new();
    let mut queue = || {
        let start = Instant::now();
        for _ in 0..queued {
            drop(run()?);
        }
        enqueues.push(start.elapsed().as_secs_f64() / queued as f64);
        ring.sync()?;
        Ok(start.elapsed().as_secs_f64() / queued as f64)
    };
    let repeat = Repeat::lasting(seconds / 2.0);
    let each = repeat.warmed_up(seconds / 2.0).time(&mut queue)?;
    let latency = repeat.time(|| {
        let start = Instant::now();
        let output = run()?;
        ring.sync()?;
        let elapsed = start.elapsed().as_secs_f64();
        drop(output);
        Ok(elapsed)
    })?;
    Ok(Measured {
        latency: latency.median,
        each: each.median,
        enqueue: Timing::of(&enqueues).median,
        queued,
        dispatches: counts.map(|c| c.0),
        submissions: counts.map(|c| c.1),
        fingerprint,
    })
}

/// A whole training run, `side_by_side` calls at a time, for about this many seconds.
///
/// # Errors
/// The toolkit's.
pub(super) fn measure_training<B: Backend>(
    prepared: &Prepared,
    engine: B,
    side_by_side: usize,
    seconds: f64,
    counters: Counters<'_, B>,
) -> Result<Measured> {
    let options = Options::new().side_by_side(side_by_side);
    let loaded = prepared.workload.load(engine, options)?;
    let mut hasher = DefaultHasher::new();
    for output in loaded.run()?.outputs.values() {
        output.ciphertext().poly().to_words()?.hash(&mut hasher);
    }
    let engine = loaded.context.engine();
    let before = counters(engine);
    loaded.seconds()?;
    let counts = counters(engine).zip(before);
    let repeat = Repeat::lasting(seconds).warmed_up(seconds / 4.0);
    let latency = repeat.time(|| loaded.seconds())?.median;
    Ok(Measured {
        latency,
        each: latency,
        enqueue: latency,
        queued: 1,
        dispatches: counts.map(|(after, before)| after.0 - before.0),
        submissions: counts.map(|(after, before)| after.1 - before.1),
        fingerprint: hasher.finish(),
    })
}
