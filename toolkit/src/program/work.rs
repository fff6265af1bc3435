//! What a step does and what it costs, from the table of operations.

use std::collections::BTreeSet;

use arras_ckks::PlaintextUse;

use super::{Form, Step};
use crate::{
    circuit::PlainId,
    cost::{CostError, CostTable, OperationKind},
    op::Class,
};

/// The work of a step, of all its ciphertexts together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Work {
    /// Operations on single ciphertexts, each term of a sum counted. Moving ciphertexts between batches is none.
    pub operations: usize,
    /// Products of two ciphertexts.
    pub products: usize,
    /// Products of a ciphertext with an encoded constant.
    pub plain_products: usize,
    /// Products of a ciphertext with a number.
    pub scalar_products: usize,
    /// Rotations; identities are none.
    pub rotations: usize,
    /// Relinearizations.
    pub relinearizations: usize,
    /// What it costs; `None` if nothing.
    pub price: Option<Price>,
}

impl Work {
    /// Key switches: rotations and relinearizations.
    pub fn key_switches(&self) -> usize {
        self.rotations + self.relinearizations
    }

    /// Seconds by a cost table; encoding of constants is not among them.
    ///
    /// # Errors
    /// Those of [`CostTable::cost`].
    pub fn seconds(&self, table: &CostTable) -> Result<f64, CostError> {
        self.price.map_or(Ok(0.0), |price| price.seconds(table))
    }
}

/// The entry of a [`CostTable`] that a step costs, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// The operation it costs like.
    pub kind: OperationKind,
    /// The level whose window it works on.
    pub level: usize,
    /// Ciphertexts.
    pub units: usize,
    /// Terms of sums that are one operation of the table.
    pub terms: usize,
    /// How many such operations.
    pub times: usize,
}

impl Price {
    /// Seconds by a cost table.
    ///
    /// # Errors
    /// Those of [`CostTable::cost`].
    pub fn seconds(&self, table: &CostTable) -> Result<f64, CostError> {
        Ok(self.times as f64 * table.cost(self.kind, self.level, self.units, self.terms)?)
    }
}

impl Step {
    /// What it does and what it costs.
    pub fn work(&self) -> Work {
        let row = self.op.row();
        let (rotations, plaintexts) = (self.op.rotations(), row.plaintexts.len());
        let (mut work, mut times) = (Work::default(), 1);
        match row.class {
            Class::Input | Class::Arrangement => {}
            Class::Sum | Class::Maintenance => work.operations = 1,
            Class::Product => {
                work.products = self.operands.len() / 2;
                (work.operations, times) = (work.products, work.products);
            }
            Class::PlainProduct => {
                work.plain_products = plaintexts;
                work.scalar_products = usize::from(plaintexts == 0);
                times = plaintexts.max(1);
                work.operations = times;
            }
            Class::Rotation => {
                work.plain_products = plaintexts;
                work.operations = rotations.len();
            }
        }
        work.rotations = rotations.iter().filter(|&&s| s != 0).count();
        work.relinearizations =
            usize::from((self.from.form, self.state.form) == (Form::Pending3, Form::Settled));
        for count in [
            &mut work.operations,
            &mut work.products,
            &mut work.plain_products,
            &mut work.scalar_products,
            &mut work.rotations,
            &mut work.relinearizations,
        ] {
            *count *= self.units;
        }
        work.price = row.price.map(|kind| {
            let (kind, terms) = self.kind_and_terms(kind);
            // A longer way down costs what its last step does.
            let level = if kind == OperationKind::LevelDown {
                self.state.level + 1
            } else {
                self.from.window_level()
            };
            Price {
                kind,
                level,
                units: self.units,
                terms,
                times,
            }
        });
        work
    }

    /// What an operation of the table costs like with these operands: one that is pending is rescaled on its way, which costs what
    /// settling it does.
    fn kind_and_terms(&self, kind: OperationKind) -> (OperationKind, usize) {
        let settled = self.from.form == Form::Settled;
        let rotations = self.op.rotations();
        if kind == OperationKind::Settle && self.from.form != Form::Pending3 {
            return (OperationKind::Rescale, 0);
        }
        if kind != OperationKind::RotationSum {
            return (kind, rotations.len());
        }
        let keys: BTreeSet<_> = rotations.iter().filter(|&&s| s != 0).collect();
        match (keys.len(), settled) {
            (0, true) => (OperationKind::Negate, 0),
            (0, false) => (OperationKind::Rescale, 0),
            (1, true) => (OperationKind::Rotate, 0),
            (1, false) => (OperationKind::Settle, 0),
            (terms, _) => (kind, terms),
        }
    }

