//! What the single chains share: one value t_i for each iteration, of row kind and of column kind in turns, and gradients that
//! are needed in the other kind three or more iterations later.
//!
//! ```text
//!   i        0       1       2       3       4 = k-1    the last is of row kind: its gradient is a sum of rows, without a mask
//!   t_i      row --> col --> row --> col --> row        from Z_i P_i and G_i s(t_{i-1})
//!   g_i      col     row     col     row                by sums of rows, of columns
//!   P_i              row     col     row     col        g_{i-2} in its own kind, older ones converted
//! ```
//! Conversions are off the critical path: the older gradients that P_i needs in the other kind have two levels of slack.

use std::collections::BTreeMap;

use arras_toolkit::Slots;

use super::{
    activation::Powers,
    momentum::{add, combine},
    training::{Inputs, Recording, WeightParts},
};

/// How a vector of features stands in slots (see [`super::geometry`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VectorKind {
    Column,
    Row,
}

impl VectorKind {
    fn other(self) -> Self {
        match self {
            Self::Column => Self::Row,
            Self::Row => Self::Column,
        }
    }
}

/// What differs between the single chains.
pub(super) trait Algebra {
    /// t_i of row kind (from rows, a Gram matrix's product and P of column kind) or of column kind.
    fn inner_products(
        &self,
        r: &Recording<'_>,
        kind: VectorKind,
        data: &Slots,
        gram: Option<&Slots>,
        ahead: Option<&Slots>,
    ) -> Option<Slots>;

    /// A gradient of `kind` from data and the powers of t of the other kind.
    fn gradient(
        &self,
        r: &Recording<'_>,
        kind: VectorKind,
        data: &Slots,
        powers: Option<&Powers>,
        gamma: f64,
    ) -> Slots;

    /// A vector of features of `to`'s other kind in kind `to`.
    fn convert(&self, r: &Recording<'_>, to: VectorKind, vector: &Slots) -> Slots;
}

/// What weights are sums of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    StartV,
    StartW,
    Gradient(usize),
}

type Combination = BTreeMap<Source, f64>;

/// `a x + b y`.
fn combined(a: f64, x: &Combination, b: f64, y: &Combination) -> Combination {
    let mut sum = Combination::new();
    for (factor, terms) in [(a, x), (b, y)] {
        for (&source, &c) in terms {
            *sum.entry(source).or_insert(0.0) += factor * c;
        }
    }
    sum
}

/// Vectors by source, in the kind they were made and, once needed, in the other.
struct Vectors<'a, A> {
    algebra: &'a A,
    known: BTreeMap<(Source, VectorKind), Slots>,
}

impl<A: Algebra> Vectors<'_, A> {
    fn get(&mut self, r: &Recording<'_>, source: Source, kind: VectorKind) -> Option<Slots> {
        if let Some(vector) = self.known.get(&(source, kind)) {
            return Some(vector.clone());
        }
        let other = self.known.get(&(source, kind.other()))?.clone();
        let converted = self.algebra.convert(r, kind, &other);
        self.known.insert((source, kind), converted.clone());
        Some(converted)
    }

    fn sum(&mut self, r: &Recording<'_>, terms: &Combination, kind: VectorKind) -> Option<Slots> {
        let vectors: Vec<(f64, Option<Slots>)> = terms
            .iter()
            .filter(|(_, factor)| **factor != 0.0)
            .map(|(&source, &factor)| (factor, self.get(r, source, kind)))
            .collect();
        let terms: Vec<(f64, Option<&Slots>)> =
            vectors.iter().map(|(f, v)| (*f, v.as_ref())).collect();
        combine(&terms)
    }

    /// The part of a sum whose vectors were made in `kind`, without conversions: the client adds the two parts in the clear.
    fn part(&self, terms: &Combination, kind: VectorKind, iterations: usize) -> Option<Slots> {
        let own = |source: Source| match source {
            Source::Gradient(i) => gradient_kind(i, iterations),
            _ => VectorKind::Column,
        };
        let terms: Vec<(f64, Option<&Slots>)> = terms
            .iter()
            .filter(|(source, _)| own(**source) == kind)
            .map(|(&source, &factor)| (factor, self.known.get(&(source, kind))))
            .collect();
        combine(&terms)
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

pub(super) fn record(
    r: &Recording<'_>,
    inputs: &mut Inputs<'_>,
    algebra: &impl Algebra,
) -> WeightParts {
    let mut vectors = Vectors {
        algebra,
        known: BTreeMap::new(),
    };
    let (mut v, mut w) = (Combination::new(), Combination::new());
    for (source, name, weights) in [(Source::StartV, "v", &mut v), (Source::StartW, "w", &mut w)] {
        if let (Some(column), Some(row)) = (inputs.start_column(name), inputs.start_row(name)) {
            vectors.known.insert((source, VectorKind::Column), column);
            vectors.known.insert((source, VectorKind::Row), row);
            weights.insert(source, 1.0);
        }
    }
    // What of v_i is known before t_{i-1} is: P_i.
    let mut ahead = v.clone();
    let mut powers: Option<Powers> = None;
    let mut before = w.clone();
    let iterations = r.spec.iterations();
    for (i, step) in r.spec.steps.iter().enumerate() {
        let _iteration = inputs.iteration(i);
        let made = gradient_kind(i, iterations);
        let data = match made {
            VectorKind::Column => inputs.rows(i),
            VectorKind::Row => inputs.columns(i),
        };
        let gram = (i > 0).then(|| {
            let gram = inputs.gram(i, made == VectorKind::Row);
            r.gram_product(&gram, powers.as_ref())
        });
        // Z meets P of column kind and gives t of row kind, Z^T the other way round.
        let p = vectors.sum(r, &ahead, made);
        let t = algebra.inner_products(r, made.other(), &data, gram.as_ref(), p.as_ref());
        powers = t.as_ref().map(|t| r.activation.powers(t));
        let gradient = algebra.gradient(r, made, &data, powers.as_ref(), step.gamma);
        vectors.known.insert((Source::Gradient(i), made), gradient);

        let g = Combination::from([(Source::Gradient(i), 1.0)]);
        let next = combined(1.0, &v, 1.0, &g);
        ahead = combined(1.0 - step.eta, &v, step.eta, &w);
        v = combined(1.0, &ahead, 1.0 - step.eta, &g);
        before = std::mem::replace(&mut w, next);
    }
    WeightParts {
        column: vectors.part(&w, VectorKind::Column, iterations),
        row: vectors.part(&w, VectorKind::Row, iterations),
        previous_column: vectors.part(&before, VectorKind::Column, iterations),
        previous_row: vectors.part(&before, VectorKind::Row, iterations),
    }
}

/// `gram + data P`, each zero if `None`, summed over tiles.
pub(super) fn products(
    r: &Recording<'_>,
    data: &Slots,
    gram: Option<&Slots>,
    ahead: Option<&Slots>,
) -> Option<Slots> {
    let ahead = ahead.map(|p| r.sum_tiles(&data.multiply(p)));
    add(gram, ahead.as_ref())
}
