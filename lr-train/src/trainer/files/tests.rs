//! Files: round trips, damage, mix-ups, full disks.

mod disk;
mod format;

use std::path::{Path, PathBuf};

use arras_backend_cpu::CpuEngine;
use arras_ckks::wire::{AtomicFile, Overwrite, PREFIX_LEN, WireError};
use tempfile::TempDir;

use super::*;
use crate::{
    TrainError,
    circuits::Kind,
    preprocess::Scheme,
    trainer::{
        DataOwner, ExchangeError, PreparedData, Rounds, Settings, TrainingPlan, TrainingServer,
        tests::{owner, server, small_plan, some_rows},
    },
};

const REFUSE: Overwrite = Overwrite::Refuse;

/// A new file.
fn created(path: &Path) -> AtomicFile {
    AtomicFile::create(path, REFUSE).unwrap()
}

/// An exchange in a folder.
struct Exchange {
    folder: TempDir,
    keys: KeyDirectory,
    plan: TrainingPlan,
    owner: DataOwner<CpuEngine>,
    data: PreparedData,
}

fn make_plan(iterations: usize) -> TrainingPlan {
    let settings = Settings::new(16, iterations)
        .circuit(Kind::SingleChain)
        .rounds(Rounds::Count(2));
    small_plan(&settings, &some_rows(60))
}

