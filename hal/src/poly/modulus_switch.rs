//! Base conversion and rescale.

use super::{Coeff, Eval, Poly};
use crate::{Backend, ConversionMode, Limbs, Result, Shape};

impl<B: Backend> Poly<B, Coeff> {
    /// Residues modulo `to` of the integers that these residues stand for, in the representative of `mode`. The
    /// residues are those already multiplied by (S/s_i)^-1 ([`crate::ConversionTable`]).
    ///
    /// # Errors
    /// [`crate::HalErrorKind::Plan`], [`crate::HalErrorKind::BadLimbs`].
    pub fn base_convert(&self, to: &Limbs, mode: ConversionMode) -> Result<Self> {
        let table = self.ring.basis.conversion_table(self.limbs(), to, mode)?;
        let mut dst = Self::output(&self.ring, &Shape::new(self.polys(), to.clone()))?;
        let (e, r) = self.ring.parts();
        e.base_convert(r, &mut dst.buf, &self.buf, &table);
        Ok(dst)
    }
}

impl<B: Backend> Poly<B, Eval> {
    /// Rational rescale to the limbs `to` ([`crate::RescalePlan`]): times the product of the restored primes, divided by the
    /// product of the dropped ones.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::Plan`] if nothing would be dropped or nothing would remain.
    pub fn rescale(&self, to: &Limbs) -> Result<Self> {
        let plan = self.ring.basis.rescale_plan(self.limbs(), to)?;
        Self::computed(
            &self.ring,
            &Shape::new(self.polys(), to.clone()),
            |e, r, dst| e.rescale(r, dst, &self.buf, &plan),
        )
    }

    /// The residues at a part of the limbs: a value modulo a divisor of the modulus.
    ///
    /// # Errors
    /// [`crate::HalErrorKind::LimbMismatch`] if a limb is absent.
    pub fn restrict(&self, limbs: &Limbs) -> Result<Self> {
        self.select(0..self.polys(), limbs)
    }
}
