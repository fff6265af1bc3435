//! Where ledgers are kept.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use arras_hal::SecretEngine;

use super::{Ledger, LedgerChange, OpeningError, ledger::Record, noise::OpeningSecret};
use crate::{
    CkksError, Result, SecretKey,
    wire::{AtomicFile, Overwrite, WireError, read_bounded},
};

/// More than the longest ledger: an entry has about 150 bytes.
const MOST: u64 = 1 << 24;

fn empty<S: SecretEngine>(key: &SecretKey<S>, queries: u32) -> Result<Vec<u8>> {
    let (secret, params) = (OpeningSecret::new(key), key.context().params());
    Record::new(&secret, params, queries)?.write(&secret)
}

/// A ledger in a private file (mode 0600 on unix): JSON, with a tag that is made with the secret key.
///
/// ```text
/// { "ledger": { "version": 1, "key": "<commitment to the key>", "queries": 10,
///               "openings": [ { "digest": "<what was opened>", "coordinates": 32 }, .. ] },
///   "tag": "<keyed hash of the ledger>" }
/// ```
///
/// Each update locks the file, reads it, writes it anew, syncs file and folder, and moves it into its place: what one handle or process
/// counts every other sees. While another is at it, an opening is refused with [`WireError::Busy`] and may be tried again.
///
/// The file says how much was opened, not what. Who can replace it by an older copy can have more opened than the key bears: keep it
/// beside the key, and out of what is restored from backups. Without it nothing is opened any more.
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
}

impl LedgerFile {
    /// Creates the ledger of a key, for at most `queries` openings. Do it once, when the key is made: a second ledger would count from
    /// zero.
    ///
    /// # Errors
    /// [`WireError::AlreadyExists`]; [`OpeningError::BadQueries`]; [`WireError::Busy`] and [`WireError::Io`].
    pub fn create<S: SecretEngine>(
        path: impl AsRef<Path>,
        key: &SecretKey<S>,
        queries: u32,
    ) -> Result<Self> {
        CkksError::within("create a ledger", || {
            let path = path.as_ref().to_owned();
            let bytes = empty(key, queries)?;
            let file = AtomicFile::create_private(&path, Overwrite::Refuse)?;
            exclusive(&file)?;
            file.write_and_commit(&bytes)?;
            Ok(Self { path })
        })
    }

    /// The ledger of this key at `path`.
    ///
    /// # Errors
    /// [`OpeningError::Missing`], [`OpeningError::Damaged`], [`OpeningError::AnotherKey`], [`OpeningError::Unusable`];
    /// [`WireError::Busy`] and [`WireError::Io`].
    pub fn open<S: SecretEngine>(path: impl AsRef<Path>, key: &SecretKey<S>) -> Result<Self> {
        CkksError::within("open a ledger", || {
            let mut ledger = Self {
                path: path.as_ref().to_owned(),
            };
            let (secret, params) = (OpeningSecret::new(key), key.context().params());
            ledger.update(&mut |kept| Record::read(kept, &secret, params).map(|_| None))?;
            Ok(ledger)
        })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Ledger for LedgerFile {
    fn update(&mut self, change: &mut LedgerChange<'_>) -> Result<()> {
        let path = self.path.clone();
        // A link would be replaced by the new file, and what it points to would stay behind with the old count.
        match path.symlink_metadata() {
            Ok(there) if there.is_file() => {}
            Ok(_) => {
                let problem = "not a plain file";
                return Err(OpeningError::Unusable { path, problem }.into());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(OpeningError::Missing { path }.into());
            }
            Err(source) => return Err(WireError::io("read", &path, source).into()),
        }
        let file = AtomicFile::create_private(&path, Overwrite::Replace)?;
        exclusive(&file)?;
        if let Some(bytes) = change(&read_bounded(&path, MOST)?)? {
            file.write_and_commit(&bytes)?;
        }
        Ok(())
    }
}

/// Without a lock two processes could read one count.
fn exclusive(file: &AtomicFile) -> Result<()> {
    if file.is_exclusive() {
        return Ok(());
    }
    Err(OpeningError::Unusable {
        path: file.path().to_owned(),
        problem: "its file system has no locks",
    }
    .into())
}

/// A ledger that is forgotten with the process: **for tests**. A key whose openings it counted can be opened again from zero.
#[derive(Clone, Debug)]
pub struct LedgerInMemoryForTests {
    bytes: Vec<u8>,
}

impl LedgerInMemoryForTests {
    /// An empty ledger of this key, for at most `queries` openings.
    ///
    /// # Errors
    /// [`OpeningError::BadQueries`].
    pub fn new<S: SecretEngine>(key: &SecretKey<S>, queries: u32) -> Result<Self> {
        Ok(Self {
            bytes: empty(key, queries)?,
        })
    }
}

impl Ledger for LedgerInMemoryForTests {
    fn update(&mut self, change: &mut LedgerChange<'_>) -> Result<()> {
        if let Some(bytes) = change(&self.bytes)? {
            self.bytes = bytes;
        }
        Ok(())
    }
}
