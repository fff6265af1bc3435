//! The page: goals first, then everything they rest on.

use std::fmt::Write;

use super::{
    Before, Peers,
    goals::{Goal, TOLERANCE, Unit},
    ours::{COMPARED, Ours, Times},
    outside::Library,
    recorded::{IFMA, RECORDED, recorded},
};
use crate::{
    floor::Work,
    report::{bytes, machine_table, seconds, table},
};

impl Peers {
    /// Everything as Markdown, beside an earlier run if there is one.
    pub fn to_markdown(&self, before: Option<&Before>) -> String {
        let mut text = String::from(
            "# Beside other libraries\n\nFrom `cargo run --release -p arras-benches --bin peers -- --out docs/benchmarks`.\n\n",
        );
        text += &machine_table(&self.machine);
        let _ = writeln!(
            text,
            "\nMedians of repeated runs of {} s after a warm-up, one thread and 128-bit parameters unless said. All in one run; absolute times \
             differ between machines, ratios less.\n",
            self.seconds
        );
        for library in &self.libraries {
            let Library {
                library,
                build,
                python,
                ..
            } = library;
            let _ = writeln!(text, "- {library}: {build}; Python {python}");
        }
        if let Some(transforms) = &self.transforms {
            let _ = writeln!(text, "- {} beside {}", transforms.peer, transforms.engine);
        }
        for skipped in &self.skipped {
            let _ = writeln!(text, "- **left out**: {}: {}", skipped.part, skipped.reason);
        }
        text += &self.goal_table();
        text += &self.steps();
        text += &self.operations();
        text += &self.transform_table();
        text += &self.lane_table();
        text += &self.thread_tables();
        if let Some(before) = before {
            text += &self.before_table(before);
        }
        text
    }

    fn goal_table(&self) -> String {
        let rows: Vec<_> = self
            .goals
            .iter()
            .map(|goal| {
                let verdict = match goal.met() {
                    Some(true) => "met",
                    Some(false) => "**missed**",
                    None => "not measured",
                };
                let sign = if goal.at_most { "at most" } else { "at least" };
                vec![
                    goal.name.clone(),
                    goal.value.map_or_else(dash, |value| goal.show(value)),
                    format!("{sign} {}", goal.show(goal.bound)),
                    verdict.into(),
                    goal.model.map_or_else(dash, seconds),
                    goal.by_model.map_or_else(dash, |ratio| {
                        let mark = if (ratio - 1.0).abs() > TOLERANCE {
                            " (!)"
                        } else {
                            ""
                        };
                        format!("{ratio:.2}{mark}")
                    }),
                ]
            })
            .collect();
        let head = [
            "goal",
            "measured",
            "bound",
            "verdict",
            "model",
            "measured / model",
        ];
        format!(
            "\n## Goals\n\nModel: the steps of the operation, counted, at what each costs alone in this run (transforms, base conversions, products \
             with keys, tensors, uniform rows). (!): more than 30 % off; those are the client's operations, which also sample errors, reduce integers \
             to residues and take memory that is erased afterwards, none of which the model has.\n\n{}",
            table(&head, &rows)
        )
    }

    fn operations(&self) -> String {
        let mut text = String::new();
        for log_n in self.sizes() {
            let Some(set) = self.ours.iter().find(|row| row.log_n == log_n) else {
                continue;
            };
            let _ = writeln!(
                text,
                "\n## N = 2^{log_n}\n\nOurs: {} levels, Q of {:.0} bits. Peers: Q of about as many bits (260, 620, 1220). In brackets their time by \
                 ours. Recorded: another day, another machine of the kind, least .. greatest.\n",
                set.levels, set.q_bits
            );
            let mut head = vec!["operation".to_owned(), "ours".into(), "2 threads".into()];
            head.extend(self.libraries.iter().map(|library| library.library.clone()));
            let recorded_here: Vec<_> = RECORDED
                .iter()
                .filter(|library| {
                    let rows = COMPARED.iter();
                    rows.clone()
                        .any(|(operation, _)| recorded(library.library, operation, log_n).is_some())
                })
                .collect();
            head.extend(
                recorded_here
                    .iter()
                    .map(|r| format!("recorded: {}", r.library)),
            );
            let rows: Vec<_> = COMPARED
                .iter()
                .map(|(operation, _)| {
                    let ours = self
                        .one_thread(log_n, operation)
                        .map(|row| row.times.median);
                    let two = self.ours.iter().find(|row| {
                        (row.log_n, row.threads) == (log_n, 2) && row.operation == *operation
                    });
                    let ratio = |theirs: f64| {
                        ours.map_or_else(String::new, |ours| format!(" ({:.1})", theirs / ours))
                    };
                    let mut cells = vec![
                        (*operation).to_owned(),
                        ours.map_or_else(dash, seconds),
                        two.map_or_else(dash, |row| seconds(row.times.median)),
                    ];
                    for library in &self.libraries {
                        let times = library.times(log_n, operation);
                        cells.push(times.map_or_else(dash, |Times { median, .. }| {
                            seconds(median) + &ratio(median)
                        }));
                    }
                    for library in &recorded_here {
                        let range = recorded(library.library, operation, log_n);
                        cells.push(range.map_or_else(dash, |[least, greatest]| {
                            if least < greatest {
                                format!("{} .. {}", seconds(least), seconds(greatest))
                            } else {
                                seconds(least)
                            }
                        }));
                    }
                    cells
                })
                .collect();
            let head: Vec<&str> = head.iter().map(String::as_str).collect();
            text += &table(&head, &rows);
            text += &self.longest(log_n);
        }
        text
    }

