//! Peers: programs of other languages or of another workspace, started where they can be had.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Result, timing::Timing};

/// What a peer's script prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Library {
    /// The library.
    pub library: String,
    /// Which build of it.
    pub build: String,
    /// The interpreter's version.
    pub python: String,
    /// Its times.
    pub rows: Vec<LibraryRow>,
}

/// One operation of a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LibraryRow {
    /// Name of the parameter set.
    pub set: String,
    /// Base-2 logarithm of the ring degree.
    pub log_n: u32,
    /// Bits of Q.
    pub q_bits: u32,
    /// The operation.
    pub operation: String,
    /// Its time.
    #[serde(flatten)]
    pub times: Timing,
}

impl Library {
    /// The time of an operation of our table at equal bits of Q: encryption is that of a plaintext that is encoded first.
    pub fn times(&self, log_n: u32, operation: &str) -> Option<Timing> {
        let of = |name: &str| {
            let same = |row: &&LibraryRow| {
                row.set == "same modulus" && row.log_n == log_n && row.operation == name
            };
            self.rows.iter().find(same).map(|row| row.times)
        };
        match operation {
            "encode and encrypt" => {
                Some(of("encode")?.plus(&of("encrypt with the public key, encoded")?))
            }
            "secret and public key" => of("generate a secret and a public key"),
            name => of(name),
        }
    }
}

/// What the benchmark of transforms prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transforms {
    /// The crate and how it was built.
    pub peer: String,
    /// Our engine.
    pub engine: String,
    /// Its rows.
    pub rows: Vec<TransformRow>,
}

/// Transforms of all limbs of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransformRow {
    /// Base-2 logarithm of the ring degree.
    pub log_n: u32,
    /// Limbs, each with a prime of its own.
    pub limbs: usize,
    /// Bits of the primes, together.
    pub bits: f64,
    /// Forward.
    pub forward: Pair,
    /// Inverse; the peer's without its factor.
    pub inverse: Pair,
    /// Inverse; the peer's with a second pass for its factor.
    pub inverse_normalized: Pair,
}

/// Both sides, measured by turns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Ours.
    pub ours: Timing,
    /// The peer's.
    pub theirs: Timing,
}

/// The folder with scripts and manifests of peers.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// A Python script of the folder, by the interpreter of `target/peers/NAME` or the given one.
///
/// # Errors
/// Why it cannot be had: in a sentence that says what to do.
pub fn script(
    name: &str,
    file: &str,
    interpreter: Option<&Path>,
    log_n: &[u32],
    seconds: f64,
) -> Result<Library> {
    let own = folder()
        .join("../../target/peers")
        .join(name)
        .join("bin/python");
    let python = interpreter.unwrap_or(&own);
    if !python.exists() {
        return Err(format!(
            "no interpreter at {}: run benches/peers/install, or name one with --{name}-python",
            python.display()
        )
        .into());
    }
    let sizes: Vec<String> = log_n.iter().map(u32::to_string).collect();
    json(
        Command::new(python)
            .current_dir(folder())
            .arg(file)
            .args(["--log-n", &sizes.join(","), "--longest"])
            .args(["--seconds", &seconds.to_string()])
            .env("OMP_NUM_THREADS", "1"),
    )
}

/// The benchmark of transforms, built first.
///
/// # Errors
/// Why it cannot be had.
pub fn transforms(log_n: &[u32], seconds: f64) -> Result<Transforms> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let sizes: Vec<String> = log_n.iter().map(u32::to_string).collect();
    json(
        Command::new(cargo)
            .args(["run", "--release", "--quiet", "--locked", "--manifest-path"])
            .arg(folder().join("ntt/Cargo.toml"))
            .arg("--target-dir")
            .arg(folder().join("../../target/peers/ntt"))
            .args(["--", &sizes.join(","), &seconds.to_string()]),
    )
}

fn json<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
