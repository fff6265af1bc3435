//! One training circuit on encrypted data: parameters, plan, keys, runs, decryption.

use std::collections::BTreeMap;

use arras::{
    CpuEngine,
    ckks::{Context, Parameters},
    toolkit::{
        Bindings, Cleartext, Plan, PlanOptions, Program, Samples, Stage, Value,
        circuit::Summing,
        cost::{CostTable, MeasureOptions},
        plan,
        run::{Batching, Options},
    },
};
use lr_train::{
    circuits::{Kind, Start, TrainingCircuit},
    plain::Examples,
    report::{Machine, peak_memory},
    trainer::{ErrorsFor, PlannerOptions, Settings},
};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    fixture::{Workload, send, values},
    process::reset_peak_memory,
    timing::Timing,
};

/// A circuit in the smallest ring that holds it, with the smallest secure parameters.
pub(crate) struct Smallest {
    pub(crate) training: TrainingCircuit,
    pub(crate) program: Program,
    pub(crate) params: Parameters,
}

impl Smallest {
    /// From zero to a model, in plain minibatches at a constant rate. Sums of rotations are added up in the given way, or in the fastest
    /// with one thread, by the costs that come with the toolkit.
    pub(crate) fn of(
        kind: Kind,
        features: usize,
        minibatch: usize,
        iterations: usize,
        summing: Option<Summing>,
    ) -> Result<Self> {
        let settings = Settings::new(minibatch, iterations).circuit(kind);
        let options = PlannerOptions::new().threads(1).errors(ErrorsFor::Nothing);
        let (plan, _) = lr_train::trainer::plan(&settings, features, minibatch, &options)?;
        let mut training = plan.round(0)?.circuit.clone();
        if let Some(summing) = summing {
            training = TrainingCircuit::record(training.spec().clone().summing(summing))?;
        }
        Ok(Self {
            program: Program::new(training.circuit().clone()),
            params: plan.params().clone(),
            training,
        })
    }

    /// Levels of the same iterations from an encrypted start, as a later round has it.
    pub(crate) fn depth_from_encrypted_start(&self) -> Result<usize> {
        let spec = self.training.spec().clone().start(Start::Encrypted);
        let training = TrainingCircuit::record(spec)?;
        Ok(Program::new(training.circuit().clone()).levels_needed())
    }

    /// What it will take, by a cost table.
    pub(crate) fn plan(&self, inputs: &Bindings<Value>, costs: &CostTable) -> Result<Plan> {
        // Any precision will do: what it is gets measured.
        let options = PlanOptions::new(f64::MIN, Samples::given(inputs.clone()))
            .parameters(&self.params)
            .costs(costs.clone())
            .trials(1);
        Ok(plan(&[Stage::once(&self.program)], &options)?)
    }
}

/// What a training is measured with where values do not matter.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    iterations: usize,
    /// Of each minibatch.
    rows: usize,
    /// Features, the intercept among them.
    features: usize,
}

/// As many rows and features as MNIST 3 against 8 at half resolution.
pub(crate) const MNIST: Size = Size {
    iterations: 6,
    rows: 64,
    features: 196,
};

/// Whether everything works.
pub(crate) const TINY: Size = Size {
    iterations: 2,
    rows: 8,
    features: 9,
};

/// A circuit, its keys and encrypted uniform data: no operation's time depends on values.
pub(crate) struct Prepared {
    pub(crate) circuit: Smallest,
    pub(crate) workload: Workload,
    pub(crate) iterations: usize,
}

impl Prepared {
    pub(crate) fn new(kind: Kind, size: Size) -> Result<Self> {
        let Size {
            iterations,
            rows,
            features,
        } = size;
        let circuit = Smallest::of(kind, features, rows, iterations, None)?;
        let minibatches: Vec<Examples> = (0..iterations)
            .map(|at| {
                // Rows of a length at which the model stays small.
                let data = values(at as u8, rows * features);
                let scale = 1.0 / (features as f64).sqrt();
                Array2::from_shape_vec((rows, features), data).map(|data| (data * scale).into())
            })
            .collect::<std::result::Result<_, _>>()?;
        let inputs = circuit.training.inputs(&minibatches, None)?;
        let (_, workload) = send(&circuit.program, &circuit.params, &inputs)?;
        Ok(Self {
            circuit,
            workload,
            iterations,
        })
    }
}

