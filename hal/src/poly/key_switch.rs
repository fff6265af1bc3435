//! Key switching: relinearization, rotations, hoisting.

use std::sync::Arc;

use super::{Eval, Key, Poly, arithmetic::bufs, check};
use crate::{
    Backend, GaloisElement, HalError, HalErrorKind, KeySwitchPlan, KeySwitchSpec, Limbs, Named,
    Result, Ring, Shape,
};

impl<B: Backend> Poly<B, Eval> {
    fn plan(&self, spec: &KeySwitchSpec, to: &Limbs) -> Result<Arc<KeySwitchPlan>> {
        self.ring.basis.key_switch_plan(spec, self.limbs(), to)
    }

    /// The batch of `[components][B]` polynomials and the plan of their switch, which the key fits.
    fn batch_and_plan(
        &self,
        components: usize,
        key: &Key<B>,
        spec: &KeySwitchSpec,
        to: &Limbs,
    ) -> Result<(usize, Arc<KeySwitchPlan>)> {
        let batch = check::batch(components, self.polys())?;
        let plan = self.plan(spec, to)?;
        key.check(&self.ring, &plan)?;
        Ok((batch, plan))
    }

    /// `[2][B]` polynomials at the limbs `to` that an operation writes.
    fn switched(
        &self,
        batch: usize,
        to: &Limbs,
        op: impl FnOnce(&B, &B::Ring, &mut B::Buf) -> Result<()>,
    ) -> Result<Self> {
        Self::computed(&self.ring, &Shape::new(2 * batch, to.clone()), op)
    }

    /// Extends every digit of `[B]` polynomials to their limbs and the special ones: `[digit][B]`.
    ///
    /// # Errors
    /// [`HalErrorKind::Plan`] if the groups do not cover the limbs.
    pub fn mod_up(&self, spec: &KeySwitchSpec) -> Result<Self> {
        let plan = self.ring.basis.mod_up_plan(spec, self.limbs())?;
        let shape = Shape::new(plan.digits().len() * self.polys(), plan.ext().clone());
        Self::computed(&self.ring, &shape, |e, r, dst| {
            e.mod_up(r, dst, &self.buf, &plan)
        })
    }

    /// Switches `[B]` polynomials, after X -> X^g, with `key` and adds `addend` (`[1][B]` for component 0, or `[2][B]`) after
    /// X -> X^g. The result `[2][B]` is at the limbs `to`: the same window (mod_down), or another level's
    /// (mod_down and rescale merged).
    ///
    /// # Errors
    /// Ring, limb, count or key mismatch; [`HalErrorKind::Plan`].
    pub fn key_switch(
        &self,
        addend: Option<&Self>,
        key: &Key<B>,
        galois: GaloisElement,
        spec: &KeySwitchSpec,
        to: &Limbs,
    ) -> Result<Self> {
        check::galois(&self.ring, galois)?;
        let plan = self.plan(spec, to)?;
        HalError::within("key_switch", || {
            key.check(&self.ring, &plan)?;
            check_addend(self.polys(), self.limbs(), &self.ring, addend)
        })?;
        let addend = addend.map(|a| &a.buf);
        self.switched(self.polys(), to, |e, r, dst| {
            e.key_switch(r, dst, &self.buf, addend, key.inner(), galois, &plan)
        })
    }

    /// [`Poly::key_switch`] of `[B]` polynomials that are given at the special limbs too, with a key of one digit: nothing is extended.
    /// For integers far below the modulus, whose residues at all these limbs are known: mod_up would add a multiple of the modulus to them.
    /// The window is the limbs that are not special.
    ///
    /// # Errors
    /// Ring, limb, count or key mismatch; [`HalErrorKind::Plan`].
    pub fn key_switch_extended(
        &self,
        addend: Option<&Self>,
        key: &Key<B>,
        spec: &KeySwitchSpec,
        to: &Limbs,
    ) -> Result<Self> {
        let window = self.limbs().without(&spec.special);
        let plan = self.ring.basis.mod_down_plan(spec, &window, to)?;
        HalError::within("key_switch_extended", || {
            check::same_limbs(plan.ext(), self.limbs())?;
            key.check_limbs(&self.ring, &[0], plan.ext())?;
            check_addend(self.polys(), &window, &self.ring, addend)
        })?;
        let galois = GaloisElement::IDENTITY;
        let shape = Shape::new(2 * self.polys(), plan.ext().clone());
        let sums = Self::computed(&self.ring, &shape, |e, r, dst| {
            e.key_inner_product(r, dst, &self.buf, key.inner(), &[0], galois);
            Ok(())
        })?;
        let addend = addend.map(|a| &a.buf);
        self.switched(self.polys(), to, |e, r, dst| {
            e.mod_down_and_rescale(r, dst, &sums.buf, addend, galois, &plan)
        })
    }

