//! What readers need beside the bytes: the exchange of the corpus, with keys, data and results at a toy size.

use std::{
    fs,
    path::{Path, PathBuf},
};

use arras_backend_cpu::CpuEngine;
use arras_ckks::wire::{AtomicFile, Overwrite};
use lr_train::{
    data::csv,
    trainer::{
        DataOwner, DatasetRecord, RoundResult,
        files::{KeyDirectory, load_result},
    },
};
use tempfile::TempDir;

/// A copy of the exchange in a folder of its own. Inputs take the place of one file of it.
pub(crate) struct Home {
    folder: TempDir,
    pub(super) keys: KeyDirectory,
    pub(super) owner: DataOwner<CpuEngine>,
    pub(super) record: DatasetRecord,
    pub(super) data: lr_train::data::Dataset,
    pub(super) result: RoundResult<CpuEngine>,
}

impl Home {
    /// Copies and opens the exchange in the folder of all corpora.
    pub(crate) fn new(corpus: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("keys");
        let record = fs::read(corpus.join("record/record.json")).unwrap();
        let record = DatasetRecord::from_json(std::str::from_utf8(&record).unwrap()).unwrap();
        let keys = KeyDirectory::new(&root).allowing_insecure();
        let datasets = keys.secret().join("datasets");
        fs::create_dir_all(&datasets).unwrap();
        fs::create_dir_all(keys.evaluation()).unwrap();
        for (from, to) in [
            ("plan/plan.toml", keys.evaluation().join("plan.toml")),
            ("keys/keys.json", keys.evaluation().join("keys.json")),
            (
                "evaluation/evaluation-keys.arras",
                keys.evaluation().join("evaluation-keys.arras"),
            ),
            ("plan/plan.toml", keys.secret().join("plan.toml")),
            ("owner/owner.json", keys.secret().join("owner.json")),
            (
                "secret/secret-key.arras",
                keys.secret().join("secret-key.arras"),
            ),
            (
                "record/record.json",
                keys.record_path(record.origin.dataset),
            ),
        ] {
            let bytes = fs::read(corpus.join(from)).unwrap();
            let file = AtomicFile::create_private(to, Overwrite::Refuse).unwrap();
            file.write_and_commit(&bytes).unwrap();
        }
        let owner = keys.owner(CpuEngine::with_threads(1).unwrap()).unwrap();
        let table = "a,b,y\n1,2,yes\n-3,0.5,no\n2,-2,yes\n0,1,no\n";
        Self {
            data: csv::read(table.as_bytes(), &csv::Options::new("y")).unwrap(),
            result: load_result(
                &corpus.join("training/result.arras"),
                owner.plan(),
                owner.key_set_id(),
                owner.context(),
            )
            .unwrap(),
            folder,
            keys,
            owner,
            record,
        }
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The input as a file.
    pub(super) fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.path("input");
        fs::write(&path, bytes).unwrap();
        path
    }
}
