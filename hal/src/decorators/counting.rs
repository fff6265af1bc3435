//! An engine that counts.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Sub,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::observed::{Call, Observed, Observer};
use crate::{Backend, OPERATIONS};

/// How often something was done and to how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Number of calls.
    pub calls: u64,
    /// What the calls handled: rows (polynomials times limbs of the outputs) of an operation, bytes of a transfer.
    pub amount: u64,
}

impl Tally {
    fn record(&mut self, amount: usize) {
        self.calls += 1;
        self.amount += amount as u64;
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            amount: self.amount.saturating_sub(earlier.amount),
        }
    }
}

/// What a [`Counting`] engine has seen. The difference of two snapshots is what happened between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpCounts {
    operations: BTreeMap<&'static str, Tally>,
    allocations: Tally,
    uploads: Tally,
    downloads: Tally,
    keys: Tally,
}

impl OpCounts {
    /// Calls and rows by operation, in the order of names; operations that were not called are absent.
    pub fn operations(&self) -> &BTreeMap<&'static str, Tally> {
        &self.operations
    }

    /// Calls of the operation with this name (one of [`crate::OPERATIONS`]).
    pub fn calls(&self, op: &str) -> u64 {
        self.operations.get(op).map_or(0, |tally| tally.calls)
    }

    /// Rows that the operation with this name wrote: polynomials times limbs of its outputs.
    pub fn rows(&self, op: &str) -> u64 {
        self.operations.get(op).map_or(0, |tally| tally.amount)
    }

    /// Calls of all operations.
    pub fn total_calls(&self) -> u64 {
        self.operations.values().map(|tally| tally.calls).sum()
    }

    /// Buffers asked for, secret ones included, with their bytes in boundary form. Uploads are not among
    /// them, nor is scratch memory that the engine inside takes by itself.
    pub fn allocations(&self) -> Tally {
        self.allocations
    }

    /// Uploads, secret ones included, with their bytes.
    pub fn uploads(&self) -> Tally {
        self.uploads
    }

    /// Downloads with their bytes.
    pub fn downloads(&self) -> Tally {
        self.downloads
    }

    /// Keys prepared, with their bytes in boundary form.
    pub fn keys(&self) -> Tally {
        self.keys
    }
}

/// What was counted after the snapshot `earlier`.
impl Sub<&OpCounts> for &OpCounts {
    type Output = OpCounts;

    fn sub(self, earlier: &OpCounts) -> OpCounts {
        let since = |op: &'static str, now: Tally| {
            now - earlier.operations.get(op).copied().unwrap_or_default()
        };
        OpCounts {
            operations: self
                .operations
                .iter()
                .map(|(&op, &now)| (op, since(op, now)))
                .filter(|(_, tally)| *tally != Tally::default())
                .collect(),
            allocations: self.allocations - earlier.allocations,
            uploads: self.uploads - earlier.uploads,
            downloads: self.downloads - earlier.downloads,
            keys: self.keys - earlier.keys,
        }
    }
}

/// A table: operations with calls and rows, then transfers with calls and bytes.
impl fmt::Display for OpCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22}{:>12}{:>16}", "operation", "calls", "rows")?;
        for (op, tally) in &self.operations {
            writeln!(f, "{op:<22}{:>12}{:>16}", tally.calls, tally.amount)?;
        }
        writeln!(f, "{:<22}{:>12}{:>16}", "memory", "calls", "bytes")?;
        let memory = [
            ("alloc", self.allocations),
            ("upload", self.uploads),
            ("download", self.downloads),
            ("prepare_key", self.keys),
        ];
        for (name, tally) in memory {
            writeln!(f, "{name:<22}{:>12}{:>16}", tally.calls, tally.amount)?;
        }
        Ok(())
    }
}

/// `B`, counting calls and the rows they write. Clones share their counts.
///
/// A composite counts as one call of itself: what the engine inside runs for it is not seen, because it may be
/// one fused kernel. A call that fails is counted too.
pub type Counting<B> = Observed<B, Counter>;

/// The observer of a [`Counting`] engine.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Mutex<OpCounts>>);

impl<B: Backend> Counting<B> {
    /// What was counted so far.
    pub fn counts(&self) -> OpCounts {
        self.observer.lock().clone()
    }
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, OpCounts> {
        // Counts are whole after every statement, so a panic elsewhere cannot leave them broken.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Backend> Observer<B> for Counter {
    const NAME: &'static str = "Counting";
    type During = ();

    fn begin(&self, call: Call) {
        if OPERATIONS.contains(&call.name) {
            let mut counts = self.lock();
            counts
                .operations
                .entry(call.name)
                .or_default()
                .record(call.rows());
        }
    }

    fn done(&self, call: Call) {
        let mut counts = self.lock();
        let tally = match call.name {
            "alloc" | "alloc_secret" => &mut counts.allocations,
            "upload" | "upload_secret" => &mut counts.uploads,
            "download" => &mut counts.downloads,
            "prepare_key" => &mut counts.keys,
            _ => return,
        };
        tally.record(call.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reference, Shape, decorators::program};

    #[test]
    fn results_are_unchanged_and_calls_are_counted() {
        let engine = Counting::new(Reference);
        assert_eq!(program::run(engine.clone()).unwrap(), program::expected());
        let counts = engine.counts();
        for op in OPERATIONS {
            assert!(counts.calls(op) > 0, "{op}");
        }
        assert_eq!(counts.operations().len(), OPERATIONS.len());
        assert_eq!(counts.calls("tensor"), 1);
        assert_eq!(counts.rows("tensor"), 3 * 4);
        assert_eq!(counts.calls("relinearize"), 2);
        assert_eq!(counts.rows("relinearize"), 2 * 4 + 2 * 3);
        assert_eq!(counts.calls("hoisted_rotations"), 1);
        assert_eq!(counts.rows("hoisted_rotations"), 3 * 2 * 4);
        // Composites are passed on whole: only the program's own primitives are seen.
        assert_eq!(counts.calls("base_convert"), 1);
        assert_eq!(counts.calls("ntt"), 1);
        assert_eq!(counts.keys().calls, 2);
        assert_eq!(counts.keys().amount, 2 * 4 * 2 * 2 * 6 * 16);
        let words = program::expected()
            .iter()
            .map(|(_, words)| words.len() as u64)
            .sum::<u64>();
        assert_eq!(counts.downloads().amount, 4 * words);
    }

    #[test]
    fn snapshots_subtract_and_clones_share() {
        let engine = Counting::new(Reference);
        let ring = engine.ring(&program::basis()).unwrap();
        let shape = Shape::new(3, program::window());
        let mut buf = engine.alloc(&ring, &shape).unwrap();
        engine.zero(&ring, &mut buf);
        let before = engine.counts();
        engine.clone().ntt(&ring, &mut buf);
        engine.ntt(&ring, &mut buf);
        let difference = &engine.counts() - &before;
        assert_eq!(difference.total_calls(), 2);
        assert_eq!(difference.rows("ntt"), 2 * 12);
        assert_eq!(difference.calls("zero"), 0);
        assert_eq!(difference.allocations(), Tally::default());
        assert_eq!(before.allocations().calls, 1);
        assert_eq!(before.allocations().amount, 12 * 16 * 4);
        let table = difference.to_string();
        assert!(table.contains("ntt") && !table.contains("zero"), "{table}");
        assert_eq!(&before - &before, OpCounts::default());
    }
}