    /// `[3][B]` to `[2][B]` at the limbs `to`.
    ///
    /// # Errors
    /// Count or key mismatch; [`HalErrorKind::Plan`].
    pub fn relinearize(&self, key: &Key<B>, spec: &KeySwitchSpec, to: &Limbs) -> Result<Self> {
        let checked = self.batch_and_plan(3, key, spec, to);
        let (batch, plan) = checked.named("relinearize")?;
        self.switched(batch, to, |e, r, dst| {
            e.relinearize(r, dst, &self.buf, key.inner(), &plan)
        })
    }

    /// X -> X^g of `[2][B]` with a key switch back, at the limbs `to`.
    ///
    /// # Errors
    /// Count or key mismatch; [`HalErrorKind::Plan`].
    pub fn rotate(
        &self,
        key: &Key<B>,
        galois: GaloisElement,
        spec: &KeySwitchSpec,
        to: &Limbs,
    ) -> Result<Self> {
        let (batch, plan) = HalError::within("rotate", || {
            check::galois(&self.ring, galois)?;
            self.batch_and_plan(2, key, spec, to)
        })?;
        self.switched(batch, to, |e, r, dst| {
            e.rotate(r, dst, &self.buf, key.inner(), galois, &plan)
        })
    }

    /// The batch of `[2][B]` polynomials that these automorphisms are of.
    fn check_terms(
        &self,
        terms: &[(GaloisElement, Option<&Key<B>>)],
        plan: &KeySwitchPlan,
    ) -> Result<usize> {
        check::lists(terms.len(), terms.len())?;
        let batch = check::batch(2, self.polys())?;
        for &(galois, key) in terms {
            check::galois(&self.ring, galois)?;
            match key {
                Some(key) => key.check(&self.ring, plan)?,
                None if galois.is_identity() => {}
                None => {
                    let element = galois.value();
                    return Err(HalErrorKind::KeyMissing { element }.into());
                }
            }
        }
        Ok(batch)
    }

    /// Several automorphisms of `[2][B]` with one mod_up, at the limbs `to`; only the identity may lack a key. Equal to the bit
    /// to as many [`Poly::rotate`].
    ///
    /// # Errors
    /// [`HalErrorKind::ListLength`] without terms, [`HalErrorKind::KeyMissing`]; count or key mismatch; [`HalErrorKind::Plan`].
    pub fn hoisted_rotations(
        &self,
        terms: &[(GaloisElement, Option<&Key<B>>)],
        spec: &KeySwitchSpec,
        to: &Limbs,
    ) -> Result<Vec<Self>> {
        let plan = self.plan(spec, to)?;
        self.check_terms(terms, &plan).named("hoisted_rotations")?;
        let shape = Shape::new(self.polys(), to.clone());
        let mut outputs = terms
            .iter()
            .map(|_| Self::output(&self.ring, &shape))
            .collect::<Result<Vec<Self>>>()?;
        let mut dsts: Vec<&mut B::Buf> = outputs.iter_mut().map(|p| &mut p.buf).collect();
        let (galois, keys) = unzip(terms);
        let (e, r) = self.ring.parts();
        e.hoisted_rotations(r, &mut dsts, &self.buf, &keys, &galois, &plan)?;
        Ok(outputs)
    }

    /// The sum of `weights[k]` times the automorphism k of `[2][B]`, kept over the extended limbs and brought down once.
    /// `weights` is empty or has a polynomial (or `[B]`, `[2][B]`) per term over the window and the special limbs.
    ///
    /// # Errors
    /// As [`Poly::hoisted_rotations`], and count or limb mismatch of a weight.
    pub fn rotation_sum(
        &self,
        terms: &[(GaloisElement, Option<&Key<B>>)],
        weights: &[&Self],
        spec: &KeySwitchSpec,
        to: &Limbs,
    ) -> Result<Self> {
        let plan = self.plan(spec, to)?;
        let batch = HalError::within("rotation_sum", || {
            let batch = self.check_terms(terms, &plan)?;
            if !weights.is_empty() {
                check::lists(terms.len(), weights.len())?;
            }
            for weight in weights {
                check::same_ring(&self.ring, &weight.ring)?;
                check::same_limbs(plan.ext(), weight.limbs())?;
                check::divides(self.polys(), weight.polys())?;
            }
            Ok(batch)
        })?;
        let ((galois, keys), weights) = (unzip(terms), bufs(weights));
        self.switched(batch, to, |e, r, dst| {
            e.rotation_sum(r, dst, &self.buf, &keys, &galois, &weights, &plan)
        })
    }
}

