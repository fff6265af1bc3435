//! Files that are damaged, or of another exchange.

use crate::support::{Desk, finished, prepared};

const TRAIN: &str = "train --eval-keys keys/eval --data data.arras --out out.arras";
const DECRYPT: &str = "decrypt --keys keys --model result.arras --out out.json";

/// A verb refuses a file that was cut in half, that is empty, and that has a byte changed in its middle.
#[track_caller]
fn damaged(file: &str, verb: &str) {
    let desk = Desk::with(
        finished(),
        &[
            "keys",
            "data.arras",
            "result.arras",
            "model.json",
            "train.csv",
        ],
    );
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
        desk.fails(verb, 4, &[name]);
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
    let desk = Desk::with(
        finished(),
        &["keys", "model.json", "plan.toml", "train.csv"],
    );
    for (file, verb) in [
        (
            "model.json",
            "evaluate --model model.json --data train.csv --label y",
        ),
        ("plan.toml", "keygen --plan plan.toml --out other"),
        (
            "keys/secret/owner.json",
            "encrypt --keys keys --data train.csv --label y --out out.arras",
        ),
    ] {
        let whole = desk.read(file);
        for wrong in [&whole[..whole.len() / 2], &[], b"\xff\xfe"] {
            desk.write(file, wrong);
            desk.fails(verb, 4, &[file.rsplit('/').next().unwrap()]);
        }
        desk.write(file, &whole);
    }
    let whole = String::from_utf8(desk.read("plan.toml")).unwrap();
    for (from, to, told) in [
        (
            "[[rounds]]\niterations = 1",
            "[[rounds]]\niterations = 3",
            &["contradicts", "3", "1"],
        ),
        (
            "rows = ",
            "rows = 999999999",
            &["contradicts", "number of rows", "16777216"],
        ),
        (
            "version = 4",
            "version = 3",
            &["version 3", "version 4", "`lr-train plan --out`"],
        ),
    ] {
        assert!(whole.contains(from), "{whole}");
        desk.write("plan.toml", whole.replacen(from, to, 1));
        let mut all = vec!["plan.toml"];
        all.extend(told);
        desk.fails("keygen --plan plan.toml --out other", 4, &all);
    }
}

#[test]
fn a_file_of_another_kind_is_named() {
    let desk = Desk::with(finished(), &["keys", "data.arras", "result.arras"]);
    desk.fails(
        "train --eval-keys keys/eval --data result.arras --out out.arras",
        4,
        &["result.arras", "wrong object"],
    );
    desk.fails(
        "decrypt --keys keys --model data.arras --out out.json",
        4,
        &["data.arras", "wrong object"],
    );
    desk.fails(
        "refresh --keys keys --state result.arras --out out.arras",
        4,
        &["finished model"],
    );
    desk.fails(
        "train --eval-keys keys/eval --data data.arras --state result.arras --out out.arras",
        4,
        &["result.arras", "content"],
    );
    desk.fails(
        "train --eval-keys keys/eval --data absent.arras --out out.arras",
        5,
        &["absent.arras"],
    );
    desk.fails(
        "train --eval-keys absent --data data.arras --out out.arras",
        5,
        &["absent"],
    );
}

#[test]
fn files_of_another_exchange_do_not_mix() {
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
    // Other keys of the same plan.
    desk.ok("keygen --plan plan.toml --out keys-2");
    desk.fails(
        "train --eval-keys keys-2/eval --data data.arras --out out.arras",
        4,
        &["data.arras", "key set", "encrypt the data"],
    );
    desk.fails(
        "decrypt --keys keys-2 --model result.arras --out out.json",
        4,
        &["result.arras", "key set"],
    );
    // The evaluation keys of another secret key beside ours: nothing that they train can be read, so nothing is written.
    std::fs::rename(desk.path("keys/secret/owner.json"), desk.path("owner.json")).unwrap();
    desk.fails(DECRYPT, 5, &["owner.json"]);
    std::fs::rename(desk.path("owner.json"), desk.path("keys/secret/owner.json")).unwrap();
    // A record that is gone.
    std::fs::remove_dir_all(desk.path("keys/secret/datasets")).unwrap();
    desk.fails(DECRYPT, 5, &["datasets"]);

    // Keys of other parameters.
    let other = prepared("--circuit baseline --iterations 2");
    std::fs::copy(other.path("data.arras"), desk.path("other.arras")).unwrap();
    desk.fails(
        "train --eval-keys keys/eval --data other.arras --out out.arras",
        4,
        &["other.arras", "parameter set", "levels"],
    );
    std::fs::copy(
        other.path("keys/secret/secret-key.arras"),
        desk.path("keys/secret/secret-key.arras"),
    )
    .unwrap();
    desk.fails(
        "encrypt --keys keys --data train.csv --label y --out out.arras",
        4,
        &["secret-key.arras"],
    );
    assert!(!desk.path("out.arras").exists() && !desk.path("out.json").exists());
}

#[test]
fn rounds_follow_one_another() {
    let desk = prepared("--circuit baseline --iterations 2 --rounds 2");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result-0.arras");
    desk.fails(
        "train --eval-keys keys/eval --data data.arras --state result-0.arras --out out.arras",
        4,
        &["result-0.arras", "refresh"],
    );
    desk.ok("refresh --keys keys --state result-0.arras --out state-1.arras");
    desk.fails(
        "refresh --keys keys --state state-1.arras --out out.arras",
        4,
        &["state-1.arras"],
    );
    desk.fails(
        "decrypt --keys keys --model state-1.arras --out out.json",
        4,
        &["state-1.arras"],
    );
    // Another encryption of the same rows is another data set.
    desk.ok("encrypt --keys keys --data train.csv --label y --out data-2.arras");
    desk.fails(
        "train --eval-keys keys/eval --data data-2.arras --state state-1.arras --out out.arras",
        4,
        &["data set"],
    );
    assert!(!desk.path("out.arras").exists());
}
