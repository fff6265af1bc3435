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
use crate::{EncodingUnit, Slots, linalg::permute::plus};

/// The shifts that some entry of an f x h result needs.
fn shifts_of(unit: EncodingUnit, rows: usize, cols: usize) -> Vec<usize> {
    needed_shifts(&Sizes::new(unit, 1, rows, cols))
}

/// Key switches, relinearizations among them, of a product of inner size `inner`.
pub(in crate::linalg) fn key_switches(
    unit: EncodingUnit,
    (rows, inner, cols): (usize, usize, usize),
) -> usize {
    let shifts = shifts_of(unit, rows, cols);
    let log = unit.height().trailing_zeros() as usize;
    inner.div_ceil(unit.height()) * shift_key_switches(&shifts, baby_steps(unit.width()))
        + shifts.len() * (1 + log)
}

/// Records it: three levels.
pub(in crate::linalg) fn record(
    a_transposed: &Slots,
    b: &Slots,
    unit: EncodingUnit,
    (rows, cols): (usize, usize),
    scale: f64,
) -> Slots {
    let (p, q) = (unit.height(), unit.width());
    let shifts = shifts_of(unit, rows, cols);
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
