//! Ctrl-C: verbs end soon, with an exit code of their own, and leave nothing behind.

use std::{
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Desk, ENCRYPT, Ran, TRAIN, finished};

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

/// Stops a verb by a signal once it has begun. Nothing is left then, and the verb succeeds when it is run again.
#[track_caller]
fn stopped(desk: &Desk, verb: &str, out: &str, (signal, code, name): (Signal, i32, &str)) {
    let before = desk.listing(".");
    let child = begun(desk, verb, out);
    send(&child, signal);
    let sent = Instant::now();
    let ran = Ran::from(verb, &child.wait_with_output().unwrap());
    assert!(sent.elapsed() < SOON, "{:?}: {ran}", sent.elapsed());
    ran.ends_with(code)
        .notes(&format!("stopped by {name} | run it again"));
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
fn a_program_is_told_in_json() {
    let desk = finished().copy_of("keys data.arras");
    let verb = format!("{TRAIN} --json");
    let child = begun(&desk, &verb, "out.arras");
    send(&child, Signal::INT);
    let ran = Ran::from(&verb, &child.wait_with_output().unwrap()).ends_with(130);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["ok"], &told["code"]), (&false.into(), &130.into()));
}
