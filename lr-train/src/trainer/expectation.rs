//! What the client expects of a server: the result of which round comes next.

use arras_hal::Backend;
use serde::{Deserialize, Serialize};

use super::{CiphertextDigest, DatasetId, ExchangeError, RoundResult, exchange::Origin};
use crate::Result;

/// The version of records of exchanges that this build writes, and the only one that it reads.
pub const EXCHANGE_VERSION: u32 = 1;

/// Why a result is not taken, before anything of it is decrypted, or what follows from a refusal after that.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnexpectedResult {
    /// A result of another round than the next.
    #[error(
        "the result is that of round {found} of data set {dataset}, {expected}; rounds follow one another, each with the state that was \
         refreshed before it: ask the server for what comes next, or encrypt the data again to train from the start",
        expected = match .next {
            Some(next) => format!("the next is that of round {next}"),
            None => "and that of the last round was taken".to_owned(),
        }
    )]
    Round {
        /// The data set.
        dataset: DatasetId,
        /// The result's round, from 1.
        found: usize,
        /// The round to come, from 1; none if all results were taken.
        next: Option<usize>,
    },
    /// A second result of a round, other than the first.
    #[error(
        "another result of round {round} of data set {dataset} was taken before; with this one a server would have two answers for one \
         question: take the first again, or look why there are two, and then say --after-refusal"
    )]
    Second {
        /// The data set.
        dataset: DatasetId,
        /// The round, from 1.
        round: usize,
    },
    /// Ciphertexts of the result of another round.
    #[error(
        "the result is called that of round {found}, and holds ciphertexts of round {of} of data set {dataset}: do not decrypt it, and ask \
         the server for the round's own result"
    )]
    Replayed {
        /// The data set.
        dataset: DatasetId,
        /// The round that the result says, from 1.
        found: usize,
        /// The round that the ciphertexts came from, from 1.
        of: usize,
    },
    /// A result of a data set of which one was refused after it had been decrypted.
    #[error(
        "a result of round {round} of data set {dataset} was refused after it had been decrypted, and none is taken since: whoever made it \
         learns from what you send next; look what went wrong, then make new keys, or say --after-refusal"
    )]
    Closed {
        /// The data set.
        dataset: DatasetId,
        /// The round of the refused result, from 1.
        round: usize,
    },
    /// A result that was refused after it had been decrypted.
    #[error(
        "{error}; no further result of data set {dataset} is taken until --after-refusal is given: look what went wrong, and make new keys \
         if the server may have meant it"
    )]
    Refused {
        /// The data set.
        dataset: DatasetId,
        /// What was wrong.
        error: Box<crate::TrainError>,
    },
    /// Several data sets of which results may come, and nobody said which.
    #[error(
        "these keys have {count} data sets in training, and the result says that it is of {found}: say which one you expect with --dataset and \
         its file or identifier"
    )]
    Ambiguous {
        /// How many.
        count: usize,
        /// What the result says.
        found: DatasetId,
    },
}

/// What the client has taken from a server for one data set, and with it what comes next. **Private**, like the record of the data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ExchangeRecord {
    /// [`EXCHANGE_VERSION`].
    pub version: u32,
    /// The exchange.
    pub origin: Origin,
    /// The ciphertexts of each round's result that was taken, from the first round on.
    pub taken: Vec<Vec<CiphertextDigest>>,
    /// The round, from 0, of a result that was refused after it had been decrypted, if nobody has looked since.
    pub refused: Option<usize>,
    /// Whether other data were encrypted in the place of these.
    pub replaced: bool,
}

impl ExchangeRecord {
    /// Before the first result.
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            version: EXCHANGE_VERSION,
            origin,
            taken: vec![],
            refused: None,
            replaced: false,
        }
    }

    /// Reads a record from JSON, trusting nothing in it.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`].
    pub fn from_json(text: &str) -> Result<Self> {
        let (what, command) = ("record of an exchange", "lr-train encrypt");
        Ok(ExchangeError::read_json(
            text.as_bytes(),
            what,
            EXCHANGE_VERSION,
            command,
        )?)
    }

    /// # Errors
    /// [`ExchangeError::Mismatch`] for the record of another exchange.
    pub(super) fn check(&self, origin: Origin) -> Result<()> {
        const OP: &str = "read the record of an exchange";
        let subject = "the record";
        self.origin.expect(OP, subject, origin.plan, origin.keys)?;
        self.origin.expect_dataset(OP, subject, origin.dataset)
    }

    /// Whether results of a training of this many rounds may come.
    pub fn is_open(&self, rounds: usize) -> bool {
        !self.replaced && self.taken.len() < rounds
    }

    /// Compares a result with what is to come: the next round's, or once more the last that was taken. `after_refusal` says that a
    /// person has looked at what was refused before.
    ///
    /// # Errors
    /// [`UnexpectedResult`].
    pub(super) fn expect(
        &self,
        round: usize,
        rounds: usize,
        digests: &[CiphertextDigest],
        after_refusal: bool,
    ) -> Result<(), UnexpectedResult> {
        let (dataset, next) = (self.origin.dataset, self.taken.len());
        if let (Some(refused), false) = (self.refused, after_refusal) {
            let round = refused + 1;
            return Err(UnexpectedResult::Closed { dataset, round });
        }
        let found = round + 1;
        let has = |taken: &Vec<CiphertextDigest>| digests.iter().any(|d| taken.contains(d));
        let others = self.taken.iter().enumerate().filter(|(of, _)| *of != round);
        if let Some((of, _)) = others.into_iter().find(|(_, taken)| has(taken)) {
            return Err(UnexpectedResult::Replayed {
                dataset,
                found,
                of: of + 1,
            });
        }
        if round == next {
            return Ok(());
        }
        if found != next {
            return Err(UnexpectedResult::Round {
                dataset,
                found,
                next: (next < rounds).then_some(next + 1),
            });
        }
        if after_refusal || self.taken.last().is_some_and(|last| last == digests) {
            return Ok(());
        }
        Err(UnexpectedResult::Second {
            dataset,
            round: found,
        })
    }

    /// A result that [`ExchangeRecord::expect`] let pass is what it should be.
    pub(super) fn take(&mut self, round: usize, digests: Vec<CiphertextDigest>) {
        self.taken.truncate(round);
        self.taken.push(digests);
        self.refused = None;
    }
}

