//! Every reader of this crate as a function of bytes: the fuzz targets and `tests/readers.rs` call the same ones.
//!
//! Most read files beside others, so they come with a [`Home`]: keys, data and results at a toy size, made anew for every process. Inputs
//! take the place of one file of it. Every function returns whether the input was taken; none may panic.

use std::{
    fs,
    path::{Path, PathBuf},
};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    params::Security,
    wire::{AtomicFile, CHECKSUM_LEN, Overwrite, PREFIX_LEN, peek},
};
use arras_toolkit::{Encrypted, Layout, SeededEncrypted, cost::CostTable, run::Options, wire};
use lr_train::{
    circuits::Kind,
    data::{
        Classes, Dataset,
        csv::{self, ColumnId, Columns, Header},
        idx,
    },
    preprocess::Scheme,
    trainer::{
        DataOwner, DatasetRecord, Model, PlannerOptions, Rounds, Settings, TrainingPlan,
        TrainingServer,
        files::{
            DatasetFile, KeyDirectory, inspect, load_evaluation, load_model, load_result,
            load_state, save_result, save_state, verify,
        },
        plan,
    },
};
use tempfile::TempDir;

/// What readers need beside the bytes.
pub(crate) struct Home {
    folder: TempDir,
    keys: KeyDirectory,
    owner: DataOwner<CpuEngine>,
    record: DatasetRecord,
    data: Dataset,
    model: Model,
}

/// A reader.
pub(crate) struct Reader {
    /// The name of its fuzz target and of its folder in `corpus`.
    pub(crate) name: &'static str,
    /// Inputs that it takes.
    pub(crate) seeds: fn(&Home) -> Vec<Vec<u8>>,
    /// Reads.
    pub(crate) read: fn(&Home, &[u8]) -> bool,
}

/// All readers.
pub(crate) const READERS: [Reader; 10] = [
    reader(
        "plan",
        |home| vec![home.owner.plan().to_toml().unwrap().into()],
        read_plan,
    ),
    reader("csv", |_| csv_seeds(), read_csv),
    reader("idx", |_| idx_seeds(), read_idx),
    reader(
        "training",
        |home| {
            home.files(&[
                "data.arras",
                "state-1.arras",
                "start-2.arras",
                "model.arras",
            ])
        },
        read_training,
    ),
    reader("arrays", array_seeds, read_array),
    reader(
        "keys",
        |home| home.files(&["keys/eval/keys.json"]),
        read_key_list,
    ),
    reader(
        "owner",
        |home| home.files(&["keys/secret/owner.json"]),
        read_owner,
    ),
    reader(
        "record",
        |home| vec![fs::read(home.record()).unwrap()],
        read_record,
    ),
    reader(
        "model",
        |home| vec![home.model.to_json().unwrap().into()],
        read_model,
    ),
    reader("costs", |home| vec![cost_seed(home)], read_costs),
];

const fn reader(
    name: &'static str,
    seeds: fn(&Home) -> Vec<Vec<u8>>,
    read: fn(&Home, &[u8]) -> bool,
) -> Reader {
    Reader { name, seeds, read }
}

/// The reader of this name.
pub(crate) fn named(name: &str) -> &'static Reader {
    READERS.iter().find(|r| r.name == name).expect("a reader")
}

fn created(path: &Path) -> AtomicFile {
    AtomicFile::create(path, Overwrite::Refuse).unwrap()
}

