//! Recording the evaluation of a map.

use std::collections::{BTreeMap, BTreeSet};

use super::SlotMap;
use crate::Slots;

/// Terms of one baby step: for each output, its inputs with their constants.
type Products<'a> = BTreeMap<usize, Vec<(usize, &'a [f64])>>;

impl SlotMap {
    /// Applies the map; one level.
    #[track_caller]
    pub(in crate::linalg) fn apply(&self, x: &Slots) -> Slots {
        let split = self.split();
        let mut sums: BTreeMap<i64, BTreeMap<i64, Products<'_>>> = BTreeMap::new();
        for (&step, diagonal) in &self.diagonals {
            let (baby, giant) = split.of(step);
            let products = sums.entry(giant).or_default().entry(baby).or_default();
            for (&(output, input), weights) in diagonal {
                products.entry(output).or_default().push((input, weights));
            }
        }
        let reached: BTreeSet<usize> = self.terms().map(|t| t.1).collect();
        let mut parts = vec![];
        let missing: Vec<usize> = (0..self.outputs).filter(|o| !reached.contains(o)).collect();
        if !missing.is_empty() {
            let zeros = x.pick(&vec![0; missing.len() * self.copies]);
            parts.push((missing, zeros.multiply_plain(vec![vec![0.0]])));
        }
        if let [(0, products)] = sums.iter().map(|(&g, p)| (g, p)).collect::<Vec<_>>()[..]
            && !self.shares_rotations()
        {
            self.hoisted(x, products, &mut parts);
            return self.assemble(&parts, x);
        }
        let babies = self.babies(x, &sums);
        for (&giant, products) in &sums {
            let mut terms = vec![];
            for (baby, products) in products {
                let (inputs, rotated) = &babies[baby];
                self.products(inputs, rotated, products, giant, &mut terms);
            }
            if self.copies == 1 {
                // One batch for the outputs of each set of terms, so that one rotation serves it.
                let outputs: BTreeSet<usize> = terms.iter().flat_map(|t| t.0.clone()).collect();
                let outputs: Vec<usize> = outputs.into_iter().collect();
                let sum = sum_parts(&terms, &outputs, 1);
                parts.push((outputs, self.rotated(&sum, giant)));
            } else {
                let mut by_output: BTreeMap<usize, Vec<Slots>> = BTreeMap::new();
                for (outputs, slots) in terms {
                    by_output.entry(outputs[0]).or_default().push(slots);
                }
                for (output, slots) in by_output {
                    let sum = Slots::sum(&slots).unwrap_or_else(|| x.clone());
                    parts.push((vec![output], self.rotated(&sum, giant)));
                }
            }
        }
        self.assemble(&parts, x)
    }

    fn rotated(&self, x: &Slots, positions: i64) -> Slots {
        x.rotate(positions * self.grain as i64)
    }

    /// Ciphertexts of groups.
    fn units(&self, groups: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let copies = self.copies;
        let units = |g: usize| g * copies..(g + 1) * copies;
        groups.into_iter().flat_map(units).collect()
    }

    /// Whether a rotated input serves several outputs, so that rotating inputs once costs less than hoisted sums.
    fn shares_rotations(&self) -> bool {
        let rotations: Vec<_> = self.terms().filter(|t| t.0 != 0).collect();
        let inputs: BTreeSet<_> = rotations.iter().map(|t| (t.0, t.2)).collect();
        inputs.len() < rotations.len()
    }

    /// Rotated inputs by baby step, with the groups that are needed.
    fn babies(
        &self,
        x: &Slots,
        sums: &BTreeMap<i64, BTreeMap<i64, Products<'_>>>,
    ) -> BTreeMap<i64, (Vec<usize>, Slots)> {
        let mut needed: BTreeMap<i64, BTreeSet<usize>> = BTreeMap::new();
        for (&baby, products) in sums.values().flatten() {
            let inputs = products.values().flatten().map(|p| p.0);
            needed.entry(baby).or_default().extend(inputs);
        }
        needed
            .into_iter()
            .map(|(baby, inputs)| {
                let inputs: Vec<usize> = inputs.into_iter().collect();
                let units = self.units(inputs.iter().copied());
                let rotated = self.rotated(&x.pick(&units), baby);
                (baby, (inputs, rotated))
            })
            .collect()
    }

    /// The products of one baby step for one giant step: batches, each with its outputs.
    fn products(
        &self,
        inputs: &[usize],
        rotated: &Slots,
        products: &Products<'_>,
        giant: i64,
        terms: &mut Vec<(Vec<usize>, Slots)>,
    ) {
        let place = |input: usize| inputs.partition_point(|&i| i < input);
        if self.copies > 1 {
            for (&output, inputs) in products {
                for &(input, weights) in inputs {
                    let picked = rotated.pick(&self.units([place(input)]));
                    let constant = self.constant(weights, giant);
                    terms.push((vec![output], picked.multiply_plain(vec![constant])));
                }
            }
            return;
        }
        let most = products.values().map(Vec::len).max().unwrap_or(0);
        for rank in 0..most {
            let of_rank: Vec<_> = products
                .iter()
                .filter_map(|(&output, inputs)| inputs.get(rank).map(|&p| (output, p)))
                .collect();
            let places: Vec<usize> = of_rank.iter().map(|&(_, (i, _))| place(i)).collect();
            let constants = of_rank
                .iter()
                .map(|&(_, (_, weights))| self.constant(weights, giant))
                .collect();
            let outputs = of_rank.iter().map(|p| p.0).collect();
            let product = rotated
                .pick(&places)
                .multiply_plain(one_if_equal(constants));
            terms.push((outputs, product));
        }
    }

