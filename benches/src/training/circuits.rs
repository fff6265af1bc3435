//! The circuits against the baseline: one training of a few minibatches, each circuit at its own smallest secure parameters.

use arras::toolkit::{
    circuit::Summing,
    cost::CostTable,
    text::{self, UNKNOWN},
};
use clap::Args;
use lr_train::{
    circuits::Kind,
    metrics::Quality,
    plain::{Examples, scores},
    preprocess::{Preprocessor, Scheme},
    report::{CircuitRow, CircuitShape, Comparison, ThreadSeconds, Timing},
    split::{Minibatches, Order},
    trainer::{Optimizer, training_rows},
};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{
    Trainings,
    circuit::{RunTimes, Smallest, measured_costs, peak_of_run, train},
    data::TrainTest,
};
use crate::{
    Common, Result,
    fixture::send,
    process::{RETURN_AT_ONCE, again, resident_memory},
    report::{Column, Form::*, Origin, Report, Table, column, hidden, load},
};

/// What a measurement may differ from its model before it has to be explained.
const TOLERANCE: f64 = 0.3;

/// The training circuits against the baseline on MNIST 3 against 8: each at its own smallest secure parameters.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    of: Trainings,
    /// Rows of a minibatch, a comparison for each.
    #[arg(long, value_delimiter = ',', default_value = "64,32")]
    minibatches: Vec<usize>,
    /// Runs after the warm-up, of which the median is shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds to measure the costs of single operations for, for each parameter set.
    #[arg(long, default_value_t = 10.0)]
    cost_seconds: f64,
    /// How sums of rotations are added up: doubling, fours or eights [default: the fastest way for each circuit, by the costs that come
    /// with the toolkit]
    #[arg(long, value_parser = |name: &str| serde_json::from_value::<Summing>(name.into()))]
    summing: Option<Summing>,
    /// Measure this circuit with minibatches of `--rows` alone and print it as JSON: what the program starts itself with for each row.
    #[arg(long, hide = true, requires = "rows")]
    one: Option<Kind>,
    #[arg(long, hide = true)]
    rows: Option<usize>,
    /// Measure its memory alone.
    #[arg(long, hide = true)]
    memory: bool,
}

