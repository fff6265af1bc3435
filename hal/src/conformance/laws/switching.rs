//! Laws of digits, key switching, hoisting and division by P.

use std::sync::Arc;

use super::{Lab, for_all};
use crate::{
    Backend, Domain, GaloisElement, KeyLayout, KeySwitchPlan, Limbs, RowCopy, Shape,
    conformance::{rings, suite::Bed},
};

/// A key-switching plan, a key and a ciphertext `[2][B]` over its window.
struct Switch<B: Backend> {
    plan: Arc<KeySwitchPlan>,
    keys: [B::Key; 2],
    ciphertext: B::Buf,
    batch: usize,
}

impl<B: Backend> Lab<B> {
    fn switch(&self) -> Switch<B> {
        let all = rings::switches();
        let (spec, window, to) = &all[self.scenario.window % all.len()];
        let plan = self.rig.basis.key_switch_plan(spec, window, to);
        let plan = plan.expect("a valid switch");
        let layout = KeyLayout {
            digits: spec.groups.len(),
            limbs: self.rig.basis.all_limbs(),
        };
        let rows = Shape::new(2 * layout.digits, layout.limbs.clone());
        let keys = [0, 1].map(|_| {
            let words = self.words(&rows, Domain::Eval).words;
            self.rig.key(&layout, &words)
        });
        let batch = self.scenario.batch;
        Switch {
            ciphertext: self.eval(&Shape::new(2 * batch, window.clone())),
            plan,
            keys,
            batch,
        }
    }

    fn mod_up(&self, src: &B::Buf, plan: &KeySwitchPlan) -> B::Buf {
        let polys = self.rig.engine.shape(src).polys * plan.mod_up().digits().len();
        let mut dst = self.out(&Shape::new(polys, plan.ext().clone()));
        let done = self.rig.mod_up(&mut dst, src, plan.mod_up());
        done.expect("mod_up");
        dst
    }

    fn target(&self, s: &Switch<B>) -> B::Buf {
        self.out(&Shape::new(2 * s.batch, s.plan.to().clone()))
    }

    fn rotate(&self, s: &Switch<B>, src: &B::Buf, key: &B::Key, g: GaloisElement) -> B::Buf {
        let mut dst = self.target(s);
        self.rig
            .rotate(&mut dst, src, key, g, &s.plan)
            .expect("rotate");
        dst
    }

    fn hoisted(
        &self,
        s: &Switch<B>,
        keys: &[Option<&B::Key>],
        galois: &[GaloisElement],
    ) -> Vec<B::Buf> {
        let mut dsts: Vec<B::Buf> = galois.iter().map(|_| self.target(s)).collect();
        let mut refs: Vec<&mut B::Buf> = dsts.iter_mut().collect();
        self.rig
            .hoisted_rotations(&mut refs, &s.ciphertext, keys, galois, &s.plan)
            .expect("hoisted_rotations");
        dsts
    }

    fn rotation_sum(
        &self,
        s: &Switch<B>,
        keys: &[Option<&B::Key>],
        galois: &[GaloisElement],
        weights: &[&B::Buf],
    ) -> B::Buf {
        let mut dst = self.target(s);
        self.rig
            .rotation_sum(&mut dst, &s.ciphertext, keys, galois, weights, &s.plan)
            .expect("rotation_sum");
        dst
    }

    /// The rows of `src` at the positions `places` of a buffer over `limbs` that is zero elsewhere.
    fn spread(&self, src: &B::Buf, polys: usize, limbs: &Limbs, places: &[usize]) -> B::Buf {
        let (e, r) = (&self.rig.engine, &self.rig.ring);
        let mut dst = self.out(&Shape::new(polys, limbs.clone()));
        e.zero(r, &mut dst);
        let rows: Vec<RowCopy> = (0..e.shape(src).polys)
            .flat_map(|p| {
                places.iter().enumerate().map(move |(l, &place)| RowCopy {
                    dst_poly: p as u32,
                    dst_limb: place as u32,
                    src_poly: p as u32,
                    src_limb: l as u32,
                })
            })
            .collect();
        e.copy_rows(r, &mut dst, src, &rows);
        dst
    }

