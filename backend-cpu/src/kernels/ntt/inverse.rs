//! Evaluations to coefficients: the mirror image of the forward transform.

use super::{BLOCK, Constant, LEAST, Modular, TAIL, Tables, eighths, quarters, stages};
use crate::{ring::Prime, simd::Simd};

/// The most passes of a row.
const PASSES: usize = 16;

/// Evaluations to coefficients times `factor` N: with `factor` = N^-1 c, the coefficients times c. Values below 2q in,
/// canonical ones out. At least [`LEAST`] vectors. The values are those of `src` if there is one, otherwise the row's own.
#[inline(always)]
pub(crate) fn inverse<S: Simd>(
    s: S,
    prime: &Prime,
    row: &mut [u32],
    src: Option<&[u32]>,
    factor: u32,
) {
    let m = Modular::new(s, prime);
    let tables = Tables::new(prime, row.len());
    let row = s.view_mut(row);
    let src = src.map(|src| s.view(src));
    debug_assert!(src.is_none_or(|src| src.len() == row.len()));
    debug_assert!(row.len() >= LEAST);
    // The forward transform's passes: how many stages each has, and how many of them go over the whole row.
    let mut passes = [0; PASSES];
    let (mut count, mut whole, mut blocks) = (0, 0, 1);
    let mut left = row.len().ilog2() - TAIL;
    while left > 0 {
        let now = stages(left);
        if (BLOCK >> S::LOG) < row.len() / blocks {
            whole += 1;
            blocks <<= now;
        }
        passes[count] = now;
        count += 1;
        left -= now;
    }
    let total = row.len();
    if count == 0 {
        tail(s, &m, &tables, row, src, 1);
        let factor = m.constant(prime, factor);
        for x in row {
            *x = m.reduce_2q(m.shoup(*x, factor));
        }
        return;
    }
    // The outermost pass is by itself, because of the factor.
    let outer = whole.max(1);
    let len = total / blocks;
    for (b, block) in row.chunks_exact_mut(len).enumerate() {
        let eights = total >> TAIL;
        for (i, eight) in block.chunks_exact_mut(1 << TAIL).enumerate() {
            let number = b * (len >> TAIL) + i;
            let src = src.map(|src| &src[number << TAIL..]);
            tail(s, &m, &tables, eight, src, eights + number);
        }
        let mut nodes = eights;
        for &now in passes[outer..count].iter().rev() {
            nodes >>= now;
            let inside = nodes / blocks;
            pass(s, &m, &tables, block, (b * inside, nodes), inside, now);
        }
    }
    let mut nodes = 1usize << passes[..outer].iter().sum::<u32>();
    for &now in passes[1..outer].iter().rev() {
        nodes >>= now;
        pass(s, &m, &tables, row, (0, nodes), nodes, now);
    }
    last(s, &m, prime, &tables, row, factor, passes[0]);
}

/// One to three stages of `chunks` chunks, the first of which is number `first` of `nodes`.
#[inline(always)]
fn pass<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    (first, nodes): (usize, usize),
    chunks: usize,
    stages: u32,
) {
    let len = row.len() / chunks;
    for (b, chunk) in row.chunks_exact_mut(len).enumerate() {
        let node = nodes + first + b;
        match stages {
            3 => {
                let w = tables.three_mirrored(m, node, nodes);
                let [a, b, c, d, e, f, g, h] = eighths(chunk);
                for i in 0..a.len() {
                    let v = [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]];
                    let v = two_of_three(s, m, &w, v);
                    (a[i], e[i]) = butterfly(s, m, v[0], v[4], w[0]);
                    (b[i], f[i]) = butterfly(s, m, v[1], v[5], w[0]);
                    (c[i], g[i]) = butterfly(s, m, v[2], v[6], w[0]);
                    (d[i], h[i]) = butterfly(s, m, v[3], v[7], w[0]);
                }
            }
            2 => {
                let w1 = tables.mirror(m, node, nodes);
                let w2 = tables.mirror(m, 2 * node, 2 * nodes);
                let w3 = tables.mirror(m, 2 * node + 1, 2 * nodes);
                let [a, b, c, d] = quarters(chunk);
                for i in 0..a.len() {
                    let (x0, x1) = butterfly(s, m, a[i], b[i], w2);
                    let (x2, x3) = butterfly(s, m, c[i], d[i], w3);
                    (a[i], c[i]) = butterfly(s, m, x0, x2, w1);
                    (b[i], d[i]) = butterfly(s, m, x1, x3, w1);
                }
            }
            _ => {
                let w = tables.mirror(m, node, nodes);
                let (a, b) = chunk.split_at_mut(len / 2);
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = butterfly(s, m, *a, *b, w);
                }
            }
        }
    }
}

