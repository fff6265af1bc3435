//! The cross-engine tables as Markdown.

use std::fmt::Write;

use super::{Device, Engines, Row, measure::Measured};
use crate::report::{bytes, machine_table, seconds, table};

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
    /// Everything, with tables that are readable as they are.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# Engines side by side\n\n{}", machine_table(&self.machine));
        let _ = writeln!(
            text,
            "\nHost copy: {} with all cores.",
            rate(self.host_copy)
        );
        match &self.device {
            Some(device) => text += &device.to_markdown(),
            None => text += "\n**No GPU was found: only the CPU engine was measured.**\n",
        }
        for failure in &self.failures {
            let _ = writeln!(text, "\n**FAILED**: {failure}");
        }
        text += &self.times();
        if self.device.is_some() {
            text += &self.limits();
            text += &self.goals();
        }
        text += &self.transfer_table();
        text
    }

    fn times(&self) -> String {
        let mut text = format!(
            "\n## Times\n\nMedians of the runs that fit into {} s, after a first run and half as many seconds of work that count for nothing: a device begins with low clocks. *Latency*: one operation, from an idle \
             engine to an idle engine. *Each*: many enqueued and one wait, by their number. Per call: a batch is one call. The batch of a \
             training circuit is its minibatches, its latency the whole run with data and keys resident.\n\n",
            self.seconds
        );
        for (i, name) in self.names.iter().enumerate() {
            let _ = writeln!(text, "- engine {}: {name}", i + 1);
        }
        let mut head = vec![
            "operation".to_owned(),
            "log N".into(),
            "limbs".into(),
            "batch".into(),
        ];
        for i in 1..=self.names.len() {
            head.extend([format!("{i}: latency"), format!("{i}: each")]);
        }
        if self.names.len() > 1 {
            head.push("speed, last / best other".into());
        }
        head.push("same bits".into());
        let rows: Vec<_> = self.rows.iter().map(|row| self.time_row(row)).collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        text + "\n" + &table(&head, &rows)
    }

    fn time_row(&self, row: &Row) -> Vec<String> {
        let mut cells = key(row);
        for column in &row.columns {
            let of = |value: fn(&Measured) -> f64| {
                column.as_ref().map_or_else(dash, |m| seconds(value(m)))
            };
            cells.extend([of(|m| m.latency), of(|m| m.each)]);
        }
        if let Some((last, others)) = row.columns.split_last().filter(|(_, o)| !o.is_empty()) {
            let best = others
                .iter()
                .flatten()
                .map(|m| m.each)
                .min_by(f64::total_cmp);
            let ratio = last.as_ref().zip(best).map(|(m, best)| best / m.each);
            cells.push(ratio.map_or_else(dash, |r| format!("{r:.3}")));
        }
        let mut hashes = row.columns.iter().flatten().map(|m| m.fingerprint);
        let first = hashes.next();
        let rest: Vec<u64> = hashes.collect();
        cells.push(match first {
            _ if rest.is_empty() => dash(),
            Some(first) if rest.iter().all(|&hash| hash == first) => "yes".into(),
            _ => "**NO**".into(),
        });
        cells
    }

    /// Of the last column, which is the device's.
    fn limits(&self) -> String {
        let Some(device) = &self.device else {
            return String::new();
        };
        let rows: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| {
                let measured = row.columns.last()?.as_ref()?;
                let count = |value: Option<u64>| value.map_or_else(dash, |v| v.to_string());
                let mut cells = key(row);
                cells.extend([count(measured.dispatches), count(measured.submissions)]);
                // A training run waits in between.
                cells.push(match measured.queued {
                    1 => dash(),
                    _ => seconds(measured.enqueue),
                });
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
                    None => cells.extend(vec![dash(); 5]),
                }
                Some(cells)
            })
            .collect();
        let head = [
            "operation",
            "log N",
            "limbs",
            "batch",
            "dispatches",
            "submits",
            "host",
            "memory floor",
            "share",
            "arithmetic floor",
            "share",
            "each / larger floor",
        ];
        format!(
            "\n## Dispatches, submissions and the device's limits\n\nCounts of one repeated call, the wait included. *Host*: what the CPU needs to \
             record and submit a call; near *each*, the device waits for it. *Floors*: inputs, keys and outputs moved once at the measured copy rate; butterflies and accumulations that the \
             algorithm needs at the measured rates. *Share*: the floor by the time of each.\n\n{}",
            table(&head, &rows)
        )
    }

    fn goals(&self) -> String {
        let Some(device) = &self.device else {
            return String::new();
        };
        let mut rows = Vec::new();
        let mut goal = |name: String, value: f64, words: &str, met: bool, shown: String| {
            debug_assert!(value.is_finite());
            let verdict = if met { "met" } else { "missed" };
            rows.push(vec![name, shown, words.to_owned(), verdict.into()]);
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
        if rows.is_empty() {
            return String::new();
        }
        let head = ["goal (one H200)", "measured, each", "bound", "verdict"];
        format!("\n## Goals\n\n{}", table(&head, &rows))
    }

    fn transfer_table(&self) -> String {
        let mut head = vec!["transfer".to_owned(), "log N".into(), "bytes".into()];
        for i in 1..=self.names.len() {
            head.extend([format!("{i}: time"), format!("{i}: rate")]);
        }
        let rows: Vec<_> = self
            .transfers
            .iter()
            .map(|row| {
                let mut cells = vec![row.name.clone(), row.log_n.to_string(), bytes(row.bytes)];
                for time in &row.columns {
                    cells.push(time.map_or_else(dash, seconds));
                    cells.push(time.map_or_else(dash, |time| rate(row.bytes as f64 / time)));
                }
                cells
            })
            .collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        format!(
            "\n## Transfers\n\nNothing of them is in a row above.\n\n{}",
            table(&head, &rows)
        )
    }
}

impl Device {
    fn to_markdown(&self) -> String {
        let mut text = format!("\nDevice: {}; {}.\n", self.adapter, self.reason);
        if self.software {
            text += "\n**This device is software on the CPU: its times are those of a dry run and not of a GPU. No GPU was measured here.**\n";
        }
        let _ = writeln!(
            text,
            "\nMeasured on it: copies {}, {:.3} T butterflies a second, {:.3} T accumulations a second.",
            rate(self.peak.bytes),
            self.peak.butterflies / 1e12,
            self.peak.accumulations / 1e12
        );
        text
    }
}

fn key(row: &Row) -> Vec<String> {
    vec![
        row.name.clone(),
        row.log_n.to_string(),
        row.limbs.to_string(),
        row.batch.to_string(),
    ]
}

fn dash() -> String {
    "-".into()
}

fn rate(bytes_per_second: f64) -> String {
    format!("{:.1} GB/s", bytes_per_second / 1e9)
}
