//! Every operation of client, server, transfers and ring, with sizes and precisions: the columns are numbers of threads.

mod facts;

use arras::{
    CpuEngine,
    ckks::Parameters,
    hal::Backend,
    toolkit::text::{Table, bytes, seconds as duration},
};
use clap::Args;
use lr_train::report::peak_memory;
use serde::Serialize;

pub use facts::{Precision, Size};

use crate::{
    Client, Common, Operation, Result, Server, parameter_sets,
    process::{host_threads, reset_peak_memory},
    report::{Origin, Report},
    ring::RingData,
    scheme::{client_operations, server_operations},
    timing::Timing,
    transfers,
};

/// Every operation of client, server, transfers and ring at several ring degrees: times, sizes and precisions.
#[derive(Args)]
pub struct Arguments {
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

/// Everything that one run found out.
#[derive(Debug, Serialize)]
struct Primitives {
    /// Names of the engines of the columns, in order.
    engines: Vec<String>,
    seconds_per_operation: f64,
    sets: Vec<SetReport>,
}

/// What was found out about one parameter set.
#[derive(Debug, Serialize)]
struct SetReport {
    log_n: u32,
    levels: usize,
    log2_qp: f64,
    /// Limbs of a ciphertext at the highest level.
    limbs: usize,
    special_limbs: usize,
    digits: usize,
    /// Times, by layer.
    sections: Vec<Section>,
    sizes: Vec<Size>,
    precision: Vec<Precision>,
    /// For every engine, the most memory that the process had while it was measured, in bytes; `None` where the system does not say.
    peak_memory: Vec<Option<u64>>,
}

/// The operations of one layer.
#[derive(Debug, Serialize)]
struct Section {
    title: &'static str,
    rows: Vec<Row>,
}

/// An operation.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// Rows of N residues that it writes, if that is a useful unit.
    rows: Option<usize>,
    /// Bytes that it moves, if that is a useful unit.
    bytes: Option<u64>,
    /// A timing for every engine.
    timings: Vec<Timing>,
}

impl Arguments {
    /// Measures and publishes `primitives`.
    ///
    /// # Errors
    /// The engine's; for files that cannot be written.
    pub fn run(mut self, common: &Common) -> Result<()> {
        if common.quick {
            (self.log_n, self.seconds) = (vec![13], 0.0);
        }
        let origin = Origin::here();
        // A mistyped number of threads is found out now and not after the measurements.
        let names = self.threads.iter();
        let names = names.map(|&threads| Ok(CpuEngine::with_threads(threads)?.name()));
        let mut found = Primitives {
            engines: names.collect::<Result<_>>()?,
            seconds_per_operation: self.seconds,
            sets: Vec::new(),
        };
        for &log_n in &self.log_n {
            let params = parameter_sets::standard(log_n)?;
            found
                .sets
                .push(measure(&params, &self.threads, self.seconds)?);
        }
        let report = found.report(&self.threads, origin);
        common.output.publish("primitives", &report, &found)
    }
}

/// Measures a parameter set with the CPU engine on each number of threads.
fn measure(params: &Parameters, threads: &[usize], seconds: f64) -> Result<SetReport> {
    let level = params.max_level();
    let mut report = SetReport {
        log_n: params.log_n(),
        levels: level,
        log2_qp: params.log2_qp(),
        limbs: params.window(level).len(),
        special_limbs: params.special_limbs(),
        digits: params.dnum(),
        sections: ["Client", "Server", "Transfers", "Ring"]
            .map(|title| Section {
                title,
                rows: Vec::new(),
            })
            .into(),
        sizes: Vec::new(),
        precision: Vec::new(),
        peak_memory: Vec::new(),
    };
    for &threads in threads {
        reset_peak_memory();
        let engine = CpuEngine::with_threads(threads)?;
        host_threads(threads)?.install(|| report.column(params, &engine, seconds))?;
        report.peak_memory.push(peak_memory());
    }
    Ok(report)
}

impl SetReport {
    /// Adds an engine's column; facts that no engine changes are found out with the first.
    fn column(&mut self, params: &Parameters, engine: &CpuEngine, seconds: f64) -> Result<()> {
        let client = Client::new(params, engine.clone())?;
        self.time(0, client_operations(&client)?, seconds)?;
        {
            let server = Server::new(&client, engine.clone())?;
            self.time(1, server_operations(&server)?, seconds)?;
            self.time(2, transfers::operations(&client, &server)?, seconds)?;
            if self.precision.is_empty() {
                self.sizes = facts::sizes(&client, &server)?;
                self.precision = facts::precision(&client, &server)?;
            }
        }
        // The server's keys are gone before the ring's operands come.
        let ring = RingData::new(params, engine.clone())?;
        self.time(3, ring.operations()?, seconds)
    }

    /// Every engine has the same operations, in the same order.
    fn time(&mut self, section: usize, list: Vec<Operation<'_>>, seconds: f64) -> Result<()> {
        let Section { title, rows } = &mut self.sections[section];
        for (at, mut operation) in list.into_iter().enumerate() {
            eprintln!("2^{}, {title}: {}", self.log_n, operation.name());
            if rows.len() <= at {
                rows.push(Row {
                    name: operation.name(),
                    rows: operation.rows(),
                    bytes: operation.bytes(),
                    timings: Vec::new(),
                });
            }
            let timing = Timing::of_operation(&mut operation, seconds)?;
            rows[at].timings.push(timing);
        }
        Ok(())
    }

