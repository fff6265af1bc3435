//! What readers need beside the bytes: the exchange of the corpus, with keys, data and results at a toy size.

use std::{
    fs,
    path::{Path, PathBuf},
};

use arras_backend_cpu::CpuEngine;
use arras_ckks::wire::{AtomicFile, Overwrite};
use arras_toolkit::run::Options;
use lr_train::{
    data::{Dataset, Target, csv},
    inference::{InferenceOwner, InferencePlan, InferenceServer, ServedWeights},
    trainer::{
        DataOwner, DatasetRecord, RoundResult, TrainingKeys,
        files::{InferenceContent, KeyDirectory, load_evaluation_of, load_request, load_result},
    },
};
use tempfile::TempDir;

/// A copy of the exchange in a folder of its own. Inputs take the place of one file of it.
pub(crate) struct Home {
    folder: TempDir,
    pub(super) keys: KeyDirectory,
    pub(super) owner: DataOwner<CpuEngine>,
    pub(super) record: DatasetRecord,
    pub(super) data: Dataset,
    pub(super) result: RoundResult<CpuEngine>,
    pub(super) scoring: Scoring,
}

/// The exchange in which a network is applied.
pub(super) struct Scoring {
    pub(super) keys: KeyDirectory,
    pub(super) owner: InferenceOwner<CpuEngine>,
    pub(super) evaluation: TrainingKeys,
    pub(super) server: InferenceServer<CpuEngine>,
}

/// A folder of keys, from files of the corpus: of plan, secret key, what ties them, evaluation keys and their list.
fn folder_of_keys(root: PathBuf, corpus: &Path, files: [&str; 5]) -> KeyDirectory {
    let keys = KeyDirectory::new(root).allowing_insecure();
    let (secret, evaluation) = (keys.secret(), keys.evaluation());
    fs::create_dir_all(secret.join("datasets")).unwrap();
    fs::create_dir_all(&evaluation).unwrap();
    let [plan, key, owner, set, list] = files;
    for (from, to) in [
        (plan, evaluation.join("plan.toml")),
        (list, evaluation.join("keys.json")),
        (set, evaluation.join("evaluation-keys.arras")),
        (plan, secret.join("plan.toml")),
        (owner, secret.join("owner.json")),
        (key, secret.join("secret-key.arras")),
    ] {
        copy(&corpus.join(from), to);
    }
    keys
}

fn copy(from: &Path, to: PathBuf) {
    let bytes = fs::read(from).unwrap();
    let file = AtomicFile::create_private(to, Overwrite::Refuse).unwrap();
    file.write_and_commit(&bytes).unwrap();
}

impl Scoring {
    fn new(root: PathBuf, corpus: &Path) -> Self {
        let files = [
            "scoring/scoring.toml",
            "secret/scoring-key.arras",
            "owner/scoring.json",
            "evaluation/scoring-keys.arras",
            "keys/scoring.json",
        ];
        let keys = folder_of_keys(root, corpus, files);
        let engine = CpuEngine::with_threads(1).unwrap();
        let (plan, secret, id) = keys.secrets(engine.clone()).unwrap();
        let owner = InferenceOwner::with_keys(plan, secret, id).unwrap();
        let (plan, evaluation) =
            load_evaluation_of::<InferencePlan>(&keys.evaluation(), true).unwrap();
        let weights = corpus.join("inference/weights.arras");
        let weights = load_request(&weights, InferenceContent::Weights, &plan, id).unwrap();
        let served = ServedWeights::Encrypted(&weights);
        let options = Options::default();
        let server = InferenceServer::new(plan, evaluation.clone(), &served, engine, options);
        Self {
            keys,
            owner,
            evaluation,
            server: server.unwrap(),
        }
    }
}

impl Home {
    /// Copies and opens the exchange in the folder of all corpora.
    pub(crate) fn new(corpus: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            "plan/plan.toml",
            "secret/secret-key.arras",
            "owner/owner.json",
            "evaluation/evaluation-keys.arras",
            "keys/keys.json",
        ];
        let keys = folder_of_keys(folder.path().join("keys"), corpus, files);
        let file = corpus.join("record/record.json");
        let record = fs::read_to_string(&file).unwrap();
        let record = DatasetRecord::from_json(&record).unwrap();
        copy(&file, keys.record_path(record.origin.dataset));
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
            scoring: Scoring::new(folder.path().join("scoring"), corpus),
            folder,
            keys,
            owner,
            record,
        }
    }

    /// The same columns with targets of every kind.
    pub(super) fn data_of_all_targets(&self) -> [Dataset; 3] {
        let table = self.data.table();
        let with = |target| table.clone().with_target(target).unwrap();
        let (name, values) = ("dose".to_owned(), vec![1.0, 2.5, -1.0, 0.0]);
        let names = ["red", "green", "blue"].map(str::to_owned).to_vec();
        let labels = vec![0, 1, 2, 1];
        [
            self.data.clone(),
            with(Target::Real { name, values }),
            with(Target::Several { labels, names }),
        ]
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
