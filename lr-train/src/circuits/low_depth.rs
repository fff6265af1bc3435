//! Low depth: loop unrolling, pipelining and duplicated computation (Crockett, ePrint 2020/1483, section 6).
//!
//! Without a penalty, with G_i = Z_i Z_{i-1}^T and the lookahead P_i = (1 - eta_{i-1}) v_{i-1} + eta_{i-1} w_{i-1}, the inner products of an iteration come
//! from those of the one before, without the weights in between:
//!
//! ```text
//!   t_i = Z_i v_i = Z_i P_i + (1 - eta_{i-1}) gamma G_i s(t_{i-1})
//!
//!   chain A:  t_0 row --+-- G_1^T, sum rows, 2 levels --> t_1 column --+-- G_2, sum columns, 3 levels --> t_2 row ..
//!   chain B:  t_0 col --+-- G_1, sum columns, 3 levels -> t_1 row -----+-- G_2^T, sum rows, 2 levels ---> t_2 col ..
//!
//!   gradients leave the chains to the side and return two iterations later through P
//! ```
//! - **Unrolling**: kinds alternate, so two iterations are one turn of the loop, with 5 levels.
//! - **Duplicated computation**: both kinds of every t_i are kept in two interleaved chains, because Z_i needs one kind and Z_i^T
//!   the other to make gradients of both kinds: wider and shallower.
//! - **Pipelining**: G_{i+1} and P_{i+1} are ready before t_i is; only the step from t_i to t_{i+1} is on the critical path.
//!
//! The two chains hold the same numbers up to errors; the difference grows with every iteration
//! (see [`super::Kind::longest_run`]).

use arras_toolkit::Slots;

use super::{
    Gain, Step,
    activation::Powers,
    recording::{Inputs, Recording, VectorKind, WeightParts, add},
};

/// Optimizer state in one kind of vector: P_i, v_{i-1}, g_{i-1}.
#[derive(Clone)]
struct Lookahead {
    kind: VectorKind,
    next: Option<Slots>,
    v: Option<Slots>,
    gradient: Option<Slots>,
}

impl Lookahead {
    fn empty(kind: VectorKind) -> Self {
        Self {
            kind,
            next: None,
            v: None,
            gradient: None,
        }
    }

    /// P_1 and v_0.
    fn start(&mut self, r: &Recording<'_>, v: Option<Slots>, w: Option<&Slots>, step: Step) {
        let terms = [(step.carried(), v.as_ref()), (Gain::all(step.eta), w)];
        self.next = r.weigh(self.kind, &terms);
        self.v = v;
    }

    /// P_{i+1} and v_i from P_i, v_{i-1} and g_{i-1}, each one level below the deepest of them.
    fn advance(&mut self, r: &Recording<'_>, previous: Step, step: Step) {
        let g = self.gradient.take();
        let share = 1.0 - previous.eta;
        let v = r.weigh(
            self.kind,
            &[
                (Gain::ONE, self.next.as_ref()),
                (Gain::all(share), g.as_ref()),
            ],
        );
        let fresh = step.carried().times(share).plus(Gain::all(step.eta));
        let next = r.weigh(
            self.kind,
            &[
                (step.carried(), self.next.as_ref()),
                (previous.kept().times(step.eta), self.v.as_ref()),
                (fresh, g.as_ref()),
            ],
        );
        (self.next, self.v) = (next, v);
    }

