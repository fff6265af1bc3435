//! The record of what was opened.

use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::{OpeningError, noise::OpeningSecret, opening_budget};
use crate::{Result, params::Parameters};

/// The most openings that a ledger holds.
pub const MAX_QUERIES: u32 = 1 << 16;

const VERSION: u32 = 1;

/// What counts the openings of one secret: a key has one ledger, created with it and kept as long as it lives.
///
/// The count is what protects the key, so an implementation that forgets, or that two processes read before either has written,
/// protects nothing. [`LedgerFile`](super::LedgerFile) is one that does not.
pub trait Ledger {
    /// Calls `change` with the bytes that were kept last, and keeps the bytes that it gives, if it gives any.
    ///
    /// They have survived a loss of power when this returns without an error. With an error the old or the new bytes are kept.
    /// From reading to keeping nobody else does either.
    ///
    /// # Errors
    /// Those of `change`, after which the old bytes are kept; the storage's.
    fn update(&mut self, change: &mut LedgerChange<'_>) -> Result<()>;
}

/// From the bytes that a ledger kept to those that it is to keep, or `None` if they stay as they are.
pub type LedgerChange<'a> = dyn FnMut(&[u8]) -> Result<Option<Vec<u8>>> + 'a;

/// What a ledger holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerAccount {
    /// Openings made.
    pub openings: usize,
    /// Openings for which it was created: the tau of [`OpeningTerms::lambda`](super::OpeningTerms::lambda).
    pub queries: u32,
    /// Coordinates counted.
    pub coordinates: u64,
    /// The most coordinates that the parameters leave.
    pub most: u64,
}

/// The contents of a ledger.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    /// The commitment to the secret whose openings are counted.
    key: String,
    queries: u32,
    openings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    digest: String,
    coordinates: u64,
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<C> {
    ledger: C,
    tag: String,
}

/// A ledger that was read.
pub(super) struct Record(Contents);

impl Record {
    /// An empty one.
    pub(super) fn new(secret: &OpeningSecret, params: &Parameters, queries: u32) -> Result<Self> {
        if !(1..=MAX_QUERIES).contains(&queries) {
            return Err(OpeningError::BadQueries { queries }.into());
        }
        Ok(Self(Contents {
            version: VERSION,
            key: secret.commitment(params).to_string(),
            queries,
            openings: Vec::new(),
        }))
    }

    /// Reads what [`Self::write`] gave for this secret, and nothing else.
    pub(super) fn read(bytes: &[u8], secret: &OpeningSecret, params: &Parameters) -> Result<Self> {
        let kept: Kept<Contents> =
            serde_json::from_slice(bytes).map_err(|_| OpeningError::Damaged)?;
        let record = Self(kept.ledger);
        // The tag of another key's ledger would not fit either; this says why.
        if record.0.key != secret.commitment(params).to_string() {
            return Err(OpeningError::AnotherKey.into());
        }
        if record.0.version != VERSION || record.write(secret)? != bytes {
            return Err(OpeningError::Damaged.into());
        }
        Ok(record)
    }

    /// The one encoding of this record, with a tag that nobody makes without the secret.
    pub(super) fn write(&self, secret: &OpeningSecret) -> Result<Vec<u8>> {
        let encode = |()| -> serde_json::Result<Vec<u8>> {
            let contents = serde_json::to_vec(&self.0)?;
            serde_json::to_vec_pretty(&Kept {
                ledger: &self.0,
                tag: secret.tag(&contents).to_string(),
            })
        };
        // Strings and numbers in memory: nothing in them can fail to be written.
        Ok(encode(()).map_err(|_| OpeningError::NotRecorded)?)
    }

    pub(super) fn queries(&self) -> u32 {
        self.0.queries
    }

    pub(super) fn account(&self, params: &Parameters) -> LedgerAccount {
        LedgerAccount {
            openings: self.0.openings.len(),
            queries: self.0.queries,
            coordinates: self.used(),
            most: opening_budget(params),
        }
    }

    fn used(&self) -> u64 {
        self.0.openings.iter().map(|entry| entry.coordinates).sum()
    }

    /// Counts those of `digests` that are not in the record, each for so many coordinates: all of them or, with an error, none.
    pub(super) fn charge(&mut self, digests: &[Hash], coordinates: u64, most: u64) -> Result<()> {
        let (used, before) = (self.used(), self.0.openings.len());
        for digest in digests.iter().map(Hash::to_string) {
            if !self.0.openings.iter().any(|entry| entry.digest == digest) {
                self.0.openings.push(Entry {
                    digest,
                    coordinates,
                });
            }
        }
        let asked = self.0.openings.len() - before;
        let refused = if asked > (self.0.queries as usize).saturating_sub(before) {
            OpeningError::Queries {
                asked,
                used: before,
                declared: self.0.queries,
            }
        } else if asked > 0 && self.used() > most {
            OpeningError::Budget {
                asked: asked as u64 * coordinates,
                used,
                most,
            }
        } else {
            return Ok(());
        };
        self.0.openings.truncate(before);
        Err(refused.into())
    }
}
