//! The single chains: each t_i in one kind only, in turns, one Gram orientation and one orientation of the data for each iteration;
//! gradients are needed in the other kind three or more iterations later.
//!
//! ```text
//!   i        0       1       2       3       4 = k-1    the last is of row kind: its gradient is a sum of rows, without a mask
//!   t_i      row --> col --> row --> col --> row        from Z_i P_i and G_i s(t_{i-1})
//!   g_i      col     row     col     row                by sums of rows, of columns
//!   P_i              row     col     row     col        g_{i-2} in its own kind, older ones converted
//! ```
//! From row kind to column kind a step costs 2 levels (a product, the polynomial's free slot, sum of rows), from column to row
//! kind 3 (a mask): 2.5 on average. There is one chain, so nothing can drift apart: it is stable.
//!
//! Older gradients that t_i needs in the other kind have two levels of slack. Some are converted, off the critical path, and go
//! into P_i. Those that are needed few times go round the weights instead, as g_{i-1} does: Z_i g_j = gamma Z_i Z_j^T s(t_j) with one more
//! Gram matrix from the client, a product and no rotation.
//!
//! # Without masks
//!
//! Two levels for each iteration, with the trick of `sequential`: features fill half of the wide unit's columns, rows of the minibatch
//! half of the tall unit's, and windows of sums of columns begin half a row before.
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

use std::collections::BTreeMap;

use arras_toolkit::Slots;

use super::{
    Gain,
    activation::Powers,
    conversion,
    recording::{Inputs, Recording, VectorKind, WeightParts, add},
};

/// What weights are sums of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    StartV,
    StartW,
    Gradient(usize),
}

type Combination = BTreeMap<Source, Gain>;

/// `a x + b y`.
fn combined(a: Gain, x: &Combination, b: Gain, y: &Combination) -> Combination {
    let mut sum = Combination::new();
    for (factor, terms) in [(a, x), (b, y)] {
        for (&source, &c) in terms {
            let entry = sum.entry(source).or_insert(Gain::ZERO);
            *entry = entry.plus(factor.after(c));
        }
    }
    sum
}

/// Vectors by source, in the kind they were made and, once needed, in the other.
#[derive(Default)]
struct Vectors {
    known: BTreeMap<(Source, VectorKind), Slots>,
}

impl Vectors {
    fn get(&mut self, r: &Recording<'_>, source: Source, kind: VectorKind) -> Option<Slots> {
        if let Some(vector) = self.known.get(&(source, kind)) {
            return Some(vector.clone());
        }
        let other = self.known.get(&(source, kind.other()))?.clone();
        let converted = match kind {
            VectorKind::Column => conversion::row_to_column(r, &other),
            VectorKind::Row => conversion::column_to_row(r, &other),
        };
        self.known.insert((source, kind), converted.clone());
        Some(converted)
    }

    fn sum(&mut self, r: &Recording<'_>, terms: &Combination, kind: VectorKind) -> Option<Slots> {
        let vectors: Vec<(Gain, Option<Slots>)> = terms
            .iter()
            .filter(|(_, factor)| **factor != Gain::ZERO)
            .map(|(&source, &factor)| (factor, self.get(r, source, kind)))
            .collect();
        let terms: Vec<(Gain, Option<&Slots>)> =
            vectors.iter().map(|(f, v)| (*f, v.as_ref())).collect();
        r.weigh(kind, &terms)
    }

    /// The part of a sum whose vectors were made in `kind`, without conversions: the client adds the two parts in the clear.
    fn part(&self, r: &Recording<'_>, terms: &Combination, kind: VectorKind) -> Option<Slots> {
        let iterations = r.spec.iterations();
        let own = |source: Source| match source {
            Source::Gradient(i) => gradient_kind(i, iterations),
            _ => VectorKind::Column,
        };
        let terms: Vec<(Gain, Option<&Slots>)> = terms
            .iter()
            .filter(|(source, _)| own(**source) == kind)
            .map(|(&source, &factor)| (factor, self.known.get(&(source, kind))))
            .collect();
        r.weigh(kind, &terms)
    }
}

/// Iterations take turns; the last has t of row kind and makes a gradient of column kind.
fn gradient_kind(iteration: usize, iterations: usize) -> VectorKind {
    if (iterations - 1 - iteration).is_multiple_of(2) {
        VectorKind::Column
    } else {
        VectorKind::Row
    }
}

