//! The operations that a table knows, and a model of their work.

use std::fmt;

use arras_ckks::params::{KeySwitchCost, KeySwitchLimbs, Parameters};
use serde::{Deserialize, Serialize};

/// An operation on ciphertexts whose cost a table holds.
///
/// "Level" is always that of the operands: the window that the operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Sum or difference of two settled ciphertexts.
    Add,
    /// Sum of a ciphertext and an encoded plaintext.
    AddPlain,
    /// Sign change.
    Negate,
    /// Sum of a ciphertext and a scalar.
    AddScalar,
    /// Product of two ciphertexts, neither relinearized nor rescaled.
    Tensor,
    /// Relinearization and rescale of a pending product of three components, in one step, to the level below.
    Settle,
    /// Rescale of a pending product of two components to the level below.
    Rescale,
    /// From one level to the next below without a product. A longer way down costs what its last step does: ask for the target's
    /// level plus one.
    LevelDown,
    /// Product of a ciphertext and an encoded plaintext, not rescaled.
    MultiplyPlain,
    /// Product of a ciphertext and a scalar, not rescaled.
    MultiplyScalar,
    /// Rotation of a settled ciphertext.
    Rotate,
    /// Sum of rotations of one ciphertext: a part that is paid once, and one for each term that needs a key.
    RotationSum,
    /// Weighted sum of rotations of one ciphertext, which lands on the level below: a part that is paid once, and one for each
    /// term. Encoding the weights is not included.
    WeightedRotationSum,
    /// Encoding one vector (a mask) for products, on the host, and its upload.
    Encode,
    /// Encoding one vector of weights for [`WeightedRotationSum`](Self::WeightedRotationSum), and its upload.
    EncodeWeights,
    /// Encryption of one vector with the secret key.
    Encrypt,
    /// Decryption of one ciphertext.
    Decrypt,
}

impl OperationKind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Add,
        Self::AddPlain,
        Self::Negate,
        Self::AddScalar,
        Self::Tensor,
        Self::Settle,
        Self::Rescale,
        Self::LevelDown,
        Self::MultiplyPlain,
        Self::MultiplyScalar,
        Self::Rotate,
        Self::RotationSum,
        Self::WeightedRotationSum,
        Self::Encode,
        Self::EncodeWeights,
        Self::Encrypt,
        Self::Decrypt,
    ];

    /// What it is called in tables and messages, and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::AddPlain => "add_plain",
            Self::Negate => "negate",
            Self::AddScalar => "add_scalar",
            Self::Tensor => "tensor",
            Self::Settle => "settle",
            Self::Rescale => "rescale",
            Self::LevelDown => "level_down",
            Self::MultiplyPlain => "multiply_plain",
            Self::MultiplyScalar => "multiply_scalar",
            Self::Rotate => "rotate",
            Self::RotationSum => "rotation_sum",
            Self::WeightedRotationSum => "weighted_rotation_sum",
            Self::Encode => "encode",
            Self::EncodeWeights => "encode_weights",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }

    /// The lowest level of its operands: 1 for what lands a level lower.
    pub fn lowest_level(self) -> usize {
        usize::from(matches!(
            self,
            Self::Tensor
                | Self::Settle
                | Self::Rescale
                | Self::LevelDown
                | Self::MultiplyPlain
                | Self::MultiplyScalar
                | Self::WeightedRotationSum
        ))
    }

    /// Whether its cost has a part for each term.
    pub fn has_terms(self) -> bool {
        matches!(self, Self::RotationSum | Self::WeightedRotationSum)
    }

    /// Whether it needs the secret key, so that it cannot be measured on an engine that may not hold secrets.
    pub fn needs_secret(self) -> bool {
        matches!(self, Self::Encrypt | Self::Decrypt)
    }

    /// Whether operands of `level` exist under parameters with levels up to `max_level`.
    pub(super) fn exists_at(self, level: usize, max_level: usize) -> bool {
        (self.lowest_level()..=max_level).contains(&level)
    }

    /// Modelled work at every level from [`lowest_level`](Self::lowest_level) to the top, never falling: a few steps down drop limbs in
    /// such a way that a level has slightly more work than the one above it, which no plan should depend on.
    pub(super) fn work_of_levels(self, params: &Parameters) -> Vec<Work> {
        (self.lowest_level()..=params.max_level())
            .scan(Work::default(), |most, level| {
                let here = self.work(params, level);
                *most = Work {
                    once: most.once.max(here.once),
                    per_term: most.per_term.max(here.per_term),
                };
                Some(*most)
            })
            .collect()
    }

    /// Modelled work at a level at which it [exists](Self::exists_at), in units of [`KeySwitchCost::weighted`]: what is paid once
    /// and what is paid for each term. It only says how costs change from level to level; seconds come from measurements.
    fn work(self, params: &Parameters, level: usize) -> Work {
        let limbs = params.window(level).len();
        let below = level.saturating_sub(1);
        let wide = limbs + params.special_limbs();
        let each = KeySwitchLimbs::at(params, level).products();
        let none = KeySwitchCost::default();
        let pointwise = |passes: usize| multiply_adds(passes * limbs);
        let (once, per_term) = match self {
            Self::Add | Self::AddPlain | Self::Negate | Self::AddScalar => (pointwise(2), none),
            Self::MultiplyPlain | Self::MultiplyScalar => (pointwise(2), none),
            Self::Tensor => (pointwise(4), none),
            Self::Settle => (KeySwitchCost::at(params, level, below), none),
            Self::Rescale => {
                let dropped = params.dropped(level, below).len();
                (conversion(dropped, params.window(below).len()), none)
            }
            Self::LevelDown => {
                let target = params.window(below);
                // The level exists and is not 0; without a plan, all that the window has beyond the target.
                let dropped = params.level_down_plan(level, below).map_or_else(
                    |_| params.dropped(level, below).len(),
                    |plan| {
                        plan.sub_window
                            .iter()
                            .filter(|i| !target.contains(i))
                            .count()
                    },
                );
                (conversion(dropped, target.len()), none)
            }
            Self::Rotate => (KeySwitchCost::at(params, level, level), none),
            Self::RotationSum => (KeySwitchCost::at(params, level, level), each),
            Self::WeightedRotationSum => (KeySwitchCost::at(params, level, below), each),
            Self::Encode => (transforms(1 + limbs), none),
            Self::EncodeWeights => (transforms(1 + wide), none),
            Self::Encrypt => (transforms(1 + 2 * limbs), none),
            // Four limbs suffice at every level.
            Self::Decrypt => (transforms(1 + limbs.min(4)), none),
        };
        let log_n = params.log_n();
        Work {
            once: once.weighted(log_n) as f64,
            per_term: per_term.weighted(log_n) as f64,
        }
    }
}

/// Modelled work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Work {
    pub(super) once: f64,
    pub(super) per_term: f64,
}

fn multiply_adds(count: usize) -> KeySwitchCost {
    KeySwitchCost {
        conversions: count as u64,
        ..KeySwitchCost::default()
    }
}

fn transforms(count: usize) -> KeySwitchCost {
    KeySwitchCost {
        ntts: count as u64,
        ..KeySwitchCost::default()
    }
}

/// Both components from `sources` dropped limbs to `targets` limbs.
fn conversion(sources: usize, targets: usize) -> KeySwitchCost {
    transforms(2 * (sources + targets)) + multiply_adds(2 * sources * targets)
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
