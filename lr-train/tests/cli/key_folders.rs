//! Folders of keys: exchanged as a whole, closed to others, with nobody's links followed.

use std::{fs, thread};

use crate::support::{DECRYPT, Desk, ENCRYPT, Ran, TRAIN, finished};

const FORCE: &str = "keygen --plan plan.toml --out keys --force";

#[test]
fn new_keys_take_the_place_of_old_ones_as_a_whole() {
    let desk = finished().copy_of("keys plan.toml data.arras train.csv");
    let old = desk.read("keys/secret/owner.json");
    // What a call leaves that is killed, at the earliest and at the latest.
    for left in [".keys.abc123.partial", ".keys.abc124.partial/keys/secret"] {
        fs::create_dir_all(desk.path(left)).unwrap();
    }
    desk.write("keys/secret/datasets/.0.json.abc123.partial", "left");
    let ran = desk.ok(FORCE);
    ran.notes("removed | .keys.abc123.partial | .keys.abc124.partial");
    assert_ne!(desk.read("keys/secret/owner.json"), old);
    let left = desk.listing(".");
    let hidden = |name: &String| name.contains("/.") || name.starts_with('.');
    assert!(!left.iter().any(hidden), "{left:?}");
    // Records of the old keys are of no use.
    assert!(desk.listing("keys/secret/datasets").is_empty());
    desk.ok(ENCRYPT);
    desk.fails(TRAIN, 4, "key set");
}

#[test]
fn a_reader_sees_the_old_keys_or_the_new_ones() {
    let desk = finished().copy_of("keys plan.toml train.csv");
    thread::scope(|scope| {
        let keygen = scope.spawn(|| {
            for _ in 0..6 {
                desk.ok(FORCE);
            }
        });
        let mut round = 0;
        while !keygen.is_finished() || round == 0 {
            desk.ok(&format!(
                "encrypt --keys keys --data train.csv --label y --out data-{round}.arras"
            ));
            round += 1;
        }
    });
}

#[test]
fn what_keygen_did_not_make_stays() {
    let desk = finished().copy_of("keys plan.toml train.csv");
    for foreign in [
        "keys/notes.txt",
        "keys/secret/datasets/table.csv",
        "keys/eval/.profile",
    ] {
        desk.write(foreign, "mine");
        desk.fails(FORCE, 5, &format!("{foreign} | move it away"));
        assert_eq!(desk.read(foreign), b"mine");
        fs::remove_file(desk.path(foreign)).unwrap();
    }
    desk.ok(ENCRYPT);
}

#[test]
fn a_damaged_key_is_named_and_keys_are_those_of_the_plan() {
    let desk = finished().copy_of("keys data.arras");
    let file = "keys/eval/evaluation-keys.arras";
    let whole = desk.read(file);
    // Zeros in the last key, with a checksum that anybody can compute.
    let mut bytes = whole.clone();
    let end = bytes.len() - 32;
    bytes[end - 4096..end].fill(0);
    let checksum = *blake3::hash(&bytes[..end]).as_bytes();
    bytes[end..].copy_from_slice(&checksum);
    desk.write(file, &bytes);
    desk.fails(
        TRAIN,
        4,
        &format!("{file} | key for the rotation by | is damaged"),
    );
    desk.ok(&format!("inspect {file}"));
    desk.write(file, whole);

    let list = desk.text("keys/eval/keys.json");
    for (from, to, words) in [
        (
            "\"level\": ",
            "\"level\": 1",
            "evaluation-keys.arras | is damaged",
        ),
        (
            "\"version\": 1",
            "\"version\": 2",
            "version 2 | `lr-train keygen`",
        ),
        ("\"version\"", "\"unknown\": 1, \"version\"", "unknown"),
        ("blake3", "blake2", "keys.json"),
    ] {
        desk.write("keys/eval/keys.json", list.replacen(from, to, 1));
        desk.fails(TRAIN, 4, words);
    }
    fs::remove_file(desk.path("keys/eval/keys.json")).unwrap();
    desk.fails(TRAIN, 5, "keys.json");
}

#[test]
fn another_secret_key_is_refused_when_it_is_loaded() {
    let desk = finished().copy_of("keys plan.toml train.csv result.arras");
    desk.ok("keygen --plan plan.toml --out other");
    let secret = "keys/secret/secret-key.arras";
    desk.write(secret, desk.read("other/secret/secret-key.arras"));
    for verb in [ENCRYPT, DECRYPT] {
        desk.fails(verb, 4, "secret-key.arras | commitment | restore");
    }
    let owner = desk.text("keys/secret/owner.json");
    desk.write(
        "keys/secret/owner.json",
        owner.replace("\"version\": 2", "\"version\": 1"),
    );
    desk.fails(ENCRYPT, 4, "owner.json | version 1 | `lr-train keygen`");
}