    /// The sum of parts, each with the groups of outputs that it holds.
    fn assemble(&self, parts: &[(Vec<usize>, Slots)], x: &Slots) -> Slots {
        let all: Vec<usize> = (0..self.outputs).collect();
        if parts.is_empty() {
            return Slots::failed(x.recorder(), self.outputs * self.copies);
        }
        sum_parts(parts, &all, self.copies)
    }

    /// All diagonals as baby steps, each output on its own: one decomposition for each output and input.
    fn hoisted(
        &self,
        x: &Slots,
        products: &BTreeMap<i64, Products<'_>>,
        parts: &mut Vec<(Vec<usize>, Slots)>,
    ) {
        // Inputs of each output, with the diagonals that they meet.
        let mut pairs: BTreeMap<usize, BTreeMap<usize, BTreeMap<i64, &[f64]>>> = BTreeMap::new();
        for (&step, products) in products {
            for (&output, inputs) in products {
                for &(input, weights) in inputs {
                    let diagonals = pairs.entry(output).or_default().entry(input).or_default();
                    diagonals.insert(step, weights);
                }
            }
        }
        // Pairs of the same steps go together: no rotation is made for nothing.
        type Pair<'a> = (usize, usize, Vec<&'a [f64]>);
        let mut batches: BTreeMap<(usize, Vec<i64>), Vec<Pair<'_>>> = BTreeMap::new();
        for (&output, inputs) in &pairs {
            for (rank, (&input, diagonals)) in inputs.iter().enumerate() {
                let steps: Vec<i64> = diagonals.keys().copied().collect();
                // Copies share one constant, so groups stay apart.
                let rank = if self.copies == 1 {
                    rank
                } else {
                    output * self.inputs + rank
                };
                let weights = diagonals.values().copied().collect();
                batches
                    .entry((rank, steps))
                    .or_default()
                    .push((output, input, weights));
            }
        }
        for ((_, steps), pairs) in batches {
            let picked = x.pick(&self.units(pairs.iter().map(|p| p.1)));
            let terms: Vec<(i64, Vec<Vec<f64>>)> = steps
                .iter()
                .enumerate()
                .map(|(k, &step)| {
                    let constants = pairs.iter().map(|p| self.constant(p.2[k], 0)).collect();
                    (step * self.grain as i64, one_if_equal(constants))
                })
                .collect();
            let outputs = pairs.iter().map(|p| p.0).collect();
            let sum = match &terms[..] {
                [(0, constants)] => picked.multiply_plain(constants.clone()),
                _ => picked.weighted_rotation_sum(terms),
            };
            parts.push((outputs, sum));
        }
    }

    /// Applies a map that only moves whole ciphertexts, without masks and without a level; `None` if it does more. `support`
    /// is not zero where the inputs may be.
    #[track_caller]
    pub(in crate::linalg) fn apply_free(&self, x: &Slots, support: &[Vec<f64>]) -> Option<Slots> {
        if self.copies != 1 {
            return None;
        }
        let mut parts: Vec<(Vec<usize>, Slots)> = vec![];
        let mut reached = BTreeSet::new();
        for (&step, diagonal) in &self.diagonals {
            let shift = step * self.grain as i64;
            let mut ranks: BTreeMap<usize, usize> = BTreeMap::new();
            let mut moves: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
            for (&(output, input), weights) in diagonal {
                let slots = support[input].len();
                let whole = (0..slots).all(|s| {
                    let from = (s as i64 + shift).rem_euclid(slots as i64) as usize;
                    support[input][from] == 0.0 || weights[s / self.grain % self.period] == 1.0
                });
                if !whole {
                    return None;
                }
                reached.insert(output);
                let rank = ranks.entry(output).or_default();
                moves.entry(*rank).or_default().push((output, input));
                *rank += 1;
            }
            for moves in moves.into_values() {
                let (outputs, inputs): (Vec<_>, Vec<_>) = moves.into_iter().unzip();
                parts.push((outputs, x.pick(&inputs).rotate(shift)));
            }
        }
        (reached.len() == self.outputs).then(|| self.assemble(&parts, x))
    }

    /// Applies the map without a level if it only moves whole ciphertexts, else with one.
    #[track_caller]
    pub(in crate::linalg) fn apply_cheaply(&self, x: &Slots, support: &[Vec<f64>]) -> Slots {
        self.apply_free(x, support).unwrap_or_else(|| self.apply(x))
    }
}

/// The sum of batches by output; every one of `outputs` is in some part.
fn sum_parts(parts: &[(Vec<usize>, Slots)], outputs: &[usize], copies: usize) -> Slots {
    if parts.iter().all(|p| p.0 == outputs) {
        let parts: Vec<Slots> = parts.iter().map(|p| p.1.clone()).collect();
        return Slots::sum(&parts).unwrap_or_else(|| parts[0].clone());
    }
    let sums: Vec<Slots> = outputs
        .iter()
        .filter_map(|output| {
            let terms: Vec<Slots> = parts
                .iter()
                .filter_map(|(outputs, slots)| {
                    let place = outputs.iter().position(|o| o == output)?;
                    let units: Vec<usize> = (place * copies..(place + 1) * copies).collect();
                    Some(slots.pick(&units))
                })
                .collect();
            Slots::sum(&terms)
        })
        .collect();
    Slots::concat(&sums.iter().collect::<Vec<_>>()).unwrap_or_else(|| parts[0].1.clone())
}

/// Constants that are all equal are kept once.
fn one_if_equal(mut constants: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    if constants.windows(2).all(|w| w[0] == w[1]) {
        constants.truncate(1);
    }
    constants
}
