//! Scores of encrypted rows, by weights in the clear or encrypted.
//!
//! ```text
//!   owner of the rows (secret key)                             service (evaluation keys only)
//!
//!   InferencePlan  <--------------- plan(network, options) ---- or made by the owner, if the weights are the owner's
//!   InferenceOwner::generate  --> evaluation keys ------------> InferenceServer::new
//!   InferenceOwner::encrypt   --> rows (and weights) ---------> InferenceServer::score
//!   InferenceOwner::decrypt   <-- scores <---------------------
//! ```
//! A [`Network`] is dense layers with squares between them (ePrint 2016/766 has the idea): none between for the models that training gives, one hidden layer for a
//! small network. A layer is one level with weights in the clear, two or three with encrypted ones, and a square is one. Rows stand below each other in a
//! ciphertext, as many as there are slots for.

mod network;
mod owner;
mod plan;
mod record;
mod server;
#[cfg(test)]
mod tests;

pub use network::{Activation, Layer, NETWORK_VERSION, Network};
pub use owner::{EncryptedRequest, EncryptedScores, InferenceOwner};
pub use plan::{
    INFERENCE_VERSION, InferenceOptions, InferencePlan, InferenceSpec, LayerShape, Weights, plan,
};
pub use server::{InferenceServer, ServedWeights};