#[cfg(unix)]
#[test]
fn records_are_kept_of_data_that_is_there() {
    const FULL: &str = "trap '' XFSZ; ulimit -f 40; exec";
    let desk = finished().copy_of("keys train.csv");
    let records = || desk.listing("keys/secret/datasets");
    let before = records();
    let mut shell = std::process::Command::new("sh");
    let script = format!("{FULL} {} {ENCRYPT}", env!("CARGO_BIN_EXE_lr-train"));
    let failed = Ran::of(shell.args(["-c", &script]).current_dir(desk.root()));
    failed.ends_with(5);
    assert_eq!(records(), before);
    // What a killed process leaves.
    let id = "00112233445566778899aabbccddeeff";
    let left = format!("keys/secret/datasets/.{id}.json.abc123.partial");
    desk.write(&left, "left");
    let lock = format!("keys/secret/datasets/.{id}.exchange.json.lock");
    desk.write(&lock, "");
    let [exchange, record] = &before[..] else {
        panic!("{before:?}");
    };
    assert!(exchange.ends_with(".exchange.json"));
    // A record that was written before the data, which never were.
    let orphan = format!("keys/secret/datasets/{id}.json");
    let (own, _) = record.rsplit('/').next().unwrap().split_once('.').unwrap();
    desk.write(&orphan, desk.text(record).replace(own, id));
    // One of which nothing can be said.
    let older = "keys/secret/datasets/ffeeddccbbaa99887766554433221100.json";
    desk.write(older, "{\"version\": 1}");
    desk.ok(ENCRYPT).notes(&format!(
        "removed | .{id}.json | .{id}.exchange.json | /{id}.json"
    ));
    assert!(!desk.path(&orphan).exists() && desk.path(older).exists());
    fs::remove_file(desk.path(older)).unwrap();
    assert_eq!(records().len(), before.len() + 2);
    let ran = desk.ok(&format!("{ENCRYPT} --force"));
    ran.notes("replaced | delete it");
}

