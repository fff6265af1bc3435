//! The machine that numbers come from.

use std::{fmt, fs, thread};

use arras_toolkit::text;
use serde::{Deserialize, Serialize};

/// A machine, as far as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Machine {
    /// The processor's name; the architecture's where it has none.
    pub cpu: String,
    /// Threads that run at the same time.
    pub cores: usize,
    /// Vector instructions that the processor and the operating system offer.
    pub simd: Vec<String>,
    /// Main memory in bytes, if known.
    pub memory_bytes: Option<u64>,
    /// Operating system and architecture, as Rust names them.
    pub system: String,
}

impl Machine {
    /// This machine. Names and memory come from `/proc` where there is one (Linux); elsewhere the architecture stands for the
    /// processor and the memory is unknown.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self::from_proc(&read("/proc/cpuinfo"), &read("/proc/meminfo"))
    }

    fn from_proc(cpuinfo: &str, meminfo: &str) -> Self {
        // x86 has "model name", some others "Processor", "cpu" or "cpu model".
        let cpu = ["model name", "Processor", "cpu model", "cpu"]
            .iter()
            .find_map(|key| field(cpuinfo, key))
            .unwrap_or(std::env::consts::ARCH);
        let kib = field(meminfo, "MemTotal")
            .and_then(|total| total.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            cpu: cpu.split_whitespace().collect::<Vec<_>>().join(" "),
            cores: thread::available_parallelism().map_or(1, usize::from),
            simd: simd(),
            memory_bytes: kib.and_then(|k| k.checked_mul(1024)),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.cpu)?;
        match self.cores {
            1 => write!(f, "1 core")?,
            cores => write!(f, "{cores} cores")?,
        }
        if !self.simd.is_empty() {
            write!(f, " ({})", self.simd.join(", "))?;
        }
        if let Some(memory) = self.memory_bytes {
            write!(f, ", {} of memory", text::bytes(memory))?;
        }
        write!(f, ", {}", self.system)
    }
}

/// The most memory that this process has had since it started, in bytes: the largest resident set, where the system says (Linux).
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib: u64 = field(&status, "VmHWM")?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    kib.checked_mul(1024)
}

/// The first non-empty value of a `key : value` line.
fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, value)| name.trim() == key && !value.trim().is_empty())
        .map(|(_, value)| value.trim())
}

fn simd() -> Vec<String> {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let known = [
        ("AVX2", std::is_x86_feature_detected!("avx2")),
        ("AVX-512F", std::is_x86_feature_detected!("avx512f")),
        ("AVX-512DQ", std::is_x86_feature_detected!("avx512dq")),
        ("AVX-512 IFMA", std::is_x86_feature_detected!("avx512ifma")),
    ];
    #[cfg(target_arch = "aarch64")]
    let known = [
        ("NEON", std::arch::is_aarch64_feature_detected!("neon")),
        ("SVE", std::arch::is_aarch64_feature_detected!("sve")),
    ];
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let known: [(&str, bool); 0] = [];
    let here = known.into_iter().filter(|(_, there)| *there);
    here.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some  CPU @ 2.00GHz\nflags\t\t: fpu\n";
        let machine = Machine::from_proc(cpuinfo, "MemTotal:       16384 kB\nMemFree: 1 kB\n");
        assert_eq!(machine.cpu, "Some CPU @ 2.00GHz");
        assert_eq!(machine.memory_bytes, Some(16 << 20));
        assert!(machine.cores >= 1);
        assert!(machine.to_string().contains("16.0 MiB of memory"));
    }

    #[test]
    fn without_proc_the_architecture_is_named() {
        let machine = Machine::from_proc("", "MemTotal: much\n");
        assert_eq!(machine.cpu, std::env::consts::ARCH);
        assert_eq!(machine.memory_bytes, None);
        assert!(!machine.to_string().contains("of memory"));
    }

    #[test]
    fn this_machine_has_a_name() {
        assert!(!Machine::here().cpu.is_empty());
    }
}
