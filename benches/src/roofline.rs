//! What an operation cannot do without: bytes and multiplications, from counts alone.
//!
//! Held against a device's peaks these are floors; held against the costs of single steps on a machine, a model of the whole
//! ([`Work::seconds`]).
//!
//! - **Bytes**: every input, key and output moved once; what lies between is taken to stay in caches. A transform by itself is two
//!   passes over its rows.
//! - **Butterflies**: those of the transforms that the algorithm needs, `N/2 log2 N` a row.
//! - **Accumulations**: multiplications of 32-bit words added to a sum: base conversions, products with keys, tensors.

use arras::ckks::{Parameters, params::KeySwitchLimbs};
use serde::{Deserialize, Serialize};

/// Counts of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Floor {
    /// Bytes to and from memory.
    pub(crate) bytes: f64,
    /// Butterflies of transforms.
    pub(crate) butterflies: f64,
    /// Multiplications that are added to a sum.
    pub(crate) accumulations: f64,
}

/// What a device can do in a second, measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Peak {
    /// Bytes read and written by a copy.
    pub(crate) bytes: f64,
    /// Butterflies in registers.
    pub(crate) butterflies: f64,
    /// Accumulations in registers.
    pub(crate) accumulations: f64,
}

impl Floor {
    /// Seconds for the bytes alone.
    pub(crate) fn memory_seconds(&self, peak: &Peak) -> f64 {
        self.bytes / peak.bytes
    }

    /// Seconds for the multiplications alone.
    pub(crate) fn arithmetic_seconds(&self, peak: &Peak) -> f64 {
        self.butterflies / peak.butterflies + self.accumulations / peak.accumulations
    }

    /// The same for every ciphertext of a batch, with `shared` bytes moved once for all.
    #[must_use]
    pub(crate) fn batched(&self, batch: usize, shared: f64) -> Self {
        let batch = batch as f64;
        Self {
            bytes: (self.bytes - shared) * batch + shared,
            butterflies: self.butterflies * batch,
            accumulations: self.accumulations * batch,
        }
    }
}

/// The steps of an operation, each counted in rows of N residues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Rows transformed, in either direction.
    pub(crate) transforms: usize,
    /// Source rows times target rows of base conversions.
    pub(crate) conversions: usize,
    /// Products of rows with rows of a key, added up.
    pub(crate) products: usize,
    /// Products of rows in tensors.
    pub(crate) tensors: usize,
    /// Rows read and written once.
    pub(crate) moved: usize,
}

/// Seconds of one unit of [`Work`] on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Costs {
    /// A row transformed.
    pub(crate) transform: f64,
    /// A source row accumulated into a target row.
    pub(crate) conversion: f64,
    /// A row multiplied by a key's row and added.
    pub(crate) product: f64,
    /// A product of a tensor.
    pub(crate) tensor: f64,
}

impl Costs {
    /// At another ring degree: transforms grow by `N log N`, everything else by `N`.
    #[must_use]
    pub(crate) fn at(&self, from_log_n: u32, to_log_n: u32) -> Self {
        let rows = f64::from(to_log_n as i32 - from_log_n as i32).exp2();
        Self {
            transform: self.transform * rows * f64::from(to_log_n) / f64::from(from_log_n),
            conversion: self.conversion * rows,
            product: self.product * rows,
            tensor: self.tensor * rows,
        }
    }
}

impl Work {
    /// What it takes if steps cost what they cost alone.
    pub(crate) fn seconds(&self, costs: &Costs) -> f64 {
        self.parts(costs).iter().map(|(_, seconds)| seconds).sum()
    }

    /// Names of [`Work::parts`].
    pub(crate) const PARTS: [&'static str; 4] = [
        "transforms",
        "base conversions",
        "products with keys",
        "tensors",
    ];

    /// How many steps of each kind, and what they take together.
    pub(crate) fn parts(&self, costs: &Costs) -> [(usize, f64); 4] {
        [
            (self.transforms, costs.transform),
            (self.conversions, costs.conversion),
            (self.products, costs.product),
            (self.tensors, costs.tensor),
        ]
        .map(|(count, cost)| (count, count as f64 * cost))
    }
}

