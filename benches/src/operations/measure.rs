//! Counts and times of one operation, and the page of all.

use arras::{
    CpuEngine,
    ckks::Parameters,
    toolkit::{
        Cleartext, EncodingUnit, OpCount, Program, Samples,
        plan::KeyRequests,
        run::Options,
        text::{self, bytes},
    },
};
use serde::Serialize;

use super::{Case, Sizes};
use crate::{
    Result,
    fixture::send,
    process::host_threads,
    report::{Origin, Report},
    timing::{Repeat, Timing},
};

/// What everything is measured with.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Parameters.
    pub(super) params: Parameters,
    /// The unit.
    pub(super) unit: EncodingUnit,
    /// Threads of the engine, a column each.
    pub(super) threads: Vec<usize>,
    /// Seconds to repeat an operation for.
    pub(super) seconds: f64,
    /// Levels that a result has left.
    pub(super) left: usize,
}

/// What is known about an operation.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Measured {
    /// The group that it stands in.
    group: &'static str,
    /// What is computed.
    name: &'static str,
    /// Levels consumed.
    depth: usize,
    /// Rotations of single ciphertexts.
    rotations: usize,
    /// Rotations and relinearizations of single ciphertexts.
    key_switches: usize,
    /// Products of two ciphertexts.
    ciphertext_products: usize,
    /// Products of a ciphertext and an encoded constant.
    plaintext_products: usize,
    /// Keys.
    keys: usize,
    /// Bytes of the keys, as the client sends them.
    key_bytes: u64,
    /// Depth and rotations of the published toolkit, and its formula for them.
    published: Option<(usize, usize, &'static str)>,
    /// A time for each number of threads, without the first run, which encodes the constants; `None` if the parameters have too few levels.
    times: Option<Vec<Timing>>,
    /// Worst error of an entry, in bits after the binary point; `None` if it was not run or is exact.
    bits: Option<f64>,
}

/// Counts an operation and runs it.
///
/// # Errors
/// The toolkit's; if a result is not what the operation gives in the clear.
pub(super) fn measure(case: &Case, setting: &Setting) -> Result<Measured> {
    let program = Program::new(case.circuit(setting.unit, setting.left)?);
    let count = OpCount::of(&program);
    let requests = KeyRequests::of(&program);
    let enough = program.levels_needed() <= setting.params.max_level();
    let mut measured = Measured {
        group: case.group,
        name: case.name,
        depth: program.levels_needed() - setting.left,
        rotations: count.rotations(),
        key_switches: count.key_switches(),
        ciphertext_products: count.ciphertext_products(),
        plaintext_products: count.plaintext_products(),
        keys: requests.len(),
        key_bytes: 0,
        published: case.published.map(|published| {
            let rotations = (published.rotations)(&Sizes::of(setting.unit));
            (published.depth, rotations, published.formula)
        }),
        times: None,
        bits: None,
    };
    if !enough {
        return Ok(measured);
    }
    measured.key_bytes = requests
        .planned(&setting.params)?
        .iter()
        .map(|key| key.bytes.wire)
        .sum();

    let (low, high) = case.range;
    let inputs = Samples::uniform(low, high).draw(program.circuit(), 1)?;
    let expected = Cleartext::run(&program, &inputs)?.outputs["result"].entries();
    let (owner, workload) = send(&program, &setting.params, &inputs)?;
    let mut times = Vec::new();
    for &threads in &setting.threads {
        let engine = CpuEngine::with_threads(threads)?;
        let loaded = workload.load(engine, Options::new().side_by_side(threads))?;
        let pool = host_threads(threads)?;
        let first = pool.install(|| loaded.run())?;

        let error = worst(
            &expected,
            &owner.decrypt(first.output("result")?)?.entries(),
        );
        let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        if error.is_nan() || error > 1e-3 * largest {
            return Err(format!("{}: off by {error:.1e}", case.name).into());
        }
        measured.bits = (error > 0.0).then(|| -error.log2());

        let repeat = Repeat {
            warm_up: 0.0,
            seconds: setting.seconds,
            fewest: 3,
        };
        let run = || Ok(pool.install(|| loaded.run())?.report.seconds);
        times.push(repeat.time(run)?);
    }
    measured.times = Some(times);
    Ok(measured)
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    let errors = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    // A NaN stays.
    errors.fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m })
}

