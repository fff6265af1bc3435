//! Peers: programs of other languages or of another workspace, started where they can be had.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Result, timing::Timing};

/// What a peer's script prints.
#[derive(Serialize, Deserialize)]
pub(super) struct Library {
    pub(super) library: String,
    /// Which build of it.
    pub(super) build: String,
    /// The interpreter's version.
    pub(super) python: String,
    pub(super) rows: Vec<LibraryRow>,
}

/// One operation of a peer.
#[derive(Serialize, Deserialize)]
pub(super) struct LibraryRow {
    /// Name of the parameter set.
    pub(super) set: String,
    pub(super) log_n: u32,
    pub(super) q_bits: u32,
    pub(super) operation: String,
    #[serde(flatten)]
    pub(super) times: Timing,
}

impl Library {
    /// The time of an operation of our table at equal bits of Q: encryption is that of a plaintext that is encoded first.
    pub(super) fn times(&self, log_n: u32, operation: &str) -> Option<Timing> {
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
#[derive(Serialize, Deserialize)]
pub(super) struct Transforms {
    /// The crate and how it was built.
    pub(super) peer: String,
    /// Ours.
    pub(super) engine: String,
    pub(super) rows: Vec<TransformRow>,
}

/// Transforms of all limbs of a row, measured by turns.
#[derive(Serialize, Deserialize)]
pub(super) struct TransformRow {
    pub(super) log_n: u32,
    /// Each with a prime of its own.
    pub(super) limbs: usize,
    /// Bits of the primes, together.
    pub(super) bits: f64,
    /// The inverse is measured with the peer's second pass for its factor and without.
    pub(super) direction: String,
    pub(super) ours: Timing,
    pub(super) theirs: Timing,
}

/// The folder with scripts and manifests of peers.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// A Python script of the folder, by the interpreter of `target/peers/NAME` or the given one.
pub(super) fn script(
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
pub(super) fn transforms(log_n: &[u32], seconds: f64) -> Result<Transforms> {
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