/// Rows at a level of a parameter set, for the floors of what is done there.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    n: usize,
    log_n: u32,
    switch: KeySwitchLimbs,
    /// Limbs of a ciphertext a level lower, and those that it lacks.
    lower: usize,
    dropped: usize,
}

impl Counts {
    /// Of a level above 0.
    pub(crate) fn new(params: &Parameters, level: usize) -> Self {
        Self {
            n: params.n(),
            log_n: params.log_n(),
            switch: KeySwitchLimbs::at(params, level),
            lower: params.window(level - 1).len(),
            dropped: params.dropped(level, level - 1).len(),
        }
    }

    /// The floor of some work.
    pub(crate) fn floor(&self, work: &Work) -> Floor {
        let n = self.n as f64;
        Floor {
            bytes: 4.0 * n * work.moved as f64,
            butterflies: n / 2.0 * f64::from(self.log_n) * work.transforms as f64,
            accumulations: n * (work.conversions + work.products + work.tensors) as f64,
        }
    }

    /// Bytes of a switching key as far as this level needs it.
    pub(crate) fn key_bytes(&self) -> f64 {
        4.0 * self.n as f64 * self.key_rows() as f64
    }

    fn key_rows(&self) -> usize {
        self.switch.products().products as usize
    }

    /// Transforms of so many rows by themselves.
    pub(crate) fn transform(&self, rows: usize) -> Work {
        Work {
            transforms: rows,
            moved: 2 * 2 * rows,
            ..Work::default()
        }
    }

    /// A base conversion by itself.
    pub(crate) fn conversion(&self, from: usize, to: usize) -> Work {
        Work {
            conversions: from * to,
            moved: from + to,
            ..Work::default()
        }
    }

    /// One extension of all digits and `switches` products with keys, each brought down by `dropped` limbs of the ciphertext to `to`.
    fn switch(&self, switches: usize, dropped: usize, to: usize) -> Work {
        let each = self.switch.products() + self.switch.bring_down(dropped, to);
        let cost = self.switch.extension() + each * switches as u64;
        Work {
            transforms: cost.ntts as usize,
            conversions: cost.conversions as usize,
            products: cost.products as usize,
            tensors: 0,
            moved: switches * (self.key_rows() + 2 * to),
        }
    }

    /// Multiply, relinearize, rescale.
    pub(crate) fn multiply(&self) -> Work {
        let switch = self.switch(1, self.dropped, self.lower);
        Work {
            tensors: 4 * self.switch.limbs,
            moved: switch.moved + 4 * self.switch.limbs,
            ..switch
        }
    }

    /// `count` rotations of one ciphertext that share their digits.
    pub(crate) fn rotations(&self, count: usize) -> Work {
        let switch = self.switch(count, 0, self.switch.limbs);
        Work {
            moved: switch.moved + 2 * self.switch.limbs,
            ..switch
        }
    }

    /// Digits of a key that are in use, the limbs of each extended, and the limbs of a ciphertext.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let of = &self.switch;
        (of.digits.len(), of.extended(), of.limbs)
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
            switch: KeySwitchLimbs {
                limbs: window,
                specials: 12,
                digits: digits.to_vec(),
            },
            lower,
            dropped,
        };
        let near = |floor: Floor, micros: (f64, f64)| {
            let (memory, transforms) = (floor.bytes / 4.8e6, floor.butterflies / 2.38e6);
            assert!((memory / micros.0 - 1.0).abs() < 0.05, "{memory}");
            assert!((transforms / micros.1 - 1.0).abs() < 0.05, "{transforms}");
        };
        let top = counts(48, 46, 2, &[12; 4]);
        near(top.floor(&top.transform(40)), (8.7, 8.8));
        near(top.floor(&top.multiply()), (42.0, 79.0));
        let middle = counts(26, 24, 2, &[12, 12, 2]);
        near(middle.floor(&middle.multiply()), (21.0, 42.0));
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
