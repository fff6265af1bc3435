//! What the x86 widths do alike: only the names of the instructions differ.

/// The part of an impl of [`Simd`](super::Simd) whose lanes do not meet, from the vector's type and its instructions.
macro_rules! lanes_apart {
    (
        $vector:ident; set: $set:ident, add: $add:ident, sub: $sub:ident, min: $min:ident, mul_lo: $mul_lo:ident,
        shr: $shr:ident, shr_by: $shr_by:ident, mul_wide: $mul_wide:ident, add_wide: $add_wide:ident, shr_wide: $shr_wide:ident $(,)?
    ) => {
        type V = $vector;
        type W = Wide;

        #[inline(always)]
        fn view(self, words: &[u32]) -> &[$vector] {
            // SAFETY: every bit pattern is a value of both types, and the middle part is aligned.
            let (before, vectors, after) = unsafe { words.align_to() };
            assert!(before.is_empty() && after.is_empty(), "rows are aligned");
            vectors
        }

        #[inline(always)]
        fn view_mut(self, words: &mut [u32]) -> &mut [$vector] {
            // SAFETY: as for `view`.
            let (before, vectors, after) = unsafe { words.align_to_mut() };
            assert!(before.is_empty() && after.is_empty(), "rows are aligned");
            vectors
        }

        #[inline(always)]
        fn prefetch(self, vectors: &[$vector], at: usize) {
            let address = vectors.as_ptr().wrapping_add(at);
            // SAFETY: a hint reads nothing, so the address need not be inside; every x86-64 has the instruction.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
        }

        #[inline(always)]
        fn prefetch_once(self, vectors: &[$vector], at: usize) {
            let address = vectors.as_ptr().wrapping_add(at);
            // SAFETY: as for `prefetch`.
            unsafe { _mm_prefetch::<_MM_HINT_NTA>(address.cast()) }
        }

        #[inline(always)]
        fn prefetch_far(self, words: &[u32]) {
            // SAFETY: as for `prefetch`.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(words.as_ptr().cast()) }
        }

        #[inline(always)]
        fn splat(self, x: u32) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $set(x as i32) }
        }

        #[inline(always)]
        fn add(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $add(a, b) }
        }

        #[inline(always)]
        fn sub(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $sub(a, b) }
        }

        #[inline(always)]
        fn min(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $min(a, b) }
        }

        #[inline(always)]
        fn mul_lo(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $mul_lo(a, b) }
        }

        #[inline(always)]
        fn shr(self, a: $vector, bits: u32) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $shr(a, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        fn odd(self, a: $vector) -> $vector {
            // SAFETY: `self` proves the width's instructions.
            unsafe { $shr_by::<32>(a) }
        }

        #[inline(always)]
        fn mul_wide(self, a: $vector, a_odd: $vector, b: $vector, b_odd: $vector) -> Wide {
            // SAFETY: `self` proves the width's instructions.
            unsafe { Wide($mul_wide(a, b), $mul_wide(a_odd, b_odd)) }
        }

        #[inline(always)]
        fn add_wide(self, a: Wide, b: Wide) -> Wide {
            // SAFETY: `self` proves the width's instructions.
            unsafe { Wide($add_wide(a.0, b.0), $add_wide(a.1, b.1)) }
        }

        #[inline(always)]
        fn mul_wide_low(self, a: Wide, c: $vector) -> Wide {
            // SAFETY: `self` proves the width's instructions.
            unsafe { Wide($mul_wide(a.0, c), $mul_wide(a.1, c)) }
        }

        #[inline(always)]
        fn shr_wide(self, a: Wide, bits: u32) -> Wide {
            // SAFETY: `self` proves the width's instructions.
            unsafe {
                let bits = _mm_cvtsi32_si128(bits as i32);
                Wide($shr_wide(a.0, bits), $shr_wide(a.1, bits))
            }
        }
    };
}
pub(super) use lanes_apart;
