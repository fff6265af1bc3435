//! The circuits against the baseline: one training of a few minibatches, each circuit at its own smallest secure parameters.

use std::fmt::Write as _;

use arras::ckks::params::max_log2_qp;
use arras::toolkit::circuit::Summing;
use lr_train::{
    circuits::{Kind, Results, Spec, Start},
    metrics::Quality,
    plain::{Rate, scores},
    preprocess::{Preprocessor, Scheme, signed_rows},
    report::{CircuitRow, CircuitShape, Comparison, Machine, ThreadSeconds, Timing},
    sigmoid::Approximation,
    split::{Minibatches, Order},
};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::{
    data::TrainTest,
    encrypted::{RunTimes, Smallest, train},
    models::{Models, cost_table},
};
use crate::{Result, report};

/// What a measurement may differ from its model before it has to be explained.
pub const TOLERANCE: f64 = 0.3;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Minibatches to train on.
    pub iterations: usize,
    /// Rows of a minibatch, one comparison for each.
    pub minibatches: Vec<usize>,
    /// Numbers of threads.
    pub threads: Vec<usize>,
    /// Runs after the warm-up.
    pub runs: usize,
    /// Seconds for each table of costs; none takes the built-in ones.
    pub cost_seconds: Option<f64>,
    /// Circuits; the baseline is the first.
    pub kinds: Vec<Kind>,
    /// Ways to add up sums of rotations, of which each circuit takes the fastest by the costs that come with the toolkit.
    pub ways: Vec<Summing>,
}

/// What the comparison's row of a circuit has no place for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// The circuit.
    pub circuit: Kind,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// Levels of the same iterations from an encrypted start.
    pub depth_from_encrypted_start: usize,
    /// How sums of rotations are added up.
    pub summing: Summing,
    /// Evaluation keys.
    pub keys: usize,
    /// All timings.
    pub times: Vec<RunTimes>,
    /// Times by models.
    pub models: Models,
    /// The most bytes of ciphertexts alive at once.
    pub peak_ciphertext_bytes: u64,
    /// Bytes on the engine by the plan: keys, inputs, values, constants, scratch, slack.
    pub loaded_bytes: u64,
}

/// The comparison and what belongs to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Founding {
    /// The comparison.
    pub comparison: Comparison,
    /// A detail for every row of it.
    pub details: Vec<Detail>,
    /// Processes that were running or waiting when the measurements began; above 1 the machine was not idle.
    pub load: Option<f64>,
    /// The same at the end; the measurements themselves are in it.
    pub load_after: Option<f64>,
}

/// One circuit's figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// The row of the comparison.
    pub row: CircuitRow,
    /// What the row has no place for.
    pub detail: Detail,
}

/// Puts all circuits together. `one` measures a circuit with minibatches of so many rows.
///
/// # Errors
/// Those of `one`.
pub fn compare(
    data: &str,
    settings: &Settings,
    one: &dyn Fn(Kind, usize) -> Result<Measured>,
) -> Result<Founding> {
    let state = report::Machine::here();
    let mut founding = Founding {
        comparison: Comparison {
            machine: Machine::here(),
            commit: state.commit,
            date: None,
            data: format!(
                "{data}, {} minibatches, one round from zero",
                settings.iterations
            ),
            rows: Vec::new(),
        },
        details: Vec::new(),
        load: state.load,
        load_after: None,
    };
    for &rows in &settings.minibatches {
        for &kind in &settings.kinds {
            let Measured { row, detail } = one(kind, rows)?;
            founding.comparison.rows.push(row);
            founding.details.push(detail);
        }
    }
    founding.load_after = report::Machine::here().load;
    Ok(founding)
}

/// A circuit with what it is trained on.
struct Prepared {
    circuit: Smallest,
    minibatches: Vec<Array2<f64>>,
    test: Array2<f64>,
}

fn prepare(data: &TrainTest, settings: &Settings, kind: Kind, rows: usize) -> Result<Prepared> {
    let iterations = settings.iterations;
    let normalization = Preprocessor::fit(&data.train, Scheme::MaxAbs)?;
    let z = signed_rows(&normalization.apply(&data.train)?, data.train.labels())?;
    let test = normalization.apply(&data.test)?;
    let batches = Minibatches::new(z.nrows(), rows, Order::Shuffled { seed: 0 })?;
    let minibatches: Vec<Array2<f64>> = batches
        .starting_at(0)
        .take(iterations)
        .map(|rows| z.select(Axis(0), &rows))
        .collect();
    let spec = Spec {
        kind,
        slots: 1,
        features: z.ncols(),
        minibatch: batches.size(),
        steps: Spec::nesterov_steps(&Rate::Constant(1.0), batches.size(), 0, iterations)?,
        activation: Approximation::cubic_16(),
        start: Start::Zero,
        results: Results::Model,
        summing: Summing::default(),
    };
    let circuit = Smallest::of(&spec, &settings.ways)?;
    Ok(Prepared {
        circuit,
        minibatches,
        test,
    })
}

