//! The plan itself.

use std::{collections::BTreeMap, fmt};

use arras_ckks::Parameters;
use serde::{Deserialize, Serialize};

use super::{KeyRequests, Rejected, ServerMemory};
use crate::{
    Layout, OpCount, RotationSet,
    cost::memory::ObjectBytes,
    interpret::{PlannedAssumption, PredictedPrecision},
    text::{Table, bytes, line, magnitude, seconds},
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
#[non_exhaustive]
pub struct PlannedObject {
    /// Its shape and encoding.
    pub layout: Layout,
    /// Its level.
    pub level: usize,
    /// What its values are at most in magnitude: of an input the range of the samples, of an output what follows from it. `None` where no
    /// samples were given.
    pub largest: Option<f64>,
    /// Its ciphertexts.
    pub ciphertexts: usize,
    /// Its bytes: of inputs seeded on the wire, unless they are encrypted with the public key.
    pub bytes: Bytes,
}

impl PlannedObject {
    pub(super) fn new(layout: Layout, level: usize, largest: Option<f64>, bytes: Bytes) -> Self {
        Self {
            layout,
            level,
            largest,
            ciphertexts: layout.units(),
            bytes,
        }
    }
}

/// An evaluation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct TimeEstimate {
    /// Where the times of single operations come from.
    pub table: String,
    /// Threads that the engine had when they were measured.
    pub threads: usize,
    /// Seconds of all steps of all runs one after the other, each with all threads of the engine.
    pub work_seconds: f64,
    /// Seconds of the longest chain of dependent steps, all runs together: what remains with unlimited cores.
    pub critical_path_seconds: f64,
    /// Seconds of encoding each run's constants; what runs again with the same constants has them encoded.
    pub encoding_seconds: f64,
}

impl TimeEstimate {
    /// Steps and encoding.
    pub fn seconds(&self) -> f64 {
        self.work_seconds + self.encoding_seconds
    }
}

/// What a stage takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedStage {
    /// Its runs.
    pub times: usize,
    /// Levels that it needs.
    pub levels_needed: usize,
    /// Inputs of a run by name; those that no output depends on are left out.
    pub inputs: BTreeMap<String, PlannedObject>,
    /// Outputs of a run by name.
    pub outputs: BTreeMap<String, PlannedObject>,
    /// What the circuit assumes of its values, on which the bounds rely.
    pub assumptions: Vec<PlannedAssumption>,
    /// The predicted precision; none if none was asked for.
    pub precision: Option<PredictedPrecision>,
    /// Memory of the server, keys apart.
    pub memory: ServerMemory,
    /// The most bytes of ciphertexts alive at once in a run: what [`crate::run::RunReport`] will say.
    pub peak_ciphertext_bytes: u64,
    /// Bytes of all encoded constants.
    pub constant_bytes: u64,
    /// Steps of the program.
    pub steps: usize,
    /// Calls of the evaluator, with batching.
    pub calls: usize,
    /// Waves: steps on the longest chain.
    pub waves: usize,
    /// The most calls of a wave, which can run side by side.
    pub width: usize,
    /// Operations by kind and level, with their costs.
    pub count: OpCount,
    /// The rotations.
    pub rotations: RotationSet,
}

/// What running one program or several takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    #[serde(with = "spec")]
    pub(super) parameters: Parameters,
    pub(super) asked_bits: Option<f64>,
    pub(super) levels_needed: usize,
    pub(super) key_requests: KeyRequests,
    pub(super) keys: Vec<PlannedKey>,
    pub(super) key_set_bytes: Bytes,
    pub(super) memory: ServerMemory,
    pub(super) times: Vec<TimeEstimate>,
    pub(super) stages: Vec<PlannedStage>,
    pub(super) rejected: Vec<Rejected>,
}

impl Plan {
    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Levels that the deepest stage needs.
    pub fn levels_needed(&self) -> usize {
        self.levels_needed
    }

    /// The keys to make for all stages, with their level budgets.
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

