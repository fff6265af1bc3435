//! The keys a server needs, on the host and in an engine.

use std::collections::BTreeMap;

use arras_hal::{Backend, GaloisElement, Key, Named};

use super::{KeyKind, SwitchingKey};
use crate::{Context, Result, context::parameters_mismatch, params::Parameters};

/// Evaluation keys on the host: what a client makes and a server loads.
#[derive(Clone, PartialEq, Eq)]
pub struct EvaluationKeySet {
    params: Parameters,
    keys: BTreeMap<KeyKind, SwitchingKey>,
}

impl EvaluationKeySet {
    /// A set without keys.
    pub fn new(params: &Parameters) -> Self {
        Self {
            params: params.clone(),
            keys: BTreeMap::new(),
        }
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// Adds a key. Of two keys of a kind the one with the higher level budget stays, of equal ones the new one: so the keys of circuits and
    /// those of bootstraps come together in any order.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::ParametersMismatch`].
    pub fn insert(&mut self, key: SwitchingKey) -> Result<()> {
        if key.params().fingerprint() != self.params.fingerprint() {
            return Err(parameters_mismatch(&self.params, key.params()).named("insert key"));
        }
        let budget = |known: &SwitchingKey| known.level_budget();
        if serves_more(self.keys.get(&key.kind()).map(budget), key.level_budget()) {
            self.keys.insert(key.kind(), key);
        }
        Ok(())
    }

    /// The keys, ascending by the code of their kinds: the relinearization key first, rotations by Galois element.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SwitchingKey> {
        self.keys.values()
    }

    /// The key of a kind.
    pub fn get(&self, kind: KeyKind) -> Option<&SwitchingKey> {
        self.keys.get(&kind)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Bytes of all keys once loaded.
    pub fn expanded_bytes(&self) -> u64 {
        self.iter().map(SwitchingKey::expanded_bytes).sum()
    }

    /// Loads the keys into an engine, one at a time.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::ParametersMismatch`]; the engine's if it has no memory.
    pub fn load<B: Backend>(&self, context: &Context<B>) -> Result<EvaluationKeys<B>> {
        let mut keys = EvaluationKeys::none(context);
        for key in self.iter() {
            keys.insert(key)?;
        }
        Ok(keys)
    }

    /// [`EvaluationKeySet::load`] that drops every key once it is loaded: both forms of all keys are never there at one time.
    ///
    /// # Errors
    /// As there.
    pub fn into_loaded<B: Backend>(self, context: &Context<B>) -> Result<EvaluationKeys<B>> {
        let mut keys = EvaluationKeys::none(context);
        for key in self.keys.into_values() {
            keys.insert(&key)?;
        }
        Ok(keys)
    }
}

impl std::fmt::Debug for EvaluationKeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.keys()).finish()
    }
}

/// Evaluation keys in an engine.
pub struct EvaluationKeys<B: Backend> {
    context: Context<B>,
    keys: BTreeMap<KeyKind, (Key<B>, usize)>,
}

impl<B: Backend> EvaluationKeys<B> {
    /// No keys.
    pub fn none(context: &Context<B>) -> Self {
        Self {
            context: context.clone(),
            keys: BTreeMap::new(),
        }
    }

    /// The context they are loaded into.
    pub fn context(&self) -> &Context<B> {
        &self.context
    }

    /// Loads one key. Of two keys of a kind the one with the higher level budget stays, of equal ones the new one.
    ///
    /// # Errors
    /// [`crate::CkksErrorKind::ParametersMismatch`]; the engine's if it has no memory.
    pub fn insert(&mut self, key: &SwitchingKey) -> Result<()> {
        let known = self.get(key.kind()).map(|(_, budget)| budget);
        if serves_more(known, key.level_budget()) {
            let loaded = (key.load(&self.context)?, key.level_budget());
            self.keys.insert(key.kind(), loaded);
        }
        Ok(())
    }

    /// The Galois elements with a key.
    pub fn galois_elements(&self) -> impl Iterator<Item = GaloisElement> + '_ {
        self.keys.keys().filter_map(|kind| match kind {
            KeyKind::Galois(g) => Some(*g),
            _ => None,
        })
    }

    /// The key of a kind and its level budget.
    pub(crate) fn get(&self, kind: KeyKind) -> Option<(&Key<B>, usize)> {
        self.keys.get(&kind).map(|(key, budget)| (key, *budget))
    }
}

impl<B: Backend> std::fmt::Debug for EvaluationKeys<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvaluationKeys")
            .field("keys", &self.keys.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Whether a key of this level budget takes the place of a known one of its kind.
fn serves_more(known: Option<usize>, budget: usize) -> bool {
    known.is_none_or(|known| known <= budget)
}
