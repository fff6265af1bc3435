//! The kernels: one row (or a piece of one) at a time, written once over [`Simd`].
//!
//! Each is called through its namesake in [`dispatch`]. Rows are canonical in and out unless a kernel says
//! otherwise; operands of one call have one length, a multiple of [`STEP`] vectors where it is said.

use crate::simd::Simd;

pub(crate) mod convert;
#[allow(unsafe_code)]
pub(crate) mod dispatch;
pub(crate) mod inner;
pub(crate) mod ntt;
pub(crate) mod pointwise;
pub(crate) mod products;
pub(crate) mod reduce;
pub(crate) mod switch;
#[cfg(test)]
mod tests;

/// Vectors that [`convert`] and the NTT take at a time; rows are at least twice as long at every level.
pub(crate) const STEP: usize = 4;

/// Words of a piece of a row when several rows are walked together: a dozen such pieces stay in a second-level cache.
/// Smaller ones, for the first level, measured slower: rows lie a power of two apart and meet in the same cache sets, and
/// every new page of every row starts the hardware's fetching ahead anew.
pub(crate) const PIECE: usize = 4096;

/// Rows as vectors, once before a loop. The places behind the last row are empty.
#[inline(always)]
fn views<'a, S: Simd, const MAX: usize>(s: S, rows: &[&'a [u32]]) -> [&'a [S::V]; MAX] {
    let mut views: [&[S::V]; MAX] = [&[]; MAX];
    for (view, row) in views.iter_mut().zip(rows) {
        *view = s.view(row);
    }
    views
}
