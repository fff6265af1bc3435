//! Our operations beside those of other libraries, in one run.
//!
//! ```text
//!   ours       our operations, each with its model, at every SIMD level
//!   outside    peers that are started here: OpenFHE and SEAL by Python, transforms by a crate outside the workspace
//!   recorded   peers that cannot be had here, from an earlier day
//!   threads    what a second thread brings
//!   goals      what all of it is held against
//!   render     the page
//! ```
//! A peer that is not installed is left out, and the page says so at its top.

pub mod goals;
pub mod ours;
pub mod outside;
pub mod recorded;
mod render;
pub mod threads;

use std::path::PathBuf;

use arras::CpuEngine;
use arras_backend_cpu::SimdLevel;
use lr_train::circuits::Kind;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    report::{Machine, Timing, peak_memory, reset_peak_memory},
    resident::{Prepared, Size},
    sets,
    suite::host_threads,
};
use ours::{Ours, Times};
use outside::{Library, Transforms};
use threads::Gain;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base-2 logarithms of ring degrees.
    pub log_n: Vec<u32>,
    /// Seconds for each operation.
    pub seconds: f64,
    /// Interpreter with OpenFHE.
    pub openfhe_python: Option<PathBuf>,
    /// Interpreter with TenSEAL.
    pub tenseal_python: Option<PathBuf>,
    /// No peers.
    pub alone: bool,
    /// Training of a few rows.
    pub size: Size,
    /// Circuits to train with.
    pub kinds: Vec<Kind>,
}

/// Training runs of one circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The circuit.
    pub circuit: String,
    /// Base-2 logarithm of its smallest ring.
    pub log_n: u32,
    /// Minibatches.
    pub iterations: usize,
    /// With one thread.
    pub one: Option<Times>,
    /// With two.
    pub two: Option<Times>,
    /// The most memory of a process that only trains.
    pub peak_bytes: Option<u64>,
}

/// A part that was left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    /// The part.
    pub part: String,
    /// Why.
    pub reason: String,
}

/// What an earlier file and this run have in common to be compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Our operations.
    pub ours: Vec<Ours>,
    /// Training runs.
    pub training: Vec<Training>,
    /// Second threads.
    pub gains: Vec<Gain>,
}

/// A file of an earlier run.
#[derive(Clone, Debug, Deserialize)]
pub struct Before {
    /// Its commit and processor.
    pub machine: serde_json::Value,
    /// Its measurements.
    #[serde(flatten)]
    pub results: Results,
}

/// Everything that one run found out.
#[derive(Debug, Serialize)]
pub struct Peers {
    /// Where it ran.
    pub machine: Machine,
    /// Seconds for each operation.
    pub seconds: f64,
    /// The ring at which SIMD levels are compared.
    pub lanes_log_n: u32,
    /// Our operations.
    pub ours: Vec<Ours>,
    /// Libraries measured here.
    pub libraries: Vec<Library>,
    /// Transforms beside another crate's.
    pub transforms: Option<Transforms>,
    /// Second threads; the first is arithmetic alone.
    pub gains: Vec<Gain>,
    /// Training runs.
    pub training: Vec<Training>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// What it is held against, with the outcome.
    pub goals: Vec<goals::Goal>,
}

impl Peers {
    /// Our operation with one thread and the widest SIMD level.
    pub fn one_thread(&self, log_n: u32, operation: &str) -> Option<&Ours> {
        let widest = SimdLevel::detect().to_string();
        self.ours.iter().find(|row| {
            (row.log_n, row.threads, &row.simd) == (log_n, 1, &widest) && row.operation == operation
        })
    }

    /// A library that was measured here.
    pub fn library(&self, name: &str) -> Option<&Library> {
        self.libraries.iter().find(|known| known.library == name)
    }

