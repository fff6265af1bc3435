//! The page: goals first, then everything they rest on.

use arras::toolkit::text::{Table, bytes, seconds};

use super::{
    Before, Libraries,
    goals::{Goal, TOLERANCE, Unit},
    ours::{COMPARED, Ours},
    outside::Library,
    recorded::{IFMA, RECORDED, recorded},
};
use crate::{
    report::{Origin, Report, or_dash},
    roofline::Work,
    timing::Timing,
};

const TRANSFORM: &str = "NTT, a row";

fn owned<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

impl Libraries {
    /// The page, beside an earlier run if there is one.
    pub(super) fn report(&self, origin: Origin, before: Option<&Before>) -> Report {
        let mut report = Report::new("Beside other libraries", "libraries", origin);
        report.text(format_args!(
            "Medians of repeated runs of {} s after a warm-up, one thread and 128-bit parameters unless said. All in one run; absolute times \
             differ between machines, ratios less.",
            self.seconds
        ));
        let mut list = Vec::new();
        for Library {
            library,
            build,
            python,
            ..
        } in &self.libraries
        {
            list.push(format!("- {library}: {build}; Python {python}"));
        }
        if let Some(transforms) = &self.transforms {
            list.push(format!(
                "- {} beside {}",
                transforms.peer, transforms.engine
            ));
        }
        for skipped in &self.skipped {
            list.push(format!(
                "- **left out**: {}: {}",
                skipped.part, skipped.reason
            ));
        }
        report.text(list.join("\n"));
        self.goals(&mut report);
        self.steps(&mut report);
        for log_n in self.sizes() {
            self.operations(log_n, &mut report);
        }
        self.transforms(&mut report);
        self.lanes(&mut report);
        self.threads(&mut report);
        if let Some(before) = before {
            self.before(before, &mut report);
        }
        report
    }

    fn goals(&self, report: &mut Report) {
        let mut table = Table::new([
            "goal",
            "measured",
            "bound",
            "verdict",
            "model",
            "measured / model",
        ]);
        for goal in &self.goals {
            let sign = if goal.at_most { "at most" } else { "at least" };
            table.row([
                goal.name.clone(),
                or_dash(goal.value, |value| goal.show(value)),
                format!("{sign} {}", goal.show(goal.bound)),
                match goal.met() {
                    Some(true) => "met",
                    Some(false) => "**missed**",
                    None => "not measured",
                }
                .to_owned(),
                or_dash(goal.model, seconds),
                or_dash(goal.by_model, |by| {
                    let far = (by - 1.0).abs() > TOLERANCE;
                    ratio(by) + if far { " (!)" } else { "" }
                }),
            ]);
        }
        report
            .heading("Goals")
            .text(
                "Model: the steps of the operation, counted, at what each costs alone in this run (transforms, base conversions, products \
                 with keys, tensors, uniform rows). (!): more than 30 % off; those are the client's operations, which also sample errors, reduce integers \
                 to residues and take memory that is erased afterwards, none of which the model has.",
            )
            .table(&table);
    }

    /// What the modelled operations are made of, with one thread.
    fn steps(&self, report: &mut Report) {
        let lanes = self.ours.first().map_or("", |row| row.simd.as_str());
        let head = ["one thread"].into_iter().chain(Work::PARTS);
        let mut table = Table::new(head.chain(["together", "measured"]));
        for row in &self.ours {
            let Some((work, costs)) = row.steps else {
                continue;
            };
            if row.threads != 1 || row.simd != lanes {
                continue;
            }
            let mut cells = vec![format!("{}, N = 2^{}", row.operation, row.log_n)];
            for (count, time) in work.parts(&costs) {
                cells.push(or_dash((count > 0).then_some(count), |count| {
                    format!(
                        "{count} x {} = {} ({:.0} %)",
                        seconds(time / count as f64),
                        seconds(time),
                        100.0 * time / row.times.median
                    )
                }));
            }
            cells.extend([seconds(work.seconds(&costs)), row.times.show()]);
            table.row(cells);
        }
        report
            .heading("Where the time goes")
            .text(
                "Steps, each a row of N residues: how many, what one costs alone in this run, and together, with the share of what was \
                 measured.",
            )
            .table(&table);
        for (simd, words) in [("avx512", 16.0), ("avx2", 8.0)] {
            if let Some(time) = self.at_lanes(simd, TRANSFORM) {
                // 12 operations a butterfly and 10 exchanges for two vectors, as the engine's transform says of itself.
                let vectors = f64::from(self.lanes_log_n).exp2() / words;
                let operations = vectors * (6.0 * f64::from(self.lanes_log_n) + 5.0);
                report.text(format_args!(
                    "A transform at N = 2^{} is {operations:.0} vector operations of {words} words besides loads and stores: {:.2} in a nanosecond with {simd}.",
                    self.lanes_log_n,
                    operations / time * 1e-9
                ));
            }
        }
    }

