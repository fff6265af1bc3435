//! Records with what the benchmarks were compiled: a report must say so, and the compiler on the path at run time may be another.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    println!("cargo::rustc-env=ARRAS_BENCHES_RUSTC={}", version.trim());
    // A program that is copied to another machine still says what it is.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]);
    if !log.is_empty() {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    println!("cargo::rustc-env=ARRAS_BENCHES_COMMIT={commit}");
    for name in ["TARGET", "PROFILE", "OPT_LEVEL"] {
        let value = env::var(name).unwrap_or_default();
        println!("cargo::rustc-env=ARRAS_BENCHES_{name}={value}");
    }
}

/// What git prints; nothing without git or outside a checkout.
fn git(arguments: &[&str]) -> String {
    Command::new("git")
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default()
        .trim()
        .to_owned()
}
