//! What the client keeps of data sets: how to read results, and which one comes next.
//!
//! ```text
//!   secret/datasets/ID.json             names, classes, normalization: written before the data
//!   secret/datasets/ID.exchange.json    what was taken of the server: written when the data are whole, before they appear
//! ```
//! A record without its exchange is of data that were never written, and is removed by the next `encrypt`.

use std::path::PathBuf;

use arras_ckks::wire::{AtomicFile, Overwrite, WireError};
use arras_hal::{Backend, SecretEngine};

use super::{
    super::{
        CiphertextDigest, DataOwner, DatasetId, DatasetRecord, EXCHANGE_VERSION, ExchangeRecord,
        PreparedData, RECORD_VERSION, RoundResult, UnexpectedResult, exchange::Origin,
    },
    DatasetProgress, KeyDirectory, dataset,
    keys::{DATASETS, OWNER, read_json, read_owner, write_json},
    private::private_folder,
    writing::save,
};
use crate::{Fault, Result, TrainError, plain::State, trainer::ExchangeError};

const RECORD: &str = ".json";
const EXCHANGE: &str = ".exchange.json";

/// The record of an exchange, which no other process can read in order to change it meanwhile.
struct Claimed {
    record: ExchangeRecord,
    file: AtomicFile,
}

impl Claimed {
    fn commit(self) -> Result<()> {
        write_json(self.file, &self.record)
    }
}

/// What the owner of keys says of a result, besides the result itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected {
    /// The data set that a result is expected of. None: the only one that is in training.
    pub dataset: Option<DatasetId>,
    /// A person has looked why a result was refused, or why there is a second one of a round.
    pub after_refusal: bool,
}

impl KeyDirectory {
    fn datasets(&self) -> PathBuf {
        self.secret().join(DATASETS)
    }

    /// Where the record of a data set is.
    pub fn record_path(&self, id: DatasetId) -> PathBuf {
        self.datasets().join(format!("{id}{RECORD}"))
    }

    /// Where the record of its exchange is.
    pub fn exchange_path(&self, id: DatasetId) -> PathBuf {
        self.datasets().join(format!("{id}{EXCHANGE}"))
    }

    /// Does what writes into the folder for the keys of `origin`.
    ///
    /// # Errors
    /// [`ExchangeError::KeysReplaced`] if other keys are there now: what failed then failed for that.
    fn unless_replaced<T>(&self, origin: Origin, write: impl FnOnce() -> Result<T>) -> Result<T> {
        let written = write();
        // The folder may have been exchanged at any instant.
        let now = read_owner(&self.secret().join(OWNER));
        if now.is_ok_and(|now| now.keys != origin.keys) {
            let folder = self.root().to_owned();
            return Err(ExchangeError::KeysReplaced { folder }.into());
        }
        written
    }

    /// Encrypts a data set for all rounds into a file, one input at a time, and keeps what is needed to read its results; returns the
    /// file's length. At whatever instant the process ends, there is no data without a record.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for data of another plan or key; what [`AtomicFile::commit`] refuses; what the operating system refuses,
    /// naming the file; [`ExchangeError::KeysReplaced`] if these are no longer the keys of the data.
    pub fn write_dataset<S: SecretEngine>(
        &self,
        owner: &DataOwner<S>,
        data: &PreparedData,
        file: AtomicFile,
        progress: impl FnMut(DatasetProgress),
    ) -> Result<u64> {
        let origin = data.record().origin;
        let write = || {
            // Held until the data are written: `clear_records` leaves alone what somebody is at work on.
            let claimed = self.unless_replaced(origin, || {
                private_folder(&self.datasets())?;
                let claimed = self.claim_exchange(origin)?;
                self.save_record(data.record())?;
                Ok(claimed)
            })?;
            save(file, |out| {
                let length = dataset::write_to(owner, data, out, progress)?;
                self.unless_replaced(origin, || claimed.commit())?;
                Ok(length)
            })
        };
        let written = write();
        if written.is_err() {
            // Records without data are of no use. The first error is the one to tell.
            let _ = std::fs::remove_file(self.record_path(origin.dataset));
            let _ = std::fs::remove_file(self.exchange_path(origin.dataset));
        }
        written
    }

