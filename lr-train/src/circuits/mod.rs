//! Training circuits: k iterations of Nesterov's accelerated gradient on encrypted minibatches.
//!
//! Every iteration computes, with the rows Z of its minibatch, signed with labels and carried as Z/B so that t' = t/B stays within [-1, 1],
//!
//! ```text
//!   t' = (Z/B) v         s = c0 + d1 t' + d3 t'^3 + ..      g = gamma Z^T s
//!   w+ = keep v + g      v+ = (1 - eta) w+ + eta w
//! ```
//!
//! | circuit | depth for k iterations | idea |
//! |---|---|---|
//! | [`Kind::Baseline`] | 5k - 1 | as written above (ePrint 2018/662) |
//! | [`Kind::MaskFree`] | 3k + 1 | data encoded twice side by side makes masks unnecessary |
//! | [`Kind::LowDepth`] | 2.5k + 1 | unrolling by two, duplicated computation, pipelining (ePrint 2020/1483) |
//! | [`Kind::SingleChain`] | 2.5k + 1 | one chain of alternating kind, conversions off the critical path |
//! | [`Kind::SingleChainMaskFree`] | 2k + 1 | the single chain without masks |
//!
//! For other models than logistic regression of two classes rows are not signed, and constants c of gradients are the client's, one for
//! each row: `g = gamma (Z^T c + Z^T q(t'))` with the polynomial's odd part q ([`Constants::Apart`]). Sums over c are public to the client, so
//! they arrive as vectors: `gamma Z^T c` for each minibatch, and beside Gram matrices what t' has of it. Of degree 1 an iteration of the
//! baseline costs 4 levels, without masks 2, of the others 1.5 and 1.
//!
//! These are the depths from an encrypted start; from zero, known in the clear, the first iteration is cheaper in every circuit.
//! Degree 1 costs one level less for each iteration, degrees 5 and 7 one more. A penalty on weights (keep below 1 for all features but the intercept) costs
//! none: public factors that differ by feature stand where one number stood, and in Gram matrices, which the client makes.
//!
//! | module | what |
//! |---|---|
//! | `spec` | what a circuit is recorded for |
//! | `geometry`, `pack` | where minibatches, Gram matrices and weights stand in slots |
//! | `activation` | the polynomial with another factor in its free slot |
//! | `recording` | what circuits are recorded with: shared sums, inputs |
//! | `sequential` | the baseline and the mask-free circuit |
//! | `low_depth` | the low-depth circuit |
//! | `single_chain`, `conversion` | the single chains; changes of kind of their vectors |

mod activation;
mod conversion;
mod error;
mod gain;
mod geometry;
mod low_depth;
mod pack;
mod recording;
mod sequential;
mod single_chain;
mod spec;
#[cfg(test)]
mod tests;
mod training;

pub use error::CircuitError;
pub use gain::Gain;
pub(crate) use geometry::Geometry;
pub use spec::{Constants, Kind, Results, Spec, Start, Step};
pub use training::{LARGEST_VALUE, TrainingCircuit};