#[cfg(unix)]
mod unix {
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt, symlink},
        process::Command,
    };

    use super::*;

    fn mode(desk: &Desk, name: &str) -> u32 {
        desk.path(name).metadata().unwrap().permissions().mode() & 0o777
    }

    fn set_mode(desk: &Desk, name: &str, mode: u32) {
        fs::set_permissions(desk.path(name), Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_secret_folder_is_closed_and_an_open_key_refused() {
        let desk = finished().copy_of("keys plan.toml train.csv result.arras");
        set_mode(&desk, "keys/secret", 0o777);
        set_mode(&desk, "keys/secret/datasets", 0o755);
        desk.ok(ENCRYPT);
        assert_eq!(mode(&desk, "keys/secret"), 0o700);
        assert_eq!(mode(&desk, "keys/secret/datasets"), 0o700);
        for open in [0o644, 0o640, 0o602, 0o601] {
            set_mode(&desk, "keys/secret/secret-key.arras", open);
            let words = format!("secret-key.arras | mode {open:03o} | `chmod 600 ");
            desk.fails(DECRYPT, 5, &words);
        }
        set_mode(&desk, "keys/secret/secret-key.arras", 0o600);
        desk.ok(DECRYPT);
        // New keys are closed whatever the old ones were; the folder around them keeps its mode.
        set_mode(&desk, "keys/secret", 0o777);
        set_mode(&desk, "keys", 0o711);
        desk.ok(FORCE);
        assert_eq!(mode(&desk, "keys/secret"), 0o700);
        assert_eq!(mode(&desk, "keys/secret/secret-key.arras"), 0o600);
        assert_eq!(mode(&desk, "keys"), 0o711);
    }

    /// A folder that came from somebody else, with links where outputs are made: none is followed, and what they lead to stays.
    #[test]
    fn nobody_s_links_are_followed() {
        const OUT: &str = "decrypt --keys keys --result result.arras --out received/model.json";
        let desk = finished().copy_of("keys plan.toml train.csv result.arras");
        let keys = desk.read("keys/secret/secret-key.arras");
        fs::create_dir(desk.path("received")).unwrap();
        desk.write("precious", "mine");
        let link = |to: &str, at: &str| symlink(desk.path(to), desk.path(at)).unwrap();
        link("keys/secret", "received/.model.json.partial");
        link("keys/secret", "received/.model.json.abc123.partial");
        link("keys/secret", "received/.folder.abc123.partial");
        fs::create_dir(desk.path("received/.other.partial")).unwrap();
        link("precious", "received/.other.partial/lock");
        link("precious", "received/.locked.lock");
        link("keys", "received/keys");
        desk.ok(OUT);
        desk.ok("decrypt --keys keys --result result.arras --out received/other");
        desk.ok("keygen --plan plan.toml --out received/folder");
        desk.refuses(
            "
            5 | decrypt --keys keys --result result.arras --out received/locked | .locked.lock
            5 | keygen --plan plan.toml --out received/locked | .locked.lock
            5 | keygen --plan plan.toml --out received/keys --force | received/keys
            ",
        );
        // In the place of an output a link is replaced itself.
        link("precious", "received/link.json");
        desk.ok("decrypt --keys keys --result result.arras --out received/link.json --force");
        // In a folder of keys it is not ours to remove.
        link("precious", "keys/secret/link.json");
        desk.fails(FORCE, 5, "link.json");
        assert_eq!(desk.read("keys/secret/secret-key.arras"), keys);
        assert_eq!(desk.read("precious"), b"mine");
    }

    #[test]
    fn pipes_in_the_place_of_files_keep_nobody_waiting() {
        let desk = finished().copy_of("keys plan.toml train.csv data.arras");
        for (file, verb) in [
            ("keys/secret/owner.json", ENCRYPT),
            ("keys/secret/plan.toml", ENCRYPT),
            ("keys/secret/secret-key.arras", ENCRYPT),
            ("keys/eval/plan.toml", TRAIN),
            ("keys/eval/keys.json", TRAIN),
            ("keys/eval/evaluation-keys.arras", TRAIN),
        ] {
            let whole = desk.read(file);
            fs::remove_file(desk.path(file)).unwrap();
            let made = Command::new("mkfifo").arg(desk.path(file)).status();
            assert!(made.unwrap().success());
            desk.fails(verb, 5, &format!("{file} | no file"));
            desk.fails(FORCE, 5, file);
            fs::remove_file(desk.path(file)).unwrap();
            desk.write(file, whole);
            set_mode(&desk, file, 0o600);
        }
    }

    /// Where the process is root it can make files of another user.
    #[test]
    fn another_user_s_leftovers_stay() {
        let desk = finished().copy_of("plan.toml");
        let left = ".new.abc123.partial";
        fs::create_dir(desk.path(left)).unwrap();
        if std::os::unix::fs::chown(desk.path(left), Some(65534), None).is_err() {
            eprintln!("SKIPPED: only root can give a folder away");
            return;
        }
        desk.ok("keygen --plan plan.toml --out new");
        assert!(desk.path(left).exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_crash_leaves_no_image_of_the_keys() {
        let keygen = "keygen --plan plan.toml --out new";
        for (verb, out) in [
            (keygen, "new"),
            (ENCRYPT, "out.arras"),
            (DECRYPT, "out.json"),
        ] {
            leaves_no_image(verb, out);
        }
    }

    #[cfg(target_os = "linux")]
    fn leaves_no_image(verb: &str, out: &str) {
        let desk = finished().copy_of("keys plan.toml train.csv result.arras");
        let mut limits = String::new();
        // Until the process has got as far as that.
        for _ in 0..200 {
            let mut child = desk.command(verb).spawn().unwrap();
            let path = format!("/proc/{}/limits", child.id());
            while child.try_wait().unwrap().is_none() {
                limits = fs::read_to_string(&path).unwrap_or_default();
                if is_zero(&limits) {
                    break;
                }
            }
            child.wait().unwrap();
            if is_zero(&limits) {
                return;
            }
            let out = desk.path(out);
            if out.is_dir() {
                fs::remove_dir_all(out).unwrap();
            } else {
                fs::remove_file(out).unwrap();
            }
        }
        panic!("{verb}: {limits}");
    }

    #[cfg(target_os = "linux")]
    fn is_zero(limits: &str) -> bool {
        let mut lines = limits.lines();
        let line = lines.find(|line| line.starts_with("Max core file size"));
        line.is_some_and(|line| line.split_whitespace().filter(|w| *w == "0").count() == 2)
    }
}
