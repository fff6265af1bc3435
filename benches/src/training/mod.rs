//! Programs that train.
//!
//! ```text
//!   data        data sets from a folder, or the built-in ones
//!   circuit     one training circuit: parameters, plan, keys, runs, decryption; times by models
//!   circuits    the circuits against the baseline
//!   plans       plans held to runs
//!   quality     what encrypted training learns, beside training on plaintexts
//!   reference_folds  the folds behind the reference figures of the clinical sets
//! ```

pub(crate) mod circuit;
pub(crate) mod circuits;
mod data;
pub(crate) mod plans;
pub(crate) mod quality;
mod reference_folds;
