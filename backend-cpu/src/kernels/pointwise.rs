//! One operation per word.

use super::reduce::Modular;
use crate::{permutation::Permutation, ring::Prime, simd::Simd};

#[inline(always)]
fn zip<S: Simd>(s: S, dst: &mut [u32], a: &[u32], b: &[u32], f: impl Fn(S::V, S::V) -> S::V) {
    let (dst, a, b) = (s.view_mut(dst), s.view(a), s.view(b));
    for ((d, &a), &b) in dst.iter_mut().zip(a).zip(b) {
        *d = f(a, b);
    }
}

#[inline(always)]
fn map<S: Simd>(s: S, dst: &mut [u32], a: &[u32], f: impl Fn(S::V) -> S::V) {
    for (d, &a) in s.view_mut(dst).iter_mut().zip(s.view(a)) {
        *d = f(a);
    }
}

#[inline(always)]
fn update<S: Simd>(s: S, dst: &mut [u32], a: &[u32], f: impl Fn(S::V, S::V) -> S::V) {
    for (d, &a) in s.view_mut(dst).iter_mut().zip(s.view(a)) {
        *d = f(*d, a);
    }
}

#[inline(always)]
fn product<S: Simd>(s: S, m: &Modular<S>, a: S::V, b: S::V) -> S::V {
    m.reduce_4q(m.barrett(s.mul_wide(a, s.odd(a), b, s.odd(b))))
}

/// dst = a + b.
#[inline(always)]
pub(crate) fn add<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) {
    let m = Modular::new(s, prime);
    zip(s, dst, a, b, |a, b| m.add(a, b));
}

/// dst = a - b.
#[inline(always)]
pub(crate) fn sub<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) {
    let m = Modular::new(s, prime);
    zip(s, dst, a, b, |a, b| m.sub(a, b));
}

/// dst = a b.
#[inline(always)]
pub(crate) fn mul<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) {
    let m = Modular::new(s, prime);
    zip(s, dst, a, b, |a, b| product(s, &m, a, b));
}

/// dst += a b. The sum is below q^2 + q < 2^(2k+1), so one reduction does.
#[inline(always)]
pub(crate) fn mul_acc<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) {
    let m = Modular::new(s, prime);
    let (dst, a, b) = (s.view_mut(dst), s.view(a), s.view(b));
    for ((d, &a), &b) in dst.iter_mut().zip(a).zip(b) {
        let sum = s.add_wide(s.widen_low(*d), s.mul_wide(a, s.odd(a), b, s.odd(b)));
        *d = m.reduce_4q(m.barrett(sum));
    }
}

/// dst = c a with a canonical constant.
#[inline(always)]
pub(crate) fn scale<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32], c: u32) {
    let m = Modular::new(s, prime);
    let c = m.constant(prime, c);
    map(s, dst, a, |a| m.reduce_2q(m.shoup(a, c)));
}

/// dst = -a.
#[inline(always)]
pub(crate) fn neg<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32]) {
    let m = Modular::new(s, prime);
    map(s, dst, a, |a| m.neg(a));
}

/// dst += a.
#[inline(always)]
pub(crate) fn add_assign<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32]) {
    let m = Modular::new(s, prime);
    update(s, dst, a, |d, a| m.add(d, a));
}

/// dst -= a.
#[inline(always)]
pub(crate) fn sub_assign<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32]) {
    let m = Modular::new(s, prime);
    update(s, dst, a, |d, a| m.sub(d, a));
}

/// dst *= a.
#[inline(always)]
pub(crate) fn mul_assign<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32]) {
    let m = Modular::new(s, prime);
    update(s, dst, a, |d, a| product(s, &m, d, a));
}

/// dst *= c with a canonical constant.
#[inline(always)]
pub(crate) fn scale_assign<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], c: u32) {
    let m = Modular::new(s, prime);
    let c = m.constant(prime, c);
    for d in s.view_mut(dst) {
        *d = m.reduce_2q(m.shoup(*d, c));
    }
}

/// dst += c with a canonical constant.
#[inline(always)]
pub(crate) fn add_constant_assign<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], c: u32) {
    let m = Modular::new(s, prime);
    let c = s.splat(c);
    for d in s.view_mut(dst) {
        *d = m.add(*d, c);
    }
}

/// dst = a + c with a canonical constant.
#[inline(always)]
pub(crate) fn add_constant<S: Simd>(s: S, prime: &Prime, dst: &mut [u32], a: &[u32], c: u32) {
    let m = Modular::new(s, prime);
    let c = s.splat(c);
    map(s, dst, a, |a| m.add(a, c));
}

/// Canonical residues of values below 4q.
#[inline(always)]
pub(crate) fn canonical<S: Simd>(s: S, prime: &Prime, dst: &mut [u32]) {
    let m = Modular::new(s, prime);
    for d in s.view_mut(dst) {
        *d = m.reduce_4q(*d);
    }
}

/// dst = a with its words moved.
#[inline(always)]
pub(crate) fn permute<S: Simd>(s: S, dst: &mut [u32], a: &[u32], permutation: &Permutation) {
    let a = s.view(a);
    for (i, d) in s.view_mut(dst).iter_mut().enumerate() {
        *d = permutation.vector(s, a, i);
    }
}
