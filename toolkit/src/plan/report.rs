//! The plan itself.

use std::{collections::BTreeMap, fmt};

use arras_ckks::Parameters;
use serde::{Deserialize, Serialize};

use super::{KeyRequests, Rejected};
use crate::{
    Layout,
    cost::memory::ObjectBytes,
    interpret::{OpCount, PrecisionReport, RotationSet},
    text::{Table, bytes, seconds},
};

/// Bytes of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// In a file or on the wire.
    pub wire: u64,
    /// Loaded on an engine.
    pub loaded: u64,
}

impl From<ObjectBytes> for Bytes {
    fn from(bytes: ObjectBytes) -> Self {
        Self {
            wire: bytes.container,
            loaded: bytes.loaded,
        }
    }
}

/// An input or output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedObject {
    /// Its shape and encoding.
    pub layout: Layout,
    /// Its level.
    pub level: usize,
    /// Its ciphertexts.
    pub ciphertexts: usize,
    /// Its bytes: of inputs seeded on the wire, unless they are encrypted with the public key.
    pub bytes: Bytes,
}

impl PlannedObject {
    pub(super) fn new(layout: Layout, level: usize, bytes: Bytes) -> Self {
        Self {
            layout,
            level,
            ciphertexts: layout.units(),
            bytes,
        }
    }
}

/// An evaluation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedKey {
    /// The rotation; `None` for relinearization.
    pub rotation: Option<i64>,
    /// The highest level at which it is used, to which it is cut.
    pub level: usize,
    /// Its bytes as a container of its own.
    pub bytes: Bytes,
}

/// Estimated times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeEstimate {
    /// Where the times of single operations come from.
    pub table: String,
    /// Threads that the engine had when they were measured.
    pub threads: usize,
    /// Seconds of all steps one after the other, each with all threads of the engine.
    pub work_seconds: f64,
    /// Seconds of the longest chain of dependent steps: what remains with unlimited cores.
    pub critical_path_seconds: f64,
    /// Seconds of encoding the constants, which only the first run pays.
    pub encoding_seconds: f64,
}

/// What running a circuit takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    #[serde(with = "spec")]
    pub(super) parameters: Parameters,
    pub(super) asked_bits: f64,
    pub(super) levels_needed: usize,
    pub(super) key_requests: KeyRequests,
    pub(super) keys: Vec<PlannedKey>,
    pub(super) key_set_bytes: Bytes,
    pub(super) inputs: BTreeMap<String, PlannedObject>,
    pub(super) outputs: BTreeMap<String, PlannedObject>,
    pub(super) precision: PrecisionReport,
    pub(super) peak_ciphertext_bytes: u64,
    pub(super) constant_bytes: u64,
    pub(super) steps: usize,
    pub(super) calls: usize,
    pub(super) waves: usize,
    pub(super) width: usize,
    pub(super) time: TimeEstimate,
    pub(super) count: OpCount,
    pub(super) rotations: RotationSet,
    pub(super) rejected: Vec<Rejected>,
}

impl Plan {
    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Levels that the circuit needs.
    pub fn levels_needed(&self) -> usize {
        self.levels_needed
    }

    /// The keys to make, with their level budgets.
    pub fn key_requests(&self) -> &KeyRequests {
        &self.key_requests
    }

    /// Every key with its bytes.
    pub fn keys(&self) -> &[PlannedKey] {
        &self.keys
    }

    /// Bytes of the set of all keys, as one container and loaded.
    pub fn key_set_bytes(&self) -> Bytes {
        self.key_set_bytes
    }

    /// The inputs by name; those that no output depends on are left out.
    pub fn inputs(&self) -> &BTreeMap<String, PlannedObject> {
        &self.inputs
    }

    /// The outputs by name.
    pub fn outputs(&self) -> &BTreeMap<String, PlannedObject> {
        &self.outputs
    }

    /// Bytes of all inputs.
    pub fn input_bytes(&self) -> Bytes {
        total(self.inputs.values().map(|o| o.bytes))
    }

