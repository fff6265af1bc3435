//! Making a folder of keys: beside its place, exchanged as a whole.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use arras_ckks::{
    KeyKind, SecretKey,
    wire::{AtomicFile, AtomicFolder, Overwrite, WireError},
};
use arras_hal::SecretEngine;
use serde::{Deserialize, Serialize};

use super::{
    super::{DataOwner, TrainingKeys},
    PlannedColumns,
    columns::COLUMNS,
    keys::{
        DATASETS, EVALUATION, EVALUATION_KEYS, ExchangePlan, KeyDirectory, OWNER, Owner, PLAN,
        SECRET, SECRET_KEY, VERSION, commitment, read_json, write_json,
    },
    private::private_folder,
};
use crate::{Result, TrainError, trainer::ExchangeError};

pub(super) const KEY_LIST: &str = "keys.json";
const KEY_LIST_VERSION: u32 = 1;

/// A folder that is claimed for keys.
#[derive(Debug)]
pub struct KeyFiles {
    folder: AtomicFolder,
    columns: Option<PlannedColumns>,
}

impl KeyFiles {
    /// What is there is left alone until [`KeyFiles::save`].
    pub(super) fn claim(directory: &KeyDirectory, overwrite: Overwrite) -> Result<Self> {
        let done = directory.secret().join(OWNER);
        if overwrite == Overwrite::Refuse && done.symlink_metadata().is_ok() {
            return Err(WireError::AlreadyExists { path: done }.into());
        }
        expect_only_ours(directory.root())?;
        let folder = AtomicFolder::create(directory.root())?;
        // Another may have been faster.
        if overwrite == Overwrite::Refuse && done.symlink_metadata().is_ok() {
            return Err(WireError::AlreadyExists { path: done }.into());
        }
        Ok(Self {
            folder,
            columns: None,
        })
    }

    /// With the layout of the columns that their plan was made from.
    #[must_use]
    pub fn columns(mut self, columns: Option<PlannedColumns>) -> Self {
        self.columns = columns;
        self
    }

    /// What earlier calls that were killed had left, and is removed now.
    pub fn leftovers(&self) -> &[PathBuf] {
        self.folder.leftovers()
    }

    /// Writes keys and plan beside the folder, syncs them, and lets them change places with what is there in one step: at whatever
    /// instant the process ends, the old keys or the new ones are there, whole. The old ones are removed last.
    ///
    /// # Errors
    /// What the operating system refuses, naming the file; [`ExchangeError::ForeignFile`].
    pub fn save<S: SecretEngine>(self, owner: &DataOwner<S>, keys: &TrainingKeys) -> Result<()> {
        self.save_keys(owner.plan(), owner.client().secret_key()?, keys)
    }

    /// [`KeyFiles::save`] for keys of any plan.
    ///
    /// # Errors
    /// As there.
    pub fn save_keys<S: SecretEngine>(
        self,
        plan: &impl ExchangePlan,
        key: &SecretKey<S>,
        keys: &TrainingKeys,
    ) -> Result<()> {
        let (secret, evaluation) = (
            self.folder.folder().join(SECRET),
            self.folder.folder().join(EVALUATION),
        );
        private_folder(&secret)?;
        private_folder(&secret.join(DATASETS))?;
        fs::create_dir(&evaluation).map_err(|error| TrainError::Write {
            path: evaluation.clone(),
            error,
        })?;
        let refuse = Overwrite::Refuse;
        let text = plan.to_toml()?;
        keys.set().save(evaluation.join(EVALUATION_KEYS), refuse)?;
        let list = AtomicFile::create(evaluation.join(KEY_LIST), refuse)?;
        write_json(list, &KeyList::of(keys))?;
        AtomicFile::create(evaluation.join(PLAN), refuse)?.write_and_commit(text.as_bytes())?;
        key.save(secret.join(SECRET_KEY), refuse)?;
        AtomicFile::create_private(secret.join(PLAN), refuse)?.write_and_commit(text.as_bytes())?;
        if let Some(columns) = &self.columns {
            columns.save(AtomicFile::create_private(secret.join(COLUMNS), refuse)?)?;
        }
        let description = Owner {
            version: VERSION,
            plan: plan.id(),
            keys: keys.id(),
            secret: commitment(key)?,
        };
        let done = AtomicFile::create_private(secret.join(OWNER), refuse)?;
        write_json(done, &description)?;
        // What came into the old folder meanwhile is not to be lost with it.
        expect_only_ours(self.folder.path())?;
        Ok(self.folder.commit()?)
    }
}

