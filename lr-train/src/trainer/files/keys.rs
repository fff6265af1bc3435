//! A folder of keys.

use std::path::{Path, PathBuf};

use arras_ckks::{
    Context, Parameters, SecretKey,
    wire::{AtomicFile, Overwrite, read_bounded},
};
use arras_hal::{SecretEngine, StopToken};
use arras_toolkit::plan::KeyRequests;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroize;

use super::{
    super::{DataOwner, KeySetId, PlanId, TrainingKeys, TrainingPlan},
    key_files::{KEY_LIST, KeyFiles, expect_listed},
    private::{close, expect_file, expect_inside, expect_private},
};
use crate::{Result, TrainError, trainer::ExchangeError};

/// The most bytes of a plan: a hundred times what one with 10,000 rates takes.
const PLAN_BYTES: u64 = 1 << 22;
/// The most bytes of a record.
const TEXT_BYTES: u64 = 1 << 28;
pub(super) const VERSION: u32 = 2;

pub(super) const SECRET: &str = "secret";
pub(super) const EVALUATION: &str = "eval";
pub(super) const DATASETS: &str = "datasets";
pub(super) const PLAN: &str = "plan.toml";
pub(super) const EVALUATION_KEYS: &str = "evaluation-keys.arras";
pub(super) const SECRET_KEY: &str = "secret-key.arras";
pub(super) const OWNER: &str = "owner.json";

/// Times that a folder is read again because others were put in its place meanwhile.
const TRIES: usize = 5;

/// Separates commitments to secret keys from every other use of BLAKE3.
const COMMITMENT_CONTEXT: &str = "lr-train commitment to a secret key v1";

/// What ties a secret key to its plan and its evaluation keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Owner {
    pub(super) version: u32,
    pub(super) plan: PlanId,
    pub(super) keys: KeySetId,
    /// [`commitment`] to the secret key.
    pub(super) secret: String,
}

/// What two sides agree on before there are keys, and what keys are made for.
pub trait ExchangePlan: Sized {
    /// What errors call it.
    const NAME: &'static str;

    /// What tells it from others.
    fn id(&self) -> PlanId;

    /// The parameters.
    fn params(&self) -> &Parameters;

    /// The keys that the server needs.
    fn key_requests(&self) -> &KeyRequests;

    /// It as TOML.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`] for what TOML does not have.
    fn to_toml(&self) -> Result<String>;

    /// Reads it in TOML, trusting nothing; parameters must be secure unless `insecure`, which is for tests only.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`]; what is inconsistent in it.
    fn read(text: &str, insecure: bool) -> Result<Self>;
}

impl ExchangePlan for TrainingPlan {
    const NAME: &'static str = "training plan";

    fn id(&self) -> PlanId {
        self.id()
    }

    fn params(&self) -> &Parameters {
        self.params()
    }

    fn key_requests(&self) -> &KeyRequests {
        self.key_requests()
    }

    fn to_toml(&self) -> Result<String> {
        self.to_toml()
    }

    fn read(text: &str, insecure: bool) -> Result<Self> {
        let spec = Self::spec_from_toml(text)?;
        if insecure {
            Self::from_spec_allowing_insecure(spec)
        } else {
            Self::try_from(spec)
        }
    }
}

/// A hash of a secret key, which has entropy enough that the hash tells nothing about it.
pub(super) fn commitment<S: SecretEngine>(key: &SecretKey<S>) -> Result<String> {
    let mut hasher = blake3::Hasher::new_derive_key(COMMITMENT_CONTEXT);
    hasher.update(&key.to_bytes()?);
    let hash = hasher.finalize().to_hex().to_string();
    // What it has of the key is overwritten.
    hasher.zeroize();
    Ok(hash)
}

/// A folder of keys: `secret/` stays with its owner, `eval/` goes to the server.
#[derive(Clone, Debug)]
pub struct KeyDirectory {
    root: PathBuf,
    insecure: bool,
    stop: StopToken,
}

