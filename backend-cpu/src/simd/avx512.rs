//! Sixteen lanes: AVX-512.

use std::arch::x86_64::*;

use super::Simd;

/// Sixteen lanes. Made only where `avx512f`, `avx512bw`, `avx512dq` and `avx512vl` are enabled.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The token.
    ///
    /// # Safety
    /// The processor must have the instructions named at the type.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

/// Even and odd lanes.
#[derive(Clone, Copy)]
pub(crate) struct Wide(__m512i, __m512i);

const ODD: __mmask16 = 0xAAAA;
const EVEN: __mmask16 = 0x5555;
/// Selector of `shuffle_epi32`: both words of a pair become the lower one.
const LOW_TWICE: i32 = 0xA0;
/// Selector of `shuffle_epi32`: both words of a pair become the upper one.
const HIGH_TWICE: i32 = 0xF5;

#[inline(always)]
fn lanes(f: impl Fn(i32) -> i32) -> [i32; 16] {
    std::array::from_fn(|j| f(j as i32))
}

// SAFETY of all intrinsics below: an `Avx512` exists only where the processor has the instructions (`Avx512::new`).
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Avx512 {
    type V = __m512i;
    type W = Wide;
    const LOG: u32 = 4;

    #[inline(always)]
    fn view(self, words: &[u32]) -> &[__m512i] {
        // SAFETY: every bit pattern is a value of both types, and the middle part is aligned.
        let (before, vectors, after) = unsafe { words.align_to() };
        assert!(before.is_empty() && after.is_empty(), "rows are aligned");
        vectors
    }

    #[inline(always)]
    fn view_mut(self, words: &mut [u32]) -> &mut [__m512i] {
        // SAFETY: as for `view`.
        let (before, vectors, after) = unsafe { words.align_to_mut() };
        assert!(before.is_empty() && after.is_empty(), "rows are aligned");
        vectors
    }

    #[inline(always)]
    fn prefetch(self, vectors: &[__m512i], at: usize) {
        // A hint reads nothing, so the address need not be inside.
        let address = vectors.as_ptr().wrapping_add(at);
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }

    #[inline(always)]
    fn splat(self, x: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(x as i32) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_min_epu32(a, b) }
    }

    #[inline(always)]
    fn mul_lo(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_mullo_epi32(a, b) }
    }

    #[inline(always)]
    fn shr(self, a: __m512i, bits: u32) -> __m512i {
        unsafe { _mm512_srl_epi32(a, _mm_cvtsi32_si128(bits as i32)) }
    }

    #[inline(always)]
    fn odd(self, a: __m512i) -> __m512i {
        unsafe { _mm512_srli_epi64::<32>(a) }
    }

    #[inline(always)]
    fn mul_wide(self, a: __m512i, a_odd: __m512i, b: __m512i, b_odd: __m512i) -> Wide {
        unsafe { Wide(_mm512_mul_epu32(a, b), _mm512_mul_epu32(a_odd, b_odd)) }
    }

    #[inline(always)]
    fn add_wide(self, a: Wide, b: Wide) -> Wide {
        unsafe { Wide(_mm512_add_epi64(a.0, b.0), _mm512_add_epi64(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_wide_low(self, a: Wide, c: __m512i) -> Wide {
        unsafe { Wide(_mm512_mul_epu32(a.0, c), _mm512_mul_epu32(a.1, c)) }
    }

    #[inline(always)]
    fn shr_wide(self, a: Wide, bits: u32) -> Wide {
        unsafe {
            let bits = _mm_cvtsi32_si128(bits as i32);
            Wide(_mm512_srl_epi64(a.0, bits), _mm512_srl_epi64(a.1, bits))
        }
    }

    #[inline(always)]
    fn high(self, a: Wide) -> __m512i {
        unsafe { _mm512_mask_shuffle_epi32::<HIGH_TWICE>(a.1, EVEN, a.0) }
    }

    #[inline(always)]
    fn low(self, a: Wide) -> __m512i {
        unsafe { _mm512_mask_shuffle_epi32::<LOW_TWICE>(a.0, ODD, a.1) }
    }

    #[inline(always)]
    fn widen_low(self, x: __m512i) -> Wide {
        unsafe { Wide(_mm512_maskz_mov_epi32(EVEN, x), _mm512_srli_epi64::<32>(x)) }
    }

    #[inline(always)]
    fn widen_high(self, x: __m512i) -> Wide {
        unsafe { Wide(_mm512_slli_epi64::<32>(x), _mm512_maskz_mov_epi32(ODD, x)) }
    }

    #[inline(always)]
    fn permute(self, a: __m512i, index: __m512i) -> __m512i {
        unsafe { _mm512_permutexvar_epi32(index, a) }
    }

    #[inline(always)]
    fn swap<const K: u32>(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        unsafe {
            match K {
                3 => (
                    _mm512_shuffle_i64x2::<0x44>(a, b),
                    _mm512_shuffle_i64x2::<0xEE>(a, b),
                ),
                2 => (
                    _mm512_mask_permutex_epi64::<0x44>(a, 0xCC, b),
                    _mm512_mask_permutex_epi64::<0xEE>(b, 0x33, a),
                ),
                1 => (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)),
                _ => (
                    _mm512_mask_shuffle_epi32::<LOW_TWICE>(a, ODD, b),
                    _mm512_mask_shuffle_epi32::<HIGH_TWICE>(b, EVEN, a),
                ),
            }
        }
    }

    #[inline(always)]
    fn interleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        const FIRST: [i32; 16] = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
        const SECOND: [i32; 16] = [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31];
        unsafe {
            let (first, second) = (
                _mm512_loadu_epi32(FIRST.as_ptr()),
                _mm512_loadu_epi32(SECOND.as_ptr()),
            );
            (
                _mm512_permutex2var_epi32(a, first, b),
                _mm512_permutex2var_epi32(a, second, b),
            )
        }
    }

    #[inline(always)]
    fn deinterleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        let (even, odd) = (lanes(|j| 2 * j), lanes(|j| 2 * j + 1));
        unsafe {
            let (even, odd) = (
                _mm512_loadu_epi32(even.as_ptr()),
                _mm512_loadu_epi32(odd.as_ptr()),
            );
            (
                _mm512_permutex2var_epi32(a, even, b),
                _mm512_permutex2var_epi32(a, odd, b),
            )
        }
    }

    #[inline(always)]
    fn expand<const K: u32>(self, words: &[u32], at: usize) -> __m512i {
        let loaded = load_part::<K>(&words[at..at + (16 >> K)]);
        if K == 0 {
            return loaded;
        }
        let index = lanes(|j| j >> K);
        unsafe { _mm512_permutexvar_epi32(_mm512_loadu_epi32(index.as_ptr()), loaded) }
    }

    #[inline(always)]
    fn expand_reversed<const K: u32>(self, words: &[u32], at: usize) -> __m512i {
        let loaded = load_part::<K>(&words[at..at + (16 >> K)]);
        let index = lanes(|j| (15 >> K) - (j >> K));
        unsafe { _mm512_permutexvar_epi32(_mm512_loadu_epi32(index.as_ptr()), loaded) }
    }
}

/// The words as the lowest lanes; there are `16 >> K`, the other lanes are unspecified.
#[inline(always)]
fn load_part<const K: u32>(words: &[u32]) -> __m512i {
    assert_eq!(words.len(), 16 >> K);
    let start = words.as_ptr();
    // SAFETY: each arm reads exactly the 16 >> K words that are there; unaligned loads; instructions as above.
    unsafe {
        match K {
            0 => _mm512_loadu_si512(start.cast()),
            1 => _mm512_castsi256_si512(_mm256_loadu_si256(start.cast())),
            2 => _mm512_castsi128_si512(_mm_loadu_si128(start.cast())),
            _ => _mm512_castsi128_si512(_mm_loadl_epi64(start.cast())),
        }
    }
}
