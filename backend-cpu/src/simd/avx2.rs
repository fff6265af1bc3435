//! Eight lanes: AVX2.

use std::arch::x86_64::*;

use super::{Simd, x86::lanes_apart};

/// Eight lanes. Made only where `avx2` is enabled, so that whoever holds one may use the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The token.
    ///
    /// # Safety
    /// The processor must have AVX2.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

/// Even and odd lanes.
#[derive(Clone, Copy)]
pub(crate) struct Wide(__m256i, __m256i);

/// Mask of `blend_epi32`: the odd words from the second operand.
const ODD: i32 = 0xAA;
/// Selector of `shuffle_epi32`: both words of a pair become the lower one.
const LOW_TWICE: i32 = 0xA0;
/// Selector of `shuffle_epi32`: both words of a pair become the upper one.
const HIGH_TWICE: i32 = 0xF5;

impl Simd for Avx2 {
    const LOG: u32 = 3;

    lanes_apart! {
        __m256i;
        set: _mm256_set1_epi32,
        add: _mm256_add_epi32,
        sub: _mm256_sub_epi32,
        min: _mm256_min_epu32,
        mul_lo: _mm256_mullo_epi32,
        shr: _mm256_srl_epi32,
        shr_by: _mm256_srli_epi64,
        mul_wide: _mm256_mul_epu32,
        add_wide: _mm256_add_epi64,
        shr_wide: _mm256_srl_epi64,
    }

    #[inline(always)]
    fn high(self, a: Wide) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_blend_epi32::<ODD>(_mm256_shuffle_epi32::<HIGH_TWICE>(a.0), a.1) }
    }

    #[inline(always)]
    fn low(self, a: Wide) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_blend_epi32::<ODD>(a.0, _mm256_shuffle_epi32::<LOW_TWICE>(a.1)) }
    }

    #[inline(always)]
    fn widen_low(self, x: __m256i) -> Wide {
        // SAFETY: `self` proves AVX2.
        unsafe {
            Wide(
                _mm256_blend_epi32::<ODD>(x, _mm256_setzero_si256()),
                _mm256_srli_epi64::<32>(x),
            )
        }
    }

    #[inline(always)]
    fn widen_high(self, x: __m256i) -> Wide {
        // SAFETY: `self` proves AVX2.
        unsafe {
            Wide(
                _mm256_slli_epi64::<32>(x),
                _mm256_blend_epi32::<ODD>(_mm256_setzero_si256(), x),
            )
        }
    }

    #[inline(always)]
    fn permute(self, a: __m256i, index: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_permutevar8x32_epi32(a, index) }
    }

    // Words are numbered by 4 bits: v tells the two vectors apart, 2 1 0 is the place in one.
    //
    //   vector bit, lane bits    v 210   down 2: 2 v10   down 1: 1 v02   down 0: 0 v21   leave: v 210
    //
    // The inverse transform walks back with the bits of the block's number (v 2 .., K bits short of 4) complemented.

    #[inline(always)]
    fn down<const K: u32>(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        if K == 2 {
            halves(self, a, b)
        } else {
            unpack(self, a, b)
        }
    }

    #[inline(always)]
    fn leave(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        let (a, b) = unpack(self, a, b);
        halves(self, a, b)
    }

    #[inline(always)]
    fn enter(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        // 2, ~v 1 0, then 0, ~v ~2 ~1.
        let (low, high) = halves(self, b, a);
        (
            select::<0x22>(self, high, low),
            select::<0x77>(self, high, low),
        )
    }

    #[inline(always)]
    fn up<const K: u32>(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        // The bit that tells the new vectors apart is a complement: odd lanes and upper halves are the first.
        if K == 2 {
            let (low, high) = halves(self, a, b);
            (high, low)
        } else {
            (select::<0xDD>(self, a, b), select::<0x88>(self, a, b))
        }
    }

    #[inline(always)]
    fn spread<const K: u32>(self, words: &[u32], at: usize) -> __m256i {
        let words = &words[at..at + (8 >> K)];
        // SAFETY: loads of exactly the words that are there, unaligned; `self` proves AVX2.
        unsafe {
            match K {
                0 => _mm256_loadu_si256(words.as_ptr().cast()),
                1 => {
                    let four = _mm_loadu_si128(words.as_ptr().cast());
                    _mm256_permute4x64_epi64::<0x50>(_mm256_castsi128_si256(four))
                }
                _ => _mm256_blend_epi32::<0xF0>(self.splat(words[0]), self.splat(words[1])),
            }
        }
    }

    #[inline(always)]
    fn spread_odd<const K: u32>(self, words: &[u32], at: usize) -> __m256i {
        let spread = self.spread::<K>(words, at);
        // In blocks of four lanes neighbours are equal.
        if K == 2 { spread } else { self.odd(spread) }
    }
}

/// (lower halves, upper halves).
#[inline(always)]
fn halves(_: Avx2, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
    // SAFETY: the token proves AVX2.
    unsafe {
        (
            _mm256_permute2x128_si256::<0x20>(a, b),
            _mm256_permute2x128_si256::<0x31>(a, b),
        )
    }
}

/// In every half: (a0 b0 a1 b1, a2 b2 a3 b3).
#[inline(always)]
fn unpack(_: Avx2, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
    // SAFETY: the token proves AVX2.
    unsafe { (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)) }
}

/// In every half: two words of `a`, two of `b`, with these numbers of two bits each.
#[inline(always)]
fn select<const WORDS: i32>(_: Avx2, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the token proves AVX2.
    unsafe {
        let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
        _mm256_castps_si256(_mm256_shuffle_ps::<WORDS>(a, b))
    }
}
