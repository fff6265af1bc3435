//! What `plan` says against what a training takes, for every circuit: bytes, memory of the server's process, seconds.
//!
//! Run with: cargo run --release -p arras-benches --bin plans -- --out docs/benchmarks
#![forbid(unsafe_code)]

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use arras::toolkit::cost::CostTable;
use arras_benches::{
    Result,
    training::{
        data, make_folder,
        plans::{self, Plans, Row, Sent, Settings, Trained},
        write,
    },
};
use clap::Parser;
use lr_train::circuits::Kind;
use serde::de::DeserializeOwned;

/// Plans, encrypts and trains with all five circuits, each side in a process of its own; fails if bytes or memory are not as planned.
#[derive(Parser)]
struct Arguments {
    /// Folder with `mnist/` in it [default: the variable ARRAS_DATA, then ../shared/data]. Without MNIST the built-in digits stand in.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder for plans.md and plans.json; without it the table is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Minibatches to train on.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=12))]
    iterations: u16,
    /// Rows of a minibatch.
    #[arg(long, default_value_t = 64)]
    minibatch: usize,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Trainings for each number of threads, of which the fastest counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Measured costs, as `scaling --costs` writes them; a table for each number of threads [default: built-in costs].
    #[arg(long)]
    costs: Option<PathBuf>,
    /// Circuits; all if none is named.
    #[arg(long)]
    circuit: Vec<Kind>,
    /// Fail if seconds are off, too: only on a machine without other work.
    #[arg(long)]
    strict: bool,
    /// Built-in data, two small minibatches, one run: whether everything works, in seconds.
    #[arg(long)]
    smoke: bool,
    /// Be the client for this circuit.
    #[arg(long, hide = true, requires = "folder")]
    client: Option<Kind>,
    /// Be the server with so many threads.
    #[arg(long, hide = true, requires = "folder")]
    server: Option<usize>,
    /// The folder of both.
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let costs = match &arguments.costs {
        Some(file) => serde_json::from_str::<Vec<CostTable>>(&std::fs::read_to_string(file)?)?,
        None => vec![],
    };
    let settings = Settings {
        iterations: if arguments.smoke {
            2
        } else {
            arguments.iterations.into()
        },
        minibatch: if arguments.smoke {
            16
        } else {
            arguments.minibatch
        },
        runs: if arguments.smoke {
            1
        } else {
            arguments.runs.into()
        },
        threads: arguments.threads,
        costs,
    };
    if let (Some(threads), Some(folder)) = (arguments.server, &arguments.folder) {
        let trained = plans::server(folder, threads)?;
        println!("{}", serde_json::to_string(&trained)?);
        return Ok(());
    }
    if let Some(folder) = &arguments.out {
        make_folder(folder)?;
    }
    let data = if arguments.smoke {
        data::digits()?
    } else {
        data::mnist_or_digits(&data::folder(arguments.data))?
    };
    if let (Some(kind), Some(folder)) = (arguments.client, &arguments.folder) {
        let sent = plans::client(&data, &settings, kind, folder)?;
        println!("{}", serde_json::to_string(&sent)?);
        return Ok(());
    }
    let mut all = Plans::new(&data.name, &settings);
    for kind in Kind::ALL {
        if arguments.circuit.is_empty() || arguments.circuit.contains(&kind) {
            eprintln!("{kind}");
            all.rows.push(row(kind, &settings)?);
        }
    }
    println!("{}", all.to_text());
    if let Some(folder) = &arguments.out {
        write(folder, "plans.md", &all.to_markdown())?;
        let json = serde_json::to_string_pretty(&all)?;
        write(folder, "plans.json", &(json + "\n"))?;
    }
    if !all.sizes_hold() {
        return Err("bytes or memory are not as planned: see above".into());
    }
    if arguments.strict && !all.seconds_hold() {
        return Err("seconds are not as planned: see above".into());
    }
    Ok(())
}

/// One circuit: a client's process, then servers' processes.
fn row(kind: Kind, settings: &Settings) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let folder_name = folder.path().display().to_string();
    let sent: Sent = itself(&["--client", kind.name(), "--folder", &folder_name], None)?;
    let mut trained = vec![];
    for &threads in &settings.threads {
        let mut best: Option<Trained> = None;
        for _ in 0..settings.runs {
            let count = threads.to_string();
            let server = ["--server", &count, "--folder", &folder_name];
            let found: Trained = itself(&server, Some(threads))?;
            best = Some(match best {
                Some(best) => Trained {
                    first: best.first.min(found.first),
                    seconds: best.seconds.min(found.seconds),
                    peak: best.peak.max(found.peak),
                    ..best
                },
                None => found,
            });
        }
        trained.extend(best);
    }
    Ok(Row {
        circuit: kind,
        sent,
        trained,
    })
}

/// What this program prints as one of the sides. Encoding uses the process-wide pool of threads, which is limited likewise.
fn itself<T: DeserializeOwned>(arguments: &[&str], threads: Option<usize>) -> Result<T> {
    let mut command = Command::new(env::current_exe()?);
    command
        .args(env::args_os().skip(1))
        .args(arguments)
        .stderr(Stdio::inherit());
    if let Some(threads) = threads {
        command.env("RAYON_NUM_THREADS", threads.to_string());
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", arguments.join(" "), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
