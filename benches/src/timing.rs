//! Times of repeated runs: the one way in which the programs measure. `cargo bench` has Criterion's.

use std::time::Instant;

use arras::toolkit::text;
use serde::{Deserialize, Serialize};

use crate::{Operation, Result};

/// More runs say nothing more.
const MOST_RUNS: usize = 1001;

/// Times of some runs, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Timing {
    /// Half of the runs were faster.
    pub(crate) median: f64,
    /// The fastest run.
    pub(crate) fastest: f64,
    /// The slowest run.
    pub(crate) slowest: f64,
    /// Number of runs; 0 where it is not known.
    pub(crate) runs: usize,
}

impl Timing {
    /// The summary of some runs; all zero for none.
    pub(crate) fn of(times: &[f64]) -> Self {
        Self {
            median: text::median(times.iter().copied()).unwrap_or_default(),
            fastest: times.iter().copied().reduce(f64::min).unwrap_or_default(),
            slowest: times.iter().copied().reduce(f64::max).unwrap_or_default(),
            runs: times.len(),
        }
    }

    /// An operation, repeated for about this many seconds.
    pub(crate) fn of_operation(operation: &mut Operation<'_>, seconds: f64) -> Result<Self> {
        Repeat::lasting(seconds).time(|| Ok(operation.run()?.as_secs_f64()))
    }

    /// The median.
    pub(crate) fn show(&self) -> String {
        text::seconds(self.median)
    }

    /// Both one after the other.
    #[must_use]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            median: self.median + other.median,
            fastest: self.fastest + other.fastest,
            slowest: self.slowest + other.slowest,
            runs: self.runs.max(other.runs),
        }
    }

    /// The share of each of some equal units.
    #[must_use]
    pub(crate) fn each(&self, units: usize) -> Self {
        let units = units as f64;
        Self {
            median: self.median / units,
            fastest: self.fastest / units,
            slowest: self.slowest / units,
            ..*self
        }
    }
}

/// How often something is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    /// Seconds of runs that do not count, one run at least: caches, page tables, clock frequency, tables made on first use.
    pub(crate) warm_up: f64,
    /// Seconds of runs that count.
    pub(crate) seconds: f64,
    /// The fewest runs that count, however long one takes.
    pub(crate) fewest: usize,
}

impl Repeat {
    /// For about this many seconds and at least five times, after a tenth of that as warm-up.
    pub(crate) fn lasting(seconds: f64) -> Self {
        Self {
            warm_up: seconds / 10.0,
            seconds,
            fewest: 5,
        }
    }

    /// The same after this many seconds of warm-up: a device that has been idle begins with low clocks.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub(crate) fn warmed_up(self, seconds: f64) -> Self {
        Self {
            warm_up: seconds,
            ..self
        }
    }

    /// This many times, after one run that does not count.
    pub(crate) fn times(runs: usize) -> Self {
        Self {
            warm_up: 0.0,
            seconds: 0.0,
            fewest: runs,
        }
    }

    /// Runs `once`, which returns the seconds on its own clock.
    pub(crate) fn time(&self, mut once: impl FnMut() -> Result<f64>) -> Result<Timing> {
        Ok(self.times_of(|| Ok([once()?]))?[0])
    }

    /// Seconds of one of `count` calls that are enqueued before a wait, what of them is over when the last one is enqueued, and what of them
    /// this thread had a processor for.
    #[cfg(feature = "gpu")]
    pub(crate) fn queued(
        &self,
        count: usize,
        mut call: impl FnMut() -> Result<()>,
        mut wait: impl FnMut() -> Result<()>,
    ) -> Result<[Timing; 3]> {
        self.times_of(|| {
            let (start, busy) = (Instant::now(), processor_seconds());
            for _ in 0..count {
                call()?;
            }
            let enqueued = start.elapsed();
            wait()?;
            let busy = processor_seconds() - busy;
            let [all, enqueued] = [start.elapsed(), enqueued].map(|time| time.as_secs_f64());
            Ok([all, enqueued, busy].map(|seconds| seconds / count as f64))
        })
    }

    /// Runs `once`, which does several things by turns and returns the seconds of each on its own clock: what disturbs one disturbs all.
    pub(crate) fn times_of<const N: usize>(
        &self,
        mut once: impl FnMut() -> Result<[f64; N]>,
    ) -> Result<[Timing; N]> {
        let start = Instant::now();
        loop {
            once()?;
            if start.elapsed().as_secs_f64() >= self.warm_up {
                break;
            }
        }
        let start = Instant::now();
        let mut times = Vec::new();
        while times.len() < self.fewest
            || (times.len() < MOST_RUNS && start.elapsed().as_secs_f64() < self.seconds)
        {
            times.push(once()?);
        }
        let of = |i: usize| Timing::of(&times.iter().map(|times| times[i]).collect::<Vec<_>>());
        Ok(std::array::from_fn(of))
    }
}

/// Seconds that this thread has had a processor; no number where the system does not say (Linux does).
#[cfg(feature = "gpu")]
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    first.map_or(f64::NAN, |nanoseconds: f64| nanoseconds * 1e-9)
}

/// Seconds that `run` takes.
pub(crate) fn clock<T>(run: impl FnOnce() -> Result<T>) -> Result<f64> {
    let start = Instant::now();
    let result = run()?;
    let elapsed = start.elapsed().as_secs_f64();
    drop(result);
    Ok(elapsed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_summary_has_the_middle_and_both_ends() {
        let timing = Timing::of(&[9.0, 1.0, 2.0]);
        let found = (timing.median, timing.fastest, timing.slowest, timing.runs);
        assert_eq!(found, (2.0, 1.0, 9.0, 3));
        assert_eq!(Timing::of(&[]), Timing::default());
        assert_eq!(timing.plus(&timing).each(2), timing);
    }

    #[test]
    fn a_slow_operation_still_runs_five_times() {
        let mut count = 0;
        let sleep = |()| {
            count += 1;
            std::thread::sleep(Duration::from_millis(20));
            Ok(())
        };
        let mut operation = Operation::on_host("sleep", || Ok(()), sleep);
        let timing = Timing::of_operation(&mut operation, 0.0).unwrap();
        assert_eq!(timing.runs, 5);
        assert!(timing.fastest >= 0.02 && timing.median >= timing.fastest);
        drop(operation);
        assert!(count > 5, "there is a warm-up");
    }
}
