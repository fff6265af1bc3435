//! Eight lanes: AVX2.

use std::arch::x86_64::*;

use super::Simd;

/// Eight lanes. Made only where `avx2` is enabled.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The token.
    ///
    /// # Safety
    /// The processor must have AVX2.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
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

// SAFETY of all intrinsics below: an `Avx2` exists only where the processor has the instructions (`Avx2::new`).
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Avx2 {
    type V = __m256i;
    type W = Wide;
    const LOG: u32 = 3;

    #[inline(always)]
    fn view(self, words: &[u32]) -> &[__m256i] {
        // SAFETY: every bit pattern is a value of both types, and the middle part is aligned.
        let (before, vectors, after) = unsafe { words.align_to() };
        assert!(before.is_empty() && after.is_empty(), "rows are aligned");
        vectors
    }

    #[inline(always)]
    fn view_mut(self, words: &mut [u32]) -> &mut [__m256i] {
        // SAFETY: as for `view`.
        let (before, vectors, after) = unsafe { words.align_to_mut() };
        assert!(before.is_empty() && after.is_empty(), "rows are aligned");
        vectors
    }

    #[inline(always)]
    fn prefetch(self, vectors: &[__m256i], at: usize) {
        // A hint reads nothing, so the address need not be inside.
        let address = vectors.as_ptr().wrapping_add(at);
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }

    #[inline(always)]
    fn splat(self, x: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(x as i32) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_min_epu32(a, b) }
    }

    #[inline(always)]
    fn mul_lo(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_mullo_epi32(a, b) }
    }

    #[inline(always)]
    fn shr(self, a: __m256i, bits: u32) -> __m256i {
        unsafe { _mm256_srl_epi32(a, _mm_cvtsi32_si128(bits as i32)) }
    }

    #[inline(always)]
    fn odd(self, a: __m256i) -> __m256i {
        unsafe { _mm256_srli_epi64::<32>(a) }
    }

    #[inline(always)]
    fn mul_wide(self, a: __m256i, a_odd: __m256i, b: __m256i, b_odd: __m256i) -> Wide {
        unsafe { Wide(_mm256_mul_epu32(a, b), _mm256_mul_epu32(a_odd, b_odd)) }
    }

    #[inline(always)]
    fn add_wide(self, a: Wide, b: Wide) -> Wide {
        unsafe { Wide(_mm256_add_epi64(a.0, b.0), _mm256_add_epi64(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_wide_low(self, a: Wide, c: __m256i) -> Wide {
        unsafe { Wide(_mm256_mul_epu32(a.0, c), _mm256_mul_epu32(a.1, c)) }
    }

    #[inline(always)]
    fn shr_wide(self, a: Wide, bits: u32) -> Wide {
        unsafe {
            let bits = _mm_cvtsi32_si128(bits as i32);
            Wide(_mm256_srl_epi64(a.0, bits), _mm256_srl_epi64(a.1, bits))
        }
    }

    #[inline(always)]
    fn high(self, a: Wide) -> __m256i {
        unsafe { _mm256_blend_epi32::<ODD>(_mm256_shuffle_epi32::<HIGH_TWICE>(a.0), a.1) }
    }

    #[inline(always)]
    fn low(self, a: Wide) -> __m256i {
        unsafe { _mm256_blend_epi32::<ODD>(a.0, _mm256_shuffle_epi32::<LOW_TWICE>(a.1)) }
    }

    #[inline(always)]
    fn widen_low(self, x: __m256i) -> Wide {
        unsafe {
            Wide(
                _mm256_blend_epi32::<ODD>(x, _mm256_setzero_si256()),
                _mm256_srli_epi64::<32>(x),
            )
        }
    }

    #[inline(always)]
    fn widen_high(self, x: __m256i) -> Wide {
        unsafe {
            Wide(
                _mm256_slli_epi64::<32>(x),
                _mm256_blend_epi32::<ODD>(_mm256_setzero_si256(), x),
            )
        }
    }

    #[inline(always)]
    fn permute(self, a: __m256i, index: __m256i) -> __m256i {
        unsafe { _mm256_permutevar8x32_epi32(a, index) }
    }

    #[inline(always)]
    fn swap<const K: u32>(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        unsafe {
            match K {
                2 => (
                    _mm256_permute2x128_si256::<0x20>(a, b),
                    _mm256_permute2x128_si256::<0x31>(a, b),
                ),
                1 => (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)),
                _ => (
                    _mm256_blend_epi32::<ODD>(a, _mm256_shuffle_epi32::<LOW_TWICE>(b)),
                    _mm256_blend_epi32::<ODD>(_mm256_shuffle_epi32::<HIGH_TWICE>(a), b),
                ),
            }
        }
    }

    #[inline(always)]
    fn interleave(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        unsafe {
            let (low, high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
            (
                _mm256_permute2x128_si256::<0x20>(low, high),
                _mm256_permute2x128_si256::<0x31>(low, high),
            )
        }
    }

    #[inline(always)]
    fn deinterleave(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        unsafe {
            // a = a0 b0 a1 b1 | a2 b2 a3 b3: pairs of even words, pairs of odd words, then halves.
            let a = _mm256_permute4x64_epi64::<0xD8>(_mm256_shuffle_epi32::<0xD8>(a));
            let b = _mm256_permute4x64_epi64::<0xD8>(_mm256_shuffle_epi32::<0xD8>(b));
            (
                _mm256_permute2x128_si256::<0x20>(a, b),
                _mm256_permute2x128_si256::<0x31>(a, b),
            )
        }
    }

    #[inline(always)]
    fn expand<const K: u32>(self, words: &[u32], at: usize) -> __m256i {
        let loaded = load_part::<K>(&words[at..at + (8 >> K)]);
        if K == 0 {
            return loaded;
        }
        let index: [i32; 8] = std::array::from_fn(|j| j as i32 >> K);
        unsafe { _mm256_permutevar8x32_epi32(loaded, _mm256_loadu_si256(index.as_ptr().cast())) }
    }

    #[inline(always)]
    fn expand_reversed<const K: u32>(self, words: &[u32], at: usize) -> __m256i {
        let loaded = load_part::<K>(&words[at..at + (8 >> K)]);
        let index: [i32; 8] = std::array::from_fn(|j| (7 >> K) - (j as i32 >> K));
        unsafe { _mm256_permutevar8x32_epi32(loaded, _mm256_loadu_si256(index.as_ptr().cast())) }
    }
}

/// The words as the lowest lanes; there are `8 >> K`, the other lanes are unspecified.
#[inline(always)]
fn load_part<const K: u32>(words: &[u32]) -> __m256i {
    assert_eq!(words.len(), 8 >> K);
    let start = words.as_ptr();
    // SAFETY: each arm reads exactly the 8 >> K words that are there; unaligned loads; instructions as above.
    unsafe {
        match K {
            0 => _mm256_loadu_si256(start.cast()),
            1 => _mm256_castsi128_si256(_mm_loadu_si128(start.cast())),
            _ => _mm256_castsi128_si256(_mm_loadl_epi64(start.cast())),
        }
    }
}
