//! One iteration after the other: the baseline and the mask-free circuit.
//!
//! ```text
//!   t' = (Z/B) v     matrix x column vector: a product, sums of columns      2 levels, mask-free 1
//!   g  = Z^T s(t')   polynomial with Z in its free slot, sum of rows         2 levels
//!   v+ = (1 - eta) (v + g) + eta w                                           1 level, mask-free 0
//! ```
//! The baseline (Han, Song, Cheon, Park, ePrint 2018/662) has every optimization that the other circuits have: Z in the polynomial's
//! free slot, t normalized, deferred relinearization, inputs at the levels they need, and no work on values known to be zero.
//!
//! Without masks the client sends \[Z | 0\] in units m x 2F', and v repeats every F' columns. The sum over 2F' columns from F' before is
//! right in columns 0 .. F' - 1 and something else in the others, which \[Z | 0\] in the polynomial's free slot kills: the mask's level
//! vanishes. The momentum's level vanishes too: (1 - eta) g is computed with (1 - eta) folded into the public constants, and g is
//! recovered by a public number off the critical path.

use arras_toolkit::Slots;

use super::{
    Gain,
    recording::{Inputs, Recording, VectorKind, WeightParts},
};

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    let (mut v, mut w) = (inputs.start_column("v"), inputs.start_column("w"));
    let steps = &r.spec.steps;
    let weigh = |terms: &[(Gain, Option<&Slots>)]| r.weigh(VectorKind::Column, terms);
    for (i, step) in steps.iter().enumerate() {
        let _iteration = inputs.iteration(i);
        let z = inputs.rows(i);
        let t = v.as_ref().map(|v| {
            let product = z.multiply(&r.repeat_down(v));
            r.sum_columns(&r.sum_across(&product), r.geometry.n)
        });
        let powers = t.map(|t| r.powers(&t, i));
        let g = r.gradient(
            inputs,
            (&z, powers.as_ref()),
            i,
            VectorKind::Column,
            |sum| r.sum_wide_rows(sum),
        );
        if i + 1 == steps.len() {
            let last = weigh(&[(step.kept(), v.as_ref()), (Gain::ONE, Some(&g))]);
            return [last, None, w, None];
        }
        let momentum = Gain::all(step.eta);
        (v, w) = match r.spec.kept_share(i) {
            Some(keep) => {
                let moved = weigh(&[
                    (step.carried(), v.as_ref()),
                    (Gain::ONE, Some(&g)),
                    (momentum, w.as_ref()),
                ]);
                let recovered = Gain::all(1.0 / keep);
                let next = weigh(&[(step.kept(), v.as_ref()), (recovered, Some(&g))]);
                (moved, next)
            }
            None => {
                let next = weigh(&[(step.kept(), v.as_ref()), (Gain::ONE, Some(&g))]);
                let share = Gain::all(1.0 - step.eta);
                let moved = weigh(&[(share, next.as_ref()), (momentum, w.as_ref())]);
                (moved, next)
            }
        };
    }
    [w, None, None, None]
}
