//! Evaluation keys: as objects on the host, and loaded into an engine.
//!
//! A switching key for a secret s' is, per digit j, a pair (b_j, a_j) over its limbs and the special limbs with
//! b_j = e_j - a_j s + P E_j s', where E_j is 1 modulo the primes of digit group j and 0 modulo the others (hybrid key
//! switching, ePrint 2019/688 section 3). Groups are fixed by absolute limb index, so one key serves every level. The halves
//! a_j are expanded from a seed; only b is stored.

mod evaluation_keys;
mod switching_key;

pub use evaluation_keys::{EvaluationKeySet, EvaluationKeys};
pub use switching_key::{KeyKind, SwitchingKey};
pub(crate) use switching_key::{layout, limbs_and_moduli};

/// The rotations that [`crate::Evaluator::rotate_and_sum`] uses: stride, 2 stride, .., count/2 stride.
pub fn doubling_steps(stride: i64, count: usize) -> Vec<i64> {
    let doublings = count.max(1).next_power_of_two().trailing_zeros();
    (0..doublings).map(|k| stride.wrapping_shl(k)).collect()
}
