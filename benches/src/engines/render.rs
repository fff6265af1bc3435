//! The cross-engine tables.

use arras::toolkit::text::{Table, bytes, seconds};

use super::{Device, Engines, Row, measure::Measured};
use crate::report::{Origin, Report, or_dash};

/// Goals that a row is held against: name, ring, limbs, batch, seconds, in words.
const GOALS: [(&str, u32, usize, usize, f64, &str); 2] = [
    (
        "multiply, relinearize, rescale",
        16,
        48,
        1,
        0.3e-3,
        "under 0.3 ms",
    ),
    (
        "single-chain",
        15,
        0,
        6,
        50e-3,
        "six minibatches under 50 ms",
    ),
];

impl Engines {
    /// Everything so far.
    pub(super) fn report(&self, origin: Origin) -> Report {
        let mut report = Report::new("Engines side by side", "engines", origin);
        report.text(format_args!(
            "Host copy: {} with all cores.",
            rate(self.host_copy)
        ));
        match &self.device {
            Some(device) => device.write(&mut report),
            None => {
                report.text("**No GPU was found: only the CPU engine was measured.**");
            }
        }
        for failure in &self.failures {
            report.text(format_args!("**FAILED**: {failure}"));
        }
        self.times(&mut report);
        if let Some(device) = &self.device {
            self.limits(device, &mut report);
            self.goals(device, &mut report);
        }
        self.transfer_table(&mut report);
        report
    }

    fn times(&self, report: &mut Report) {
        report.heading("Times").text(format_args!(
            "Medians of the runs that fit into {} s, after a first run and half as many seconds of work that count for nothing: a device \
             begins with low clocks. *Latency*: one operation, from an idle engine to an idle engine. *Each*: many enqueued and one wait, by \
             their number. Per call: a batch is one call. The batch of a training circuit is its minibatches, its latency the whole run with \
             data and keys resident.",
            self.seconds
        ));
        let names = self.names.iter().enumerate();
        let names: Vec<String> = names
            .map(|(i, name)| format!("- engine {}: {name}", i + 1))
            .collect();
        report.text(names.join("\n"));
        let mut head: Vec<String> = KEY.map(str::to_owned).into();
        for i in 1..=self.names.len() {
            head.extend([format!("{i}: latency"), format!("{i}: each")]);
        }
        if self.names.len() > 1 {
            head.push("speed, last / best other".into());
        }
        head.push("same bits".into());
        let rows = self.rows.iter().map(|row| self.time_row(row));
        report.table(&Table::new(head).with_rows(rows));
    }

    fn time_row(&self, row: &Row) -> Vec<String> {
        let mut cells = key(row);
        for column in &row.columns {
            let of = |value: fn(&Measured) -> f64| or_dash(column.as_ref(), |m| seconds(value(m)));
            cells.extend([of(|m| m.latency), of(|m| m.each)]);
        }
        if let Some((last, others)) = row.columns.split_last().filter(|(_, o)| !o.is_empty()) {
            let best = others
                .iter()
                .flatten()
                .map(|m| m.each)
                .min_by(f64::total_cmp);
            let ratio = last.as_ref().zip(best).map(|(m, best)| best / m.each);
            cells.push(or_dash(ratio, |r| format!("{r:.3}")));
        }
        let mut hashes = row.columns.iter().flatten().map(|m| m.fingerprint);
        let first = hashes.next();
        let rest: Vec<u64> = hashes.collect();
        cells.push(match first {
            _ if rest.is_empty() => "-".into(),
            Some(first) if rest.iter().all(|&hash| hash == first) => "yes".into(),
            _ => "**NO**".into(),
        });
        cells
    }

