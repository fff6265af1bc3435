//! One training circuit: parameters, plan, keys, runs, decryption.

use std::{collections::BTreeMap, fs, sync::Arc};

use arras::{
    CpuEngine,
    ckks::{
        Ciphertext, Context, Evaluator, Parameters, SecretKey, params::LevelWidth, random::Seed,
    },
    toolkit::{
        Bindings, Client, Encrypted, Homomorphic, Plaintext, Plan, PlanOptions, Program, Samples,
        Stage, Value,
        circuit::Summing,
        cost::CostTable,
        plan,
        run::{Batching, Options},
    },
};
use lr_train::circuits::{Spec, Start, TrainingCircuit};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    report::{peak_memory, reset_peak_memory},
};

/// log2 of the ring degrees that are tried, the smallest first.
const RINGS: std::ops::RangeInclusive<u32> = 13..=17;

/// A circuit in the smallest ring that holds it, with the smallest secure parameters.
pub struct Smallest {
    /// The circuit.
    pub training: TrainingCircuit,
    /// Its program.
    pub program: Program,
    /// Its parameters.
    pub params: Parameters,
}

impl Smallest {
    /// Looks for it; the specification's slots are replaced, and its way to add up sums of rotations by the fastest of `ways` with one
    /// thread, by the costs that come with the toolkit.
    ///
    /// # Errors
    /// Why the largest ring does not do.
    pub fn of(spec: &Spec, ways: &[Summing]) -> Result<Self> {
        let mut refused = "no ring".into();
        for log_n in RINGS {
            let spec = Spec {
                slots: 1 << (log_n - 1),
                ..spec.clone()
            };
            let mut best: Option<(f64, Self)> = None;
            for &summing in ways {
                let spec = Spec {
                    summing,
                    ..spec.clone()
                };
                match Self::with(spec) {
                    Ok((seconds, found)) => {
                        if best.as_ref().is_none_or(|(least, _)| seconds < *least) {
                            best = Some((seconds, found));
                        }
                    }
                    Err(error) => refused = error,
                }
            }
            if let Some((_, best)) = best {
                return Ok(best);
            }
        }
        Err(refused)
    }

    /// A circuit with the smallest secure parameters of its ring, and what it costs.
    fn with(spec: Spec) -> Result<(f64, Self)> {
        let training = TrainingCircuit::record(spec)?;
        let program = Program::new(training.circuit().clone());
        let options = PlanOptions::any_precision()
            .level_width(LevelWidth::default())
            .spare_levels(0);
        let plan = plan(&[Stage::once(&program)], &options)?;
        let found = Self {
            training,
            program,
            params: plan.parameters().clone(),
        };
        Ok((plan.time().work_seconds, found))
    }

    /// Levels of the same iterations from an encrypted start, as a later round has it.
    ///
    /// # Errors
    /// None for a circuit that could be recorded.
    pub fn depth_from_encrypted_start(&self) -> Result<usize> {
        let spec = Spec {
            start: Start::Encrypted,
            ..self.training.spec().clone()
        };
        let training = TrainingCircuit::record(spec)?;
        Ok(Program::new(training.circuit().clone()).levels_needed())
    }

    /// What it will take, by a cost table.
    ///
    /// # Errors
    /// The planner's.
    pub fn plan(&self, inputs: &Bindings<Value>, costs: &CostTable) -> Result<Plan> {
        // Any precision will do: what it is gets measured.
        let options = PlanOptions::new(f64::MIN, Samples::given(inputs.clone()))
            .parameters(&self.params)
            .costs(costs.clone())
            .trials(1);
        Ok(plan(&[Stage::once(&self.program)], &options)?)
    }
}

/// How a run was done, and its seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunTimes {
    /// Threads of the engine, and calls side by side.
    pub threads: usize,
    /// Whether steps of one kind in a wave became one call.
    pub batched: bool,
    /// Wall time of every run after the first, in seconds.
    pub seconds: Vec<f64>,
    /// The median of them.
    pub median: f64,
    /// Work of the median run: the time of all calls together.
    pub work: f64,
}

/// What encrypted runs gave.
pub struct Outcome {
    /// The weights.
    pub weights: Array1<f64>,
    /// Those of the plaintext interpretation of the same program.
    pub twin: Array1<f64>,
    /// All timings.
    pub times: Vec<RunTimes>,
    /// The most memory the process had during runs, beyond what it had before there were keys: loaded keys, inputs, values, scratch.
    pub peak_bytes: Option<u64>,
    /// The most bytes of ciphertexts alive at once.
    pub peak_ciphertext_bytes: u64,
}