    /// Memory of the server's process, with the CPU engine, in the stage that takes the most.
    pub fn memory(&self) -> ServerMemory {
        self.memory
    }

    /// What each stage takes.
    pub fn stages(&self) -> &[PlannedStage] {
        &self.stages
    }

    /// Bytes of the inputs of all runs.
    pub fn input_bytes(&self) -> Bytes {
        self.total(|stage| &stage.inputs)
    }

    /// Bytes of the outputs of all runs.
    pub fn output_bytes(&self) -> Bytes {
        self.total(|stage| &stage.outputs)
    }

    fn total(&self, objects: impl Fn(&PlannedStage) -> &BTreeMap<String, PlannedObject>) -> Bytes {
        let mut sum = Bytes::default();
        for stage in &self.stages {
            for object in objects(stage).values() {
                sum.wire += stage.times as u64 * object.bytes.wire;
                sum.loaded += stage.times as u64 * object.bytes.loaded;
            }
        }
        sum
    }

    /// The least predicted bits after the point of any output; none if no precision was asked for.
    pub fn bits(&self) -> Option<f64> {
        let bits = self.stages.iter().filter_map(|s| s.precision.as_ref());
        bits.map(PredictedPrecision::bits).reduce(f64::min)
    }

    /// Estimated times by the first table of costs: what parameters were chosen by.
    pub fn time(&self) -> &TimeEstimate {
        &self.times[0]
    }

    /// Estimated times, one for each engine of which there are costs.
    pub fn times(&self) -> &[TimeEstimate] {
        &self.times
    }

    /// Parameters that were considered and not taken.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "parameters", &self.parameters)?;
        for rejected in &self.rejected {
            line(f, "  not taken", rejected)?;
        }
        line(f, "levels needed", self.levels_needed)?;
        for (index, stage) in self.stages.iter().enumerate() {
            if self.stages.len() > 1 {
                let (number, times) = (index + 1, stage.times);
                writeln!(f, "\nstage {number}, {times} times")?;
            }
            stage.fmt(f)?;
        }
        let (count, set, memory) = (self.keys.len(), self.key_set_bytes, self.memory);
        let (wire, loaded) = (bytes(set.wire), bytes(set.loaded));
        let keys = format!("{count}, {wire} in a file, {loaded} loaded");
        line(f, "evaluation keys", keys)?;
        let memory = format!("{}: {memory}", bytes(memory.total()));
        line(f, "server memory", memory)?;
        for (index, time) in self.times.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            line(f, "work", seconds(time.work_seconds))?;
            line(f, "critical path", seconds(time.critical_path_seconds))?;
            line(f, "constants, once", seconds(time.encoding_seconds))?;
            let (table, threads) = (&time.table, time.threads);
            write!(f, "{:<16} {table} ({threads} threads)", "times from")?;
        }
        Ok(())
    }
}

impl fmt::Display for PlannedStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(precision) = &self.precision {
            writeln!(f, "\n{precision}\n")?;
        }
        let heads = ["object", "level", "up to", "ciphertexts", "sent", "loaded"];
        let mut table = Table::new(heads);
        let all = [("input", &self.inputs), ("output", &self.outputs)];
        for (what, objects) in all {
            for (name, object) in objects {
                table.row([
                    format!("{what} {name:?}: {}", object.layout),
                    object.level.to_string(),
                    object.largest.map_or("-".into(), magnitude),
                    object.ciphertexts.to_string(),
                    bytes(object.bytes.wire),
                    bytes(object.bytes.loaded),
                ]);
            }
        }
        writeln!(f, "{table}")?;
        for assumption in &self.assumptions {
            line(f, "assumed", assumption)?;
        }
        line(f, "peak ciphertexts", bytes(self.peak_ciphertext_bytes))?;
        line(f, "constants", bytes(self.constant_bytes))?;
        let (steps, calls, waves, width) = (self.steps, self.calls, self.waves, self.width);
        let steps = format!("{steps} in {calls} calls, {waves} waves, the widest of {width} calls");
        line(f, "steps", steps)
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