    /// P times `src`, on the extended limbs, with zeros for the polynomials it lacks.
    fn lifted(&self, s: &Switch<B>, src: &B::Buf) -> B::Buf {
        let (e, r) = (&self.rig.engine, &self.rig.ring);
        let down = s.plan.mod_down();
        let mut scaled = self.out(e.shape(src));
        e.scale(r, &mut scaled, src, down.special_product());
        self.spread(&scaled, 2 * s.batch, s.plan.ext(), down.window_in_ext())
    }

    /// The inner product with the key and P times the ciphertext's component 0, both after X -> X^g: over the extended limbs.
    fn wide_rotation(&self, s: &Switch<B>, key: &B::Key, g: GaloisElement) -> B::Buf {
        let (e, r) = (&self.rig.engine, &self.rig.ring);
        let digits = self.mod_up(&self.part(&s.ciphertext, s.batch, s.batch), &s.plan);
        let mut sum = self.out(&Shape::new(2 * s.batch, s.plan.ext().clone()));
        e.key_inner_product(r, &mut sum, &digits, key, s.plan.mod_up().key_digits(), g);
        let c0 = self.automorphism(&self.part(&s.ciphertext, 0, s.batch), g);
        self.add(&sum, &self.lifted(s, &c0))
    }

    fn rescaled(&self, s: &Switch<B>, wide: &B::Buf) -> B::Buf {
        let mut dst = self.target(s);
        let plan = s.plan.mod_down().rescale();
        self.rig.rescale(&mut dst, wide, plan).expect("rescale");
        dst
    }
}

/// Extending digits and X -> X^g may be exchanged.
pub fn mod_up_commutes_with_automorphisms<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 16, |lab| {
        let (s, g) = (lab.switch(), lab.galois(0));
        let up_first = lab.automorphism(&lab.mod_up(&s.ciphertext, &s.plan), g);
        let up_last = lab.mod_up(&lab.automorphism(&s.ciphertext, g), &s.plan);
        lab.same_eval(&up_first, &up_last, "mod_up and an automorphism");
    });
}

/// A hoisted rotation is a rotation, which is an automorphism of the ciphertext and then a switch.
pub fn hoisted_equals_unhoisted<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 16, |lab| {
        let (s, g, h) = (lab.switch(), lab.galois(0), lab.galois(1));
        let [k, l] = &s.keys;
        let hoisted = lab.hoisted(&s, &[Some(k), Some(l), Some(k)], &[g, h, g]);
        let first = lab.rotate(&s, &s.ciphertext, k, g);
        lab.same_eval(&hoisted[0], &first, "hoisted and single");
        lab.same_eval(&hoisted[2], &first, "hoisted, the same again");
        let second = lab.rotate(&s, &s.ciphertext, l, h);
        lab.same_eval(&hoisted[1], &second, "hoisted and single, another key");
        let moved = lab.automorphism(&s.ciphertext, g);
        let unhoisted = lab.rotate(&s, &moved, k, GaloisElement::IDENTITY);
        lab.same_eval(&first, &unhoisted, "automorphism first");
    });
}

