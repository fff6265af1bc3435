//! Files that are damaged, or of another exchange.

use std::fs;

use crate::support::{DECRYPT, ENCRYPT, TRAIN, finished, prepared};

/// A verb refuses a file that was cut in half, that is empty, and that has a byte changed in its middle.
#[track_caller]
fn damaged(file: &str, verb: &str) {
    let desk = finished().copy_of("keys data.arras result.arras model.json train.csv");
    let whole = desk.read(file);
    let name = file.rsplit('/').next().unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x10;
    let before = desk.listing(".");
    for wrong in [
        &whole[..whole.len() / 2],
        &[],
        b"not what it should be, but long enough for any header there may be",
        &flipped,
    ] {
        desk.write(file, wrong);
        desk.fails(verb, 4, name);
        assert_eq!(desk.listing("."), before);
    }
    desk.write(file, &whole);
    desk.ok(verb);
}

#[test]
fn damaged_data() {
    damaged("data.arras", TRAIN);
}

#[test]
fn damaged_evaluation_keys() {
    damaged("keys/eval/evaluation-keys.arras", TRAIN);
}

#[test]
fn damaged_results() {
    damaged("result.arras", DECRYPT);
}

#[test]
fn damaged_secret_key() {
    damaged("keys/secret/secret-key.arras", DECRYPT);
}

#[test]
fn damaged_containers_are_found_by_inspect() {
    damaged("data.arras", "inspect data.arras");
}

#[test]
fn damaged_texts() {
    const KEYGEN: &str = "keygen --plan plan.toml --out other";
    const EVALUATE: &str = "evaluate --model model.json --data train.csv --label y";
    let desk = finished().copy_of("keys model.json plan.toml train.csv");
    for (file, verb) in [
        ("model.json", EVALUATE),
        ("plan.toml", KEYGEN),
        ("keys/secret/owner.json", ENCRYPT),
    ] {
        let whole = desk.read(file);
        for wrong in [&whole[..whole.len() / 2], &[], b"\xff\xfe"] {
            desk.write(file, wrong);
            desk.fails(verb, 4, file.rsplit('/').next().unwrap());
        }
        desk.write(file, &whole);
    }
    for (file, verb, from, to, words) in [
        (
            "plan.toml",
            KEYGEN,
            "[[rounds]]\niterations = 1",
            "[[rounds]]\niterations = 3",
            "contradicts | 3 | 1",
        ),
        (
            "plan.toml",
            KEYGEN,
            "rows = ",
            "rows = 999999999",
            "contradicts | number of rows | 16777216",
        ),
        (
            "plan.toml",
            KEYGEN,
            "version = 5",
            "version = 4",
            "version 4 | version 5 | `lr-train plan --out`",
        ),
        // A weight more than the normalization has columns.
        (
            "model.json",
            EVALUATE,
            "\"weights\": [",
            "\"weights\": [0.5,",
            "weights | length 4, 3 is needed",
        ),
    ] {
        let whole = desk.text(file);
        assert!(whole.contains(from), "{whole}");
        desk.write(file, whole.replacen(from, to, 1));
        desk.fails(verb, 4, &format!("{file} | {words}"));
        desk.write(file, whole);
    }
}

#[test]
fn a_file_of_another_kind_is_named() {
    finished().copy_of("keys data.arras result.arras").refuses(
        "
        4 | train --eval-keys keys/eval --data result.arras --out out.arras | result.arras | wrong object
        4 | decrypt --keys keys --result data.arras --out out.json | data.arras | wrong object
        4 | refresh --keys keys --state result.arras --out out.arras | finished model
        4 | train --eval-keys keys/eval --data data.arras --state result.arras --out out.arras | result.arras | content
        5 | train --eval-keys keys/eval --data absent.arras --out out.arras | absent.arras
        5 | train --eval-keys absent --data data.arras --out out.arras | absent
        ",
    );
}

#[test]
fn files_of_another_exchange_do_not_mix() {
    let desk = finished().copy_of("keys plan.toml data.arras result.arras train.csv");
    // Other keys of the same plan.
    desk.ok("keygen --plan plan.toml --out keys-2");
    desk.refuses(
        "
        4 | train --eval-keys keys-2/eval --data data.arras --out out.arras | data.arras | key set | encrypt the data
        4 | decrypt --keys keys-2 --result result.arras --out out.json | result.arras | key set
        ",
    );
    // The evaluation keys of another secret key beside ours: nothing that they train can be read, so nothing is written.
    fs::rename(desk.path("keys/secret/owner.json"), desk.path("owner.json")).unwrap();
    desk.fails(DECRYPT, 5, "owner.json");
    fs::rename(desk.path("owner.json"), desk.path("keys/secret/owner.json")).unwrap();
    // A result of data that these keys have not encrypted, and then no records at all.
    for name in fs::read_dir(desk.path("keys/secret/datasets")).unwrap() {
        fs::remove_file(name.unwrap().path()).unwrap();
    }
    desk.fails(DECRYPT, 4, "data set");
    fs::remove_dir_all(desk.path("keys/secret/datasets")).unwrap();
    desk.fails(DECRYPT, 5, "datasets");

    // Keys of other parameters.
    let other = prepared("--circuit baseline --iterations 2");
    desk.write("other.arras", other.read("data.arras"));
    let secret = "keys/secret/secret-key.arras";
    desk.write(secret, other.read(secret));
    desk.refuses(
        "
        4 | train --eval-keys keys/eval --data other.arras --out out.arras | other.arras | parameter set | levels
        4 | encrypt --keys keys --data train.csv --label y --out out.arras | secret-key.arras
        ",
    );
    assert!(!desk.path("out.arras").exists() && !desk.path("out.json").exists());
}

#[test]
fn rounds_follow_one_another() {
    let desk = prepared("--circuit baseline --iterations 2 --rounds 2");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result-0.arras");
    desk.refuses(
        "4 | train --eval-keys keys/eval --data data.arras --state result-0.arras --out out.arras | result-0.arras | refresh",
    );
    desk.ok("refresh --keys keys --state result-0.arras --out state-1.arras");
    // Another encryption of the same rows is another data set.
    desk.ok("encrypt --keys keys --data train.csv --label y --out data-2.arras");
    desk.refuses(
        "
        4 | refresh --keys keys --state state-1.arras --out out.arras | state-1.arras
        4 | decrypt --keys keys --result state-1.arras --out out.json | state-1.arras
        4 | train --eval-keys keys/eval --data data-2.arras --state state-1.arras --out out.arras | data set
        ",
    );
    assert!(!desk.path("out.arras").exists());
}
