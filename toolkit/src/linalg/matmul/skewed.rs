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
    shifts::{
        baby_steps, column_mask, column_shifts, shift_key_switches, wrapping_key_switches,
        wrapping_shifts,
    },
};
use crate::{
    Slots,
    linalg::permute::{Permutation, plus},
};

/// Which factor is masked where a shift of A's columns wraps: it has three levels, the other one two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masked {
    /// A, whose parts are joined before the product.
    Left,
    /// B: the parts of A's shifts are not joined, each meets B under its own mask. Twice the rotations of A.
    Right,
}

/// A product to be recorded: depth 3, of which the factor that is not masked takes two levels.
pub(super) struct Skewed {
    sizes: Sizes,
    masked: Masked,
    blocks: usize,
    d: usize,
    left: Permutation<usize>,
    right: Permutation<usize>,
}

impl Skewed {
    /// Rows of the result are `row_stride` apart, in one unit, unless that is 1; those of `a` and `b` are not.
    pub(super) fn new(sizes: Sizes, row_stride: usize, scale: f64, masked: Masked) -> Self {
        let (m, n) = (sizes.m, sizes.n);
        let d = m.min(n);
        let blocks = sizes.inner.div_ceil(d);
        let (down, across) = (sizes.rows.div_ceil(m), sizes.cols.div_ceil(n));
        let inner_across = sizes.inner.div_ceil(n);
        let left = (0..down)
            .flat_map(|i| (0..blocks).map(move |k| vec![(i * inner_across + k * d / n, k * d % n)]))
            .collect();
        // Offsets are small, or grow with the row if rows are spread: then as many baby steps as bring the columns round.
        let (stride, least) = match row_stride {
            1 => (1, 1),
            _ => (n as i64 * (1 - row_stride as i64), (d / row_stride).max(1)),
        };
        let left = Permutation::new(m * n, left, stride, least, 1.0, |&start, slot| {
            let (r, x) = (slot / n, slot % n);
            let from = start + (r + x) % d;
            let position = match row_stride {
                1 => from as i64 - x as i64,
                _ => (r / row_stride) as i64,
            };
            (r % row_stride == 0).then_some((r / row_stride * n + from, position))
        });
        let right = (0..blocks)
            .flat_map(|k| (0..across).map(move |j| vec![(k * d / m * across + j, k * d % m)]))
            .collect();
        let right = Permutation::new(m * n, right, n as i64, 1, scale, |&start, slot| {
            let (r, x) = (slot / n, slot % n);
            let from = start + (r + x) % d;
            // Rows wrap with the slots.
            let rows = (from as i64 - r as i64).rem_euclid(m as i64);
            Some((from * n + x, rows))
        });
        Self {
            sizes,
            masked,
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
        let shifting = match self.masked {
            Masked::Left => shift_key_switches(&shifts, steps),
            Masked::Right => wrapping_key_switches(self.d, steps),
        };
        self.left.key_switches()
            + self.right.key_switches()
            + shifting * down * self.blocks
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
        let each = |unit: &dyn Fn(usize, usize, usize) -> usize| -> Vec<usize> {
            (0..giants * down * across)
                .map(|u| unit(u / (down * across), u / across % down, u % across))
                .collect()
        };
        let all: Vec<usize> = (0..d).collect();
        let mut factors = vec![];
        match self.masked {
            Masked::Left => {
                for shifts in column_shifts(&x, (n, d), &all, steps, true) {
                    let moved = y.rotate((shifts.baby * n) as i64);
                    for k in 0..blocks {
                        let left = each(&|giant, i, _| (giant * down + i) * blocks + k);
                        let right = each(&|_, _, j| k * across + j);
                        let right = if across == 1 { vec![k] } else { right };
                        factors.push((shifts.slots.pick(&left), moved.pick(&right)));
                    }
                }
            }
            Masked::Right => {
                for (baby, part, rotated) in wrapping_shifts(&x, (n, d), steps) {
                    let moved = y.rotate((baby * n) as i64);
                    for k in 0..blocks {
                        let masks = (0..giants * across)
                            .map(|u| column_mask(n, baby + u / across * steps, part))
                            .collect();
                        let of_block: Vec<usize> = (0..giants * across)
                            .map(|u| k * across + u % across)
                            .collect();
                        let masked = moved.pick(&of_block).multiply_plain(masks);
                        let left = each(&|giant, i, _| (giant * down + i) * blocks + k);
                        let right = each(&|giant, _, j| giant * across + j);
                        factors.push((rotated.pick(&left), masked.pick(&right)));
                    }
                }
            }
        }
        let pairs: Vec<(&Slots, &Slots)> = factors.iter().map(|(a, b)| (a, b)).collect();
        let Some(products) = Slots::sum_of_products(&pairs) else {
            return a.clone();
        };
        let products = products.relinearize_and_rescale();
        let mut sum = None;
        for giant in 0..giants {
            let units: Vec<usize> = (giant * down * across..(giant + 1) * down * across).collect();
            let rotated = products.pick(&units).rotate((giant * steps * n) as i64);
            sum = Some(plus(sum, rotated));
        }
        sum.unwrap_or(products)
    }
}