impl Outcome {
    /// The largest difference of a weight from the twin's.
    pub fn error(&self) -> f64 {
        largest_difference(self.weights.iter(), self.twin.iter())
    }

    /// The fastest way with this many threads.
    pub fn fastest(&self, threads: usize) -> Option<&RunTimes> {
        let of = self.times.iter().filter(|t| t.threads == threads);
        of.min_by(|a, b| a.median.total_cmp(&b.median))
    }
}

/// The largest absolute difference of two lists of one length.
pub fn largest_difference<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
) -> f64 {
    let pairs = a.into_iter().zip(b);
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

/// Trains on ciphertexts: for each number of threads, batched and not, `runs` times after a warm-up. With no runs, only the warm-up of
/// the default way, for its memory.
///
/// # Errors
/// The toolkit's; the operating system's for threads.
pub fn train(
    circuit: &Smallest,
    minibatches: &[Array2<f64>],
    threads: &[usize],
    runs: usize,
) -> Result<Outcome> {
    let Smallest {
        training,
        program,
        params,
    } = circuit;
    let before = resident_memory();
    let inputs = training.inputs(minibatches, None)?;
    let twin = Plaintext::run(program, &inputs)?.outputs;
    let (twin, _) = training.weights(|name| twin.get(name))?;

    let context = Context::new(params, CpuEngine::new())?;
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?;
    let client = Client::with_secret_key(secret)?;
    let keys = client.evaluation_keys(program)?;
    let sent = client.encrypt_inputs(program, &inputs)?;

    let mut outcome = Outcome {
        weights: Array1::zeros(twin.len()),
        twin,
        times: Vec::new(),
        peak_bytes: None,
        peak_ciphertext_bytes: 0,
    };
    let mut outputs = BTreeMap::new();
    let (mut keys, mut sent) = (Some(keys), Some(sent));
    for (at, &count) in threads.iter().enumerate() {
        let server = Context::new(params, CpuEngine::with_threads(count)?)?;
        let mut received: Bindings<Encrypted<CpuEngine>> = Bindings::new();
        for (name, value) in sent.iter().flat_map(Bindings::iter) {
            received.insert(name, value.expand(&server)?);
        }
        let Some(set) = &keys else { break };
        let evaluator = Arc::new(Evaluator::new(&server, set.load(&server)?)?);
        if at + 1 == threads.len() {
            // A server's memory, for the last number of threads: without what only the client has.
            (keys, sent) = (None, None);
            reset_peak_memory();
        }
        let ways: &[Batching] = match runs {
            0 => &[Batching::Waves],
            _ => &[Batching::Waves, Batching::Off],
        };
        for &batching in ways {
            let options = Options::new().batching(batching).side_by_side(count);
            let homomorphic = Homomorphic::with_options(evaluator.clone(), options);
            let warm_up = homomorphic.run(program, &received)?;
            outcome.peak_ciphertext_bytes = outcome
                .peak_ciphertext_bytes
                .max(warm_up.report.peak_ciphertext_bytes as u64);
            let mut seen: Vec<(f64, f64)> = Vec::new();
            outputs = warm_up.outputs;
            for _ in 0..runs {
                let run = homomorphic.run(program, &received)?;
                seen.push((run.report.seconds, run.report.work_seconds));
                outputs = run.outputs;
            }
            let seconds = seen.iter().map(|s| s.0).collect();
            seen.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let Some(&(median, work)) = seen.get(seen.len() / 2) else {
                continue;
            };
            outcome.times.push(RunTimes {
                threads: count,
                batched: batching == Batching::Waves,
                seconds,
                median,
                work,
            });
        }
    }
    outcome.peak_bytes = peak_memory()
        .zip(before)
        .map(|(peak, before)| peak.saturating_sub(before));
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for (name, output) in &outputs {
        // As the client receives it.
        let bytes = output.ciphertext().to_bytes()?;
        let own = Encrypted::new(*output.layout(), Ciphertext::from_bytes(&bytes, &context)?)?;
        values.insert(name.clone(), client.decrypt(&own)?);
    }
    outcome.weights = training.weights(|name| values.get(name))?.0;
    Ok(outcome)
}

/// Bytes of memory that the process has now; none where the system does not say.
fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kib)
}