    /// Peers at the longest chain that one special prime leaves.
    fn longest(&self, log_n: u32) -> String {
        let rows: Vec<_> = self
            .libraries
            .iter()
            .flat_map(|library| library.rows.iter().map(move |row| (library, row)))
            .filter(|(_, row)| row.set == "longest chain" && row.log_n == log_n)
            .map(|(library, row)| {
                vec![
                    library.library.clone(),
                    row.operation.clone(),
                    row.q_bits.to_string(),
                    seconds(row.median),
                ]
            })
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        let head = ["longest chain", "operation", "bits of Q", "time"];
        format!("\n{}", table(&head, &rows))
    }

    fn transform_table(&self) -> String {
        let Some(report) = &self.transforms else {
            return String::new();
        };
        let mut rows = Vec::new();
        for row in &report.rows {
            let directions = [
                ("forward", row.forward),
                ("inverse, theirs without 1/N", row.inverse),
                ("inverse", row.inverse_normalized),
            ];
            for (direction, pair) in directions {
                let each = |time: f64| seconds(time / row.limbs as f64);
                let per_bit = |time: f64| format!("{:.2} µs", time / row.bits * 1e6);
                rows.push(vec![
                    row.log_n.to_string(),
                    row.limbs.to_string(),
                    direction.into(),
                    each(pair.ours.median),
                    per_bit(pair.ours.median),
                    each(pair.theirs.median),
                    per_bit(pair.theirs.median),
                    format!("{:.2}", pair.ours.median / pair.theirs.median),
                    format!("{:.2}", pair.ours.fastest / pair.theirs.fastest),
                ]);
            }
        }
        let head = [
            "log N",
            "limbs",
            "direction",
            "ours, a row",
            "a bit",
            "theirs, a row",
            "a bit",
            "ours / theirs",
            "of the fastest runs",
        ];
        let ifma: Vec<String> = IFMA
            .iter()
            .map(|(log_n, bits, micros)| {
                format!(
                    "{micros} µs at 2^{log_n} ({:.2} ns a bit)",
                    micros / bits * 1e3
                )
            })
            .collect();
        format!(
            "\n## Transforms\n\nBy turns in one process on the same primes, one thread, in place. One limb stays in the cache; all limbs of a deep \
             ciphertext do not. Recorded for IFMA code (OpenFHE with HEXL, 50 bits, forward): {}.\n\n{}",
            ifma.join(", "),
            table(&head, &rows)
        )
    }

