//! The number-theoretic transform of one row.
//!
//! Butterflies are lazy (D. Harvey, "Faster arithmetic for number-theoretic transforms", 2014): forward values stay in
//! [0, 4q), inverse ones in [0, 2q). Stages are taken three at a time in registers, two or one where three do not divide
//! what is left. The last stages, whose partners lie within eight vectors, are one pass, too: between its lane stages,
//! words are exchanged between two vectors so that partners meet in the same lane of the two ([`Simd::down`], [`Simd::up`]).
//!
//! ```text
//!   stage                partners are               done by
//!   1 ..                 at least 8 vectors apart   passes, first over the whole row, then inside blocks of 32 KiB
//!   log N - LOG - 2 ..   1 to 4 vectors apart       tail
//!   .. log N             inside a vector            tail
//! ```
//! Node i of the tree of twiddles has the children 2i and 2i + 1; the root is 1. The inverse twiddle of node i is minus the
//! forward twiddle of its mirror image 3 * 2^d - 1 - i at depth d, so one table serves both directions and the sign is
//! in the butterfly: (y - x) in place of (x - y).
//!
//! Cost: log N * N/2 butterflies of 12 vector operations (4 of them multiplications, which set the pace where a processor
//! has half as many units for them as for the rest), and 10 exchanges per two vectors.

mod forward;
mod inverse;

pub(crate) use forward::forward;
pub(crate) use inverse::inverse;

use super::reduce::{Constant, Modular};
use crate::{ring::Prime, simd::Simd};

/// Words of a block that stays in a first-level cache.
const BLOCK: usize = 1 << 13;

/// log2 of the vectors that the tail takes at a time.
const TAIL: u32 = 3;

/// The fewest vectors of a row: those of one tail.
const LEAST: usize = 1 << TAIL;

/// Stages of the next pass if `left` are to be done before the tail.
#[inline(always)]
fn stages(left: u32) -> u32 {
    match left {
        0..=2 => left,
        4 => 2,
        _ => 3,
    }
}

struct Tables<'a> {
    w: &'a [u32],
    shoup: &'a [u32],
    n: usize,
}

impl<'a> Tables<'a> {
    #[inline(always)]
    fn new(prime: &'a Prime, n: usize) -> Self {
        Self {
            w: prime.twiddles(),
            shoup: prime.twiddles_shoup(),
            n,
        }
    }

    #[inline(always)]
    fn node<S: Simd>(&self, m: &Modular<S>, i: usize) -> Constant<S> {
        m.prepared(self.w[i], self.shoup[i])
    }

    /// Minus the inverse twiddle of node i at depth d.
    #[inline(always)]
    fn mirror<S: Simd>(&self, m: &Modular<S>, i: usize, depth_nodes: usize) -> Constant<S> {
        self.node(m, 3 * depth_nodes - 1 - i)
    }

    /// A node, its children and their children.
    #[inline(always)]
    fn three<S: Simd>(&self, m: &Modular<S>, i: usize) -> [Constant<S>; 7] {
        [
            self.node(m, i),
            self.node(m, 2 * i),
            self.node(m, 2 * i + 1),
            self.node(m, 4 * i),
            self.node(m, 4 * i + 1),
            self.node(m, 4 * i + 2),
            self.node(m, 4 * i + 3),
        ]
    }

    /// [`Tables::three`] of minus the inverse twiddles; `nodes` are as many as there are at the depth of `i`.
    #[inline(always)]
    fn three_mirrored<S: Simd>(&self, m: &Modular<S>, i: usize, nodes: usize) -> [Constant<S>; 7] {
        [
            self.mirror(m, i, nodes),
            self.mirror(m, 2 * i, 2 * nodes),
            self.mirror(m, 2 * i + 1, 2 * nodes),
            self.mirror(m, 4 * i, 4 * nodes),
            self.mirror(m, 4 * i + 1, 4 * nodes),
            self.mirror(m, 4 * i + 2, 4 * nodes),
            self.mirror(m, 4 * i + 3, 4 * nodes),
        ]
    }

    /// The twiddles of the stage whose partners are 2^K words apart, of the four pairs of vectors from `pair` on.
    #[inline(always)]
    fn lanes<S: Simd, const K: u32>(&self, pair: usize) -> Lanes<'_> {
        self.from::<S, K>((self.n >> (K + 1)) + pair * (S::LANES >> K))
    }

    /// [`Tables::lanes`] of minus the inverse twiddles; the last pair's come first.
    #[inline(always)]
    fn lanes_mirrored<S: Simd, const K: u32>(&self, pair: usize) -> Lanes<'_> {
        self.from::<S, K>(2 * (self.n >> (K + 1)) - (pair + 4) * (S::LANES >> K))
    }

    #[inline(always)]
    fn from<S: Simd, const K: u32>(&self, at: usize) -> Lanes<'_> {
        // One word more than belongs to them, but for the last stage, where there may be none.
        let len = 4 * (S::LANES >> K) + usize::from(K > 0);
        Lanes {
            w: &self.w[at..][..len],
            shoup: &self.shoup[at..][..len],
        }
    }
}

/// Twiddles of four pairs of vectors, in neighbouring words.
struct Lanes<'a> {
    w: &'a [u32],
    shoup: &'a [u32],
}

impl Lanes<'_> {
    /// Of pair `i`: value, companion, companion of odd lanes.
    #[inline(always)]
    fn pair<S: Simd, const K: u32>(&self, s: S, i: usize) -> [S::V; 3] {
        let at = i * (S::LANES >> K);
        let (w, shoup) = (s.spread::<K>(self.w, at), s.spread::<K>(self.shoup, at));
        [w, shoup, s.spread_odd::<K>(self.shoup, at)]
    }
}

/// The eight equal parts of a chunk.
#[inline(always)]
fn eighths<V>(chunk: &mut [V]) -> [&mut [V]; 8] {
    let eighth = chunk.len() / 8;
    let (a, rest) = chunk.split_at_mut(eighth);
    let (b, rest) = rest.split_at_mut(eighth);
    let (c, rest) = rest.split_at_mut(eighth);
    let (d, rest) = rest.split_at_mut(eighth);
    let (e, rest) = rest.split_at_mut(eighth);
    let (f, rest) = rest.split_at_mut(eighth);
    let (g, h) = rest.split_at_mut(eighth);
    [a, b, c, d, e, f, g, &mut h[..eighth]]
}

/// The four equal parts of a chunk.
#[inline(always)]
fn quarters<V>(chunk: &mut [V]) -> [&mut [V]; 4] {
    let quarter = chunk.len() / 4;
    let (a, rest) = chunk.split_at_mut(quarter);
    let (b, rest) = rest.split_at_mut(quarter);
    let (c, d) = rest.split_at_mut(quarter);
    [a, b, c, &mut d[..quarter]]
}
