//! Every operation of client, server, transfers and ring, with sizes and precisions: the columns are numbers of threads.

mod facts;

use arras::{CpuEngine, ckks::Parameters, hal::Backend};
use clap::Args;
use lr_train::report::peak_memory;

use crate::{
    Common, Operation, Result,
    layers::{Layer, walk},
    parameter_sets,
    process::reset_peak_memory,
    report::{Form::*, Origin, Report, Table, column, hidden},
    timing::Timing,
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

/// An operation in an engine's column: rows of N residues that it writes and bytes that it moves, if these are useful units.
struct Cell {
    layer: Layer,
    name: &'static str,
    rows: Option<usize>,
    bytes: Option<u64>,
    timing: Timing,
}

/// Every operation on one engine, in the order that all engines have, and the most memory that the process had meanwhile, in bytes; `None`
/// where the system does not say.
type EngineColumn = (Vec<Cell>, Option<u64>);

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
            self.set(&params, &mut report)?;
        }
        common.output.page("primitives", &report)
    }

    /// Measures everything with one parameter set and number of threads.
    fn column(&self, params: &Parameters, threads: usize) -> Result<EngineColumn> {
        reset_peak_memory();
        let engine = CpuEngine::with_threads(threads)?;
        let mut cells = Vec::new();
        let measure = |layer, mut operation: Operation<'_>| {
            let name = operation.name;
            eprintln!("2^{}, {layer:?}: {name}", params.log_n());
            cells.push(Cell {
                layer,
                name,
                rows: operation.rows,
                bytes: operation.bytes,
                timing: Timing::of_operation(&mut operation, self.seconds)?,
            });
            Ok(())
        };
        walk(params, &engine, &Layer::ALL, measure)?;
        Ok((cells, peak_memory()))
    }

    /// Measures a parameter set and writes its part of the page.
    fn set(&self, params: &Parameters, report: &mut Report) -> Result<()> {
        let threads = self.threads.iter();
        let measured = threads.map(|&threads| self.column(params, threads));
        let measured = measured.collect::<Result<Vec<_>>>()?;
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
        let columns = self.threads.iter().map(|threads| match threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        });
        let columns: Vec<_> = columns.collect();
        for layer in Layer::ALL {
            let title = format!("{layer:?}");
            report.subheading(&title);
            if layer == Layer::Ring {
                report.text(
                    "A row is one residue polynomial that is written; GB/s count every row read or written once.",
                );
            }
            report.add(&section(&title, layer, &measured, &columns));
        }
        let [sizes, precision] = facts::of(params)?;
        report.subheading("Sizes").add(&sizes);
        report
            .subheading("Precision")
            .text("Bits below 1 of the errors over all slots; uniform values in [-1, 1).")
            .add(&precision);
        let peak = column("peak", Bytes).or("unknown");
        let mut memory = Table::new("peak_memory", [column("engine", Plain), peak]);
        for (name, (_, peak)) in columns.iter().zip(&measured) {
            memory.row((name, peak));
        }
        report
            .subheading("Memory")
            .text("The most that the process had: client, server and all keys and operands of this page together.")
            .add(&memory);
        Ok(())
    }
}

fn section(title: &str, layer: Layer, measured: &[EngineColumn], threads: &[String]) -> Table {
    let (first, last) = (threads.first(), threads.last());
    let of = |heading: &str, column: Option<&String>| {
        format!("{heading}, {}", column.map_or("", String::as_str))
    };
    let cells = measured.iter().take(1).flat_map(|(cells, _)| cells);
    let rows: Vec<_> = cells
        .enumerate()
        .filter(|(_, cell)| cell.layer == layer)
        .collect();
    let per_row = rows.iter().any(|(_, cell)| cell.rows.is_some());
    let rate = rows.iter().any(|(_, cell)| cell.bytes.is_some());
    let mut columns = vec![column("operation", Plain), hidden("rows"), hidden("bytes")];
    columns.extend(threads.iter().map(|threads| column(threads, Seconds)));
    columns.extend(per_row.then(|| column(of("per row", first), Seconds).or("")));
    columns.extend(rate.then(|| column(of("GB/s", last), Fixed(2)).or("")));
    let mut table = Table::new(title, columns);
    for (
        at,
        Cell {
            name, rows, bytes, ..
        },
    ) in rows
    {
        let timings: Vec<_> = measured.iter().map(|(cells, _)| cells[at].timing).collect();
        let each = timings.first().zip(*rows);
        let each = each.map(|(t, rows)| t.median / rows as f64);
        let speed = timings.last().zip(*bytes);
        let speed = speed.map(|(t, bytes)| bytes as f64 / t.median / 1e9);
        let derived: Vec<_> = [(per_row, each), (rate, speed)]
            .into_iter()
            .filter_map(|(shown, value)| shown.then_some(value))
            .collect();
        table.row((name, rows, bytes, timings, derived));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_measured_once_per_engine() {
        let params = parameter_sets::standard(13).unwrap();
        let arguments = Arguments {
            log_n: vec![13],
            threads: vec![1, 2],
            seconds: 0.0,
        };
        let mut report = Report::new("", "", Origin::here());
        arguments.set(&params, &mut report).unwrap();
        let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        let of = |table: &str| json["sets"][0][table].as_array().unwrap().clone();
        for layer in Layer::ALL {
            let rows = of(&format!("{layer:?}"));
            assert!(rows.len() >= 7);
            for (row, threads) in rows
                .iter()
                .flat_map(|row| [(row, "1_thread"), (row, "2_threads")])
            {
                assert!(row[threads]["median"].as_f64().unwrap() > 0.0, "{row}");
            }
        }
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
