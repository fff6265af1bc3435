//! Counts and times of one operation, and the page of all.

use std::cmp::Ordering::{self, Greater, Less};

use arras::{
    CpuEngine,
    ckks::Parameters,
    toolkit::{
        Cleartext, EncodingUnit, OpCount, Program, Samples, plan::KeyRequests, run::Options,
    },
};

use super::Case;
use crate::{
    Result,
    fixture::send,
    process::host_threads,
    report::{
        Form::{Bytes, Fixed, Plain, Seconds},
        Report, Table, column, hidden,
    },
    timing::{Repeat, Timing},
};

/// What everything is measured with.
pub(super) struct Setting {
    pub(super) params: Parameters,
    pub(super) unit: EncodingUnit,
    /// Threads of the engine, a column each.
    pub(super) threads: Vec<usize>,
    /// Seconds to repeat an operation for.
    pub(super) seconds: f64,
    /// Levels that a result has left.
    pub(super) left: usize,
}

/// What is known about an operation, for one unit.
pub(super) struct Measured {
    case: Case,
    /// Levels consumed.
    depth: usize,
    count: OpCount,
    keys: usize,
    /// As the client sends them.
    key_bytes: u64,
    /// Depth and rotations of the published toolkit, and its formula for them.
    published: Option<(usize, usize, &'static str)>,
    /// A time for each number of threads, without the first run, which encodes the constants; `None` if the parameters have too few levels.
    times: Option<Vec<Timing>>,
    /// Worst error of an entry, in bits after the binary point; `None` if it was not run or is exact.
    bits: Option<f64>,
}

/// Counts an operation and runs it; fails if a result is not what the operation gives in the clear.
pub(super) fn measure(case: Case, setting: &Setting) -> Result<Measured> {
    let program = Program::new(case.circuit(setting.unit, setting.left)?);
    let [m, n] = [setting.unit.height(), setting.unit.width()];
    let sizes = [m, m.ilog2() as usize, n.ilog2() as usize];
    let requests = KeyRequests::of(&program);
    let mut measured = Measured {
        case,
        depth: program.levels_needed() - setting.left,
        count: OpCount::of(&program),
        keys: requests.len(),
        key_bytes: 0,
        published: case
            .published
            .map(|of| (of.depth, (of.rotations)(sizes), of.formula)),
        times: None,
        bits: None,
    };
    if program.levels_needed() > setting.params.max_level() {
        return Ok(measured);
    }
    let keys = requests.planned(&setting.params)?;
    measured.key_bytes = keys.iter().map(|key| key.bytes.wire).sum();

    let (low, high) = case.range.unwrap_or((-1.0, 1.0));
    let inputs = Samples::uniform(low, high).draw(program.circuit(), 1)?;
    let expected = Cleartext::run(&program, &inputs)?.outputs["result"].entries();
    let (owner, workload) = send(&program, &setting.params, &inputs)?;
    let mut times = Vec::new();
    for &threads in &setting.threads {
        let engine = CpuEngine::with_threads(threads)?;
        let loaded = workload.load(engine, Options::new().side_by_side(threads))?;
        let pool = host_threads(threads)?;
        let first = pool.install(|| loaded.run())?;

        let result = owner.decrypt(first.output("result")?)?.entries();
        let error = worst(&expected, &result);
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

/// A table for each group, and where less is needed than published.
pub(super) fn write(setting: &Setting, operations: &[Measured], report: &mut Report) {
    let (log_n, levels) = (setting.params.log_n(), setting.params.max_level());
    let left = match setting.left {
        0 => "results have none left".to_owned(),
        left => format!("results have {left} left"),
    };
    report
        .number("log_n", log_n)
        .number("levels", levels)
        .number("unit", setting.unit)
        .number("threads", &setting.threads)
        .text(format_args!(
            "Measured with N = 2^{log_n}, {levels} levels (128-bit security), units of m x n = {}, one unit for each operand unless its name says \
             otherwise (V = H = 1). Inputs have exactly the levels that the operation needs, {left}. Rotations are key switches of \
             single ciphertexts, hoisted ones included; \"published\" is depth and rotations of the published toolkit (ePrint 2020/1483) for \
             the same operands. Times are medians of runs after a first one, which encodes the constants. Key switches are rotations and \
             relinearizations. Keys are those of the operation alone, cut to the levels at which they are used, in bytes on the wire. \
             \"Error\" is the worst of all entries against the same operation in the clear, in bits after the binary point, for random \
             entries in [-1, 1] or in the interval that the name says.",
            setting.unit
        ));
    for group in operations.chunk_by(|a, b| a.case.group == b.case.group) {
        let mut columns = vec![
            hidden("group"),
            hidden("published_depth"),
            hidden("published_rotations"),
            column("operation", Plain),
            column("depth", Plain),
            column("rotations", Plain),
            column("published", Plain).or(""),
            column("key switches", Plain),
            column("ct x ct", Plain).key("ciphertext_products"),
            column("ct x plain", Plain).key("plaintext_products"),
            column("keys", Plain),
            column("bytes of keys", Bytes).key("key_bytes").or(""),
            column("error", Fixed(1)).key("error_bits").or(""),
        ];
        columns.extend(setting.threads.iter().map(|threads| match threads {
            1 => column("1 thread", Seconds).or("too deep"),
            _ => column("all threads", Seconds).or("too deep"),
        }));
        let mut table = Table::new("operations", columns);
        for row in group {
            let published = row.published.map(|(depth, count, formula)| match count {
                0 => format!("{depth}; 0"),
                _ => format!("{depth}; {formula} = {count}"),
            });
            table.row((
                row.case.group,
                row.published
                    .map_or((None, None), |p| (Some(p.0), Some(p.1))),
                (row.case.name, row.depth, row.count.rotations(), published),
                row.count.key_switches(),
                row.count.ciphertext_products(),
                row.count.plaintext_products(),
                (row.keys, (row.keys > 0).then_some(row.key_bytes), row.bits),
                match &row.times {
                    Some(times) => times.iter().map(Some).collect(),
                    None => vec![None; setting.threads.len()],
                },
            ));
        }
        let title = group.first().map_or("", |row| row.case.group);
        report.heading(capitalized(title)).add(&table);
    }

    let with = operations.iter();
    let with: Vec<_> = with.filter_map(|row| Some((row, row.published?))).collect();
    let differs = |sign: Ordering| {
        move |(row, (depth, rotations, _)): &&(&Measured, (usize, usize, &str))| {
            row.depth.cmp(depth) == sign || row.count.rotations().cmp(rotations) == sign
        }
    };
    let (better, worse) = (differs(Less), differs(Greater));
    report.heading("Beside the published figures").text(format_args!(
        "Of {} operations that both have, {} need fewer levels or rotations than published, {} more.",
        with.len(),
        with.iter().filter(&better).count(),
        with.iter().filter(&worse).count(),
    ));
    let other = with.iter().filter(|with| better(with) || worse(with));
    let lines: Vec<String> = other
        .map(|(row, (depth, rotations, _))| {
            format!(
                "- {}: depth {} for {depth}, rotations {} for {rotations}",
                row.case.name,
                row.depth,
                row.count.rotations()
            )
        })
        .collect();
    report.text(lines.join("\n"));
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
