//! What the circuits are recorded with: the sums that they share, and their inputs.

use std::collections::BTreeMap;

use arras_toolkit::{Recorder, Slots, circuit::Section};

use super::{
    Constants, Gain, Geometry, LARGEST_VALUE, Spec, Start,
    activation::{Activation, Powers},
    pack::Packed,
};

/// What recording a circuit needs to know, and the sums that circuits share.
pub(super) struct Recording<'a> {
    pub(super) spec: &'a Spec,
    pub(super) geometry: &'a Geometry,
    pub(super) activation: Activation,
}

/// `a + b`, each zero if `None`.
pub(super) fn add(a: Option<&Slots>, b: Option<&Slots>) -> Option<Slots> {
    let terms: Vec<Slots> = [a, b].into_iter().flatten().cloned().collect();
    Slots::sum(&terms)
}

/// How a vector of features stands in slots (see [`super::geometry`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VectorKind {
    Column,
    Row,
}

impl VectorKind {
    fn name(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::Row => "row",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Column => Self::Row,
            Self::Row => Self::Column,
        }
    }
}

/// The sum of parts of some tiles: `part(i)` has those of the i-th.
fn sum_of(tiles: &Slots, parts: usize, part: impl Fn(usize) -> Vec<usize>) -> Slots {
    let parts: Vec<Slots> = (0..parts).map(|i| tiles.pick(&part(i))).collect();
    Slots::sum(&parts).unwrap_or_else(|| tiles.clone())
}