impl KeyDirectory {
    /// The folder at this path, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            insecure: false,
            stop: StopToken::new(),
        }
    }

    /// Takes plans **without security**, too: for tests only.
    #[must_use]
    pub fn allowing_insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Stops what the [owner](Self::owner) of these keys does: encrypting, refreshing, decrypting.
    #[must_use]
    pub fn with_stop_token(mut self, token: StopToken) -> Self {
        self.stop = token;
        self
    }

    /// The folder of both parts.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The part that goes to the server.
    pub fn evaluation(&self) -> PathBuf {
        self.root.join(EVALUATION)
    }

    /// The part that stays.
    pub fn secret(&self) -> PathBuf {
        self.root.join(SECRET)
    }

    /// Claims the folder for new keys, before the work of making them: of two processes, one would keep the other's secret key. What is
    /// there is left alone until [`KeyFiles::save`].
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`](arras_ckks::wire::WireError::AlreadyExists) if there are complete keys and `overwrite` refuses; [`WireError::Busy`](arras_ckks::wire::WireError::Busy);
    /// [`ExchangeError::ForeignFile`]; what the operating system refuses.
    pub fn claim(&self, overwrite: Overwrite) -> Result<KeyFiles> {
        KeyFiles::claim(self, overwrite)
    }

    /// The owner of the keys here. If new keys are put in their place while they are read, it is the owner of those.
    ///
    /// # Errors
    /// [`TrainError::Read`] without complete keys, [`ExchangeError::Mismatch`] if plan, secret key and evaluation keys do not belong
    /// together, [`ExchangeError::ReadableByOthers`]; those of the files, naming them.
    pub fn owner<S: SecretEngine>(&self, engine: S) -> Result<DataOwner<S>> {
        let (plan, secret, keys) = self.secrets(engine)?;
        DataOwner::with_keys(plan, secret, keys)
    }

    /// The plan, the secret key, and what tells its evaluation keys from others, as [`KeyDirectory::owner`] reads them.
    ///
    /// # Errors
    /// As there.
    pub fn secrets<P: ExchangePlan, S: SecretEngine>(
        &self,
        engine: S,
    ) -> Result<(P, SecretKey<S>, KeySetId)> {
        let done = self.secret().join(OWNER);
        let description = || {
            expect_file(&done)?;
            Ok::<_, TrainError>(std::fs::read(&done).ok())
        };
        let mut before = description()?;
        for _ in 1..TRIES {
            let opened = self.open(engine.clone());
            let after = description()?;
            if before == after {
                return opened;
            }
            before = after;
        }
        self.open(engine)
    }

    pub(super) fn description(&self) -> Result<Owner> {
        read_owner(&self.secret().join(OWNER))
    }

    fn open<P: ExchangePlan, S: SecretEngine>(
        &self,
        engine: S,
    ) -> Result<(P, SecretKey<S>, KeySetId)> {
        let done = self.secret().join(OWNER);
        let owner: Owner = read_owner(&done)?;
        close(&self.secret())?;
        let path = self.secret().join(PLAN);
        let plan: P = read_plan(&path, self.insecure)?;
        ExchangeError::expect_same(
            "open keys",
            ("plan", "the secret folder"),
            &plan.id(),
            &owner.plan,
            "restore the plan that the keys were made from",
        )
        .map_err(|error| TrainError::from(error).in_file(&path))?;
        let context = Context::new(plan.params(), engine)?.with_stop_token(self.stop.clone());
        let path = self.secret().join(SECRET_KEY);
        expect_file(&path)?;
        expect_private(&path)?;
        let secret = SecretKey::from_file(&path, &context)?;
        ExchangeError::expect_same(
            "open keys",
            ("commitment", "the secret key"),
            &commitment(&secret)?,
            &owner.secret,
            "restore the secret key that was made with these keys; with another nothing that they train can be read",
        )
        .map_err(|error| TrainError::from(error).in_file(&path))?;
        Ok((plan, secret, owner.keys))
    }
}

/// The plan and the evaluation keys of a folder `eval/`, which need no secret.
///
/// # Errors
/// Those of the files, naming them; parameters must be secure unless `allow_insecure`, which is for tests only.
pub fn load_evaluation(
    folder: &Path,
    allow_insecure: bool,
) -> Result<(TrainingPlan, TrainingKeys)> {
    load_evaluation_of(folder, allow_insecure)
}

/// [`load_evaluation`] for keys of any plan.
///
/// # Errors
/// As there.
pub fn load_evaluation_of<P: ExchangePlan>(
    folder: &Path,
    allow_insecure: bool,
) -> Result<(P, TrainingKeys)> {
    let path = folder.join(EVALUATION_KEYS);
    // The folder comes from the client, and whoever it is shall not have this process read other files.
    for name in [PLAN, KEY_LIST, EVALUATION_KEYS] {
        expect_inside(folder, &folder.join(name))?;
    }
    let plan: P = read_plan(&folder.join(PLAN), allow_insecure)?;
    let keys = TrainingKeys::from_file(&path, plan.params())?;
    expect_listed(folder, &plan, &keys).map_err(|error| error.in_file(&path))?;
    Ok((plan, keys))
}

pub(super) fn read_owner(path: &Path) -> Result<Owner> {
    read_json(path, "description of keys", VERSION, "lr-train keygen")
}

fn read_plan<P: ExchangePlan>(path: &Path, insecure: bool) -> Result<P> {
    expect_file(path)?;
    let bytes = read_bounded(path, PLAN_BYTES)?;
    let read = || P::read(utf8(P::NAME, &bytes)?, insecure);
    read().map_err(|error| error.in_file(path))
}

pub(super) fn utf8<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a str, ExchangeError> {
    std::str::from_utf8(bytes).map_err(ExchangeError::malformed(what))
}

pub(super) fn write_json(file: AtomicFile, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(ExchangeError::malformed("private record"))?;
    Ok(file.write_and_commit(text.as_bytes())?)
}

/// Reads a text of a version, which `command` makes.
pub(super) fn read_json<T: DeserializeOwned>(
    path: &Path,
    what: &'static str,
    version: u32,
    command: &'static str,
) -> Result<T> {
    expect_file(path)?;
    let bytes = read_bounded(path, TEXT_BYTES)?;
    let read = || ExchangeError::read_json(&bytes, what, version, command);
    read().map_err(|error| TrainError::from(error).in_file(path))
}
