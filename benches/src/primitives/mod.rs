//! Every operation of client, server, transfers and ring, with sizes and precisions: the columns are numbers of threads.

mod facts;

use arras::{CpuEngine, ckks::Parameters, hal::Backend};
use clap::Args;
use lr_train::report::peak_memory;

use crate::{
    Client, Common, Operation, Result, Server, parameter_sets,
    process::{host_threads, reset_peak_memory},
    report::{
        Form::{Bytes, Fixed, Plain, Seconds},
        Origin, Report, Table, column, hidden,
    },
    ring::RingData,
    scheme::{client_operations, server_operations},
    timing::Timing,
    transfers,
};

/// Every operation of client, server, transfers and ring at several ring degrees: times, sizes and precisions.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Base-2 logarithms of the ring degrees (13 to 16 have a set that is deep enough).
    #[arg(long, value_delimiter = ',', default_value = "14,15,16", value_parser = clap::value_parser!(u32).range(13..=16))]
    log_n: Vec<u32>,
    /// Numbers of threads, a column each.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Seconds to repeat each operation for.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

/// An operation: rows of N residues that it writes and bytes that it moves, if these are useful units, and a timing for every engine.
struct Row {
    name: &'static str,
    rows: Option<usize>,
    bytes: Option<u64>,
    timings: Vec<Timing>,
}

const SECTIONS: [&str; 4] = ["Client", "Server", "Transfers", "Ring"];

/// What was found out about one parameter set.
#[derive(Default)]
struct Set {
    /// Times, by layer.
    sections: [Vec<Row>; SECTIONS.len()],
    /// Sizes and precisions: no engine changes them.
    facts: Option<[Table; 2]>,
    /// For every engine, the most memory that the process had while it was measured, in bytes; `None` where the system does not say.
    peaks: Vec<Option<u64>>,
}

impl Arguments {
    /// Measures and publishes `primitives`.
    pub(crate) fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            (self.log_n, self.seconds) = (vec![13], 0.0);
        }
        let title = "Operations of client, server and ring";
        let mut report = Report::new(title, "primitives", Origin::here());
        // A mistyped number of threads is found out now and not after the measurements.
        let names = self.threads.iter();
        let names = names.map(|&threads| Ok(CpuEngine::with_threads(threads)?.name()));
        let names = names.collect::<Result<Vec<_>>>()?;
        report
            .number("seconds_per_operation", self.seconds)
            .text(format_args!(
                "Medians after a warm-up, of the runs that fit into {} s and at least five. One ciphertext with all slots in use, at the \
                 highest level of the set. Inputs are on their engine before the clock starts, and the clock stops when the engine has \
                 finished; transfers have rows of their own.",
                self.seconds
            ))
            .engines("engines", &names);
        for &log_n in &self.log_n {
            let params = parameter_sets::standard(log_n)?;
            let set = Set::measure(&params, &self.threads, self.seconds)?;
            set.write(&params, &self.threads, &mut report);
        }
        common.output.page("primitives", &report)
    }
}

impl Set {
    /// Measures a parameter set with the CPU engine on each number of threads.
    fn measure(params: &Parameters, threads: &[usize], seconds: f64) -> Result<Self> {
        let mut set = Self::default();
        for &threads in threads {
            reset_peak_memory();
            let engine = CpuEngine::with_threads(threads)?;
            host_threads(threads)?.install(|| set.column(params, &engine, seconds))?;
            set.peaks.push(peak_memory());
        }
        Ok(set)
    }