    fn lane_table(&self) -> String {
        let mut levels: Vec<&str> = Vec::new();
        for row in &self.ours {
            if row.log_n == self.lanes_log_n && !levels.contains(&row.simd.as_str()) {
                levels.push(&row.simd);
            }
        }
        let Some((widest, _)) = levels.split_first() else {
            return String::new();
        };
        let time = |simd: &str, operation: &str| {
            let same = |row: &&Ours| {
                (row.log_n, row.threads, row.simd.as_str()) == (self.lanes_log_n, 1, simd)
                    && row.operation == operation
            };
            self.ours.iter().find(same).map(|row| row.times.median)
        };
        let names = COMPARED.iter().map(|(name, _)| *name).chain(["NTT, a row"]);
        let rows: Vec<_> = names
            .map(|name| {
                let mut cells = vec![name.to_owned()];
                let best = time(widest, name);
                for simd in &levels {
                    let here = time(simd, name);
                    cells.push(here.map_or_else(dash, seconds));
                    let ratio = here.zip(best).map(|(here, best)| here / best);
                    cells.push(ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")));
                }
                cells
            })
            .collect();
        let mut head = vec!["operation".to_owned()];
        for simd in &levels {
            head.extend([(*simd).to_owned(), format!("by {widest}")]);
        }
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        format!(
            "\n## SIMD levels, N = 2^{}, one thread\n\n{}",
            self.lanes_log_n,
            table(&head, &rows)
        )
    }

    fn thread_tables(&self) -> String {
        let rows: Vec<_> = self
            .gains
            .iter()
            .map(|gain| {
                vec![
                    gain.name.clone(),
                    seconds(gain.one.median),
                    seconds(gain.two.median),
                    format!("{:.2}", gain.gain),
                    format!("{:.2}", gain.efficiency),
                ]
            })
            .collect();
        let head = [
            "by turns",
            "1 thread",
            "2 threads",
            "gain",
            "by arithmetic's gain",
        ];
        let mut text = format!(
            "\n## Second thread\n\nArithmetic alone does twice the work with two threads.\n\n{}",
            table(&head, &rows)
        );
        let rows: Vec<_> = self
            .training
            .iter()
            .map(|run| {
                let time = |times: Option<Times>| times.map_or_else(dash, |t| seconds(t.median));
                vec![
                    run.circuit.clone(),
                    run.log_n.to_string(),
                    run.iterations.to_string(),
                    time(run.one),
                    time(run.two),
                    run.peak_bytes.map_or_else(dash, bytes),
                ]
            })
            .collect();
        let head = [
            "circuit",
            "log N",
            "minibatches",
            "1 thread",
            "2 threads",
            "peak memory",
        ];
        let _ = write!(
            text,
            "\n## Training\n\nKeys and data resident, data of the size of MNIST 3 against 8 (196 features, 64 rows); on MNIST itself, with models and \
             the baseline's table: `founding`.\n\n{}",
            table(&head, &rows)
        );
        text
    }

    /// What the modelled operations are made of, with one thread.
    fn steps(&self) -> String {
        let lanes = self.ours.first().map_or("", |row| row.simd.as_str());
        let mut rows = Vec::new();
        for row in &self.ours {
            let Some((work, costs)) = row.steps else {
                continue;
            };
            if row.threads != 1 || row.simd != lanes {
                continue;
            }
            let mut line = vec![format!("{}, N = 2^{}", row.operation, row.log_n)];
            for (count, time) in work.parts(&costs) {
                line.push(match count {
                    0 => dash(),
                    _ => format!(
                        "{count} x {} = {} ({:.0} %)",
                        seconds(time / count as f64),
                        seconds(time),
                        100.0 * time / row.times.median
                    ),
                });
            }
            line.push(seconds(work.seconds(&costs)));
            line.push(seconds(row.times.median));
            rows.push(line);
        }
        let mut head = vec!["one thread"];
        head.extend(Work::PARTS);
        head.extend(["together", "measured"]);
        let mut text = format!(
            "\n## Where the time goes\n\nSteps, each a row of N residues: how many, what one costs alone in this run, and together, with the share of what was \
             measured.\n\n{}",
            table(&head, &rows)
        );
        let n = f64::from(self.lanes_log_n).exp2();
        for (simd, lanes) in [("avx512", 16.0), ("avx2", 8.0)] {
            let row = self.ours.iter().find(|row| {
                (row.log_n, row.threads, row.simd.as_str()) == (self.lanes_log_n, 1, simd)
                    && row.operation == "NTT, a row"
            });
            if let Some(row) = row {
                // 12 operations a butterfly and 10 exchanges for two vectors, as the engine's transform says of itself.
                let vectors = n / lanes;
                let operations = vectors * (6.0 * f64::from(self.lanes_log_n) + 5.0);
                let _ = write!(
                    text,
                    "\nA transform at N = 2^{} is {:.0} vector operations of {lanes} words besides loads and stores: {:.2} in a nanosecond with {simd}.\n",
                    self.lanes_log_n,
                    operations,
                    operations / row.times.median * 1e-9
                );
            }
        }
        text
    }

    fn before_table(&self, before: &Before) -> String {
        let mut rows = Vec::new();
        let mut add = |name: String, then: f64, now: f64| {
            rows.push(vec![
                name,
                seconds(then),
                seconds(now),
                format!("{:.2}", then / now),
            ]);
        };
        for row in &self.ours {
            let same = |old: &&Ours| {
                (old.log_n, old.threads, &old.simd, &old.operation)
                    == (row.log_n, row.threads, &row.simd, &row.operation)
            };
            if let Some(old) = before.results.ours.iter().find(same) {
                let name = format!(
                    "2^{}, {}, threads {}: {}",
                    row.log_n, row.simd, row.threads, row.operation
                );
                add(name, old.times.median, row.times.median);
            }
        }
        for run in &self.training {
            let mut old = before.results.training.iter();
            if let Some(old) = old.find(|old| old.circuit == run.circuit) {
                for (threads, then, now) in [(1, old.one, run.one), (2, old.two, run.two)] {
                    if let Some((then, now)) = then.zip(now) {
                        let name = format!("training, {}, threads {threads}", run.circuit);
                        add(name, then.median, now.median);
                    }
                }
            }
        }
        let text = |key: &str| match before.machine.get(key).and_then(|value| value.as_str()) {
            Some(value) => value.to_owned(),
            None => "unknown".into(),
        };
        format!(
            "\n## Before and after\n\nBefore: commit {} on {}. Both runs are of their own time: see the loads.\n\n{}",
            text("commit"),
            text("cpu"),
            table(&["ours", "before", "now", "before / now"], &rows)
        )
    }
}

impl Goal {
    fn show(&self, value: f64) -> String {
        match self.unit {
            Unit::Seconds => seconds(value),
            Unit::Bytes => bytes(value as u64),
            Unit::Times => format!("{value:.2}"),
        }
    }
}

fn dash() -> String {
    "-".into()
}
