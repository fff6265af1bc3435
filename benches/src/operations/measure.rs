//! Counts and times of the operations, and the page of all.

use std::cmp::Ordering;

use arras::{
    ckks::Parameters,
    toolkit::{Cleartext, EncodingUnit, OpCount, Program, Samples, plan::KeyRequests},
};

use super::Case;
use crate::{
    Result,
    fixture::send,
    report::{Form::*, Report, Table, column, hidden},
    timing::Repeat,
};

/// What everything is measured with, and what was found.
pub(super) struct Operations {
    pub(super) params: Parameters,
    pub(super) unit: EncodingUnit,
    /// Threads of the engine, a column each.
    pub(super) threads: Vec<usize>,
    /// Seconds to repeat an operation for.
    pub(super) seconds: f64,
    /// Levels that a result has left.
    pub(super) left: usize,
    /// A table for each group.
    pub(super) groups: Vec<(&'static str, Table)>,
    /// Operations with published figures: their depth and rotations, and those published.
    pub(super) beside: Vec<(&'static str, [usize; 2], [usize; 2])>,
}

impl Operations {
    /// Counts an operation and runs it; fails if a result is not what the operation gives in the clear.
    pub(super) fn measure(&mut self, case: Case) -> Result<()> {
        let program = Program::new(case.circuit(self.unit, self.left)?);
        let depth = program.levels_needed() - self.left;
        let count = OpCount::of(&program);
        let requests = KeyRequests::of(&program);
        // As the client sends them.
        let mut key_bytes = None;
        // Without the first run, which encodes the constants; none if the parameters have too few levels.
        let mut times = vec![None; self.threads.len()];
        // The worst error of an entry, after the binary point; none if it was not run or is exact.
        let mut bits = None;
        if program.levels_needed() <= self.params.max_level() {
            let keys = requests.planned(&self.params)?;
            key_bytes = Some(keys.iter().map(|key| key.bytes.wire).sum::<u64>());
            let (low, high) = case.range.unwrap_or((-1.0, 1.0));
            let inputs = Samples::uniform(low, high).draw(program.circuit(), 1)?;
            let expected = Cleartext::run(&program, &inputs)?.outputs;
            let (owner, workload) = send(&program, &self.params, &inputs)?;
            for (&threads, time) in self.threads.iter().zip(&mut times) {
                let loaded = workload.on_threads(threads)?;
                let error = owner.worst_error(&loaded.run()?, &expected);
                let error = error.map_err(|error| format!("{}: {error}", case.name))?;
                bits = (error > 0.0).then(|| -error.log2());
                let repeat = Repeat {
                    warm_up: 0.0,
                    seconds: self.seconds,
                    fewest: 3,
                };
                *time = Some(repeat.time(|| Ok(loaded.run()?.report.seconds))?);
            }
        }
        let [m, n] = [self.unit.height(), self.unit.width()];
        let sizes = [m, m.ilog2() as usize, n.ilog2() as usize];
        let rotations = count.rotations();
        let published = case.published.map(|of| {
            let published = [of.depth, (of.rotations)(sizes)];
            self.beside.push((case.name, [depth, rotations], published));
            published
        });
        let formula = case.published.map_or("", |of| of.formula);
        let shown = published.map(|[depth, count]| match count {
            0 => format!("{depth}; 0"),
            _ => format!("{depth}; {formula} = {count}"),
        });
        self.table(case.group).row((
            (case.group, published.map_or([None; 2], |of| of.map(Some))),
            (case.name, depth, rotations, shown),
            (count.key_switches(), count.ciphertext_products()),
            (count.plaintext_products(), requests.len()),
            (key_bytes.filter(|_| !requests.is_empty()), bits, times),
        ));
        Ok(())
    }

    /// The table of a group.
    fn table(&mut self, group: &'static str) -> &mut Table {
        let known = self.groups.iter().position(|(known, _)| *known == group);
        let at = known.unwrap_or(self.groups.len());
        if known.is_none() {
            let mut columns = vec![
                hidden("group"),
                hidden("published_depth"),
                hidden("published_rotations"),
                column("operation", Plain),
                column("depth", Plain),
                column("rotations", Plain),
                column("published", Plain).or(""),
                column("key switches", Plain),
                column("ct x ct", Plain).key("ciphertext_products"),
                column("ct x plain", Plain).key("plaintext_products"),
                column("keys", Plain),
                column("bytes of keys", Bytes).key("key_bytes").or(""),
                column("error", Fixed(1)).key("error_bits").or(""),
            ];
            columns.extend(self.threads.iter().map(|threads| match threads {
                1 => column("1 thread", Seconds).or("too deep"),
                _ => column("all threads", Seconds).or("too deep"),
            }));
            self.groups.push((group, Table::new("operations", columns)));
        }
        &mut self.groups[at].1
    }

    /// A table for each group, and where less is needed than published.
    pub(super) fn write(&self, report: &mut Report) {
        let (log_n, levels) = (self.params.log_n(), self.params.max_level());
        let left = match self.left {
            0 => "results have none left".to_owned(),
            left => format!("results have {left} left"),
        };
        report
            .number("log_n", log_n)
            .number("levels", levels)
            .number("unit", self.unit)
            .number("threads", &self.threads)
            .text(format_args!(
                "Measured with N = 2^{log_n}, {levels} levels (128-bit security), units of m x n = {}, one unit for each operand unless its name says \
                 otherwise (V = H = 1). Inputs have exactly the levels that the operation needs, {left}. Rotations are key switches of \
                 single ciphertexts, hoisted ones included; \"published\" is depth and rotations of the published toolkit (ePrint 2020/1483) for \
                 the same operands. Times are medians of runs after a first one, which encodes the constants. Key switches are rotations and \
                 relinearizations. Keys are those of the operation alone, cut to the levels at which they are used, in bytes on the wire. \
                 \"Error\" is the worst of all entries against the same operation in the clear, in bits after the binary point, for random \
                 entries in [-1, 1] or in the interval that the name says.",
                self.unit
            ));
        for (group, table) in &self.groups {
            report.heading(capitalized(group)).add(table);
        }
        let count = |sign: Ordering| {
            let differs = self.beside.iter().filter(|(_, ours, published)| {
                let mut pairs = ours.iter().zip(published);
                pairs.any(|(ours, published)| ours.cmp(published) == sign)
            });
            differs.count()
        };
        report.heading("Beside the published figures").text(format_args!(
            "Of {} operations that both have, {} need fewer levels or rotations than published, {} more.",
            self.beside.len(),
            count(Ordering::Less),
            count(Ordering::Greater),
        ));
        let other = self
            .beside
            .iter()
            .filter(|(_, ours, published)| ours != published);
        let lines: Vec<String> = other
            .map(|(name, [depth, rotations], [published_depth, published])| {
                format!("- {name}: depth {depth} for {published_depth}, rotations {rotations} for {published}")
            })
            .collect();
        report.text(lines.join("\n"));
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