impl Arguments {
    /// Measures and publishes `circuits`, with an HTML page.
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            (self.of.iterations, self.of.threads) = (2, vec![1, 2]);
            (self.minibatches, self.runs) = (vec![16], 1);
        }
        let data = self.of.images(common.quick)?;
        if let (Some(kind), Some(rows)) = (self.one, self.rows) {
            let json = if self.memory {
                serde_json::to_string(&self.measure_memory(&data, kind, rows)?)?
            } else {
                serde_json::to_string(&self.measure(&data, kind, rows, common.quick)?)?
            };
            println!("{json}");
            return Ok(());
        }
        let origin = Origin::here();
        let on = format!(
            "{}, {} minibatches, one round from zero",
            data.name, self.of.iterations
        );
        let mut comparison = Comparison::new(origin.machine.clone(), on);
        comparison.commit = origin.commit.clone();
        let details = self.compare(&mut comparison)?;
        let report = report(origin, &comparison, &details, &self.of.threads);
        common.output.page("circuits", &report)?;
        common.output.write("circuits.html", &comparison.to_html()?)
    }

    /// Measures every circuit in processes of its own: memory that an allocator keeps from one circuit would be in the peak of the next.
    fn compare(&self, comparison: &mut Comparison) -> Result<Vec<Detail>> {
        let mut details = Vec::new();
        for rows in &self.minibatches {
            for kind in Kind::ALL {
                if !self.of.has(kind) && kind != Kind::Baseline {
                    continue;
                }
                eprintln!("{kind}, minibatches of {rows}");
                let rows = rows.to_string();
                let one = ["--one", kind.name(), "--rows", &rows];
                let (mut row, detail): (CircuitRow, Detail) = again(&one, &[])?;
                for of in &row.seconds {
                    eprintln!("    {:.3} s with {} threads", of.seconds, of.threads);
                }
                let memory = [&one[..], &["--memory"]].concat();
                row.peak_bytes = again(&memory, &[RETURN_AT_ONCE])?;
                comparison.rows.push(row);
                details.push(detail);
            }
        }
        Ok(details)
    }

    /// A circuit, its minibatches, and the rows that its model is tested on.
    fn prepare(
        &self,
        data: &TrainTest,
        kind: Kind,
        rows: usize,
    ) -> Result<(Smallest, Vec<Examples>, Array2<f64>)> {
        let iterations = self.of.iterations.into();
        let normalization = Preprocessor::fit(&data.train, Scheme::MaxAbs)?;
        let z = training_rows(Optimizer::Nesterov, &data.train, &normalization)?;
        let test = normalization.apply(&data.test)?;
        let batches = Minibatches::new(z.rows().nrows(), rows, Order::Shuffled { seed: 0 })?;
        let minibatches = batches.select(&z, 0, iterations);
        let features = z.rows().ncols();
        let circuit = Smallest::of(kind, features, batches.size(), iterations, self.summing)?;
        Ok((circuit, minibatches, test))
    }

    /// The memory of a server's process for one run with the most threads, beyond what it had before there were keys.
    fn measure_memory(&self, data: &TrainTest, kind: Kind, rows: usize) -> Result<Option<u64>> {
        let (circuit, minibatches, _) = self.prepare(data, kind, rows)?;
        let before = resident_memory();
        let inputs = circuit.training.inputs(&minibatches, None)?;
        let (owner, workload) = send(&circuit.program, &circuit.params, &inputs)?;
        drop((owner, inputs));
        let peak = peak_of_run(workload, self.of.most_threads())?.zip(before);
        Ok(peak.map(|(peak, before)| peak.saturating_sub(before)))
    }

    /// Measures one circuit with minibatches of `rows` rows, all but its memory; with costs that come with the toolkit if it is to be
    /// quick.
    fn measure(
        &self,
        data: &TrainTest,
        kind: Kind,
        rows: usize,
        quick: bool,
    ) -> Result<(CircuitRow, Detail)> {
        let (circuit, minibatches, test) = self.prepare(data, kind, rows)?;
        let params = &circuit.params;
        let spec = circuit.training.spec();
        let shape = CircuitShape::of(kind.name(), &circuit.program);
        let outcome = train(&circuit, &minibatches, &self.of.threads, self.runs)?;
        let quality = Quality::measure(&scores(&test, &outcome.weights)?, data.test.labels())?;
        let costs = if quick {
            CostTable::built_in(params, 1)?
        } else {
            measured_costs(params, 1, self.cost_seconds)?
        };
        let plan = circuit.plan(&circuit.training.inputs(&minibatches, None)?, &costs)?;
        let count = &plan.stages()[0].count;
        let fastest = self.of.threads.iter().filter_map(|&n| outcome.fastest(n));
        let timing = Timing::Measured { runs: self.runs };
        let mut row = CircuitRow::new(&shape, params, timing);
        row.iterations = minibatches.len();
        row.minibatch = spec.minibatch;
        row.input_bytes = plan.input_bytes().wire;
        row.key_bytes = plan.key_set_bytes().wire;
        row.seconds = fastest
            .map(|t| ThreadSeconds {
                threads: t.threads,
                seconds: t.wall.median,
            })
            .collect();
        row.critical_seconds = Some(plan.time().critical_path_seconds);
        row.work_seconds = outcome.fastest(1).map(|t| t.work);
        row.weight_error = Some(outcome.error);
        row.accuracy = Some(quality.accuracy);
        row.auc = quality.auc;
        let detail = Detail {
            depth_from_encrypted_start: circuit.depth_from_encrypted_start()?,
            summing: spec.summing,
            keys: plan.key_requests().len(),
            times: outcome.times,
            model_key_switches: count.key_switch_seconds(),
            model_operations: plan.time().work_seconds,
            peak_ciphertext_bytes: outcome.peak_ciphertext_bytes,
            loaded_bytes: plan.memory().on_engine(),
        };
        Ok((row, detail))
    }
}

/// What the comparison's row of a circuit has no place for.
#[derive(Serialize, Deserialize)]
struct Detail {
    depth_from_encrypted_start: usize,
    summing: Summing,
    keys: usize,
    times: Vec<RunTimes>,
    /// Seconds of key switches one after the other, each at what it costs at its level with one thread; and of all operations.
    model_key_switches: f64,
    model_operations: f64,
    peak_ciphertext_bytes: usize,
    /// By the plan: keys, inputs, values, constants, scratch, slack.
    loaded_bytes: u64,
}

/// Published figures of the baseline and of the low-depth circuit (ePrint 2018/662; 2020/1483 and the talks on it).
const PUBLISHED: &str = "\
Published, six minibatches on many cores: depth 5k for the baseline against 2.5k, inputs +80 %, multiplications 4 times, \
80 s against 13 s (6.2 times), accuracy equal to plaintext training.";

/// What the models leave out: reasons from how they are made, not measured one by one.
const NOTES: &str = include_str!("model_notes.txt");

