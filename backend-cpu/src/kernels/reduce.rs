//! Modular reduction of products and of sums of products.
//!
//! | function | input | output |
//! |---|---|---|
//! | [`Modular::shoup`] | any 32-bit a, constant w < q | \[0, 2q) |
//! | [`Modular::barrett`] | T < 2^(2k+1), q < 2^k | \[0, 3q) |
//! | [`Modular::montgomery`] | T < 4 q 2^32 | T 2^-32, \[0, 3q) |
//! | [`Modular::montgomery_lazy`] | T < 3 q 2^32 | T 2^-32, \[0, 4q) |
//! | [`Modular::wide`] | any 64-bit T | \[0, 4q) |
//! | [`Modular::reduce_4q`] | \[0, 4q) | \[0, q) |
//!
//! 4q < 2^32 because q < 2^30. Products of a residue below 2^30 with one below q are below q 2^30, so
//! a sum of 15 of them is below 3.75 q 2^32: what `montgomery` takes. [`FOLD`] leaves room for a
//! partial result carried along.

use crate::{ring::Prime, simd::Simd};

/// Products of two residues between two reductions: 11 q 2^30 and a carried r 2^32 with r < q stay below 4 q 2^32,
/// and any 15 stay below 2^64.
pub(crate) const FOLD: usize = 11;

/// One prime's constants in all lanes.
#[derive(Clone, Copy)]
pub(crate) struct Modular<S: Simd> {
    s: S,
    q: S::V,
    q2: S::V,
    inverse: S::V,
    minus_inverse: S::V,
    barrett: S::V,
    shift: u32,
    radix: [S::V; 2],
    one: S::V,
}

/// A constant w < q with floor(w 2^32 / q), in all lanes.
#[derive(Clone, Copy)]
pub(crate) struct Constant<S: Simd> {
    value: S::V,
    shoup: S::V,
}

impl<S: Simd> Modular<S> {
    #[inline(always)]
    pub(crate) fn new(s: S, prime: &Prime) -> Self {
        Self {
            s,
            q: s.splat(prime.q),
            q2: s.splat(2 * prime.q),
            inverse: s.splat(prime.inverse),
            minus_inverse: s.splat(prime.inverse.wrapping_neg()),
            barrett: s.splat(prime.barrett),
            shift: prime.shift,
            radix: [s.splat(prime.radix), s.splat(prime.shoup(prime.radix))],
            one: s.splat(prime.shoup(1)),
        }
    }

    /// A prepared constant; `value` is canonical.
    #[inline(always)]
    pub(crate) fn constant(&self, prime: &Prime, value: u32) -> Constant<S> {
        Constant {
            value: self.s.splat(value),
            shoup: self.s.splat(prime.shoup(value)),
        }
    }

    /// A constant from a table: `value` and its companion.
    #[inline(always)]
    pub(crate) fn prepared(&self, value: u32, shoup: u32) -> Constant<S> {
        Constant {
            value: self.s.splat(value),
            shoup: self.s.splat(shoup),
        }
    }

    #[inline(always)]
    fn below(&self, x: S::V, m: S::V) -> S::V {
        // x - m wraps to a large number where x < m.
        self.s.min(x, self.s.sub(x, m))
    }

    /// [0, 4q) to [0, 2q).
    #[inline(always)]
    pub(crate) fn below_2q(&self, x: S::V) -> S::V {
        self.below(x, self.q2)
    }

    /// [0, 2q) to [0, q).
    #[inline(always)]
    pub(crate) fn reduce_2q(&self, x: S::V) -> S::V {
        self.below(x, self.q)
    }

    /// [0, 4q) to [0, q).
    #[inline(always)]
    pub(crate) fn reduce_4q(&self, x: S::V) -> S::V {
        self.below(self.below(x, self.q2), self.q)
    }

    /// a - b + 2q: for a < 2q and b <= 2q in [0, 4q).
    #[inline(always)]
    pub(crate) fn sub_lazy(&self, a: S::V, b: S::V) -> S::V {
        self.s.add(self.s.sub(a, b), self.q2)
    }

    /// (a + b) mod q of canonical operands.
    #[inline(always)]
    pub(crate) fn add(&self, a: S::V, b: S::V) -> S::V {
        self.below(self.s.add(a, b), self.q)
    }

