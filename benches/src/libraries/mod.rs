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

mod goals;
pub(crate) mod ours;
mod outside;
mod recorded;
mod render;
mod threads;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use arras_backend_cpu::SimdLevel;
use clap::Args;
use lr_train::circuits::Kind;
use serde::{Deserialize, Serialize};

use crate::{
    Common, Result, parameter_sets,
    process::{RETURN_AT_ONCE, again},
    report::Origin,
    timing::{Repeat, Timing},
    training::circuit::{MNIST, Prepared, Size, TINY, peak_of_run},
};
use ours::Ours;
use outside::{Library, Transforms};
use threads::Gain;

/// Our operations beside OpenFHE, SEAL and tfhe-ntt in one run, held against goals. `bash benches/peers/install` makes the others' environments.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Base-2 logarithms of the ring degrees (13 to 16; peers have sets for 14 to 16).
    #[arg(long, value_delimiter = ',', default_value = "14,15,16", value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: Vec<u32>,
    /// Seconds to repeat each operation for.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Python with OpenFHE [default: the one of benches/peers/install].
    #[arg(long)]
    openfhe_python: Option<PathBuf>,
    /// Python with TenSEAL [default: the one of benches/peers/install].
    #[arg(long)]
    tenseal_python: Option<PathBuf>,
    /// No peers: our times alone.
    #[arg(long)]
    alone: bool,
    /// A libraries.json (or peers.json) of an earlier run, to be shown beside this one.
    #[arg(long)]
    before: Option<PathBuf>,
    /// Train once with this circuit and print the most bytes: what the program starts itself with.
    #[arg(long, hide = true)]
    memory: Option<Kind>,
}

impl Arguments {
    /// Measures and publishes `libraries`.
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        let (size, kinds) = if common.quick {
            (self.log_n, self.seconds, self.alone) = (vec![13], 0.001, true);
            (TINY, vec![Kind::SingleChain])
        } else {
            let kinds = [
                Kind::Baseline,
                Kind::LowDepth,
                Kind::SingleChain,
                Kind::SingleChainMaskFree,
            ];
            (MNIST, kinds.to_vec())
        };
        if let Some(kind) = self.memory {
            let bytes = peak_of_run(Prepared::new(kind, size)?.workload, 2)?;
            println!("{}", serde_json::to_string(&bytes)?);
            return Ok(());
        }
        // Read before minutes of measurements, and before --out replaces it.
        let before = self.before.take().map(|path| -> Result<Before> {
            let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
        });
        let before = before.transpose()?;
        let origin = Origin::here();
        let found = self.compare(size, &kinds)?;
        let report = found.report(origin, before.as_ref());
        common.output.page("libraries", &report)
    }
}

/// Training runs of one circuit in its smallest ring, with one thread and with two.
#[derive(Serialize, Deserialize)]
struct Training {
    circuit: String,
    log_n: u32,
    iterations: usize,
    one: Option<Timing>,
    two: Option<Timing>,
    /// The most memory of a process that only trains.
    peak_bytes: Option<u64>,
}

/// A file of an earlier run, as far as it can be compared.
#[derive(Deserialize)]
struct Before {
    machine: serde_json::Value,
    ours: Vec<Ours>,
    training: Vec<Training>,
}

/// Everything that one run found out.
#[derive(Default)]
struct Libraries {
    /// For each operation.
    seconds: f64,
    /// The ring at which SIMD levels are compared.
    lanes_log_n: u32,
    ours: Vec<Ours>,
    libraries: Vec<Library>,
    transforms: Option<Transforms>,
    /// The first is arithmetic alone.
    gains: Vec<Gain>,
    training: Vec<Training>,
    /// What was left out, and why.
    skipped: BTreeMap<&'static str, String>,
}

impl Libraries {
    fn find(&self, log_n: u32, simd: &str, threads: usize, operation: &str) -> Option<&Ours> {
        let key = (log_n, simd, threads, operation);
        self.ours.iter().find(|row| row.key() == key)
    }

    /// Our operation with one thread and the widest SIMD level.
    fn one_thread(&self, log_n: u32, operation: &str) -> Option<&Ours> {
        self.find(log_n, &SimdLevel::detect().to_string(), 1, operation)
    }

