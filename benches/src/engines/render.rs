//! The cross-engine tables.

use arras::toolkit::text::seconds;

use super::{Device, Engines, Key, Row, measure::Measured};
use crate::{
    report::{Column, Form::*, Origin, Report, Table, column, hidden},
    roofline::Work,
};

/// What a row is held against: name, ring, limbs, batch, seconds (or the times of its floor), in words.
type Goal = (&'static str, u32, Option<usize>, usize, f64, &'static str);

const GOALS: [Goal; 3] = [
    ("NTT", 16, Some(40), 1, 3.0, "within 3 times its floor"),
    (MULTIPLY, 16, Some(48), 1, 0.3e-3, "under 0.3 ms"),
    (
        "single-chain",
        15,
        None,
        6,
        50e-3,
        "six minibatches under 50 ms",
    ),
];
const MULTIPLY: &str = "multiply, relinearize, rescale";

impl Engines {
    /// Everything so far.
    pub(super) fn report(&self, origin: &Origin) -> Report {
        let mut report = Report::new("Engines side by side", "engines", origin.clone());
        report
            .number("host_copy", self.host_copy)
            .number("seconds", self.seconds)
            .number("device", &self.device)
            .number("failures", &self.failures)
            .text(format_args!(
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
        if !self.kernels.is_empty() {
            report.heading("Device time by kernel");
        }
        for (heading, table) in &self.kernels {
            report.text(heading).add(table);
        }
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
        report.engines("names", &self.names);
        let mut head = key_columns().to_vec();
        for i in 1..=self.names.len() {
            head.push(column(format_args!("{i}: latency"), Seconds).key(&format!("latency_{i}")));
            head.push(column(format_args!("{i}: each"), Seconds).key(&format!("each_{i}")));
            head.push(hidden(&format!("engine_{i}")));
        }
        if self.names.len() > 1 {
            head.push(column("speed, last / best other", Fixed(3)));
        }
        head.extend([column("same bits", Plain), hidden("work")]);
        let mut table = Table::new("rows", head);
        for (key, work, engines) in self.wide(&self.rows) {
            let columns = engines.iter().map(|measured| {
                let times = measured.map(|m| (m.latency, m.each)).unzip();
                (times, measured)
            });
            let columns: Vec<_> = columns.collect();
            let speed = engines
                .split_last()
                .filter(|(_, others)| !others.is_empty());
            let speed = speed.map(|(last, others)| {
                let best = others.iter().flatten().map(|m| m.each);
                let best = best.min_by(f64::total_cmp);
                last.zip(best).map(|(m, best)| best / m.each)
            });
            let mut hashes = engines.iter().flatten().map(|m| m.fingerprint);
            let first = hashes.next();
            let rest: Vec<u64> = hashes.collect();
            let same = match first {
                _ if rest.is_empty() => None,
                Some(first) if rest.iter().all(|&hash| hash == first) => Some("yes"),
                _ => Some("**NO**"),
            };
            let speed: Vec<_> = speed.into_iter().collect();
            table.row((key, columns, speed, same, work));
        }
        report.add(&table);
    }

    /// Rows of one operation at one size as one, with a place for every engine.
    fn wide<F: Copy, T: Copy>(&self, rows: &[Row<F, T>]) -> Vec<(Key, F, Vec<Option<T>>)> {
        let mut wide: Vec<(Key, F, Vec<Option<T>>)> = Vec::new();
        for row in rows {
            let known = wide.iter().position(|known| known.0 == row.key);
            let at = known.unwrap_or_else(|| {
                wide.push((row.key, row.facts, vec![None; self.names.len()]));
                wide.len() - 1
            });
            wide[at].2[row.engine] = Some(row.found);
        }
        wide
    }

    /// Rows of the device's column.
    fn on_device(&self) -> impl Iterator<Item = &Row<Option<Work>, Measured>> {
        let rows = self.rows.iter();
        rows.filter(|row| row.engine == self.cpus.len())
    }

    fn limits(&self, device: &Device, report: &mut Report) {
        let share = || By(|v| format!("{:.0} %", 100.0 * v.as_f64().unwrap_or(f64::NAN)));
        let mut table = Table::new(
            "limits",
            key_columns().into_iter().chain([
                column("dispatches", Plain),
                column("submits", Plain).key("submissions"),
                column("host", Seconds),
                column("recording", Seconds),
                column("a dispatch", Seconds),
                column("memory floor", Seconds),
                column("share", share()).key("memory_share"),
                column("arithmetic floor", Seconds),
                column("share", share()).key("arithmetic_share"),
                column("each / larger floor", Fixed(1)),
            ]),
        );
        for row in self.on_device() {
            let measured = &row.found;
            let floors = row.facts.map(|work| {
                let [memory, arithmetic] = device.peak.floors(row.key.1, &work);
                let [by_memory, by_arithmetic] = [memory, arithmetic].map(|f| f / measured.each);
                let by_larger = measured.each / memory.max(arithmetic);
                [memory, by_memory, arithmetic, by_arithmetic, by_larger].map(Some)
            });
            let dispatches = measured.dispatches.map(|count| count as f64);
            table.row((
                row.key,
                (measured.dispatches, measured.submissions),
                // A training run waits in between.
                (measured.queued > 1).then_some(measured.enqueue),
                measured.recording,
                dispatches.map(|dispatches| measured.recording / dispatches),
                floors.unwrap_or_default(),
            ));
        }
        report
            .heading("Dispatches, submissions and the device's limits")
            .text(
                "Counts of one repeated call, the wait included. *Host*: what the CPU needs to record and submit a call; near *each*, the \
                 device waits for it. *Recording*: processor time of the thread that records, the least of all runs, the wait included; and by \
                 dispatch. *Floors*: inputs, keys and outputs moved once at the measured copy rate; butterflies and accumulations \
                 that the algorithm needs at the measured rates. *Share*: the floor by the time of each.",
            )
            .add(&table);
    }

    fn goals(&self, device: &Device, report: &mut Report) {
        let mut table = Table::new(
            "goals",
            [
                column("goal (one H200)", Plain).key("goal"),
                column("measured, each", Plain).key("measured"),
                column("bound", Plain),
                column("verdict", Plain),
                hidden("value"),
            ],
        );
        let goals = self.on_device().filter_map(|row| {
            let (operation, log_n, limbs, batch) = row.key;
            let (name, .., bound, words) = GOALS.iter().find(|goal| {
                (goal.0, goal.1, goal.3) == (operation, log_n, batch)
                    && goal.2.is_none_or(|of| of == limbs)
            })?;
            let each = row.found.each;
            let (title, value, shown) = if let Some(work) = row.facts
                && *name == "NTT"
            {
                let [memory, arithmetic] = device.peak.floors(log_n, &work);
                let times = each / memory.max(arithmetic);
                let title = format!("{name} of {limbs} limbs, N = 2^{log_n}");
                (title, times, format!("{times:.2} times"))
            } else {
                let title = format!("{name}, N = 2^{log_n}, {limbs} limbs");
                (title, each, seconds(each))
            };
            let verdict = if value <= *bound { "met" } else { "missed" };
            Some((title, shown, words, verdict, value))
        });
        let goals: Vec<_> = goals.collect();
        if goals.is_empty() {
            return;
        }
        goals.iter().for_each(|goal| {
            table.row(goal);
        });
        report.heading("Goals").add(&table);
    }

    fn transfer_table(&self, report: &mut Report) {
        let mut head = vec![
            column("transfer", Plain),
            column("log N", Plain),
            column("bytes", Bytes),
        ];
        for i in 1..=self.names.len() {
            head.push(column(format_args!("{i}: time"), Seconds).key(&format!("time_{i}")));
            let shown = By(|v| rate(v.as_f64().unwrap_or(f64::NAN)));
            head.push(column(format_args!("{i}: rate"), shown).key(&format!("rate_{i}")));
        }
        let mut table = Table::new("transfers", head);
        for (key, bytes, times) in self.wide(&self.transfers) {
            let rate = |time: &Option<f64>| time.map(|time| bytes as f64 / time);
            let columns: Vec<_> = times.iter().map(|time| (time, rate(time))).collect();
            table.row((key.0, key.1, bytes, columns));
        }
        report
            .heading("Transfers")
            .text("Nothing of them is in a row above.")
            .add(&table);
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

fn key_columns() -> [Column; 4] {
    ["operation", "log N", "limbs", "batch"].map(|heading| column(heading, Plain))
}

fn rate(bytes_per_second: f64) -> String {
    format!("{:.1} GB/s", bytes_per_second / 1e9)
}
