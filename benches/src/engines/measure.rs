//! Latency of one operation and time per operation of many.

use std::hash::{DefaultHasher, Hash, Hasher};

use arras::{CpuEngine, GpuEngine, ckks::Context, hal::Backend, toolkit::run::Options};
use serde::Serialize;

use super::cases::Case;
use crate::{
    Result,
    timing::{Repeat, clock},
    training::circuit::Prepared,
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
    /// Operations in the queue.
    pub(super) queued: usize,
    /// Dispatches to the device, if the engine has one.
    pub(super) dispatches: Option<u64>,
    /// Submissions, that of the wait included.
    pub(super) submissions: Option<u64>,
    /// A hash of the result's residues. It is the same on every engine, or one of them is wrong.
    pub(super) fingerprint: u64,
}

/// An engine whose work may be counted.
pub(super) trait Counted: Backend {
    /// Dispatches and submissions so far, of an engine that has them.
    fn counts(&self) -> Option<(u64, u64)> {
        None
    }
}

impl Counted for CpuEngine {}

impl Counted for GpuEngine {
    fn counts(&self) -> Option<(u64, u64)> {
        Some((self.dispatch_count(), self.submit_count()))
    }
}

/// Dispatches and submissions of a run.
fn counts(
    engine: &impl Counted,
    run: impl FnOnce() -> Result<()>,
) -> Result<(Option<u64>, Option<u64>)> {
    let before = engine.counts();
    run()?;
    let both = engine.counts().zip(before);
    let difference = both.map(|(now, before)| (now.0 - before.0, now.1 - before.1));
    Ok(difference.unzip())
}

/// Measures for about `seconds`, after a first run and half as many seconds of work that does not count.
pub(super) fn measure<B: Counted>(
    case: &mut Case<'_>,
    context: &Context<B>,
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
    let (dispatches, submissions) = counts(context.engine(), || run().and_then(|()| wait()))?;
    let one = clock(|| run().and_then(|()| wait()))?;
    let queued = ((QUEUED_SECONDS / one) as usize).clamp(*QUEUED.start(), *QUEUED.end());
    let repeat = Repeat::lasting(seconds / 2.0);
    let warmed_up = repeat.warmed_up(seconds / 2.0);
    let [each, enqueue] = warmed_up.queued(queued, &mut run, wait)?;
    let latency = repeat.time(|| {
        clock(|| {
            let output = (case.run)()?;
            wait()?;
            Ok(output)
        })
    })?;
    Ok(Measured {
        latency: latency.median,
        each: each.median,
        enqueue: enqueue.median,
        queued,
        dispatches,
        submissions,
        fingerprint: hasher.finish(),
    })
}

/// A whole training run, `side_by_side` calls at a time, for about this many seconds.
pub(super) fn measure_training<B: Counted>(
    prepared: &Prepared,
    engine: B,
    side_by_side: usize,
    seconds: f64,
) -> Result<Measured> {
    let options = Options::new().side_by_side(side_by_side);
    let loaded = prepared.workload.load(engine, options)?;
    let mut hasher = DefaultHasher::new();
    for output in loaded.run()?.outputs.values() {
        output.ciphertext().poly().to_words()?.hash(&mut hasher);
    }
    let run = || loaded.seconds().map(drop);
    let (dispatches, submissions) = counts(loaded.context.engine(), run)?;
    let repeat = Repeat::lasting(seconds).warmed_up(seconds / 4.0);
    let latency = repeat.time(|| loaded.seconds())?.median;
    Ok(Measured {
        latency,
        each: latency,
        enqueue: latency,
        queued: 1,
        dispatches,
        submissions,
        fingerprint: hasher.finish(),
    })
}
