//! Measures the toolkit's operations on encrypted vectors and matrices and prints their table.
//!
//! Run with: cargo run --release -p arras-benches --bin operations -- --out docs/benchmarks --readme README.md
#![forbid(unsafe_code)]

use std::{fs, path::PathBuf};

use arras::toolkit::EncodingUnit;
use arras_benches::{
    Result,
    operations::{Setting, between_markers, cases, measure, page, table},
    report::Machine,
    sets,
    suite::thread_counts,
};
use clap::Parser;

/// Measures the toolkit's operations on encrypted vectors and matrices and prints their table.
#[derive(Parser)]
struct Arguments {
    /// Base-2 logarithm of the ring degree (13 to 16 have a set that is deep enough).
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: u32,
    /// Height of the encoding unit, a power of two; its width is what is left of the slots.
    #[arg(long, default_value_t = 64)]
    height: usize,
    /// Seconds to repeat each operation for.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Levels that results have left: operations cost more higher up.
    #[arg(long, default_value_t = 0)]
    left: usize,
    /// Only operations whose name or group contains this.
    #[arg(long)]
    only: Option<String>,
    /// Folder for operations.md and operations.json; without it the page is only printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A file with the markers `<!-- operations -->` and `<!-- /operations -->`, to put the table between them.
    #[arg(long)]
    readme: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    // What cannot be written is found out now and not after the measurements.
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)
            .map_err(|error| format!("--out {}: {error}", folder.display()))?;
    }
    let readme = arguments.readme.map(|path| {
        let text = fs::read_to_string(&path)?;
        between_markers(&text, "operations", "")?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((path, text))
    });
    let readme = readme.transpose()?;

    let params = sets::standard(arguments.log_n)?;
    let setting = Setting {
        unit: EncodingUnit::with_height(params.slots(), arguments.height)?,
        params,
        threads: thread_counts(),
        seconds: arguments.seconds,
        left: arguments.left,
    };
    let machine = Machine::here();
    let mut measured = Vec::new();
    for case in cases() {
        let wanted = arguments.only.as_deref();
        if wanted.is_some_and(|part| !case.name.contains(part) && !case.group.contains(part)) {
            continue;
        }
        eprintln!("{}", case.name);
        measured.push(measure(&case, &setting)?);
    }

    let text = page(&measured, &setting, &machine);
    print!("{text}");
    if let Some(folder) = &arguments.out {
        fs::write(folder.join("operations.md"), text)?;
        let json = serde_json::json!({
            "machine": machine,
            "log_n": setting.params.log_n(),
            "levels": setting.params.max_level(),
            "unit": setting.unit,
            "threads": setting.threads,
            "operations": measured,
        });
        let json = serde_json::to_string_pretty(&json)?;
        fs::write(folder.join("operations.json"), json + "\n")?;
        eprintln!(
            "wrote operations.md and operations.json to {}",
            folder.display()
        );
    }
    if let Some((path, text)) = readme {
        let body = table(&measured, &setting);
        fs::write(&path, between_markers(&text, "operations", &body)?)?;
        eprintln!("wrote the table to {}", path.display());
    }
    Ok(())
}
