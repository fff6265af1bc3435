//! Coefficients to evaluations.

use super::{BLOCK, Constant, LEAST, Modular, TAIL, Tables, eighths, quarters, stages};
use crate::{ring::Prime, simd::Simd};

/// Coefficients to evaluations: any values below 4q in; canonical ones out if asked, otherwise below 4q. At
/// least [`LEAST`] vectors. On the way, the lines of `ahead` are asked for: a transform leaves memory idle.
#[inline(always)]
pub(crate) fn forward<S: Simd>(
    s: S,
    prime: &Prime,
    row: &mut [u32],
    canonical: bool,
    ahead: &[u32],
) {
    let m = Modular::new(s, prime);
    let tables = Tables::new(prime, row.len());
    let row = s.view_mut(row);
    let ahead = Ahead::new(ahead, row.len() >> TAIL);
    debug_assert!(row.len() >= LEAST);
    let mut left = row.len().ilog2() - TAIL;
    let mut nodes = 1;
    while (BLOCK >> S::LOG) < row.len() / nodes && left > 0 {
        let now = stages(left);
        pass(s, &m, &tables, row, (nodes, nodes), now);
        left -= now;
        nodes <<= now;
    }
    let len = row.len() / nodes;
    for (b, block) in row.chunks_exact_mut(len).enumerate() {
        let (mut left, mut node, mut inside) = (left, nodes + b, 1);
        while left > 0 {
            let now = stages(left);
            pass(s, &m, &tables, block, (node, inside), now);
            left -= now;
            node <<= now;
            inside <<= now;
        }
        for (i, eight) in block.chunks_exact_mut(1 << TAIL).enumerate() {
            ahead.ask(s, b * (len >> TAIL) + i);
            tail(s, &m, &tables, eight, node + i, canonical);
        }
    }
}

/// Words that will be read after the transform, in equal shares of whole lines for its tails.
struct Ahead<'a> {
    lines: &'a [u32],
    share: usize,
}

impl<'a> Ahead<'a> {
    #[inline(always)]
    fn new(lines: &'a [u32], tails: usize) -> Self {
        let share = lines.len().div_ceil(tails).next_multiple_of(16);
        Self { lines, share }
    }

    #[inline(always)]
    fn ask<S: Simd>(&self, s: S, tail: usize) {
        let start = (tail * self.share).min(self.lines.len());
        let end = (start + self.share).min(self.lines.len());
        for line in self.lines[start..end].chunks(16) {
            s.prefetch_far(line);
        }
    }
}

/// One to three stages of `chunks` chunks, the first of which is node `first`.
#[inline(always)]
fn pass<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    (first, chunks): (usize, usize),
    stages: u32,
) {
    let len = row.len() / chunks;
    for (b, chunk) in row.chunks_exact_mut(len).enumerate() {
        let node = first + b;
        match stages {
            3 => {
                let w = tables.three(m, node);
                let [a, b, c, d, e, f, g, h] = eighths(chunk);
                for i in 0..a.len() {
                    let v = [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]];
                    [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]] = eight(s, m, &w, v);
                }
            }
            2 => {
                let w1 = tables.node(m, node);
                let (w2, w3) = (tables.node(m, 2 * node), tables.node(m, 2 * node + 1));
                let [a, b, c, d] = quarters(chunk);
                for i in 0..a.len() {
                    let (x0, x2) = butterfly(s, m, a[i], c[i], w1);
                    let (x1, x3) = butterfly(s, m, b[i], d[i], w1);
                    (a[i], b[i]) = butterfly(s, m, x0, x1, w2);
                    (c[i], d[i]) = butterfly(s, m, x2, x3, w3);
                }
            }
            _ => {
                let w = tables.node(m, node);
                let (a, b) = chunk.split_at_mut(len / 2);
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = butterfly(s, m, *a, *b, w);
                }
            }
        }
    }
}

/// Three stages of eight vectors.
#[inline(always)]
fn eight<S: Simd>(s: S, m: &Modular<S>, w: &[Constant<S>; 7], v: [S::V; 8]) -> [S::V; 8] {
    let [a, b, c, d, e, f, g, h] = v;
    let (a, e) = butterfly(s, m, a, e, w[0]);
    let (b, f) = butterfly(s, m, b, f, w[0]);
    let (c, g) = butterfly(s, m, c, g, w[0]);
    let (d, h) = butterfly(s, m, d, h, w[0]);
    let (a, c) = butterfly(s, m, a, c, w[1]);
    let (b, d) = butterfly(s, m, b, d, w[1]);
    let (e, g) = butterfly(s, m, e, g, w[2]);
    let (f, h) = butterfly(s, m, f, h, w[2]);
    let (a, b) = butterfly(s, m, a, b, w[3]);
    let (c, d) = butterfly(s, m, c, d, w[4]);
    let (e, f) = butterfly(s, m, e, f, w[5]);
    let (g, h) = butterfly(s, m, g, h, w[6]);
    [a, b, c, d, e, f, g, h]
}

/// (x + y w, x - y w) in [0, 4q) for x < 4q and any y.
#[inline(always)]
fn butterfly<S: Simd>(s: S, m: &Modular<S>, x: S::V, y: S::V, w: Constant<S>) -> (S::V, S::V) {
    meet(s, m, x, m.shoup(y, w))
}

/// (x + t, x - t) in [0, 4q) for x < 4q and t < 2q.
#[inline(always)]
fn meet<S: Simd>(s: S, m: &Modular<S>, x: S::V, t: S::V) -> (S::V, S::V) {
    let x = m.below_2q(x);
    (s.add(x, t), m.sub_lazy(x, t))
}

/// The last stages of eight neighbouring vectors, whose node is `node`.
#[inline(always)]
fn tail<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    node: usize,
    canonical: bool,
) {
    let w = tables.three(m, node);
    let v = [
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7],
    ];
    let [a, b, c, d, e, f, g, h] = eight(s, m, &w, v);
    // Nodes of eight vectors start at their number, and each has four pairs.
    let first = 4 * node - tables.n / (2 * S::LANES);
    let mut pairs = [(a, b), (c, d), (e, f), (g, h)];
    // A stage of all pairs at a time: one pair alone would wait for its own results.
    macro_rules! stage {
        ($k:literal) => {
            if S::LOG > $k {
                let w = tables.lanes::<S, $k>(first);
                pairs = [
                    inside::<S, $k>(s, m, pairs[0], w.pair::<S, $k>(s, 0)),
                    inside::<S, $k>(s, m, pairs[1], w.pair::<S, $k>(s, 1)),
                    inside::<S, $k>(s, m, pairs[2], w.pair::<S, $k>(s, 2)),
                    inside::<S, $k>(s, m, pairs[3], w.pair::<S, $k>(s, 3)),
                ];
            }
        };
    }
    stage!(3);
    stage!(2);
    stage!(1);
    stage!(0);
    for (two, (x, y)) in row.chunks_exact_mut(2).zip(pairs) {
        let (x, y) = s.leave(x, y);
        (two[0], two[1]) = if canonical {
            (m.reduce_4q(x), m.reduce_4q(y))
        } else {
            (x, y)
        };
    }
}

/// The stage of two vectors whose partners are 2^K words apart.
#[inline(always)]
fn inside<S: Simd, const K: u32>(
    s: S,
    m: &Modular<S>,
    (x, y): (S::V, S::V),
    [w, shoup, odd]: [S::V; 3],
) -> (S::V, S::V) {
    let (x, y) = s.down::<K>(x, y);
    meet(s, m, x, m.shoup_lanes(y, w, shoup, odd))
}
