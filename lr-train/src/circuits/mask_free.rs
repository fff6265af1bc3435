//! Mask-free: no Gram matrix, three levels for each iteration.
//!
//! ```text
//!   unit m x 2F': the client sends [Z | 0]; v repeats every F' columns
//!
//!   t'  = sum over 2F' columns, from F' before, of [Z/B | 0] v : right in columns 0 .. F' - 1, something else in the others   1 level
//!   g   = polynomial with [Z | 0] in its free slot, which kills the others; sum of rows and of both halves               2 levels
//! ```
//! so the mask's level vanishes. The momentum's level vanishes too: (1 - eta) g is computed with (1 - eta) folded into the
//! public constants, and g is recovered by a public number off the critical path.

use arras_toolkit::Slots;

use super::{
    momentum::{add, combine},
    recording::{Inputs, Recording, WeightParts},
};

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    let half = r.geometry.chunk;
    let (mut v, mut w) = (inputs.start_column("v"), inputs.start_column("w"));
    let steps = &r.spec.steps;
    for (i, step) in steps.iter().enumerate() {
        let _iteration = inputs.iteration(i);
        let z = inputs.rows(i);
        let t = v.as_ref().map(|v| {
            let product = z.multiply(&r.repeat_down(v));
            r.sum_left_half(&r.sum_across(&product), half)
        });
        let g = r.column_gradient(&z, t.as_ref(), i);
        if i + 1 == steps.len() {
            return WeightParts::columns(add(v.as_ref(), Some(&g)), w);
        }
        let share = 1.0 - step.eta;
        (v, w) = match r.spec.kept_share(i) {
            Some(keep) => {
                let moved =
                    combine(&[(share, v.as_ref()), (1.0, Some(&g)), (step.eta, w.as_ref())]);
                let next = combine(&[(1.0, v.as_ref()), (1.0 / keep, Some(&g))]);
                (moved, next)
            }
            None => {
                let next = add(v.as_ref(), Some(&g));
                let moved = combine(&[(share, next.as_ref()), (step.eta, w.as_ref())]);
                (moved, next)
            }
        };
    }
    WeightParts::columns(w, None::<Slots>)
}
