//! Products by skewing both factors: Jiang, Kim, Lauter and Song, ePrint 2018/1041, for units and matrices of any size.
//!
//! With d = min(m, n), units of a product are sums over blocks of d inner indices,
//!
//! ```text
//!   C[r, x] = sum over blocks k, shifts s < d of  A[r, kd + i] * B[kd + i, x],   i = (r + x + s) mod d
//! ```
//! The first factor at s = 0 is a permutation of A's slots (in the square case the paper's sigma), repeating every d columns; for
//! other s its columns are shifted. The second is a permutation of B's (tau), repeating every d rows; for other s its rows are
//! shifted, which is a rotation. With s = b + a t the rows are shifted by b before the product and by a t after it, so a product has
//! two short lists of row shifts instead of a long one.

use super::{
    Sizes,
    shifts::{baby_steps, column_shifts, shift_key_switches},
};
use crate::{
    Slots,
    linalg::permute::{Permutation, plus},
};

/// A product to be recorded: depth 3, of which B takes two levels.
pub(super) struct Skewed {
    sizes: Sizes,
    blocks: usize,
    d: usize,
    left: Permutation<usize>,
    right: Permutation<usize>,
}

impl Skewed {
    pub(super) fn new(sizes: Sizes, scale: f64) -> Self {
        let (m, n) = (sizes.m, sizes.n);
        let d = m.min(n);
        let blocks = sizes.inner.div_ceil(d);
        let (down, across) = (sizes.rows.div_ceil(m), sizes.cols.div_ceil(n));
        let inner_across = sizes.inner.div_ceil(n);
        let left = (0..down)
            .flat_map(|i| (0..blocks).map(move |k| vec![(i * inner_across + k * d / n, k * d % n)]))
            .collect();
        let left = Permutation::new(m * n, left, 1, 1.0, |&start, slot| {
            let (r, x) = (slot / n, slot % n);
            let from = start + (r + x) % d;
            Some((r * n + from, from as i64 - x as i64))
        });
        let right = (0..blocks)
            .flat_map(|k| (0..across).map(move |j| vec![(k * d / m * across + j, k * d % m)]))
            .collect();
        let right = Permutation::new(m * n, right, n as i64, scale, |&start, slot| {
            let (r, x) = (slot / n, slot % n);
            let from = start + (r + x) % d;
            // Rows wrap with the slots.
            let rows = (from as i64 - r as i64).rem_euclid(m as i64);
            Some((from * n + x, rows))
        });
        Self {
            sizes,
            blocks,
            d,
            left,
            right,
        }
    }

    /// Key switches, relinearizations among them.
    pub(super) fn key_switches(&self) -> usize {
        let Sizes {
            m, n, rows, cols, ..
        } = self.sizes;
        let (down, across) = (rows.div_ceil(m), cols.div_ceil(n));
        let steps = baby_steps(self.d);
        let shifts: Vec<usize> = (0..self.d).collect();
        let giants = self.d / steps;
        self.left.key_switches()
            + self.right.key_switches()
            + shift_key_switches(&shifts, steps) * down * self.blocks
            + (steps - 1) * self.blocks * across
            + (2 * giants - 1) * down * across
    }

    pub(super) fn record(&self, a: &Slots, b: &Slots) -> Slots {
        let Sizes {
            m, n, rows, cols, ..
        } = self.sizes;
        let (blocks, d) = (self.blocks, self.d);
        let (down, across) = (rows.div_ceil(m), cols.div_ceil(n));
        let (x, y) = (self.left.apply(a), self.right.apply(b));
        let steps = baby_steps(d);
        let giants = d / steps;
        let all: Vec<usize> = (0..d).collect();
        let mut factors = vec![];
        for shifts in column_shifts(&x, (n, d), &all, steps, true) {
            let rows_shifted = y.rotate((shifts.baby * n) as i64);
            for k in 0..blocks {
                let each = |unit: &dyn Fn(usize, usize, usize) -> usize| -> Vec<usize> {
                    let units = (0..giants * down * across)
                        .map(|u| unit(u / (down * across), u / across % down, u % across));
                    units.collect()
                };
                let left = each(&|giant, i, _| (giant * down + i) * blocks + k);
                let right = each(&|_, _, j| k * across + j);
                let right = if across == 1 { vec![k] } else { right };
                factors.push((shifts.slots.pick(&left), rows_shifted.pick(&right)));
            }
        }
        let pairs: Vec<(&Slots, &Slots)> = factors.iter().map(|(a, b)| (a, b)).collect();
        let Some(products) = Slots::sum_of_products(&pairs) else {
            return a.clone();
        };
        let products = products.settle();
        let mut sum = None;
        for giant in 0..giants {
            let units: Vec<usize> = (giant * down * across..(giant + 1) * down * across).collect();
            let rotated = products.pick(&units).rotate((giant * steps * n) as i64);
            sum = Some(plus(sum, rotated));
        }
        sum.unwrap_or(products)
    }
}
