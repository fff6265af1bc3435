//! The client knows what comes next: results of another data set, another round, or after a refusal are not taken.

use std::fs;

use crate::support::{Desk, prepared};

const TWO_ROUNDS: &str = "--circuit baseline --iterations 2 --rounds 2";
const TRAIN_1: &str = "train --eval-keys keys/eval --data data.arras --out result-1.arras";
const TRAIN_2: &str =
    "train --eval-keys keys/eval --data data.arras --state state-2.arras --out result-2.arras";
const REFRESH: &str = "refresh --keys keys --state result-1.arras --out state-2.arras";

/// Bytes of a container before its header, and of its checksum.
const PREFIX: usize = 28;
const CHECKSUM: usize = 32;

/// A container with other bytes and the checksum that belongs to them.
fn signed(mut container: Vec<u8>) -> Vec<u8> {
    let end = container.len() - CHECKSUM;
    let checksum = *blake3::hash(&container[..end]).as_bytes();
    container[end..].copy_from_slice(&checksum);
    container
}

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    let digits = bytes[at..at + len].iter().rev();
    digits.fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Where header and payload of a container end.
fn ends(container: &[u8]) -> (usize, usize) {
    let header = PREFIX + number(container, 16, 4);
    (header, header + number(container, 20, 8))
}

/// The containers in the payload of a result.
fn ciphertexts(result: &[u8]) -> Vec<Vec<u8>> {
    let (mut at, end) = ends(result);
    let mut found = vec![];
    while at < end {
        let len = ends(&result[at..]).1 + CHECKSUM;
        found.push(result[at..at + len].to_vec());
        at += len;
    }
    found
}

/// A result with the last bytes of its header, its round and its content, replaced, and other ciphertexts.
fn forged(result: &[u8], fields: [u8; 2], ciphertexts: &[Vec<u8>]) -> Vec<u8> {
    let payload = ciphertexts.concat();
    let (header, _) = ends(result);
    let mut made = result[..header].to_vec();
    made[header - 2..].copy_from_slice(&fields);
    made[20..28].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    made.extend(payload);
    made.extend([0; CHECKSUM]);
    signed(made)
}

/// A ciphertext of the right form that decrypts to noise: its first half, the component with the message, is zero.
fn without_message(ciphertext: &[u8]) -> Vec<u8> {
    let mut made = ciphertext.to_vec();
    let (start, end) = ends(&made);
    made[start..(start + end) / 2].fill(0);
    signed(made)
}

/// The header's fields of a state after a round, from 0, and of a model.
fn state(round: u8) -> [u8; 2] {
    [round, 1]
}

fn model(round: u8) -> [u8; 2] {
    [round, 0]
}

#[test]
fn results_of_another_data_set_are_refused() {
    let desk = prepared(TWO_ROUNDS);
    desk.ok(TRAIN_1);
    let encrypt = "encrypt --keys keys --data train.csv --label y --out other.arras";
    let id = desk.json(encrypt)["dataset"].as_str().unwrap().to_owned();
    desk.ok("train --eval-keys keys/eval --data other.arras --out other-1.arras");
    let before = desk.listing(".");
    desk.refuses(&format!(
        "
        4 | {REFRESH} | 2 data sets | --dataset
        4 | decrypt --keys keys --result result-1.arras --intermediate --out out.json | 2 data sets | --dataset
        4 | {REFRESH} --dataset other.arras | data set | {id}
        4 | {REFRESH} --dataset {id} | data set | {id}
        4 | decrypt --keys keys --result other-1.arras --intermediate --dataset data.arras --out out.json | data set | {id}
        5 | {REFRESH} --dataset absent.arras | absent.arras
        "
    ));
    assert_eq!(desk.listing("."), before);
    desk.ok(&format!("{REFRESH} --dataset data.arras"));
    // What was taken is known by more than its header.
    desk.ok(&format!("{REFRESH} --force"));

    // Nothing is expected of data in whose place others were encrypted, unless somebody says so.
    desk.ok(&format!("{encrypt} --force"));
    desk.refuses("4 | refresh --keys keys --state other-1.arras --out out.arras | data sets");
    let only = prepared(TWO_ROUNDS);
    only.ok(TRAIN_1);
    only.ok("encrypt --keys keys --data train.csv --label y --out data.arras --force");
    only.refuses(&format!("4 | {REFRESH} | data set"));
    let replaced = only.json("inspect result-1.arras")["origin"]["dataset"].clone();
    only.ok(&format!(
        "{REFRESH} --dataset {}",
        replaced.as_str().unwrap()
    ));
}