    /// w_i = keep v_{i-1} + g_{i-1}.
    fn weights(&self, r: &Recording<'_>, previous: Step) -> Option<Slots> {
        let terms = [
            (previous.kept(), self.v.as_ref()),
            (Gain::ONE, self.gradient.as_ref()),
        ];
        r.weigh(self.kind, &terms)
    }
}

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    let g = r.geometry;
    let steps = &r.spec.steps;
    let mut column = Lookahead::empty(VectorKind::Column);
    let mut row = Lookahead::empty(VectorKind::Row);
    // The powers of t_{i-1} in both kinds; zero at the start from zero.
    let (mut column_powers, mut row_powers) = (None::<Powers>, None::<Powers>);
    let mut weights = None;
    for (i, step) in steps.iter().enumerate() {
        let _turn = inputs.section(&format!("turn {}", i / 2 + 1));
        let _iteration = inputs.iteration(i);
        // t changes its kind from iteration to iteration along a chain.
        let (row_chain, column_chain) = if i % 2 == 0 {
            ("chain A", "chain B")
        } else {
            ("chain B", "chain A")
        };
        let (z, zt) = (inputs.rows(i), inputs.columns(i));
        let (row_t, column_t) = if i == 0 {
            let (v, vr) = (inputs.start_column("v"), inputs.start_row("v"));
            let row_t = v.as_ref().map(|v| {
                let _chain = inputs.section(row_chain);
                r.sum_columns(&r.sum_tiles(&z.multiply(v)), g.n)
            });
            let column_t = vr.as_ref().map(|v| {
                let _chain = inputs.section(column_chain);
                r.sum_tall_rows(&r.sum_tiles(&zt.multiply(v)))
            });
            let (w, wr) = (inputs.start_column("w"), inputs.start_row("w"));
            let _lookahead = inputs.section("lookahead");
            column.start(r, v, w.as_ref(), *step);
            row.start(r, vr, wr.as_ref(), *step);
            (row_t, column_t)
        } else {
            let (gram, gram_t) = (inputs.gram(i, i - 1, false), inputs.gram(i, i - 1, true));
            let ahead = |data: &Slots, p: &Lookahead| {
                let _lookahead = inputs.section("lookahead");
                p.next.as_ref().map(|p| r.sum_tiles(&data.multiply(p)))
            };
            let (row_ahead, column_ahead) = (ahead(&z, &column), ahead(&zt, &row));
            let row_t = {
                let _chain = inputs.section(row_chain);
                let from_gram = r.gram_product(&gram, column_powers.as_ref(), i - 1);
                let sum = add(from_gram.as_ref(), row_ahead.as_ref());
                let t = sum.map(|sum| r.sum_columns(&sum, g.n));
                add(t.as_ref(), inputs.offset(i, VectorKind::Row).as_ref())
            };
            let column_t = {
                let _chain = inputs.section(column_chain);
                let from_gram = r.gram_product(&gram_t, row_powers.as_ref(), i - 1);
                let sum = add(from_gram.as_ref(), column_ahead.as_ref());
                let t = sum.map(|sum| r.sum_tall_rows(&sum));
                add(t.as_ref(), inputs.offset(i, VectorKind::Column).as_ref())
            };
            weights = column.weights(r, steps[i - 1]);
            let _lookahead = inputs.section("lookahead");
            column.advance(r, steps[i - 1], *step);
            row.advance(r, steps[i - 1], *step);
            (row_t, column_t)
        };
        let powers = |chain: &str, t: Option<Slots>| {
            let _chain = inputs.section(chain);
            t.map(|t| r.powers(&t, i))
        };
        column_powers = powers(column_chain, column_t);
        row_powers = powers(row_chain, row_t);
        let _gradients = inputs.section("gradients");
        let of_rows = (&z, row_powers.as_ref());
        column.gradient = Some(r.gradient(inputs, of_rows, i, VectorKind::Column, |sum| {
            r.sum_wide_rows(sum)
        }));
        let of_columns = (&zt, column_powers.as_ref());
        row.gradient = Some(r.gradient(inputs, of_columns, i, VectorKind::Row, |sum| {
            r.sum_columns(sum, g.m)
        }));
    }
    // After the last turn `next` is one ahead: v_{k-1} and g_{k-1} give w_k.
    let previous = if steps.len() == 1 {
        inputs.start_column("w")
    } else {
        weights
    };
    let last = steps.last().and_then(|step| column.weights(r, *step));
    [last, None, previous, None]
}