/// The outermost pass, with the factor.
#[inline(always)]
fn last<S: Simd>(
    s: S,
    m: &Modular<S>,
    prime: &Prime,
    tables: &Tables<'_>,
    row: &mut [S::V],
    factor: u32,
    stages: u32,
) {
    // Minus the inverse twiddle of the root is its forward twiddle.
    let product = u64::from(tables.w[1]) * u64::from(factor) % u64::from(prime.q);
    let ends = [m.constant(prime, factor), m.constant(prime, product as u32)];
    match stages {
        3 => {
            let w = tables.three_mirrored(m, 1, 1);
            let [a, b, c, d, e, f, g, h] = eighths(row);
            for i in 0..a.len() {
                let v = [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]];
                let v = two_of_three(s, m, &w, v);
                (a[i], e[i]) = end(s, m, v[0], v[4], ends);
                (b[i], f[i]) = end(s, m, v[1], v[5], ends);
                (c[i], g[i]) = end(s, m, v[2], v[6], ends);
                (d[i], h[i]) = end(s, m, v[3], v[7], ends);
            }
        }
        2 => {
            let (w2, w3) = (tables.mirror(m, 2, 2), tables.mirror(m, 3, 2));
            let [a, b, c, d] = quarters(row);
            for i in 0..a.len() {
                let (x0, x1) = butterfly(s, m, a[i], b[i], w2);
                let (x2, x3) = butterfly(s, m, c[i], d[i], w3);
                (a[i], c[i]) = end(s, m, x0, x2, ends);
                (b[i], d[i]) = end(s, m, x1, x3, ends);
            }
        }
        _ => {
            let (a, b) = row.split_at_mut(row.len() / 2);
            for (a, b) in a.iter_mut().zip(b) {
                (*a, *b) = end(s, m, *a, *b, ends);
            }
        }
    }
}

/// The first two of three stages of eight vectors.
#[inline(always)]
fn two_of_three<S: Simd>(s: S, m: &Modular<S>, w: &[Constant<S>; 7], v: [S::V; 8]) -> [S::V; 8] {
    let [a, b, c, d, e, f, g, h] = v;
    let (a, b) = butterfly(s, m, a, b, w[3]);
    let (c, d) = butterfly(s, m, c, d, w[4]);
    let (e, f) = butterfly(s, m, e, f, w[5]);
    let (g, h) = butterfly(s, m, g, h, w[6]);
    let (a, c) = butterfly(s, m, a, c, w[1]);
    let (b, d) = butterfly(s, m, b, d, w[1]);
    let (e, g) = butterfly(s, m, e, g, w[2]);
    let (f, h) = butterfly(s, m, f, h, w[2]);
    [a, b, c, d, e, f, g, h]
}

/// (x + y, (y - x) w) in [0, 2q) for x, y < 2q; w is minus the inverse twiddle.
#[inline(always)]
fn butterfly<S: Simd>(s: S, m: &Modular<S>, x: S::V, y: S::V, w: Constant<S>) -> (S::V, S::V) {
    (m.below_2q(s.add(x, y)), m.shoup(m.sub_lazy(y, x), w))
}

/// The last butterfly with a factor in both results, which are canonical.
#[inline(always)]
fn end<S: Simd>(s: S, m: &Modular<S>, x: S::V, y: S::V, [f, fw]: [Constant<S>; 2]) -> (S::V, S::V) {
    let (sum, difference) = (s.add(x, y), m.sub_lazy(y, x));
    (
        m.reduce_2q(m.shoup(sum, f)),
        m.reduce_2q(m.shoup(difference, fw)),
    )
}

/// The first stages of eight neighbouring vectors, whose node is `node`: those that `src` starts with, or the row's own.
#[inline(always)]
fn tail<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    src: Option<&[S::V]>,
    node: usize,
) {
    let src = &src.unwrap_or(row)[..1 << TAIL];
    let nodes = tables.n / (S::LANES << TAIL);
    let first = 4 * (node - nodes);
    let w = tables.three_mirrored(m, node, nodes);
    let mut pairs = [
        s.enter(src[0], src[1]),
        s.enter(src[2], src[3]),
        s.enter(src[4], src[5]),
        s.enter(src[6], src[7]),
    ];
    // A stage of all pairs at a time: one pair alone would wait for its own results.
    macro_rules! stage {
        ($k:literal) => {
            if S::LOG > $k {
                let w = tables.lanes_mirrored::<S, $k>(first);
                pairs = [
                    inside::<S, $k>(s, m, pairs[0], w.pair::<S, $k>(s, 3)),
                    inside::<S, $k>(s, m, pairs[1], w.pair::<S, $k>(s, 2)),
                    inside::<S, $k>(s, m, pairs[2], w.pair::<S, $k>(s, 1)),
                    inside::<S, $k>(s, m, pairs[3], w.pair::<S, $k>(s, 0)),
                ];
            }
        };
    }
    stage!(0);
    stage!(1);
    stage!(2);
    stage!(3);
    let [(a, b), (c, d), (e, f), (g, h)] = pairs;
    let v = two_of_three(s, m, &w, [a, b, c, d, e, f, g, h]);
    (row[0], row[4]) = butterfly(s, m, v[0], v[4], w[0]);
    (row[1], row[5]) = butterfly(s, m, v[1], v[5], w[0]);
    (row[2], row[6]) = butterfly(s, m, v[2], v[6], w[0]);
    (row[3], row[7]) = butterfly(s, m, v[3], v[7], w[0]);
}

/// The stage of two vectors whose partners are 2^K words apart.
#[inline(always)]
fn inside<S: Simd, const K: u32>(
    s: S,
    m: &Modular<S>,
    (x, y): (S::V, S::V),
    [w, shoup, odd]: [S::V; 3],
) -> (S::V, S::V) {
    let product = m.shoup_lanes(m.sub_lazy(y, x), w, shoup, odd);
    s.up::<K>(m.below_2q(s.add(x, y)), product)
}