    /// Adds an engine's column.
    fn column(&mut self, params: &Parameters, engine: &CpuEngine, seconds: f64) -> Result<()> {
        // Every engine has the same operations, in the same order.
        let mut time = |section: usize, list: Vec<Operation<'_>>| -> Result<()> {
            let rows = &mut self.sections[section];
            for (at, mut operation) in list.into_iter().enumerate() {
                let name = operation.name;
                eprintln!("2^{}, {}: {name}", params.log_n(), SECTIONS[section]);
                if rows.len() <= at {
                    rows.push(Row {
                        name,
                        rows: operation.rows,
                        bytes: operation.bytes,
                        timings: Vec::new(),
                    });
                }
                let timing = Timing::of_operation(&mut operation, seconds)?;
                rows[at].timings.push(timing);
            }
            Ok(())
        };
        let client = Client::new(params, engine.clone())?;
        time(0, client_operations(&client)?)?;
        {
            let server = Server::new(&client, engine.clone())?;
            time(1, server_operations(&server)?)?;
            time(2, transfers::operations(&client, &server)?)?;
            if self.facts.is_none() {
                let sizes = facts::sizes(&client, &server)?;
                self.facts = Some([sizes, facts::precision(&client, &server)?]);
            }
        }
        // The server's keys are gone before the ring's operands come.
        let ring = RingData::new(params, engine.clone())?;
        time(3, ring.operations()?)
    }

    fn write(&self, params: &Parameters, threads: &[usize], report: &mut Report) {
        let (log_n, levels) = (params.log_n(), params.max_level());
        let (limbs, special) = (params.window(levels).len(), params.special_limbs());
        let (digits, log2_qp) = (params.dnum(), params.log2_qp());
        report
            .part("sets")
            .number("log_n", log_n)
            .number("levels", levels)
            .number("log2_qp", log2_qp)
            .number("limbs", limbs)
            .number("special_limbs", special)
            .number("digits", digits)
            .heading(format_args!("N = 2^{log_n}, {levels} levels"))
            .text(format_args!(
                "{} slots; ciphertexts have {limbs} limbs, keys {digits} digits and {special} special limbs; log2(QP) = {log2_qp:.1}.",
                params.slots()
            ));
        let columns = threads.iter().map(|threads| match threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        });
        let columns: Vec<_> = columns.collect();
        for (title, rows) in SECTIONS.iter().zip(&self.sections) {
            report.subheading(title);
            if rows.iter().any(|row| row.rows.is_some()) {
                report.text(
                    "A row is one residue polynomial that is written; GB/s count every row read or written once.",
                );
            }
            report.add(&section(title, rows, &columns));
        }
        if let Some([sizes, precision]) = &self.facts {
            report.subheading("Sizes").add(sizes);
            report
                .subheading("Precision")
                .text("Bits below 1 of the errors over all slots; uniform values in [-1, 1).")
                .add(precision);
        }
        let peak = column("peak", Bytes).or("unknown");
        let mut memory = Table::new("peak_memory", [column("engine", Plain), peak]);
        for row in columns.iter().zip(&self.peaks) {
            memory.row(row);
        }
        report
            .subheading("Memory")
            .text("The most that the process had: client, server and all keys and operands of this page together.")
            .add(&memory);
    }
}

fn section(title: &str, rows: &[Row], threads: &[String]) -> Table {
    let (first, last) = (threads.first(), threads.last());
    let of = |heading: &str, column: Option<&String>| {
        format!("{heading}, {}", column.map_or("", String::as_str))
    };
    let per_row = rows.iter().any(|row| row.rows.is_some());
    let rate = rows.iter().any(|row| row.bytes.is_some());
    let mut columns = vec![column("operation", Plain), hidden("rows"), hidden("bytes")];
    columns.extend(threads.iter().map(|threads| column(threads, Seconds)));
    columns.extend(per_row.then(|| column(of("per row", first), Seconds).or("")));
    columns.extend(rate.then(|| column(of("GB/s", last), Fixed(2)).or("")));
    let mut table = Table::new(title, columns);
    for row in rows {
        let each = row.timings.first().zip(row.rows);
        let each = each.map(|(t, rows)| t.median / rows as f64);
        let speed = row.timings.last().zip(row.bytes);
        let speed = speed.map(|(t, bytes)| bytes as f64 / t.median / 1e9);
        let derived: Vec<_> = [(per_row, each), (rate, speed)]
            .into_iter()
            .filter_map(|(shown, value)| shown.then_some(value))
            .collect();
        table.row((row.name, row.rows, row.bytes, &row.timings, derived));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_measured_once_per_engine() {
        let params = parameter_sets::standard(13).unwrap();
        let set = Set::measure(&params, &[1, 2], 0.0).unwrap();
        for row in set.sections.iter().flatten() {
            assert_eq!(row.timings.len(), 2, "{}", row.name);
            assert!(row.timings.iter().all(|t| t.median > 0.0), "{}", row.name);
        }
        assert!(set.sections.iter().all(|rows| rows.len() >= 7));
        let mut report = Report::new("", "", Origin::here());
        set.write(&params, &[1, 2], &mut report);
        let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        let of = |table: &str| json["sets"][0][table].as_array().unwrap().clone();
        for precision in of("precision") {
            assert!(
                precision["worst_bits"].as_f64().unwrap() > 10.0,
                "{precision}"
            );
        }
        let sizes = of("sizes");
        let bytes = |name: &str| {
            let size = sizes.iter().find(|size| size["object"] == name);
            size.unwrap()["bytes"].as_u64().unwrap()
        };
        let full = bytes("ciphertext, full");
        assert!(2 * bytes("ciphertext, seeded") < full + 4096);
        assert!(bytes("ciphertext, cut for sending") < full);
    }
}
