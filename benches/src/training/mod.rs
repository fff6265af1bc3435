//! Programs that train.
//!
//! ```text
//!   data        data sets from a folder, or the built-in ones
//!   circuit     one training circuit: parameters, plan, keys, runs, decryption; times by models
//!   circuits    the circuits against the baseline
//!   plans       plans held to runs
//!   trained     one encrypted training beside its twin
//!   models      models of every kind with searched settings
//!   scoring     a network applied to encrypted rows
//!   quality     what encrypted training learns, beside training on plaintexts
//!   reference_folds  the folds behind the reference figures of the clinical sets
//! ```

pub(crate) mod circuit;
pub(crate) mod circuits;
mod data;
mod models;
pub(crate) mod plans;
pub(crate) mod quality;
mod reference_folds;
mod scoring;
mod trained;

use std::path::PathBuf;

use lr_train::circuits::Kind;

/// What programs that train every circuit are told.
#[derive(clap::Args)]
struct Trainings {
    /// Folder with `mnist/` in it [default: the variable ARRAS_DATA, then ../shared/data]. Without MNIST the built-in digits stand in.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Minibatches to train on.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=12))]
    iterations: u16,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Circuits, beside the baseline where they are compared with it; all if none is named.
    #[arg(long)]
    circuit: Vec<Kind>,
}

impl Trainings {
    fn has(&self, kind: Kind) -> bool {
        self.circuit.is_empty() || self.circuit.contains(&kind)
    }

    fn most_threads(&self) -> usize {
        self.threads.iter().copied().max().unwrap_or(1)
    }

    fn images(&self, quick: bool) -> crate::Result<data::TrainTest> {
        data::images(self.data.as_deref(), quick)
    }
}
