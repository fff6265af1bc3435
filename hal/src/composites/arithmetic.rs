//! Composites of additions and multiplications.

use super::rows::{copy_all, rows, select};
use crate::{Backend, Domain, LimbConstants, Result, Shape};

default_bodies! {
    fn add_assign(e, ring, dst, a) {
        let old = copy_all(e, ring, dst)?;
        e.add(ring, dst, &old, a);
        Ok(())
    }

    fn sub_assign(e, ring, dst, a) {
        let old = copy_all(e, ring, dst)?;
        e.sub(ring, dst, &old, a);
        Ok(())
    }

    fn mul_assign(e, ring, dst, a) {
        let old = copy_all(e, ring, dst)?;
        e.mul(ring, dst, &old, a);
        Ok(())
    }

    fn scale_assign(e, ring, dst, constants) {
        let old = copy_all(e, ring, dst)?;
        e.scale(ring, dst, &old, constants);
        Ok(())
    }

    fn neg(e, ring, dst, a) {
        let limbs = &e.shape(a).limbs;
        let minus_one = e.basis(ring).constants(limbs, |q| q.value() - 1);
        e.scale(ring, dst, a, &minus_one);
        Ok(())
    }

    fn add_leading(e, ring, dst, a, b, leading) {
        let shape = e.shape(dst).clone();
        let limbs = 0..shape.limbs.len();
        let mut sum = select(e, ring, a, 0, &shape.with_polys(leading), limbs.clone())?;
        e.add_assign(ring, &mut sum, b)?;
        let same = |polys: std::ops::Range<usize>| rows(polys.map(|p| (p, p)), limbs.clone().map(|l| (l, l)));
        e.copy_rows(ring, dst, &sum, &same(0..leading));
        e.copy_rows(ring, dst, a, &same(leading..shape.polys));
        Ok(())
    }

    fn add_constants(e, ring, dst, a, constants, leading) {
        let n = e.basis(ring).n();
        let rows = constants.as_slice().iter().map(|c| std::iter::repeat_n(c.value, n));
        let words: Vec<u32> = rows.flatten().collect();
        let shape = Shape::new(1, constants.limbs().clone());
        let everywhere = e.upload(ring, &shape, Domain::Eval, &words)?;
        e.add_leading(ring, dst, a, &everywhere, leading)
    }

    fn restrict_and_scale(e, ring, dst, a, constants) {
        let shape = e.shape(dst).clone();
        let positions = shape.limbs.positions_in(&e.shape(a).limbs).unwrap_or_default();
        let list = rows((0..shape.polys).map(|p| (p, p)), positions.into_iter().enumerate());
        e.copy_rows(ring, dst, a, &list);
        e.scale_assign(ring, dst, constants)
    }

    fn tensor(e, ring, dst, a, b) { e.sum_of_products(ring, dst, &[a], &[b]) }

    fn sum_of_products(e, ring, dst, a, b) {
        let shape = e.shape(dst).clone();
        let batch = shape.polys / 3;
        let part = shape.with_polys(batch);
        let limbs = 0..shape.limbs.len();
        let mut sums = [e.alloc(ring, &part)?, e.alloc(ring, &part)?, e.alloc(ring, &part)?];
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
            let list = rows((0..batch).map(|p| (c * batch + p, p)), limbs.clone().map(|l| (l, l)));
            e.copy_rows(ring, dst, sum, &list);
        }
        Ok(())
    }

    fn weighted_sum(e, ring, dst, terms, weights) {
        for (k, (term, weight)) in terms.iter().zip(weights).enumerate() {
            if k == 0 {
                e.mul(ring, dst, term, weight);
            } else {
                e.mul_acc(ring, dst, term, weight);
            }
        }
        Ok(())
    }
}
