//! Products by the diagonals of the second factor.
//!
//! ```text
//!   C[r, x] = sum over units k of A's columns, shifts s < n of  A[r, kn + i] * B[kn + i, x],   i = (x + s) mod n
//! ```
//! The first factor is A with its columns shifted. The second does not depend on r: diagonal s of B, repeated in all rows, which
//! takes a mask and lg m rotations, exact because rows wrap with the slots. Two levels, whatever the sizes; and the rows of A
//! may stand where they like.

use std::collections::BTreeMap;

use super::{
    Sizes,
    shifts::{baby_steps, column_shifts, shift_key_switches},
};
use crate::{Slots, linalg::permute::plus};

/// The most ciphertexts of a batch that is summed at once.
const CHUNK: usize = 32;

/// The shifts for which there is anything to multiply.
pub(super) fn needed_shifts(sizes: &Sizes) -> Vec<usize> {
    let n = sizes.n;
    let (inner, cols) = (sizes.inner.min(n), sizes.cols.min(n));
    // i = (x + s) mod n below `inner` for an x below `cols`.
    (0..n).filter(|&s| s < inner || s + cols > n).collect()
}

/// Key switches, relinearizations among them.
pub(super) fn key_switches(sizes: &Sizes) -> usize {
    let shifts = needed_shifts(sizes);
    let (down, across) = (sizes.rows.div_ceil(sizes.m), sizes.cols.div_ceil(sizes.n));
    let blocks = sizes.inner.div_ceil(sizes.n);
    down * blocks * shift_key_switches(&shifts, baby_steps(sizes.n))
        + blocks * across * shifts.len() * sizes.m.trailing_zeros() as usize
        + down * across
}

/// Records the product.
pub(super) fn record(a: &Slots, b: &Slots, sizes: &Sizes, scale: f64) -> Slots {
    let n = sizes.n;
    let shifts = needed_shifts(sizes);
    let (down, across) = (sizes.rows.div_ceil(sizes.m), sizes.cols.div_ceil(n));
    let blocks = sizes.inner.div_ceil(n);
    let diagonals = repeated_diagonals(b, sizes, &shifts, scale);
    let steps = baby_steps(n);
    let mut sum = None;
    let mut factors = vec![];
    for group in column_shifts(a, (n, n), &shifts, steps, false) {
        for (position, giant) in group.giants.iter().enumerate() {
            let diagonal = &diagonals[&(group.baby + giant * steps)];
            for k in 0..blocks {
                let units = 0..down * across;
                let left: Vec<usize> = units
                    .clone()
                    .map(|u| (position * down + u / across) * blocks + k)
                    .collect();
                let right: Vec<usize> = units.map(|u| k * across + u % across).collect();
                factors.push((group.slots.pick(&left), diagonal.pick(&right)));
                if factors.len() * down * across >= CHUNK {
                    sum = sum_products(sum, &mut factors);
                }
            }
        }
    }
    sum_products(sum, &mut factors).unwrap_or_else(|| a.clone())
}

/// Adds the products of pairs to a sum, pending, and forgets the pairs.
fn sum_products(sum: Option<Slots>, factors: &mut Vec<(Slots, Slots)>) -> Option<Slots> {
    let pairs: Vec<(&Slots, &Slots)> = factors.iter().map(|(a, b)| (a, b)).collect();
    let products = Slots::sum_of_products(&pairs);
    factors.clear();
    match products {
        Some(products) => Some(plus(sum, products)),
        None => sum,
    }
}

/// For each shift s: in column x of every row, entry ((x + s) mod n, x) of each n x n block of B; blocks row by row.
fn repeated_diagonals(
    b: &Slots,
    sizes: &Sizes,
    shifts: &[usize],
    scale: f64,
) -> BTreeMap<usize, Slots> {
    let (m, n) = (sizes.m, sizes.n);
    let units = sizes.inner.div_ceil(n) * sizes.cols.div_ceil(n);
    let mut all = BTreeMap::new();
    for chunk in shifts.chunks((CHUNK / units).max(1)) {
        let masked: Vec<Slots> = chunk
            .iter()
            .map(|&shift| masked_diagonal(b, sizes, shift, scale))
            .collect();
        if let Some(batch) = Slots::concat(&masked.iter().collect::<Vec<_>>()) {
            let batch = batch.rotate_and_sum(n as i64, m);
            for (position, &shift) in chunk.iter().enumerate() {
                let units: Vec<usize> = (position * units..(position + 1) * units).collect();
                all.insert(shift, batch.pick(&units));
            }
        }
    }
    all
}

/// A diagonal where it stands, one unit for each n x n block of B.
fn masked_diagonal(b: &Slots, sizes: &Sizes, shift: usize, scale: f64) -> Slots {
    let (m, n) = (sizes.m, sizes.n);
    let across = sizes.cols.div_ceil(n);
    let (blocks, down) = (sizes.inner.div_ceil(n), sizes.inner.div_ceil(m));
    // The rows of a block are in several units if n > m; in a part of one if n < m.
    let parts = n.div_ceil(m);
    let mut sum = None;
    for part in 0..parts {
        let start = |k: usize| k * n % m;
        let mask = |start: usize| -> Vec<f64> {
            let mut mask = vec![0.0; m * n];
            for x in 0..n {
                let row = (x + shift) % n;
                if row / m == part {
                    mask[(start + row % m) * n + x] = scale;
                }
            }
            mask
        };
        // Units below the last hold nothing; the last one stands in for them under a mask of zeros.
        let mut sources = vec![];
        let mut masks = vec![];
        for k in 0..blocks {
            let unit = k * n / m + part;
            for j in 0..across {
                sources.push(unit.min(down - 1) * across + j);
                masks.push(if unit < down {
                    mask(start(k))
                } else {
                    vec![0.0]
                });
            }
        }
        if masks.iter().all(|mask| mask.iter().all(|&x| x == 0.0)) {
            continue;
        }
        if masks.iter().all(|mask| *mask == masks[0]) {
            masks.truncate(1);
        }
        sum = Some(plus(sum, b.pick(&sources).multiply_plain(masks)));
    }
    // With a scale of zero nothing is left.
    sum.unwrap_or_else(|| {
        let first: Vec<usize> = vec![0; blocks * across];
        b.pick(&first).multiply_plain(vec![vec![0.0]])
    })
}