#[test]
fn results_are_taken_in_turn() {
    let desk = prepared(TWO_ROUNDS);
    desk.ok(TRAIN_1);
    let first = desk.read("result-1.arras");
    let own = ciphertexts(&first);
    // The state under the name of the model, before and after it was refreshed.
    desk.write("early.arras", forged(&first, model(1), &own[..1]));
    let early = "decrypt --keys keys --result early.arras --out model.json";
    desk.fails(
        early,
        4,
        "that of round 2 of data set | the next is that of round 1",
    );
    desk.ok(REFRESH);
    desk.fails(early, 4, "round 2, and holds ciphertexts of round 1");

    // The same once more, as after an interruption; nothing else in its place.
    desk.ok(&format!("{REFRESH} --force"));
    desk.ok("decrypt --keys keys --result result-1.arras --intermediate --out early.json");
    let other: Vec<_> = own.iter().map(|c| without_message(c)).collect();
    desk.write("second.arras", forged(&first, state(0), &other));
    let second = "refresh --keys keys --state second.arras --out out.arras";
    desk.fails(second, 4, "another result of round 1 | --after-refusal");
    assert!(!desk.path("out.arras").exists());

    desk.ok(TRAIN_2);
    desk.ok("decrypt --keys keys --result result-2.arras --out model.json");
    desk.ok("decrypt --keys keys --result result-2.arras --out again.json");
    assert_eq!(desk.read("again.json"), desk.read("model.json"));
    desk.fails(
        "refresh --keys keys --state result-1.arras --out out.arras",
        4,
        "that of round 1 of data set | that of the last round was taken",
    );
}

fn exchange_file(desk: &Desk) -> String {
    let records = desk.listing("keys/secret/datasets");
    let is_exchange = |name: &&String| name.ends_with(".exchange.json");
    records.iter().find(is_exchange).unwrap().clone()
}

#[test]
fn a_refused_state_closes_the_exchange() {
    let desk = prepared(TWO_ROUNDS);
    desk.ok(TRAIN_1);
    let honest = desk.read("result-1.arras");
    let noise: Vec<_> = ciphertexts(&honest)
        .iter()
        .map(|c| without_message(c))
        .collect();
    desk.write("noise.arras", forged(&honest, state(0), &noise));
    desk.ok("inspect noise.arras");
    let refresh = "refresh --keys keys --state noise.arras --out state-2.arras";
    let before = desk.listing(".");
    desk.fails(
        refresh,
        4,
        "beyond 2^ | no further result | --after-refusal",
    );
    let closed = "of round 1 | was refused | none is taken since | --after-refusal";
    for verb in [
        REFRESH,
        refresh,
        "decrypt --keys keys --result result-1.arras --intermediate --out out.json",
    ] {
        desk.fails(verb, 4, closed);
    }
    let failed = desk.run(&format!("{REFRESH} --json")).ends_with(4);
    failed.says("\"ok\":false | --after-refusal");
    desk.ok(&format!("inspect {}", exchange_file(&desk)))
        .says("record of an exchange | refused-round 1");
    // Each time a person decides.
    desk.fails(&format!("{refresh} --after-refusal"), 4, "beyond 2^");
    desk.fails(REFRESH, 4, closed);
    assert_eq!(desk.listing("."), before);
    desk.ok(&format!("{REFRESH} --after-refusal"));
    desk.ok(TRAIN_2);
    desk.ok("decrypt --keys keys --result result-2.arras --out model.json");
}

/// What is refused without a look at the secret key tells a server nothing, and closes nothing.
#[test]
fn refusals_before_decryption_close_nothing() {
    let desk = prepared(TWO_ROUNDS);
    desk.ok(TRAIN_1);
    let honest = desk.read("result-1.arras");
    let mut damaged = honest.clone();
    damaged[honest.len() / 2] ^= 1;
    let foreign = forged(&honest, model(1), &ciphertexts(&honest)[..1]);
    for wrong in [damaged, foreign, honest[..200].to_vec()] {
        desk.write("wrong.arras", wrong);
        desk.refuses("4 | refresh --keys keys --state wrong.arras --out out.arras | wrong.arras");
    }
    desk.ok(REFRESH);
}

#[test]
fn what_was_taken_is_private_and_trusted_by_nobody() {
    let desk = prepared(TWO_ROUNDS);
    desk.ok(TRAIN_1);
    desk.ok(REFRESH);
    let file = exchange_file(&desk);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = desk.path(&file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let whole = desk.text(&file);
    for (from, to, words) in [
        ("\"version\": 1", "\"version\": 7", "version 7"),
        ("\"taken\"", "\"taken-too\"", "taken-too"),
        ("\"dataset\": \"", "\"dataset\": \"../", "hexadecimal"),
        ("{", "[", "cannot be read"),
    ] {
        desk.write(&file, whole.replacen(from, to, 1));
        let name = file.rsplit('/').next().unwrap();
        desk.fails(
            &format!("{REFRESH} --force"),
            4,
            &format!("{name} | {words}"),
        );
    }
    // As a process leaves it that is killed while it writes the record, or between it and the state.
    desk.write(&file, &whole);
    let hidden = file.replace("datasets/", "datasets/.");
    desk.write(&format!("{hidden}.abc123.partial"), "left");
    desk.write(&format!("{hidden}.lock"), "");
    fs::remove_file(desk.path("state-2.arras")).unwrap();
    desk.ok(REFRESH);
    assert_eq!(desk.listing("keys/secret/datasets").len(), 2);
    desk.ok(TRAIN_2);
    // Without it nothing was taken yet.
    fs::remove_file(desk.path(&file)).unwrap();
    desk.fails(
        "decrypt --keys keys --result result-2.arras --out model.json",
        4,
        "the next is that of round 1",
    );
}
