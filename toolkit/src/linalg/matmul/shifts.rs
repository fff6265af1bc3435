//! Cyclic shifts of the columns of a unit.

use crate::{Slots, linalg::permute::plus};

/// Shifts by s = baby + steps * k for several k, one after the other in one batch.
pub(super) struct Shifts {
    /// s mod the number of baby steps.
    pub(super) baby: usize,
    /// The other part, divided by the number of baby steps.
    pub(super) giants: Vec<usize>,
    /// The shifted ciphertexts: all units for the first giant step, all for the second, ..
    pub(super) slots: Slots,
}

/// The number of baby steps for `count` shifts.
pub(super) fn baby_steps(count: usize) -> usize {
    1 << count.next_power_of_two().trailing_zeros().div_ceil(2)
}

/// Column x of the result is column x + s of the operand, for columns repeating after `period` in rows of `width` slots. One
/// level.
///
/// Within a row that is the rotation by s up to the row's end, and that by s - period after it. Both parts are masked where
/// the giant step has brought them, then take the baby step together: one rotation for each shift, and as few keys as
/// two rounds of steps need. With `down`, the giant steps also take all rows down by as many rows, at no further cost.
pub(super) fn column_shifts(
    x: &Slots,
    (width, period): (usize, usize),
    shifts: &[usize],
    steps: usize,
    down: bool,
) -> Vec<Shifts> {
    let mut all = vec![];
    for baby in 0..steps {
        let giants: Vec<usize> = shifts
            .iter()
            .filter(|&&s| s % steps == baby)
            .map(|s| s / steps)
            .collect();
        let masked: Vec<Slots> = giants
            .iter()
            .map(|&giant| {
                let far = (giant * steps) as i64;
                let step = if down { far - far * width as i64 } else { far };
                let shift = baby + giant * steps;
                // Masks for slots that the baby step has not yet moved.
                let within = |column: usize| (column + width - baby) % width + shift < width;
                let mask = |keep: bool| -> Vec<Vec<f64>> {
                    let keep = |c| f64::from(u8::from(within(c) == keep));
                    vec![(0..width).map(keep).collect()]
                };
                let near = x.rotate(step).multiply_plain(mask(true));
                if shift == 0 {
                    return near;
                }
                let wrapped = x.rotate(step - period as i64).multiply_plain(mask(false));
                plus(Some(near), wrapped)
            })
            .collect();
        let masked: Vec<&Slots> = masked.iter().collect();
        if let Some(batch) = Slots::concat(&masked) {
            let slots = batch.rotate(baby as i64);
            all.push(Shifts {
                baby,
                giants,
                slots,
            });
        }
    }
    all
}

/// Key switches of [`column_shifts`] for each ciphertext.
pub(super) fn shift_key_switches(shifts: &[usize], steps: usize) -> usize {
    let mut giants: Vec<usize> = shifts.iter().map(|s| s / steps).collect();
    giants.dedup();
    let far = giants.iter().filter(|&&g| g != 0).count();
    let wrapped = giants
        .iter()
        .filter(|&&g| g != 0 || shifts.iter().any(|&s| s > 0 && s < steps));
    far + wrapped.count() + shifts.iter().filter(|&&s| s % steps != 0).count()
}

/// The part of a row that a shift of its columns fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Columns that come from the right, within the row.
    Within,
    /// Columns that come from the row's start.
    Wrapped,
}

/// Ones in the columns that a shift by `shift` fills that way.
pub(super) fn column_mask(width: usize, shift: usize, part: Part) -> Vec<f64> {
    (0..width)
        .map(|x| f64::from(u8::from((x + shift < width) == (part == Part::Within))))
        .collect()
}

/// All shifts of `period` columns without masks and so without a level: for each baby step and part of the row, the ciphertexts
/// of all giant steps, right in that part. The giant steps take the rows down as in [`column_shifts`].
pub(super) fn wrapping_shifts(
    x: &Slots,
    (width, period): (usize, usize),
    steps: usize,
) -> Vec<(usize, Part, Slots)> {
    let mut all = vec![];
    for (part, back) in [(Part::Within, 0), (Part::Wrapped, period)] {
        let far: Vec<Slots> = (0..period / steps)
            .map(|giant| {
                let far = (giant * steps) as i64;
                x.rotate(far - back as i64 - far * width as i64)
            })
            .collect();
        if let Some(far) = Slots::concat(&far.iter().collect::<Vec<_>>()) {
            all.extend((0..steps).map(|baby| (baby, part, far.rotate(baby as i64))));
        }
    }
    all
}

/// Key switches of [`wrapping_shifts`] for each ciphertext, in units of more than one row.
pub(super) fn wrapping_key_switches(period: usize, steps: usize) -> usize {
    let giants = period / steps;
    2 * giants - 1 + 2 * giants * (steps - 1)
}