impl Recording<'_> {
    /// The sum of vectors of features of one kind times public factors, of which the intercept may have its own: no more levels than with
    /// one number for all.
    pub(super) fn weigh(
        &self,
        kind: VectorKind,
        terms: &[(Gain, Option<&Slots>)],
    ) -> Option<Slots> {
        let terms: Vec<Slots> = terms
            .iter()
            .filter(|(gain, _)| *gain != Gain::ZERO)
            .filter_map(|&(gain, value)| Some(self.scale(kind, value?, gain)))
            .collect();
        Slots::sum(&terms)
    }

    fn scale(&self, kind: VectorKind, vector: &Slots, gain: Gain) -> Slots {
        if let Some(factor) = gain.common() {
            return vector.multiply_scalar(factor);
        }
        // The intercept is feature 0 of the first tile.
        let g = self.geometry;
        let first = match kind {
            VectorKind::Column => (0..g.chunk).map(|f| gain.of(f)).collect(),
            VectorKind::Row => (0..g.slots).map(|s| gain.of(s / g.tall_width())).collect(),
        };
        let rest = (1..vector.units()).map(|_| vec![gain.rest]);
        vector.multiply_plain(std::iter::once(first).chain(rest).collect())
    }

    /// One vector for each tile, for every row of tiles.
    pub(super) fn repeat_down(&self, tiles: &Slots) -> Slots {
        let units: Vec<usize> = (0..self.geometry.down)
            .flat_map(|_| 0..self.geometry.across)
            .collect();
        tiles.pick(&units)
    }

    /// Sums tiles side by side.
    pub(super) fn sum_across(&self, tiles: &Slots) -> Slots {
        let (down, across) = (self.geometry.down, self.geometry.across);
        sum_of(tiles, across, |j| {
            (0..down).map(|i| i * across + j).collect()
        })
    }

    /// Sums all tiles.
    pub(super) fn sum_tiles(&self, tiles: &Slots) -> Slots {
        sum_of(tiles, tiles.units(), |i| vec![i])
    }

    /// Sums tiles below each other, then the rows of the wide unit, and where data fills only the left halves of rows both halves: a
    /// vector of column kind.
    pub(super) fn sum_wide_rows(&self, tiles: &Slots) -> Slots {
        self.sum_down(tiles)
            .rotate_and_sum(self.geometry.chunk as i64, self.geometry.tall_width())
    }

    /// The same, but where data fills only the left halves of rows the right halves stay zero.
    pub(super) fn sum_wide_rows_apart(&self, tiles: &Slots) -> Slots {
        self.sum_down(tiles)
            .rotate_and_sum(self.geometry.n as i64, self.geometry.m)
    }

    /// Sums tiles below each other.
    fn sum_down(&self, tiles: &Slots) -> Slots {
        let (down, across) = (self.geometry.down, self.geometry.across);
        sum_of(tiles, down, |i| (i * across..(i + 1) * across).collect())
    }

    /// Sums every row of `width` columns into each of its columns, with a mask and a level. A circuit without masks has zeros in the
    /// right half of every row before, and something else after:
    ///
    /// ```text
    ///   [x | 0]: the window of the width from half of it before column c < half has all of x, and zeros beside it
    /// ```
    pub(super) fn sum_columns(&self, slots: &Slots, width: usize) -> Slots {
        if self.spec.kind.halves_columns() {
            let half = (width / 2) as i64;
            let within = (0..half.ilog2()).map(|bit| 1 << bit);
            let strides: Vec<i64> = within.chain([-half]).collect();
            return slots.rotate_and_sum_by(&strides);
        }
        let mut mask = vec![0.0; width];
        mask[0] = 1.0;
        slots
            .rotate_and_sum(1, width)
            .multiply_plain(vec![mask])
            .rotate_and_sum(-1, width)
    }

    /// Sums the rows of the tall unit: a value for each row of the minibatch, of column kind.
    pub(super) fn sum_tall_rows(&self, slots: &Slots) -> Slots {
        slots.rotate_and_sum(self.geometry.tall_width() as i64, self.geometry.chunk)
    }

    /// The powers of t of an iteration, which are k times as large. The polynomial is the sigmoid's on its interval only, so t is assumed to
    /// be there.
    pub(super) fn powers(&self, t: &Slots, iteration: usize) -> Powers {
        let k = self.spec.scale(iteration);
        let interval = self.activation.bound;
        t.recorder()
            .assume(t, k * self.spec.assumed_scores() / interval);
        self.activation.powers(t, k)
    }

    /// The gradient of an iteration as a vector of `kind`, by a sum of the iteration's data times s of t, of which the powers of the kind
    /// that data meets are given; `None` is t = 0. Constants that are not in the rows are a vector of the client's.
    pub(super) fn gradient(
        &self,
        inputs: &mut Inputs<'_>,
        (data, t): (&Slots, Option<&Powers>),
        iteration: usize,
        kind: VectorKind,
        sum: impl Fn(&Slots) -> Slots,
    ) -> Slots {
        match (inputs.pull(iteration, kind), t) {
            (None, _) => sum(&self.weighted_data(data, t, iteration)),
            (Some(pull), None) => pull,
            (Some(pull), Some(t)) => sum(&self.pulled_back(data, t, iteration)).add(&pull),
        }
    }

    /// `gamma Z s(t)` entry by entry, for the iteration's data and powers of t of the kind that data meets. Where t is `None`, for zero, this
    /// is the data itself: the client multiplied it by gamma c0.
    fn weighted_data(&self, data: &Slots, t: Option<&Powers>, iteration: usize) -> Slots {
        let Some(t) = t else { return data.clone() };
        let factor = self.gradient_of_data(iteration) * self.activation.constant;
        let constant = data.multiply_scalar(factor);
        self.pulled_back(data, t, iteration).add(&constant)
    }

    /// What data are multiplied by to be gamma Z.
    fn gradient_of_data(&self, iteration: usize) -> f64 {
        self.activation.bound * self.spec.gradient_factor(iteration) / self.spec.scale(iteration)
    }

    /// The same without the polynomial's constant.
    fn pulled_back(&self, data: &Slots, t: &Powers, iteration: usize) -> Slots {
        let factor = self.gradient_of_data(iteration);
        // 1 or -1 by the choice of k, or 0.
        let sign =
            (factor * self.activation.leading / self.spec.scale_of_products(iteration)).round();
        // A value for each row of a minibatch meets all tiles side by side.
        let across = data.units() / self.geometry.down.max(1);
        let units: Vec<usize> = (0..data.units()).map(|u| u / across).collect();
        let leading = data.multiply_scalar(sign);
        t.pick(&units).times(&leading)
    }

    /// `k a gamma G s(t) / B` entry by entry, from a Gram matrix of data with that of `earlier` and its powers of t: a is the share of the
    /// gradient in v, and the client multiplied the matrix by all but what powers of t have. Where t is `None`, for zero, this is the
    /// matrix itself. Without constants that are apart from the rows ([`Inputs::offset`]), so nothing is left of t = 0.
    pub(super) fn gram_product(
        &self,
        gram: &Slots,
        t: Option<&Powers>,
        earlier: usize,
    ) -> Option<Slots> {
        match (self.spec.constants, t) {
            (Constants::InRows, t) => Some(self.gram_with_constant(gram, t, earlier)),
            (Constants::Apart, t) => t.map(|t| t.times(gram)),
        }
    }

    fn gram_with_constant(&self, gram: &Slots, t: Option<&Powers>, earlier: usize) -> Slots {
        let Some(t) = t else { return gram.clone() };
        let k = self.spec.scale_of_products(earlier);
        let constant = gram.multiply_scalar(k * self.activation.constant / self.activation.leading);
        t.times(gram).add(&constant)
    }
}

/// Parts of the last weights in column and in row kind, and of those before, which the client adds in the clear; a part that is `None` is
/// zero.
pub(super) type WeightParts = [Option<Slots>; 4];

