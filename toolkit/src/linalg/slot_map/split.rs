//! Which rotations are baby steps, which giant steps.

use std::collections::BTreeSet;

/// A way to write every step as a baby step plus a giant step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    cycle: i64,
    /// Steps count from 0 to the cycle, instead of around 0.
    positive: bool,
    /// Baby steps are remainders by this; 0: all steps are baby steps.
    width: i64,
    /// Remainders are around 0 instead of from 0.
    centred: bool,
}

/// What a rotation costs relative to a half of a hoisted one, when it cannot share its decomposition.
const GIANT: usize = 3;
const BABY: usize = 2;
/// What a further key costs in the same measure.
const KEY: usize = 1;

impl Split {
    /// The split of least cost for terms (step, output, input): rotations of inputs and partial sums, and keys.
    pub(super) fn cheapest(terms: &[(i64, usize, usize)], cycle: i64) -> Self {
        let whole = Self {
            cycle,
            positive: false,
            width: 0,
            centred: false,
        };
        let grain = terms
            .iter()
            .filter(|t| t.0 != 0)
            .map(|t| t.0.trailing_zeros())
            .min()
            .unwrap_or(0);
        let widths = (1..)
            .map(|i| 1_i64 << (grain + i))
            .take_while(|&w| w < cycle);
        let candidates = widths.flat_map(|width| {
            [(false, false), (false, true), (true, false), (true, true)].map(
                |(positive, centred)| Self {
                    cycle,
                    positive,
                    width,
                    centred,
                },
            )
        });
        std::iter::once(whole)
            .chain(candidates)
            .min_by_key(|split| split.cost(terms))
            .unwrap_or(whole)
    }

    fn cost(&self, terms: &[(i64, usize, usize)]) -> usize {
        let mut babies = BTreeSet::new();
        let mut giants = BTreeSet::new();
        for &(step, output, input) in terms {
            let (baby, giant) = self.of(step);
            if baby != 0 {
                babies.insert((baby, input));
            }
            if giant != 0 {
                giants.insert((giant, output));
            }
        }
        let keys: BTreeSet<i64> = babies.iter().chain(&giants).map(|x| x.0).collect();
        BABY * babies.len() + GIANT * giants.len() + KEY * keys.len()
    }

    /// Baby and giant step of a step; their sum is the step or differs from it by the cycle.
    pub(super) fn of(&self, step: i64) -> (i64, i64) {
        if self.width == 0 {
            return (step, 0);
        }
        let step = if self.positive {
            step.rem_euclid(self.cycle)
        } else {
            step
        };
        let shift = if self.centred { self.width / 2 } else { 0 };
        let baby = (step + shift).rem_euclid(self.width) - shift;
        (baby, step - baby)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotations(steps: impl Iterator<Item = i64>, cycle: i64) -> (usize, usize) {
        let terms: Vec<_> = steps.map(|s| (s, 0, 0)).collect();
        let split = Split::cheapest(&terms, cycle);
        let mut babies = BTreeSet::new();
        let mut giants = BTreeSet::new();
        for (step, ..) in terms {
            let (baby, giant) = split.of(step);
            assert_eq!((baby + giant - step).rem_euclid(cycle), 0);
            babies.insert(baby);
            giants.insert(giant);
        }
        (
            babies.iter().filter(|&&b| b != 0).count(),
            giants.iter().filter(|&&g| g != 0).count(),
        )
    }

    #[test]
    fn full_maps_take_two_roots() {
        assert_eq!(rotations(-511..=512, 1024), (31, 31));
        assert_eq!(rotations(-31..=32, 64), (7, 7));
        // Rows of 16 slots.
        assert_eq!(rotations((-31..=32).map(|k| 16 * k), 1024), (7, 7));
    }

    #[test]
    fn few_diagonals_take_few_rotations() {
        assert_eq!(rotations([0].into_iter(), 1024), (0, 0));
        assert_eq!(rotations(-1..=1, 1024), (2, 0));
        let (babies, giants) = rotations(-8..=8, 1024);
        assert!(babies + giants <= 8, "{babies} + {giants}");
    }
}