    fn write(&self, columns: &[String], report: &mut Report) {
        let Self { log_n, levels, .. } = self;
        report.heading(format_args!("N = 2^{log_n}, {levels} levels"));
        report.text(format_args!(
            "{} slots; ciphertexts have {} limbs, keys {} digits and {} special limbs; log2(QP) = {:.1}.",
            1u64 << (log_n - 1),
            self.limbs,
            self.digits,
            self.special_limbs,
            self.log2_qp
        ));
        for section in &self.sections {
            report.subheading(section.title);
            if section.rows.iter().any(|row| row.rows.is_some()) {
                report.text(
                    "A row is one residue polynomial that is written; GB/s count every row read or written once.",
                );
            }
            report.table(&section.table(columns));
        }
        let mut sizes = Table::new(["object", "bytes", ""]);
        for size in &self.sizes {
            sizes.row([
                size.name.to_owned(),
                size.bytes.to_string(),
                bytes(size.bytes),
            ]);
        }
        report.subheading("Sizes").table(&sizes);
        let mut precision = Table::new(["result", "levels used", "worst", "median", "mean"]);
        for row in &self.precision {
            let bits = [row.worst_bits, row.median_bits, row.mean_bits];
            let bits = bits.map(|bits| format!("{bits:.1}"));
            precision.row(
                [row.name.to_owned(), row.depth.to_string()]
                    .into_iter()
                    .chain(bits),
            );
        }
        report
            .subheading("Precision")
            .text("Bits below 1 of the errors over all slots; uniform values in [-1, 1).")
            .table(&precision);
        let mut memory = Table::new(["engine", "peak"]);
        for (column, peak) in columns.iter().zip(&self.peak_memory) {
            memory.row([
                column.clone(),
                peak.map_or_else(|| "unknown".to_owned(), bytes),
            ]);
        }
        report
            .subheading("Memory")
            .text("The most that the process had: client, server and all keys and operands of this page together.")
            .table(&memory);
    }
}

impl Section {
    fn table(&self, columns: &[String]) -> Table {
        let per_row = self.rows.iter().any(|row| row.rows.is_some());
        let rate = self.rows.iter().any(|row| row.bytes.is_some());
        let mut head = vec!["operation".to_owned()];
        head.extend(columns.iter().cloned());
        if per_row {
            head.push(format!(
                "per row, {}",
                columns.first().map_or("", String::as_str)
            ));
        }
        if rate {
            head.push(format!(
                "GB/s, {}",
                columns.last().map_or("", String::as_str)
            ));
        }
        let mut table = Table::new(head);
        for row in &self.rows {
            let mut cells = vec![row.name.to_owned()];
            cells.extend(row.timings.iter().map(Timing::show));
            if per_row {
                let first = row.timings.first().zip(row.rows);
                cells.push(
                    first.map_or_else(String::new, |(t, rows)| duration(t.median / rows as f64)),
                );
            }
            if rate {
                let last = row.timings.last().zip(row.bytes);
                cells.push(last.map_or_else(String::new, |(t, bytes)| {
                    format!("{:.2}", bytes as f64 / t.median / 1e9)
                }));
            }
            table.row(cells);
        }
        table
    }
}

impl Primitives {
    fn report(&self, threads: &[usize], origin: Origin) -> Report {
        let mut report = Report::new(
            "Operations of client, server and ring",
            "primitives",
            origin,
        );
        report.text(format_args!(
            "Medians after a warm-up, of the runs that fit into {} s and at least five. One ciphertext with all slots in use, at the \
             highest level of the set. Inputs are on their engine before the clock starts, and the clock stops when the engine has \
             finished; transfers have rows of their own.",
            self.seconds_per_operation
        ));
        let engines = self.engines.iter().enumerate();
        let engines: Vec<String> = engines
            .map(|(i, name)| format!("- engine {}: {name}", i + 1))
            .collect();
        report.text(engines.join("\n"));
        let columns: Vec<String> = threads
            .iter()
            .map(|threads| match threads {
                1 => "1 thread".to_owned(),
                threads => format!("{threads} threads"),
            })
            .collect();
        for set in &self.sets {
            set.write(&columns, &mut report);
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_measured_once_per_engine() {
        let params = parameter_sets::standard(13).unwrap();
        let report = measure(&params, &[1, 2], 0.0).unwrap();
        for row in report.sections.iter().flat_map(|section| &section.rows) {
            assert_eq!(row.timings.len(), 2, "{}", row.name);
            assert!(row.timings.iter().all(|t| t.median > 0.0), "{}", row.name);
        }
        assert!(
            report
                .sections
                .iter()
                .all(|section| section.rows.len() >= 7)
        );
        for precision in &report.precision {
            assert!(precision.worst_bits > 10.0, "{precision:?}");
        }
        let bytes = |name: &str| report.sizes.iter().find(|s| s.name == name).unwrap().bytes;
        let full = bytes("ciphertext, full");
        assert!(2 * bytes("ciphertext, seeded") < full + 4096);
        assert!(bytes("ciphertext, cut for sending") < full);
    }
}
