//! Makes the files of the corpus anew.

mod models;
mod scoring;

use std::{fs, io::Write, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    params::Security,
    wire::{AtomicFile, Overwrite},
};
use arras_toolkit::{Layout, cost::CostTable, run::Options};
use lr_train::{
    circuits::Kind,
    data::{Classes, Dataset},
    preprocess::Scheme,
    trainer::{
        DataOwner, PlannerOptions, Rounds, Settings, TrainingServer,
        files::{
            Expected, KeyDirectory, costs_text, load_result, save_model, save_result, save_state,
        },
        plan,
    },
};

fn created(path: &Path) -> AtomicFile {
    AtomicFile::create(path, Overwrite::Refuse).unwrap()
}

/// Plans without security on one ring.
fn toy(log_n: u32) -> PlannerOptions {
    let options = PlannerOptions::new().log_n(log_n..=log_n).threads(1);
    options.security(Security::InsecureForTests)
}

/// Name in the corpus and content of the files of an exchange of two rounds at a toy size, and of tables of costs, images and texts.
pub(crate) fn exchange() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let classes = Classes {
        negative: "no".into(),
        positive: "yes".into(),
    };
    let names = ["a".into(), "b".into()].to_vec();
    let value = |(row, column): (usize, usize)| (row * (3 + column) % 7) as f64 - 3.0;
    let rows = ndarray::Array2::from_shape_fn((8, 2), value);
    let labels = (0..8).map(|row| row % 3 == 0).collect();
    let data = Dataset::new(rows, labels, names, classes).unwrap();

    let settings = Settings::new(4, 2)
        .circuit(Kind::SingleChain)
        .rounds(Rounds::Count(2));
    let (plan, _) = plan(&settings, 3, 8, &toy(6)).unwrap();
    let engine = CpuEngine::with_threads(1).unwrap();
    let (owner, evaluation) = DataOwner::generate(plan, engine.clone()).unwrap();
    let keys = KeyDirectory::new(file("keys")).allowing_insecure();
    let claimed = keys.claim(Overwrite::Refuse).unwrap();
    claimed.save(&owner, &evaluation).unwrap();
    let prepared = owner.prepare(&data, Scheme::MaxAbs).unwrap();
    let dataset = prepared.record().origin.dataset;
    let plan = owner.plan();
    let written = keys.write_dataset(&owner, &prepared, created(&file("data.arras")), |_| {});
    written.unwrap();
    let server = TrainingServer::new(plan.clone(), evaluation, engine, Options::default()).unwrap();
    let round = |index| owner.encrypt_round(&prepared, index).unwrap();
    let state = server.train(&round(0), None).unwrap();
    save_result(plan, &state, created(&file("state-1.arras"))).unwrap();
    let (path, id) = (file("state-1.arras"), owner.key_set_id());
    let result = load_result(&path, plan, id, owner.context()).unwrap();
    // As the exchange keeps it after the first result.
    let taken = keys.take_result(&owner, &result, Expected::default());
    let (record, _) = taken.unwrap();
    let start = owner.refresh(&record, &state).unwrap();
    save_state(plan, &start, created(&file("start-2.arras"))).unwrap();
    let trained = server.train(&round(1), Some(&start)).unwrap();
    save_result(plan, &trained, created(&file("result.arras"))).unwrap();
    let mut model = owner.decrypt_model(&record, &trained).unwrap();
    model.calibrate(&data).unwrap();
    save_model(&model, created(&file("model.json"))).unwrap();

    let from_folder = [
        ("plan/plan.toml", file("keys/eval/plan.toml")),
        ("keys/keys.json", file("keys/eval/keys.json")),
        (
            "evaluation/evaluation-keys.arras",
            file("keys/eval/evaluation-keys.arras"),
        ),
        ("owner/owner.json", file("keys/secret/owner.json")),
        (
            "secret/secret-key.arras",
            file("keys/secret/secret-key.arras"),
        ),
        ("record/record.json", keys.record_path(dataset)),
        ("exchange/exchange.json", keys.exchange_path(dataset)),
        ("training/data.arras", file("data.arras")),
        ("training/state-1.arras", file("state-1.arras")),
        ("training/start-2.arras", file("start-2.arras")),
        ("training/result.arras", file("result.arras")),
        ("model/model.json", file("model.json")),
    ];
    let mut files: Vec<(String, Vec<u8>)> = from_folder
        .into_iter()
        .map(|(name, path)| (name.to_owned(), fs::read(path).unwrap()))
        .collect();

    let slots = plan.params().slots();
    let layout = Layout::Slots { units: 1, slots };
    let client = owner.client();
    let seeded = client.encrypt(layout, vec![vec![0.5; slots]], 0).unwrap();
    let encrypted = seeded.expand(owner.context()).unwrap();
    let table = CostTable::built_in(plan.params(), 1).unwrap();
    let costs = |name| {
        let text = costs_text(Path::new(name), std::slice::from_ref(&table));
        (format!("costs/{name}"), text.unwrap().into_bytes())
    };
    files.extend([
        ("arrays/seeded.arras".to_owned(), seeded.to_bytes().unwrap()),
        (
            "arrays/encrypted.arras".to_owned(),
            encrypted.to_bytes().unwrap(),
        ),
        costs("costs.toml"),
        costs("costs.json"),
    ]);
    files.extend(models::files(plan));
    files.extend(scoring::files(folder.path()));
    files.extend(images());
    files.extend(tables());
    files
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn images() -> [(String, Vec<u8>); 4] {
    let head = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    let images = [&head[..], &[7; 12]].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 3, 8, 3];
    [
        ("idx/images.gz".to_owned(), packed(&images)),
        ("idx/labels.gz".to_owned(), packed(&labels)),
        ("idx/images".to_owned(), images),
        ("idx/labels".to_owned(), labels),
    ]
}

/// The first two bytes are ways of reading.
fn tables() -> impl Iterator<Item = (String, Vec<u8>)> {
    let comma = "a,b,y\n1,2.5,yes\n-3e-4,0,no\n";
    let texts = [
        ("comma", [0, 0], comma),
        ("semicolon", [0, 0], "a;y\n\"1\";1\n2;0\n"),
        ("tab", [1, 0], "1\t2\t0\n3\t4\t1\n"),
        ("mark", [0, 0], "\u{feff}a, b ,y\r\n1, 2 ,0\r\n3,4,1\r\n"),
        ("chosen", [0, 13], comma),
        ("without", [3, 7], "y,c,a\nno,2.5,7\nmaybe,0,8\nyes,1,9\n"),
        ("spaces", [36, 0], "a b y\n1  2 no\n3 4 yes\n"),
        ("bars", [45, 0], "a|b|y\n1|2|no\n3|4|yes\n"),
        ("decimals", [0, 16], "a;b;y\n1,5;2;no\n2;3,5;yes\n"),
    ];
    let plain = texts.map(|(name, how, text)| (name, how, text.as_bytes().to_vec()));
    let compressed = ("compressed", [0, 0], packed(comma.as_bytes()));
    let all = plain.into_iter().chain([compressed]);
    all.map(|(name, how, text)| (format!("csv/{name}"), [&how[..], &text].concat()))
}
