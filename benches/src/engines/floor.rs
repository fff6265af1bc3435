//! What an operation cannot do without: bytes and multiplications, from counts alone.
//!
//! - **Bytes**: every input, key and output moved once; what lies between is taken to stay in caches. A transform by itself is two
//!   passes over its rows.
//! - **Butterflies**: those of the transforms that the algorithm needs, `N/2 log2 N` a row.
//! - **Accumulations**: multiplications of 32-bit words added to a sum: base conversions, products with keys, tensors.

use arras::ckks::Parameters;
use serde::{Deserialize, Serialize};

/// Counts of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// Bytes to and from memory.
    pub bytes: f64,
    /// Butterflies of transforms.
    pub butterflies: f64,
    /// Multiplications that are added to a sum.
    pub accumulations: f64,
}

/// What a device can do in a second, measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Bytes read and written by a copy.
    pub bytes: f64,
    /// Butterflies in registers.
    pub butterflies: f64,
    /// Accumulations in registers.
    pub accumulations: f64,
}

impl Floor {
    /// Seconds for the bytes alone.
    pub fn memory_seconds(&self, peak: &Peak) -> f64 {
        self.bytes / peak.bytes
    }

    /// Seconds for the multiplications alone.
    pub fn arithmetic_seconds(&self, peak: &Peak) -> f64 {
        self.butterflies / peak.butterflies + self.accumulations / peak.accumulations
    }

    /// The same for every ciphertext of a batch, with `shared` bytes moved once for all.
    #[must_use]
    pub fn batched(&self, batch: usize, shared: f64) -> Self {
        let batch = batch as f64;
        Self {
            bytes: (self.bytes - shared) * batch + shared,
            butterflies: self.butterflies * batch,
            accumulations: self.accumulations * batch,
        }
    }
}

/// Rows at a level of a parameter set, for the floors of what is done there.
#[derive(Clone, Debug)]
pub struct Counts {
    n: usize,
    log_n: u32,
    /// Limbs of a ciphertext, of one a level lower, and special ones.
    window: usize,
    lower: usize,
    dropped: usize,
    special: usize,
    /// Limbs of each digit in use.
    digits: Vec<usize>,
}

impl Counts {
    /// Of a level above 0.
    pub fn new(params: &Parameters, level: usize) -> Self {
        Self {
            n: params.n(),
            log_n: params.log_n(),
            window: params.window(level).len(),
            lower: params.window(level - 1).len(),
            dropped: params.dropped(level, level - 1).len(),
            special: params.special_limbs(),
            digits: params
                .active_digits(level)
                .iter()
                .map(|digit| digit.limbs.len())
                .collect(),
        }
    }

    fn extended(&self) -> usize {
        self.window + self.special
    }

    fn rows(&self, moved: usize, transformed: usize, accumulated: usize) -> Floor {
        let n = self.n as f64;
        Floor {
            bytes: 4.0 * n * moved as f64,
            butterflies: n / 2.0 * f64::from(self.log_n) * transformed as f64,
            accumulations: n * accumulated as f64,
        }
    }

    /// Bytes of a switching key as far as this level needs it.
    pub fn key_bytes(&self) -> f64 {
        self.rows(2 * self.digits.len() * self.extended(), 0, 0)
            .bytes
    }

    /// Transforms of so many rows.
    pub fn transform(&self, rows: usize) -> Floor {
        self.rows(2 * 2 * rows, rows, 0)
    }

    /// A base conversion.
    pub fn conversion(&self, from: usize, to: usize) -> Floor {
        self.rows(from + to, 0, from * to)
    }

    /// Digits extended: rows transformed and words accumulated.
    fn mod_up(&self) -> (usize, usize) {
        let extended = self.extended();
        let accumulated = self.digits.iter().map(|own| own * (extended - own)).sum();
        (self.digits.len() * extended, accumulated)
    }

    /// Two components from `from` dropped limbs down to `to` limbs.
    fn down(from: usize, to: usize) -> (usize, usize) {
        (2 * (from + to), 2 * from * to)
    }

    /// Multiply, relinearize, rescale.
    pub fn multiply(&self) -> Floor {
        let (up, up_sums) = self.mod_up();
        let (down, down_sums) = Self::down(self.special + self.dropped, self.lower);
        let key = 2 * self.digits.len() * self.extended();
        self.rows(
            4 * self.window + key + 2 * self.lower,
            up + down,
            4 * self.window + up_sums + key + down_sums,
        )
    }

    /// `count` rotations of one ciphertext that share their mod_up.
    pub fn rotations(&self, count: usize) -> Floor {
        let (up, up_sums) = self.mod_up();
        let (down, down_sums) = Self::down(self.special, self.window);
        let key = 2 * self.digits.len() * self.extended();
        self.rows(
            2 * self.window + count * (key + 2 * self.window),
            up + count * down,
            up_sums + count * (key + down_sums),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory and transforms on a device of 4.8 TB/s and 2.38e12 butterflies a second, as published figures are given.
    #[test]
    fn known_floors_come_out() {
        let counts = |window, lower, dropped, digits: &[usize]| Counts {
            n: 1 << 16,
            log_n: 16,
            window,
            lower,
            dropped,
            special: 12,
            digits: digits.to_vec(),
        };
        let near = |floor: Floor, micros: (f64, f64)| {
            let (memory, transforms) = (floor.bytes / 4.8e6, floor.butterflies / 2.38e6);
            assert!((memory / micros.0 - 1.0).abs() < 0.05, "{memory}");
            assert!((transforms / micros.1 - 1.0).abs() < 0.05, "{transforms}");
        };
        let top = counts(48, 46, 2, &[12; 4]);
        near(top.transform(40), (8.7, 8.8));
        near(top.multiply(), (42.0, 79.0));
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
}
