//! What programs will need, before any key exists.
//!
//! ```text
//!   stages: programs, and --+-- rotations, relinearization --> one set of keys with level budgets --> bytes
//!   how often each runs     +-- levels, slots, samples --> parameters, predicted precision
//!                           +-- the executor's order --> memory of the server, calls
//!                           +-- cost tables --> work, longest path, encoding
//! ```
//! The ring degree is given by the programs' slots: a plan looks for the cheapest level width and chain length in that ring.

mod choose;
mod keys;
mod memory;
pub(crate) mod options;
pub(crate) mod report;
pub(crate) mod stages;

pub use choose::{Rejected, RejectedReason};
pub use keys::KeyRequests;
pub use memory::{Execution, ServerMemory, constant_bytes};
pub use report::{Bytes, PlannedKey, PlannedObject, PlannedStage, TimeEstimate};