    /// Of the last column, which is the device's.
    fn limits(&self, device: &Device, report: &mut Report) {
        let mut table = Table::new(KEY.into_iter().chain([
            "dispatches",
            "submits",
            "host",
            "memory floor",
            "share",
            "arithmetic floor",
            "share",
            "each / larger floor",
        ]));
        for row in &self.rows {
            let Some(measured) = row.columns.last().and_then(Option::as_ref) else {
                continue;
            };
            let mut cells = key(row);
            cells.push(or_dash(measured.dispatches, |count| count.to_string()));
            cells.push(or_dash(measured.submissions, |count| count.to_string()));
            // A training run waits in between.
            cells.push(or_dash(
                (measured.queued > 1).then_some(measured.enqueue),
                seconds,
            ));
            match &row.floor {
                Some(floor) => {
                    let memory = floor.memory_seconds(&device.peak);
                    let arithmetic = floor.arithmetic_seconds(&device.peak);
                    let share = |floor: f64| format!("{:.0} %", 100.0 * floor / measured.each);
                    cells.extend([
                        seconds(memory),
                        share(memory),
                        seconds(arithmetic),
                        share(arithmetic),
                        format!("{:.1}", measured.each / memory.max(arithmetic)),
                    ]);
                }
                None => cells.extend(vec!["-".to_owned(); 5]),
            }
            table.row(cells);
        }
        report
            .heading("Dispatches, submissions and the device's limits")
            .text(
                "Counts of one repeated call, the wait included. *Host*: what the CPU needs to record and submit a call; near *each*, the \
                 device waits for it. *Floors*: inputs, keys and outputs moved once at the measured copy rate; butterflies and accumulations \
                 that the algorithm needs at the measured rates. *Share*: the floor by the time of each.",
            )
            .table(&table);
    }

    fn goals(&self, device: &Device, report: &mut Report) {
        let mut table = Table::new(["goal (one H200)", "measured, each", "bound", "verdict"]);
        let mut goal = |name: String, value: f64, words: &str, met: bool, shown: String| {
            debug_assert!(value.is_finite());
            let verdict = if met { "met" } else { "missed" };
            table.row([name, shown, words.to_owned(), verdict.into()]);
        };
        for row in &self.rows {
            let Some(measured) = row.columns.last().and_then(Option::as_ref) else {
                continue;
            };
            if let Some(floor) = &row.floor
                && (row.name.as_str(), row.log_n, row.limbs) == ("NTT", 16, 40)
            {
                let bound = floor
                    .memory_seconds(&device.peak)
                    .max(floor.arithmetic_seconds(&device.peak));
                let ratio = measured.each / bound;
                goal(
                    "NTT of 40 limbs, N = 2^16".into(),
                    ratio,
                    "within 3 times its floor",
                    ratio <= 3.0,
                    format!("{ratio:.2} times"),
                );
            }
            for (name, log_n, limbs, batch, bound, words) in GOALS {
                let here = (row.name.as_str(), row.log_n, row.batch) == (name, log_n, batch)
                    && (limbs == 0 || row.limbs == limbs);
                if here {
                    let title = format!("{name}, N = 2^{log_n}, {} limbs", row.limbs);
                    let value = measured.each;
                    goal(title, value, words, value < bound, seconds(value));
                }
            }
        }
        if !table.is_empty() {
            report.heading("Goals").table(&table);
        }
    }

    fn transfer_table(&self, report: &mut Report) {
        let mut head: Vec<String> = ["transfer", "log N", "bytes"].map(str::to_owned).into();
        for i in 1..=self.names.len() {
            head.extend([format!("{i}: time"), format!("{i}: rate")]);
        }
        let mut table = Table::new(head);
        for row in &self.transfers {
            let mut cells = vec![row.name.clone(), row.log_n.to_string(), bytes(row.bytes)];
            for time in &row.columns {
                cells.push(or_dash(*time, seconds));
                cells.push(or_dash(*time, |time| rate(row.bytes as f64 / time)));
            }
            table.row(cells);
        }
        report
            .heading("Transfers")
            .text("Nothing of them is in a row above.")
            .table(&table);
    }
}

impl Device {
    fn write(&self, report: &mut Report) {
        report.text(format_args!("Device: {}; {}.", self.adapter, self.reason));
        if self.software {
            report.text("**This device is software on the CPU: its times are those of a dry run and not of a GPU. No GPU was measured here.**");
        }
        report.text(format_args!(
            "Measured on it: copies {}, {:.3} T butterflies a second, {:.3} T accumulations a second.",
            rate(self.peak.bytes),
            self.peak.butterflies / 1e12,
            self.peak.accumulations / 1e12
        ));
    }
}

const KEY: [&str; 4] = ["operation", "log N", "limbs", "batch"];

fn key(row: &Row) -> Vec<String> {
    vec![
        row.name.clone(),
        row.log_n.to_string(),
        row.limbs.to_string(),
        row.batch.to_string(),
    ]
}

fn rate(bytes_per_second: f64) -> String {
    format!("{:.1} GB/s", bytes_per_second / 1e9)
}
