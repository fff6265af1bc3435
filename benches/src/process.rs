//! Threads and memory of this process, and the program started again as a process of its own.

use std::{
    env,
    ffi::OsStr,
    fs,
    process::{Command, Stdio},
};

use serde::de::DeserializeOwned;

use crate::Result;

/// All cores.
pub(crate) fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// One thread, and all of them.
pub(crate) fn thread_counts() -> Vec<usize> {
    let mut counts = vec![1, all_threads()];
    counts.dedup();
    counts
}

/// Starts [`lr_train::report::peak_memory`] anew. Where the system cannot do that, the peak is that since the start.
pub(crate) fn reset_peak_memory() {
    // 5 resets the peak alone (proc_pid_clear_refs(5)).
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Bytes of memory that the process has now; none where the system does not say.
pub(crate) fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kib)
}

/// glibc returns blocks of at least this size to the system at once: the peak is then that of what is in use. It slows down what is timed.
pub(crate) const RETURN_AT_ONCE: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "65536");

/// What this program prints as JSON when it is started again with the same arguments and these.
pub(crate) fn again<T: DeserializeOwned>(
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<T> {
    let output = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .args(arguments)
        .envs(variables.iter().copied())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", arguments.join(" "), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What a program prints.
pub(crate) fn printed<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}