/// A gradient that is needed in the other kind more often is converted: a conversion serves all later iterations and costs about three
/// products with Gram matrices, each of which is one more input.
const MOST_GRAMS: usize = 2;

/// In how many iterations t needs the gradient of iteration j in the other kind, the next one apart.
fn needed_in_other_kind(j: usize, iterations: usize) -> usize {
    (j + 3..iterations).step_by(2).count()
}

/// Whether the gradient of iteration j is converted once it is needed.
pub(super) fn converted(j: usize, iterations: usize) -> bool {
    needed_in_other_kind(j, iterations) > MOST_GRAMS
}

pub(super) fn record(r: &Recording<'_>, inputs: &mut Inputs<'_>) -> WeightParts {
    let mut vectors = Vectors::default();
    let (mut v, mut w) = (Combination::new(), Combination::new());
    for (source, name, weights) in [(Source::StartV, "v", &mut v), (Source::StartW, "w", &mut w)] {
        if let (Some(column), Some(row)) = (inputs.start_column(name), inputs.start_row(name)) {
            vectors.known.insert((source, VectorKind::Column), column);
            vectors.known.insert((source, VectorKind::Row), row);
            weights.insert(source, Gain::ONE);
        }
    }
    // What of v_i is known before t_{i-1} is: P_i.
    let mut ahead = v.clone();
    let mut powers: Vec<Option<Powers>> = vec![];
    let mut before = w.clone();
    let iterations = r.spec.iterations();
    for (i, step) in r.spec.steps.iter().enumerate() {
        let _iteration = inputs.iteration(i);
        let made = gradient_kind(i, iterations);
        let data = match made {
            VectorKind::Column => inputs.rows(i),
            VectorKind::Row => inputs.columns(i),
        };
        // The last gradient, and older ones of the other kind.
        let mut grams = Grams::default();
        for j in r.spec.met_through_grams(i) {
            ahead.remove(&Source::Gradient(j));
            let gram = inputs.gram(i, j, made == VectorKind::Row);
            let product = r.gram_product(&gram, powers[j].as_ref(), j);
            match &powers[j] {
                Some(_) => grams.products.extend(product),
                None => grams.constant = product,
            }
        }
        // Z meets P of column kind and gives t of row kind, Z^T the other way round.
        let p = vectors.sum(r, &ahead, made);
        let t = products(r, &data, &grams, p.as_ref()).map(|sum| match made {
            VectorKind::Column => r.sum_columns(&sum, r.geometry.n),
            VectorKind::Row => r.sum_tall_rows(&sum),
        });
        let t = add(t.as_ref(), inputs.offset(i, made.other()).as_ref());
        let now = t.as_ref().map(|t| r.powers(t, i));
        let gradient = r.gradient(inputs, (&data, now.as_ref()), i, made, |sum| match made {
            VectorKind::Column if converted(i, iterations) => r.sum_wide_rows(sum),
            VectorKind::Column => r.sum_wide_rows_apart(sum),
            VectorKind::Row => r.sum_columns(sum, r.geometry.tall_width()),
        });
        vectors.known.insert((Source::Gradient(i), made), gradient);
        powers.push(now);

        let g = Combination::from([(Source::Gradient(i), Gain::ONE)]);
        let next = combined(step.kept(), &v, Gain::ONE, &g);
        ahead = combined(step.carried(), &v, Gain::all(step.eta), &w);
        v = combined(Gain::ONE, &ahead, Gain::all(1.0 - step.eta), &g);
        before = std::mem::replace(&mut w, next);
    }
    [
        vectors.part(r, &w, VectorKind::Column),
        vectors.part(r, &w, VectorKind::Row),
        vectors.part(r, &before, VectorKind::Column),
        vectors.part(r, &before, VectorKind::Row),
    ]
}

/// What Gram matrices add to inner products.
#[derive(Default)]
struct Grams {
    /// Products with powers of t.
    products: Vec<Slots>,
    /// Where t is zero: a matrix as the client sent it.
    constant: Option<Slots>,
}

/// The sum of products with Gram matrices and `data P`, which is zero if `None`, over tiles.
fn products(
    r: &Recording<'_>,
    data: &Slots,
    grams: &Grams,
    ahead: Option<&Slots>,
) -> Option<Slots> {
    let mut products = grams.products.clone();
    products.extend(ahead.map(|p| r.sum_tiles(&data.multiply(p))));
    // The products share one relinearization, so they are summed before anything that is not a product is added.
    add(Slots::sum(&products).as_ref(), grams.constant.as_ref())
}
