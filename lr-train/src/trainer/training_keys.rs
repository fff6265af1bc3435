//! Evaluation keys with what tells them from others.

use std::path::Path;

use arras_ckks::{EvaluationKeySet, KeyGenerator, Parameters, SecretKey, SwitchingKey};
use arras_hal::SecretEngine;
use arras_toolkit::{plan::KeyRequests, run::Progress};

use super::KeySetId;
use crate::Result;

/// Separates key sets' identifiers from every other use of BLAKE3.
const CONTEXT: &str = "lr-train evaluation keys v2";

/// Evaluation keys, each hashed once: what a client makes and a server loads.
#[derive(Clone, Debug)]
pub struct TrainingKeys {
    set: EvaluationKeySet,
    /// In the order of the set.
    digests: Vec<[u8; 32]>,
    id: KeySetId,
}

impl TrainingKeys {
    /// Hashes the keys of a set.
    ///
    /// # Errors
    /// The scheme's, for keys of dimensions that no file holds.
    pub fn new(set: EvaluationKeySet) -> Result<Self> {
        let digests: Result<_, _> = set.iter().map(SwitchingKey::digest).collect();
        Ok(Self::with_digests(set, digests?))
    }

    /// Makes the keys that are asked for, and tells after each how many are made.
    ///
    /// # Errors
    /// The key generator's.
    pub fn of<S: SecretEngine>(
        requests: &KeyRequests,
        secret: &SecretKey<S>,
        progress: impl FnMut(Progress),
    ) -> Result<Self> {
        let generator = KeyGenerator::new(secret)?;
        Self::new(requests.generate_with(&generator, progress)?)
    }

    /// Reads a file, and hashes the keys as they arrive.
    pub(super) fn from_file(path: &Path, params: &Parameters) -> Result<Self> {
        let (set, digests) = EvaluationKeySet::from_file_with_digests(path, params)?;
        Ok(Self::with_digests(set, digests))
    }

    fn with_digests(set: EvaluationKeySet, digests: Vec<[u8; 32]>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&set.params().fingerprint());
        for digest in &digests {
            hasher.update(digest);
        }
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Self {
            set,
            digests,
            id: KeySetId::from_bytes(id),
        }
    }

    /// The keys.
    pub fn set(&self) -> &EvaluationKeySet {
        &self.set
    }

    /// The keys alone.
    pub fn into_set(self) -> EvaluationKeySet {
        self.set
    }

    /// What tells them from others.
    pub fn id(&self) -> KeySetId {
        self.id
    }

    /// Each key with the BLAKE3 of its container.
    pub(super) fn hashed(&self) -> impl Iterator<Item = (&SwitchingKey, &[u8; 32])> {
        self.set.iter().zip(&self.digests)
    }
}
