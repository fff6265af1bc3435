//! The number-theoretic transform of one row.
//!
//! Butterflies are lazy (D. Harvey, "Faster arithmetic for number-theoretic transforms", 2014): forward values stay in
//! [0, 4q), inverse ones in [0, 2q). Stages are taken two at a time in registers. The last stages, whose partners lie inside
//! a vector, work on two vectors at a time: lanes are exchanged so that partners meet in the same lane of the two.
//!
//! ```text
//!   stage          partners are          done by
//!   1 ..           whole vectors apart   pass (two stages), first over the whole row, then inside blocks of 32 KiB
//!   log N - LOG    neighbouring vectors  tail
//!   .. log N       inside a vector       tail
//! ```
//! Node i of the tree of twiddles has the children 2i and 2i + 1; the root is 1. The inverse twiddle of node i is minus the
//! forward twiddle of its mirror image 3 * 2^d - 1 - i at depth d, so one table serves both directions and the sign is
//! in the butterfly: (y - x) in place of (x - y).

use super::reduce::{Constant, Modular};
use crate::{ring::Prime, simd::Simd};

/// Words of a block that stays in a first-level cache.
const BLOCK: usize = 1 << 13;

struct Tables<'a> {
    w: &'a [u32],
    shoup: &'a [u32],
    n: usize,
}

impl Tables<'_> {
    #[inline(always)]
    fn node<S: Simd>(&self, m: &Modular<S>, i: usize) -> Constant<S> {
        m.prepared(self.w[i], self.shoup[i])
    }

    /// Minus the inverse twiddle of node i at depth d.
    #[inline(always)]
    fn mirror<S: Simd>(&self, m: &Modular<S>, i: usize, depth_nodes: usize) -> Constant<S> {
        self.node(m, 3 * depth_nodes - 1 - i)
    }

    /// The twiddles of the blocks of pair p of vectors whose half is 2^K words, spread over the lanes.
    #[inline(always)]
    fn lanes<S: Simd, const K: u32>(&self, s: S, pair: usize) -> (S::V, S::V) {
        let at = (self.n >> (K + 1)) + pair * (S::LANES >> K);
        (s.expand::<K>(self.w, at), s.expand::<K>(self.shoup, at))
    }

    #[inline(always)]
    fn lanes_mirrored<S: Simd, const K: u32>(&self, s: S, pair: usize) -> (S::V, S::V) {
        let at = 2 * (self.n >> (K + 1)) - (pair + 1) * (S::LANES >> K);
        (
            s.expand_reversed::<K>(self.w, at),
            s.expand_reversed::<K>(self.shoup, at),
        )
    }
}

/// Coefficients to evaluations: any values below 4q in; canonical ones out if asked, otherwise below 4q. At
/// least eight vectors.
#[inline(always)]
pub(crate) fn forward<S: Simd>(s: S, prime: &Prime, row: &mut [u32], canonical: bool) {
    let m = Modular::new(s, prime);
    let tables = Tables {
        w: prime.twiddles(),
        shoup: prime.twiddles_shoup(),
        n: row.len(),
    };
    let row = s.view_mut(row);
    debug_assert!(row.len() >= 8);
    let mut len = row.len();
    while len * S::LANES > BLOCK {
        forward_pass(s, &m, &tables, row, row.len() / len, len);
        len /= 4;
    }
    let blocks = row.len() / len;
    for (b, block) in row.chunks_exact_mut(len).enumerate() {
        let (mut len, mut node) = (len, blocks + b);
        while len >= 8 {
            forward_pass(s, &m, &tables, block, node, len);
            len /= 4;
            node *= 4;
        }
        if len == 4 {
            forward_single(s, &m, &tables, block, node);
        }
        let pair = b * block.len() / 2;
        for (i, two) in block.chunks_exact_mut(2).enumerate() {
            let (x, y) = forward_tail(s, &m, &tables, (two[0], two[1]), pair + i);
            (two[0], two[1]) = if canonical {
                (m.reduce_4q(x), m.reduce_4q(y))
            } else {
                (x, y)
            };
        }
    }
}

