#![doc = include_str!("../README.md")]
//!
//! # The library
//!
//! ```text
//!   data::{csv, mnist, builtin} -> Dataset          labelled rows, as they were read
//!   split                       -> row numbers      training and test rows, folds, minibatches; all from a seed
//!   preprocess::Preprocessor    -> Array2<f64>      fitted on training rows, stored with the model
//!   preprocess::signed_rows     -> z = y (1, x)     what training computes on
//!   sigmoid, plain              -> weights          the same learning without encryption, as the reference
//!   search                      -> settings        the twin chooses: normalization, polynomial, rate, penalty, iterations
//!   metrics                     -> accuracy, AUC, log loss, calibration, what must be said in words
//!   circuits                    -> training on ciphertexts
//!   report                      -> terminal tables, JSON, an HTML page (feature `report`)
//!   trainer                     -> plans, keys, encryption, rounds, decryption, files
//! ```
//!
//! Learning without encryption, from a built-in data set to the quality on rows not trained on:
//!
//! ```
//! use lr_train::{
//!     data::builtin,
//!     metrics::Quality,
//!     plain::{PlainSettings, State, nesterov, scores},
//!     preprocess::{Preprocessor, Scheme, signed_rows},
//!     sigmoid::Approximation,
//!     split::{Minibatches, Order, train_test},
//! };
//!
//! let data = builtin::digits()?;
//! let split = train_test(data.labels(), 0.2, 0)?;
//! let (train, test) = (data.select(&split.train)?, data.select(&split.test)?);
//!
//! let normalization = Preprocessor::fit(&train, Scheme::MaxAbs)?;
//! let z = signed_rows(&normalization.apply(&train)?, train.labels())?;
//! let batches = Minibatches::new(train.rows(), 64, Order::Shuffled { seed: 0 })?;
//! let settings = PlainSettings::new(6, batches).approximation(Approximation::cubic_16());
//! let (history, end) = nesterov(&z, &settings, State::zero(z.ncols()))?;
//! assert_eq!(history.left_interval(), None);
//!
//! let scores = scores(&normalization.apply(&test)?, &end.w)?;
//! assert!(Quality::measure(&scores, test.labels())?.accuracy > 0.9);
//! # Ok::<(), lr_train::TrainError>(())
//! ```
//!
//! The same on encrypted data, with both sides in one process ([`Trainer`](trainer::Trainer)); `engine` is any engine, one that may hold secrets for the
//! data's owner and any other for the server:
//!
//! ```
//! use arras_backend_cpu::CpuEngine;
//! use lr_train::{
//!     data::builtin,
//!     trainer::{Settings, TrainerBuilder},
//! };
//!
//! let data = builtin::digits()?;
//! let engine = CpuEngine::new();
//! let settings = Settings::new(32, 2); // minibatches of 32 rows, 2 iterations
//! let trainer = TrainerBuilder::new(&settings, &data).build(engine.clone(), engine)?;
//! println!("{}", trainer.report()); // circuit, parameters, bytes, seconds
//! let encrypted = trainer.train()?;
//! let model = trainer.decrypt(&encrypted)?;
//! assert!(model.evaluate(&data)?.accuracy > 0.75);
//! # Ok::<(), lr_train::TrainError>(())
//! ```
//!
//! Which settings suit the data is searched in the clear by [`TrainerBuilder::search`](trainer::TrainerBuilder::search), or by [`search::search`] before a
//! plan is made by hand.
//!
//! # Features
//!
//! - `report` (default): terminal tables, JSON and an HTML page with plots.
//! - `cli` (default): the command line `lr-train`; takes `report` in.
//! - `cpu` (default), `gpu`: engines of the command line. The library runs on any engine.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod circuits;
pub mod data;
mod error;
mod fault;
pub mod inference;
pub mod metrics;
mod model_kind;
pub mod plain;
pub mod preprocess;
#[cfg(feature = "report")]
pub mod report;
pub mod search;
pub mod sigmoid;
pub mod split;
pub mod trainer;

pub use error::{Result, TrainError};
pub use fault::Fault;
pub use model_kind::ModelKind;
