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
    training::{Inputs, Recording, WeightParts},
};

/// Below this, dividing by 1 - eta costs more precision than a level is worth: in the first iteration of all it is 0.01, 6.6 bits.
const SMALLEST_DIVISOR: f64 = 0.25;

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
        let gradient = |gamma: f64| r.column_gradient(&z, t.as_ref(), gamma);
        let keep = 1.0 - step.eta;
        let last = i + 1 == steps.len();
        if last || keep.abs() < SMALLEST_DIVISOR || t.is_none() {
            let g = gradient(step.gamma);
            let next = add(v.as_ref(), Some(&g));
            if last {
                return WeightParts::columns(next, w);
            }
            v = combine(&[(keep, next.as_ref()), (step.eta, w.as_ref())]);
            w = next;
        } else {
            let kept = gradient(step.gamma * keep);
            let moved = combine(&[
                (keep, v.as_ref()),
                (1.0, Some(&kept)),
                (step.eta, w.as_ref()),
            ]);
            w = combine(&[(1.0, v.as_ref()), (1.0 / keep, Some(&kept))]);
            v = moved;
        }
    }
    WeightParts::columns(w, None::<Slots>)
}
