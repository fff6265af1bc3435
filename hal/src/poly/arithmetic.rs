//! Sums, products, transforms, automorphisms.

use super::{Coeff, Eval, Poly, PolyDomain, check};
use crate::{Backend, GaloisElement, HalError, LimbConstants, Named, Result, Shape};

impl<B: Backend, D: PolyDomain> Poly<B, D> {
    /// `self + other`; `other` may have a divisor of this batch's polynomials and is then repeated.
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn add(&self, other: &Self) -> Result<Self> {
        check::operands(self, other).named("add")?;
        let mut dst = Self::output(&self.ring, self.shape())?;
        let (e, r) = self.ring.parts();
        e.add(r, &mut dst.buf, &self.buf, &other.buf);
        Ok(dst)
    }

    /// `self += other`.
    ///
    /// # Errors
    /// As [`Poly::add`].
    pub fn add_assign(&mut self, other: &Self) -> Result<()> {
        check::operands(self, other).named("add_assign")?;
        let (e, r) = self.ring.parts();
        e.add_assign(r, &mut self.buf, &other.buf)
    }

    /// `self - other`.
    ///
    /// # Errors
    /// As [`Poly::add`].
    pub fn sub(&self, other: &Self) -> Result<Self> {
        check::operands(self, other).named("sub")?;
        let mut dst = Self::output(&self.ring, self.shape())?;
        let (e, r) = self.ring.parts();
        e.sub(r, &mut dst.buf, &self.buf, &other.buf);
        Ok(dst)
    }

    /// `self -= other`.
    ///
    /// # Errors
    /// As [`Poly::add`].
    pub fn sub_assign(&mut self, other: &Self) -> Result<()> {
        check::operands(self, other).named("sub_assign")?;
        let (e, r) = self.ring.parts();
        e.sub_assign(r, &mut self.buf, &other.buf)
    }

    /// `-self`.
    ///
    /// # Errors
    /// The engine's.
    pub fn neg(&self) -> Result<Self> {
        Self::computed(&self.ring, self.shape(), |e, r, dst| {
            e.neg(r, dst, &self.buf)
        })
    }

    /// `self * c`, one constant per limb.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::LimbMismatch`] if the constants are for other limbs, [`crate::HalErrorKind::ForeignConstant`] if for another ring.
    pub fn scale(&self, constants: &LimbConstants) -> Result<Self> {
        check::same_limbs(self.limbs(), constants.limbs())
            .and_then(|()| check::constants(&self.ring, constants))
            .named("scale")?;
        let mut dst = Self::output(&self.ring, self.shape())?;
        let (e, r) = self.ring.parts();
        e.scale(r, &mut dst.buf, &self.buf, constants);
        Ok(dst)
    }

    /// `self *= c`, one constant per limb.
    ///
    /// # Errors
    /// As [`Poly::scale`].
    pub fn scale_assign(&mut self, constants: &LimbConstants) -> Result<()> {
        check::same_limbs(self.limbs(), constants.limbs())
            .and_then(|()| check::constants(&self.ring, constants))
            .named("scale_assign")?;
        let (e, r) = self.ring.parts();
        e.scale_assign(r, &mut self.buf, constants)
    }

    /// `self`, with `other` added to the first `leading` polynomials; `other` has a divisor of that many and is repeated.
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn add_leading(&self, other: &Self, leading: usize) -> Result<Self> {
        HalError::within("add_leading", || {
            check::same_ring(&self.ring, &other.ring)?;
            check::same_limbs(self.limbs(), other.limbs())?;
            check::leading(self.polys(), leading)?;
            check::divides(leading, other.polys())
        })?;
        Self::computed(&self.ring, self.shape(), |e, r, dst| {
            e.add_leading(r, dst, &self.buf, &other.buf, leading)
        })
    }

    /// The residues at the constants' limbs, which are among those of `self`, times these constants.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::LimbMismatch`] if a limb is absent, [`crate::HalErrorKind::ForeignConstant`].
    pub fn restrict_and_scale(&self, constants: &LimbConstants) -> Result<Self> {
        self.positions(&(0..self.polys()), constants.limbs())
            .and_then(|_| check::constants(&self.ring, constants))
            .named("restrict_and_scale")?;
        let shape = Shape::new(self.polys(), constants.limbs().clone());
        Self::computed(&self.ring, &shape, |e, r, dst| {
            e.restrict_and_scale(r, dst, &self.buf, constants)
        })
    }
}

impl<B: Backend> Poly<B, Coeff> {
    /// The evaluations.
    #[must_use]
    pub fn ntt(mut self) -> Poly<B, Eval> {
        let (e, r) = self.ring.parts();
        e.ntt(r, &mut self.buf);
        Poly::wrap(&self.ring, self.buf)
    }
}

impl<B: Backend> Poly<B, Eval> {
    /// The coefficients.
    #[must_use]
    pub fn intt(mut self) -> Poly<B, Coeff> {
        let (e, r) = self.ring.parts();
        e.intt(r, &mut self.buf);
        Poly::wrap(&self.ring, self.buf)
    }

