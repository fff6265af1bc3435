//! Sixteen lanes: AVX-512.

use std::arch::x86_64::*;

use super::{Simd, x86::lanes_apart};

/// Sixteen lanes. Made only where `avx512f`, `avx512bw`, `avx512dq` and `avx512vl` are enabled, so that whoever
/// holds one may use the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx512 {
    /// The even words. A value and not a constant: a masked shuffle whose mask the compiler knows becomes a two-source
    /// permutation, which is slower and needs its index in a register.
    even: __mmask16,
}

impl Avx512 {
    /// The token.
    ///
    /// # Safety
    /// The processor must have the instructions named at the type.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self {
            even: std::hint::black_box(EVEN),
        }
    }
}

/// Even and odd lanes.
#[derive(Clone, Copy)]
pub(crate) struct Wide(__m512i, __m512i);

const ODD: __mmask16 = !EVEN;
const EVEN: __mmask16 = 0x5555;
/// Selector of `shuffle_epi32`: both words of a pair become the lower one.
const LOW_TWICE: i32 = 0xA0;
/// Selector of `shuffle_epi32`: both words of a pair become the upper one.
const HIGH_TWICE: i32 = 0xF5;

#[inline(always)]
fn lanes(f: impl Fn(i32) -> i32) -> [i32; 16] {
    std::array::from_fn(|j| f(j as i32))
}

impl Simd for Avx512 {
    const LOG: u32 = 4;

    lanes_apart! {
        __m512i;
        set: _mm512_set1_epi32,
        add: _mm512_add_epi32,
        sub: _mm512_sub_epi32,
        min: _mm512_min_epu32,
        mul_lo: _mm512_mullo_epi32,
        shr: _mm512_srl_epi32,
        shr_by: _mm512_srli_epi64,
        mul_wide: _mm512_mul_epu32,
        add_wide: _mm512_add_epi64,
        shr_wide: _mm512_srl_epi64,
    }

    #[inline(always)]
    fn high(self, a: Wide) -> __m512i {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_mask_shuffle_epi32::<HIGH_TWICE>(a.1, self.even, a.0) }
    }

    #[inline(always)]
    fn low(self, a: Wide) -> __m512i {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_mask_shuffle_epi32::<LOW_TWICE>(a.0, !self.even, a.1) }
    }

    #[inline(always)]
    fn widen_low(self, x: __m512i) -> Wide {
        // SAFETY: `self` proves the instructions.
        unsafe { Wide(_mm512_maskz_mov_epi32(EVEN, x), _mm512_srli_epi64::<32>(x)) }
    }

    #[inline(always)]
    fn widen_high(self, x: __m512i) -> Wide {
        // SAFETY: `self` proves the instructions.
        unsafe { Wide(_mm512_slli_epi64::<32>(x), _mm512_maskz_mov_epi32(ODD, x)) }
    }

    #[inline(always)]
    fn permute(self, a: __m512i, index: __m512i) -> __m512i {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_permutexvar_epi32(index, a) }
    }

    // Words are numbered by 5 bits: v tells the two vectors apart, 3 2 1 0 is the place in one. Every exchange is the same
    // shuffle of 32 words, so that the blocks' numbers (v 3 2 .., K bits short of 5) are always the lowest bits of the lane:
    //
    //   vector bit, lane bits    v 3210   down 3: 3 210v   down 2: 2 10v3   down 1: 1 0v32   down 0: 0 v321   leave: v 3210
    //
    // The inverse transform walks back with the bits of the block's number complemented.

    #[inline(always)]
    fn down<const K: u32>(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        interleave(self, a, b)
    }

    #[inline(always)]
    fn leave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        interleave(self, a, b)
    }

    #[inline(always)]
    fn enter(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        two_sources(self, a, b, lanes(|j| 30 - 2 * j), lanes(|j| 31 - 2 * j))
    }

    #[inline(always)]
    fn up<const K: u32>(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // The bit that tells the new vectors apart is a complement: the odd lanes are the first.
        two_sources(self, a, b, lanes(|j| 2 * j + 1), lanes(|j| 2 * j))
    }

    #[inline(always)]
    fn spread<const K: u32>(self, words: &[u32], at: usize) -> __m512i {
        repeat::<K>(self, &words[at..at + (16 >> K)])
    }

    #[inline(always)]
    fn spread_odd<const K: u32>(self, words: &[u32], at: usize) -> __m512i {
        match K {
            0 => self.odd(self.spread::<K>(words, at)),
            3 => self.splat(words[at + 1]),
            // The last word is for an odd lane, which nobody reads.
            _ => repeat::<K>(self, &words[at + 1..at + 1 + (16 >> K)]),
        }
    }
}

/// (a0 b0 a1 b1 .., rest).
#[inline(always)]
fn interleave(token: Avx512, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
    let half = |start: i32| lanes(move |j| start + j / 2 + 16 * (j % 2));
    two_sources(token, a, b, half(0), half(8))
}

/// The words of `a` (0 to 15) and `b` (16 to 31) with these numbers.
#[inline(always)]
fn two_sources(
    _: Avx512,
    a: __m512i,
    b: __m512i,
    first: [i32; 16],
    second: [i32; 16],
) -> (__m512i, __m512i) {
    // SAFETY: loads of whole arrays; the token proves the instructions.
    unsafe {
        let first = _mm512_loadu_epi32(first.as_ptr());
        let second = _mm512_loadu_epi32(second.as_ptr());
        (
            _mm512_permutex2var_epi32(a, first, b),
            _mm512_permutex2var_epi32(a, second, b),
        )
    }
}

/// The `16 >> K` words again and again.
#[inline(always)]
fn repeat<const K: u32>(_: Avx512, words: &[u32]) -> __m512i {
    assert_eq!(words.len(), 16 >> K);
    let start = words.as_ptr();
    // SAFETY: each arm reads exactly the 16 >> K words that are there; unaligned loads; the token
    // proves the instructions.
    unsafe {
        match K {
            0 => _mm512_loadu_si512(start.cast()),
            1 => _mm512_broadcast_i64x4(_mm256_loadu_si256(start.cast())),
            2 => _mm512_broadcast_i32x4(_mm_loadu_si128(start.cast())),
            _ => _mm512_broadcastq_epi64(_mm_loadl_epi64(start.cast())),
        }
    }
}
