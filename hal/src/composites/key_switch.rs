//! Hybrid key switching and what is built on it.

use super::rows::{copy_all, rows, select};
use crate::{Backend, GaloisElement, KeyLayout, KeySwitchPlan, ModUpPlan, Result, Shape};

default_bodies! {
    fn mod_up(e, ring, dst, src, plan) {
        let batch = e.shape(src).polys;
        let mut coefficients = copy_all(e, ring, src)?;
        e.intt(ring, &mut coefficients);
        for (j, digit) in plan.digits().iter().enumerate() {
            let source = Shape::new(batch, digit.source().clone());
            let from = digit.source_in_window().iter().copied();
            let mut x = select(e, ring, &coefficients, 0, &source, from.clone())?;
            e.scale_assign(ring, &mut x, digit.source_scale())?;
            let mut y = e.alloc(ring, &Shape::new(batch, digit.table().to().clone()))?;
            e.base_convert(ring, &mut y, &x, digit.table());
            e.ntt(ring, &mut y);
            let polys = (0..batch).map(|p| (j * batch + p, p));
            let converted = digit.target_in_ext().iter().copied().enumerate().map(|(l, t)| (t, l));
            e.copy_rows(ring, dst, &y, &rows(polys.clone(), converted));
            let kept = digit.source_in_ext().iter().copied().zip(from);
            e.copy_rows(ring, dst, src, &rows(polys, kept));
        }
        Ok(())
    }
}

/// A ready body for [`Backend::key_inner_product`] of engines whose key is a buffer `[digit][2]` of rows.
///
/// # Errors
/// If there is no scratch memory.
pub fn key_inner_product_of_rows<B: Backend>(
    e: &B,
    ring: &B::Ring,
    dst: &mut B::Buf,
    digits: &B::Buf,
    (layout, key): (&KeyLayout, &B::Buf),
    key_digits: &[usize],
    galois: GaloisElement,
) -> Result<()> {
    let shape = e.shape(dst).clone();
    let batch = shape.polys / 2;
    let part = shape.with_polys(batch);
    let here = 0..shape.limbs.len();
    let in_key = shape.limbs.positions_in(&layout.limbs).unwrap_or_default();
    let mut sums = [e.alloc(ring, &part)?, e.alloc(ring, &part)?];
    for (j, &key_digit) in key_digits.iter().enumerate() {
        let plain = select(e, ring, digits, j * batch, &part, here.clone())?;
        let mut moved = e.alloc(ring, &part)?;
        e.automorphism(ring, &mut moved, &plain, galois);
        for (c, sum) in sums.iter_mut().enumerate() {
            let one = shape.with_polys(1);
            let half = select(
                e,
                ring,
                key,
                key_digit * 2 + c,
                &one,
                in_key.iter().copied(),
            )?;
            if j == 0 {
                e.mul(ring, sum, &moved, &half);
            } else {
                e.mul_acc(ring, sum, &moved, &half);
            }
        }
    }
    for (c, sum) in sums.iter().enumerate() {
        let list = rows(
            (0..batch).map(|p| (c * batch + p, p)),
            here.clone().map(|l| (l, l)),
        );
        e.copy_rows(ring, dst, sum, &list);
    }
    Ok(())
}

default_bodies! {
    fn key_switch(e, ring, dst, src, addend, key, galois, plan) {
        let batch = e.shape(src).polys;
        let digits = extended_digits(e, ring, src, plan)?;
        let mut sum = e.alloc(ring, &Shape::new(2 * batch, plan.ext().clone()))?;
        e.key_inner_product(ring, &mut sum, &digits, key, plan.mod_up().key_digits(), galois);
        e.mod_down_and_rescale(ring, dst, &sum, addend, galois, plan.mod_down())
    }
}

fn extended_digits<B: Backend>(
    e: &B,
    ring: &B::Ring,
    src: &B::Buf,
    plan: &KeySwitchPlan,
) -> Result<B::Buf> {
    let polys = e.shape(src).polys * plan.mod_up().digits().len();
    let mut digits = e.alloc(ring, &Shape::new(polys, plan.ext().clone()))?;
    e.mod_up(ring, &mut digits, src, plan.mod_up())?;
    Ok(digits)
}

default_bodies! {
    fn relinearize(e, ring, dst, src, key, plan) {
        let shape = e.shape(src).clone();
        let batch = shape.polys / 3;
        let limbs = 0..shape.limbs.len();
        let linear = select(e, ring, src, 0, &shape.with_polys(2 * batch), limbs.clone())?;
        let square = select(e, ring, src, 2 * batch, &shape.with_polys(batch), limbs)?;
        e.key_switch(ring, dst, &square, Some(&linear), key, GaloisElement::IDENTITY, plan)
    }
}

