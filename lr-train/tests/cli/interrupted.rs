//! Processes that are killed, at instants spread at random over their run.

use std::{
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::support::{Desk, ENCRYPT, TRAIN, finished, prepared};

/// Kills of each verb: twenty, so forty of `encrypt` and `train` together, or what `LR_TRAIN_KILLS` says.
fn kills() -> u32 {
    let said = std::env::var("LR_TRAIN_KILLS");
    said.map_or(20, |kills| kills.parse().unwrap())
}

/// Whether a file is one that a process has while it writes another.
fn is_hidden(name: &str) -> bool {
    name.ends_with(".partial") || name.ends_with(".lock")
}

/// Random enough to spread instants; the seed is in the message of a failure.
struct Instants(u64);

impl Instants {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        limit.mul_f64((self.0 >> 11) as f64 / (1u64 << 53) as f64)
    }
}

/// Runs a verb that writes `out` and kills it, over and over; after each the file `complete` is absent, or the output passes `whole`.
/// In the end the verb succeeds.
fn killed(desk: &Desk, verb: &str, out: &str, complete: &str, whole: &str) {
    let started = Instant::now();
    desk.ok(verb);
    let limit = started.elapsed();
    desk.ok(whole);
    let remove = || {
        let path = desk.path(out);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    };
    remove();
    let seed = u64::from(std::process::id());
    let mut instants = Instants(seed);
    let mut early = 0;
    for kill in 0..kills() {
        let at = instants.below(limit);
        let mut command = desk.command(verb);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(at);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        early += u32::from(!status.success());
        if desk.path(complete).exists() {
            let ran = desk.run(whole);
            assert_eq!(
                ran.code,
                Some(0),
                "seed {seed}, kill {kill} after {at:?}: {ran}"
            );
            remove();
        }
    }
    assert!(early > 0, "no process was killed before its end");
    desk.ok(verb);
    desk.ok(whole);
    let left = desk.listing(".");
    let of_output = |name: &&String| name.starts_with(&format!(".{out}."));
    assert!(
        !left.iter().filter(of_output).any(|name| is_hidden(name)),
        "{left:?}"
    );
}

#[test]
fn encrypt_restarts_cleanly() {
    let desk = finished().copy_of("keys train.csv");
    let (out, inspect) = ("out.arras", "inspect out.arras");
    killed(&desk, ENCRYPT, out, out, inspect);
    desk.ok("train --eval-keys keys/eval --data out.arras --out result.arras");
    // The kills left data sets that are whole, and only this test knows that nobody trains on them.
    desk.ok("decrypt --keys keys --result result.arras --dataset out.arras --out model.json");
    let left = desk.listing("keys/secret/datasets");
    assert!(left.iter().all(|name| !is_hidden(name)), "{left:?}");
}

#[test]
fn refresh_and_decrypt_restart_cleanly() {
    let desk = prepared("--circuit baseline --iterations 2 --rounds 2");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result-1.arras");
    let refresh = "refresh --keys keys --state result-1.arras --out state-2.arras";
    let out = "state-2.arras";
    killed(&desk, refresh, out, out, "inspect state-2.arras");
    desk.ok(
        "train --eval-keys keys/eval --data data.arras --state state-2.arras --out result-2.arras",
    );
    let decrypt = "decrypt --keys keys --result result-2.arras --out model.json";
    let out = "model.json";
    killed(&desk, decrypt, out, out, "inspect model.json");
    let left = desk.listing("keys/secret/datasets");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn train_restarts_cleanly() {
    let desk = finished().copy_of("keys data.arras");
    let (out, inspect) = ("out.arras", "inspect out.arras");
    killed(&desk, TRAIN, out, out, inspect);
    desk.ok("decrypt --keys keys --result out.arras --out model.json");
}

#[test]
fn keygen_restarts_cleanly() {
    let desk = finished().copy_of("plan.toml train.csv");
    // Keys count once they are complete; the verb itself says whether they are.
    killed(
        &desk,
        "keygen --plan plan.toml --out out",
        "out",
        "out/secret/owner.json",
        "inspect out/eval/evaluation-keys.arras",
    );
    desk.ok("encrypt --keys out --data train.csv --label y --out data.arras");
    let left = desk.listing("out");
    assert!(left.iter().all(|name| !is_hidden(name)), "{left:?}");
}
