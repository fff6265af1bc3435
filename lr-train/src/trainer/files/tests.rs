//! Files: round trips, damage, mix-ups, full disks.

mod format;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use arras_backend_cpu::CpuEngine;
use arras_ckks::wire::{AtomicFile, Overwrite, PREFIX_LEN, WireError};
use arras_toolkit::run::Options;
use tempfile::TempDir;

use super::*;
use crate::{
    TrainError,
    circuits::Kind,
    preprocess::Scheme,
    trainer::ExchangeError,
    trainer::{
        DataOwner, PreparedData, Rounds, Settings, TrainingPlan, TrainingServer, plan,
        tests::{features_of, insecure, some_rows},
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
    let data = some_rows(60);
    let settings = Settings::new(16, iterations)
        .circuit(Kind::SingleChain)
        .rounds(Rounds::Count(2));
    plan(&settings, features_of(&data), 60, &insecure(11))
        .unwrap()
        .0
}

impl Exchange {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = make_plan(2);
        let (owner, evaluation) = DataOwner::generate(plan.clone(), CpuEngine::new()).unwrap();
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
        TrainingServer::new(plan, keys, CpuEngine::new(), Options::default()).unwrap()
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

#[test]
fn damaged_data_is_never_trained_on() {
    let exchange = Exchange::new();
    let path = exchange.write_data();
    let good = std::fs::read(&path).unwrap();
    let (plan, keys) = (&exchange.plan, exchange.owner.key_set_id());
    let read = || -> crate::Result<()> {
        let file = DatasetFile::open(&path, plan, keys)?;
        file.round(0)?;
        file.round(1)?;
        file.verify()
    };
    read().unwrap();
    for length in [
        0,
        7,
        27,
        28,
        500,
        good.len() / 2,
        good.len() - 33,
        good.len() - 1,
    ] {
        std::fs::write(&path, &good[..length]).unwrap();
        let error = read().unwrap_err().to_string();
        assert!(error.contains("data.arras"), "{length}: {error}");
    }
    std::fs::write(&path, [&good[..], b"x"].concat()).unwrap();
    assert!(read().is_err());
    // A flipped bit: in prefix, header, payload and checksum.
    let step = good.len() / 97;
    for at in (0..60)
        .chain((60..good.len()).step_by(step))
        .chain([good.len() - 1])
    {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        assert!(read().is_err(), "bit {} of byte {at}", at % 8);
    }
}

#[test]
fn damaged_results_and_states_are_never_read() {
    let exchange = Exchange::new();
    let server = exchange.server();
    let sent = exchange.owner.encrypt_round(&exchange.data, 0).unwrap();
    let result = server.train(&sent, None).unwrap();
    let (out, start) = (exchange.path("out.arras"), exchange.path("state.arras"));
    save_result(&exchange.plan, &result, created(&out)).unwrap();
    let state = exchange
        .owner
        .refresh(exchange.data.record(), &result)
        .unwrap();
    save_state(&exchange.plan, &state, created(&start)).unwrap();
    let keys = exchange.owner.key_set_id();
    let result =
        |path: &Path| load_result(path, &exchange.plan, keys, exchange.owner.context()).map(|_| ());
    let state = |path: &Path| load_state(path, &exchange.plan, keys).map(|_| ());
    type Read<'a> = &'a dyn Fn(&Path) -> crate::Result<()>;
    let readers: [(&Path, Read<'_>); 2] = [(&out, &result), (&start, &state)];
    for (path, read) in readers {
        read(path).unwrap();
        let good = std::fs::read(path).unwrap();
        for length in [0, 27, 300, good.len() / 2, good.len() - 1] {
            std::fs::write(path, &good[..length]).unwrap();
            assert!(read(path).is_err(), "{length}");
        }
        for at in (0..good.len()).step_by(good.len() / 61) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(path, &bad).unwrap();
            assert!(read(path).is_err(), "{at}");
        }
    }
}

#[test]
fn files_of_other_parameters_and_keys_are_told_apart() {
    let exchange = Exchange::new();
    let path = exchange.write_data();
    let keys = exchange.owner.key_set_id();
    let (stranger, _) = DataOwner::generate(exchange.plan.clone(), CpuEngine::new()).unwrap();
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
    let (owner, keys) = DataOwner::generate(exchange.plan.clone(), CpuEngine::new()).unwrap();
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

/// A disk with room for this many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > self.0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_happens() {
    let exchange = Exchange::new();
    let bytes = dataset_file_bytes(&exchange.plan).unwrap() as usize;
    let write = |room| dataset::write_to(&exchange.owner, &exchange.data, &mut Full(room), |_| {});
    assert_eq!(write(bytes).unwrap(), bytes as u64);
    for room in [0, 10, 2000, bytes / 3, bytes - 1] {
        let error = write(room).unwrap_err();
        let full = matches!(&error, TrainError::Wire(WireError::Stream { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull);
        assert!(full, "{room}: {error}");
    }
}

/// Runs in a process of its own, under a limit on file sizes.
#[test]
#[ignore = "run by the test below"]
fn writes_under_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (owner, _) = DataOwner::generate(make_plan(2), CpuEngine::new()).unwrap();
    let data = owner.prepare(&some_rows(60), Scheme::MaxAbs).unwrap();
    let path = folder.path().join("data.arras");
    let error = write_dataset(&owner, &data, created(&path), |_| {}).unwrap_err();
    assert!(error.to_string().contains("data.arras"), "{error}");
    assert!(files_in(folder.path()).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_file_sizes_leaves_nothing_behind() {
    // 64 blocks are 32 or 64 KiB, by shell.
    assert!(dataset_file_bytes(&make_plan(2)).unwrap() > 1 << 16);
    let test = std::env::current_exe().unwrap();
    let command = format!(
        "trap '' XFSZ; ulimit -f 64; exec '{}' --ignored --exact trainer::files::tests::writes_under_a_limit",
        test.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &command])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
