//! What the numbers were measured on.

use std::{fs, process::Command};

use serde::Serialize;

use crate::suite::all_threads;

/// The machine, the build and the state of the source.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's name, as the system tells it.
    pub cpu: Option<String>,
    /// Threads that the process may use at once.
    pub threads: usize,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes that were running or waiting on average in the minute before the start. Above 1 the machine was not idle.
    pub load: Option<f64>,
    /// The compiler.
    pub rustc: &'static str,
    /// The target triple that was compiled for.
    pub target: &'static str,
    /// The profile and its optimization level.
    pub profile: &'static str,
    /// The commit, with a mark if files differ from it; the commit of the build where there is no checkout or one of another commit.
    pub commit: Option<String>,
}

impl Machine {
    /// This machine.
    pub fn here() -> Self {
        let load = fs::read_to_string("/proc/loadavg").ok();
        Self {
            cpu: field("/proc/cpuinfo", "model name"),
            threads: all_threads(),
            memory: kibibytes("/proc/meminfo", "MemTotal"),
            load: load.and_then(|text| text.split_whitespace().next()?.parse().ok()),
            rustc: env!("ARRAS_BENCHES_RUSTC"),
            target: env!("ARRAS_BENCHES_TARGET"),
            profile: concat!(
                env!("ARRAS_BENCHES_PROFILE"),
                ", opt-level ",
                env!("ARRAS_BENCHES_OPT_LEVEL")
            ),
            commit: commit().or_else(commit_of_build),
        }
    }
}

/// Starts [`lr_train::report::peak_memory`] anew. Where the system cannot do that, the peak is that since the start.
pub fn reset_peak_memory() {
    // 5 resets the peak alone (proc_pid_clear_refs(5)).
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The value of the first line `name : value` of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn kibibytes(path: &str, name: &str) -> Option<u64> {
    let value = field(path, name)?;
    let number: u64 = value.strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

fn commit_of_build() -> Option<String> {
    let commit = env!("ARRAS_BENCHES_COMMIT");
    (!commit.is_empty()).then(|| format!("{commit} (at the build)"))
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-C", env!("CARGO_MANIFEST_DIR")])
            .args(arguments)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    // A program that was copied may find another checkout where its own was.
    if commit.trim() != env!("ARRAS_BENCHES_COMMIT") {
        return commit_of_build();
    }
    // The files that the report writes are no difference.
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changed.trim().is_empty() {
        ""
    } else {
        " (with uncommitted changes)"
    };
    Some(format!("{}{mark}", commit.trim()))
}
