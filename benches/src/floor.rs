//! What an operation cannot do without on a device, from the counts of its steps.
//!
//! - **Bytes**: every input, key and output moved once; what lies between is taken to stay in caches. A transform by itself is two
//!   passes over its rows.
//! - **Butterflies**: those of the transforms that the algorithm needs, `N/2 log2 N` a row.
//! - **Accumulations**: multiplications of 32-bit words added to a sum: base conversions, products with keys, tensors.

use serde::Serialize;

use crate::roofline::Work;

/// Counts of one operation.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Floor {
    pub(crate) bytes: f64,
    pub(crate) butterflies: f64,
    pub(crate) accumulations: f64,
}

/// What a device can do in a second, measured: bytes read and written by a copy; butterflies and accumulations in registers.
#[derive(Serialize)]
pub(crate) struct Peak {
    pub(crate) bytes: f64,
    pub(crate) butterflies: f64,
    pub(crate) accumulations: f64,
}

impl Floor {
    /// The floor of some work in a ring of degree `n`.
    pub(crate) fn of(n: usize, work: &Work) -> Self {
        let (n, log_n) = (n as f64, f64::from(n.ilog2()));
        Self {
            bytes: 4.0 * n * work.moved as f64,
            butterflies: n / 2.0 * log_n * work.transforms as f64,
            accumulations: n * (work.conversions + work.products + work.tensors) as f64,
        }
    }

    /// Seconds for the bytes alone.
    pub(crate) fn memory_seconds(&self, peak: &Peak) -> f64 {
        self.bytes / peak.bytes
    }

    /// Seconds for the multiplications alone.
    pub(crate) fn arithmetic_seconds(&self, peak: &Peak) -> f64 {
        self.butterflies / peak.butterflies + self.accumulations / peak.accumulations
    }

    /// The same for every ciphertext of a batch, with `shared` bytes moved once for all.
    pub(crate) fn batched(&self, batch: usize, shared: f64) -> Self {
        let batch = batch as f64;
        Self {
            bytes: (self.bytes - shared) * batch + shared,
            butterflies: self.butterflies * batch,
            accumulations: self.accumulations * batch,
        }
    }
}

impl Work {
    /// Transforms of so many rows by themselves.
    pub(crate) fn of_transforms(rows: usize) -> Self {
        Self {
            transforms: rows,
            moved: 2 * 2 * rows,
            ..Self::default()
        }
    }

    /// A base conversion by itself.
    pub(crate) fn of_conversion(from: usize, to: usize) -> Self {
        Self {
            conversions: from * to,
            moved: from + to,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use arras::ckks::params::KeySwitchLimbs;

    use super::*;
    use crate::roofline::Counts;

    /// Memory and transforms on a device of 4.8 TB/s and 2.38e12 butterflies a second, as published figures are given.
    #[test]
    fn known_floors_come_out() {
        let counts = |limbs, lower, dropped, digits: &[usize]| Counts {
            switch: KeySwitchLimbs {
                limbs,
                specials: 12,
                digits: digits.to_vec(),
            },
            lower,
            dropped,
        };
        let peak = Peak {
            bytes: 4.8e12,
            butterflies: 2.38e12,
            accumulations: f64::INFINITY,
        };
        let near = |work: Work, micros: (f64, f64)| {
            let floor = Floor::of(1 << 16, &work);
            let memory = 1e6 * floor.memory_seconds(&peak);
            let transforms = 1e6 * floor.arithmetic_seconds(&peak);
            assert!((memory / micros.0 - 1.0).abs() < 0.05, "{memory}");
            assert!((transforms / micros.1 - 1.0).abs() < 0.05, "{transforms}");
        };
        near(Work::of_transforms(40), (8.7, 8.8));
        near(counts(48, 46, 2, &[12; 4]).multiply(), (42.0, 79.0));
        near(counts(26, 24, 2, &[12, 12, 2]).multiply(), (21.0, 42.0));
    }

    #[test]
    fn a_batch_reads_its_key_once() {
        let floor = Floor {
            bytes: 10.0,
            butterflies: 3.0,
            accumulations: 1.0,
        };
        let four = floor.batched(4, 6.0);
        assert_eq!(
            (four.bytes, four.butterflies, four.accumulations),
            (22.0, 12.0, 4.0)
        );
    }

    #[test]
    fn a_conversion_accumulates_every_row_into_every_row() {
        let floor = Floor::of(1024, &Work::of_conversion(3, 5));
        let found = (floor.bytes, floor.butterflies, floor.accumulations);
        assert_eq!(found, (4096.0 * 8.0, 0.0, 1024.0 * 15.0));
    }
}
