//! The baseline: iterations one after the other (Han, Song, Cheon, Park, ePrint 2018/662).
//!
//! ```text
//!   t' = (Z/B) v     matrix x column vector: a product, sums of columns with a mask        2 levels
//!   g  = Z^T s(t')   polynomial with Z in its free slot, sum of rows                       2 levels
//!   v+ = (1 - eta) (v + g) + eta w                                                         1 level
//! ```
//! It has every optimization that the other circuits have: Z in the polynomial's free slot, t normalized, deferred
//! relinearization, inputs at the levels they need, and no work on values known to be zero.

use arras_toolkit::Slots;

use super::{
    momentum::{add, combine},
    recording::{Inputs, Recording, WeightParts, sum_columns},
};

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    let g = r.geometry;
    let (mut v, mut w) = (inputs.start_column("v"), inputs.start_column("w"));
    let steps = &r.spec.steps;
    for (i, step) in steps.iter().enumerate() {
        let _iteration = inputs.iteration(i);
        let z = inputs.rows(i);
        let t = v.as_ref().map(|v| {
            let product = z.multiply(&r.repeat_down(v));
            sum_columns(&r.sum_across(&product), g.n)
        });
        let gradient = r.column_gradient(&z, t.as_ref(), i);
        let next = add(v.as_ref(), Some(&gradient));
        if i + 1 == steps.len() {
            return WeightParts::columns(next, w);
        }
        v = combine(&[(1.0 - step.eta, next.as_ref()), (step.eta, w.as_ref())]);
        w = next;
    }
    WeightParts::columns(w, None::<Slots>)
}