impl<B: Backend> RoundResult<B> {
    /// What tells its ciphertexts from any others, in the order of their names.
    ///
    /// # Errors
    /// The engine's.
    pub(super) fn digests(&self) -> Result<Vec<CiphertextDigest>> {
        let digest = |encrypted: &arras_toolkit::Encrypted<B>| {
            let bytes = encrypted.ciphertext().to_bytes()?;
            Ok(CiphertextDigest::from_bytes(
                *blake3::hash(&bytes).as_bytes(),
            ))
        };
        self.outputs.values().map(digest).collect()
    }
}

impl From<UnexpectedResult> for crate::TrainError {
    fn from(error: UnexpectedResult) -> Self {
        ExchangeError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{KeySetId, PlanId},
        *,
    };

    const ROUNDS: usize = 3;

    fn record() -> ExchangeRecord {
        ExchangeRecord::new(Origin {
            plan: PlanId::from_bytes([1; 32]),
            keys: KeySetId::from_bytes([2; 16]),
            dataset: DatasetId::from_bytes([3; 16]),
        })
    }

    fn of(names: &[u8]) -> Vec<CiphertextDigest> {
        let digest = |name: &u8| CiphertextDigest::from_bytes([*name; 32]);
        names.iter().map(digest).collect()
    }

    #[test]
    fn rounds_come_in_turn_and_the_last_once_more() {
        let mut record = record();
        let ok = |record: &ExchangeRecord, round, names: &[u8]| {
            record.expect(round, ROUNDS, &of(names), false)
        };
        for round in [1, 2] {
            let error = ok(&record, round, &[1]).unwrap_err();
            assert!(matches!(
                error,
                UnexpectedResult::Round { next: Some(1), .. }
            ));
        }
        ok(&record, 0, &[1, 2]).unwrap();
        record.take(0, of(&[1, 2]));
        ok(&record, 0, &[1, 2]).unwrap();
        let error = ok(&record, 0, &[1, 3]).unwrap_err();
        assert!(matches!(error, UnexpectedResult::Second { round: 1, .. }));
        // A person decides.
        record.expect(0, ROUNDS, &of(&[1, 3]), true).unwrap();
        // A part of an older state under the next round's name is not taken, whoever says so.
        for after_refusal in [false, true] {
            let error = record.expect(1, ROUNDS, &of(&[2]), after_refusal);
            let replayed = UnexpectedResult::Replayed {
                dataset: record.origin.dataset,
                found: 2,
                of: 1,
            };
            assert_eq!(error.unwrap_err().to_string(), replayed.to_string());
        }
        record.take(1, of(&[4, 5]));
        let error = ok(&record, 0, &[1, 2]).unwrap_err();
        assert!(matches!(
            error,
            UnexpectedResult::Round { next: Some(3), .. }
        ));
        assert!(record.is_open(ROUNDS));
        record.take(2, of(&[6]));
        assert!(!record.is_open(ROUNDS));
        ok(&record, 2, &[6]).unwrap();
        let error = ok(&record, 1, &[4, 5]).unwrap_err();
        assert!(matches!(error, UnexpectedResult::Round { next: None, .. }));
    }

    #[test]
    fn a_refusal_closes_until_a_person_has_looked() {
        let mut record = record();
        record.take(0, of(&[1]));
        record.refused = Some(1);
        for (round, name) in [(0, 1), (1, 2)] {
            let error = record.expect(round, ROUNDS, &of(&[name]), false);
            assert!(matches!(
                error,
                Err(UnexpectedResult::Closed { round: 2, .. })
            ));
        }
        record.expect(1, ROUNDS, &of(&[2]), true).unwrap();
        record.take(1, of(&[2]));
        record.expect(2, ROUNDS, &of(&[3]), false).unwrap();
    }
}
