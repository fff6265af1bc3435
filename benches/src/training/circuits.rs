//! The circuits against the baseline: one training of a few minibatches, each circuit at its own smallest secure parameters.

use std::path::PathBuf;

use arras::toolkit::{
    circuit::Summing,
    text::{self, Table, UNKNOWN, bytes, fixed},
};
use clap::{Args, ValueEnum};
use lr_train::{
    circuits::Kind,
    metrics::Quality,
    plain::scores,
    preprocess::{Preprocessor, Scheme, signed_rows},
    report::{CircuitRow, CircuitShape, Comparison, ThreadSeconds, Timing},
    split::{Minibatches, Order},
};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::{
    circuit::{Models, RunTimes, Smallest, cost_table, peak_of_run, spec, train},
    data::{self, TrainTest},
};
use crate::{
    Common, Result,
    fixture::send,
    process::{RETURN_AT_ONCE, again, resident_memory},
    report::{Origin, Report, load},
};

/// What a measurement may differ from its model before it has to be explained.
pub const TOLERANCE: f64 = 0.3;

/// The training circuits against the baseline on MNIST 3 against 8: each at its own smallest secure parameters.
#[derive(Args)]
pub struct Arguments {
    /// Folder with `mnist/` in it [default: the variable ARRAS_DATA, then ../shared/data]. Without MNIST the built-in digits stand in.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Minibatches to train on.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=12))]
    iterations: u16,
    /// Rows of a minibatch, a comparison for each.
    #[arg(long, value_delimiter = ',', default_value = "64,32")]
    minibatches: Vec<usize>,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Runs after the warm-up, of which the median is shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds to measure the costs of single operations for, for each parameter set.
    #[arg(long, default_value_t = 10.0)]
    cost_seconds: f64,
    /// Circuits beside the baseline; all if none is named.
    #[arg(long)]
    circuit: Vec<Kind>,
    /// How sums of rotations are added up [default: the faster way for each circuit, by the costs that come with the toolkit]
    #[arg(long, value_enum)]
    summing: Option<Way>,
    /// Measure this circuit with minibatches of `--rows` alone and print it as JSON: what the program starts itself with for each row.
    #[arg(long, hide = true, requires = "rows")]
    one: Option<Kind>,
    #[arg(long, hide = true)]
    rows: Option<usize>,
    /// Measure its memory alone.
    #[arg(long, hide = true)]
    memory: bool,
}

/// Ways to add up sums of rotations.
#[derive(Clone, Copy, ValueEnum)]
enum Way {
    Doubling,
    Fours,
    Eights,
}

impl Arguments {
    /// Measures and publishes `circuits`, with an HTML page.
    ///
    /// # Errors
    /// The trainer's; for files that cannot be written.
    pub fn run(self, common: &Common) -> Result<()> {
        let mut settings = Settings {
            iterations: self.iterations.into(),
            minibatches: self.minibatches,
            threads: self.threads,
            runs: self.runs,
            cost_seconds: Some(self.cost_seconds),
            ways: match self.summing {
                None => Summing::ALL.to_vec(),
                Some(Way::Doubling) => vec![Summing::Doubling],
                Some(Way::Fours) => vec![Summing::Fours],
                Some(Way::Eights) => vec![Summing::Eights],
            },
        };
        let data = if common.quick {
            settings = Settings {
                iterations: 2,
                minibatches: vec![16],
                threads: vec![1, 2],
                runs: 1,
                cost_seconds: None,
                ..settings
            };
            data::digits()?
        } else {
            data::mnist_or_digits(&data::folder(self.data))?
        };
        if let (Some(kind), Some(rows)) = (self.one, self.rows) {
            let json = if self.memory {
                serde_json::to_string(&measure_memory(&data, &settings, kind, rows)?)?
            } else {
                serde_json::to_string(&measure(&data, &settings, kind, rows)?)?
            };
            println!("{json}");
            return Ok(());
        }
        let others = Kind::ALL.into_iter().filter(|kind| {
            *kind != Kind::Baseline && (self.circuit.is_empty() || self.circuit.contains(kind))
        });
        let kinds: Vec<Kind> = [Kind::Baseline].into_iter().chain(others).collect();
        let origin = Origin::here();
        let circuits = compare(&data.name, &settings, &kinds, &origin)?;
        let report = circuits.report(origin);
        common.output.publish("circuits", &report, &circuits)?;
        common
            .output
            .write("circuits.html", &circuits.comparison.to_html()?)
    }
}

