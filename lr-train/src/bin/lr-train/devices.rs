//! `devices`: engines and adapters, tested and measured.

use std::path::PathBuf;

use arras::{Engine, hal::Backend, toolkit::cost::CostTable};
use clap::Args;
use lr_train::{report::Machine, trainer::files::costs_text};
use serde_json::{Value, json};

use crate::{
    Done,
    engines::EngineChoice,
    output::{Answer, Output, claim, path},
    self_test,
};

/// Server: engines and adapters of this build and machine, each tested for two seconds; needs no keys
#[derive(Debug, Args)]
#[command(after_help = "\
With --measure, the costs of single operations on the engine (--engine, else ARRAS_ENGINE, else auto) go to a file for `plan --costs`.
The test makes keys of its own; no key of yours is read.

Examples:
  lr-train devices
  lr-train devices --engine cpu:8
  lr-train devices --measure --engine gpu --out server.toml")]
pub(crate) struct Devices {
    #[command(flatten)]
    engine: EngineChoice,
    /// List the engines without testing them
    #[arg(long)]
    list: bool,
    /// Measure costs for the planner
    #[arg(long, requires = "out", conflicts_with = "list")]
    measure: bool,
    /// File of costs to write: JSON if its name ends so, else TOML
    #[arg(long, requires = "measure")]
    out: Option<PathBuf>,
    /// Replace it
    #[arg(long)]
    force: bool,
    /// log2 of the ring degrees to measure at, each a table; a plan takes the nearest and scales it
    #[arg(long, value_delimiter = ',', default_value = "14,15,16", value_parser = clap::value_parser!(u32).range(13..=17))]
    log_n: Vec<u32>,
    /// Roughly how many seconds to measure, over all tables
    #[arg(long, default_value_t = 90.0)]
    seconds: f64,
}

pub(crate) fn run(args: &Devices, output: &Output) -> Done {
    let machine = Machine::here();
    let mut text = format!(
        "{}, {} cores, {}\n",
        machine.cpu, machine.cores, machine.system
    );
    let mut found: Vec<Value> = vec![];
    for name in names(args) {
        match Engine::named(&name) {
            Ok(engine) => {
                text += &format!("\n{name:<12} {}", engine.backend().name());
                let mut entry =
                    json!({"engine": name, "name": engine.backend().name(), "available": true});
                if !args.list {
                    output.note(format_args!("testing {name} .."));
                    let test = self_test::SelfTest::run(&engine)?;
                    text += &format!("\n{:<12} {test}", "");
                    entry["self-test"] = test.json();
                }
                found.push(entry);
            }
            // One that was asked for by name has to be there.
            Err(error) if args.engine.engine.is_some() => return Err(error.into()),
            Err(error) => {
                text += &format!("\n{name:<12} not available: {error}");
                found
                    .push(json!({"engine": name, "available": false, "reason": error.to_string()}));
            }
        }
    }
    let adapters = adapters(&mut text);
    let mut answer = json!({"machine": machine, "engines": found, "adapters": adapters});
    if let (true, Some(out)) = (args.measure, &args.out) {
        let file = claim(out, args.force)?;
        let engine = args.engine.open()?;
        let threads = threads(args, machine.cores);
        let words = format!("{}, {} cores", machine.cpu, machine.cores);
        let seconds = args.seconds / args.log_n.len().max(1) as f64;
        let mut tables = vec![];
        for &log_n in &args.log_n {
            output.note(format_args!(
                "measuring {engine} at N = 2^{log_n} for about {seconds:.0} s .."
            ));
            let table = self_test::measure(&engine, log_n, seconds, threads, &words)?;
            text += &format!("\n\n{}", table.summary());
            tables.push(table);
        }
        file.write_and_commit(costs_text(out, &tables)?.as_bytes())?;
        text += &format!(
            "\nwritten to {}; next: lr-train plan --costs {0} ..",
            out.display()
        );
        let summaries: Vec<String> = tables.iter().map(CostTable::summary).collect();
        answer["measured"] = json!({"summaries": summaries, "out": path(out)});
    }
    Ok(Answer::new(text, answer))
}

/// Engines to try.
fn names(args: &Devices) -> Vec<String> {
    match &args.engine.engine {
        Some(name) => vec![name.clone()],
        None => ["cpu", "gpu", "reference"].map(str::to_owned).to_vec(),
    }
}

/// Threads that the engine uses, for the record.
fn threads(args: &Devices, cores: usize) -> usize {
    let variable = std::env::var(Engine::VARIABLE).ok();
    let name = args.engine.engine.clone().or(variable).unwrap_or_default();
    match name.split_once(':') {
        Some(("cpu", threads)) => threads.parse().unwrap_or(cores),
        _ if name == "reference" => 1,
        _ => cores,
    }
}

#[cfg(feature = "gpu")]
fn adapters(text: &mut String) -> Vec<Value> {
    let found = arras::adapters();
    text.push_str(if found.is_empty() {
        "\n\nno graphics adapter"
    } else {
        "\n\nadapters"
    });
    for adapter in &found {
        text.push_str(&format!("\n  {adapter}"));
    }
    let fields = |a: &arras::AdapterReport| {
        json!({"name": a.name, "backend": a.backend, "kind": a.kind, "driver": a.driver, "int64": a.int64,
            "max-binding-bytes": a.max_binding_bytes, "max-buffer-bytes": a.max_buffer_bytes, "unfit": a.unfit})
    };
    found.iter().map(fields).collect()
}

#[cfg(not(feature = "gpu"))]
fn adapters(_: &mut String) -> Vec<Value> {
    vec![]
}
