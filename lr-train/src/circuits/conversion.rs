//! Changes of kind of a vector of features, as sums of masked rotations that share one decomposition.
//!
//! | | levels |
//! |---|---|
//! | row kind to column kind | 1 |
//! | column kind to row kind | 2 (a second mask) |
//! | column kind to row kind, right in the left half of V's columns | 1 |

use arras_toolkit::Slots;

use super::recording::Recording;

/// A sum over j of the rotation by j m, masked where `keep(slot, slot + j m)` holds.
fn gather(r: &Recording<'_>, vector: &Slots, keep: impl Fn(usize, usize) -> bool) -> Slots {
    let g = r.geometry;
    let terms = (0..g.chunk / g.m)
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

/// From y\[s\] = x\[s div width\], where s mod width < m, to z\[s\] = x\[s mod chunk\]. The width is that of the tall unit.
pub(super) fn row_to_column(r: &Recording<'_>, vector: &Slots) -> Slots {
    let (g, width) = (r.geometry, r.geometry.tall_width());
    gather(r, vector, |s, t| {
        t / width == s % g.chunk && t % width < g.m
    })
    .rotate_and_sum(g.chunk as i64, width)
}

/// From z\[s\] = x\[s mod chunk\] to y\[s\] = x\[s div width\], without masks only where s mod width < m.
pub(super) fn column_to_row(r: &Recording<'_>, vector: &Slots) -> Slots {
    let (g, width) = (r.geometry, r.geometry.tall_width());
    if r.spec.kind.halves_columns() {
        gather(r, vector, |s, t| {
            t % g.chunk == s / width && s % width >= g.m
        })
        .rotate_and_sum(1, width)
    } else {
        let gathered = gather(r, vector, |s, t| t % g.chunk == s / width);
        r.sum_columns(&gathered, width)
    }
}
