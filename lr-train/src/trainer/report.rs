//! What a plan will cost, before there are keys.

use std::fmt;

use arras_toolkit::circuit::Summing;
use serde::{Deserialize, Serialize};

use super::estimate::{Operations, ServerMemory};
use crate::circuits::Kind;

/// A circuit with the smallest secure parameters that hold it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Candidate {
    /// The circuit.
    pub kind: Kind,
    /// log2 of the ring degree.
    pub log_n: u32,
    /// Levels of the parameters: what the deepest round needs.
    pub levels: usize,
    /// Key-switching digits.
    pub dnum: usize,
    /// log2 of the product of all primes.
    pub log2_qp: f64,
    /// The bound on it for 128 bits of security; none for parameters without security.
    pub log2_qp_bound: Option<u32>,
    /// Iterations of each round.
    pub rounds: Vec<usize>,
    /// How sums of rotations are added up: the faster way by the first table of costs.
    pub summing: Summing,
    /// Evaluation keys.
    pub keys: usize,
    /// Bytes of the file of evaluation keys.
    pub key_file_bytes: u64,
    /// Bytes of the encrypted data of all rounds: ciphertexts with their headers, without the file's own header.
    pub data_bytes: u64,
    /// Bytes of all encrypted states that the client sends between rounds, counted likewise.
    pub state_bytes: u64,
    /// Memory on the server.
    pub memory: ServerMemory,
    /// Operations of all rounds.
    pub operations: Operations,
    /// Seconds on the server, all rounds together, by engine.
    pub seconds: Vec<EngineSeconds>,
    /// Whether it has more iterations than it is numerically safe for ([`Kind::longest_run`]).
    pub beyond_longest_run: bool,
}

/// An estimate for one engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EngineSeconds {
    /// Engine, and machine of the measurements.
    pub engine: String,
    /// Its threads.
    pub threads: usize,
    /// Seconds of all rounds.
    pub seconds: f64,
}

/// How many iterations fit a circuit and a ring in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Capacity {
    /// The circuit.
    pub kind: Kind,
    /// log2 of the ring degree.
    pub log_n: u32,
    /// Levels of the ring.
    pub levels: usize,
    /// The most iterations; none if the minibatch is too large for the circuit at this ring.
    pub iterations: Option<usize>,
}

/// What a plan will cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanReport {
    /// What the plan takes.
    pub chosen: Candidate,
    /// Everything that was weighed, the chosen one first: by rounds if as few as possible were asked for, then by time.
    pub candidates: Vec<Candidate>,
    /// How many iterations fit each circuit and ring.
    pub capacity: Vec<Capacity>,
    /// The predicted largest error of any weight; none if nothing predicts it.
    pub predicted_error: Option<f64>,
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The parts, in MiB.
impl fmt::Display for ServerMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "keys {:.0}, inputs {:.0}, values {:.0}, constants {:.0}, scratch {:.0}, received {:.0}, slack {:.0}, process {:.0}",
            mib(self.keys),
            mib(self.inputs),
            mib(self.values),
            mib(self.constants),
            mib(self.scratch),
            mib(self.received),
            mib(self.slack),
            mib(self.process)
        )
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "circuit          {}", self.kind)?;
        writeln!(f, "ring degree N    2^{}", self.log_n)?;
        writeln!(f, "levels           {}", self.levels)?;
        writeln!(f, "digits (dnum)    {}", self.dnum)?;
        match self.log2_qp_bound {
            Some(bound) => writeln!(
                f,
                "log2(QP)         {:.1} of at most {bound} for 128 bits",
                self.log2_qp
            )?,
            None => writeln!(
                f,
                "log2(QP)         {:.1}: INSECURE, FOR TESTS ONLY",
                self.log2_qp
            )?,
        }
        writeln!(f, "rounds           {:?} iterations", self.rounds)?;
        writeln!(f, "rotation sums    {}", self.summing.name())?;
        writeln!(
            f,
            "evaluation keys  {}, {:.1} MiB in a file, {:.1} MiB loaded",
            self.keys,
            mib(self.key_file_bytes),
            mib(self.memory.keys)
        )?;
        writeln!(f, "data to send     {:.1} MiB", mib(self.data_bytes))?;
        if self.state_bytes > 0 {
            writeln!(f, "states to send   {:.1} MiB", mib(self.state_bytes))?;
        }
        writeln!(
            f,
            "server memory    {:.0} MiB: {}",
            mib(self.memory.total()),
            self.memory
        )?;
        writeln!(
            f,
            "operations       {} products, {} key switches",
            self.operations.products, self.operations.key_switches
        )?;
        for engine in &self.seconds {
            writeln!(
                f,
                "time             {:.2} s on {} ({} threads)",
                engine.seconds, engine.engine, engine.threads
            )?;
        }
        if let (true, Some(most)) = (self.beyond_longest_run, self.kind.longest_run()) {
            writeln!(
                f,
                "WARNING          {} is numerically safe for {most} iterations only",
                self.kind
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.chosen)?;
        if let Some(error) = self.predicted_error {
            writeln!(f, "predicted error  {error:.1e} in any weight")?;
        }
        let mut rings: Vec<u32> = self.capacity.iter().map(|c| c.log_n).collect();
        rings.sort_unstable();
        rings.dedup();
        write!(f, "\n{:<24}", "iterations that fit")?;
        for log_n in &rings {
            write!(f, "{:>8}", format!("2^{log_n}"))?;
        }
        for kind in Kind::ALL {
            let of_kind: Vec<&Capacity> = self.capacity.iter().filter(|c| c.kind == kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            write!(f, "\n{:<24}", kind.name())?;
            for capacity in of_kind {
                let most = capacity
                    .iterations
                    .map_or("-".to_owned(), |n| n.to_string());
                write!(f, "{most:>8}")?;
            }
        }
        if self.candidates.len() > 1 {
            write!(
                f,
                "\n\n{:<24}{:>6}{:>8}{:>10}{:>12}{:>12}",
                "circuit", "N", "levels", "seconds", "data MiB", "keys MiB"
            )?;
            for c in &self.candidates {
                let seconds = c.seconds.first().map_or(f64::NAN, |s| s.seconds);
                write!(
                    f,
                    "\n{:<24}{:>6}{:>8}{seconds:>10.2}{:>12.1}{:>12.1}",
                    c.kind.name(),
                    format!("2^{}", c.log_n),
                    c.levels,
                    mib(c.data_bytes),
                    mib(c.key_file_bytes)
                )?;
            }
        }
        Ok(())
    }
}