impl Home {
    /// An exchange of two rounds.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let classes = Classes {
            negative: "no".into(),
            positive: "yes".into(),
        };
        let names = ["a".into(), "b".into()].to_vec();
        let value = |(row, column): (usize, usize)| (row * (3 + column) % 7) as f64 - 3.0;
        let rows = ndarray::Array2::from_shape_fn((16, 2), value);
        let labels = (0..16).map(|row| row % 3 == 0).collect();
        let data = Dataset::new(rows, labels, names, classes).unwrap();

        let settings = Settings::new(8, 2)
            .circuit(Kind::SingleChain)
            .rounds(Rounds::Count(2));
        let options = PlannerOptions::new()
            .log_n(8..=8)
            .security(Security::InsecureForTests)
            .threads(1);
        let (plan, _) = plan(&settings, 3, 16, &options).unwrap();
        let engine = CpuEngine::with_threads(1).unwrap();
        let (owner, evaluation) = DataOwner::generate(plan, engine.clone()).unwrap();
        let keys = KeyDirectory::new(file("keys")).allowing_insecure();
        keys.claim(Overwrite::Refuse)
            .unwrap()
            .save(&owner, &evaluation)
            .unwrap();
        let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
        let record = prepared.record().clone();
        let data_file = created(&file("data.arras"));
        keys.write_dataset(&owner, &prepared, data_file, |_| {})
            .unwrap();
        let plan = owner.plan();
        let server =
            TrainingServer::new(plan.clone(), evaluation, engine, Options::default()).unwrap();
        let round = |index| owner.encrypt_round(&prepared, index).unwrap();
        let state = server.train(&round(0), None).unwrap();
        save_result(plan, &state, created(&file("state-1.arras"))).unwrap();
        let start = owner.refresh(&record, &state).unwrap();
        save_state(plan, &start, created(&file("start-2.arras"))).unwrap();
        let trained = server.train(&round(1), Some(&start)).unwrap();
        save_result(plan, &trained, created(&file("model.arras"))).unwrap();
        let model = owner.decrypt_model(&record, &trained).unwrap();
        Self {
            folder,
            keys,
            owner,
            record,
            data,
            model,
        }
    }

    fn files(&self, names: &[&str]) -> Vec<Vec<u8>> {
        names
            .iter()
            .map(|name| fs::read(self.folder.path().join(name)).unwrap())
            .collect()
    }

    fn record(&self) -> PathBuf {
        self.keys.record_path(self.record.origin.dataset)
    }

    /// The input as a file.
    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("input");
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn read_plan(_: &Home, bytes: &[u8]) -> bool {
    let Ok(spec) = TrainingPlan::spec_from_toml(text(bytes)) else {
        return false;
    };
    let Ok(plan) = TrainingPlan::from_spec_allowing_insecure(spec) else {
        return false;
    };
    let again = TrainingPlan::spec_from_toml(&plan.to_toml().unwrap()).unwrap();
    assert_eq!(again, *plan.spec());
    true
}

/// The first byte says how the rest is read.
fn read_csv(_: &Home, bytes: &[u8]) -> bool {
    let Some((&how, text)) = bytes.split_first() else {
        return false;
    };
    let how = usize::from(how);
    let mut options = csv::Options::new(
        [
            ColumnId::Name("y".into()),
            ColumnId::Index(-1),
            ColumnId::Index(0),
        ][how % 3]
            .clone(),
    );
    options.header = [Header::Auto, Header::Present, Header::Absent][how / 3 % 3];
    options.delimiter = [None, Some(b','), Some(b';'), Some(b'\t')][how / 9 % 4];
    options.columns =
        [Columns::All, Columns::Without(vec![ColumnId::Index(0)])][how / 36 % 2].clone();
    let label = (how % 2 == 0).then_some(&options.label);
    let table = csv::read_table(
        text,
        options.header,
        options.delimiter,
        label,
        &options.columns,
    );
    if let Ok(table) = &table {
        assert!(table.rows() > 0 && table.features().iter().all(|x| x.is_finite()));
    }
    let Ok(data) = csv::read(text, &options) else {
        return table.is_ok();
    };
    assert_eq!(data.labels().len(), data.rows());
    true
}

fn csv_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "a,b,y\n1,2.5,yes\n-3e-4,0,no\n",
        "a;y\n\"1\";1\n2;0\n",
        "1\t2\t0\n3\t4\t1\n",
        "\u{feff}a, b ,y\r\n1, 2 ,0\r\n3,4,1\r\n",
    ];
    let ways = [0, 0, 1, 0];
    ways.iter()
        .zip(texts)
        .map(|(&way, text)| [&[way], text.as_bytes()].concat())
        .collect()
}

fn read_idx(home: &Home, bytes: &[u8]) -> bool {
    let path = home.file(bytes);
    if let Ok(images) = idx::read_images(&path) {
        assert_eq!(images.iter().len(), images.count());
        return true;
    }
    idx::read_labels(&path).is_ok()
}

fn idx_seeds() -> Vec<Vec<u8>> {
    let images = [
        &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..],
        &[7; 12],
    ]
    .concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 3, 8, 3];
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    vec![packed(&images), packed(&labels), images, labels]
}

/// Files of kinds 9 and 12, as they are and with all checksums put right.
fn read_training(home: &Home, bytes: &[u8]) -> bool {
    let taken = read_training_file(home, bytes);
    let mut right = bytes.to_vec();
    put_right(&mut right);
    read_training_file(home, &right) || taken
}