/// What to measure.
#[derive(Clone, Debug)]
struct Settings {
    /// Minibatches to train on.
    iterations: usize,
    /// Rows of a minibatch, one comparison for each.
    minibatches: Vec<usize>,
    /// Numbers of threads.
    threads: Vec<usize>,
    /// Runs after the warm-up.
    runs: usize,
    /// Seconds for each table of costs; none takes the built-in ones.
    cost_seconds: Option<f64>,
    /// Ways to add up sums of rotations, of which each circuit takes the fastest by the costs that come with the toolkit.
    ways: Vec<Summing>,
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
pub struct Circuits {
    /// The comparison.
    pub comparison: Comparison,
    /// A detail for every row of it.
    pub details: Vec<Detail>,
    /// Processes that were running or waiting at the end; the measurements themselves are in it.
    pub load_after: Option<f64>,
}

/// One circuit's figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measured {
    row: CircuitRow,
    detail: Detail,
}

/// Measures every circuit in processes of its own: memory that an allocator keeps from one circuit would be in the peak of the next.
fn compare(data: &str, settings: &Settings, kinds: &[Kind], origin: &Origin) -> Result<Circuits> {
    let iterations = settings.iterations;
    let data = format!("{data}, {iterations} minibatches, one round from zero");
    let mut comparison = Comparison::new(origin.machine.clone(), data);
    comparison.commit = origin.commit.clone();
    let mut circuits = Circuits {
        comparison,
        details: Vec::new(),
        load_after: None,
    };
    for rows in &settings.minibatches {
        for kind in kinds {
            eprintln!("{kind}, minibatches of {rows}");
            let rows = rows.to_string();
            let one = ["--one", kind.name(), "--rows", &rows];
            let Measured { mut row, detail } = again(&one, &[])?;
            for of in &row.seconds {
                eprintln!("    {:.3} s with {} threads", of.seconds, of.threads);
            }
            let memory = [&one[..], &["--memory"]].concat();
            row.peak_bytes = again(&memory, &[RETURN_AT_ONCE])?;
            circuits.comparison.rows.push(row);
            circuits.details.push(detail);
        }
    }
    circuits.load_after = load();
    Ok(circuits)
}

/// A circuit, its minibatches, and the rows that its model is tested on.
fn prepare(
    data: &TrainTest,
    settings: &Settings,
    kind: Kind,
    rows: usize,
) -> Result<(Smallest, Vec<Array2<f64>>, Array2<f64>)> {
    let iterations = settings.iterations;
    let normalization = Preprocessor::fit(&data.train, Scheme::MaxAbs)?;
    let z = signed_rows(&normalization.apply(&data.train)?, data.train.labels())?;
    let test = normalization.apply(&data.test)?;
    let batches = Minibatches::new(z.nrows(), rows, Order::Shuffled { seed: 0 })?;
    let minibatches = batches.starting_at(0).take(iterations);
    let minibatches = minibatches.map(|rows| z.select(Axis(0), &rows)).collect();
    let spec = spec(kind, z.ncols(), batches.size(), iterations)?;
    let circuit = Smallest::of(&spec, &settings.ways)?;
    Ok((circuit, minibatches, test))
}

/// The memory of a server's process for one run with the most threads, beyond what it had before there were keys.
fn measure_memory(
    data: &TrainTest,
    settings: &Settings,
    kind: Kind,
    rows: usize,
) -> Result<Option<u64>> {
    let (circuit, minibatches, _) = prepare(data, settings, kind, rows)?;
    let before = resident_memory();
    let threads = settings.threads.iter().copied().max().unwrap_or(1);
    let inputs = circuit.training.inputs(&minibatches, None)?;
    let (owner, workload) = send(&circuit.program, &circuit.params, &inputs)?;
    drop((owner, inputs));
    let peak = peak_of_run(workload, threads)?;
    Ok(peak
        .zip(before)
        .map(|(peak, before)| peak.saturating_sub(before)))
}

