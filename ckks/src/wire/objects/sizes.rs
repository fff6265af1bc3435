//! Sizes of objects before they are made: pure functions of the parameters.

use std::collections::BTreeMap;

use super::header::{CiphertextFields, Fields, Header, KeyEntry, SeededCiphertextFields, number};
use crate::{
    Result,
    keys::{KeyKind, layout},
    params::Parameters,
    random::PublicSeed,
    wire::container_len,
};

/// Bytes of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectBytes {
    /// As one container, in a file or on the wire: exactly what `to_bytes` gives.
    pub container: u64,
    /// The residues on an engine, 4 bytes each: a ciphertext's components, both halves of a key.
    pub loaded: u64,
}

/// Bytes of the container of an object with these fields in its header, after everything in them was checked.
pub(super) fn container_bytes<F: Fields>(params: &Parameters, fields: F) -> Result<u64> {
    let payload = fields.payload_len(params)?;
    Ok(container_len(
        F::KIND,
        &Header::new(params, fields),
        payload,
    )?)
}

/// Bytes on an engine of a batch of linear ciphertexts. The header that names level and batch was checked.
fn loaded_ciphertexts(params: &Parameters, level: usize, batch: usize) -> u64 {
    8 * params.n() as u64 * params.window(level).len() as u64 * batch as u64
}

/// A batch of settled ciphertexts at `level`, as [`Ciphertext::to_bytes`](crate::Ciphertext::to_bytes) writes it.
///
/// # Errors
/// [`WireError::OutOfBounds`](crate::wire::WireError::OutOfBounds) for a level that does not exist and a batch that is empty or too large.
pub fn ciphertext_bytes(params: &Parameters, level: usize, batch: usize) -> Result<ObjectBytes> {
    let limbs = match params.check_level(level) {
        Ok(()) => params.window(level).map(|limb| limb as u16).collect(),
        // The header's own check names the level.
        Err(_) => vec![],
    };
    let fields = CiphertextFields {
        level: number(level),
        batch: number(batch),
        components: 2,
        pending: false,
        limbs,
    };
    Ok(ObjectBytes {
        container: container_bytes(params, fields)?,
        loaded: loaded_ciphertexts(params, level, batch),
    })
}

/// A batch of secret-key ciphertexts at `level`, as [`SeededCiphertext::to_bytes`](crate::SeededCiphertext::to_bytes) writes it; loaded, it is
/// an ordinary ciphertext.
///
/// # Errors
/// As [`ciphertext_bytes`].
pub fn seeded_ciphertext_bytes(
    params: &Parameters,
    level: usize,
    batch: usize,
) -> Result<ObjectBytes> {
    let fields = SeededCiphertextFields {
        level: number(level),
        batch: number(batch),
        seed: PublicSeed::from_bytes([0; 32]),
    };
    Ok(ObjectBytes {
        container: container_bytes(params, fields)?,
        loaded: loaded_ciphertexts(params, level, batch),
    })
}

fn entry(kind: KeyKind, level_budget: usize) -> KeyEntry {
    KeyEntry {
        kind: kind.code(),
        level_budget: number(level_budget),
        seed: PublicSeed::from_bytes([0; 32]),
    }
}

/// Both halves of a key on an engine. The entry that names the budget was checked.
fn loaded_key(params: &Parameters, kind: KeyKind, level_budget: usize) -> u64 {
    layout(params, kind, level_budget).words(params.n()) as u64 * 4
}

/// One evaluation key for levels up to `level_budget`, as [`SwitchingKey::to_bytes`](crate::SwitchingKey::to_bytes) writes it.
///
/// # Errors
/// [`WireError::OutOfBounds`](crate::wire::WireError::OutOfBounds) for a budget above the top level; [`CkksErrorKind::Hal`](crate::CkksErrorKind::Hal) for a Galois element of a larger ring.
pub fn evaluation_key_bytes(
    params: &Parameters,
    kind: KeyKind,
    level_budget: usize,
) -> Result<ObjectBytes> {
    Ok(ObjectBytes {
        container: container_bytes(params, entry(kind, level_budget))?,
        loaded: loaded_key(params, kind, level_budget),
    })
}

/// A set of evaluation keys for levels up to `level_budget`, each kind once in any order, as
/// [`EvaluationKeySet::to_bytes`](crate::EvaluationKeySet::to_bytes) writes it.
///
/// # Errors
/// As [`evaluation_key_bytes`].
pub fn evaluation_key_set_bytes(
    params: &Parameters,
    kinds: impl IntoIterator<Item = KeyKind>,
    level_budget: usize,
) -> Result<ObjectBytes> {
    let kinds = kinds.into_iter().map(|kind| (kind, level_budget));
    evaluation_key_set_bytes_by_level(params, kinds)
}

/// A set of evaluation keys, each with a level budget of its own. Of a kind that is named more than once, the highest budget counts.
///
/// # Errors
/// As [`evaluation_key_bytes`].
pub fn evaluation_key_set_bytes_by_level(
    params: &Parameters,
    kinds: impl IntoIterator<Item = (KeyKind, usize)>,
) -> Result<ObjectBytes> {
    let mut budgets = BTreeMap::new();
    for (kind, budget) in kinds {
        let most = budgets.entry(kind).or_insert(budget);
        *most = budget.max(*most);
    }
    let entries: Vec<KeyEntry> = budgets
        .iter()
        .map(|(&k, &budget)| entry(k, budget))
        .collect();
    Ok(ObjectBytes {
        container: container_bytes(params, entries)?,
        // The header's check said that the budgets exist.
        loaded: budgets
            .iter()
            .map(|(&kind, &budget)| loaded_key(params, kind, budget))
            .sum(),
    })
}