/// The most memory that the process has while a server runs once, in bytes: loaded keys, inputs, values, scratch, without what only
/// the client has. It is right in a process that did nothing else before and whose allocator gives back what is freed.
pub(crate) fn peak_of_run(workload: Workload, threads: usize) -> Result<Option<u64>> {
    let loaded = workload.on_threads(threads)?;
    drop(workload);
    reset_peak_memory();
    loaded.run()?;
    Ok(peak_memory())
}

/// How a run was done, and its seconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct RunTimes {
    /// Threads of the engine, and calls side by side.
    pub(crate) threads: usize,
    /// Whether steps of one kind in a wave became one call.
    pub(crate) batched: bool,
    /// Wall time of every run after the first.
    pub(crate) wall: Timing,
    /// Work of the median run: the time of all calls together.
    pub(crate) work: f64,
}

/// What encrypted runs gave.
pub(crate) struct Outcome {
    pub(crate) weights: Array1<f64>,
    /// The largest difference of a weight from those of the plaintext interpretation of the same program.
    pub(crate) error: f64,
    pub(crate) times: Vec<RunTimes>,
    /// The most bytes of ciphertexts alive at once.
    pub(crate) peak_ciphertext_bytes: usize,
}

impl Outcome {
    /// The fastest way with this many threads.
    pub(crate) fn fastest(&self, threads: usize) -> Option<&RunTimes> {
        let of = self.times.iter().filter(|t| t.threads == threads);
        of.min_by(|a, b| a.wall.median.total_cmp(&b.wall.median))
    }
}

/// The largest absolute difference of two lists of one length.
pub(crate) fn largest_difference<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
) -> f64 {
    let pairs = a.into_iter().zip(b);
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

/// Trains on ciphertexts: for each number of threads, batched and not, `runs` times after a warm-up.
pub(crate) fn train(
    circuit: &Smallest,
    minibatches: &[Examples],
    threads: &[usize],
    runs: usize,
) -> Result<Outcome> {
    let inputs = circuit.training.inputs(minibatches, None)?;
    let twin = Cleartext::run(&circuit.program, &inputs)?.outputs;
    let (twin, _) = circuit.training.weights(|name| twin.get(name))?;
    let (owner, workload) = send(&circuit.program, &circuit.params, &inputs)?;
    let mut times = Vec::new();
    let mut peak_ciphertext_bytes = 0;
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for &threads in threads {
        for batching in [Batching::Waves, Batching::Off] {
            let options = Options::new().batching(batching).side_by_side(threads);
            let loaded = workload.on_threads_with(threads, options)?;
            let warm_up = loaded.run()?;
            peak_ciphertext_bytes = warm_up
                .report
                .peak_ciphertext_bytes
                .max(peak_ciphertext_bytes);
            for (name, output) in &warm_up.outputs {
                values.insert(name.clone(), owner.decrypt(output)?);
            }
            drop(warm_up);
            let seen = loaded.reports(runs)?;
            let seconds: Vec<f64> = seen.iter().map(|report| report.seconds).collect();
            if let Some(middle) = seen.get(runs / 2) {
                times.push(RunTimes {
                    threads,
                    batched: batching == Batching::Waves,
                    wall: Timing::of(&seconds),
                    work: middle.work_seconds,
                });
            }
        }
    }
    let (weights, _) = circuit.training.weights(|name| values.get(name))?;
    Ok(Outcome {
        error: largest_difference(&weights, &twin),
        weights,
        times,
        peak_ciphertext_bytes,
    })
}

/// Times of single operations, measured here and now for about this many seconds.
pub(crate) fn measured_costs(
    params: &Parameters,
    threads: usize,
    seconds: f64,
) -> Result<CostTable> {
    let context = Context::new(params, CpuEngine::with_threads(threads)?)?;
    let options = MeasureOptions {
        seconds,
        ..MeasureOptions::new(params.max_level(), threads, Machine::here().cpu)
    };
    Ok(CostTable::measure(&context, &options)?)
}