    /// The constants it takes, and what each is encoded for.
    pub fn plaintexts(&self) -> (PlaintextUse, &[PlainId]) {
        let level = self.from.level;
        let purpose = if self.op.rotations().is_empty() {
            PlaintextUse::Level(level)
        } else {
            PlaintextUse::Weight(level)
        };
        (purpose, self.op.plaintexts())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Program, Recorder, Slots, cost::OperationKind};

    /// Name, operations, products, products with constants, key switches, price.
    fn works(
        record: impl FnOnce(&Recorder) -> Slots,
    ) -> Vec<(&'static str, [usize; 4], OperationKind, [usize; 4])> {
        let recorder = Recorder::new(16).unwrap();
        let result = record(&recorder);
        recorder.output("x", &result);
        let program = Program::new(recorder.finish().unwrap());
        let of_step = |step: &crate::program::Step| {
            let work = step.work();
            let price = work.price?;
            let counts = [
                work.operations,
                work.products,
                work.plain_products,
                work.key_switches(),
            ];
            let costs = [price.level, price.units, price.terms, price.times];
            Some((step.name(), counts, price.kind, costs))
        };
        program.steps().iter().filter_map(of_step).collect()
    }

    #[test]
    fn a_sum_of_products_is_as_many_products_as_it_has_pairs() {
        let sum = works(|r| {
            let inputs = ["a", "b", "c"].map(|name| r.slots_input(name, 2));
            let products: Vec<Slots> = inputs.iter().map(Slots::square).collect();
            Slots::sum(&products).unwrap()
        });
        assert_eq!(
            sum,
            [
                (
                    "sum_of_products",
                    [6, 6, 0, 0],
                    OperationKind::Tensor,
                    [1, 2, 0, 3]
                ),
                (
                    "relinearize_and_rescale",
                    [2, 0, 0, 2],
                    OperationKind::Settle,
                    [1, 2, 0, 1]
                ),
            ]
        );
    }

    #[test]
    fn a_weighted_sum_costs_each_of_its_products() {
        let sum = works(|r| {
            let weighted = |k: usize| {
                let input = r.slots_input(&k.to_string(), 2);
                input.multiply_plain(vec![vec![0.5, k as f64]])
            };
            Slots::sum(&(0..5).map(weighted).collect::<Vec<_>>()).unwrap()
        });
        assert_eq!(
            sum,
            [
                (
                    "weighted_sum",
                    [10, 0, 10, 0],
                    OperationKind::MultiplyPlain,
                    [1, 2, 0, 5]
                ),
                (
                    "rescale",
                    [2, 0, 0, 0],
                    OperationKind::Rescale,
                    [1, 2, 0, 1]
                ),
            ]
        );
    }

    #[test]
    fn rotations_cost_their_keys_and_identities_are_free_of_them() {
        let rotated = works(|r| {
            let sum = r.slots_input("a", 3).rotation_sum(&[0, 1, 2, 1]);
            let scaled = sum.multiply_scalar(0.3);
            // Rescaled on the way, as products are.
            scaled
                .rotate(4)
                .weighted_rotation_sum(vec![(0, vec![vec![1.0]]), (3, vec![vec![2.0]])])
        });
        assert_eq!(
            rotated,
            [
                (
                    "rotation_sum",
                    [12, 0, 0, 9],
                    OperationKind::RotationSum,
                    [2, 3, 2, 1]
                ),
                (
                    "multiply_scalar",
                    [3, 0, 0, 0],
                    OperationKind::MultiplyScalar,
                    [2, 3, 0, 1]
                ),
                ("rotate", [3, 0, 0, 3], OperationKind::Settle, [2, 3, 0, 1]),
                (
                    "weighted_rotation_sum",
                    [6, 0, 6, 3],
                    OperationKind::WeightedRotationSum,
                    [1, 3, 2, 1]
                ),
            ]
        );
    }
}