/// Two stages of every chunk of `len` vectors; the first chunk is node `first`.
#[inline(always)]
fn forward_pass<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    first: usize,
    len: usize,
) {
    for (b, chunk) in row.chunks_exact_mut(len).enumerate() {
        let node = first + b;
        let w1 = tables.node(m, node);
        let w2 = tables.node(m, 2 * node);
        let w3 = tables.node(m, 2 * node + 1);
        let (low, high) = chunk.split_at_mut(len / 2);
        let ((a, b), (c, d)) = (low.split_at_mut(len / 4), high.split_at_mut(len / 4));
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (x0, x2) = butterfly(s, m, *a, m.shoup(*c, w1));
            let (x1, x3) = butterfly(s, m, *b, m.shoup(*d, w1));
            (*a, *b) = butterfly(s, m, x0, m.shoup(x1, w2));
            (*c, *d) = butterfly(s, m, x2, m.shoup(x3, w3));
        }
    }
}

/// One stage of every four vectors.
#[inline(always)]
fn forward_single<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    first: usize,
) {
    for (b, chunk) in row.chunks_exact_mut(4).enumerate() {
        let w = tables.node(m, first + b);
        (chunk[0], chunk[2]) = butterfly(s, m, chunk[0], m.shoup(chunk[2], w));
        (chunk[1], chunk[3]) = butterfly(s, m, chunk[1], m.shoup(chunk[3], w));
    }
}

/// (x + t, x - t) in [0, 4q) for x < 4q and t < 2q.
#[inline(always)]
fn butterfly<S: Simd>(s: S, m: &Modular<S>, x: S::V, t: S::V) -> (S::V, S::V) {
    let x = m.below_2q(x);
    (s.add(x, t), m.sub_lazy(x, t))
}

/// The last LOG + 1 stages of two neighbouring vectors.
#[inline(always)]
fn forward_tail<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    (x, y): (S::V, S::V),
    pair: usize,
) -> (S::V, S::V) {
    let w = tables.node(m, tables.n / (2 * S::LANES) + pair);
    let mut two = butterfly(s, m, x, m.shoup(y, w));
    macro_rules! stage {
        ($k:literal) => {
            if S::LOG > $k {
                let (x, y) = s.swap::<$k>(two.0, two.1);
                let (w, shoup) = tables.lanes::<S, $k>(s, pair);
                let odd = if $k == 0 { s.odd(shoup) } else { shoup };
                two = butterfly(s, m, x, m.shoup_lanes(y, w, shoup, odd));
            }
        };
    }
    stage!(3);
    stage!(2);
    stage!(1);
    stage!(0);
    s.interleave(two.0, two.1)
}

/// Evaluations to coefficients times `factor` N: with `factor` = N^-1 c, the coefficients times c. Values below 2q in,
/// canonical ones out. At least eight vectors.
#[inline(always)]
pub(crate) fn inverse<S: Simd>(s: S, prime: &Prime, row: &mut [u32], factor: u32) {
    let m = Modular::new(s, prime);
    let tables = Tables {
        w: prime.twiddles(),
        shoup: prime.twiddles_shoup(),
        n: row.len(),
    };
    let row = s.view_mut(row);
    let total = row.len();
    debug_assert!(total >= 8);
    // The mirror image of the forward order: passes of two stages end at the whole row.
    let mut block_len = total;
    while block_len * S::LANES > BLOCK {
        block_len /= 4;
    }
    for (b, block) in row.chunks_exact_mut(block_len).enumerate() {
        let pair = b * block_len / 2;
        for (i, two) in block.chunks_exact_mut(2).enumerate() {
            (two[0], two[1]) = inverse_tail(s, &m, &tables, (two[0], two[1]), pair + i);
        }
        let mut len = 4;
        if block_len.trailing_zeros().is_multiple_of(2) {
            inverse_single(s, &m, &tables, block, (b * block_len / 4, total / 4));
            len = 8;
        }
        len *= 2;
        while len <= block_len && len < total {
            inverse_pass(
                s,
                &m,
                &tables,
                block,
                (b * block_len / len, total / len),
                len,
            );
            len *= 4;
        }
    }
    let mut len = block_len * 4;
    while len < total {
        inverse_pass(s, &m, &tables, row, (0, total / len), len);
        len *= 4;
    }
    inverse_last(s, &m, prime, &tables, row, factor);
}

