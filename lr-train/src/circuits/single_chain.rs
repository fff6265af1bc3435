//! Single chain: each t_i in one kind only, one Gram orientation and one orientation of the data for each iteration.
//!
//! From row kind to column kind a step costs 2 levels (a product, the polynomial's free slot, sum of rows), from column to row
//! kind 3 (a mask): 2.5 on average. There is one chain, so nothing can drift apart: it is stable.

use arras_toolkit::Slots;

use super::{
    activation::Powers,
    chain::{self, Algebra, Grams, VectorKind, products},
    conversion,
    recording::{Inputs, Recording, WeightParts, sum_columns},
};

struct Masked;

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    chain::record(r, inputs, &Masked)
}

impl Algebra for Masked {
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
            VectorKind::Row => sum_columns(&sum, r.geometry.n),
            VectorKind::Column => r.sum_tall_rows(&sum),
        })
    }

    fn gradient(
        &self,
        r: &Recording<'_>,
        (kind, _): (VectorKind, bool),
        data: &Slots,
        powers: Option<&Powers>,
        iteration: usize,
    ) -> Slots {
        let sum = r.weighted_data(data, powers, iteration);
        match kind {
            VectorKind::Column => r.sum_wide_rows(&sum),
            VectorKind::Row => sum_columns(&sum, r.geometry.m),
        }
    }

    fn convert(&self, r: &Recording<'_>, to: VectorKind, vector: &Slots) -> Slots {
        match to {
            VectorKind::Column => conversion::row_to_column(r.geometry, vector),
            VectorKind::Row => conversion::column_to_row(r.geometry, vector),
        }
    }
}
