//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[cfg(feature = "gpu")]
use crate::engines;
use crate::{
    Common, Result, batching, libraries, operations, primitives,
    report::Output,
    scaling,
    training::{circuits, plans, quality},
};

/// Measures, prints a page and, with --out, writes it.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Folder for the page as NAME.md and its numbers as NAME.json; without it the page is only printed.
    #[arg(long, global = true)]
    out: Option<PathBuf>,
    /// Small rings, small or built-in data, short runs: whether everything works, in seconds.
    #[arg(long, global = true, alias = "smoke")]
    quick: bool,
}

#[derive(Subcommand)]
enum What {
    Primitives(primitives::Arguments),
    Operations(operations::Arguments),
    Batching(batching::Arguments),
    Scaling(scaling::Arguments),
    #[command(visible_alias = "peers")]
    Libraries(libraries::Arguments),
    #[command(visible_alias = "founding")]
    Circuits(circuits::Arguments),
    Quality(quality::Arguments),
    Plans(plans::Arguments),
    Engines(engines::Arguments),
}

/// What stands for the module where the feature is missing.
#[cfg(not(feature = "gpu"))]
mod engines {
    /// The same operations on the CPU and the GPU engine (feature `gpu`)
    #[derive(clap::Args)]
    pub(super) struct Arguments {
        /// Any arguments of a build that has it.
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        _any: Vec<String>,
    }

    impl Arguments {
        pub(super) fn run(self, _: &crate::Common) -> crate::Result<()> {
            Err("engines needs the GPU engine, which this build leaves out; run: cargo run --release -p arras-benches --features gpu -- engines".into())
        }
    }
}

/// Runs the program with the process's arguments.
///
/// # Errors
/// What stopped it, for people to read.
pub fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build has debug assertions: measure with --release.");
    }
    let common = Common {
        output: Output::to(arguments.out)?,
        quick: arguments.quick,
    };
    match arguments.what {
        What::Primitives(arguments) => arguments.run(&common),
        What::Operations(arguments) => arguments.run(&common),
        What::Batching(arguments) => arguments.run(&common),
        What::Scaling(arguments) => arguments.run(&common),
        What::Libraries(arguments) => arguments.run(&common),
        What::Circuits(arguments) => arguments.run(&common),
        What::Quality(arguments) => arguments.run(&common),
        What::Plans(arguments) => arguments.run(&common),
        What::Engines(arguments) => arguments.run(&common),
    }
}
