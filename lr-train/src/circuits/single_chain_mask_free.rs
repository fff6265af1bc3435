//! Single chain, mask-free: two levels for each iteration.
//!
//! The single chain with the trick of `mask_free`: features fill half of the wide unit's columns, rows of the minibatch half of
//! the tall unit's, and data stands twice side by side where sums of columns are taken.
//!
//! ```text
//!   T = m x n,  n = 2 chunk:   [Z | 0] from the client, [Z | Z] made by a rotation
//!   V = n/2 x 2m:              [Z^T | 0] from the client, [Z^T | Z^T] made by a rotation
//!
//!   t of row kind: right in columns 0 .. n/2 - 1            t of column kind: repeats every m slots
//!   g of column kind: repeats every n/2 slots               g of row kind: right in columns 0 .. m - 1 of V
//! ```
//! What is not right is always met by zeros.

use arras_toolkit::Slots;

use super::{
    activation::Powers,
    chain::{self, Algebra, VectorKind},
    conversion,
    momentum::add,
    training::{Inputs, Recording, WeightParts},
};

struct Unmasked;

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    chain::record(r, inputs, &Unmasked)
}

/// `[x | x]` from `[x | 0]`, the halves `half` columns wide.
fn twice(x: &Slots, half: usize) -> Slots {
    x.add(&x.rotate(-(half as i64)))
}

impl Algebra for Unmasked {
    fn inner_products(
        &self,
        r: &Recording<'_>,
        kind: VectorKind,
        data: &Slots,
        gram: Option<&Slots>,
        ahead: Option<&Slots>,
    ) -> Option<Slots> {
        let g = r.geometry;
        match kind {
            VectorKind::Row => {
                let from_gram = gram.map(|q| q.rotate_and_sum(1, g.m));
                let from_ahead = ahead.map(|p| {
                    r.sum_tiles(&twice(data, g.chunk).multiply(p))
                        .rotate_and_sum(1, g.chunk)
                });
                add(from_gram.as_ref(), from_ahead.as_ref())
            }
            VectorKind::Column => {
                let from_gram = gram.map(|q| r.sum_tall_rows(q));
                let from_ahead = ahead.map(|p| {
                    let sum = r.sum_tiles(&data.multiply(p));
                    twice(&sum.rotate_and_sum(2 * g.m as i64, g.chunk), g.m)
                });
                add(from_gram.as_ref(), from_ahead.as_ref())
            }
        }
    }

    fn gradient(
        &self,
        r: &Recording<'_>,
        kind: VectorKind,
        data: &Slots,
        powers: Option<&Powers>,
        gamma: f64,
    ) -> Slots {
        let g = r.geometry;
        match kind {
            VectorKind::Column => {
                let sum = r.weighted_data(data, powers, gamma);
                twice(&r.sum_wide_rows(&sum), g.chunk)
            }
            VectorKind::Row => r
                .weighted_data(&twice(data, g.m), powers, gamma)
                .rotate_and_sum(1, g.m),
        }
    }

    fn convert(&self, r: &Recording<'_>, to: VectorKind, vector: &Slots) -> Slots {
        match to {
            VectorKind::Column => conversion::half_row_to_column(r.geometry, vector),
            VectorKind::Row => conversion::column_to_half_row(r.geometry, vector),
        }
    }
}
