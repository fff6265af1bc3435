//! Products of A^T and B by sums of rows, with the result in the transposed unit.
//!
//! ```text
//!   column x of  sum over rows of  (columns of A^T shifted by s) * B   is   C[(x + s) mod q, x],  in every row
//! ```
//! so that a mask may place it in any row of any unit. Units are p x q with q <= p, and C fits q x q.

use super::{
    Sizes,
    diagonals::needed_shifts,
    shifts::{baby_steps, column_shifts, shift_key_switches},
};
use crate::{Slots, linalg::permute::plus};

/// The shifts that some entry of the result needs.
fn shifts_of(sizes: &Sizes) -> Vec<usize> {
    needed_shifts(&Sizes {
        inner: sizes.rows,
        ..*sizes
    })
}

/// Key switches, relinearizations among them.
pub(super) fn key_switches(sizes: &Sizes) -> usize {
    let shifts = shifts_of(sizes);
    sizes.inner.div_ceil(sizes.m) * shift_key_switches(&shifts, baby_steps(sizes.n))
        + shifts.len() * (1 + sizes.m.trailing_zeros() as usize)
}

/// Records it: three levels.
pub(super) fn record(a_transposed: &Slots, b: &Slots, sizes: &Sizes, scale: f64) -> Slots {
    let (p, q) = (sizes.m, sizes.n);
    let shifts = shifts_of(sizes);
    let steps = baby_steps(q);
    let units = b.units();
    let mut sum = None;
    for group in column_shifts(a_transposed, (q, q), &shifts, steps, false) {
        let factors: Vec<(Slots, Slots)> = (0..units)
            .map(|unit| {
                let of_unit: Vec<usize> = (0..group.giants.len())
                    .map(|position| position * units + unit)
                    .collect();
                (group.slots.pick(&of_unit), b.pick(&[unit]))
            })
            .collect();
        let pairs: Vec<(&Slots, &Slots)> = factors.iter().map(|(a, b)| (a, b)).collect();
        let Some(products) = Slots::sum_of_products(&pairs) else {
            continue;
        };
        let masks = group
            .giants
            .iter()
            .map(|giant| {
                let mut mask = vec![0.0; p * q];
                for x in 0..q {
                    mask[(x + group.baby + giant * steps) % q * p + x] = scale;
                }
                mask
            })
            .collect();
        let placed = products.rotate_and_sum(q as i64, p).multiply_plain(masks);
        for position in 0..group.giants.len() {
            sum = Some(plus(sum, placed.pick(&[position])));
        }
    }
    sum.unwrap_or_else(|| b.clone())
}
