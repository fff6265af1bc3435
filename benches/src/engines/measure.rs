//! Latency of one operation and time per operation of many.

use std::time::Instant;

use arras::{ckks::Context, hal::Backend};
use serde::{Deserialize, Serialize};

use super::cases::Case;
use crate::Result;

/// The fewest rounds that a median is taken of.
const FEWEST: usize = 5;
/// More rounds say nothing more.
const MOST: usize = 101;
/// Operations in a queue: enough to hide a submission, and about this many seconds of them.
const QUEUED: std::ops::RangeInclusive<usize> = 2..=512;
const QUEUED_SECONDS: f64 = 0.05;

/// An engine's times of one operation, in seconds; medians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// From an idle engine to an idle engine.
    pub latency: f64,
    /// Per operation of many enqueued at once.
    pub each: f64,
    /// Per operation, until the last of them was enqueued: what the host needs to record and to submit. Where it comes near `each`, the
    /// host is what the device waits for.
    pub enqueue: f64,
    /// Operations in the queue.
    pub queued: usize,
    /// Dispatches to the device, if the engine has one.
    pub dispatches: Option<u64>,
    /// Submissions, that of the wait included.
    pub submissions: Option<u64>,
    /// A hash of the result's residues.
    pub fingerprint: u64,
}

/// Dispatches and submissions so far, of an engine that has them.
pub type Counters<'a, B> = &'a dyn Fn(&B) -> Option<(u64, u64)>;

/// Measures for about `seconds`, after a first run and half as many seconds of work that does not count.
///
/// # Errors
/// The engine's.
pub fn measure<B: Backend>(
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

    let start = Instant::now();
    drop(run()?);
    ring.sync()?;
    let queued = (QUEUED_SECONDS / start.elapsed().as_secs_f64()) as usize;
    let queued = queued.clamp(*QUEUED.start(), *QUEUED.end());
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
    warm_up(seconds / 2.0, &mut queue)?;
    let each = median(seconds / 2.0, &mut queue)?;
    let latency = median(seconds / 2.0, || {
        let start = Instant::now();
        let output = run()?;
        ring.sync()?;
        let elapsed = start.elapsed().as_secs_f64();
        drop(output);
        Ok(elapsed)
    })?;
    Ok(Measured {
        latency,
        each,
        enqueue: middle(&mut enqueues),
        queued,
        dispatches: counts.map(|c| c.0),
        submissions: counts.map(|c| c.1),
        fingerprint,
    })
}

/// Works for about so many seconds, and once at least: a device that has been idle begins with low clocks.
///
/// # Errors
/// Those of `once`.
pub fn warm_up(seconds: f64, mut once: impl FnMut() -> Result<f64>) -> Result<()> {
    let start = Instant::now();
    loop {
        once()?;
        if start.elapsed().as_secs_f64() >= seconds {
            return Ok(());
        }
    }
}

/// The median of what `once` returns, run for about so many seconds and at least five times.
///
/// # Errors
/// Those of `once`.
pub fn median(seconds: f64, mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < FEWEST || (times.len() < MOST && start.elapsed().as_secs_f64() < seconds) {
        times.push(once()?);
    }
    Ok(middle(&mut times))
}

/// The median of a list that is not empty.
fn middle(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_at_least_five() {
        let mut next = 0.0;
        let value = median(0.0, || {
            next += 1.0;
            Ok(next)
        });
        assert_eq!(value.unwrap(), 3.0);
        assert_eq!(middle(&mut [4.0, 1.0]), 2.5);
    }
}