    fn operations(&self, log_n: u32, report: &mut Report) {
        let Some(set) = self.ours.iter().find(|row| row.log_n == log_n) else {
            return;
        };
        report.heading(format_args!("N = 2^{log_n}")).text(format_args!(
            "Ours: {} levels, Q of {:.0} bits. Peers: Q of about as many bits (260, 620, 1220). In brackets their time by \
             ours. Recorded: another day, another machine of the kind, least .. greatest.",
            set.levels, set.q_bits
        ));
        let known = |name| {
            COMPARED
                .iter()
                .any(|(of, _)| recorded(name, of, log_n).is_some())
        };
        let recorded_here: Vec<&str> = RECORDED
            .iter()
            .map(|library| library.library)
            .filter(|name| known(name))
            .collect();
        let mut head = owned(["operation", "ours", "2 threads"]);
        head.extend(self.libraries.iter().map(|library| library.library.clone()));
        head.extend(recorded_here.iter().map(|name| format!("recorded: {name}")));
        let mut table = Table::new(head);
        for (operation, _) in &COMPARED {
            let ours = self.one_thread(log_n, operation).map(|row| row.times);
            let two = self
                .ours
                .iter()
                .find(|row| (row.log_n, row.threads) == (log_n, 2) && row.operation == *operation);
            let mut cells = vec![
                (*operation).to_owned(),
                or_dash(ours, |times| times.show()),
                or_dash(two, |row| row.times.show()),
            ];
            for library in &self.libraries {
                cells.push(or_dash(library.times(log_n, operation), |theirs| {
                    let by = ours.map(|ours| format!(" ({:.1})", theirs.median / ours.median));
                    theirs.show() + &by.unwrap_or_default()
                }));
            }
            for name in &recorded_here {
                let range = recorded(name, operation, log_n);
                cells.push(or_dash(range, |[least, greatest]| {
                    if least < greatest {
                        format!("{} .. {}", seconds(least), seconds(greatest))
                    } else {
                        seconds(least)
                    }
                }));
            }
            table.row(cells);
        }
        // Peers at the longest chain that one special prime leaves.
        let mut longest = Table::new(["longest chain", "operation", "bits of Q", "time"]);
        for library in &self.libraries {
            for row in &library.rows {
                if row.set == "longest chain" && row.log_n == log_n {
                    longest.row([
                        library.library.clone(),
                        row.operation.clone(),
                        row.q_bits.to_string(),
                        row.times.show(),
                    ]);
                }
            }
        }
        report.table(&table).table(&longest);
    }

    fn transforms(&self, report: &mut Report) {
        let Some(transforms) = &self.transforms else {
            return;
        };
        let mut table = Table::new([
            "log N",
            "limbs",
            "direction",
            "ours, a row",
            "a bit",
            "theirs, a row",
            "a bit",
            "ours / theirs",
            "of the fastest runs",
        ]);
        for row in &transforms.rows {
            let directions = [
                ("forward", row.forward),
                ("inverse, theirs without 1/N", row.inverse),
                ("inverse", row.inverse_normalized),
            ];
            for (direction, pair) in directions {
                let per_bit = |timing: &Timing| format!("{:.2} µs", timing.median / row.bits * 1e6);
                table.row([
                    row.log_n.to_string(),
                    row.limbs.to_string(),
                    direction.to_owned(),
                    pair.ours.each(row.limbs).show(),
                    per_bit(&pair.ours),
                    pair.theirs.each(row.limbs).show(),
                    per_bit(&pair.theirs),
                    ratio(pair.ours.median / pair.theirs.median),
                    ratio(pair.ours.fastest / pair.theirs.fastest),
                ]);
            }
        }
        let ifma = IFMA.map(|(log_n, bits, micros)| {
            let a_bit = micros / bits * 1e3;
            format!("{micros} µs at 2^{log_n} ({a_bit:.2} ns a bit)")
        });
        report
            .heading("Transforms")
            .text(format_args!(
                "By turns in one process on the same primes, one thread, in place. One limb stays in the cache; all limbs of a deep \
                 ciphertext do not. Recorded for IFMA code (OpenFHE with HEXL, 50 bits, forward): {}.",
                ifma.join(", ")
            ))
            .table(&table);
    }

