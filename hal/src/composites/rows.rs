//! Lists of rows, and copies of whole buffers.

use crate::{Backend, Result, RowCopy};

/// The row copies for polynomials `polys` (pairs destination, source) and limb positions `limbs` (pairs
/// destination, source).
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write the iterator in place"
)]
pub fn rows(
    polys: impl Iterator<Item = (usize, usize)>,
    limbs: impl Iterator<Item = (usize, usize)> + Clone,
) -> Vec<RowCopy> {
    polys
        .flat_map(|(dst_poly, src_poly)| {
            limbs.clone().map(move |(dst_limb, src_limb)| RowCopy {
                dst_poly: dst_poly as u32,
                dst_limb: dst_limb as u32,
                src_poly: src_poly as u32,
                src_limb: src_limb as u32,
            })
        })
        .collect()
}

/// A copy of a whole buffer.
pub fn copy_all<B: Backend>(engine: &B, ring: &B::Ring, src: &B::Buf) -> Result<B::Buf> {
    let shape = engine.shape(src).clone();
    let mut dst = engine.alloc(ring, &shape)?;
    let list = rows(
        (0..shape.polys).map(|p| (p, p)),
        (0..shape.limbs.len()).map(|l| (l, l)),
    );
    engine.copy_rows(ring, &mut dst, src, &list);
    Ok(dst)
}

/// Polynomials `first .. first + count` of a buffer, at the limb positions `limbs`, as a buffer with the
/// list `shape.limbs`.
pub(super) fn select<B: Backend>(
    engine: &B,
    ring: &B::Ring,
    src: &B::Buf,
    first: usize,
    shape: &crate::Shape,
    limbs: impl Iterator<Item = usize> + Clone,
) -> Result<B::Buf> {
    let mut dst = engine.alloc(ring, shape)?;
    let list = rows((0..shape.polys).map(|p| (p, first + p)), limbs.enumerate());
    engine.copy_rows(ring, &mut dst, src, &list);
    Ok(dst)
}
