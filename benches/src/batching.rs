//! A wide circuit, run in several ways: what batching and running side by side do to wall time, calls and memory.
//!
//! ```text
//!   x_1, y_1 --- x y --- rotate by 1 --- times x ---> z_1
//!   ...                                                ...        chains that do not depend on each other
//!   x_k, y_k --- x y --- rotate by 1 --- times x ---> z_k
//! ```

use arras::{
    CpuEngine,
    ckks::Parameters,
    hal::Counting,
    toolkit::{
        Cleartext, Program, Recorder, Samples,
        run::{Batching, Options},
    },
};
use clap::Args;
use lr_train::report::peak_memory;

use crate::{
    Common, Result,
    fixture::{Workload, send},
    parameter_sets,
    process::{all_threads, reset_peak_memory},
    report::{Form::*, Origin, Report, Table, column, hidden},
};

/// A wide circuit batched and not, side by side and not: wall time, work, calls and memory.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Base-2 logarithm of the ring degree (13 to 16 have a set that is deep enough).
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: u32,
    /// Independent chains.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    chains: u16,
    /// Runs of each way, after a first one.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

impl Arguments {
    /// Measures and publishes `batching`.
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            (self.log_n, self.chains, self.runs) = (13, 3, 1);
        }
        let title = "A wide circuit: batches and calls side by side";
        let mut report = Report::new(title, "batching", Origin::here());
        let params = parameter_sets::standard(self.log_n)?;
        let (log_n, levels, chains) = (self.log_n, params.max_level(), self.chains.into());
        report.text(format_args!(
            "{chains} independent chains of product, rotation, product, each on a ciphertext of its own, with N = 2^{log_n} and {levels} levels. The run \
             with the median wall time. \"Work\" is the sum of the times of all calls, \"work / wall\" how many of them ran at once; a call \
             may itself use all threads of its engine. \"Calls\" are calls of the evaluator, \"engine calls\" what they become: operations \
             of the engine on rows of residues; \"copies\" are those among them that only move rows into batches and out of them. \
             \"Ciphertexts\" is the most memory that ciphertexts of the run held at once, \"process\" that of the whole process, keys and \
             client included."
        ));
        report
            .number("log_n", log_n)
            .number("levels", levels)
            .number("chains", chains);
        report.add(&ways(&params, chains, self.runs.max(1))?);
        common.output.page("batching", &report)
    }
}

/// The program of `chains` independent chains.
fn wide_program(slots: usize, chains: usize) -> Result<Program> {
    let recorder = Recorder::new(slots)?;
    for chain in 0..chains {
        let x = recorder.slots_input(&format!("x{chain}"), 1);
        let y = recorder.slots_input(&format!("y{chain}"), 1);
        let z = x.multiply(&y).rotate(1).multiply(&x);
        recorder.output(&format!("z{chain}"), &z);
    }
    Ok(Program::new(recorder.finish()?))
}

/// Runs the wide program with 1 and 2 threads (and with all, if there are more), batched and not, side by side and not, each way
/// `runs` times: a row has the report of the run with the median wall time, the engine's calls in a run of their own, and the most memory
/// of the process during the runs.
fn ways(params: &Parameters, chains: usize, runs: usize) -> Result<Table> {
    let program = wide_program(params.slots(), chains)?;
    let values = Samples::uniform(-1.0, 1.0).draw(program.circuit(), 1)?;
    let expected = Cleartext::run(&program, &values)?.outputs;
    let (owner, workload) = send(&program, params, &values)?;

    let mut counts = vec![1, 2, all_threads()];
    counts.sort_unstable();
    counts.dedup();
    let kinds = [
        ("off", Batching::Off),
        ("hoisting", Batching::Hoisting),
        ("waves", Batching::Waves),
    ];
    let mut ways = Table::new(
        "ways",
        [
            column("engine threads", Plain).key("threads"),
            column("batching", Plain),
            column("side by side", Plain),
            column("wall", Seconds),
            column("work", Seconds),
            column("work / wall", Fixed(2)),
            column("calls", Plain),
            column("engine calls", Plain),
            column("copies", Plain),
            column("waves", Plain),
            column("width", Plain),
            column("ciphertexts", Bytes),
            column("process", Bytes).or("unknown"),
            hidden("report"),
        ],
    );
    for threads in counts {
        for (name, batching) in kinds {
            for side_by_side in [1, all_threads().max(2)] {
                let options = Options::new().batching(batching).side_by_side(side_by_side);
                let (engine_calls, copies) = engine_calls(&workload, options.clone())?;
                reset_peak_memory();
                let loaded = workload.on_threads_with(threads, options)?;
                // The first run warms up, and shows that the results are right.
                owner.worst_error(&loaded.run()?, &expected)?;
                let reports = loaded.reports(runs)?;
                let run = &reports[runs / 2];
                ways.row((
                    (threads, name, side_by_side),
                    (run.seconds, run.work_seconds),
                    run.work_seconds / run.seconds,
                    (run.calls, engine_calls, copies, run.waves, run.width),
                    (run.peak_ciphertext_bytes, peak_memory()),
                    run,
                ));
            }
        }
    }
    Ok(ways)
}

/// Calls of the engine in one run, and how many of them only copy.
fn engine_calls(workload: &Workload, options: Options) -> Result<(u64, u64)> {
    let engine = Counting::new(CpuEngine::new());
    let loaded = workload.load(engine.clone(), options)?;
    let before = engine.counts();
    loaded.run()?;
    let counts = &engine.counts() - &before;
    Ok((counts.total_calls(), counts.calls("copy_rows")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_wide_and_two_products_deep() {
        let program = wide_program(32, 5).unwrap();
        assert_eq!(program.levels_needed(), 2);
        let widest = program.waves().iter().map(Vec::len).max();
        assert!(widest.unwrap() >= 5);
    }
}
