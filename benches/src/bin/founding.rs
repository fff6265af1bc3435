//! The training circuits against the baseline on MNIST 3 against 8: each at its own smallest secure parameters.
//!
//! Run with: cargo run --release -p arras-benches --bin founding -- --out docs/benchmarks
#![forbid(unsafe_code)]

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use arras::toolkit::circuit::Summing;
use arras_benches::{
    Result,
    training::{data, founding, make_folder, write},
};
use clap::Parser;
use lr_train::circuits::Kind;
use serde::de::DeserializeOwned;

/// Trains with all five circuits on encrypted data and compares them with the baseline.
#[derive(Parser)]
struct Arguments {
    /// Folder with `mnist/` in it [default: the variable ARRAS_DATA, then ../shared/data]. Without MNIST the built-in digits stand in.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder for founding.md, founding.json and founding.html; without it the comparison is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Minibatches to train on.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=12))]
    iterations: u16,
    /// Rows of a minibatch, a comparison for each.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "64,32",
        overrides_with = "minibatches"
    )]
    minibatches: Vec<usize>,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Runs after the warm-up, of which the median is shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds to measure the costs of single operations for, for each parameter set.
    #[arg(long, default_value_t = 10.0)]
    cost_seconds: f64,
    /// Circuits beside the baseline; all if none is named.
    #[arg(long)]
    circuit: Vec<Kind>,
    /// How sums of rotations are added up [default: the faster way for each circuit, by the costs that come with the toolkit]
    #[arg(long, value_enum)]
    summing: Option<Way>,
    /// Built-in data, two small minibatches, one run, built-in costs: whether everything works, in seconds.
    #[arg(long)]
    smoke: bool,
    /// Measure this circuit alone and print it as JSON: what the program starts itself with for each row.
    #[arg(long, hide = true)]
    one: Option<Kind>,
    /// Measure its memory alone.
    #[arg(long, hide = true)]
    memory: bool,
}

/// Ways to add up sums of rotations.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Way {
    Doubling,
    Fours,
    Eights,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    if let Some(folder) = &arguments.out {
        make_folder(folder)?;
    }
    let mut kinds = vec![Kind::Baseline];
    kinds.extend(Kind::ALL.into_iter().filter(|kind| {
        *kind != Kind::Baseline
            && (arguments.circuit.is_empty() || arguments.circuit.contains(kind))
    }));
    let ways = match arguments.summing {
        None => Summing::ALL.to_vec(),
        Some(Way::Doubling) => vec![Summing::Doubling],
        Some(Way::Fours) => vec![Summing::Fours],
        Some(Way::Eights) => vec![Summing::Eights],
    };
    let settings = if arguments.smoke {
        founding::Settings {
            iterations: 2,
            minibatches: vec![16],
            threads: vec![1, 2],
            runs: 1,
            cost_seconds: None,
            kinds,
            ways,
        }
    } else {
        founding::Settings {
            iterations: arguments.iterations.into(),
            minibatches: arguments.minibatches,
            threads: arguments.threads,
            runs: arguments.runs,
            cost_seconds: Some(arguments.cost_seconds),
            kinds,
            ways,
        }
    };
    let data = if arguments.smoke {
        data::digits()?
    } else {
        data::mnist_or_digits(&data::folder(arguments.data))?
    };
    if let (Some(kind), Some(&rows)) = (arguments.one, settings.minibatches.first()) {
        let json = if arguments.memory {
            serde_json::to_string(&founding::measure_memory(&data, &settings, kind, rows)?)?
        } else {
            serde_json::to_string(&founding::measure(&data, &settings, kind, rows)?)?
        };
        println!("{json}");
        return Ok(());
    }
    let founding = founding::compare(&data.name, &settings, &|kind, rows| {
        eprintln!("{kind}, minibatches of {rows}");
        let measured = one_process(kind, rows)?;
        for of in &measured.row.seconds {
            eprintln!("    {:.3} s with {} threads", of.seconds, of.threads);
        }
        Ok(measured)
    })?;
    println!("{}", founding.to_text(190));
    if let Some(folder) = &arguments.out {
        write(folder, "founding.md", &founding.to_markdown())?;
        write(folder, "founding.html", &founding.comparison.to_html()?)?;
        let json = serde_json::to_string_pretty(&founding)?;
        write(folder, "founding.json", &(json + "\n"))?;
    }
    Ok(())
}

/// Measures a circuit in processes of its own: memory that an allocator keeps from one circuit would be in the peak of the next.
fn one_process(kind: Kind, rows: usize) -> Result<founding::Measured> {
    let mut measured: founding::Measured = itself(kind, rows, &[], &[])?;
    // glibc returns blocks of at least this size to the system at once. It would slow down what is timed.
    let returned_at_once = [("MALLOC_MMAP_THRESHOLD_", "65536")];
    measured.row.peak_bytes = itself(kind, rows, &["--memory"], &returned_at_once)?;
    Ok(measured)
}

/// What this program prints for one circuit.
fn itself<T: DeserializeOwned>(
    kind: Kind,
    rows: usize,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<T> {
    let output = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .args(["--one", kind.name(), "--minibatches", &rows.to_string()])
        .args(arguments)
        .envs(variables.iter().copied())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{kind}, minibatches of {rows}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
