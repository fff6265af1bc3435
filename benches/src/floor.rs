//! What an operation cannot do without on a device, from the counts of its steps.
//!
//! - **Bytes**: every input, key and output moved once; what lies between is taken to stay in caches. A transform by itself is two
//!   passes over its rows.
//! - **Butterflies**: those of the transforms that the algorithm needs, `N/2 log2 N` a row.
//! - **Accumulations**: multiplications of 32-bit words added to a sum: base conversions, products with keys, tensors.

use serde::Serialize;

use crate::roofline::Work;

/// What a device can do in a second, measured: bytes read and written by a copy; butterflies and accumulations in registers.
#[derive(Serialize)]
pub(crate) struct Peak {
    pub(crate) bytes: f64,
    pub(crate) butterflies: f64,
    pub(crate) accumulations: f64,
}

impl Peak {
    /// Seconds of some work in a ring of degree `2^log_n` for the bytes alone, and for the multiplications alone.
    pub(crate) fn floors(&self, log_n: u32, work: &Work) -> [f64; 2] {
        let n = f64::from(log_n).exp2();
        let butterflies = n / 2.0 * f64::from(log_n) * work.transforms as f64;
        let accumulations = n * (work.conversions + work.products + work.tensors) as f64;
        [
            4.0 * n * work.moved as f64 / self.bytes,
            butterflies / self.butterflies + accumulations / self.accumulations,
        ]
    }
}

impl Work {
    /// The same for every ciphertext of a batch, with `shared` rows moved once for all.
    pub(crate) fn batched(&self, batch: usize, shared: usize) -> Self {
        Self {
            transforms: self.transforms * batch,
            conversions: self.conversions * batch,
            products: self.products * batch,
            tensors: self.tensors * batch,
            moved: (self.moved - shared) * batch + shared,
        }
    }

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
            let [memory, transforms] = peak.floors(16, &work).map(|seconds| 1e6 * seconds);
            assert!((memory / micros.0 - 1.0).abs() < 0.05, "{memory}");
            assert!((transforms / micros.1 - 1.0).abs() < 0.05, "{transforms}");
        };
        near(Work::of_transforms(40), (8.7, 8.8));
        near(counts(48, 46, 2, &[12; 4]).multiply(), (42.0, 79.0));
        near(counts(26, 24, 2, &[12, 12, 2]).multiply(), (21.0, 42.0));
    }

    #[test]
    fn a_batch_reads_its_key_once() {
        let work = Work {
            transforms: 3,
            moved: 10,
            ..Work::of_conversion(3, 5)
        };
        let four = work.batched(4, 6);
        assert_eq!(
            (four.moved, four.transforms, four.conversions),
            (22, 12, 60)
        );
        let [bytes, rest] = Peak {
            bytes: 1.0,
            butterflies: f64::INFINITY,
            accumulations: 1.0,
        }
        .floors(10, &four);
        assert_eq!((bytes, rest), (4096.0 * 22.0, 1024.0 * 60.0));
    }
}
