//! A folder of keys.

use std::path::{Path, PathBuf};

use arras_ckks::{
    Context, EvaluationKeySet, SecretKey,
    wire::{AtomicFile, Overwrite, WireError, read_bounded},
};
use arras_hal::SecretEngine;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::super::{DataOwner, DatasetId, DatasetRecord, KeySetId, PlanId, TrainingPlan};
use crate::{Result, TrainError, trainer::ExchangeError};

/// The most bytes of a plan or a record.
const TEXT_BYTES: u64 = 1 << 28;
const VERSION: u32 = 1;

const PLAN: &str = "plan.toml";
const EVALUATION_KEYS: &str = "evaluation-keys.arras";
const SECRET_KEY: &str = "secret-key.arras";
const OWNER: &str = "owner.json";

/// What ties a secret key to its plan and its evaluation keys.
#[derive(Serialize, Deserialize)]
struct Owner {
    version: u32,
    plan: PlanId,
    keys: KeySetId,
}

/// A folder of keys: `secret/` stays with its owner, `eval/` goes to the server.
#[derive(Clone, Debug)]
pub struct KeyDirectory {
    root: PathBuf,
    insecure: bool,
}

impl KeyDirectory {
    /// The folder at this path, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            insecure: false,
        }
    }

    /// Takes plans **without security**, too: for tests only.
    #[must_use]
    pub fn allowing_insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// The part that goes to the server.
    pub fn evaluation(&self) -> PathBuf {
        self.root.join("eval")
    }

    /// The part that stays.
    pub fn secret(&self) -> PathBuf {
        self.root.join("secret")
    }

    /// Where the record of a data set is.
    pub fn record_path(&self, id: DatasetId) -> PathBuf {
        self.secret().join("datasets").join(format!("{id}.json"))
    }

    /// Claims the folder for new keys, before the work of making them: of two processes, one would keep the other's secret key. What is
    /// there is left alone until [`KeyFiles::save`].
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`] if there are complete keys and `overwrite` refuses; [`WireError::Busy`]; what the operating system
    /// refuses.
    pub fn claim(&self, overwrite: Overwrite) -> Result<KeyFiles> {
        let done = self.secret().join(OWNER);
        // `create` looks, too; this is before any folder is made.
        if overwrite == Overwrite::Refuse && done.symlink_metadata().is_ok() {
            return Err(WireError::AlreadyExists { path: done }.into());
        }
        private_folder(&self.secret())?;
        private_folder(&self.secret().join("datasets"))?;
        folder(&self.evaluation())?;
        Ok(KeyFiles {
            directory: self.clone(),
            done: AtomicFile::create_private(done, overwrite)?,
        })
    }

    /// The owner of the keys here.
    ///
    /// # Errors
    /// [`TrainError::Read`] without complete keys, [`ExchangeError::Mismatch`] if plan and keys do not belong together; those of the files,
    /// naming them.
    pub fn owner<S: SecretEngine>(&self, engine: S) -> Result<DataOwner<S>> {
        let done = self.secret().join(OWNER);
        let owner: Owner = read_json(&done, "description of keys")?;
        let (what, command) = ("description of keys", "lr-train keygen");
        ExchangeError::expect_version(what, owner.version, VERSION, command)
            .map_err(|error| TrainError::from(error).in_file(&done))?;
        let path = self.secret().join(PLAN);
        let plan = read_plan(&path, self.insecure)?;
        ExchangeError::expect_same(
            "open keys",
            ("plan", "the secret folder"),
            &plan.id(),
            &owner.plan,
            "restore the plan that the keys were made from",
        )
        .map_err(|error| TrainError::from(error).in_file(&path))?;
        let context = Context::new(plan.params(), engine)?;
        let secret = SecretKey::from_file(self.secret().join(SECRET_KEY), &context)?;
        DataOwner::with_keys(plan, secret, owner.keys)
    }

    /// Writes what the client keeps of a data set, for its owner only.
    ///
    /// # Errors
    /// What the operating system refuses, naming the file; [`WireError::AlreadyExists`].
    pub fn save_record(&self, record: &DatasetRecord) -> Result<PathBuf> {
        private_folder(&self.secret().join("datasets"))?;
        let path = self.record_path(record.origin.dataset);
        write_json(
            AtomicFile::create_private(&path, Overwrite::Refuse)?,
            record,
        )?;
        Ok(path)
    }

    /// Reads what the client kept of a data set.
    ///
    /// # Errors
    /// [`TrainError::Read`] if the data set was not encrypted with these keys; [`ExchangeError::Malformed`] and what else is wrong with the
    /// file, naming it.
    pub fn record(&self, id: DatasetId) -> Result<DatasetRecord> {
        let path = self.record_path(id);
        let record: DatasetRecord = read_json(&path, "record of a data set")?;
        let check = || -> Result<()> {
            record.check()?;
            record
                .origin
                .expect_dataset("read a record", "the record", id)
        };
        check().map_err(|error| error.in_file(&path))?;
        Ok(record)
    }
}

/// A folder that is claimed for keys.
#[derive(Debug)]
pub struct KeyFiles {
    directory: KeyDirectory,
    done: AtomicFile,
}

impl KeyFiles {
    /// Writes keys and plan. The file that says they are complete comes last: what an interrupted call left behind counts for nothing
    /// and is replaced.
    ///
    /// # Errors
    /// What the operating system refuses, naming the file.
    pub fn save<S: SecretEngine>(
        self,
        owner: &DataOwner<S>,
        keys: &EvaluationKeySet,
    ) -> Result<()> {
        let (secret, evaluation) = (self.directory.secret(), self.directory.evaluation());
        let done = self.done.path();
        if done.symlink_metadata().is_ok() {
            std::fs::remove_file(done).map_err(|error| TrainError::Write {
                path: done.to_owned(),
                error,
            })?;
        }
        let replace = Overwrite::Replace;
        let plan = owner.plan().to_toml()?;
        keys.save(evaluation.join(EVALUATION_KEYS), replace)?;
        AtomicFile::create(evaluation.join(PLAN), replace)?.write_and_commit(plan.as_bytes())?;
        let key = owner.client().secret_key()?;
        key.save(secret.join(SECRET_KEY), replace)?;
        AtomicFile::create_private(secret.join(PLAN), replace)?
            .write_and_commit(plan.as_bytes())?;
        let description = Owner {
            version: VERSION,
            plan: owner.plan().id(),
            keys: owner.key_set_id(),
        };
        write_json(self.done, &description)
    }
}

/// The plan and the evaluation keys of a folder `eval/`, which need no secret.
///
/// # Errors
/// Those of the files, naming them; parameters must be secure unless `allow_insecure`, which is for tests only.
pub fn load_evaluation(
    folder: &Path,
    allow_insecure: bool,
) -> Result<(TrainingPlan, EvaluationKeySet)> {
    let plan = read_plan(&folder.join(PLAN), allow_insecure)?;
    let keys = EvaluationKeySet::from_file(folder.join(EVALUATION_KEYS), plan.params())?;
    Ok((plan, keys))
}

fn read_plan(path: &Path, insecure: bool) -> Result<TrainingPlan> {
    let bytes = read_bounded(path, TEXT_BYTES)?;
    let read = || -> Result<TrainingPlan> {
        let spec = TrainingPlan::spec_from_toml(utf8("training plan", &bytes)?)?;
        if insecure {
            TrainingPlan::from_spec_allowing_insecure(spec)
        } else {
            TrainingPlan::try_from(spec)
        }
    };
    read().map_err(|error| error.in_file(path))
}

pub(super) fn utf8<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a str, ExchangeError> {
    std::str::from_utf8(bytes).map_err(ExchangeError::malformed(what))
}

fn write_json(file: AtomicFile, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(ExchangeError::malformed("private record"))?;
    Ok(file.write_and_commit(text.as_bytes())?)
}

fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T> {
    let bytes = read_bounded(path, TEXT_BYTES)?;
    let read = serde_json::from_slice(&bytes).map_err(ExchangeError::malformed(what));
    read.map_err(|error| TrainError::from(error).in_file(path))
}

fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| TrainError::Write {
        path: path.to_owned(),
        error,
    })
}

/// A folder that only its owner can enter, on unix.
fn private_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| TrainError::Write {
        path: path.to_owned(),
        error,
    })
}