    /// Median seconds of an operation with one thread in the ring at which SIMD levels are compared.
    pub(super) fn at_lanes(&self, simd: &str, operation: &str) -> Option<f64> {
        let same = |row: &&Ours| {
            (row.log_n, row.threads, row.simd.as_str()) == (self.lanes_log_n, 1, simd)
                && row.operation == operation
        };
        self.ours.iter().find(same).map(|row| row.times.median)
    }

    fn lanes(&self, report: &mut Report) {
        let mut levels: Vec<&str> = Vec::new();
        for row in &self.ours {
            if row.log_n == self.lanes_log_n && !levels.contains(&row.simd.as_str()) {
                levels.push(&row.simd);
            }
        }
        let Some(widest) = levels.first() else {
            return;
        };
        let mut head = owned(["operation"]);
        for simd in &levels {
            head.extend([(*simd).to_owned(), format!("by {widest}")]);
        }
        let mut table = Table::new(head);
        for name in COMPARED.iter().map(|(name, _)| *name).chain([TRANSFORM]) {
            let mut cells = vec![name.to_owned()];
            let best = self.at_lanes(widest, name);
            for simd in &levels {
                let here = self.at_lanes(simd, name);
                cells.push(or_dash(here, seconds));
                cells.push(or_dash(here.zip(best), |(here, best)| ratio(here / best)));
            }
            table.row(cells);
        }
        report
            .heading(format_args!(
                "SIMD levels, N = 2^{}, one thread",
                self.lanes_log_n
            ))
            .table(&table);
    }

    fn threads(&self, report: &mut Report) {
        let mut gains = Table::new([
            "by turns",
            "1 thread",
            "2 threads",
            "gain",
            "by arithmetic's gain",
        ]);
        for gain in &self.gains {
            gains.row([
                gain.name.clone(),
                gain.one.show(),
                gain.two.show(),
                ratio(gain.gain),
                ratio(gain.efficiency),
            ]);
        }
        let mut training = Table::new([
            "circuit",
            "log N",
            "minibatches",
            "1 thread",
            "2 threads",
            "peak memory",
        ]);
        for run in &self.training {
            training.row([
                run.circuit.clone(),
                run.log_n.to_string(),
                run.iterations.to_string(),
                or_dash(run.one, |timing| timing.show()),
                or_dash(run.two, |timing| timing.show()),
                or_dash(run.peak_bytes, bytes),
            ]);
        }
        report
            .heading("Second thread")
            .text("Arithmetic alone does twice the work with two threads.")
            .table(&gains)
            .heading("Training")
            .text(
                "Keys and data resident, data of the size of MNIST 3 against 8 (196 features, 64 rows); on MNIST itself, with models and \
                 the baseline's table: [circuits](circuits.md).",
            )
            .table(&training);
    }

    fn before(&self, before: &Before, report: &mut Report) {
        let mut table = Table::new(["ours", "before", "now", "before / now"]);
        let mut add = |name: String, then: Timing, now: Timing| {
            let by = ratio(then.median / now.median);
            table.row([name, then.show(), now.show(), by]);
        };
        for row in &self.ours {
            let same = |old: &&Ours| {
                (old.log_n, old.threads, &old.simd, &old.operation)
                    == (row.log_n, row.threads, &row.simd, &row.operation)
            };
            if let Some(old) = before.results.ours.iter().find(same) {
                let Ours {
                    log_n,
                    simd,
                    threads,
                    operation,
                    ..
                } = row;
                let name = format!("2^{log_n}, {simd}, threads {threads}: {operation}");
                add(name, old.times, row.times);
            }
        }
        for run in &self.training {
            let mut old = before.results.training.iter();
            if let Some(old) = old.find(|old| old.circuit == run.circuit) {
                for (threads, then, now) in [(1, old.one, run.one), (2, old.two, run.two)] {
                    if let Some((then, now)) = then.zip(now) {
                        add(
                            format!("training, {}, threads {threads}", run.circuit),
                            then,
                            now,
                        );
                    }
                }
            }
        }
        let known = |key: &str| before.machine.get(key).and_then(|value| value.as_str());
        report
            .heading("Before and after")
            .text(format_args!(
                "Before: commit {} on {}. Both runs are of their own time: see the loads.",
                known("commit").unwrap_or("unknown"),
                known("cpu").unwrap_or("unknown")
            ))
            .table(&table);
    }
}

impl Goal {
    fn show(&self, value: f64) -> String {
        match self.unit {
            Unit::Seconds => seconds(value),
            Unit::Bytes => bytes(value as u64),
            Unit::Times => ratio(value),
        }
    }
}
