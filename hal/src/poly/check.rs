//! The checks. The method that makes them names their errors.

use std::sync::Arc;

use super::{Poly, PolyDomain, Ring};
use crate::{Backend, GaloisElement, HalErrorKind, LimbConstants, Limbs, Result, error::ensure};

pub(super) fn same_ring<B: Backend>(left: &Arc<Ring<B>>, right: &Arc<Ring<B>>) -> Result<()> {
    ensure(Arc::ptr_eq(left, right), || {
        let (left, right) = (left.basis().n(), right.basis().n());
        HalErrorKind::RingMismatch { left, right }
    })
}

pub(super) fn same_limbs(left: &Limbs, right: &Limbs) -> Result<()> {
    ensure(left == right, || {
        let (left, right) = (left.clone(), right.clone());
        HalErrorKind::LimbMismatch { left, right }
    })
}

/// Ring and limbs equal, and `b` has as many polynomials as `a` or a divisor of that.
pub(super) fn operands<B: Backend, D: PolyDomain, E: PolyDomain>(
    a: &Poly<B, D>,
    b: &Poly<B, E>,
) -> Result<()> {
    same_ring(&a.ring, &b.ring)?;
    same_limbs(a.limbs(), b.limbs())?;
    divides(a.polys(), b.polys())
}

/// Ring, limbs and number of polynomials equal.
pub(super) fn same_shape<B: Backend, D: PolyDomain>(a: &Poly<B, D>, b: &Poly<B, D>) -> Result<()> {
    same_ring(&a.ring, &b.ring)?;
    same_limbs(a.limbs(), b.limbs())?;
    polys(a.polys(), b.polys())
}

pub(super) fn divides(expected: usize, got: usize) -> Result<()> {
    let right = got > 0 && expected.is_multiple_of(got);
    ensure(right, || HalErrorKind::PolyCount { expected, got })
}

pub(super) fn polys(expected: usize, got: usize) -> Result<()> {
    ensure(expected == got, || HalErrorKind::PolyCount {
        expected,
        got,
    })
}

/// At least one leading polynomial, and no more than there are.
pub(super) fn leading(expected: usize, got: usize) -> Result<()> {
    let right = (1..=expected).contains(&got);
    ensure(right, || HalErrorKind::PolyCount { expected, got })
}

/// `got` is a positive multiple of `components`; returns the batch.
pub(super) fn batch(components: usize, got: usize) -> Result<usize> {
    let expected = components * (got / components).max(1);
    ensure(expected == got, || HalErrorKind::PolyCount {
        expected,
        got,
    })?;
    Ok(got / components)
}

pub(super) fn lists(left: usize, right: usize) -> Result<()> {
    ensure(left == right && left > 0, || HalErrorKind::ListLength {
        left,
        right,
    })
}

pub(super) fn galois<B: Backend>(ring: &Ring<B>, galois: GaloisElement) -> Result<()> {
    GaloisElement::new(u64::from(galois.value()), ring.basis().log_n()).map(|_| ())
}

/// The constants were made for this ring's moduli.
pub(super) fn constants<B: Backend>(ring: &Ring<B>, constants: &LimbConstants) -> Result<()> {
    for (limb, constant) in constants.limbs().iter().zip(constants.as_slice()) {
        let modulus = ring.basis().modulus(limb);
        let (value, q) = (constant.value, modulus.value());
        let ours = value < q && modulus.constant(value) == *constant;
        ensure(ours, || HalErrorKind::ForeignConstant {
            value,
            modulus: q,
            limb,
        })?;
    }
    Ok(())
}

/// All words are below their moduli.
pub(super) fn canonical<B: Backend>(ring: &Ring<B>, limbs: &Limbs, words: &[u32]) -> Result<()> {
    let n = ring.basis().n();
    for (row, values) in words.chunks_exact(n).enumerate() {
        let limb = limbs.at(row % limbs.len());
        let modulus = ring.basis().modulus(limb).value();
        // A fold without an early exit vectorizes; the search for the place runs only on failure.
        if values.iter().fold(0, |acc: u32, &v| acc.max(v)) >= modulus {
            let index = values.iter().position(|&v| v >= modulus).unwrap_or(0);
            let (value, poly) = (values[index], row / limbs.len());
            let kind = HalErrorKind::NotCanonical {
                value,
                modulus,
                poly,
                limb,
                index,
            };
            return Err(kind.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Eval, HalError, HalErrorKind, Limbs, Named, Poly, Reference, Ring, RingBasis, RingSpec,
        Shape,
    };

    #[test]
    fn constants_of_another_ring_are_refused() {
        let [ours, theirs] = [[97, 193], [193, 97]].map(|moduli| {
            let spec = RingSpec {
                log_n: 4,
                moduli: moduli.to_vec(),
            };
            RingBasis::new(&spec).unwrap()
        });
        let ring = Ring::new(Reference::new(), &ours).unwrap();
        let limbs = Limbs::new([0]);
        let shape = Shape::new(1, limbs.clone());
        let mut x: Poly<_, Eval> = Poly::from_words(&ring, &shape, &[96; 16]).unwrap();
        let of = |basis: &RingBasis, value: u32| basis.constants(&limbs, |_| value);
        // Too large for the modulus, or with another companion.
        for value in [192, 5] {
            let foreign = of(&theirs, value);
            let refused = HalErrorKind::ForeignConstant {
                value,
                modulus: 97,
                limb: 0,
            };
            let refused = HalError::from(refused).named("add_constants");
            assert_eq!(x.add_constants(&foreign, 1).unwrap_err(), refused);
            assert!(x.scale(&foreign).is_err());
            assert!(x.scale_assign(&foreign).is_err());
            assert!(x.restrict_and_scale(&foreign).is_err());
        }
        let sum = x.add_constants(&of(&ours, 5), 1).unwrap();
        assert_eq!(sum.to_words().unwrap(), [4; 16]);
    }
}