/// The most memory that a server's process has for one run with the most threads, in bytes: loaded keys, inputs, values, scratch. It is
/// right in a process that did nothing else before and whose allocator gives back what is freed.
///
/// # Errors
/// As [`measure`].
pub fn measure_memory(
    data: &TrainTest,
    settings: &Settings,
    kind: Kind,
    rows: usize,
) -> Result<Option<u64>> {
    let prepared = prepare(data, settings, kind, rows)?;
    let threads = settings.threads.iter().copied().max().unwrap_or(1);
    Ok(train(&prepared.circuit, &prepared.minibatches, &[threads], 0)?.peak_bytes)
}

/// Measures one circuit with minibatches of `rows` rows, all but its memory.
///
/// # Errors
/// Those of the trainer, the toolkit and the scheme.
pub fn measure(data: &TrainTest, settings: &Settings, kind: Kind, rows: usize) -> Result<Measured> {
    let Prepared {
        circuit,
        minibatches,
        test,
    } = prepare(data, settings, kind, rows)?;
    let params = &circuit.params;
    let shape = CircuitShape::of(kind.name(), &circuit.program);
    let outcome = train(&circuit, &minibatches, &settings.threads, settings.runs)?;
    let quality = Quality::measure(&scores(&test, &outcome.weights)?, data.test.labels())?;
    let costs = cost_table(params, settings.cost_seconds)?;
    let plan = circuit.plan(&circuit.training.inputs(&minibatches, None)?, &costs)?;
    let models = Models::of(&plan, shape.model_cost);
    let fastest = settings
        .threads
        .iter()
        .filter_map(|&threads| outcome.fastest(threads));
    let row = CircuitRow {
        circuit: kind.name().into(),
        iterations: minibatches.len(),
        minibatch: circuit.training.spec().minibatch,
        depth: shape.depth,
        log_n: params.log_n(),
        log_qp: params.log2_qp(),
        log_qp_bound: max_log2_qp(params.log_n()).map_or(f64::NAN, f64::from),
        dnum: params.dnum(),
        multiplications: shape.multiplications,
        key_switches: shape.key_switches(),
        input_bytes: plan.input_bytes().wire,
        key_bytes: plan.key_set_bytes().wire,
        peak_bytes: None,
        timing: Timing::Measured {
            runs: settings.runs,
        },
        seconds: fastest
            .map(|t| ThreadSeconds {
                threads: t.threads,
                seconds: t.median,
            })
            .collect(),
        critical_steps: shape.critical_path,
        critical_seconds: Some(models.critical_path),
        work_seconds: outcome.fastest(1).map(|t| t.work),
        model_cost: shape.model_cost,
        weight_error: Some(outcome.error()),
        accuracy: Some(quality.accuracy),
        auc: quality.auc,
    };
    let detail = Detail {
        circuit: kind,
        minibatch: circuit.training.spec().minibatch,
        depth_from_encrypted_start: circuit.depth_from_encrypted_start()?,
        summing: circuit.training.spec().summing,
        keys: plan.key_requests().len(),
        times: outcome.times.clone(),
        models,
        peak_ciphertext_bytes: outcome.peak_ciphertext_bytes,
        loaded_bytes: plan.memory().on_engine(),
    };
    Ok(Measured { row, detail })
}

/// Published figures of the baseline and of the low-depth circuit (ePrint 2018/662; 2020/1483 and the talks on it).
const PUBLISHED: &str = "\
Published, six minibatches on many cores: depth 5k for the baseline against 2.5k, inputs +80 %, multiplications 4 times,
80 s against 13 s (6.2 times), accuracy equal to plaintext training.
";

/// What the models leave out: reasons from how they are made, not measured one by one.
const NOTES: &str = include_str!("founding_notes.txt");

impl Founding {
    /// Everything as plain text for a terminal of this width.
    pub fn to_text(&self, width: usize) -> String {
        format!(
            "{}\n{}\n{}",
            self.comparison.to_text(width),
            self.models_text(),
            self.load_text()
        )
    }

    /// Everything as Markdown; tables stay in fixed width.
    pub fn to_markdown(&self) -> String {
        format!(
            "# Training circuits against the baseline\n\nFrom `cargo run --release -p arras-benches --bin founding`.\n\n```text\n{}```\n\n```text\n{}```\n\n{}",
            self.comparison.to_text(190),
            self.models_text(),
            self.load_text()
        )
    }

    fn load_text(&self) -> String {
        let load = |l: Option<f64>| l.map_or("unknown".into(), |l| format!("{l:.1}"));
        format!(
            "Load of the machine when the measurements began: {} (above 1 it was not idle); at the end: {}.\n",
            load(self.load),
            load(self.load_after)
        )
    }