/// Whether a folder, which may not exist, holds keys and what belongs to them and nothing else: it is replaced as a whole, and somebody
/// else's file or link in it is not ours to remove.
fn expect_only_ours(root: &Path) -> Result<()> {
    let secret = root.join(SECRET);
    for (folder, folders) in [
        (root.to_owned(), &[SECRET, EVALUATION][..]),
        (root.join(EVALUATION), &[]),
        (secret.clone(), &[DATASETS]),
        (secret.join(DATASETS), &[]),
    ] {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(TrainError::Read {
                    path: folder,
                    error,
                });
            }
        };
        for entry in entries {
            let read = entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)));
            let (name, kind) = read.map_err(|error| TrainError::Read {
                path: folder.clone(),
                error,
            })?;
            let text = name.to_string_lossy();
            let ours = if kind.is_dir() {
                folders.iter().any(|folder| name == *folder)
            } else {
                kind.is_file() && folder != root && is_ours(&text)
            };
            if !ours {
                return Err(ExchangeError::ForeignFile {
                    folder: root.to_owned(),
                    file: folder.join(&name),
                }
                .into());
            }
        }
    }
    Ok(())
}

/// Names of keys, plans and records, and of what a killed process leaves while it writes one.
fn is_ours(name: &str) -> bool {
    let endings: &[&str] = match name.strip_prefix('.') {
        Some(_) => &[".lock", ".partial"],
        None => &[".arras", ".toml", ".json"],
    };
    endings.iter().any(|ending| name.ends_with(ending))
}

/// Which keys are in a set, so that a damaged one can be named.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyList {
    version: u32,
    keys: Vec<ListedKey>,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedKey {
    /// What it switches from, as its container has it.
    key: u32,
    level: usize,
    /// Of its container.
    blake3: String,
}

impl KeyList {
    fn of(keys: &TrainingKeys) -> Self {
        let listed = keys.hashed().map(|(key, digest)| ListedKey {
            key: key.kind().code(),
            level: key.level_budget(),
            blake3: blake3::Hash::from_bytes(*digest).to_hex().to_string(),
        });
        Self {
            version: KEY_LIST_VERSION,
            keys: listed.collect(),
        }
    }
}

/// Whether the keys in a folder are those that its list names, and those are the ones that the plan's circuits need.
///
/// # Errors
/// [`ExchangeError::Key`] names the first that is not.
pub(super) fn expect_listed(
    folder: &Path,
    plan: &impl ExchangePlan,
    keys: &TrainingKeys,
) -> Result<()> {
    let path = folder.join(KEY_LIST);
    let list: KeyList = read_json(&path, "list of keys", KEY_LIST_VERSION, "lr-train keygen")?;
    let log_n = plan.params().log_n();
    let needed: BTreeMap<u32, usize> = plan
        .key_requests()
        .kinds(log_n)
        .into_iter()
        .map(|(kind, level)| (kind.code(), level))
        .collect();
    let listed: BTreeMap<u32, &ListedKey> = list.keys.iter().map(|k| (k.key, k)).collect();
    let there = KeyList::of(keys);
    let there: BTreeMap<u32, &ListedKey> = there.keys.iter().map(|k| (k.key, k)).collect();
    let codes = needed.keys().chain(listed.keys()).chain(there.keys());
    for code in codes {
        let fault = match (needed.get(code), listed.get(code), there.get(code)) {
            (Some(level), Some(a), Some(b)) if a == b && a.level == *level => continue,
            (None, ..) => "is not among those that the plan needs",
            (_, _, None) => "is missing",
            (_, None, _) => "is not in the list of keys",
            (Some(level), _, Some(key)) if key.level != *level => {
                "is of another level than the plan's"
            }
            _ => "is damaged",
        };
        return Err(ExchangeError::Key {
            key: name(plan, *code),
            fault,
        }
        .into());
    }
    Ok(())
}

/// What people call a key.
fn name(plan: &impl ExchangePlan, code: u32) -> String {
    if code == KeyKind::Relinearization.code() {
        return "relinearization key".to_owned();
    }
    let requests = plan.key_requests();
    let rotations = requests.rotations.keys().copied();
    // Kinds come in the order of rotations, after the one for relinearization.
    let mut kinds = requests.kinds(plan.params().log_n());
    kinds.retain(|(kind, _)| *kind != KeyKind::Relinearization);
    let found = kinds
        .iter()
        .zip(rotations)
        .find(|((kind, _), _)| kind.code() == code);
    match found {
        Some((_, steps)) => format!("key for the rotation by {steps}"),
        None => format!("key {code}"),
    }
}
