//! The beginning and the end of a rescale, with the addend of a key switch.

use super::reduce::Modular;
use crate::{permutation::Permutation, ring::Prime, simd::Simd};

#[inline(always)]
fn at<S: Simd>(s: S, row: &[S::V], permutation: Option<&Permutation>, i: usize) -> S::V {
    match permutation {
        None => row[i],
        Some(p) => p.vector(s, row, i),
    }
}

/// `dst = src + factor * sigma(addend)`; an absent `src` is zero. `factor` is canonical.
#[inline(always)]
pub(crate) fn lift<S: Simd>(
    s: S,
    prime: &Prime,
    dst: &mut [u32],
    src: Option<&[u32]>,
    addend: &[u32],
    permutation: Option<&Permutation>,
    factor: u32,
) {
    let m = Modular::new(s, prime);
    let factor = m.constant(prime, factor);
    let (src, addend) = (src.map(|x| s.view(x)), s.view(addend));
    for (i, d) in s.view_mut(dst).iter_mut().enumerate() {
        let x = src.map_or(s.splat(0), |x| x[i]);
        let lifted = m.shoup(at(s, addend, permutation, i), factor);
        *d = m.add(x, m.reduce_2q(lifted));
    }
}

/// `dst += factor * sigma(addend)`.
#[inline(always)]
pub(crate) fn lift_assign<S: Simd>(
    s: S,
    prime: &Prime,
    dst: &mut [u32],
    addend: &[u32],
    permutation: Option<&Permutation>,
    factor: u32,
) {
    let m = Modular::new(s, prime);
    let factor = m.constant(prime, factor);
    let addend = s.view(addend);
    for (i, d) in s.view_mut(dst).iter_mut().enumerate() {
        *d = m.add(
            *d,
            m.reduce_2q(m.shoup(at(s, addend, permutation, i), factor)),
        );
    }
}

/// What [`combine`] adds up: rows with their canonical factors, times 2^32.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The kept row.
    pub(crate) src: Option<(&'a [u32], u32)>,
    /// The addend, moved by `permutation`.
    pub(crate) addend: Option<(&'a [u32], u32)>,
    pub(crate) permutation: Option<&'a Permutation>,
    /// The factor of what `dst` holds, which may be anything below 4q.
    pub(crate) factor: u32,
}

impl Terms<'_> {
    /// Nothing but the factor.
    pub(crate) fn only(factor: u32) -> Self {
        Self {
            src: None,
            addend: None,
            permutation: None,
            factor,
        }
    }
}

/// `dst = factor * dst + factor_s * src + factor_a * sigma(addend)`. The sum of products is below
/// 4q^2 + 2q^2 < 4 q 2^32.
#[inline(always)]
pub(crate) fn combine<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], terms: Terms<'_>) {
    let m = Modular::new(s, prime);
    let prepare = |(row, factor)| (s.view(row), s.splat(factor));
    let (src, addend) = (terms.src.map(prepare), terms.addend.map(prepare));
    let factor = s.splat(terms.factor);
    for (i, d) in s.view_mut(dst).iter_mut().enumerate() {
        let mut sum = s.mul_wide(*d, s.odd(*d), factor, factor);
        if let Some((row, factor)) = src {
            let x = row[i];
            sum = s.add_wide(sum, s.mul_wide(x, s.odd(x), factor, factor));
        }
        if let Some((row, factor)) = addend {
            let x = at(s, row, terms.permutation, i);
            sum = s.add_wide(sum, s.mul_wide(x, s.odd(x), factor, factor));
        }
        *d = m.reduce_4q(m.montgomery(sum));
    }
}
