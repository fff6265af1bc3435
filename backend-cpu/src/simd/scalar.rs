//! One lane: the plain twin of every vector operation.

use super::Simd;

/// One lane.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

impl Simd for Scalar {
    type V = u32;
    type W = u64;
    const LOG: u32 = 0;

    #[inline(always)]
    fn view(self, words: &[u32]) -> &[u32] {
        words
    }

    #[inline(always)]
    fn view_mut(self, words: &mut [u32]) -> &mut [u32] {
        words
    }

    #[inline(always)]
    fn splat(self, x: u32) -> u32 {
        x
    }

    #[inline(always)]
    fn add(self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn sub(self, a: u32, b: u32) -> u32 {
        a.wrapping_sub(b)
    }

    #[inline(always)]
    fn min(self, a: u32, b: u32) -> u32 {
        a.min(b)
    }

    #[inline(always)]
    fn mul_lo(self, a: u32, b: u32) -> u32 {
        a.wrapping_mul(b)
    }

    #[inline(always)]
    fn shr(self, a: u32, bits: u32) -> u32 {
        a >> bits
    }

    #[inline(always)]
    fn odd(self, a: u32) -> u32 {
        a
    }

    #[inline(always)]
    fn mul_wide(self, a: u32, _: u32, b: u32, _: u32) -> u64 {
        u64::from(a) * u64::from(b)
    }

    #[inline(always)]
    fn add_wide(self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn mul_wide_low(self, a: u64, c: u32) -> u64 {
        (a & 0xffff_ffff) * u64::from(c)
    }

    #[inline(always)]
    fn shr_wide(self, a: u64, bits: u32) -> u64 {
        a >> bits
    }

    #[inline(always)]
    fn high(self, a: u64) -> u32 {
        (a >> 32) as u32
    }

    #[inline(always)]
    fn low(self, a: u64) -> u32 {
        a as u32
    }

    #[inline(always)]
    fn widen_low(self, x: u32) -> u64 {
        u64::from(x)
    }

    #[inline(always)]
    fn widen_high(self, x: u32) -> u64 {
        u64::from(x) << 32
    }

    #[inline(always)]
    fn permute(self, a: u32, _: u32) -> u32 {
        a
    }

    #[inline(always)]
    fn down<const K: u32>(self, a: u32, b: u32) -> (u32, u32) {
        (a, b)
    }

    #[inline(always)]
    fn leave(self, a: u32, b: u32) -> (u32, u32) {
        (a, b)
    }

    #[inline(always)]
    fn enter(self, a: u32, b: u32) -> (u32, u32) {
        (a, b)
    }

    #[inline(always)]
    fn up<const K: u32>(self, a: u32, b: u32) -> (u32, u32) {
        (a, b)
    }

    #[inline(always)]
    fn spread<const K: u32>(self, words: &[u32], at: usize) -> u32 {
        words[at]
    }

    #[inline(always)]
    fn spread_odd<const K: u32>(self, words: &[u32], at: usize) -> u32 {
        words[at]
    }
}
