//! The page: goals first, then everything they rest on.

use std::collections::BTreeSet;

use arras::toolkit::text::seconds;

use super::{
    Before, Libraries,
    goals::goals,
    ours::{COMPARED, TRANSFORM},
    recorded::{IFMA, libraries},
};
use crate::{
    report::{Form::*, Origin, Report, Table, column},
    roofline::Work,
};

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
        let skipped = skipped.map(|(part, reason)| format!("- **left out**: {part}: {reason}"));
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
        let parts = Work::PARTS.map(|part| column(part, Plain));
        let ends = ["together", "measured"].map(|end| column(end, Seconds));
        let first = [column("one thread", Plain)].into_iter();
        let mut table = Table::new("steps", first.chain(parts).chain(ends));
        let rows = self.ours.iter();
        for row in rows.filter(|row| row.threads == 1 && row.simd == lanes) {
            let Some((work, costs)) = row.steps else {
                continue;
            };
            let parts = work.parts(&costs).map(|(count, time)| {
                let each = seconds(time / count as f64);
                let share = 100.0 * time / row.times.median;
                (count > 0).then(|| format!("{count} x {each} = {} ({share:.0} %)", seconds(time)))
            });
            let name = format!("{}, N = 2^{}", row.operation, row.log_n);
            table.row((name, parts, work.seconds(&costs), row.times));
        }
        report
            .heading("Where the time goes")
            .text(
                "Steps, each a row of N residues: how many, what one costs alone in this run, and together, with the share of what was \
                 measured.",
            )
            .show(&table);
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
        let known = libraries().iter().filter(|of| of.knows(log_n));
        let mut columns = vec![
            column("operation", Plain),
            column("ours", Seconds),
            column("2 threads", Seconds),
        ];
        let peers = self.libraries.iter().map(|peer| peer.library.clone());
        let others = known.clone();
        let others = others.map(|of| format!("recorded: {}", of.library));
        columns.extend(peers.chain(others).map(|name| column(name, Plain)));
        let mut table = Table::new("operations", columns);
        for (operation, _) in &COMPARED {
            let ours = self.one_thread(log_n, operation).map(|row| row.times);
            let two = self.find(log_n, &set.simd, 2, operation);
            let peers = self.libraries.iter().map(|peer| {
                peer.times(log_n, operation).map(|theirs| {
                    let by = ours.map(|ours| format!(" ({:.1})", theirs.median / ours.median));
                    theirs.show() + &by.unwrap_or_default()
                })
            });
            let others = known.clone().map(|of| {
                of.seconds(operation, log_n).map(|[least, greatest]| {
                    let greatest = (least < greatest).then(|| format!(" .. {}", seconds(greatest)));
                    seconds(least) + &greatest.unwrap_or_default()
                })
            });
            let cells: Vec<_> = peers.chain(others).collect();
            table.row((operation, ours, two.map(|row| row.times), cells));
        }
        // Peers at the longest chain that one special prime leaves.
        let plain = ["longest chain", "operation", "bits of Q"].map(|name| column(name, Plain));
        let columns = plain.into_iter().chain([column("time", Seconds)]);
        let mut longest = Table::new("longest", columns);
        for library in &self.libraries {
            for row in &library.rows {
                if row.set == "longest chain" && row.log_n == log_n {
                    longest.row((&library.library, &row.operation, row.q_bits, row.times));
                }
            }
        }
        report.show(&table).show(&longest);
    }

    fn transforms(&self, report: &mut Report) {
        let Some(transforms) = &self.transforms else {
            return;
        };
        let a_bit = || By(|bit| format!("{:.2} µs", 1e6 * bit.as_f64().unwrap_or(f64::NAN)));
        let mut table = Table::new(
            "transforms",
            [
                column("log N", Plain),
                column("limbs", Plain),
                column("direction", Plain),
                column("ours, a row", Seconds),
                column("a bit", a_bit()),
                column("theirs, a row", Seconds),
                column("a bit", a_bit()),
                column("ours / theirs", Fixed(2)),
                column("of the fastest runs", Fixed(2)),
            ],
        );
        for row in &transforms.rows {
            let (ours, theirs) = (&row.ours, &row.theirs);
            let sides = [ours, theirs].map(|of| (of.each(row.limbs), of.median / row.bits));
            table.row((
                (row.log_n, row.limbs, &row.direction, sides),
                [ours.median / theirs.median, ours.fastest / theirs.fastest],
            ));
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
            .show(&table);
    }

    fn lanes(&self, report: &mut Report) {
        let rows = self.ours.iter();
        let rows = rows.filter(|row| row.log_n == self.lanes_log_n && row.threads == 1);
        // The widest is measured first.
        let mut seen = BTreeSet::new();
        let levels = rows.map(|row| row.simd.as_str());
        let levels: Vec<&str> = levels.filter(|simd| seen.insert(*simd)).collect();
        let Some(widest) = levels.first() else {
            return;
        };
        let head = levels.iter().flat_map(|simd| {
            let by = format!("by {widest}");
            [column(simd, Seconds), column(by, Fixed(2))]
        });
        let first = [column("operation", Plain)].into_iter();
        let mut table = Table::new("lanes", first.chain(head));
        for name in COMPARED.iter().map(|(name, _)| *name).chain([TRANSFORM]) {
            let best = self.at_lanes(widest, name);
            let cells = levels.iter().map(|simd| {
                let here = self.at_lanes(simd, name);
                (here, here.zip(best).map(|(here, best)| here / best))
            });
            table.row((name, Vec::from_iter(cells)));
        }
        let of = self.lanes_log_n;
        report
            .heading(format_args!("SIMD levels, N = 2^{of}, one thread"))
            .show(&table);
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
        let mut table = Table::new(
            "before",
            [
                column("ours", Plain),
                column("before", Seconds),
                column("now", Seconds),
                column("before / now", Fixed(2)),
            ],
        );
        for now in &self.ours {
            let mut old = before.ours.iter();
            if let Some(old) = old.find(|old| old.key() == now.key()) {
                let (log_n, simd, threads, operation) = now.key();
                let name = format!("2^{log_n}, {simd}, threads {threads}: {operation}");
                let by = old.times.median / now.times.median;
                table.row((name, old.times, now.times, by));
            }
        }
        for run in &self.training {
            let mut old = before.training.iter();
            if let Some(old) = old.find(|old| old.circuit == run.circuit) {
                for (threads, then, now) in [(1, old.one, run.one), (2, old.two, run.two)] {
                    let name = format!("training, {}, threads {threads}", run.circuit);
                    let by = then.zip(now).map(|(then, now)| then.median / now.median);
                    table.row((name, then, now, by));
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
            .show(&table);
    }
}
