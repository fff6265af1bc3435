//! Rational rescale, and mod_down merged with it.

use super::rows::{copy_all, rows, select};
use crate::{Backend, GaloisElement, ModDownPlan, RescalePlan, Result, Shape};

default_bodies! {
    fn rescale(e, ring, dst, src, plan) {
        let polys = e.shape(src).polys;
        let dropped = Shape::new(polys, plan.dropped().clone());
        let mut x = select(e, ring, src, 0, &dropped, plan.dropped_in_from().iter().copied())?;
        e.intt(ring, &mut x);
        e.scale_assign(ring, &mut x, plan.source_scale())?;
        let mut y = e.alloc(ring, e.shape(dst))?;
        e.base_convert(ring, &mut y, &x, plan.table());
        e.ntt(ring, &mut y);
        // in * R where the limb is kept, 0 where it is restored.
        let mut lifted = e.alloc(ring, e.shape(dst))?;
        e.zero(ring, &mut lifted);
        let kept = plan.to_in_from().iter().enumerate().filter_map(|(t, f)| f.map(|f| (t, f)));
        e.copy_rows(ring, &mut lifted, src, &rows((0..polys).map(|p| (p, p)), kept));
        e.scale_assign(ring, &mut lifted, plan.restored_product())?;
        e.sub_assign(ring, &mut lifted, &y)?;
        e.scale(ring, dst, &lifted, plan.dropped_inverse());
        Ok(())
    }

    fn mod_down_and_rescale(e, ring, dst, src, addend, galois, plan) {
        let Some(addend) = addend else {
            return e.rescale(ring, dst, src, plan.rescale());
        };
        let shape = e.shape(addend).clone();
        let mut lifted = if galois.is_identity() {
            copy_all(e, ring, addend)?
        } else {
            let mut moved = e.alloc(ring, &shape)?;
            e.automorphism(ring, &mut moved, addend, galois);
            moved
        };
        e.scale_assign(ring, &mut lifted, plan.special_product())?;
        let window = plan.window_in_ext().iter().copied();
        let on_window = select(e, ring, src, 0, &shape, window.clone())?;
        e.add_assign(ring, &mut lifted, &on_window)?;
        let mut sum = copy_all(e, ring, src)?;
        let list = rows((0..shape.polys).map(|p| (p, p)), window.enumerate().map(|(l, in_ext)| (in_ext, l)));
        e.copy_rows(ring, &mut sum, &lifted, &list);
        e.rescale(ring, dst, &sum, plan.rescale())
    }
}
