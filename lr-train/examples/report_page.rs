//! Trains on the built-in digits, encrypted, with all five circuits, and writes the report as a page, as JSON and as text.
//!
//! ```text
//!   cargo run --release -p lr-train --example report_page [FOLDER]
//! ```
//! Every circuit runs for 1 to 6 iterations, each time at its own smallest secure parameters, so that weights can be decrypted
//! after every iteration.

use std::{error::Error, fs, path::PathBuf, time::Instant};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Context, Evaluator, Parameters, SecretKey,
    params::{ParametersBuilder, max_log2_qp},
    random::Seed,
};
use arras_toolkit::{
    Bindings, Client, Encrypted, Homomorphic, Plaintext, Program, Value,
    cost::{CostTable, OperationKind, memory},
    plan::KeyRequests,
    program::{Form, Step, StepOp},
};
use lr_train::{
    circuits::{Kind, Results, Spec, Start, TrainingCircuit},
    data::builtin,
    metrics::Quality,
    plain::{Rate, Settings, State, nesterov, scores},
    preprocess::{Preprocessor, Scheme, signed_rows},
    report::{
        CircuitRow, CircuitShape, CircuitTimes, Comparison, DataSummary, KindSeconds, Machine,
        ModelSummary, PlanSummary, Point, Series, Side, Stage, ThreadSeconds, Timing,
        TrainingReport, Weight,
    },
    sigmoid::{Approximation, Sigmoid},
    split::{Minibatches, Order, train_test},
};
use ndarray::{Array1, Array2, Axis};

const ITERATIONS: usize = 6;
const MINIBATCH: usize = 32;

/// What one encrypted run gave.
struct Outcome {
    weights: Array1<f64>,
    error: f64,
    plan: PlanSummary,
    shape: CircuitShape,
    params: Parameters,
    program: Program,
    stages: Vec<Stage>,
    seconds: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    let data = builtin::digits()?;
    let split = train_test(data.labels(), 0.2, 0)?;
    let (train, test) = (data.select(&split.train)?, data.select(&split.test)?);
    let normalization = Preprocessor::fit(&train, Scheme::MaxAbs)?;
    let z = signed_rows(&normalization.apply(&train)?, train.labels())?;
    let batches = Minibatches::new(train.rows(), MINIBATCH, Order::Shuffled { seed: 0 })?;
    let minibatches: Vec<Array2<f64>> = batches
        .starting_at(0)
        .take(ITERATIONS)
        .map(|rows| z.select(Axis(0), &rows))
        .collect();
    let settings = Settings {
        iterations: ITERATIONS,
        rate: Rate::Constant(1.0),
        sigmoid: Sigmoid::Polynomial(Approximation::cubic_16()),
        batches,
    };
    let (history, _) = nesterov(&z, &settings, State::zero(z.ncols()))?;
    let features = normalization.apply(&test)?;
    let measure = |weights: &Array1<f64>| -> Result<Quality, Box<dyn Error>> {
        Ok(Quality::measure(
            &scores(&features, weights)?,
            test.labels(),
        )?)
    };

    let mut report =
        TrainingReport::new("Logistic regression on encrypted digits", Machine::here());
    report.data = Some(DataSummary {
        name: "handwritten digits 3 and 8".into(),
        training_rows: train.rows(),
        test_rows: test.rows(),
        features: z.ncols() - 1,
        dropped: normalization.dropped().len(),
        negative: data.classes().negative.clone(),
        positive: data.classes().positive.clone(),
    });
    for (i, iteration) in history.iterations().iter().enumerate() {
        report.plaintext_accuracy.push(Point {
            iteration: i + 1,
            value: measure(&iteration.weights)?.accuracy,
        });
    }
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let name = kind.name();
        let mut accuracy = Vec::new();
        let mut errors = Vec::new();
        for k in 1..=ITERATIONS {
            let outcome = run(kind, &minibatches[..k], &settings)?;
            let quality = measure(&outcome.weights)?;
            println!(
                "{name}, {k}: {:.2} s, error {:.1e}",
                outcome.seconds, outcome.error
            );
            let point = |value| Point {
                iteration: k,
                value,
            };
            accuracy.push(point(quality.accuracy));
            errors.push(point(outcome.error));
            if k < ITERATIONS {
                continue;
            }
            let (times, critical) = estimate(name, &outcome)?;
            rows.push(row(&outcome, &times, critical, &quality));
            report.times.push(times);
            report.shapes.push(outcome.shape);
            report.plans.push(outcome.plan);
            if kind == Kind::SingleChainMaskFree {
                report.stages = outcome.stages;
                report.model = Some(ModelSummary {
                    circuit: name.into(),
                    intercept: outcome.weights[0],
                    weights: normalization
                        .kept()
                        .zip(outcome.weights.iter().skip(1))
                        .map(|((_, feature), &weight)| Weight {
                            feature: feature.to_owned(),
                            weight,
                        })
                        .collect(),
                    quality,
                    plaintext_quality: history.weights().map(&measure).transpose()?,
                });
            }
        }
        let series = |points| Series {
            circuit: name.into(),
            points,
        };
        report.accuracy.push(series(accuracy));
        report.weight_error.push(series(errors));
    }
    report.comparison = Some(Comparison {
        machine: report.machine.clone(),
        commit: None,
        date: None,
        data: format!("handwritten digits 3 and 8, {ITERATIONS} minibatches of {MINIBATCH}"),
        rows,
    });
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("report.html"), report.to_html()?)?;
    fs::write(folder.join("report.json"), report.to_json()?)?;
    fs::write(folder.join("report.txt"), report.to_text(120))?;
    println!("\n{}", report.to_text(120));
    Ok(())
}

