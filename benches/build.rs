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
    for name in ["TARGET", "PROFILE", "OPT_LEVEL"] {
        let value = env::var(name).unwrap_or_default();
        println!("cargo::rustc-env=ARRAS_BENCHES_{name}={value}");
    }
}