    /// Ring degrees that were measured.
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes: Vec<u32> = self.ours.iter().map(|row| row.log_n).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

/// The minibatches of the goals: as many rows and features as MNIST 3 against 8 at half resolution.
pub const MNIST: Size = Size {
    iterations: 6,
    rows: 64,
    features: 196,
};

/// Measures everything. `memory` finds out the peak of a process that trains with a circuit.
///
/// # Errors
/// Ours: a peer that fails is left out.
pub fn compare(
    settings: &Settings,
    progress: &(dyn Fn(&str) + Sync),
    memory: &dyn Fn(Kind) -> Result<Option<u64>>,
) -> Result<Peers> {
    let lanes_log_n = if settings.log_n.contains(&15) {
        15
    } else {
        settings.log_n.first().copied().unwrap_or(15)
    };
    let mut peers = Peers {
        machine: Machine::here(),
        seconds: settings.seconds,
        lanes_log_n,
        ours: Vec::new(),
        libraries: Vec::new(),
        transforms: None,
        gains: Vec::new(),
        training: Vec::new(),
        skipped: Vec::new(),
        goals: Vec::new(),
    };
    let widest = SimdLevel::detect();
    for &log_n in &settings.log_n {
        let params = sets::standard(log_n)?;
        for threads in [1, 2] {
            let rows = ours::measure(&params, widest, threads, settings.seconds, progress)?;
            peers.ours.extend(rows);
        }
        if log_n == lanes_log_n {
            for simd in SimdLevel::ALL
                .into_iter()
                .rev()
                .filter(|&level| level < widest)
            {
                let rows = ours::measure(&params, simd, 1, settings.seconds, progress)?;
                peers.ours.extend(rows);
            }
        }
        // A peer's times follow ours of the same ring at once: what the machine does meanwhile is then nearly the same.
        if !settings.alone {
            peers.libraries(settings, log_n, progress);
        }
    }
    if settings.alone {
        for part in ["OpenFHE", "SEAL", "tfhe-ntt"] {
            peers.skip(part, "not asked for");
        }
    } else {
        progress("transforms, beside tfhe-ntt");
        match outside::transforms(&settings.log_n, settings.seconds) {
            Ok(report) => peers.transforms = Some(report),
            Err(error) => peers.skip("tfhe-ntt", &error.to_string()),
        }
    }
    peers.skip("Poulpy", "it needs a nightly compiler (0.10.0 does not build with a stable one that allows unstable features): shown as recorded");
    peers.training(settings, progress, memory)?;
    peers.goals = goals::goals(&peers);
    Ok(peers)
}

impl Peers {
    fn skip(&mut self, part: &str, reason: &str) {
        eprintln!("\n*** LEFT OUT: {part}: {reason}\n");
        let known = self.skipped.iter().any(|skipped| skipped.part == part);
        if !known {
            self.skipped.push(Skipped {
                part: part.into(),
                reason: reason.into(),
            });
        }
    }

    fn libraries(&mut self, settings: &Settings, log_n: u32, progress: &(dyn Fn(&str) + Sync)) {
        let scripts = [
            (
                "OpenFHE",
                "openfhe",
                "openfhe_peer.py",
                &settings.openfhe_python,
            ),
            ("SEAL", "tenseal", "seal_peer.py", &settings.tenseal_python),
        ];
        for (library, name, file, python) in scripts {
            progress(&format!("2^{log_n}: {library}"));
            match outside::script(name, file, python.as_deref(), &[log_n], settings.seconds) {
                Ok(report) => {
                    let known = self.libraries.iter_mut();
                    match known.into_iter().find(|known| known.library == library) {
                        Some(known) => known.rows.extend(report.rows),
                        None => self.libraries.push(report),
                    }
                }
                Err(error) => self.skip(library, &error.to_string()),
            }
        }
    }

    fn training(
        &mut self,
        settings: &Settings,
        progress: &(dyn Fn(&str) + Sync),
        memory: &dyn Fn(Kind) -> Result<Option<u64>>,
    ) -> Result<()> {
        for &kind in &settings.kinds {
            progress(&format!("training: {kind}"));
            let prepared = Prepared::new(kind, settings.size, CpuEngine::new())?;
            let times = |threads: usize| -> Result<Option<Times>> {
                let engine = CpuEngine::with_threads(threads)?;
                let (resident, _) = prepared.load(engine, threads)?;
                let pool = host_threads(threads)?;
                let mut list = Vec::new();
                for _ in 0..5 {
                    list.push(pool.install(|| resident.seconds())?);
                }
                let timing = Timing::summary(list);
                Ok(Some(Times {
                    median: timing.median,
                    fastest: timing.fastest,
                }))
            };
            self.training.push(Training {
                circuit: kind.name().into(),
                log_n: prepared.circuit.params.log_n(),
                iterations: prepared.iterations(),
                one: times(1)?,
                two: times(2)?,
                peak_bytes: memory(kind)?,
            });
            if kind == Kind::SingleChain {
                progress("what a second thread brings");
                let seconds = 10.0 * settings.seconds;
                self.gains = threads::measure(self.lanes_log_n, &prepared, seconds)?;
            }
        }
        Ok(())
    }
}

/// Bytes at the most of a server that loads keys and data and trains once with two threads. Right in a process that does nothing else.
///
/// # Errors
/// The trainer's.
pub fn training_memory(kind: Kind, size: Size) -> Result<Option<u64>> {
    let prepared = Prepared::new(kind, size, CpuEngine::new())?;
    let (resident, first) = prepared.load(CpuEngine::with_threads(2)?, 2)?;
    drop((first, prepared));
    reset_peak_memory();
    resident.seconds()?;
    Ok(peak_memory())
}
