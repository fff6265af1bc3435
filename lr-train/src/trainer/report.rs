//! What a plan will cost, before there are keys.

use std::fmt;

use arras_toolkit::{
    circuit::Summing,
    plan::ServerMemory,
    text::{Table, UNKNOWN, bytes, seconds},
};
use serde::{Deserialize, Serialize};

use crate::circuits::Kind;

/// How many operations of the costly kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Operations {
    /// Products of two ciphertexts.
    pub products: usize,
    /// Relinearizations and rotations, of each ciphertext.
    pub key_switches: usize,
}

/// A circuit with the smallest secure parameters that hold it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
pub struct PlanReport {
    /// What the plan takes.
    pub chosen: Candidate,
    /// Everything that was weighed, the chosen one first: by rounds if as few as possible were asked for, then by time.
    pub candidates: Vec<Candidate>,
    /// How many iterations fit each circuit and ring.
    pub capacity: Vec<Capacity>,
    /// The predicted largest error of any weight; none if none was asked for.
    pub predicted_error: Option<f64>,
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
            "evaluation keys  {}, {} in a file, {} loaded",
            self.keys,
            bytes(self.key_file_bytes),
            bytes(self.memory.keys)
        )?;
        writeln!(f, "data to send     {}", bytes(self.data_bytes))?;
        if self.state_bytes > 0 {
            writeln!(f, "states to send   {}", bytes(self.state_bytes))?;
        }
        writeln!(
            f,
            "server memory    {}: {}",
            bytes(self.memory.total()),
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
                "time             {} on {} ({} threads)",
                seconds(engine.seconds),
                engine.engine,
                engine.threads
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
        let ring = |log_n: u32| format!("2^{log_n}");
        let head = rings.iter().copied().map(ring);
        let mut fits = Table::new(["iterations that fit".to_owned()].into_iter().chain(head));
        for kind in Kind::ALL {
            let of_kind = self.capacity.iter().filter(|c| c.kind == kind);
            let cells = of_kind.map(|c| c.iterations.map_or("-".to_owned(), |n| n.to_string()));
            let cells: Vec<String> = cells.collect();
            if !cells.is_empty() {
                fits.row([kind.name().to_owned()].into_iter().chain(cells));
            }
        }
        write!(f, "\n{fits}")?;
        if self.candidates.len() > 1 {
            let mut table = Table::new(["circuit", "N", "levels", "time", "data", "keys"]);
            for c in &self.candidates {
                table.row([
                    c.kind.name().to_owned(),
                    ring(c.log_n),
                    c.levels.to_string(),
                    c.seconds
                        .first()
                        .map_or(UNKNOWN.to_owned(), |s| seconds(s.seconds)),
                    bytes(c.data_bytes),
                    bytes(c.key_file_bytes),
                ]);
            }
            write!(f, "\n{table}")?;
        }
        Ok(())
    }
}
