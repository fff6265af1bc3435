//! Single chain, mask-free: two levels for each iteration.
//!
//! The single chain with the trick of `mask_free`: features fill half of the wide unit's columns, rows of the minibatch half of
//! the tall unit's, and windows of sums of columns begin half a row before.
//!
//! ```text
//!   T = m x n,  n = 2 chunk:   [Z | 0] and [G | 0] from the client
//!   V = n/2 x 2m:              [Z^T | 0] from the client
//!
//!   t of row kind: right in columns 0 .. n/2 - 1            t of column kind: repeats every 2m slots, zeros in the right halves of V
//!   g of column kind: repeats every n/2 slots if it is to   g of row kind: right in columns 0 .. m - 1 of V
//!   be converted, otherwise every n with zeros between
//! ```
//! What is not right is always met by zeros.

use arras_toolkit::Slots;

use super::{
    activation::Powers,
    chain::{self, Algebra, Grams, VectorKind, products},
    conversion,
    recording::{Inputs, Recording, WeightParts},
};

struct Unmasked;

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    chain::record(r, inputs, &Unmasked)
}

impl Algebra for Unmasked {
    fn inner_products(
        &self,
        r: &Recording<'_>,
        kind: VectorKind,
        data: &Slots,
        grams: &Grams,
        ahead: Option<&Slots>,
    ) -> Option<Slots> {
        let sum = products(r, data, grams, ahead)?;
        Some(match kind {
            VectorKind::Row => r.sum_left_half(&sum, r.geometry.chunk),
            VectorKind::Column => r.sum_tall_rows(&sum),
        })
    }

    fn gradient(
        &self,
        r: &Recording<'_>,
        (kind, converted): (VectorKind, bool),
        data: &Slots,
        powers: Option<&Powers>,
        iteration: usize,
    ) -> Slots {
        let sum = r.weighted_data(data, powers, iteration);
        match kind {
            VectorKind::Column if converted => r.sum_wide_rows(&sum),
            VectorKind::Column => r.sum_wide_rows_apart(&sum),
            VectorKind::Row => r.sum_left_half(&sum, r.geometry.m),
        }
    }

    fn convert(&self, r: &Recording<'_>, to: VectorKind, vector: &Slots) -> Slots {
        match to {
            VectorKind::Column => conversion::half_row_to_column(r.geometry, vector),
            VectorKind::Row => conversion::column_to_half_row(r.geometry, vector),
        }
    }
}