    /// Median seconds of an operation with one thread in the ring at which SIMD levels are compared.
    fn at_lanes(&self, simd: &str, operation: &str) -> Option<f64> {
        let row = self.find(self.lanes_log_n, simd, 1, operation)?;
        Some(row.times.median)
    }

    /// Ring degrees that were measured.
    fn sizes(&self) -> BTreeSet<u32> {
        self.ours.iter().map(|row| row.log_n).collect()
    }

    fn skip(&mut self, part: &'static str, reason: String) {
        eprintln!("\n*** LEFT OUT: {part}: {reason}\n");
        self.skipped.entry(part).or_insert(reason);
    }
}

impl Arguments {
    /// Measures everything. A peer that fails is left out.
    fn compare(&self, size: Size, kinds: &[Kind]) -> Result<Libraries> {
        let first = self.log_n.first().copied().unwrap_or(15);
        let lanes_log_n = if self.log_n.contains(&15) { 15 } else { first };
        let mut found = Libraries {
            seconds: self.seconds,
            lanes_log_n,
            ..Libraries::default()
        };
        let widest = SimdLevel::detect();
        for &log_n in &self.log_n {
            let params = parameter_sets::standard(log_n)?;
            let narrower = SimdLevel::ALL.into_iter().rev();
            let narrower = narrower.filter(|&level| level < widest && log_n == lanes_log_n);
            let ways = [(widest, 1), (widest, 2)];
            for (simd, threads) in ways.into_iter().chain(narrower.map(|level| (level, 1))) {
                let rows = ours::measure(&params, simd, threads, self.seconds)?;
                found.ours.extend(rows);
            }
            // A peer's times follow ours of the same ring at once: what the machine does meanwhile is then nearly the same.
            if !self.alone {
                self.libraries(&mut found, log_n);
            }
        }
        if self.alone {
            for part in ["OpenFHE", "SEAL", "tfhe-ntt"] {
                found.skip(part, "not asked for".into());
            }
        } else {
            eprintln!("transforms, beside tfhe-ntt");
            match outside::transforms(&self.log_n, self.seconds) {
                Ok(report) => found.transforms = Some(report),
                Err(error) => found.skip("tfhe-ntt", error.to_string()),
            }
        }
        found.skip("Poulpy", "it needs a nightly compiler (0.10.0 does not build with a stable one that allows unstable features): shown as recorded".into());
        for &kind in kinds {
            eprintln!("training: {kind}");
            let prepared = Prepared::new(kind, size)?;
            let time = |threads: usize| -> Result<Option<Timing>> {
                let loaded = prepared.workload.on_threads(threads)?;
                Ok(Some(Repeat::times(5).time(|| loaded.seconds())?))
            };
            found.training.push(Training {
                circuit: kind.name().into(),
                log_n: prepared.circuit.params.log_n(),
                iterations: prepared.iterations,
                one: time(1)?,
                two: time(2)?,
                // What the client had is not the server's.
                peak_bytes: again(&["--memory", kind.name()], &[RETURN_AT_ONCE])?,
            });
            if kind == Kind::SingleChain {
                eprintln!("what a second thread brings");
                let seconds = 10.0 * self.seconds;
                found.gains = threads::measure(lanes_log_n, &prepared, seconds)?;
            }
        }
        Ok(found)
    }

    fn libraries(&self, found: &mut Libraries, log_n: u32) {
        let scripts = [
            (
                "OpenFHE",
                "openfhe",
                "openfhe_peer.py",
                &self.openfhe_python,
            ),
            ("SEAL", "tenseal", "seal_peer.py", &self.tenseal_python),
        ];
        for (library, name, file, python) in scripts {
            eprintln!("2^{log_n}: {library}");
            match outside::script(name, file, python.as_deref(), &[log_n], self.seconds) {
                Ok(report) => {
                    let known = found.libraries.iter_mut();
                    match known.into_iter().find(|known| known.library == library) {
                        Some(known) => known.rows.extend(report.rows),
                        None => found.libraries.push(report),
                    }
                }
                Err(error) => found.skip(library, error.to_string()),
            }
        }
    }
}
