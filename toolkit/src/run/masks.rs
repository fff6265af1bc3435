//! Encoded constants, kept by constant, level and use.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arras_ckks::{Evaluator, Plaintext, PlaintextUse};
use arras_hal::Backend;

use crate::{Result, circuit::Plain};

/// A cache of encoded constants, bounded in bytes.
pub(super) struct Masks<B: Backend> {
    known: Mutex<Known<B>>,
    limit: usize,
}

struct Known<B: Backend> {
    masks: HashMap<(Vec<u64>, PlaintextUse), Arc<Plaintext<B>>>,
    bytes: usize,
}

impl<B: Backend> Masks<B> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            known: Mutex::new(Known {
                masks: HashMap::new(),
                bytes: 0,
            }),
            limit,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .bytes
    }

    /// The constant encoded for a use, for a batch of `units` or for all ciphertexts alike.
    pub(super) fn get(
        &self,
        evaluator: &Evaluator<B>,
        plain: &Plain,
        purpose: PlaintextUse,
    ) -> Result<Arc<Plaintext<B>>> {
        // Constants are told apart by their bits, so that circuits recorded anew share them.
        let key = (plain.fingerprint(), purpose);
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mask) = lock().masks.get(&key) {
            return Ok(mask.clone());
        }
        let slots = evaluator.context().slots();
        let vectors: Vec<Vec<f64>> = (0..plain.vectors().len())
            .map(|unit| plain.expand(unit, slots))
            .collect();
        let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        let mask = Arc::new(match purpose {
            PlaintextUse::Level(level) => evaluator.encode(&vectors, level)?,
            PlaintextUse::Weight(level) => evaluator.encode_weights(&vectors, level)?,
        });
        let bytes = mask.poly().shape().words(evaluator.context().params().n()) * 4;
        let mut known = lock();
        // Another call may have encoded it meanwhile.
        if let Some(mask) = known.masks.get(&key) {
            return Ok(mask.clone());
        }
        if known.bytes + bytes <= self.limit {
            known.bytes += bytes;
            known.masks.insert(key, mask.clone());
        }
        Ok(mask)
    }
}
