//! Benchmarks of every engine and layer.
//!
//! What is measured is written once, as lists of [`Operation`]s generic over the engine:
//!
//! ```text
//!   ring        transforms, products, base conversions, the steps of a key switch   [`ring`]
//!   scheme      client (keys, encryption, decryption) and server (evaluator)        [`scheme`]
//!   transfers   host to engine and back, keys into engines, objects to bytes        [`transfers`]
//!   operations  linear algebra of the toolkit, a circuit each                       [`operations`]
//!   waves       a wide circuit, run in several ways                                 [`waves`]
//! ```
//!
//! Two programs measure the first three lists: the Criterion benches (`cargo bench -p arras-benches`, for changes of one operation) and the
//! report (`cargo run --release -p arras-benches --bin report`, for the tables of all operations, sizes and precisions). The other two have a
//! program each, `operations` and `waves`.
//!
//! Three programs compare: `peers` with other libraries and with goals ([`peers`]), `scaling` with a model as sizes grow ([`scaling`]), and
//! with the feature `gpu` `engines` the engines with each other and with the device's limits. Two more look into a device's run: `kernels` at
//! the device's time by kernel, `host` at the time of the thread that records.
//!
//! Three programs train ([`training`]): `founding` compares the training circuits, `quality` shows what encrypted training learns, `plans` holds
//! plans to runs.
//!
//! Transfers are never part of another row: inputs are on their engine before the clock starts, and the clock stops when the engine has
//! finished, not when the call returns.
#![forbid(unsafe_code)]

#[cfg(feature = "gpu")]
pub mod calls;
#[cfg(feature = "gpu")]
pub mod engines;
pub mod floor;
pub mod operation;
pub mod operations;
pub mod party;
pub mod peers;
pub mod report;
pub mod resident;
pub mod ring;
pub mod scaling;
pub mod scheme;
pub mod sets;
pub mod suite;
pub mod training;
pub mod transfers;
pub mod waves;

pub use operation::Operation;
pub use party::{Client, Server};

/// Results of the layers below and of the operating system.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
