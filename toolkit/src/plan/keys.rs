//! The evaluation keys a program needs.

use std::collections::BTreeMap;

use arras_ckks::{EvaluationKeySet, KeyGenerator, KeyKind, Parameters};
use arras_hal::{GaloisElement, SecretEngine};
use serde::{Deserialize, Serialize};

use super::{Bytes, PlannedKey};
use crate::{
    Program, Result,
    cost::memory::{evaluation_key_bytes, evaluation_key_set_bytes_by_level},
    interpret::rotation_steps,
    run::Progress,
};

/// The keys a program needs, each with the highest level at which it is used: keys are cut to that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRequests {
    /// Highest window at which something is relinearized; `None` if nothing is.
    #[serde(default)]
    pub relinearization: Option<usize>,
    /// Highest window at which each rotation is used, by steps between -slots/2 and slots/2. Written down, it is a list of `steps` and
    /// `level`, ascending.
    #[serde(default, with = "rotation_list")]
    pub rotations: BTreeMap<i64, usize>,
}

impl KeyRequests {
    /// The keys a program needs.
    pub fn of(program: &Program) -> Self {
        let relinearization = program
            .steps()
            .iter()
            .filter(|step| step.work().relinearizations > 0)
            .map(|step| step.operand_state().window_level())
            .max();
        Self {
            relinearization,
            rotations: rotation_steps(program),
        }
    }

    /// The keys of two programs, so that one set serves both.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.relinearization = self.relinearization.max(other.relinearization);
        for (&steps, &level) in &other.rotations {
            let most = self.rotations.entry(steps).or_insert(level);
            *most = (*most).max(level);
        }
        self
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.rotations.len() + usize::from(self.relinearization.is_some())
    }

    /// Whether no key is needed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every key with its level budget, for a ring degree of `2^log_n`.
    pub fn kinds(&self, log_n: u32) -> Vec<(KeyKind, usize)> {
        let mut kinds: Vec<(KeyKind, usize)> = self
            .relinearization
            .map(|level| (KeyKind::Relinearization, level))
            .into_iter()
            .collect();
        let rotations = self.rotations.iter().map(|(&steps, &level)| {
            (
                KeyKind::Galois(GaloisElement::rotation(steps, log_n)),
                level,
            )
        });
        kinds.extend(rotations);
        kinds
    }

    /// Every key with its bytes under these parameters.
    ///
    /// # Errors
    /// For level budgets that the parameters do not have.
    pub fn planned(&self, params: &Parameters) -> Result<Vec<PlannedKey>> {
        let rotations = self.rotations.keys().copied().map(Some);
        let relinearization = self.relinearization.map(|_| None);
        relinearization
            .into_iter()
            .chain(rotations)
            .zip(self.kinds(params.log_n()))
            .map(|(rotation, (kind, level))| {
                Ok(PlannedKey {
                    rotation,
                    level,
                    bytes: evaluation_key_bytes(params, kind, level)?.into(),
                })
            })
            .collect()
    }

    /// Bytes of the set of all of them under these parameters, as one container and loaded.
    ///
    /// # Errors
    /// For level budgets that the parameters do not have.
    pub fn set_bytes(&self, params: &Parameters) -> Result<Bytes> {
        let kinds = self.kinds(params.log_n());
        Ok(evaluation_key_set_bytes_by_level(params, kinds)?.into())
    }

    /// Makes them.
    ///
    /// # Errors
    /// The key generator's: levels that its parameters do not have, no randomness.
    pub fn generate<S: SecretEngine>(
        &self,
        generator: &KeyGenerator<'_, S>,
    ) -> Result<EvaluationKeySet> {
        self.generate_with(generator, |_| ())
    }

    /// Makes them, and tells after each key how many are made.
    ///
    /// # Errors
    /// As [`KeyRequests::generate`].
    pub fn generate_with<S: SecretEngine>(
        &self,
        generator: &KeyGenerator<'_, S>,
        mut progress: impl FnMut(Progress),
    ) -> Result<EvaluationKeySet> {
        let params = generator.params();
        let mut set = EvaluationKeySet::new(params);
        let kinds = self.kinds(params.log_n());
        let total = kinds.len();
        for (done, (kind, level)) in (1..).zip(kinds) {
            set.insert(generator.switching_key(kind, level)?)?;
            progress(Progress { done, total });
        }
        Ok(set)
    }
}

/// Rotations as a list, since the keys of a TOML table are no numbers.
mod rotation_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rotation {
        steps: i64,
        level: usize,
    }

    pub(super) fn serialize<S: Serializer>(
        rotations: &BTreeMap<i64, usize>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let list = rotations
            .iter()
            .map(|(&steps, &level)| Rotation { steps, level });
        serializer.collect_seq(list)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<i64, usize>, D::Error> {
        let mut rotations = BTreeMap::new();
        for Rotation { steps, level } in Vec::deserialize(deserializer)? {
            if rotations.insert(steps, level).is_some() {
                let twice = format!("a key for the rotation by {steps} is named twice");
                return Err(D::Error::custom(twice));
            }
        }
        Ok(rotations)
    }
}