/// One training with fresh keys at the circuit's smallest secure parameters.
fn run(
    kind: Kind,
    minibatches: &[Array2<f64>],
    settings: &Settings,
) -> Result<Outcome, Box<dyn Error>> {
    let (training, params) = smallest(kind, minibatches, settings)?;
    let program = Program::new(training.circuit().clone());
    let inputs = training.inputs(minibatches, None)?;
    let twin = Plaintext::run(&program, &inputs)?.outputs;
    let (expected, _) = training.weights(|name| twin.get(name))?;

    let mut stages = Vec::new();
    let mut clock = Instant::now();
    let mut stage = |name: &str, side, bytes| {
        stages.push(Stage {
            name: name.into(),
            side,
            seconds: clock.elapsed().as_secs_f64(),
            bytes,
        });
        clock = Instant::now();
    };
    let requests = KeyRequests::of(&program);
    let mut key_bytes = 0;
    for (key, level) in requests.kinds(params.log_n()) {
        key_bytes += memory::evaluation_key_bytes(&params, key, level)?.container;
    }
    let mut input_bytes = 0;
    for input in program.circuit().inputs() {
        if let Some(level) = program.circuit().level(input.node()) {
            let units = input.layout().units();
            input_bytes += memory::seeded_ciphertext_bytes(&params, level, units)?.container;
        }
    }
    stage("plan", Side::Client, None);
    let context = Context::new(&params, CpuEngine::new())?;
    let client =
        Client::with_secret_key(SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?)?;
    let keys = client.evaluation_keys(&program)?;
    stage("make keys", Side::Client, Some(key_bytes));
    let sent = client.encrypt_inputs(&program, &inputs)?;
    stage("encrypt", Side::Client, Some(input_bytes));
    let evaluator = Evaluator::new(&context, keys.load(&context)?)?;
    let mut received: Bindings<Encrypted<CpuEngine>> = Bindings::new();
    for (name, value) in sent.iter() {
        received.insert(name, value.expand(&context)?);
    }
    stage("load keys and inputs", Side::Server, None);
    let run = Homomorphic::new(evaluator).run(&program, &received)?;
    stage("train", Side::Server, None);
    let mut decrypted = std::collections::BTreeMap::<String, Value>::new();
    for (name, value) in &run.outputs {
        decrypted.insert(name.clone(), client.decrypt(value)?);
    }
    stage("decrypt", Side::Client, None);
    let (weights, _) = training.weights(|name| decrypted.get(name))?;
    let error = (&weights - &expected)
        .iter()
        .fold(0.0f64, |m, d| m.max(d.abs()));
    let shape = CircuitShape::of(kind.name(), &program);
    Ok(Outcome {
        plan: PlanSummary {
            circuit: kind.name().into(),
            iterations: minibatches.len(),
            rounds: 1,
            minibatch: MINIBATCH,
            log_n: params.log_n(),
            levels: params.max_level(),
            dnum: params.dnum(),
            log_qp: params.log2_qp(),
            log_qp_bound: max_log2_qp(params.log_n()).map_or(f64::NAN, f64::from),
            keys: requests.len(),
            key_bytes,
            input_bytes,
            server_bytes: None,
            predicted_error: None,
            predicted_seconds: None,
        },
        weights,
        error,
        shape,
        params,
        program,
        stages,
        seconds: run.report.seconds,
    })
}

