//! Evaluation keys: as objects on the host, and loaded into an engine.

mod evaluation_keys;
mod switching_key;

pub use evaluation_keys::{EvaluationKeySet, EvaluationKeys};
pub use switching_key::{KeyKind, SwitchingKey};
pub(crate) use switching_key::{layout, limbs_and_moduli, switching};

/// The rotations that [`crate::Evaluator::rotate_and_sum`] uses: stride, 2 stride, .., count/2 stride.
pub fn doubling_steps(stride: i64, count: usize) -> Vec<i64> {
    let doublings = count.max(1).next_power_of_two().trailing_zeros();
    (0..doublings).map(|k| stride.wrapping_shl(k)).collect()
}