/// Two stages of every chunk of `len` vectors, the first of which is chunk `first` of `nodes`.
#[inline(always)]
fn inverse_pass<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    (first, nodes): (usize, usize),
    len: usize,
) {
    for (b, chunk) in row.chunks_exact_mut(len).enumerate() {
        let node = nodes + first + b;
        let w1 = tables.mirror(m, node, nodes);
        let w2 = tables.mirror(m, 2 * node, 2 * nodes);
        let w3 = tables.mirror(m, 2 * node + 1, 2 * nodes);
        let (low, high) = chunk.split_at_mut(len / 2);
        let ((a, b), (c, d)) = (low.split_at_mut(len / 4), high.split_at_mut(len / 4));
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (x0, x1) = inverse_butterfly(s, m, *a, *b, w2);
            let (x2, x3) = inverse_butterfly(s, m, *c, *d, w3);
            (*a, *c) = inverse_butterfly(s, m, x0, x2, w1);
            (*b, *d) = inverse_butterfly(s, m, x1, x3, w1);
        }
    }
}

/// The last two stages, with the factor.
#[inline(always)]
fn inverse_last<S: Simd>(
    s: S,
    m: &Modular<S>,
    prime: &Prime,
    tables: &Tables<'_>,
    row: &mut [S::V],
    factor: u32,
) {
    let w2 = tables.mirror(m, 2, 2);
    let w3 = tables.mirror(m, 3, 2);
    let product = u64::from(tables.w[1]) * u64::from(factor) % u64::from(prime.q);
    let w1 = m.constant(prime, product as u32);
    let factor = m.constant(prime, factor);
    let len = row.len();
    let (low, high) = row.split_at_mut(len / 2);
    let ((a, b), (c, d)) = (low.split_at_mut(len / 4), high.split_at_mut(len / 4));
    for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
        let (x0, x1) = inverse_butterfly(s, m, *a, *b, w2);
        let (x2, x3) = inverse_butterfly(s, m, *c, *d, w3);
        *a = m.reduce_2q(m.shoup(s.add(x0, x2), factor));
        *b = m.reduce_2q(m.shoup(s.add(x1, x3), factor));
        *c = m.reduce_2q(m.shoup(m.sub_lazy(x2, x0), w1));
        *d = m.reduce_2q(m.shoup(m.sub_lazy(x3, x1), w1));
    }
}

/// One stage of every four vectors.
#[inline(always)]
fn inverse_single<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    row: &mut [S::V],
    (first, nodes): (usize, usize),
) {
    for (b, chunk) in row.chunks_exact_mut(4).enumerate() {
        let w = tables.mirror(m, nodes + first + b, nodes);
        (chunk[0], chunk[2]) = inverse_butterfly(s, m, chunk[0], chunk[2], w);
        (chunk[1], chunk[3]) = inverse_butterfly(s, m, chunk[1], chunk[3], w);
    }
}

/// (x + y, (y - x) w) in [0, 2q) for x, y < 2q; w is minus the inverse twiddle.
#[inline(always)]
fn inverse_butterfly<S: Simd>(
    s: S,
    m: &Modular<S>,
    x: S::V,
    y: S::V,
    w: Constant<S>,
) -> (S::V, S::V) {
    (m.below_2q(s.add(x, y)), m.shoup(m.sub_lazy(y, x), w))
}

/// The first LOG + 1 stages of two neighbouring vectors.
#[inline(always)]
fn inverse_tail<S: Simd>(
    s: S,
    m: &Modular<S>,
    tables: &Tables<'_>,
    (x, y): (S::V, S::V),
    pair: usize,
) -> (S::V, S::V) {
    let mut two = s.deinterleave(x, y);
    macro_rules! stage {
        ($k:literal) => {
            if S::LOG > $k {
                let (w, shoup) = tables.lanes_mirrored::<S, $k>(s, pair);
                let odd = if $k == 0 { s.odd(shoup) } else { shoup };
                let (x, y) = two;
                two = s.swap::<$k>(
                    m.below_2q(s.add(x, y)),
                    m.shoup_lanes(m.sub_lazy(y, x), w, shoup, odd),
                );
            }
        };
    }
    stage!(0);
    stage!(1);
    stage!(2);
    stage!(3);
    let nodes = tables.n / (2 * S::LANES);
    let w = tables.mirror(m, nodes + pair, nodes);
    inverse_butterfly(s, m, two.0, two.1, w)
}