    /// Measured times beside those of the models, ratios beside ratios, and what is more than the tolerance off.
    pub fn models_text(&self) -> String {
        let mut text = String::from(PUBLISHED);
        let rows = || self.comparison.rows.iter().zip(&self.details);
        let _ = writeln!(
            text,
            "\nSeconds with one thread against models from costs of single operations measured in the same run\n{:<24}{:>5}{:>8}{:>10}{:>10}{:>10}{:>10}{:>9}{:>11}",
            "circuit",
            "mb",
            "from v",
            "measured",
            "k. sw.",
            "all ops",
            "measured",
            "keys",
            "loaded MiB"
        );
        let _ = writeln!(
            text,
            "{:<24}{:>5}{:>8}{:>10}{:>10}{:>10}{:>10}{:>9}{:>11}   rotations are added up",
            "", "", "depth", "1 thread", "model", "model", "/ model", "", "by plan"
        );
        for (row, detail) in rows() {
            let seconds = row.seconds_with(1).unwrap_or(f64::NAN);
            let _ = writeln!(
                text,
                "{:<24}{:>5}{:>8}{:>10.3}{:>10.3}{:>10.3}{:>10.2}{:>9}{:>11.0}   {}",
                row.circuit,
                row.minibatch,
                detail.depth_from_encrypted_start,
                seconds,
                detail.models.key_switches,
                detail.models.operations,
                seconds / detail.models.operations,
                detail.keys,
                detail.loaded_bytes as f64 / f64::from(1 << 20),
                detail.summing.name()
            );
        }
        text.push_str("\nTimes faster than the baseline of the same minibatch size\n");
        let threads: Vec<usize> = self.comparison.rows.first().map_or(vec![], |row| {
            row.seconds.iter().map(|t| t.threads).collect()
        });
        let _ = write!(text, "{:<24}{:>5}", "circuit", "mb");
        for n in &threads {
            let _ = write!(text, "{:>12}", format!("{n} thr."));
        }
        let _ = writeln!(
            text,
            "{:>12}{:>12}{:>14}{:>14}",
            "k. sw.", "all ops", "unlimited", "levels^2,"
        );
        let _ = writeln!(
            text,
            "{:<29}{}{:>12}{:>12}{:>14}{:>14}",
            "",
            format!("{:>12}", "measured").repeat(threads.len()),
            "model",
            "model",
            "cores, model",
            "unlimited"
        );
        let mut off = String::new();
        for (row, detail) in rows() {
            let Some((base, of_base)) =
                rows().find(|(r, d)| d.circuit == Kind::Baseline && r.minibatch == row.minibatch)
            else {
                continue;
            };
            let ratio = |f: &dyn Fn(&Models) -> f64| f(&of_base.models) / f(&detail.models);
            let by_operations = ratio(&|m| m.operations);
            let _ = write!(text, "{:<24}{:>5}", row.circuit, row.minibatch);
            for &n in &threads {
                let measured = base.seconds_with(n).unwrap_or(f64::NAN)
                    / row.seconds_with(n).unwrap_or(f64::NAN);
                let _ = write!(text, "{measured:>12.2}");
                let by = measured / by_operations;
                if !(1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(&by) {
                    let _ = writeln!(
                        off,
                        "  {}, minibatch {}, {n} threads: {measured:.2} times measured, {by_operations:.2} by the model",
                        row.circuit, row.minibatch
                    );
                }
            }
            let _ = writeln!(
                text,
                "{:>12.2}{:>12.2}{:>14.2}{:>14.2}",
                ratio(&|m| m.key_switches),
                by_operations,
                ratio(&|m| m.critical_path),
                ratio(&|m| m.squared_levels)
            );
        }
        text.push_str("\nBatched in waves / call by call, seconds\n");
        for (row, detail) in rows() {
            let _ = write!(text, "{:<24}{:>5}", row.circuit, row.minibatch);
            for &n in &threads {
                let of = |batched| {
                    let mut times = detail.times.iter();
                    times
                        .find(|t| t.threads == n && t.batched == batched)
                        .map_or(f64::NAN, |t| t.median)
                };
                let _ = write!(text, "   {n} thr. {:>7.3} /{:>7.3}", of(true), of(false));
            }
            text.push('\n');
        }
        if off.is_empty() {
            let _ = writeln!(
                text,
                "\nEvery measured ratio is within {:.0} % of the model of all operations.",
                100.0 * TOLERANCE
            );
        } else {
            let _ = writeln!(
                text,
                "\nMore than {:.0} % off the model of all operations:\n{off}",
                100.0 * TOLERANCE
            );
        }
        text.push('\n');
        text.push_str(NOTES);
        text
    }
}