fn report(
    origin: Origin,
    comparison: &Comparison,
    details: &[Detail],
    threads: &[usize],
) -> Report {
    let circuit = [
        column("circuit", Plain),
        column("rows", Plain).key("minibatch"),
    ];
    let table = |key: &str, columns: Vec<Column>| {
        let columns = circuit.iter().cloned().chain(columns);
        Table::new(key, columns.map(|column| column.or(UNKNOWN)))
    };
    let mut models = table(
        "details",
        vec![
            column("depth from v", Plain).key("depth_from_encrypted_start"),
            column("measured", Seconds),
            column("model: key switches", Seconds).key("model_key_switches"),
            column("model: all operations", Seconds).key("model_operations"),
            column("measured / model", Fixed(2)),
            column("keys", Plain),
            column("loaded, by plan", Bytes).key("loaded_bytes"),
            column("rotations are added up", Plain).key("summing"),
            hidden("peak_ciphertext_bytes"),
        ],
    );
    let measured = threads.iter().map(|n| format!("measured, {n} threads"));
    let models_of = ["key switches", "all operations", "unlimited cores"];
    let models_of = models_of.map(|of| format!("model: {of}"));
    let squares = ["model: levels^2, unlimited cores".to_owned()];
    let headings = measured.chain(models_of).chain(squares);
    let columns = headings.map(|heading| column(heading, Fixed(2)));
    let mut ratios = table("ratios", columns.collect());
    let ways = |n: &usize| {
        ["in waves", "call by call"].map(|way| {
            let heading = format!("{way}, {n} threads");
            [
                column(&heading, Seconds),
                hidden(&format!("work, {heading}")),
            ]
        })
    };
    let mut batching = table("times", threads.iter().flat_map(ways).flatten().collect());

    let mut off = Vec::new();
    let rows = || comparison.rows.iter().zip(details);
    for ((row, detail), against) in rows().zip(comparison.ratios()) {
        let name = (&row.circuit, row.minibatch);
        let seconds = row.seconds_with(1);
        models.row((
            (name, detail.depth_from_encrypted_start, seconds),
            (detail.model_key_switches, detail.model_operations),
            seconds.map(|seconds| seconds / detail.model_operations),
            (detail.keys, detail.loaded_bytes, detail.summing.name()),
            detail.peak_ciphertext_bytes,
        ));
        let times = threads.iter().flat_map(|&n| {
            [true, false].map(|batched| {
                let mut times = detail.times.iter();
                let of = times.find(|t| t.threads == n && t.batched == batched);
                (of.map(|t| t.wall), of.map(|t| t.work))
            })
        });
        batching.row((name, Vec::from_iter(times)));

        let base = rows().find(|(other, _)| other.minibatch == row.minibatch);
        let base = base.map_or(detail, |(_, base)| base);
        let by_operations = base.model_operations / detail.model_operations;
        for speed in &against.speed {
            if (speed.ratio / by_operations - 1.0).abs() > TOLERANCE {
                off.push(format!(
                    "- {}, minibatch {}, {} threads: {:.2} times measured, {by_operations:.2} by the model",
                    row.circuit, row.minibatch, speed.threads, speed.ratio
                ));
            }
        }
        let measured = against.speed.iter().map(|speed| speed.ratio);
        ratios.row((
            (name, Vec::from_iter(measured)),
            base.model_key_switches / detail.model_key_switches,
            by_operations,
            (against.critical_path, against.model),
        ));
    }

    let show = |load: Option<f64>| load.map_or("unknown".into(), |l| format!("{l:.1}"));
    let (began, load_after) = (show(origin.load), load());
    let title = "Training circuits against the baseline";
    let mut report = Report::new(title, "circuits --runs 7", origin);
    report
        .number("comparison", comparison)
        .number("load_after", load_after)
        .fixed_width(comparison.to_text(190))
        .text(PUBLISHED)
        .heading("Models")
        .text("Seconds with one thread against models from costs of single operations measured in the same run.")
        .add(&models)
        .heading("Times faster than the baseline of the same minibatch size")
        .add(&ratios);
    let bound = text::percent(TOLERANCE);
    if off.is_empty() {
        report.text(format_args!(
            "Every measured ratio is within {bound} of the model of all operations."
        ));
    } else {
        report.text(format_args!(
            "More than {bound} off the model of all operations:\n\n{}",
            off.join("\n")
        ));
    }
    report
        .heading("Batched in waves, and call by call")
        .add(&batching)
        .heading("What the models leave out")
        .text(format_args!(
            "From how they are made; no single reason was measured by itself.\n\n{NOTES}"
        ))
        .text(format_args!(
            "Load of the machine when the measurements began: {began} (above 1 it was not idle); at the end: {}.",
            show(load_after)
        ));
    report
}