/// The name of an input or an output of one of the trainings side by side: the first has plain names.
pub(super) fn of_chain(name: String, chain: usize) -> String {
    match chain {
        0 => name,
        _ => format!("{name} of {}", chain + 1),
    }
}

/// Makes the inputs of a circuit and remembers what they hold.
pub(super) struct Inputs<'a> {
    recorder: &'a Recorder,
    spec: &'a Spec,
    geometry: &'a Geometry,
    contents: Vec<(String, Packed)>,
    /// The training that is recorded, of those side by side.
    chain: usize,
    known: BTreeMap<String, Slots>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(recorder: &'a Recorder, spec: &'a Spec, geometry: &'a Geometry) -> Self {
        Self {
            recorder,
            spec,
            geometry,
            contents: vec![],
            chain: 0,
            known: BTreeMap::new(),
        }
    }

    /// The inputs made, each with what it holds.
    pub(super) fn into_contents(self) -> Vec<(String, Packed)> {
        self.contents
    }

    /// Goes on with another of the trainings side by side. Rows and Gram matrices stay the same inputs.
    pub(super) fn of_chain(&mut self, chain: usize) {
        self.chain = chain;
    }

    /// Begins a part of the circuit, which pictures and reports name.
    pub(super) fn section(&self, name: &str) -> Section {
        self.recorder.section(name)
    }

    /// Begins an iteration, counted from 1 for readers.
    pub(super) fn iteration(&self, i: usize) -> Section {
        self.section(&format!("iteration {}", i + 1))
    }

    fn input(&mut self, name: String, content: Packed) -> Slots {
        if let Some(slots) = self.known.get(&name) {
            return slots.clone();
        }
        let slots = self
            .recorder
            .slots_input(&name, content.units(self.geometry));
        self.recorder.assume(&slots, LARGEST_VALUE);
        self.known.insert(name.clone(), slots.clone());
        self.contents.push((name, content));
        slots
    }

    /// Z_i, scaled, in wide units.
    pub(super) fn rows(&mut self, i: usize) -> Slots {
        self.input(format!("rows {i}"), Packed::Rows { iteration: i })
    }

    /// Z_i^T, scaled, in tall units.
    pub(super) fn columns(&mut self, i: usize) -> Slots {
        self.input(format!("columns {i}"), Packed::Columns { iteration: i })
    }

    /// G_ij = Z_i Z_j^T for an earlier iteration j, or its transpose, scaled, in a wide unit.
    pub(super) fn gram(&mut self, i: usize, j: usize, transposed: bool) -> Slots {
        let name = if transposed { "gram^T" } else { "gram" };
        self.input(
            format!("{name} {i} {j}"),
            Packed::Gram {
                iteration: i,
                earlier: j,
                transposed,
            },
        )
    }

    /// `gamma X^T c` of an iteration whose constants are apart from its rows.
    fn pull(&mut self, i: usize, kind: VectorKind) -> Option<Slots> {
        let row = kind == VectorKind::Row;
        let (iteration, chain) = (i, self.chain);
        let name = of_chain(format!("pull {i} {}", kind.name()), chain);
        let pull = Packed::Pull {
            iteration,
            chain,
            row,
        };
        (self.spec.constants == Constants::Apart).then(|| self.input(name, pull))
    }

    /// What inner products of an iteration, of this kind, have of the constants of those whose gradients they meet through Gram matrices;
    /// `None` if that is nothing.
    pub(super) fn offset(&mut self, i: usize, kind: VectorKind) -> Option<Slots> {
        let row = kind == VectorKind::Row;
        let some =
            self.spec.constants == Constants::Apart && !self.spec.met_through_grams(i).is_empty();
        let (iteration, chain) = (i, self.chain);
        let name = of_chain(format!("offset {i} {}", kind.name()), chain);
        let offset = Packed::Offset {
            iteration,
            chain,
            row,
        };
        some.then(|| self.input(name, offset))
    }

    /// v or w at the start in column kind; `None` if it is zero.
    pub(super) fn start_column(&mut self, which: &'static str) -> Option<Slots> {
        self.start(which, VectorKind::Column)
    }

    /// v or w at the start in row kind; `None` if it is zero.
    pub(super) fn start_row(&mut self, which: &'static str) -> Option<Slots> {
        self.start(which, VectorKind::Row)
    }

    fn start(&mut self, which: &'static str, kind: VectorKind) -> Option<Slots> {
        let name = of_chain(format!("{which} {}", kind.name()), self.chain);
        let start = Packed::Start {
            v: which == "v",
            chain: self.chain,
            row: kind == VectorKind::Row,
        };
        (self.spec.start == Start::Encrypted).then(|| self.input(name, start))
    }
}
