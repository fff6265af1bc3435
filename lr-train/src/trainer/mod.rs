//! Training on encrypted data: from settings to a plan, to keys, to an encrypted model.
//!
//! ```text
//!   data owner (secret key)                                    training service (evaluation keys only)
//!
//!   plan(settings, features, rows) --> TrainingPlan, PlanReport ----------------> TrainingPlan
//!   DataOwner::generate            --> TrainingKeys ----------------------------> TrainingServer::new
//!   DataOwner::prepare             --> PreparedData (and its private DatasetRecord)
//!   DataOwner::encrypt_round       --> EncryptedRound --------------------------> TrainingServer::train
//!                                          RoundResult <-------------------------
//!   DataOwner::refresh             --> EncryptedState --------------------------> TrainingServer::train (next round)
//!   DataOwner::decrypt_model       --> Model
//! ```
//! [`Trainer`] is both sides in one process; [`files`] holds what travels between two.

mod client_cost;
mod coefficients;
mod doubt;
mod error;
mod exchange;
mod expectation;
pub mod files;
mod forecast;
mod ids;
mod model;
mod owner;
mod plan;
mod planner;
mod predict;
mod record;
mod report;
mod round;
mod server;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod training_keys;

pub use client_cost::ClientCost;
pub use coefficients::{Coefficient, Coefficients};
pub use doubt::Doubt;
pub use error::{ExchangeError, Remedy};
pub use exchange::{EncryptedRound, EncryptedState, Origin, RoundResult};
pub use expectation::{EXCHANGE_VERSION, ExchangeRecord, UnexpectedResult};
pub use forecast::{Forecast, Usage};
pub use ids::{CiphertextDigest, DatasetId, KeySetId, PlanId, RowsDigest};
pub use model::{MODEL_VERSION, Model, Prediction};
pub use owner::DataOwner;
pub(crate) use plan::check_requests;
pub use plan::{PLAN_VERSION, PlanSpec, RoundSpec, TrainingPlan};
pub use planner::{PlannerOptions, RINGS, Way, Ways, plan, ways};
pub use predict::{ErrorsFor, Sample};
pub use record::{DatasetRecord, PreparedData, RECORD_VERSION, RowsSeal, training_rows};
pub use report::{Assumed, Candidate, Capacity, EngineSeconds, Operations, PlanReport};
pub use round::{InputShape, Round};
pub use server::TrainingServer;
pub use session::{RoundDone, Trainer, TrainerBuilder};
pub use settings::{
    CircuitChoice, MAX_FEATURES, MAX_ITERATIONS, MAX_ROWS, Optimizer, Rounds, Settings,
};
pub use training_keys::TrainingKeys;