/// A sum of rotations is the rescale of the sum of the rotations over the extended limbs.
pub fn rotation_sums_are_sums<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 16, |lab| {
        let (s, g, h) = (lab.switch(), lab.galois(0), lab.galois(1));
        let [k, l] = &s.keys;
        let one = lab.rotation_sum(&s, &[Some(k)], &[g], &[]);
        let single = lab.rotate(&s, &s.ciphertext, k, g);
        lab.same_eval(&one, &single, "a sum of one rotation");
        let wide = [
            lab.wide_rotation(&s, k, g),
            lab.wide_rotation(&s, l, h),
            lab.lifted(&s, &s.ciphertext),
        ];
        let (keys, galois) = ([Some(k), Some(l), None], [g, h, GaloisElement::IDENTITY]);
        let total = lab.add(&lab.add(&wide[0], &wide[1]), &wide[2]);
        let sum = lab.rotation_sum(&s, &keys, &galois, &[]);
        lab.same_eval(&sum, &lab.rescaled(&s, &total), "a sum of rotations");
        let shape = Shape::new(2 * s.batch, s.plan.ext().clone());
        let weights = [0, 1, 2].map(|_| lab.eval(&shape));
        let weights = weights.each_ref();
        let terms = [0, 1, 2].map(|i| lab.mul(&wide[i], weights[i]));
        let total = lab.add(&lab.add(&terms[0], &terms[1]), &terms[2]);
        let sum = lab.rotation_sum(&s, &keys, &galois, &weights);
        lab.same_eval(
            &sum,
            &lab.rescaled(&s, &total),
            "a weighted sum of rotations",
        );
    });
}

/// Lifting by P and dividing by it changes nothing: an identity without a key, brought down to its own window.
pub fn lifting_and_mod_down_are_inverse<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 8, |lab| {
        let s = lab.switch();
        if s.plan.to() != s.plan.window() {
            return;
        }
        let back = lab.hoisted(&s, &[None], &[GaloisElement::IDENTITY]);
        lab.same_eval(&back[0], &s.ciphertext, "P x / P, hoisted");
        let back = lab.rotation_sum(&s, &[None], &[GaloisElement::IDENTITY], &[]);
        lab.same_eval(&back, &s.ciphertext, "P x / P, summed");
    });
}

/// `mod_down_and_rescale` is the rescale of src + P * sigma(addend).
pub fn merged_mod_down_is_its_definition<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 16, |lab| {
        let (s, g) = (lab.switch(), lab.galois(0));
        let src = lab.eval(&Shape::new(2 * s.batch, s.plan.ext().clone()));
        let first = lab.part(&s.ciphertext, 0, s.batch);
        for addend in [None, Some(&first), Some(&s.ciphertext)] {
            let mut dst = lab.target(&s);
            let plan = s.plan.mod_down();
            lab.rig
                .mod_down_and_rescale(&mut dst, &src, addend, g, plan)
                .expect("mod_down_and_rescale");
            let expected = match addend {
                None => lab.rescaled(&s, &src),
                Some(a) => {
                    let lifted = lab.lifted(&s, &lab.automorphism(a, g));
                    lab.rescaled(&s, &lab.add(&src, &lifted))
                }
            };
            lab.same_eval(&dst, &expected, "mod_down_and_rescale");
        }
    });
}

/// Relinearization is a key switch of d2 with (d0, d1) added, and both are linear in what is added before the division.
pub fn relinearization_is_a_key_switch<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 12, |lab| {
        let s = lab.switch();
        let (e, r, batch) = (&lab.rig.engine, &lab.rig.ring, s.batch);
        let d = lab.eval(&Shape::new(3 * batch, s.plan.window().clone()));
        let mut relinearized = lab.target(&s);
        e.relinearize(r, &mut relinearized, &d, &s.keys[0], &s.plan)
            .expect("relinearize");
        let (linear, square) = (lab.part(&d, 0, 2 * batch), lab.part(&d, 2 * batch, batch));
        let mut switched = lab.target(&s);
        let one = GaloisElement::IDENTITY;
        e.key_switch(
            r,
            &mut switched,
            &square,
            Some(&linear),
            &s.keys[0],
            one,
            &s.plan,
        )
        .expect("key_switch");
        lab.same_eval(&relinearized, &switched, "relinearize and key_switch");
        let digits = lab.mod_up(&square, &s.plan);
        let mut wide = lab.out(&Shape::new(2 * batch, s.plan.ext().clone()));
        let key_digits = s.plan.mod_up().key_digits();
        e.key_inner_product(r, &mut wide, &digits, &s.keys[0], key_digits, one);
        let wide = lab.add(&wide, &lab.lifted(&s, &linear));
        lab.same_eval(
            &switched,
            &lab.rescaled(&s, &wide),
            "key_switch and its parts",
        );
    });
}
