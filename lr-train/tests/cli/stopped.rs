//! Ctrl-C: verbs end soon, with an exit code of their own, and leave nothing behind.

use std::{
    fs::OpenOptions,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Desk, ENCRYPT, Ran, TRAIN, finished, small_csv};

/// A stopped verb of a small plan ends sooner, on a machine with much else to do, too.
const SOON: Duration = Duration::from_secs(5);

/// Starts a verb and waits until it has claimed its output, which it does when it can end by itself.
fn begun(desk: &Desk, verb: &str, out: &str) -> Child {
    let mut command = desk.command(verb);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let claimed = desk.path(&format!(".{out}.lock"));
    let started = Instant::now();
    while claimed.symlink_metadata().is_err() {
        assert!(started.elapsed() < SOON, "{verb} claims nothing");
        sleep(Duration::from_micros(200));
    }
    child
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Ends a verb that has begun by a signal: it ends soon, and says so.
#[track_caller]
fn ended(verb: &str, child: Child, signal: (Signal, i32, &str)) -> Ran {
    told(signaled(verb, child, signal.0), signal)
}

/// Sends a signal to a verb that has begun; it ends soon.
#[track_caller]
fn signaled(verb: &str, child: Child, signal: Signal) -> Ran {
    send(&child, signal);
    let sent = Instant::now();
    let ran = Ran::from(verb, &child.wait_with_output().unwrap());
    assert!(sent.elapsed() < SOON, "{:?}: {ran}", sent.elapsed());
    ran
}

#[track_caller]
fn told(ran: Ran, (_, code, name): (Signal, i32, &str)) -> Ran {
    let ran = ran.ends_with(code);
    ran.notes(&format!("stopped by {name} | run it again"));
    ran
}

/// Stops a small verb by a signal once it has begun; one that was done before the signal came, since this process had to wait, is begun anew.
#[track_caller]
fn in_time(desk: &Desk, verb: &str, out: &str, signal: Signal) -> Ran {
    for _ in 0..50 {
        let ran = signaled(verb, begun(desk, verb, out), signal);
        if ran.code != Some(0) {
            return ran;
        }
        // What is replaced need not be removed first.
        if verb.contains("--force") {
            continue;
        }
        let out = desk.path(out);
        let removed = if out.is_dir() {
            std::fs::remove_dir_all(out)
        } else {
            std::fs::remove_file(out)
        };
        removed.unwrap();
    }
    panic!("{verb} is done before it can be stopped");
}

/// Stops a verb by a signal once it has begun. Nothing is left then, and the verb succeeds when it is run again.
#[track_caller]
fn stopped(desk: &Desk, verb: &str, out: &str, signal: (Signal, i32, &str)) {
    let before = desk.listing(".");
    told(in_time(desk, verb, out, signal.0), signal);
    assert_eq!(desk.listing("."), before, "{verb} left something");
    desk.ok(&format!("{verb} --quiet"));
}

const INT: (Signal, i32, &str) = (Signal::INT, 130, "Ctrl-C (SIGINT)");
const TERM: (Signal, i32, &str) = (Signal::TERM, 143, "SIGTERM");

#[test]
fn keygen_is_stopped() {
    let desk = finished().copy_of("plan.toml");
    stopped(&desk, "keygen --plan plan.toml --out out", "out", INT);
}

#[test]
fn keys_that_were_to_be_replaced_stay() {
    let desk = finished().copy_of("plan.toml keys train.csv");
    let keygen = "keygen --plan plan.toml --out keys --force";
    let before = desk.read("keys/secret/secret-key.arras");
    let child = begun(&desk, keygen, "keys");
    send(&child, Signal::TERM);
    Ran::from(keygen, &child.wait_with_output().unwrap()).ends_with(143);
    assert!(desk.read("keys/secret/secret-key.arras") == before);
    desk.ok(ENCRYPT);
}

#[test]
fn encrypt_is_stopped_and_resumed() {
    let desk = finished().copy_of("keys train.csv");
    stopped(&desk, &format!("{ENCRYPT} --resume"), "out.arras", INT);
}

#[test]
fn train_is_stopped_and_resumed() {
    let desk = finished().copy_of("keys data.arras");
    stopped(&desk, &format!("{TRAIN} --resume"), "out.arras", TERM);
    stopped(&desk, &format!("{TRAIN} --force"), "out.arras", INT);
}

#[test]
fn demos_and_measurements_are_stopped() {
    let desk = Desk::new();
    let demo = "demo --out out";
    let before = desk.listing(".");
    for (verb, after) in [
        (demo, 0),
        (demo, 700),
        ("demo --rounds --out out", 300),
        (
            "devices --engine cpu --measure --log-n 13 --seconds 60 --out out",
            400,
        ),
    ] {
        let child = begun(&desk, verb, "out");
        sleep(Duration::from_millis(after));
        ended(verb, child, INT);
        assert_eq!(desk.listing("."), before, "{verb} left something");
    }
}

/// A verb waits for its data at a pipe: nothing is claimed then, and it ends at once.
#[test]
fn verbs_that_read_are_stopped() {
    let desk = finished().copy_of("plan.toml keys result.arras model.json");
    let made = Command::new("mkfifo").arg(desk.path("pipe.csv")).status();
    assert!(made.unwrap().success());
    let before = desk.listing(".");
    for (verb, signal) in [
        ("plan --data pipe.csv --label y --out out.toml", INT),
        ("try --data pipe.csv --label y", TERM),
        (
            "encrypt --keys keys --data pipe.csv --label y --out out.arras",
            INT,
        ),
        (
            "decrypt --keys keys --result result.arras --data pipe.csv --label y --out out.json",
            INT,
        ),
        (
            "evaluate --model model.json --data pipe.csv --label y",
            TERM,
        ),
        (
            "predict --model model.json --data pipe.csv --label y --out out.csv",
            INT,
        ),
        (
            "predict --model model.json --data pipe.csv --label y --json",
            INT,
        ),
    ] {
        let mut command = desk.command(verb);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        // Waits until the verb has opened it, too.
        let mut pipe = OpenOptions::new()
            .write(true)
            .open(desk.path("pipe.csv"))
            .unwrap();
        pipe.write_all(b"a,same,b,y\n0.1,4,0.2,no\n").unwrap();
        let ran = ended(verb, child, signal);
        if verb.ends_with("--json") {
            let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(told["code"], 130);
        }
        assert_eq!(desk.listing("."), before, "{verb} left something");
    }
}

/// `try` and `plan` in the middle of work of seconds.
#[test]
fn long_searches_and_plans_are_stopped() {
    let desk = Desk::new();
    desk.write("train.csv", small_csv(20_000));
    let before = desk.listing(".");
    for verb in [
        "try --data train.csv --label y --most-iterations 200",
        "plan --data train.csv --label y --minibatch 20000 --iterations 10000 --rounds of:1 --circuit baseline --out out.toml",
    ] {
        let mut command = desk.command(verb);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        sleep(Duration::from_millis(500));
        ended(verb, child, INT);
        assert_eq!(desk.listing("."), before, "{verb} left something");
    }
}

#[test]
fn devices_are_stopped_in_their_self_test() {
    let desk = Desk::new();
    let verb = "devices --engine cpu";
    let mut command = desk.command(verb);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // "testing cpu .."
    let mut said = [0; 4];
    child
        .stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut said)
        .unwrap();
    ended(verb, child, INT);
}

#[test]
fn a_program_is_told_in_json() {
    let desk = finished().copy_of("keys data.arras");
    let verb = format!("{TRAIN} --json");
    let ran = in_time(&desk, &verb, "out.arras", Signal::INT).ends_with(130);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["ok"], &told["code"]), (&false.into(), &130.into()));
}