    /// (a - b) mod q of canonical operands.
    #[inline(always)]
    pub(crate) fn sub(&self, a: S::V, b: S::V) -> S::V {
        let difference = self.s.sub(a, b);
        self.s.min(difference, self.s.add(difference, self.q))
    }

    /// -a mod q of a canonical operand.
    #[inline(always)]
    pub(crate) fn neg(&self, a: S::V) -> S::V {
        self.below(self.s.sub(self.q, a), self.q)
    }

    /// a w mod q in [0, 2q) for any 32-bit a, w with all lanes equal. Proof: with w' = w 2^32/q - e, 0 <= e < 1, the quotient
    /// floor(a w' / 2^32) misses a w / q by less than 1 + e a / 2^32 < 2.
    #[inline(always)]
    pub(crate) fn shoup(&self, a: S::V, w: Constant<S>) -> S::V {
        let s = self.s;
        let t = s.high(s.mul_wide(a, s.odd(a), w.shoup, w.shoup));
        s.sub(s.mul_lo(a, w.value), s.mul_lo(t, self.q))
    }

    /// [`Modular::shoup`] with constants that differ between lanes; `w_odd` is [`Simd::odd`] of `w_shoup`, or the same where
    /// neighbouring lanes are equal.
    #[inline(always)]
    pub(crate) fn shoup_lanes(&self, a: S::V, w: S::V, w_shoup: S::V, w_odd: S::V) -> S::V {
        let s = self.s;
        let t = s.high(s.mul_wide(a, s.odd(a), w_shoup, w_odd));
        s.sub(s.mul_lo(a, w), s.mul_lo(t, self.q))
    }

    /// T mod q in [0, 3q) for T < 2^(2k+1), where 2^(k-1) < q < 2^k. Proof: x = T >> (k-1) < 2^32 loses less than 1 unit, the
    /// reciprocal floor(2^(k+31)/q) < 2^32 less than 1, the last floor less than 1.
    #[inline(always)]
    pub(crate) fn barrett(&self, t: S::W) -> S::V {
        let s = self.s;
        let quotient = s.high(s.mul_wide_low(s.shr_wide(t, self.shift), self.barrett));
        s.sub(s.low(t), s.mul_lo(quotient, self.q))
    }

    /// T 2^-32 mod q in [0, 4q) for T < 3 q 2^32: T + ((-T q^-1) mod 2^32) q < 4 q 2^32 < 2^64 is a multiple of 2^32.
    #[inline(always)]
    pub(crate) fn montgomery_lazy(&self, t: S::W) -> S::V {
        let s = self.s;
        let multiple = s.mul_wide_low(s.mul_wide_low(t, self.minus_inverse), self.q);
        s.high(s.add_wide(t, multiple))
    }

    /// T 2^-32 mod q in [0, 3q) for T < 4 q 2^32: T - ((T q^-1) mod 2^32) q is a multiple of 2^32.
    #[inline(always)]
    pub(crate) fn montgomery(&self, t: S::W) -> S::V {
        let s = self.s;
        let multiple = s.mul_wide_low(s.mul_wide_low(t, self.inverse), self.q);
        let high = self.below(s.high(t), self.q2);
        s.add(s.sub(high, s.high(multiple)), self.q)
    }

    /// T mod q in [0, 4q) for any T: high * (2^32 mod q) + low.
    #[inline(always)]
    pub(crate) fn wide(&self, t: S::W) -> S::V {
        let s = self.s;
        let radix = Constant {
            value: self.radix[0],
            shoup: self.radix[1],
        };
        let low = s.low(t);
        let quotient = s.high(s.mul_wide(low, s.odd(low), self.one, self.one));
        let low = s.sub(low, s.mul_lo(quotient, self.q));
        s.add(self.shoup(s.high(t), radix), low)
    }

    /// T with the same [`Modular::montgomery`] result and T < q 2^32, to go on accumulating.
    #[inline(always)]
    pub(crate) fn fold(&self, t: S::W) -> S::W {
        self.s.widen_high(self.reduce_4q(self.montgomery(t)))
    }
}
