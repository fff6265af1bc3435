//! Every kernel compiled for every width, and the choice at run time.
//!
//! The functions here have the names and operands of the kernels, with the engine's [`Level`] first.

use super::{convert, inner, ntt, pointwise, products, switch};
use crate::{
    permutation::Permutation,
    ring::Prime,
    simd::{Level, Scalar, SimdLevel},
};

macro_rules! multiversion {
    ($( fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $module:ident; )*) => { $(
        #[inline]
        pub(crate) fn $name(level: Level, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $ty),*) {
                    // SAFETY: this function has the feature.
                    let simd = unsafe { crate::simd::Avx2::new() };
                    $module::$name(simd, $($arg),*);
                }
                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $ty),*) {
                    // SAFETY: this function has the features.
                    let simd = unsafe { crate::simd::Avx512::new() };
                    $module::$name(simd, $($arg),*);
                }
                match level.get() {
                    SimdLevel::Scalar => {}
                    // SAFETY: a `Level` of this kind exists only where the processor has AVX2.
                    SimdLevel::Avx2 => return unsafe { avx2($($arg),*) },
                    // SAFETY: a `Level` of this kind exists only where the processor has all these features.
                    SimdLevel::Avx512 => return unsafe { avx512($($arg),*) },
                }
            }
            debug_assert_eq!(level.get(), SimdLevel::Scalar);
            $module::$name(Scalar, $($arg),*);
        }
    )* };
}

multiversion! {
    fn forward(prime: &Prime, row: &mut [u32], canonical: bool, ahead: &[u32]) = ntt;
    fn inverse(prime: &Prime, row: &mut [u32], src: Option<&[u32]>, factor: u32) = ntt;

    fn add(prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) = pointwise;
    fn sub(prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) = pointwise;
    fn mul(prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) = pointwise;
    fn mul_acc(prime: &Prime, dst: &mut [u32], a: &[u32], b: &[u32]) = pointwise;
    fn scale(prime: &Prime, dst: &mut [u32], a: &[u32], c: u32) = pointwise;
    fn neg(prime: &Prime, dst: &mut [u32], a: &[u32]) = pointwise;
    fn add_assign(prime: &Prime, dst: &mut [u32], a: &[u32]) = pointwise;
    fn sub_assign(prime: &Prime, dst: &mut [u32], a: &[u32]) = pointwise;
    fn mul_assign(prime: &Prime, dst: &mut [u32], a: &[u32]) = pointwise;
    fn scale_assign(prime: &Prime, dst: &mut [u32], c: u32) = pointwise;
    fn add_constant_assign(prime: &Prime, dst: &mut [u32], c: u32) = pointwise;
    fn add_constant(prime: &Prime, dst: &mut [u32], a: &[u32], c: u32) = pointwise;
    fn canonical(prime: &Prime, dst: &mut [u32]) = pointwise;
    fn permute(dst: &mut [u32], a: &[u32], permutation: &Permutation) = pointwise;

    fn tensor(prime: &Prime, dst: [&mut [u32]; 3], a: [&[u32]; 2], b: [&[u32]; 2]) = products;
    fn sum_of_products(prime: &Prime, dst: [&mut [u32]; 3], pairs: &[[&[u32]; 4]], accumulate: bool) = products;
    fn weighted_sum(prime: &Prime, dst: &mut [u32], pairs: &[[&[u32]; 2]], accumulate: bool) = products;

    fn quotient(dst: &mut [u32], sources: &[&[u32]], reciprocals: &[u32]) = convert;
    fn convert(dst: &mut [&mut [u32]], sources: &[&[u32]], targets: &[convert::Weights<'_>]) = convert;

    fn inner_product(prime: &Prime, dst: [&mut [u32]; 2], at: usize, digits: &[&[u32]], key: inner::Key<'_>, permutation: Option<&Permutation>, accumulate: bool) = inner;
    fn lift(prime: &Prime, dst: &mut [u32], src: Option<&[u32]>, addend: &[u32], permutation: Option<&Permutation>, factor: u32) = switch;
    fn lift_assign(prime: &Prime, dst: &mut [u32], addend: &[u32], permutation: Option<&Permutation>, factor: u32) = switch;
    fn combine(prime: &Prime, dst: &mut [u32], terms: switch::Terms<'_>) = switch;
}