/// The checksums of containers that lie one after the other and of those within, as long as their lengths can be believed. A fuzzer does
/// not find a preimage: without this, hardly anything gets past them.
fn put_right(mut containers: &mut [u8]) {
    while let Ok(prefix) = peek(containers)
        && let Ok(len) = prefix.container_len()
        && len <= containers.len() as u64
    {
        let (first, rest) = std::mem::take(&mut containers).split_at_mut(len as usize);
        let start = PREFIX_LEN + prefix.header_len as usize;
        let end = first.len() - CHECKSUM_LEN;
        put_right(&mut first[start..end]);
        let checksum = *blake3::hash(&first[..end]).as_bytes();
        first[end..].copy_from_slice(&checksum);
        containers = rest;
    }
}

fn read_training_file(home: &Home, bytes: &[u8]) -> bool {
    let path = home.file(bytes);
    let (plan, keys) = (home.owner.plan(), home.owner.key_set_id());
    let whole = verify(&path).is_ok();
    let described = inspect(&path).is_ok();
    let mut taken = false;
    if let Ok(file) = DatasetFile::open(&path, plan, keys) {
        let rounds = (0..=plan.rounds().len()).filter(|&round| file.round(round).is_ok());
        taken |= rounds.count() == plan.rounds().len();
        assert_eq!(file.verify().is_ok(), whole);
    }
    if let Ok(result) = load_result(&path, plan, keys, home.owner.context()) {
        taken = true;
        // What a server forged is decrypted, too.
        if result.finished {
            let _ = home.owner.decrypt_model(&home.record, &result);
        } else {
            let _ = home.owner.refresh(&home.record, &result);
        }
    }
    taken |= load_state(&path, plan, keys).is_ok();
    assert!(!taken || described);
    taken
}

fn array_seeds(home: &Home) -> Vec<Vec<u8>> {
    let context = home.owner.context();
    let slots = context.params().slots();
    let layout = Layout::Slots { units: 1, slots };
    let client = home.owner.client();
    let seeded = client.encrypt(layout, vec![vec![0.5; slots]], 0).unwrap();
    let encrypted = seeded.expand(context).unwrap();
    vec![seeded.to_bytes().unwrap(), encrypted.to_bytes().unwrap()]
}

fn read_array(home: &Home, bytes: &[u8]) -> bool {
    let context = home.owner.context();
    let read = |bytes: &[u8]| {
        let _ = wire::inspect(bytes);
        if let Ok(array) = SeededEncrypted::from_bytes(bytes, context.params()) {
            assert!(array.to_bytes().unwrap() == bytes);
            return true;
        }
        let Ok(array) = Encrypted::from_bytes(bytes, context) else {
            return false;
        };
        assert!(array.to_bytes().unwrap() == bytes);
        true
    };
    let taken = read(bytes);
    let mut right = bytes.to_vec();
    put_right(&mut right);
    read(&right) || taken
}

fn read_key_list(home: &Home, bytes: &[u8]) -> bool {
    let folder = home.keys.evaluation();
    fs::write(folder.join("keys.json"), bytes).unwrap();
    load_evaluation(&folder, true).is_ok()
}

fn read_owner(home: &Home, bytes: &[u8]) -> bool {
    fs::write(home.keys.secret().join("owner.json"), bytes).unwrap();
    home.keys.owner(CpuEngine::with_threads(1).unwrap()).is_ok()
}

fn read_record(home: &Home, bytes: &[u8]) -> bool {
    fs::write(home.record(), bytes).unwrap();
    let Ok(record) = home.keys.record(home.record.origin.dataset) else {
        return false;
    };
    // Its rows may be others: nothing that follows from it may panic.
    let result = load_result(
        &home.folder.path().join("model.arras"),
        home.owner.plan(),
        home.owner.key_set_id(),
        home.owner.context(),
    );
    let _ = home.owner.decrypt_model(&record, &result.unwrap());
    true
}

fn read_model(home: &Home, bytes: &[u8]) -> bool {
    let by_path = load_model(&home.file(bytes));
    let Ok(model) = Model::from_json(text(bytes)) else {
        assert!(by_path.is_err());
        return false;
    };
    assert_eq!(Model::from_json(&model.to_json().unwrap()).unwrap(), model);
    let _ = model.predict(&home.data);
    let _ = model.evaluate(&home.data);
    true
}

fn cost_seed(home: &Home) -> Vec<u8> {
    let table = CostTable::built_in(home.owner.plan().params(), 1).unwrap();
    table.to_json().unwrap().into()
}

fn read_costs(_: &Home, bytes: &[u8]) -> bool {
    let Ok(table) = CostTable::from_json(text(bytes)) else {
        return false;
    };
    let text = table.to_json().unwrap();
    let again = CostTable::from_json(&text).unwrap();
    assert_eq!(again.to_json().unwrap(), text);
    true
}
