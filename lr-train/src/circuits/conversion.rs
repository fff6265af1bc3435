//! Changes of kind of a vector of features, as sums of masked rotations that share one decomposition.
//!
//! | | levels |
//! |---|---|
//! | row kind to column kind | 1 |
//! | column kind to row kind | 2 (a second mask) |
//! | row kind, right in the left half of V's columns, to column kind | 1 |
//! | column kind to row kind, right in the left half of V's columns | 1 |

use arras_toolkit::Slots;

use super::{Geometry, recording::sum_columns_into_first};

/// A sum over j of the rotation by j m, masked where `keep(slot, slot + j m)` holds.
fn gather(
    g: &Geometry,
    vector: &Slots,
    rotations: usize,
    keep: impl Fn(usize, usize) -> bool,
) -> Slots {
    let terms = (0..rotations)
        .map(|j| {
            let mask = (0..g.slots)
                .map(|s| {
                    let t = (s + j * g.m) % g.slots;
                    f64::from(u8::from(keep(s, t)))
                })
                .collect();
            ((j * g.m) as i64, vec![mask])
        })
        .collect();
    vector.weighted_rotation_sum(terms)
}

/// From y\[s\] = x\[s div m\] to z\[s\] = x\[s mod n\].
pub(super) fn row_to_column(g: &Geometry, vector: &Slots) -> Slots {
    gather(g, vector, g.n / g.m, |s, t| t / g.m == s % g.n).rotate_and_sum(g.n as i64, g.m)
}

/// From z\[s\] = x\[s mod n\] to y\[s\] = x\[s div m\].
pub(super) fn column_to_row(g: &Geometry, vector: &Slots) -> Slots {
    let gathered = gather(g, vector, g.n / g.m, |s, t| t % g.n == s / g.m);
    sum_columns_into_first(&gathered, g.m).rotate_and_sum(-1, g.m)
}

/// From y\[s\] = x\[s div 2m\] where s mod 2m < m to z\[s\] = x\[s mod n/2\].
pub(super) fn half_row_to_column(g: &Geometry, vector: &Slots) -> Slots {
    let (half, width) = (g.chunk, 2 * g.m);
    gather(g, vector, half / g.m, |s, t| {
        t / width == s % half && t % width < g.m
    })
    .rotate_and_sum(half as i64, g.slots / half)
}

/// From z\[s\] = x\[s mod n/2\] to y\[s\] = x\[s div 2m\] where s mod 2m < m.
pub(super) fn column_to_half_row(g: &Geometry, vector: &Slots) -> Slots {
    let (half, width) = (g.chunk, 2 * g.m);
    gather(g, vector, half / g.m, |s, t| {
        t % half == s / width && s % width >= g.m
    })
    .rotate_and_sum(1, width)
}