    /// Writes what the client keeps of a data set, for its owner only.
    pub(super) fn save_record(&self, record: &DatasetRecord) -> Result<()> {
        private_folder(&self.datasets())?;
        let path = self.record_path(record.origin.dataset);
        write_json(AtomicFile::create_private(path, Overwrite::Refuse)?, record)
    }

    /// Removes what ended processes left while they encrypted: unfinished files, and records of data that were never written; what is
    /// being written stays. Returns the names.
    ///
    /// # Errors
    /// What the operating system refuses, naming the file.
    pub fn clear_records(&self) -> Result<Vec<PathBuf>> {
        let folder = self.datasets();
        let Ok(entries) = std::fs::read_dir(&folder) else {
            // There are none.
            return Ok(vec![]);
        };
        let mut left = vec![];
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((target, is_record)) = self.leftover(&name) else {
                continue;
            };
            // Whoever claims a file clears what was left of it.
            match AtomicFile::create_private(&target, Overwrite::Replace) {
                // Another may have finished it meanwhile.
                Ok(_) if is_record && target.symlink_metadata().is_ok() => {}
                Ok(_claimed) => {
                    let path = entry.path();
                    if is_record {
                        std::fs::remove_file(&path).map_err(|error| TrainError::Write {
                            path: path.clone(),
                            error,
                        })?;
                    }
                    left.push(path);
                }
                Err(WireError::Busy { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(left)
    }

    /// If a file of this name may have been left by a process that ended: the file to claim for its removal, and whether it is a record.
    fn leftover(&self, name: &str) -> Option<(PathBuf, bool)> {
        if let Some(name) = name.strip_prefix('.') {
            let (id, rest) = name.split_once(RECORD)?;
            let (id, is_exchange) = match id.strip_suffix(".exchange") {
                Some(id) => (id, true),
                None => (id, false),
            };
            let id = id.parse().ok()?;
            let path = if is_exchange {
                self.exchange_path(id)
            } else {
                self.record_path(id)
            };
            return (rest == ".lock" || rest.ends_with(".partial")).then_some((path, false));
        }
        let id = name.strip_suffix(RECORD)?.parse().ok()?;
        let exchange = self.exchange_path(id);
        let never_written = exchange.symlink_metadata().is_err()
            // Earlier releases wrote no exchanges, and other versions are not ours to judge.
            && self.record(id).is_ok();
        never_written.then_some((exchange, true))
    }

    /// Reads what the client kept of a data set.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] if the data set was not encrypted with these keys; [`ExchangeError::Malformed`],
    /// [`ExchangeError::Version`] and what else is wrong with the file, naming it.
    pub fn record(&self, id: DatasetId) -> Result<DatasetRecord> {
        let path = self.record_path(id);
        let absent = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        if self.datasets().is_dir() && path.symlink_metadata().is_err_and(absent) {
            return Err(ExchangeError::Mismatch {
                op: "read a record",
                what: "data set",
                subject: "the file",
                found: id.to_string(),
                expected: "one that was encrypted in this folder of keys".to_owned(),
                remedy: "give the folder of keys that `lr-train encrypt` was given",
            }
            .into());
        }
        let what = "record of a data set";
        let record: DatasetRecord = read_json(&path, what, RECORD_VERSION, "lr-train encrypt")?;
        let check = || -> Result<()> {
            record.check()?;
            record
                .origin
                .expect_dataset("read a record", "the record", id)
        };
        check().map_err(|error| error.in_file(&path))?;
        Ok(record)
    }

    /// Reads what was taken of the server for a data set: nothing yet, if there is no file.
    ///
    /// # Errors
    /// As [`KeyDirectory::record`].
    pub fn exchange(&self, origin: Origin) -> Result<ExchangeRecord> {
        let path = self.exchange_path(origin.dataset);
        if path.symlink_metadata().is_err() {
            return Ok(ExchangeRecord::new(origin));
        }
        let what = "record of an exchange";
        let record: ExchangeRecord = read_json(&path, what, EXCHANGE_VERSION, "lr-train encrypt")?;
        record.check(origin).map_err(|error| error.in_file(&path))?;
        Ok(record)
    }

    fn claim_exchange(&self, origin: Origin) -> Result<Claimed> {
        let path = self.exchange_path(origin.dataset);
        let file = AtomicFile::create_private(path, Overwrite::Replace)?;
        let record = self.exchange(origin)?;
        Ok(Claimed { record, file })
    }

    /// Remembers that other data were encrypted in the place of these: no result of them is expected, unless it is asked for by name.
    ///
    /// # Errors
    /// What the operating system refuses, naming the file; [`WireError::Busy`].
    pub fn replace_dataset(&self, origin: Origin) -> Result<()> {
        let mut claimed = self.claim_exchange(origin)?;
        claimed.record.replaced = true;
        claimed.commit()
    }

    /// Data sets of which results may come.
    fn in_training(&self, origin: Origin, rounds: usize) -> Result<Vec<DatasetId>> {
        let path = self.datasets();
        let entries = std::fs::read_dir(&path).map_err(|error| TrainError::Read { path, error })?;
        let mut open = vec![];
        for entry in entries.flatten() {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(EXCHANGE));
            let Some(dataset) = id.and_then(|id| id.parse().ok()) else {
                continue;
            };
            // Of a data set whose record was deleted nothing can be read.
            if self.record_path(dataset).exists()
                && self.exchange(Origin { dataset, ..origin })?.is_open(rounds)
            {
                open.push(dataset);
            }
        }
        Ok(open)
    }

    /// # Errors
    /// [`ExchangeError::Mismatch`] for a result of another data set than the one that is expected; [`UnexpectedResult::Ambiguous`].
    fn expect_dataset(
        &self,
        origin: Origin,
        rounds: usize,
        digests: &Vec<CiphertextDigest>,
        expected: Option<DatasetId>,
    ) -> Result<()> {
        const OP: &str = "take a result";
        let expected = match expected {
            Some(id) => id,
            // What was taken before is known by more than its header.
            None if self.exchange(origin)?.taken.contains(digests) => return Ok(()),
            None => match &*self.in_training(origin, rounds)? {
                [] => return Ok(()),
                [id] => *id,
                several => {
                    let (count, found) = (several.len(), origin.dataset);
                    return Err(UnexpectedResult::Ambiguous { count, found }.into());
                }
            },
        };
        origin.expect_dataset(OP, "the result", expected)
    }

    /// Decrypts a result, if it is the one to come: of the data set that is expected and of the next round, or the last that was taken once
    /// more. It is remembered as taken before it is returned. One that is refused after it was decrypted ends the exchange until
    /// [`Expected::after_refusal`]: a server that could try again and again would learn from what the client does.
    ///
    /// # Errors
    /// [`UnexpectedResult`]; [`ExchangeError::Mismatch`]; those of [`DataOwner::decrypt_state`]; what the operating system refuses.
    pub fn take_result<S: SecretEngine, B: Backend>(
        &self,
        owner: &DataOwner<S>,
        result: &RoundResult<B>,
        expected: Expected,
    ) -> Result<(DatasetRecord, State)> {
        let (origin, rounds) = (result.origin, owner.plan().rounds().len());
        let record = self.record(origin.dataset)?;
        let digests = result.digests()?;
        self.expect_dataset(origin, rounds, &digests, expected.dataset)?;
        let mut claimed = self.claim_exchange(origin)?;
        let exchange = &mut claimed.record;
        exchange.expect(result.round, rounds, &digests, expected.after_refusal)?;
        owner.expect_result(&record, result)?;
        match owner.decrypt_state(&record, result) {
            Ok(state) => {
                exchange.take(result.round, digests);
                self.unless_replaced(origin, || claimed.commit())?;
                Ok((record, state))
            }
            Err(error) if matches!(error.fault(), Fault::File | Fault::Data) => {
                exchange.refused = Some(result.round);
                claimed.commit()?;
                let (dataset, error) = (origin.dataset, Box::new(error));
                Err(UnexpectedResult::Refused { dataset, error }.into())
            }
            Err(error) => Err(error),
        }
    }
}
