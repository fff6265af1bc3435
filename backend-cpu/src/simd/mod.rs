//! Lanes of 32-bit words at several widths, chosen at run time.
//!
//! A kernel is written once over [`Simd`] (`kernels`), is compiled for every width inside a function with the width's
//! target features (`kernels::dispatch`), and the engine's [`Level`] picks one. The crate's unsafe code is the intrinsics and the
//! views of words as vectors, all in this folder, and the calls of functions with target features, all in `kernels::dispatch`.
//!
//! ```text
//!   V   one vector:      x0 x1 x2 x3 ..            LANES words
//!   W   its products:    even = x0 x2 .. (64 bit)   odd = x1 x3 .. (64 bit)
//! ```
//! There is no 32x32 -> 32 high multiplication in AVX2 or AVX-512, only 32x32 -> 64 of the even lanes. So the wide form
//! keeps even and odd lanes apart until a result is put together by one shuffle.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod level;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use level::Level;
pub use level::SimdLevel;
pub(crate) use scalar::Scalar;

/// Vectors of 32-bit words. A value of an implementing type proves that the processor has its instructions.
///
/// Arithmetic wraps. Nothing here knows a modulus.
pub(crate) trait Simd: Copy {
    /// `LANES` words.
    type V: Copy;
    /// `LANES` 64-bit words, the products of two vectors.
    type W: Copy;
    /// log2 of the number of lanes.
    const LOG: u32;
    /// Number of lanes.
    const LANES: usize = 1 << Self::LOG;

    /// Words as vectors. The words must start at a multiple of the vector's size and fill whole vectors.
    fn view(self, words: &[u32]) -> &[Self::V];
    /// [`Simd::view`] of words to write.
    fn view_mut(self, words: &mut [u32]) -> &mut [Self::V];
    /// Asks for the cache line of vector `at`, which may lie behind the last. A hint: nothing is read.
    #[inline(always)]
    fn prefetch(self, vectors: &[Self::V], at: usize) {
        let _ = (vectors, at);
    }
    /// [`Simd::prefetch`] of a line that is read once: where the processor heeds it, it takes no room in the second-level cache.
    #[inline(always)]
    fn prefetch_once(self, vectors: &[Self::V], at: usize) {
        let _ = (vectors, at);
    }
    /// Asks for the cache line where these words start, for the second-level cache: they are not read soon. Words and not
    /// vectors, because they are lines of a key, whatever the width.
    #[inline(always)]
    fn prefetch_far(self, words: &[u32]) {
        let _ = words;
    }
    /// All lanes equal.
    fn splat(self, x: u32) -> Self::V;
    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a - b.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// The lesser, unsigned.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// The low 32 bits of a * b.
    fn mul_lo(self, a: Self::V, b: Self::V) -> Self::V;
    /// Every lane shifted right by the same number of bits below 32.
    fn shr(self, a: Self::V, bits: u32) -> Self::V;
    /// The odd lanes where multiplications read: what a second operand form costs is one shift.
    fn odd(self, a: Self::V) -> Self::V;
    /// All products; `a_odd` and `b_odd` are [`Simd::odd`] of `a` and `b` (or the vector itself if all lanes are equal).
    fn mul_wide(self, a: Self::V, a_odd: Self::V, b: Self::V, b_odd: Self::V) -> Self::W;
    /// 64-bit sums.
    fn add_wide(self, a: Self::W, b: Self::W) -> Self::W;
    /// The low halves times a constant with all lanes equal.
    fn mul_wide_low(self, a: Self::W, c: Self::V) -> Self::W;
    /// 64-bit lanes shifted right.
    fn shr_wide(self, a: Self::W, bits: u32) -> Self::W;
    /// The upper halves.
    fn high(self, a: Self::W) -> Self::V;
    /// The lower halves.
    fn low(self, a: Self::W) -> Self::V;
    /// 64-bit lanes with `x` as their lower half.
    fn widen_low(self, x: Self::V) -> Self::W;
    /// 64-bit lanes with `x` as their upper half.
    fn widen_high(self, x: Self::V) -> Self::W;
    /// Lane j becomes lane `index[j] mod LANES` of `a`.
    fn permute(self, a: Self::V, index: Self::V) -> Self::V;
    /// Before the forward transform's stage whose partners are 2^K words apart: exchanges words of two vectors so that partners
    /// meet in the same lane of the two. Called with K = LOG - 1 .. 0, starting from two neighbouring vectors of memory.
    fn down<const K: u32>(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// After stage 0: back to the order of memory.
    fn leave(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// From the order of memory to that of the inverse transform's stage 0, whose blocks are in descending order.
    fn enter(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// After the inverse transform's stage whose partners are 2^K words apart: to the order of the next one, K = 0 .. LOG - 1; after
    /// the last, that of memory.
    fn up<const K: u32>(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// One of the `LANES >> K` words from `at` on in every lane: the one of the lane's block after [`Simd::down`] K (ascending) or
    /// before [`Simd::up`] K (descending).
    fn spread<const K: u32>(self, words: &[u32], at: usize) -> Self::V;
    /// [`Simd::odd`] of [`Simd::spread`]; only the lanes that multiplications read. For K > 0 there is a word behind the last.
    fn spread_odd<const K: u32>(self, words: &[u32], at: usize) -> Self::V;
}