    /// `self`, with the constants added to the first `leading` polynomials: one per limb, the value at every point.
    ///
    /// # Errors
    /// Limb or count mismatch; [`crate::HalErrorKind::ForeignConstant`].
    pub fn add_constants(&self, constants: &LimbConstants, leading: usize) -> Result<Self> {
        HalError::within("add_constants", || {
            check::same_limbs(self.limbs(), constants.limbs())?;
            check::constants(&self.ring, constants)?;
            check::leading(self.polys(), leading)
        })?;
        Self::computed(&self.ring, self.shape(), |e, r, dst| {
            e.add_constants(r, dst, &self.buf, constants, leading)
        })
    }

    /// `self * other` in the ring.
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn mul(&self, other: &Self) -> Result<Self> {
        let mut dst = Self::output(&self.ring, self.shape())?;
        self.mul_into(other, &mut dst)?;
        Ok(dst)
    }

    /// `dst = self * other`, for a caller that chooses the output's memory (secrets).
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn mul_into(&self, other: &Self, dst: &mut Self) -> Result<()> {
        HalError::within("mul", || {
            check::operands(self, other)?;
            check::same_shape(self, dst)
        })?;
        let (e, r) = self.ring.parts();
        e.mul(r, &mut dst.buf, &self.buf, &other.buf);
        Ok(())
    }

    /// `self *= other`.
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn mul_assign(&mut self, other: &Self) -> Result<()> {
        check::operands(self, other).named("mul_assign")?;
        let (e, r) = self.ring.parts();
        e.mul_assign(r, &mut self.buf, &other.buf)
    }

    /// `self += a * b`.
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn mul_acc(&mut self, a: &Self, b: &Self) -> Result<()> {
        check::operands(self, a)
            .and_then(|()| check::operands(self, b))
            .named("mul_acc")?;
        let (e, r) = self.ring.parts();
        e.mul_acc(r, &mut self.buf, &a.buf, &b.buf);
        Ok(())
    }

    /// X -> X^g of every polynomial.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::BadGaloisElement`] if the element belongs to a larger ring.
    pub fn automorphism(&self, galois: GaloisElement) -> Result<Self> {
        let mut dst = Self::output(&self.ring, self.shape())?;
        self.automorphism_into(galois, &mut dst)?;
        Ok(dst)
    }

    /// `dst = self` under X -> X^g, for a caller that chooses the output's memory (secrets).
    ///
    /// # Errors
    /// As [`Poly::automorphism`], and ring, limb or count mismatch.
    pub fn automorphism_into(&self, galois: GaloisElement, dst: &mut Self) -> Result<()> {
        check::galois(&self.ring, galois)?;
        check::same_shape(self, dst).named("automorphism")?;
        let (e, r) = self.ring.parts();
        e.automorphism(r, &mut dst.buf, &self.buf, galois);
        Ok(())
    }

    /// (a0 b0, a0 b1 + a1 b0, a1 b1) of batches `[2][B]`; the result is `[3][B]`.
    ///
    /// # Errors
    /// Ring, limb or count mismatch.
    pub fn tensor(&self, other: &Self) -> Result<Self> {
        let batch = HalError::within("tensor", || {
            let batch = check::batch(2, self.polys())?;
            check::same_shape(self, other)?;
            Ok(batch)
        })?;
        Self::computed(
            &self.ring,
            &self.shape().with_polys(3 * batch),
            |e, r, dst| e.tensor(r, dst, &self.buf, &other.buf),
        )
    }

    /// The sum of the tensors of pairs of batches `[2][B]`, all of one shape; the result is `[3][B]`.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::ListLength`]; ring, limb or count mismatch.
    pub fn sum_of_products(a: &[&Self], b: &[&Self]) -> Result<Self> {
        let (first, batch) = HalError::within("sum_of_products", || {
            check::lists(a.len(), b.len())?;
            let first = a[0];
            let batch = check::batch(2, first.polys())?;
            for operand in a.iter().chain(b) {
                check::same_shape(first, operand)?;
            }
            Ok((first, batch))
        })?;
        let (a, b): (Vec<_>, Vec<_>) = (bufs(a), bufs(b));
        Self::computed(
            &first.ring,
            &first.shape().with_polys(3 * batch),
            |e, r, dst| e.sum_of_products(r, dst, &a, &b),
        )
    }

    /// The sum of `weights[k] * terms[k]`, point by point; a weight may have fewer polynomials.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::ListLength`]; ring, limb or count mismatch.
    pub fn weighted_sum(terms: &[&Self], weights: &[&Self]) -> Result<Self> {
        let first = HalError::within("weighted_sum", || {
            check::lists(terms.len(), weights.len())?;
            let first = terms[0];
            for (term, weight) in terms.iter().zip(weights) {
                check::same_shape(first, term)?;
                check::operands(first, weight)?;
            }
            Ok(first)
        })?;
        let (terms, weights) = (bufs(terms), bufs(weights));
        Self::computed(&first.ring, first.shape(), |e, r, dst| {
            e.weighted_sum(r, dst, &terms, &weights)
        })
    }
}

pub(super) fn bufs<'a, B: Backend, D: PolyDomain>(polys: &[&'a Poly<B, D>]) -> Vec<&'a B::Buf> {
    polys.iter().map(|p| &p.buf).collect()
}