impl Exchange {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = make_plan(2);
        let (owner, evaluation) = owner(&plan);
        let keys = KeyDirectory::new(folder.path().join("keys")).allowing_insecure();
        keys.claim(REFUSE)
            .unwrap()
            .save(&owner, &evaluation)
            .unwrap();
        let data = owner.prepare(&some_rows(60), Scheme::MaxAbs).unwrap();
        keys.save_record(data.record()).unwrap();
        Self {
            folder,
            keys,
            plan,
            owner,
            data,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_data(&self) -> PathBuf {
        let path = self.path("data.arras");
        write_dataset(&self.owner, &self.data, created(&path), |_| {}).unwrap();
        path
    }

    fn server(&self) -> TrainingServer<CpuEngine> {
        let (plan, keys) = load_evaluation(&self.keys.evaluation(), true).unwrap();
        server(&plan, keys)
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_whole_exchange_through_files() {
    let exchange = Exchange::new();
    let data = exchange.path("data.arras");
    let mut seen = vec![];
    let bytes = write_dataset(&exchange.owner, &exchange.data, created(&data), |p| {
        seen.push(p);
    })
    .unwrap();
    assert_eq!(bytes, std::fs::metadata(&data).unwrap().len());
    assert_eq!(bytes, dataset_file_bytes(&exchange.plan).unwrap());
    assert_eq!(seen.last().map(|p| p.done), seen.first().map(|p| p.total));
    let again = AtomicFile::create(&data, REFUSE);
    assert!(matches!(again, Err(WireError::AlreadyExists { .. })));

    // The server has its folder and the data only.
    std::fs::rename(exchange.keys.secret(), exchange.path("elsewhere")).unwrap();
    let server = exchange.server();
    let file = DatasetFile::open(&data, server.plan(), server.key_set_id()).unwrap();
    file.verify().unwrap();
    let result = server.train(&file.round(0).unwrap(), None).unwrap();
    let out = exchange.path("out.arras");
    save_result(server.plan(), &result, created(&out)).unwrap();
    let summary = inspect(&out).unwrap();
    let expected = Holds::Round {
        round: 0,
        content: Content::State,
    };
    assert_eq!(summary.holds, expected);
    let rounds = exchange.plan.rounds().len();
    assert_eq!(inspect(&data).unwrap().holds, Holds::Dataset { rounds });
    assert_eq!(inspect(&data).unwrap().origin, file.origin());
    std::fs::rename(exchange.path("elsewhere"), exchange.keys.secret()).unwrap();

    // The client comes back with what is on its disk.
    let owner = exchange.keys.owner(CpuEngine::new()).unwrap();
    let back = load_result(&out, owner.plan(), owner.key_set_id(), owner.context()).unwrap();
    let record = exchange.keys.record(back.origin.dataset).unwrap();
    assert_eq!(&record, exchange.data.record());
    let state = owner.refresh(&record, &back).unwrap();
    let start = exchange.path("state.arras");
    save_state(owner.plan(), &state, created(&start)).unwrap();

    let state = load_state(&start, server.plan(), server.key_set_id()).unwrap();
    let result = server.train(&file.round(1).unwrap(), Some(&state)).unwrap();
    let out = exchange.path("model.arras");
    save_result(server.plan(), &result, created(&out)).unwrap();
    let back = load_result(&out, owner.plan(), owner.key_set_id(), owner.context()).unwrap();
    let model = owner.decrypt_model(&record, &back).unwrap();
    let path = exchange.path("model.json");
    save_model(&model, created(&path)).unwrap();
    assert_eq!(load_model(&path).unwrap(), model);
    assert!(model.evaluate(&some_rows(60)).unwrap().accuracy > 0.6);

    // Files of one kind in the place of another.
    let (plan, keys) = (&exchange.plan, owner.key_set_id());
    for error in [
        load_state(&out, plan, keys).unwrap_err(),
        load_state(&data, plan, keys).unwrap_err(),
        load_result(&start, plan, keys, owner.context()).unwrap_err(),
        DatasetFile::open(&out, plan, keys).unwrap_err(),
        DatasetFile::open(&path, plan, keys).unwrap_err(),
        DatasetFile::open(exchange.path("absent"), plan, keys).unwrap_err(),
        load_model(&out).unwrap_err(),
        inspect(&path).unwrap_err(),
    ] {
        let text = error.to_string();
        println!("{text}");
        assert!(
            text.contains(&*exchange.folder.path().to_string_lossy()),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn secret_files_are_their_owner_s_only() {
    use std::os::unix::fs::PermissionsExt;
    let exchange = Exchange::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let secret = exchange.keys.secret();
    assert_eq!(mode(&secret), 0o700);
    assert_eq!(mode(&secret.join("datasets")), 0o700);
    let record = exchange
        .keys
        .record_path(exchange.data.record().origin.dataset);
    for file in [
        secret.join("secret-key.arras"),
        secret.join("owner.json"),
        secret.join("plan.toml"),
        record,
    ] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

/// Reading fails for a file that is cut short at these lengths, goes on, or has a bit flipped in one of these bytes; errors name it.
fn refuses_damage(
    path: &Path,
    lengths: impl IntoIterator<Item = usize>,
    bytes: impl IntoIterator<Item = usize>,
    read: &dyn Fn() -> crate::Result<()>,
) {
    read().unwrap();
    let good = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let refused = |bytes: &[u8], what: String| {
        std::fs::write(path, bytes).unwrap();
        let error = read().expect_err(&what).to_string();
        assert!(error.contains(name), "{what}: {error}");
    };
    for length in lengths {
        refused(&good[..length], format!("length {length}"));
    }
    refused(&[&good[..], b"x"].concat(), "one byte more".to_owned());
    for at in bytes {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        refused(&bad, format!("bit {} of byte {at}", at % 8));
    }
}

#[test]
fn damaged_data_is_never_trained_on() {
    let exchange = Exchange::new();
    let path = exchange.write_data();
    let (plan, keys) = (&exchange.plan, exchange.owner.key_set_id());
    let all = std::fs::metadata(&path).unwrap().len() as usize;
    let lengths = [0, 7, 27, 28, 500, all / 2, all - 33, all - 1];
    // In prefix, header, payload and checksum.
    let bytes = (0..60).chain((60..all).step_by(all / 97)).chain([all - 1]);
    refuses_damage(&path, lengths, bytes, &|| {
        let file = DatasetFile::open(&path, plan, keys)?;
        file.round(0)?;
        file.round(1)?;
        file.verify()
    });
}

#[test]
fn damaged_results_and_states_are_never_read() {
    let exchange = Exchange::new();
    let (plan, owner) = (&exchange.plan, &exchange.owner);
    let sent = owner.encrypt_round(&exchange.data, 0).unwrap();
    let result = exchange.server().train(&sent, None).unwrap();
    let state = owner.refresh(exchange.data.record(), &result).unwrap();
    let (out, start) = (exchange.path("out.arras"), exchange.path("state.arras"));
    save_result(plan, &result, created(&out)).unwrap();
    save_state(plan, &state, created(&start)).unwrap();
    let keys = owner.key_set_id();
    let result = || load_result(&out, plan, keys, owner.context()).map(|_| ());
    let state = || load_state(&start, plan, keys).map(|_| ());
    type Read<'a> = &'a dyn Fn() -> crate::Result<()>;
    let readers: [(&Path, Read<'_>); 2] = [(&out, &result), (&start, &state)];
    for (path, read) in readers {
        let all = std::fs::metadata(path).unwrap().len() as usize;
        let lengths = [0, 27, 300, all / 2, all - 1];
        refuses_damage(path, lengths, (0..all).step_by(all / 61), read);
    }
}

#[test]
fn files_of_other_parameters_and_keys_are_told_apart() {
    let exchange = Exchange::new();
    let path = exchange.write_data();
    let keys = exchange.owner.key_set_id();
    let (stranger, _) = owner(&exchange.plan);
    let other_plan = make_plan(4);
    let cases = [
        (&exchange.plan, stranger.key_set_id(), "key set"),
        (&other_plan, keys, "parameter set"),
    ];
    for (plan, keys, what) in cases {
        let error = DatasetFile::open(&path, plan, keys).unwrap_err();
        let TrainError::InFile { error, .. } = error else {
            panic!("{error}");
        };
        assert!(
            matches!(*error, TrainError::Exchange(ExchangeError::Mismatch { what: w, .. }) if w == what),
            "{error}"
        );
    }
    let evaluation = exchange.keys.evaluation();
    std::fs::write(evaluation.join("plan.toml"), other_plan.to_toml().unwrap()).unwrap();
    assert!(load_evaluation(&evaluation, true).is_err());
    std::fs::write(
        exchange.keys.secret().join("plan.toml"),
        other_plan.to_toml().unwrap(),
    )
    .unwrap();
    let error = exchange.keys.owner(CpuEngine::new()).unwrap_err();
    assert!(error.to_string().contains("plan.toml"), "{error}");
    let unknown = crate::trainer::DatasetId::from_bytes([7; 16]);
    assert!(exchange.keys.record(unknown).is_err());
}

/// A file of an earlier layout is refused by its version, whatever else is in its header, and told how it is made.
#[test]
fn older_files_are_refused_by_their_version() {
    let exchange = Exchange::new();
    let path = exchange.write_data();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[PREFIX_LEN] = 1;
    // Another header than today's, as an older version has.
    bytes[PREFIX_LEN + 1] = 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let keys = exchange.owner.key_set_id();
    for error in [
        DatasetFile::open(&path, &exchange.plan, keys).unwrap_err(),
        inspect(&path).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            text.contains("has version 1") && text.contains("lr-train encrypt"),
            "{text}"
        );
    }
}

#[test]
fn plans_without_security_are_refused_unless_asked_for() {
    let exchange = Exchange::new();
    assert!(load_evaluation(&exchange.keys.evaluation(), false).is_err());
    let strict = KeyDirectory::new(exchange.path("keys"));
    let error = strict.owner(CpuEngine::new()).unwrap_err().to_string();
    assert!(error.contains("plan.toml"), "{error}");
}

#[test]
fn keys_are_complete_or_replaced() {
    let exchange = Exchange::new();
    let (owner, keys) = owner(&exchange.plan);
    assert!(matches!(
        exchange.keys.claim(REFUSE),
        Err(TrainError::Wire(WireError::AlreadyExists { .. }))
    ));
    // As an interrupted call leaves it.
    std::fs::remove_file(exchange.keys.secret().join("owner.json")).unwrap();
    assert!(exchange.keys.owner(CpuEngine::new()).is_err());
    let claim = exchange.keys.claim(REFUSE).unwrap();
    assert!(matches!(
        exchange.keys.claim(Overwrite::Replace),
        Err(TrainError::Wire(WireError::Busy { .. }))
    ));
    claim.save(&owner, &keys).unwrap();
    assert_eq!(
        exchange.keys.owner(CpuEngine::new()).unwrap().key_set_id(),
        owner.key_set_id()
    );
    assert_eq!(exchange.server().key_set_id(), owner.key_set_id());
}