/// Components 0 and 1 of a batch `[2][B]`.
fn components<B: Backend>(e: &B, ring: &B::Ring, src: &B::Buf) -> Result<(B::Buf, B::Buf)> {
    let shape = e.shape(src).clone();
    let batch = shape.polys / 2;
    let part = shape.with_polys(batch);
    let limbs = 0..shape.limbs.len();
    let c0 = select(e, ring, src, 0, &part, limbs.clone())?;
    let c1 = select(e, ring, src, batch, &part, limbs)?;
    Ok((c0, c1))
}

default_bodies! {
    fn rotate(e, ring, dst, src, key, galois, plan) {
        let (c0, c1) = components(e, ring, src)?;
        e.key_switch(ring, dst, &c1, Some(&c0), key, galois, plan)
    }
}

/// A sum over the extended limbs that is zero on the special ones: P times `src`, both components.
fn lift<B: Backend>(e: &B, ring: &B::Ring, src: &B::Buf, plan: &KeySwitchPlan) -> Result<B::Buf> {
    let polys = e.shape(src).polys;
    let mut lifted = copy_all(e, ring, src)?;
    e.scale_assign(ring, &mut lifted, plan.mod_down().special_product())?;
    let mut wide = e.alloc(ring, &Shape::new(polys, plan.ext().clone()))?;
    e.zero(ring, &mut wide);
    let window = plan.mod_down().window_in_ext().iter().copied();
    let list = rows(
        (0..polys).map(|p| (p, p)),
        window.enumerate().map(|(l, x)| (x, l)),
    );
    e.copy_rows(ring, &mut wide, &lifted, &list);
    Ok(wide)
}

default_bodies! {
    fn hoisted_rotations(e, ring, dsts, src, keys, galois, plan) {
        let (c0, c1) = components(e, ring, src)?;
        let digits = extended_digits(e, ring, &c1, plan)?;
        for ((dst, key), &g) in dsts.iter_mut().zip(keys).zip(galois) {
            if let Some(key) = key {
                let mut sum = e.alloc(ring, &Shape::new(e.shape(src).polys, plan.ext().clone()))?;
                e.key_inner_product(ring, &mut sum, &digits, key, plan.mod_up().key_digits(), g);
                e.mod_down_and_rescale(ring, dst, &sum, Some(&c0), g, plan.mod_down())?;
            } else {
                let wide = lift(e, ring, src, plan)?;
                e.rescale(ring, dst, &wide, plan.mod_down().rescale())?;
            }
        }
        Ok(())
    }

    fn rotation_sum(e, ring, dst, src, keys, galois, weights, plan) {
        let (c0, c1) = components(e, ring, src)?;
        let batch = e.shape(&c0).polys;
        let digits = extended_digits(e, ring, &c1, plan)?;
        let wide_c0 = lift(e, ring, &c0, plan)?;
        let wide = Shape::new(2 * batch, plan.ext().clone());
        let mut total = e.alloc(ring, &wide)?;
        for (k, (key, &g)) in keys.iter().zip(galois).enumerate() {
            let term = if let Some(key) = key {
                let mut sum = e.alloc(ring, &wide)?;
                e.key_inner_product(ring, &mut sum, &digits, key, plan.mod_up().key_digits(), g);
                let mut moved = e.alloc(ring, &wide.with_polys(batch))?;
                e.automorphism(ring, &mut moved, &wide_c0, g);
                let all = 0..wide.limbs.len();
                let first = select(e, ring, &sum, 0, &wide.with_polys(batch), all.clone())?;
                e.add_assign(ring, &mut moved, &first)?;
                let list = rows((0..batch).map(|p| (p, p)), all.map(|l| (l, l)));
                e.copy_rows(ring, &mut sum, &moved, &list);
                sum
            } else {
                lift(e, ring, src, plan)?
            };
            match (weights.get(k), k) {
                (None, 0) => total = term,
                (None, _) => e.add_assign(ring, &mut total, &term)?,
                (Some(weight), 0) => e.mul(ring, &mut total, &term, weight),
                (Some(weight), _) => e.mul_acc(ring, &mut total, &term, weight),
            }
        }
        e.rescale(ring, dst, &total, plan.mod_down().rescale())
    }
}
