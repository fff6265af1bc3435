//! Composites of additions and multiplications.

use super::rows::{copy_all, rows, select};
use crate::{Backend, Domain, LimbConstants, Result, Shape};

/// See [`Backend::add_assign`].
pub fn add_assign<B: Backend>(e: &B, ring: &B::Ring, dst: &mut B::Buf, a: &B::Buf) -> Result<()> {
    let old = copy_all(e, ring, dst)?;
    e.add(ring, dst, &old, a);
    Ok(())
}

/// See [`Backend::sub_assign`].
pub fn sub_assign<B: Backend>(e: &B, ring: &B::Ring, dst: &mut B::Buf, a: &B::Buf) -> Result<()> {
    let old = copy_all(e, ring, dst)?;
    e.sub(ring, dst, &old, a);
    Ok(())
}

/// See [`Backend::mul_assign`].
pub fn mul_assign<B: Backend>(e: &B, ring: &B::Ring, dst: &mut B::Buf, a: &B::Buf) -> Result<()> {
    let old = copy_all(e, ring, dst)?;
    e.mul(ring, dst, &old, a);
    Ok(())
}

/// See [`Backend::scale_assign`].
pub fn scale_assign<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    constants: &LimbConstants,
) -> Result<()> {
    let old = copy_all(e, ring, dst)?;
    e.scale(ring, dst, &old, constants);
    Ok(())
}

/// See [`Backend::neg`].
pub fn neg<B: Backend>(e: &B, ring: &B::Ring, dst: &mut B::Buf, a: &B::Buf) -> Result<()> {
    let limbs = &e.shape(a).limbs;
    let minus_one = e.basis(ring).constants(limbs, |q| q.value() - 1);
    e.scale(ring, dst, a, &minus_one);
    Ok(())
}

/// See [`Backend::add_leading`].
pub fn add_leading<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    a: &B::Buf,
    b: &B::Buf,
    leading: usize,
) -> Result<()> {
    let shape = e.shape(dst).clone();
    let limbs = 0..shape.limbs.len();
    let mut sum = select(e, ring, a, 0, &shape.with_polys(leading), limbs.clone())?;
    e.add_assign(ring, &mut sum, b)?;
    let same =
        |polys: std::ops::Range<usize>| rows(polys.map(|p| (p, p)), limbs.clone().map(|l| (l, l)));
    e.copy_rows(ring, dst, &sum, &same(0..leading));
    e.copy_rows(ring, dst, a, &same(leading..shape.polys));
    Ok(())
}

/// See [`Backend::add_constants`].
pub fn add_constants<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    a: &B::Buf,
    constants: &LimbConstants,
    leading: usize,
) -> Result<()> {
    let n = e.basis(ring).n();
    let words: Vec<u32> = constants
        .as_slice()
        .iter()
        .flat_map(|c| std::iter::repeat_n(c.value, n))
        .collect();
    let shape = Shape::new(1, constants.limbs().clone());
    let everywhere = e.upload(ring, &shape, Domain::Eval, &words)?;
    e.add_leading(ring, dst, a, &everywhere, leading)
}

/// See [`Backend::restrict_and_scale`].
pub fn restrict_and_scale<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    a: &B::Buf,
    constants: &LimbConstants,
) -> Result<()> {
    let shape = e.shape(dst).clone();
    let positions = shape
        .limbs
        .positions_in(&e.shape(a).limbs)
        .unwrap_or_default();
    let list = rows(
        (0..shape.polys).map(|p| (p, p)),
        positions.into_iter().enumerate(),
    );
    e.copy_rows(ring, dst, a, &list);
    e.scale_assign(ring, dst, constants)
}

/// See [`Backend::tensor`].
pub fn tensor<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    a: &B::Buf,
    b: &B::Buf,
) -> Result<()> {
    e.sum_of_products(ring, dst, &[a], &[b])
}

/// See [`Backend::sum_of_products`].
pub fn sum_of_products<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    a: &[&B::Buf],
    b: &[&B::Buf],
) -> Result<()> {
    let shape = e.shape(dst).clone();
    let batch = shape.polys / 3;
    let part = shape.with_polys(batch);
    let limbs = 0..shape.limbs.len();
    let mut sums = [
        e.alloc(ring, &part)?,
        e.alloc(ring, &part)?,
        e.alloc(ring, &part)?,
    ];
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        let a = [0, 1].map(|c| select(e, ring, a, c * batch, &part, limbs.clone()));
        let b = [0, 1].map(|c| select(e, ring, b, c * batch, &part, limbs.clone()));
        let ([a0, a1], [b0, b1]) = (a, b);
        let (a0, a1, b0, b1) = (a0?, a1?, b0?, b1?);
        let [d0, d1, d2] = &mut sums;
        if k == 0 {
            e.mul(ring, d0, &a0, &b0);
            e.mul(ring, d1, &a0, &b1);
            e.mul(ring, d2, &a1, &b1);
        } else {
            e.mul_acc(ring, d0, &a0, &b0);
            e.mul_acc(ring, d1, &a0, &b1);
            e.mul_acc(ring, d2, &a1, &b1);
        }
        e.mul_acc(ring, d1, &a1, &b0);
    }
    for (c, sum) in sums.iter().enumerate() {
        let list = rows(
            (0..batch).map(|p| (c * batch + p, p)),
            limbs.clone().map(|l| (l, l)),
        );
        e.copy_rows(ring, dst, sum, &list);
    }
    Ok(())
}

/// See [`Backend::weighted_sum`].
pub fn weighted_sum<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    terms: &[&B::Buf],
    weights: &[&B::Buf],
) -> Result<()> {
    for (k, (term, weight)) in terms.iter().zip(weights).enumerate() {
        if k == 0 {
            e.mul(ring, dst, term, weight);
        } else {
            e.mul_acc(ring, dst, term, weight);
        }
    }
    Ok(())
}
