//! Measures our operations and those of other libraries in one run and compares them with each other and with the goals.
//!
//! Run with: bash benches/peers/install; cargo run --release -p arras-benches --bin peers -- --out docs/benchmarks
#![forbid(unsafe_code)]

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use arras_benches::{
    Result,
    peers::{Before, MNIST, Settings, compare, training_memory},
    resident::Size,
    training::{make_folder, write},
};
use clap::Parser;
use lr_train::circuits::Kind;

/// Measures our operations beside OpenFHE, SEAL and tfhe-ntt.
#[derive(Parser)]
struct Arguments {
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
    /// A peers.json of an earlier run, to be shown beside this one.
    #[arg(long)]
    before: Option<PathBuf>,
    /// Folder for peers.md and peers.json; without it the page is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A small ring, no peers, short runs: whether everything works, in seconds.
    #[arg(long)]
    smoke: bool,
    /// Train once with this circuit and print the most bytes: what the program starts itself with.
    #[arg(long, hide = true)]
    memory: Option<Kind>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    let mut settings = Settings {
        log_n: arguments.log_n,
        seconds: arguments.seconds,
        openfhe_python: arguments.openfhe_python,
        tenseal_python: arguments.tenseal_python,
        alone: arguments.alone,
        size: MNIST,
        kinds: vec![
            Kind::Baseline,
            Kind::LowDepth,
            Kind::SingleChain,
            Kind::SingleChainMaskFree,
        ],
    };
    if arguments.smoke {
        settings = Settings {
            log_n: vec![13],
            seconds: 0.001,
            alone: true,
            size: Size {
                iterations: 2,
                rows: 8,
                features: 9,
            },
            kinds: vec![Kind::SingleChain],
            ..settings
        };
    }
    if let Some(kind) = arguments.memory {
        let bytes = training_memory(kind, settings.size)?;
        println!("{}", serde_json::to_string(&bytes)?);
        return Ok(());
    }
    if let Some(folder) = &arguments.out {
        make_folder(folder)?;
    }
    // Read before minutes of measurements, and before --out replaces it.
    let before = arguments.before.map(|path| -> Result<Before> {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
    });
    let before = before.transpose()?;
    let peers = compare(&settings, &|what| eprintln!("{what}"), &memory)?;
    let text = peers.to_markdown(before.as_ref());
    print!("{text}");
    if let Some(folder) = &arguments.out {
        write(folder, "peers.md", &text)?;
        let json = serde_json::to_string_pretty(&peers)?;
        write(folder, "peers.json", &(json + "\n"))?;
    }
    Ok(())
}

/// What this program says of a process of its own that only trains.
fn memory(kind: Kind) -> Result<Option<u64>> {
    let output = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .args(["--memory", kind.name()])
        // glibc returns blocks of at least this size to the system at once: what the client had is not the server's.
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("memory of {kind}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