/// What is added to a switch of `polys` polynomials over `window`: as many, or twice as many.
fn check_addend<B: Backend>(
    polys: usize,
    window: &Limbs,
    ring: &Arc<Ring<B>>,
    addend: Option<&Poly<B, Eval>>,
) -> Result<()> {
    let Some(addend) = addend else { return Ok(()) };
    check::same_ring(ring, &addend.ring)?;
    check::same_limbs(window, addend.limbs())?;
    if addend.polys() == 2 * polys {
        return Ok(());
    }
    check::polys(polys, addend.polys())
}

type Terms<'a, B> = (Vec<GaloisElement>, Vec<Option<&'a <B as Backend>::Key>>);

fn unzip<'a, B: Backend>(terms: &[(GaloisElement, Option<&'a Key<B>>)]) -> Terms<'a, B> {
    terms
        .iter()
        .map(|&(g, key)| (g, key.map(Key::inner)))
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConversionMode, KeyLayout, LimbConstants, Reference, RingBasis, RingSpec};

    /// Words that differ, below every modulus.
    fn words(count: usize, seed: u32) -> Vec<u32> {
        (0..count as u32).map(|i| (i * 37 + seed) % 90).collect()
    }

    #[test]
    fn what_is_extended_already_is_switched_like_what_is_not() {
        let spec = RingSpec {
            log_n: 4,
            moduli: vec![97, 193, 257, 353, 449],
        };
        let basis = RingBasis::new(&spec).unwrap();
        let ring = Ring::new(Reference::new(), &basis).unwrap();
        let (window, special) = (Limbs::new([1]), Limbs::new(3..5));
        let ext = window.union(&special);
        let spec = KeySwitchSpec {
            groups: vec![window.clone()],
            special: special.clone(),
        };
        let layout = KeyLayout {
            digits: 1,
            limbs: ext.clone(),
        };
        let key = Key::prepare(&ring, &layout, &words(layout.words(16), 5)).unwrap();
        let poly = |polys, limbs: &Limbs, seed| {
            let shape = Shape::new(polys, limbs.clone());
            Poly::<_, Eval>::from_words(&ring, &shape, &words(shape.words(16), seed)).unwrap()
        };
        let x = poly(2, &window, 11);
        // What mod_up does: the one limb's cofactor is 1.
        let coefficients = x.try_clone().unwrap().intt();
        let others = coefficients.base_convert(&special, ConversionMode::Centred);
        let extended = Poly::join_limbs(&[&coefficients, &others.unwrap()]).unwrap();
        let extended = extended.ntt();
        let (one, two) = (poly(2, &window, 3), poly(4, &window, 4));
        for addend in [None, Some(&one), Some(&two)] {
            let got = extended.key_switch_extended(addend, &key, &spec, &window);
            let want = x.key_switch(addend, &key, GaloisElement::IDENTITY, &spec, &window);
            assert_eq!(
                got.unwrap().to_words().unwrap(),
                want.unwrap().to_words().unwrap()
            );
        }
        let kind = |result: Result<Poly<_, Eval>>| result.unwrap_err().into_kind();
        let switch = |x: &Poly<_, Eval>, addend, to| x.key_switch_extended(addend, &key, &spec, to);
        let foreign = poly(2, &Limbs::new([0]), 1);
        let three = poly(3, &window, 1);
        let longer = poly(2, &Limbs::new([0, 1, 3, 4]), 1);
        assert!(matches!(
            kind(switch(&extended, Some(&foreign), &window)),
            HalErrorKind::LimbMismatch { .. }
        ));
        assert!(matches!(
            kind(switch(&extended, Some(&three), &window)),
            HalErrorKind::PolyCount {
                expected: 2,
                got: 3
            }
        ));
        assert!(matches!(
            kind(switch(&longer, None, &window)),
            HalErrorKind::KeyTooSmall { .. }
        ));
        assert!(matches!(
            kind(switch(&x, None, &window)),
            HalErrorKind::LimbMismatch { .. }
        ));
        assert!(matches!(
            kind(switch(&extended, None, &ext)),
            HalErrorKind::Plan { .. }
        ));
        let joined = |parts: &[&Poly<_, Eval>]| kind(Poly::join_limbs(parts));
        assert!(matches!(
            joined(&[&x, &longer]),
            HalErrorKind::LimbMismatch { .. }
        ));
        assert!(matches!(
            joined(&[&foreign, &three]),
            HalErrorKind::PolyCount { .. }
        ));
        assert!(matches!(joined(&[]), HalErrorKind::ListLength { .. }));
        // Restricting undoes joining, whatever the order of the parts.
        let both = Poly::join_limbs(&[&x, &foreign]).unwrap();
        let constants: LimbConstants = basis.constants(&window, |_| 1);
        let back = both.restrict_and_scale(&constants).unwrap();
        assert_eq!(back.to_words().unwrap(), x.to_words().unwrap());
        assert_eq!(
            both.restrict(&Limbs::new([0])).unwrap().to_words().unwrap(),
            foreign.to_words().unwrap()
        );
    }
}