/// The circuit in the smallest ring in which its levels are secure.
fn smallest(
    kind: Kind,
    minibatches: &[Array2<f64>],
    settings: &Settings,
) -> Result<(TrainingCircuit, Parameters), Box<dyn Error>> {
    let mut refused: Option<Box<dyn Error>> = None;
    for log_n in 13..=16 {
        let spec = Spec {
            kind,
            slots: 1 << (log_n - 1),
            features: minibatches[0].ncols(),
            minibatch: MINIBATCH,
            steps: Spec::nesterov_steps(&settings.rate, MINIBATCH, 0, minibatches.len())?,
            activation: Approximation::cubic_16(),
            start: Start::Zero,
            results: Results::Model,
        };
        let training = TrainingCircuit::record(spec)?;
        let levels = training.circuit().levels_needed();
        match ParametersBuilder::new(log_n).levels(levels).build() {
            Ok(params) => return Ok((training, params)),
            Err(error) => refused = Some(error.into()),
        }
    }
    Err(refused.unwrap_or_else(|| "no ring".into()))
}

/// Time by kind with one thread, from the built-in costs, and the time of the longest chain.
fn estimate(name: &str, outcome: &Outcome) -> Result<(CircuitTimes, f64), Box<dyn Error>> {
    let table = CostTable::built_in(&outcome.params, 1)?;
    let mut kinds: Vec<KindSeconds> = Vec::new();
    let mut chains: Vec<f64> = Vec::new();
    for step in outcome.program.steps() {
        let mut seconds = 0.0;
        if let Some((kind, terms)) = operation(&outcome.program, step) {
            let operand = step.operands()[0];
            let level = outcome.program.step(operand).window_level();
            seconds = table.cost(kind, level.max(kind.lowest_level()), step.units(), terms)?;
            match kinds.iter_mut().find(|k| k.kind == kind.name()) {
                Some(known) => known.seconds += seconds,
                None => kinds.push(KindSeconds {
                    kind: kind.name().into(),
                    seconds,
                }),
            }
        }
        let before = step.operands().iter().map(|o| chains[o.index()]);
        chains.push(seconds + before.fold(0.0, f64::max));
    }
    let times = CircuitTimes {
        circuit: name.into(),
        timing: Timing::Estimated,
        threads: 1,
        kinds,
    };
    Ok((times, chains.into_iter().fold(0.0, f64::max)))
}

/// What a step costs like, with its number of terms; `None` if it costs nothing worth counting.
fn operation(program: &Program, step: &Step) -> Option<(OperationKind, usize)> {
    Some(match step.op() {
        StepOp::Input(_) | StepOp::Pick(_) | StepOp::Concat => return None,
        StepOp::Add | StepOp::Sub => (OperationKind::Add, 0),
        StepOp::AddPlain(_) => (OperationKind::AddPlain, 0),
        StepOp::AddScalar(_) => (OperationKind::AddScalar, 0),
        StepOp::Negate | StepOp::MultiplyInteger(_) => (OperationKind::Negate, 0),
        StepOp::Multiply | StepOp::SumOfProducts => (OperationKind::Tensor, 0),
        StepOp::MultiplyPlain(_) => (OperationKind::MultiplyPlain, 0),
        StepOp::MultiplyScalar(_) => (OperationKind::MultiplyScalar, 0),
        StepOp::Rotate(_) => (OperationKind::Rotate, 0),
        StepOp::RotationSum(steps) => (OperationKind::RotationSum, steps.len()),
        StepOp::WeightedRotationSum { steps, .. } => {
            (OperationKind::WeightedRotationSum, steps.len())
        }
        StepOp::Settle if program.step(step.operands()[0]).form() == Form::Pending3 => {
            (OperationKind::Settle, 0)
        }
        StepOp::Settle => (OperationKind::Rescale, 0),
        StepOp::LevelDown => (OperationKind::LevelDown, 0),
        _ => return None,
    })
}

fn row(outcome: &Outcome, times: &CircuitTimes, critical: f64, quality: &Quality) -> CircuitRow {
    let plan = &outcome.plan;
    CircuitRow {
        circuit: plan.circuit.clone(),
        iterations: plan.iterations,
        minibatch: plan.minibatch,
        depth: outcome.shape.depth,
        log_n: plan.log_n,
        log_qp: plan.log_qp,
        log_qp_bound: plan.log_qp_bound,
        dnum: plan.dnum,
        multiplications: outcome.shape.multiplications,
        key_switches: outcome.shape.key_switches(),
        input_bytes: plan.input_bytes,
        key_bytes: plan.key_bytes,
        peak_bytes: None,
        timing: Timing::Measured { runs: 1 },
        seconds: vec![ThreadSeconds {
            threads: CpuEngine::new().threads(),
            seconds: outcome.seconds,
        }],
        critical_steps: outcome.shape.critical_path,
        critical_seconds: Some(critical),
        work_seconds: Some(times.kinds.iter().map(|k| k.seconds).sum()),
        model_cost: outcome.shape.model_cost,
        weight_error: Some(outcome.error),
        accuracy: Some(quality.accuracy),
        auc: quality.auc,
    }
}