    /// Bytes of all outputs.
    pub fn output_bytes(&self) -> Bytes {
        total(self.outputs.values().map(|o| o.bytes))
    }

    /// The predicted precision.
    pub fn precision(&self) -> &PrecisionReport {
        &self.precision
    }

    /// The most bytes of ciphertexts alive at once in a run: what [`crate::run::RunReport`] will say.
    pub fn peak_ciphertext_bytes(&self) -> u64 {
        self.peak_ciphertext_bytes
    }

    /// Bytes of all encoded constants.
    pub fn constant_bytes(&self) -> u64 {
        self.constant_bytes
    }

    /// Bytes on the engine while the circuit runs: keys, ciphertexts and constants, without what the engine uses inside an operation.
    pub fn loaded_bytes(&self) -> u64 {
        self.key_set_bytes.loaded + self.peak_ciphertext_bytes + self.constant_bytes
    }

    /// Steps of the program.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Calls of the evaluator, with batching.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Waves: steps on the longest chain.
    pub fn waves(&self) -> usize {
        self.waves
    }

    /// The most calls of a wave, which can run side by side.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Estimated times.
    pub fn time(&self) -> &TimeEstimate {
        &self.time
    }

    /// Operations by kind and level, with their costs.
    pub fn count(&self) -> &OpCount {
        &self.count
    }

    /// The rotations.
    pub fn rotations(&self) -> &RotationSet {
        &self.rotations
    }

    /// Parameters that were considered and not taken.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }
}

fn total(all: impl Iterator<Item = Bytes>) -> Bytes {
    all.fold(Bytes::default(), |sum, b| Bytes {
        wire: sum.wire + b.wire,
        loaded: sum.loaded + b.loaded,
    })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "parameters       {}", self.parameters)?;
        for rejected in &self.rejected {
            writeln!(f, "  not taken      {rejected}")?;
        }
        writeln!(f, "levels needed    {}", self.levels_needed)?;
        writeln!(f, "\n{}\n", self.precision)?;
        let mut table = Table::new(["object", "level", "ciphertexts", "sent", "loaded"]);
        let all = [("input", &self.inputs), ("output", &self.outputs)];
        for (what, objects) in all {
            for (name, object) in objects {
                table.row([
                    format!("{what} {name:?}: {}", object.layout),
                    object.level.to_string(),
                    object.ciphertexts.to_string(),
                    bytes(object.bytes.wire),
                    bytes(object.bytes.loaded),
                ]);
            }
        }
        table.row([
            format!("{} evaluation keys", self.keys.len()),
            self.keys
                .iter()
                .map(|k| k.level)
                .max()
                .map_or("-".into(), |l| l.to_string()),
            "-".into(),
            bytes(self.key_set_bytes.wire),
            bytes(self.key_set_bytes.loaded),
        ]);
        writeln!(f, "{table}")?;
        writeln!(f, "peak ciphertexts {}", bytes(self.peak_ciphertext_bytes))?;
        writeln!(f, "constants        {}", bytes(self.constant_bytes))?;
        writeln!(
            f,
            "steps            {} in {} calls, {} waves, the widest of {} calls",
            self.steps, self.calls, self.waves, self.width
        )?;
        writeln!(f, "work             {}", seconds(self.time.work_seconds))?;
        writeln!(
            f,
            "critical path    {}",
            seconds(self.time.critical_path_seconds)
        )?;
        writeln!(
            f,
            "constants, once  {}",
            seconds(self.time.encoding_seconds)
        )?;
        write!(
            f,
            "times from       {} ({} threads)",
            self.time.table, self.time.threads
        )
    }
}

/// Parameters as their specification. A plan makes no ciphertexts, so sets for tests are read too.
mod spec {
    use arras_ckks::{Parameters, params::ParametersSpec};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        parameters: &Parameters,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        parameters.spec().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Parameters, D::Error> {
        let spec = ParametersSpec::deserialize(deserializer)?;
        Parameters::from_spec_allowing_insecure(spec).map_err(D::Error::custom)
    }
}
