//! What an operation is made of: steps, from counts alone. At the costs of single steps on a machine they are a model of the whole
//! ([`Work::seconds`]).

use arras::ckks::{Parameters, params::KeySwitchLimbs};
use serde::{Deserialize, Serialize};

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

/// Rows at a level of a parameter set, for the steps of what is done there.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) switch: KeySwitchLimbs,
    /// Limbs of a ciphertext a level lower, and those that it lacks.
    pub(crate) lower: usize,
    pub(crate) dropped: usize,
}

impl Counts {
    /// Of a level above 0.
    pub(crate) fn new(params: &Parameters, level: usize) -> Self {
        Self {
            switch: KeySwitchLimbs::at(params, level),
            lower: params.window(level - 1).len(),
            dropped: params.dropped(level, level - 1).len(),
        }
    }

    /// Rows of a switching key as far as this level needs it.
    pub(crate) fn key_rows(&self) -> usize {
        self.switch.products().products as usize
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
