//! Outputs: never replaced unasked, never half there.

use std::{fs::File, process::Command};

use crate::support::{DECRYPT, Desk, ENCRYPT, Ran, TRAIN, finished};

#[test]
fn nothing_is_replaced_without_force() {
    let desk = finished().copy_of("keys plan.toml data.arras result.arras model.json train.csv");
    desk.write("there", "before");
    for verb in [
        "plan --data train.csv --label y --settings fixed --minibatch 16 --iterations 1 --circuit baseline --out there",
        "encrypt --keys keys --data train.csv --label y --out there",
        "train --eval-keys keys/eval --data data.arras --out there",
        "decrypt --keys keys --result result.arras --out there",
        "predict --model model.json --data train.csv --label y --out there",
        "demo --out there",
        "devices --engine reference --measure --out there",
    ] {
        // Before any work is done: this would take a while for some.
        desk.fails(verb, 5, "there | exists | replace");
        assert_eq!(desk.read("there"), b"before");
    }
    desk.fails("keygen --plan plan.toml --out keys", 5, "exists");
    desk.ok("decrypt --keys keys --result result.arras --out there --force");
    assert_eq!(desk.read("there"), desk.read("model.json"));
    desk.ok("keygen --plan plan.toml --out keys --force");
    desk.fails(TRAIN, 4, "key set");
}

#[test]
fn resume_takes_what_is_whole_and_right() {
    let desk = finished().copy_of("keys data.arras result.arras train.csv");
    let before = desk.read("data.arras");
    desk.write(
        "other.csv",
        desk.text("train.csv").replace("-0.5,", "-0.75,"),
    );
    // Ranges, names, classes and the number of rows stay: labels alone differ, and the order of rows.
    let text = desk.text("train.csv");
    let flipped = text
        .replace("yes", "?")
        .replace("no", "yes")
        .replace('?', "no");
    desk.write("flipped.csv", flipped);
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    desk.write("reversed.csv", lines.join("\n"));
    for (verb, resumed) in [
        (
            "encrypt --keys keys --data train.csv --label y --out data.arras --resume",
            true,
        ),
        (
            "train --eval-keys keys/eval --data data.arras --out result.arras --resume",
            true,
        ),
        // With nothing there it is an ordinary run.
        (
            "train --eval-keys keys/eval --data data.arras --out new.arras --resume",
            false,
        ),
    ] {
        assert_eq!(desk.json(verb)["resumed"], resumed, "{verb}");
        assert_eq!(desk.read("data.arras"), before);
    }
    desk.refuses(
        "
        4 | encrypt --keys keys --data other.csv --label y --out data.arras --resume | data.arras | other rows
        4 | encrypt --keys keys --data flipped.csv --label y --out data.arras --resume | data.arras | other rows | --force
        4 | encrypt --keys keys --data reversed.csv --label y --out data.arras --resume | data.arras | other rows
        4 | train --eval-keys keys/eval --data data.arras --out data.arras --resume | data.arras | not the result
        ",
    );

    // Every byte of what is there is read, not its header alone.
    let whole = desk.read("result.arras");
    let (mut flipped, mut zeroed) = (whole.clone(), whole.clone());
    flipped[whole.len() / 2] ^= 1;
    zeroed[whole.len() / 4..].fill(0);
    for wrong in [flipped, zeroed, desk.read("data.arras")] {
        desk.write("result.arras", &wrong);
        desk.refuses("4 | train --eval-keys keys/eval --data data.arras --out result.arras --resume | result.arras");
        assert_eq!(desk.read("result.arras"), wrong);
    }
}

#[test]
fn two_processes_do_not_write_one_output() {
    let desk = finished().copy_of("keys result.arras");
    let lock = File::create(desk.path(".out.json.lock")).unwrap();
    lock.lock().unwrap();
    let left = ".out.json.abc123.partial";
    desk.write(left, "what a killed process left");
    desk.fails(DECRYPT, 5, "out.json | another process is writing");
    assert!(desk.path(left).exists() && !desk.path("out.json").exists());
    drop(lock);
    desk.ok(DECRYPT);
    assert!(!desk.path(".out.json.lock").exists() && !desk.path(left).exists());
}

/// Runs a verb in a shell with a limit on the size of files, in blocks of 512 or 1024 bytes.
#[cfg(unix)]
fn limited(desk: &Desk, verb: &str, blocks: u32) -> Ran {
    let binary = env!("CARGO_BIN_EXE_lr-train");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {binary} {verb}");
    let mut shell = Command::new("sh");
    Ran::of(shell.args(["-c", &script]).current_dir(desk.root()))
}

#[cfg(unix)]
#[test]
fn a_full_disk_damages_nothing() {
    const KEYGEN: &str = "keygen --plan plan.toml --out new";
    let desk = finished().copy_of("keys plan.toml data.arras result.arras train.csv");
    // With no room at all, and with room for the beginning of a file.
    for (verb, blocks, out) in [
        (ENCRYPT, 0, "out.arras"),
        (ENCRYPT, 40, "out.arras"),
        (TRAIN, 0, "out.arras"),
        (TRAIN, 40, "out.arras"),
        (DECRYPT, 0, "out.json"),
        (KEYGEN, 0, "new/secret/owner.json"),
        (KEYGEN, 40, "new/secret/owner.json"),
    ] {
        let ran = limited(&desk, verb, blocks).ends_with(5);
        assert!(!desk.path(out).exists(), "{ran}");
        let left = desk.listing(".");
        let is_hidden = |name: &String| name.ends_with(".partial") || name.ends_with(".lock");
        assert!(!left.iter().any(is_hidden), "{ran}: {left:?}");
    }
    // There is room again.
    desk.ok(KEYGEN);
    desk.ok(ENCRYPT);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_a_failure() {
    let desk = finished().copy_of("model.json train.csv");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut predict = desk.command("predict --model model.json --data train.csv --label y");
    Ran::of(predict.stdout(full))
        .ends_with(5)
        .notes("standard output");
}

#[cfg(unix)]
#[test]
fn private_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let desk = finished();
    let of = |desk: &Desk, name: &str| desk.path(name).metadata().unwrap().permissions().mode();
    let mode = |name: &str| of(desk, name) & 0o777;
    assert_eq!(mode("keys/secret"), 0o700);
    assert_eq!(mode("keys/secret/secret-key.arras"), 0o600);
    assert_eq!(mode("model.json"), 0o600);
    let copy = desk.copy_of("model.json train.csv");
    copy.ok("predict --model model.json --data train.csv --label y --out predictions.csv");
    assert_eq!(of(&copy, "predictions.csv") & 0o777, 0o600);
}
