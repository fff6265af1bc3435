//! Linear maps on the slots of batches, by their diagonals.
//!
//! ```text
//!   y[s] = sum over steps k of w_k[s] x[s + k]          one product with a constant for each diagonal that is not zero
//!        = sum over giant g, baby b of rot_g( sum_b w'[s] rot_b(x)[s] ),   w'[s] = w_(g+b)[s - g]
//! ```
//! Baby rotations are hoisted and shared by all outputs; the rotation of a partial sum by its giant step rescales it on its
//! way. So d diagonals cost d products with constants, about 2 sqrt(d) rotations, as many keys, and one level. (Halevi and
//! Shoup, ePrint 2014/106 and 2018/244; hoisting as in ePrint 2020/1203.)
//!
//! Transposes and skewed matrices are not such maps: [`super::permute`] knows the structure of their steps and takes fewer
//! rotations, as its table says.

mod apply;
mod split;

use std::collections::BTreeMap;

use split::Split;

/// Weights of one diagonal, by output and input group.
type Diagonal = BTreeMap<(usize, usize), Vec<f64>>;

/// A linear map between batches of ciphertexts.
///
/// Positions count *grains*: runs of slots with one weight (the rows of row vectors; single slots of anything else). Ciphertexts
/// come in groups of `copies` that are treated alike, group after group.
pub(super) struct SlotMap {
    /// Slots of a position.
    grain: usize,
    /// Positions after which the inputs repeat: rotations count modulo this.
    cycle: usize,
    /// Positions after which the weights repeat.
    period: usize,
    copies: usize,
    inputs: usize,
    outputs: usize,
    diagonals: BTreeMap<i64, Diagonal>,
}

impl SlotMap {
    /// The zero map from `inputs` to `outputs` groups of ciphertexts with `positions` positions of `grain` slots.
    pub(super) fn new(grain: usize, positions: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            grain,
            cycle: positions,
            period: positions,
            copies: 1,
            inputs,
            outputs,
            diagonals: BTreeMap::new(),
        }
    }

    /// For inputs that repeat after `cycle` positions.
    pub(super) fn cycle(mut self, cycle: usize) -> Self {
        self.cycle = cycle;
        self
    }

    /// For weights that repeat after `period` positions.
    pub(super) fn weights_repeat_after(mut self, period: usize) -> Self {
        self.period = period;
        self
    }

    /// For groups of `copies` ciphertexts.
    pub(super) fn copies(mut self, copies: usize) -> Self {
        self.copies = copies;
        self
    }

    /// Adds `weight` times the input's position to the output's: (group, position) each.
    pub(super) fn add(&mut self, output: (usize, usize), input: (usize, usize), weight: f64) {
        if weight == 0.0 {
            return;
        }
        let cycle = self.cycle as i64;
        let mut step = (input.1 as i64 - output.1 as i64).rem_euclid(cycle);
        if step > cycle / 2 {
            step -= cycle;
        }
        let period = self.period;
        let weights = self
            .diagonals
            .entry(step)
            .or_default()
            .entry((output.0, input.0))
            .or_insert_with(|| vec![0.0; period]);
        weights[output.1 % period] += weight;
    }

    /// The same for positions that are counted through groups of `size`: output, input, weight.
    pub(super) fn add_entry(&mut self, size: usize, (to, from, weight): (usize, usize, f64)) {
        self.add((to / size, to % size), (from / size, from % size), weight);
    }

    /// Terms: the group that each diagonal takes and gives.
    fn terms(&self) -> impl Iterator<Item = (i64, usize, usize)> + '_ {
        self.diagonals
            .iter()
            .flat_map(|(&step, diagonal)| diagonal.keys().map(move |&(o, i)| (step, o, i)))
    }

    fn split(&self) -> Split {
        let terms: Vec<_> = self.terms().collect();
        Split::cheapest(&terms, self.cycle as i64)
    }

    /// The constant of a diagonal for a partial sum that is rotated by `giant` later, in slots.
    fn constant(&self, weights: &[f64], giant: i64) -> Vec<f64> {
        let period = self.period as i64;
        let back = giant.rem_euclid(period) as usize;
        let mut rotated = weights.to_vec();
        rotated.rotate_right(back);
        if self.grain == 1 {
            return rotated;
        }
        rotated
            .into_iter()
            .flat_map(|w| std::iter::repeat_n(w, self.grain))
            .collect()
    }
}
