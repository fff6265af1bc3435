//! One circuit: plan, keys, encryption, training, decryption.

use std::time::Instant;

use arras::{
    Engine, SecretBackend,
    ckks::{Context, Parameters},
    toolkit::{Program, text},
};
use lr_train::{
    circuits::Kind,
    metrics::Quality,
    plain::History,
    report::{CircuitRow, CircuitShape, PlanSummary, Side, Stage, ThreadSeconds, Timing},
    trainer::{
        DataOwner, PlanReport, PlannerOptions, TrainingKeys, TrainingPlan, TrainingServer,
        plan as plan_training,
    },
};
use ndarray::Array1;

use super::{MINIBATCH, Material, SCHEME, settings};
use crate::{failure::Failure, output::Output, signals};

/// What one encrypted run gave.
pub(super) struct Outcome {
    pub(super) weights: Array1<f64>,
    /// The largest difference of a weight from training in the clear.
    pub(super) error: f64,
    pub(super) plan: PlanSummary,
    pub(super) shape: CircuitShape,
    pub(super) params: Parameters,
    pub(super) program: Program,
    pub(super) stages: Vec<Stage>,
    /// Seconds of training alone.
    seconds: f64,
    /// Seconds of everything.
    pub(super) elapsed: f64,
}

pub(super) fn plan(
    data: &Material,
    kind: Kind,
    iterations: usize,
) -> Result<(TrainingPlan, PlanReport), Failure> {
    let settings = settings(iterations).circuit(kind);
    Ok(plan_training(
        &settings,
        data.z.ncols(),
        data.train.rows(),
        &PlannerOptions::default().with_stop_token(signals::token()),
    )?)
}

/// Keys of a plan, on a context that signals stop.
pub(super) fn make_keys(
    plan: &TrainingPlan,
) -> Result<(DataOwner<SecretBackend>, TrainingKeys), Failure> {
    let context = Context::new(plan.params(), arras::secret_backend())?;
    let context = context.with_stop_token(signals::token());
    Ok(DataOwner::generate_on(plan.clone(), &context, |_| ())?)
}

/// Times one after the other.
pub(super) struct Stages {
    clock: Instant,
    pub(super) done: Vec<Stage>,
}

impl Stages {
    pub(super) fn new() -> Self {
        Self {
            clock: Instant::now(),
            done: vec![],
        }
    }

    pub(super) fn done(&mut self, name: &str, side: Side, bytes: Option<u64>) -> f64 {
        let seconds = self.clock.elapsed().as_secs_f64();
        self.done.push(Stage::new(name, side, seconds, bytes));
        self.clock = Instant::now();
        seconds
    }
}

/// One training with fresh keys at the circuit's smallest secure parameters.
pub(super) fn train(
    data: &Material,
    (plan, report): (TrainingPlan, PlanReport),
    engine: &Engine,
    history: &History,
    output: &Output,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let summary = PlanSummary::new(&plan, &report);
    let round = plan.round(0)?;
    let mut stages = Stages::new();
    let (owner, keys) = make_keys(&plan)?;
    stages.done("make keys", Side::Client, Some(summary.key_bytes));
    let prepared = owner.prepare(&data.train, SCHEME)?;
    let sent = owner.encrypt_round(&prepared, 0)?;
    stages.done("encrypt", Side::Client, Some(summary.input_bytes));
    let (progress, options) = output.watched("training");
    let options = options.with_stop_token(signals::token());
    let server = TrainingServer::new(plan, keys, engine.backend().clone(), options)?;
    stages.done("load keys", Side::Server, None);
    let result = server.train(&sent, None)?;
    drop(progress);
    let whole = stages.done("train", Side::Server, None);
    let weights = owner.decrypt_state(prepared.record(), &result)?.w;
    stages.done("decrypt", Side::Client, None);
    let iterations = round.circuit.spec().iterations();
    Ok(Outcome {
        error: error_after(history, iterations, &weights),
        shape: CircuitShape::of(round.circuit.spec().kind.name(), &round.program),
        params: owner.plan().params().clone(),
        program: round.program.clone(),
        stages: stages.done,
        seconds: result.report.map_or(whole, |report| report.seconds),
        elapsed: started.elapsed().as_secs_f64(),
        plan: summary,
        weights,
    })
}

/// The largest difference of a weight from training in the clear after as many iterations.
pub(super) fn error_after(history: &History, iterations: usize, weights: &Array1<f64>) -> f64 {
    let clear = weights_after(history, iterations).unwrap_or(weights);
    let differences = (weights - clear).into_iter().map(f64::abs);
    differences.fold(0.0, f64::max)
}

/// The weights of training in the clear after so many iterations.
pub(super) fn weights_after(history: &History, iterations: usize) -> Option<&Array1<f64>> {
    let iteration = history.iterations().get(iterations.checked_sub(1)?)?;
    Some(&iteration.weights)
}

impl Outcome {
    /// A line while the demo runs.
    pub(super) fn summary(&self, data: &Material) -> Result<String, Failure> {
        let quality = data.quality(&self.weights)?;
        let plan = &self.plan;
        Ok(format!(
            "{:<23} N = 2^{}, {:>2} levels, keys {:>10}, data {:>10}: trained in {:>7} of {:>7}, accuracy {}, weights within {:.0e}",
            plan.circuit,
            plan.log_n,
            plan.levels,
            text::bytes(plan.key_bytes),
            text::bytes(plan.input_bytes),
            text::seconds(self.seconds),
            text::seconds(self.elapsed),
            text::percent(quality.accuracy),
            self.error
        ))
    }

    pub(super) fn row(&self, work: f64, critical: f64, quality: &Quality) -> CircuitRow {
        let timing = Timing::Measured { runs: 1 };
        let mut row = CircuitRow::new(&self.shape, &self.params, timing);
        row.iterations = self.plan.iterations;
        row.minibatch = MINIBATCH;
        row.input_bytes = self.plan.input_bytes;
        row.key_bytes = self.plan.key_bytes;
        row.seconds = vec![ThreadSeconds {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            seconds: self.seconds,
        }];
        row.critical_seconds = Some(critical);
        row.work_seconds = Some(work);
        row.weight_error = Some(self.error);
        row.accuracy = Some(quality.accuracy);
        row.auc = quality.auc;
        row
    }
}
