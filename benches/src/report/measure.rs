//! Medians.

use std::time::Instant;

use arras::{CpuEngine, ckks::Parameters};
use serde::Serialize;

use super::{Row, Section, SetReport, facts, peak_memory, reset_peak_memory};
use crate::{
    Client, Operation, Result, Server,
    ring::RingData,
    scheme::{client_operations, server_operations},
    suite::host_threads,
    transfers,
};

/// The part of an operation's time before the first run that counts: caches, page tables, clock frequency and the tables that are made on
/// first use.
const WARM_UP: f64 = 0.1;
/// The fewest runs that a median is taken of, however long one takes.
const FEWEST_RUNS: usize = 5;
/// More runs say nothing more.
const MOST_RUNS: usize = 1001;

/// Times of the runs of one operation, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// Half of the runs were faster.
    pub median: f64,
    /// The fastest run.
    pub fastest: f64,
    /// The slowest run.
    pub slowest: f64,
    /// Number of runs.
    pub runs: usize,
}

impl Timing {
    /// Runs `operation` for about `seconds` after a warm-up of a tenth of that, and at least five times after at least one.
    pub(crate) fn of(operation: &mut Operation<'_>, seconds: f64) -> Result<Self> {
        let start = Instant::now();
        loop {
            operation.run()?;
            if start.elapsed().as_secs_f64() >= WARM_UP * seconds {
                break;
            }
        }
        let start = Instant::now();
        let mut times = Vec::new();
        while times.len() < FEWEST_RUNS
            || (times.len() < MOST_RUNS && start.elapsed().as_secs_f64() < seconds)
        {
            times.push(operation.run()?.as_secs_f64());
        }
        Ok(Self::summary(times))
    }

    /// `times` is not empty.
    pub(crate) fn summary(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        let runs = times.len();
        Self {
            median: f64::midpoint(times[(runs - 1) / 2], times[runs / 2]),
            fastest: times[0],
            slowest: times[runs - 1],
            runs,
        }
    }
}

/// Measures a parameter set with the CPU engine on each number of threads. `progress` is told what is being measured.
///
/// # Errors
/// The engine's; if the system starts no more threads.
pub fn measure_set(
    params: &Parameters,
    threads: &[usize],
    seconds: f64,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<SetReport> {
    let level = params.max_level();
    let mut report = SetReport {
        log_n: params.log_n(),
        levels: level,
        log2_qp: params.log2_qp(),
        limbs: params.window(level).len(),
        special_limbs: params.special_limbs(),
        digits: params.dnum(),
        sections: Vec::new(),
        sizes: Vec::new(),
        precision: Vec::new(),
        peak_memory: Vec::new(),
    };
    for &threads in threads {
        reset_peak_memory();
        let engine = CpuEngine::with_threads(threads)?;
        host_threads(threads)?
            .install(|| measure_engine(&mut report, params, &engine, seconds, progress))?;
        report.peak_memory.push(peak_memory());
    }
    Ok(report)
}

/// Adds an engine's column; facts that no engine changes are found out with the first.
fn measure_engine(
    report: &mut SetReport,
    params: &Parameters,
    engine: &CpuEngine,
    seconds: f64,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    let threads = engine.threads();
    let what = format!("2^{}, threads {threads}", params.log_n());
    let add = |sections: &mut Vec<Section>, title: &str, list: Vec<Operation<'_>>| {
        for mut operation in list {
            progress(&format!("{what}, {title}: {}", operation.name()));
            let timing = Timing::of(&mut operation, seconds)?;
            row(sections, title, &operation).timings.push(timing);
        }
        Result::Ok(())
    };
    progress(&format!("{what}: keys"));
    let client = Client::new(params, engine.clone())?;
    let list = client_operations(&client)?;
    add(&mut report.sections, "Client", list)?;
    {
        let server = Server::new(&client, engine.clone())?;
        let list = server_operations(&server)?;
        add(&mut report.sections, "Server", list)?;
        let list = transfers::operations(&client, &server)?;
        add(&mut report.sections, "Transfers", list)?;
        if report.precision.is_empty() {
            progress(&format!("{what}: sizes and precision"));
            report.sizes = facts::sizes(&client, &server)?;
            report.precision = facts::precision(&client, &server)?;
        }
    }
    // The server's keys are gone before the ring's operands come.
    let ring = RingData::new(params, engine.clone())?;
    add(&mut report.sections, "Ring", ring.operations()?)
}

/// The row of an operation, added if it is new.
fn row<'a>(sections: &'a mut Vec<Section>, title: &str, operation: &Operation<'_>) -> &'a mut Row {
    let section = position_or_push(
        sections,
        |section| section.title == title,
        || Section {
            title: title.to_owned(),
            rows: Vec::new(),
        },
    );
    position_or_push(
        &mut section.rows,
        |row| row.name == operation.name(),
        || Row {
            name: operation.name().to_owned(),
            rows: operation.rows(),
            bytes: operation.bytes(),
            timings: Vec::new(),
        },
    )
}

fn position_or_push<T>(
    list: &mut Vec<T>,
    found: impl Fn(&T) -> bool,
    new: impl FnOnce() -> T,
) -> &mut T {
    let index = list.iter().position(found).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    });
    &mut list[index]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middles() {
        let odd = Timing::summary(vec![9.0, 1.0, 2.0]);
        assert_eq!(
            (odd.median, odd.fastest, odd.slowest, odd.runs),
            (2.0, 1.0, 9.0, 3)
        );
        assert_eq!(Timing::summary(vec![4.0, 1.0, 9.0, 2.0]).median, 3.0);
    }

    #[test]
    fn a_slow_operation_still_runs_five_times() {
        let mut count = 0;
        let mut operation = Operation::on_host(
            "sleep",
            || Ok(()),
            |()| {
                count += 1;
                std::thread::sleep(Duration::from_millis(20));
                Ok(())
            },
        );
        let timing = Timing::of(&mut operation, 0.0).unwrap();
        assert_eq!(timing.runs, FEWEST_RUNS);
        assert!(timing.fastest >= 0.02 && timing.median >= timing.fastest);
        drop(operation);
        assert!(count > FEWEST_RUNS, "there is a warm-up");
    }

    #[test]
    fn a_set_is_measured_once_per_engine() {
        let params = crate::sets::standard(13).unwrap();
        let report = measure_set(&params, &[1, 2], 0.0, &|_| ()).unwrap();
        let titles: Vec<_> = report.sections.iter().map(|s| s.title.as_str()).collect();
        assert_eq!(titles, ["Client", "Server", "Transfers", "Ring"]);
        for row in report.sections.iter().flat_map(|section| &section.rows) {
            assert_eq!(row.timings.len(), 2, "{}", row.name);
            assert!(row.timings.iter().all(|t| t.median > 0.0), "{}", row.name);
        }
        for precision in &report.precision {
            assert!(precision.worst_bits > 10.0, "{precision:?}");
        }
        let bytes = |name: &str| report.sizes.iter().find(|s| s.name == name).unwrap().bytes;
        let full = bytes("ciphertext, full");
        assert!(2 * bytes("ciphertext, seeded") < full + 4096);
        assert!(bytes("ciphertext, cut for sending") < full);
    }
}
