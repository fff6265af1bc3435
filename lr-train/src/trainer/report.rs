//! What a plan will cost, before there are keys.

use std::fmt;

use arras_toolkit::{
    circuit::Summing,
    interpret::BrokenAssumption,
    plan::{ServerMemory, TimeEstimate},
    text::{Table, UNKNOWN, bytes, line, seconds},
};
use serde::{Deserialize, Serialize};

use super::{
    ClientCost, TrainingPlan,
    doubt::Doubt,
    forecast::{Forecast, maybe_number},
    predict::Sample,
};
use crate::circuits::{Kind, LARGEST_VALUE};

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
    /// Bytes of all results that the server sends back, counted likewise.
    pub result_bytes: u64,
    /// What the client's own work takes.
    pub client: ClientCost,
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

impl From<&TimeEstimate> for EngineSeconds {
    fn from(time: &TimeEstimate) -> Self {
        Self {
            engine: time.table.clone(),
            threads: time.threads,
            seconds: time.seconds(),
        }
    }
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
    #[serde(with = "maybe_number")]
    pub predicted_error: Option<f64>,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// What it was predicted from.
    pub predicted_from: Option<Sample>,
    /// The first assumption of a circuit that these rows break, if they are those that the plan was made for.
    pub broken: Option<BrokenAssumption>,
    /// What the training does to the rows that the plan was made for; none if they were not given.
    pub forecast: Option<Forecast>,
    /// What the circuits assume of their values.
    pub assumed: Assumed,
}

/// What the circuits assume of their values, so that encrypted ones have bounds. [`Forecast`] says how far the plan's rows go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Assumed {
    /// Weights, gradients and inputs are at most this in magnitude.
    pub largest_value: f64,
    /// Scores lie between minus this and this: the interval of the polynomial in place of the sigmoid.
    pub interval: f64,
}

impl Assumed {
    pub(super) fn of(plan: &TrainingPlan) -> Self {
        Self {
            largest_value: LARGEST_VALUE,
            interval: plan.settings().activation.bound(),
        }
    }
}

impl PlanReport {
    /// What is wrong with the training, as far as it can be known.
    pub fn doubts(&self) -> Vec<Doubt> {
        match (&self.forecast, self.predicted_error) {
            (Some(forecast), error) => {
                let mut doubts = forecast.doubts(error);
                // What the twin sees says more of it.
                if !doubts.iter().any(Doubt::is_broken_assumption) {
                    let broken = self.broken.clone();
                    doubts.extend(broken.map(|broken| Doubt::Assumption { broken }));
                }
                doubts
            }
            (None, Some(error)) if !error.is_finite() => vec![Doubt::NoError { error }],
            _ => vec![],
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "circuit", self.kind)?;
        line(f, "ring degree N", format_args!("2^{}", self.log_n))?;
        line(f, "levels", self.levels)?;
        line(f, "digits (dnum)", self.dnum)?;
        let bound = match self.log2_qp_bound {
            Some(bound) => format!(" of at most {bound} for 128 bits"),
            None => ": INSECURE, FOR TESTS ONLY".to_owned(),
        };
        line(f, "log2(QP)", format_args!("{:.1}{bound}", self.log2_qp))?;
        let (rounds, longest) = (self.rounds.len(), self.rounds.iter().max());
        let of = longest.copied().unwrap_or(0);
        let each = if self.rounds.iter().any(|&round| round != of) {
            format!("up to {of}")
        } else {
            of.to_string()
        };
        line(f, "rounds", format_args!("{rounds} of {each} iterations"))?;
        line(f, "rotation sums", self.summing.name())?;
        let (file, loaded) = (bytes(self.key_file_bytes), bytes(self.memory.keys));
        let keys = format!("{}, {file} in a file, {loaded} loaded", self.keys);
        line(f, "evaluation keys", keys)?;
        line(f, "data to send", bytes(self.data_bytes))?;
        if self.state_bytes > 0 {
            line(f, "states to send", bytes(self.state_bytes))?;
        }
        line(f, "results to fetch", bytes(self.result_bytes))?;
        line(f, "client", self.client)?;
        let memory = bytes(self.memory.total());
        line(
            f,
            "server memory",
            format_args!("{memory}: {}", self.memory),
        )?;
        let Operations {
            products,
            key_switches,
        } = self.operations;
        let operations = format!("{products} products, {key_switches} key switches");
        line(f, "operations", operations)?;
        for of in &self.seconds {
            let (time, engine, threads) = (seconds(of.seconds), &of.engine, of.threads);
            line(
                f,
                "time",
                format_args!("{time} on {engine} ({threads} threads)"),
            )?;
        }
        if let (true, Some(most)) = (self.beyond_longest_run, self.kind.longest_run()) {
            let kind = self.kind;
            let warning = format!("{kind} is numerically safe for {most} iterations only");
            line(f, "WARNING", warning)?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.chosen)?;
        if let Some(error) = self.predicted_error {
            let from = self
                .predicted_from
                .filter(|from| from.rows < self.minibatch);
            let from = from.map_or(String::new(), |from| {
                format!(
                    ", estimated from {} of {} rows of each minibatch",
                    from.rows, self.minibatch
                )
            });
            line(
                f,
                "predicted error",
                format_args!("{error:.1e} in any weight{from}"),
            )?;
        }
        let Assumed {
            largest_value,
            interval,
        } = self.assumed;
        let assumed = format!(
            "weights, gradients and inputs up to {largest_value}, scores between -{interval} and {interval}"
        );
        line(f, "assumed", assumed)?;
        if let Some(forecast) = &self.forecast {
            write!(f, "{forecast}")?;
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
                let time = c.seconds.first().map(|s| seconds(s.seconds));
                table.row([
                    c.kind.name().to_owned(),
                    ring(c.log_n),
                    c.levels.to_string(),
                    time.unwrap_or(UNKNOWN.to_owned()),
                    bytes(c.data_bytes),
                    bytes(c.key_file_bytes),
                ]);
            }
            write!(f, "\n{table}")?;
        }
        Ok(())
    }
}
