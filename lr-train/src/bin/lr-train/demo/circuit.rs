//! One circuit: plan, keys, encryption, training, decryption.

use std::time::Instant;

use arras::{
    Engine,
    ckks::{Parameters, params::max_log2_qp},
    toolkit::{Program, run::Options, text},
};
use lr_train::{
    circuits::Kind,
    metrics::Quality,
    plain::History,
    report::{CircuitRow, CircuitShape, PlanSummary, Side, Stage, ThreadSeconds, Timing},
    trainer::{
        DataOwner, PlanReport, PlannerOptions, TrainingPlan, TrainingServer, plan as plan_training,
    },
};
use ndarray::Array1;

use super::{MINIBATCH, Material, SCHEME, settings};
use crate::{failure::Failure, output::Output};

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
        &PlannerOptions::default(),
    )?)
}

/// What a plan says, as reports show it.
pub(super) fn summary(plan: &TrainingPlan, report: &PlanReport) -> PlanSummary {
    let chosen = &report.chosen;
    PlanSummary {
        circuit: chosen.kind.name().into(),
        iterations: chosen.rounds.iter().copied().max().unwrap_or(0),
        rounds: chosen.rounds.len(),
        minibatch: plan.minibatch(),
        log_n: chosen.log_n,
        levels: chosen.levels,
        dnum: chosen.dnum,
        log_qp: chosen.log2_qp,
        log_qp_bound: max_log2_qp(chosen.log_n).map_or(f64::NAN, f64::from),
        keys: chosen.keys,
        key_bytes: chosen.key_file_bytes,
        input_bytes: chosen.data_bytes,
        server_bytes: Some(chosen.memory.total()),
        predicted_error: report.predicted_error,
        predicted_seconds: chosen.seconds.first().map(|s| s.seconds),
    }
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
        self.done.push(Stage {
            name: name.into(),
            side,
            seconds,
            bytes,
        });
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
    let summary = summary(&plan, &report);
    let round = plan.round(0)?;
    let mut stages = Stages::new();
    let (owner, keys) = DataOwner::generate(plan.clone(), arras::secret_backend())?;
    stages.done("make keys", Side::Client, Some(summary.key_bytes));
    let prepared = owner.prepare(&data.train, SCHEME)?;
    let sent = owner.encrypt_round(&prepared, 0)?;
    stages.done("encrypt", Side::Client, Some(summary.input_bytes));
    let progress = std::sync::Arc::new(output.progress("training"));
    let seen = progress.clone();
    let options = Options::new().on_progress(move |at| seen.at(at.done, at.total));
    let server = TrainingServer::new(plan, keys, engine.backend().clone(), options)?;
    stages.done("load keys", Side::Server, None);
    let result = server.train(&sent, None)?;
    drop(progress);
    let whole = stages.done("train", Side::Server, None);
    let weights = owner.decrypt_state(prepared.record(), &result)?.w;
    stages.done("decrypt", Side::Client, None);
    let iterations = round.circuit.spec().iterations();
    let expected = history
        .iterations()
        .get(iterations - 1)
        .map_or(&weights, |of| &of.weights);
    let error = (&weights - expected)
        .iter()
        .fold(0.0f64, |most, d| most.max(d.abs()));
    Ok(Outcome {
        error,
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
        let plan = &self.plan;
        CircuitRow {
            circuit: plan.circuit.clone(),
            iterations: plan.iterations,
            minibatch: MINIBATCH,
            depth: self.shape.depth,
            log_n: plan.log_n,
            log_qp: plan.log_qp,
            log_qp_bound: plan.log_qp_bound,
            dnum: plan.dnum,
            multiplications: self.shape.multiplications,
            key_switches: self.shape.key_switches(),
            input_bytes: plan.input_bytes,
            key_bytes: plan.key_bytes,
            peak_bytes: None,
            timing: Timing::Measured { runs: 1 },
            seconds: vec![ThreadSeconds {
                threads: std::thread::available_parallelism().map_or(1, usize::from),
                seconds: self.seconds,
            }],
            critical_steps: self.shape.critical_path,
            critical_seconds: Some(critical),
            work_seconds: Some(work),
            model_cost: self.shape.model_cost,
            weight_error: Some(self.error),
            accuracy: Some(quality.accuracy),
            auc: quality.auc,
        }
    }
}