/// All operations.
#[derive(Serialize)]
pub(super) struct Table {
    log_n: u32,
    levels: usize,
    unit: EncodingUnit,
    threads: Vec<usize>,
    operations: Vec<Measured>,
}

impl Table {
    pub(super) fn new(setting: &Setting, operations: Vec<Measured>) -> Self {
        Self {
            log_n: setting.params.log_n(),
            levels: setting.params.max_level(),
            unit: setting.unit,
            threads: setting.threads.clone(),
            operations,
        }
    }

    /// A table for each group, and where less is needed than published.
    pub(super) fn report(&self, setting: &Setting, origin: Origin) -> Report {
        let title = "Operations on encrypted vectors and matrices";
        let mut report = Report::new(title, "operations", origin);
        let left = match setting.left {
            0 => "results have none left".to_owned(),
            left => format!("results have {left} left"),
        };
        report.text(format_args!(
            "Measured with N = 2^{}, {} levels (128-bit security), units of m x n = {}, one unit for each operand unless its name says \
             otherwise (V = H = 1). Inputs have exactly the levels that the operation needs, {left}. Rotations are key switches of \
             single ciphertexts, hoisted ones included; \"published\" is depth and rotations of the published toolkit (ePrint 2020/1483) for \
             the same operands. Times are medians of runs after a first one, which encodes the constants. Key switches are rotations and \
             relinearizations. Keys are those of the operation alone, cut to the levels at which they are used, in bytes on the wire. \
             \"Error\" is the worst of all entries against the same operation in the clear, in bits after the binary point, for random \
             entries in [-1, 1] or in the interval that the name says.",
            self.log_n, self.levels, self.unit
        ));
        for group in self.operations.chunk_by(|a, b| a.group == b.group) {
            let mut head = vec![
                "operation",
                "depth",
                "rotations",
                "published",
                "key switches",
                "ct x ct",
                "ct x plain",
                "keys",
                "bytes of keys",
                "error",
            ];
            head.extend(self.threads.iter().map(|threads| match threads {
                1 => "1 thread",
                _ => "all threads",
            }));
            let rows = group.iter().map(|row| row.cells(self.threads.len()));
            let table = text::Table::new(head).with_rows(rows);
            let title = group.first().map_or("", |row| row.group);
            report.heading(capitalized(title)).table(&table);
        }
        self.comparison(&mut report);
        report
    }

    fn comparison(&self, report: &mut Report) {
        let with = self.operations.iter();
        let with: Vec<_> = with.filter_map(|row| Some((row, row.published?))).collect();
        let better =
            |row: &Measured, p: (usize, usize, &str)| row.depth < p.0 || row.rotations < p.1;
        let worse =
            |row: &Measured, p: (usize, usize, &str)| row.depth > p.0 || row.rotations > p.1;
        report.heading("Beside the published figures").text(format_args!(
            "Of {} operations that both have, {} need fewer levels or rotations than published, {} more.",
            with.len(),
            with.iter().filter(|(row, p)| better(row, *p)).count(),
            with.iter().filter(|(row, p)| worse(row, *p)).count(),
        ));
        let other = with
            .iter()
            .filter(|(row, p)| better(row, *p) || worse(row, *p));
        let lines: Vec<String> = other
            .map(|(row, p)| {
                let Measured {
                    name,
                    depth,
                    rotations,
                    ..
                } = row;
                format!(
                    "- {name}: depth {depth} for {}, rotations {rotations} for {}",
                    p.0, p.1
                )
            })
            .collect();
        report.text(lines.join("\n"));
    }
}

impl Measured {
    fn cells(&self, threads: usize) -> Vec<String> {
        let mut cells = vec![
            self.name.to_owned(),
            self.depth.to_string(),
            self.rotations.to_string(),
            match self.published {
                Some((depth, 0, _)) => format!("{depth}; 0"),
                Some((depth, count, formula)) => format!("{depth}; {formula} = {count}"),
                None => String::new(),
            },
            self.key_switches.to_string(),
            self.ciphertext_products.to_string(),
            self.plaintext_products.to_string(),
            self.keys.to_string(),
            match self.keys {
                0 => String::new(),
                _ => bytes(self.key_bytes),
            },
            self.bits
                .map_or_else(String::new, |bits| format!("{bits:.1}")),
        ];
        match &self.times {
            Some(times) => cells.extend(times.iter().map(Timing::show)),
            None => cells.extend(vec!["too deep".to_owned(); threads]),
        }
        cells
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
