//! Outputs: never replaced unasked, never half there.

use std::{fs::File, process::Command};

use crate::support::{Desk, Ran, finished};

#[test]
fn nothing_is_replaced_without_force() {
    let desk = Desk::with(
        finished(),
        &[
            "keys",
            "plan.toml",
            "data.arras",
            "result.arras",
            "model.json",
            "train.csv",
        ],
    );
    desk.write("there", "before");
    for verb in [
        "plan --data train.csv --label y --minibatch 16 --iterations 1 --circuit baseline --out there",
        "encrypt --keys keys --data train.csv --label y --out there",
        "train --eval-keys keys/eval --data data.arras --out there",
        "decrypt --keys keys --model result.arras --out there",
        "predict --model model.json --data train.csv --label y --out there",
        "demo --out there",
        "devices --engine reference --measure --out there",
    ] {
        // Before any work is done: this would take a while for some.
        desk.fails(verb, 5, &["there", "exists", "replace"]);
        assert_eq!(desk.read("there"), b"before");
    }
    desk.fails("keygen --plan plan.toml --out keys", 5, &["exists"]);
    desk.ok("decrypt --keys keys --model result.arras --out there --force");
    assert_eq!(desk.read("there"), desk.read("model.json"));
    desk.ok("keygen --plan plan.toml --out keys --force");
    desk.fails(
        "train --eval-keys keys/eval --data data.arras --out out.arras",
        4,
        &["key set"],
    );
}

#[test]
fn resume_takes_what_is_whole_and_right() {
    let desk = Desk::with(
        finished(),
        &["keys", "data.arras", "result.arras", "train.csv"],
    );
    let before = desk.read("data.arras");
    let said =
        desk.json("encrypt --keys keys --data train.csv --label y --out data.arras --resume");
    assert_eq!(said["resumed"], true);
    assert_eq!(desk.read("data.arras"), before);
    desk.write(
        "other.csv",
        String::from_utf8(desk.read("train.csv"))
            .unwrap()
            .replace("-0.5,", "-0.75,"),
    );
    desk.fails(
        "encrypt --keys keys --data other.csv --label y --out data.arras --resume",
        4,
        &["data.arras", "other rows"],
    );
    let said =
        desk.json("train --eval-keys keys/eval --data data.arras --out result.arras --resume");
    assert_eq!(said["resumed"], true);
    desk.fails(
        "train --eval-keys keys/eval --data data.arras --out data.arras --resume",
        4,
        &["data.arras", "not the result"],
    );
    // With nothing there it is an ordinary run.
    let said = desk.json("train --eval-keys keys/eval --data data.arras --out new.arras --resume");
    assert_eq!(said["resumed"], false);
}

#[test]
fn two_processes_do_not_write_one_output() {
    let desk = Desk::with(finished(), &["keys", "result.arras"]);
    let lock = File::create(desk.path(".out.json.lock")).unwrap();
    lock.lock().unwrap();
    let left = ".out.json.abc123.partial";
    desk.write(left, "what a killed process left");
    let verb = "decrypt --keys keys --model result.arras --out out.json";
    desk.fails(verb, 5, &["out.json", "another process is writing"]);
    assert!(desk.path(left).exists() && !desk.path("out.json").exists());
    drop(lock);
    desk.ok(verb);
    assert!(!desk.path(".out.json.lock").exists() && !desk.path(left).exists());
}

/// Runs a verb in a shell with a limit on the size of files, in blocks of 512 or 1024 bytes.
#[cfg(unix)]
fn limited(desk: &Desk, verb: &str, blocks: u32) -> Ran {
    let binary = env!("CARGO_BIN_EXE_lr-train");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {binary} {verb}");
    Command::new("sh")
        .args(["-c", &script])
        .current_dir(desk.root())
        .output()
        .unwrap()
        .into()
}

#[cfg(unix)]
#[test]
fn a_full_disk_damages_nothing() {
    let desk = Desk::with(
        finished(),
        &[
            "keys",
            "plan.toml",
            "data.arras",
            "result.arras",
            "train.csv",
        ],
    );
    let encrypt = "encrypt --keys keys --data train.csv --label y --out out";
    let train = "train --eval-keys keys/eval --data data.arras --out out";
    let decrypt = "decrypt --keys keys --model result.arras --out out";
    let keygen = "keygen --plan plan.toml --out new";
    // With no room at all, and with room for the beginning of a file.
    for (verb, blocks, out) in [
        (encrypt, 0, "out"),
        (encrypt, 40, "out"),
        (train, 0, "out"),
        (train, 40, "out"),
        (decrypt, 0, "out"),
        (keygen, 0, "new/secret/owner.json"),
        (keygen, 40, "new/secret/owner.json"),
    ] {
        let ran = limited(&desk, verb, blocks);
        let said = format!("{verb}, {blocks} blocks: {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, Some(5), "{said}");
        assert!(!desk.path(out).exists(), "{said}");
        let left = desk.listing(".");
        assert!(
            left.iter()
                .all(|name| !name.ends_with(".partial") && !name.ends_with(".lock")),
            "{said}: {left:?}"
        );
    }
    // There is room again.
    desk.ok("keygen --plan plan.toml --out new");
    desk.ok("encrypt --keys keys --data train.csv --label y --out out");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_a_failure() {
    let desk = Desk::with(finished(), &["model.json", "train.csv"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ran: Ran = desk
        .command("predict --model model.json --data train.csv --label y")
        .stdout(full)
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("standard output"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn private_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let desk = finished();
    let mode = |name: &str| desk.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("keys/secret"), 0o700);
    assert_eq!(mode("keys/secret/secret-key.arras"), 0o600);
    assert_eq!(mode("model.json"), 0o600);
}
