//! The page: goals first, then everything they rest on.

use arras::toolkit::text::{self, seconds};

use super::{
    Before, Libraries,
    goals::goals,
    ours::{COMPARED, TRANSFORM},
    recorded::{IFMA, libraries},
};
use crate::{
    report::{Form::*, Origin, Report, Table, column},
    roofline::Work,
    timing::Timing,
};

fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".into())
}

impl Libraries {
    /// The page, beside an earlier run if there is one.
    pub(super) fn report(&self, origin: Origin, before: Option<&Before>) -> Report {
        let mut report = Report::new("Beside other libraries", "libraries", origin);
        report
            .number("seconds", self.seconds)
            .number("lanes_log_n", self.lanes_log_n)
            .number("ours", &self.ours)
            .number("libraries", &self.libraries)
            .number("transforms", &self.transforms)
            .number("skipped", &self.skipped);
        report.text(format_args!(
            "Medians of repeated runs of {} s after a warm-up, one thread and 128-bit parameters unless said. All in one run; absolute times \
             differ between machines, ratios less.",
            self.seconds
        ));
        let peers = self.libraries.iter();
        let peers = peers.map(|of| format!("- {}: {}; Python {}", of.library, of.build, of.python));
        let transforms = self.transforms.iter();
        let transforms = transforms.map(|of| format!("- {} beside {}", of.peer, of.engine));
        let skipped = self.skipped.iter();
        let skipped = skipped.map(|of| format!("- **left out**: {}: {}", of.part, of.reason));
        let list: Vec<String> = peers.chain(transforms).chain(skipped).collect();
        report.text(list.join("\n")).heading("Goals").text(
            "Model: the steps of the operation, counted, at what each costs alone in this run (transforms, base conversions, products \
             with keys, tensors, uniform rows). (!): more than 30 % off; those are the client's operations, which also sample errors, reduce integers \
             to residues and take memory that is erased afterwards, none of which the model has.",
        );
        report.add(&goals(self));
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

    /// What the modelled operations are made of, with one thread.
    fn steps(&self, report: &mut Report) {
        let lanes = self.ours.first().map_or("", |row| row.simd.as_str());
        let head = ["one thread"].into_iter().chain(Work::PARTS);
        let mut table = text::Table::new(head.chain(["together", "measured"]));
        for row in &self.ours {
            let Some((work, costs)) = row.steps.filter(|_| row.threads == 1 && row.simd == lanes)
            else {
                continue;
            };
            let mut cells = vec![format!("{}, N = 2^{}", row.operation, row.log_n)];
            for (count, time) in work.parts(&costs) {
                cells.push(or_dash((count > 0).then(|| {
                    format!(
                        "{count} x {} = {} ({:.0} %)",
                        seconds(time / count as f64),
                        seconds(time),
                        100.0 * time / row.times.median
                    )
                })));
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
        let known = libraries().iter();
        let recorded: Vec<_> = known.filter(|of| of.knows(log_n)).collect();
        let head = ["operation", "ours", "2 threads"].map(str::to_owned);
        let peers = self.libraries.iter().map(|peer| peer.library.clone());
        let others = recorded
            .iter()
            .map(|of| format!("recorded: {}", of.library));
        let mut table = text::Table::new(head.into_iter().chain(peers).chain(others));
        for (operation, _) in &COMPARED {
            let ours = self.one_thread(log_n, operation).map(|row| row.times);
            let two = self.find(log_n, &set.simd, 2, operation);
            let mut cells = vec![
                (*operation).to_owned(),
                or_dash(ours.map(|times| times.show())),
                or_dash(two.map(|row| row.times.show())),
            ];
            cells.extend(self.libraries.iter().map(|peer| {
                or_dash(peer.times(log_n, operation).map(|theirs| {
                    let by = ours.map(|ours| format!(" ({:.1})", theirs.median / ours.median));
                    theirs.show() + &by.unwrap_or_default()
                }))
            }));
            cells.extend(recorded.iter().map(|of| {
                or_dash(of.seconds(operation, log_n).map(|[least, greatest]| {
                    if least < greatest {
                        format!("{} .. {}", seconds(least), seconds(greatest))
                    } else {
                        seconds(least)
                    }
                }))
            }));
            table.row(cells);
        }
        // Peers at the longest chain that one special prime leaves.
        let mut longest = text::Table::new(["longest chain", "operation", "bits of Q", "time"]);
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
        let mut table = text::Table::new([
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
            let (ours, theirs) = (&row.ours, &row.theirs);
            let a_bit = |timing: &Timing| format!("{:.2} µs", timing.median / row.bits * 1e6);
            table.row([
                row.log_n.to_string(),
                row.limbs.to_string(),
                row.direction.clone(),
                ours.each(row.limbs).show(),
                a_bit(ours),
                theirs.each(row.limbs).show(),
                a_bit(theirs),
                ratio(ours.median / theirs.median),
                ratio(ours.fastest / theirs.fastest),
            ]);
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
        let head = levels
            .iter()
            .flat_map(|simd| [(*simd).to_owned(), format!("by {widest}")]);
        let mut table = text::Table::new(["operation".to_owned()].into_iter().chain(head));
        for name in COMPARED.iter().map(|(name, _)| *name).chain([TRANSFORM]) {
            let mut cells = vec![name.to_owned()];
            let best = self.at_lanes(widest, name);
            for simd in &levels {
                let here = self.at_lanes(simd, name);
                let by = here.zip(best).map(|(here, best)| ratio(here / best));
                cells.extend([or_dash(here.map(seconds)), or_dash(by)]);
            }
            table.row(cells);
        }
        let of = self.lanes_log_n;
        report
            .heading(format_args!("SIMD levels, N = 2^{of}, one thread"))
            .table(&table);
    }

    fn threads(&self, report: &mut Report) {
        let mut gains = Table::new(
            "gains",
            [
                column("by turns", Plain).key("name"),
                column("1 thread", Seconds).key("one"),
                column("2 threads", Seconds).key("two"),
                column("gain", Fixed(2)),
                column("by arithmetic's gain", Fixed(2)).key("efficiency"),
            ],
        );
        for gain in &self.gains {
            let ratios = (gain.gain, gain.efficiency);
            gains.row((&gain.name, gain.one, gain.two, ratios));
        }
        let mut training = Table::new(
            "training",
            [
                column("circuit", Plain),
                column("log N", Plain).key("log_n"),
                column("minibatches", Plain).key("iterations"),
                column("1 thread", Seconds).key("one"),
                column("2 threads", Seconds).key("two"),
                column("peak memory", Bytes).key("peak_bytes"),
            ],
        );
        for run in &self.training {
            let sizes = (&run.circuit, run.log_n, run.iterations);
            training.row((sizes, run.one, run.two, run.peak_bytes));
        }
        report
            .heading("Second thread")
            .text("Arithmetic alone does twice the work with two threads.")
            .add(&gains)
            .heading("Training")
            .text(
                "Keys and data resident, data of the size of MNIST 3 against 8 (196 features, 64 rows); on MNIST itself, with models and \
                 the baseline's table: [circuits](circuits.md).",
            )
            .add(&training);
    }

    fn before(&self, before: &Before, report: &mut Report) {
        let mut table = text::Table::new(["ours", "before", "now", "before / now"]);
        let mut add = |name: String, then: Timing, now: Timing| {
            let by = ratio(then.median / now.median);
            table.row([name, then.show(), now.show(), by]);
        };
        for now in &self.ours {
            let mut old = before.ours.iter();
            if let Some(old) = old.find(|old| old.key() == now.key()) {
                let (log_n, simd, threads, operation) = now.key();
                let name = format!("2^{log_n}, {simd}, threads {threads}: {operation}");
                add(name, old.times, now.times);
            }
        }
        for run in &self.training {
            let mut old = before.training.iter();
            if let Some(old) = old.find(|old| old.circuit == run.circuit) {
                for (threads, then, now) in [(1, old.one, run.one), (2, old.two, run.two)] {
                    if let Some((then, now)) = then.zip(now) {
                        let name = format!("training, {}, threads {threads}", run.circuit);
                        add(name, then, now);
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