/// Measures one circuit with minibatches of `rows` rows, all but its memory.
fn measure(data: &TrainTest, settings: &Settings, kind: Kind, rows: usize) -> Result<Measured> {
    let (circuit, minibatches, test) = prepare(data, settings, kind, rows)?;
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
    let runs = settings.runs;
    let mut row = CircuitRow::new(&shape, params, Timing::Measured { runs });
    row.iterations = minibatches.len();
    row.minibatch = circuit.training.spec().minibatch;
    row.input_bytes = plan.input_bytes().wire;
    row.key_bytes = plan.key_set_bytes().wire;
    row.seconds = fastest
        .map(|t| ThreadSeconds {
            threads: t.threads,
            seconds: t.wall.median,
        })
        .collect();
    row.critical_seconds = Some(models.critical_path);
    row.work_seconds = outcome.fastest(1).map(|t| t.work);
    row.weight_error = Some(outcome.error);
    row.accuracy = Some(quality.accuracy);
    row.auc = quality.auc;
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
Published, six minibatches on many cores: depth 5k for the baseline against 2.5k, inputs +80 %, multiplications 4 times, \
80 s against 13 s (6.2 times), accuracy equal to plaintext training.";

/// What the models leave out: reasons from how they are made, not measured one by one.
const NOTES: &str = include_str!("model_notes.txt");

impl Circuits {
    fn rows(&self) -> impl Iterator<Item = (&CircuitRow, &Detail)> {
        self.comparison.rows.iter().zip(&self.details)
    }

    fn report(&self, origin: Origin) -> Report {
        let threads: Vec<usize> = self.comparison.rows.first().map_or(vec![], |row| {
            row.seconds.iter().map(|t| t.threads).collect()
        });
        let show = |load: Option<f64>| load.map_or("unknown".into(), |l| format!("{l:.1}"));
        let began = show(origin.load);
        let title = "Training circuits against the baseline";
        let mut report = Report::new(title, "circuits --runs 7", origin);
        report
            .fixed_width(&self.comparison.to_text(190))
            .text(PUBLISHED);
        report
            .heading("Models")
            .text("Seconds with one thread against models from costs of single operations measured in the same run.")
            .table(&self.models());
        let (ratios, off) = self.ratios(&threads);
        report
            .heading("Times faster than the baseline of the same minibatch size")
            .table(&ratios);
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
            .table(&self.batching(&threads));
        report
            .heading("What the models leave out")
            .text(format_args!(
                "From how they are made; no single reason was measured by itself.\n\n{NOTES}"
            ));
        report.text(format_args!(
            "Load of the machine when the measurements began: {began} (above 1 it was not idle); at the end: {}.",
            show(self.load_after)
        ));
        report
    }

    /// Measured times beside those of the models.
    fn models(&self) -> Table {
        let mut table = Table::new([
            "circuit",
            "rows",
            "depth from v",
            "measured",
            "model: key switches",
            "model: all operations",
            "measured / model",
            "keys",
            "loaded, by plan",
            "rotations are added up",
        ]);
        for (row, detail) in self.rows() {
            let seconds = row.seconds_with(1).unwrap_or(f64::NAN);
            table.row([
                row.circuit.clone(),
                row.minibatch.to_string(),
                detail.depth_from_encrypted_start.to_string(),
                text::seconds(seconds),
                text::seconds(detail.models.key_switches),
                text::seconds(detail.models.operations),
                fixed(seconds / detail.models.operations, 2),
                detail.keys.to_string(),
                bytes(detail.loaded_bytes),
                detail.summing.name().to_owned(),
            ]);
        }
        table
    }

    /// Ratios beside ratios, and what is more than the tolerance off.
    fn ratios(&self, threads: &[usize]) -> (Table, Vec<String>) {
        let measured = threads.iter().map(|n| format!("measured, {n} threads"));
        let models = [
            "model: key switches",
            "model: all operations",
            "model: unlimited cores",
            "model: levels^2, unlimited cores",
        ];
        let head = ["circuit", "rows"].map(str::to_owned).into_iter();
        let mut table = Table::new(head.chain(measured).chain(models.map(str::to_owned)));
        let mut off = Vec::new();
        for (row, detail) in self.rows() {
            let same = |(r, d): &(&CircuitRow, &Detail)| {
                d.circuit == Kind::Baseline && r.minibatch == row.minibatch
            };
            let Some((base, of_base)) = self.rows().find(same) else {
                continue;
            };
            let ratio = |f: &dyn Fn(&Models) -> f64| f(&of_base.models) / f(&detail.models);
            let by_operations = ratio(&|m| m.operations);
            let mut cells = vec![row.circuit.clone(), row.minibatch.to_string()];
            for &n in threads {
                let both = base.seconds_with(n).zip(row.seconds_with(n));
                let measured = both.map_or(f64::NAN, |(base, own)| base / own);
                cells.push(fixed(measured, 2));
                if (measured / by_operations - 1.0).abs() > TOLERANCE {
                    off.push(format!(
                        "- {}, minibatch {}, {n} threads: {measured:.2} times measured, {by_operations:.2} by the model",
                        row.circuit, row.minibatch
                    ));
                }
            }
            let models = [
                ratio(&|m| m.key_switches),
                by_operations,
                ratio(&|m| m.critical_path),
                ratio(&|m| m.squared_levels),
            ];
            cells.extend(models.map(|ratio| fixed(ratio, 2)));
            table.row(cells);
        }
        (table, off)
    }

    fn batching(&self, threads: &[usize]) -> Table {
        let head = ["circuit".to_owned(), "rows".to_owned()].into_iter();
        let mut table =
            Table::new(head.chain(threads.iter().flat_map(|n| {
                ["in waves", "call by call"].map(|way| format!("{way}, {n} threads"))
            })));
        for (row, detail) in self.rows() {
            let mut cells = vec![row.circuit.clone(), row.minibatch.to_string()];
            for &n in threads {
                for batched in [true, false] {
                    let mut times = detail.times.iter();
                    let of = times.find(|t| t.threads == n && t.batched == batched);
                    cells.push(of.map_or(UNKNOWN.to_owned(), |t| t.wall.show()));
                }
            }
            table.row(cells);
        }
        table
    }
}
