//! Plaintexts and scalars.

use arras_hal::{Backend, Coeff, LimbConstants, Limbs, Named, Poly, Shape};
use num_bigint::BigInt;
use num_complex::Complex64;
use num_traits::FromPrimitive;

use super::{
    Evaluator,
    levels::{common_batch, repeated},
    products::product_level,
};
use crate::{
    Ciphertext, CkksError, CkksErrorKind, Plaintext, Result,
    ciphertext::PlaintextUse,
    encoding::{IntCoefficients, residue_rows},
    magnitude,
};

impl<B: Backend> Evaluator<B> {
    /// Encodes vectors of real or complex numbers for sums with, and products of, ciphertexts at `level`. Shorter vectors are padded
    /// with zeros.
    ///
    /// # Errors
    /// [`CkksErrorKind::LevelTooHigh`], [`CkksErrorKind::Empty`]; [`CkksErrorKind::Overflow`] for values that the level cannot hold;
    /// [`CkksErrorKind::Encoding`], naming the slot, for those that are no numbers or that no encoder takes.
    pub fn encode<V: Copy + Into<Complex64> + Sync>(
        &self,
        vectors: &[&[V]],
        level: usize,
    ) -> Result<Plaintext<B>> {
        self.encode_for(vectors, PlaintextUse::Level(level))
            .named("encode")
    }

    /// Encodes weights for [`Evaluator::weighted_rotation_sum`] of ciphertexts at `level`.
    ///
    /// # Errors
    /// As [`Evaluator::encode`].
    pub fn encode_weights<V: Copy + Into<Complex64> + Sync>(
        &self,
        vectors: &[&[V]],
        level: usize,
    ) -> Result<Plaintext<B>> {
        self.encode_for(vectors, PlaintextUse::Weight(level))
            .named("encode_weights")
    }

    fn encode_for<V: Copy + Into<Complex64> + Sync>(
        &self,
        vectors: &[&[V]],
        purpose: PlaintextUse,
    ) -> Result<Plaintext<B>> {
        if vectors.is_empty() {
            return Err(CkksErrorKind::Empty.into());
        }
        let (level, limbs) = match purpose {
            PlaintextUse::Level(level) => (level, self.context.window(level)?.clone()),
            PlaintextUse::Weight(level) => (
                level,
                self.context
                    .window(level)?
                    .union(&self.context.switching().special),
            ),
        };
        let scale = self.context.params().scale(level);
        let largest = vectors.iter().map(|v| magnitude::largest(v));
        let largest = magnitude::held(self.context.params(), level, largest.fold(0.0, f64::max))?;
        let workers = self.context.engine().workers();
        let encode =
            |v: &&[V]| -> Result<IntCoefficients> { Ok(self.context.encoder().encode(v, scale)?) };
        let encoded = workers.map(vectors, encode)?;
        let moduli = self.context.moduli_of(&limbs);
        let n = self.context.params().n();
        let mut words = vec![0; encoded.len() * moduli.len() * n];
        residue_rows(workers, &encoded, &moduli, n, &mut words)?;
        let shape = Shape::new(encoded.len(), limbs);
        let poly = Poly::<B, Coeff>::from_words(self.context.ring(), &shape, &words)?.ntt();
        Ok(Plaintext {
            context: self.context.clone(),
            poly,
            purpose,
            largest,
        })
    }

    pub(super) fn check_plain(&self, plain: &Plaintext<B>, need: PlaintextUse) -> Result<()> {
        self.context.check_same(&plain.context)?;
        if plain.purpose == need {
            return Ok(());
        }
        let (have, need) = (plain.purpose.to_string(), need.to_string());
        Err(CkksErrorKind::PlaintextMismatch { have, need }.into())
    }

    /// `a + p`, slot by slot; `a` is settled first. The plaintext has one vector or one for each ciphertext, encoded for
    /// the settled level.
    ///
    /// # Errors
    /// [`CkksErrorKind::PlaintextMismatch`], [`CkksErrorKind::BatchMismatch`]; [`CkksErrorKind::Overflow`]; those of
    /// [`Evaluator::relinearize_and_rescale`].
    pub fn add_plain(&self, a: &Ciphertext<B>, p: &Plaintext<B>) -> Result<Ciphertext<B>> {
        self.shift_plain(a, p, false).named("add_plain")
    }

    /// `a - p`, slot by slot.
    ///
    /// # Errors
    /// As [`Evaluator::add_plain`].
    pub fn sub_plain(&self, a: &Ciphertext<B>, p: &Plaintext<B>) -> Result<Ciphertext<B>> {
        self.shift_plain(a, p, true).named("sub_plain")
    }

    fn shift_plain(
        &self,
        a: &Ciphertext<B>,
        p: &Plaintext<B>,
        minus: bool,
    ) -> Result<Ciphertext<B>> {
        let a = self.settled(a)?;
        self.check_plain(p, PlaintextUse::Level(a.level()))?;
        let bound = self.bound(a.level(), a.bound() + p.largest)?;
        let batch = common_batch(a.batch(), p.batch())?;
        let a = repeated(a, batch)?;
        let poly = if minus {
            a.poly().add_leading(&p.poly.neg()?, batch)?
        } else {
            a.poly().add_leading(&p.poly, batch)?
        };
        Ok(a.with_poly(poly, batch).with_bound(bound))
    }

    /// `a * p`, slot by slot; pending. The plaintext is encoded for the level of the settled operand.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`], [`CkksErrorKind::Overflow`], [`CkksErrorKind::PlaintextMismatch`], [`CkksErrorKind::BatchMismatch`]; those of
    /// [`Evaluator::relinearize_and_rescale`].
    pub fn multiply_plain(&self, a: &Ciphertext<B>, p: &Plaintext<B>) -> Result<Ciphertext<B>> {
        self.weighted_sum(&[a], &[p])
    }

    /// The sum of `terms[k] * weights[k]`, slot by slot, in one pass over memory; pending, so it is rescaled once.
    /// Terms are brought to the lowest of their levels; the weights are encoded for that level.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`], [`CkksErrorKind::ListLength`]; as [`Evaluator::multiply_plain`].
    pub fn weighted_sum(
        &self,
        terms: &[&Ciphertext<B>],
        weights: &[&Plaintext<B>],
    ) -> Result<Ciphertext<B>> {
        CkksError::within("multiply_plain", || {
            if terms.len() != weights.len() {
                return Err(CkksErrorKind::ListLength {
                    left: terms.len(),
                    right: weights.len(),
                }
                .into());
            }
            let terms = self.all_aligned(terms)?;
            let first = terms.first().ok_or(CkksErrorKind::Empty)?;
            let level = product_level(first.level())?;
            let mut batch = first.batch();
            for weight in weights {
                self.check_plain(weight, PlaintextUse::Level(first.level()))?;
                batch = common_batch(batch, weight.batch())?;
            }
            let products = terms.iter().zip(weights);
            let products = products.map(|(ct, weight)| ct.bound() * weight.largest);
            let bound = self.bound(level, products.sum())?;
            let terms = terms
                .into_iter()
                .map(|ct| repeated(ct, batch))
                .collect::<Result<Vec<_>>>()?;
            let polys: Vec<_> = terms.iter().map(|ct| ct.poly()).collect();
            let weights: Vec<_> = weights.iter().map(|w| &w.poly).collect();
            let poly = Poly::weighted_sum(&polys, &weights)?;
            Ok(Ciphertext::pending(
                &self.context,
                poly,
                batch,
                level,
                bound,
            ))
        })
    }

    /// `a + value` in every slot, at no cost in levels; a pending operand stays pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] unless the value is finite and below 2^80; [`CkksErrorKind::Overflow`]; [`CkksErrorKind::Cut`].
    pub fn add_scalar(&self, a: &Ciphertext<B>, value: f64) -> Result<Ciphertext<B>> {
        CkksError::within("add_scalar", || {
            self.check(a)?;
            let constants = self.constants(value, a.scale(), a.limbs())?;
            let bound = self.bound(a.level(), a.bound() + value.abs())?;
            // A constant polynomial has the same value at every point.
            let poly = a.poly().add_constants(&constants, a.batch())?;
            Ok(a.with_poly(poly, a.batch()).with_bound(bound))
        })
    }

    /// `a * value`, the value rounded to the level's scale; pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`], [`CkksErrorKind::OutOfRange`], [`CkksErrorKind::Overflow`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn multiply_scalar(&self, a: &Ciphertext<B>, value: f64) -> Result<Ciphertext<B>> {
        CkksError::within("multiply_scalar", || {
            let a = self.settled(a)?;
            let level = product_level(a.level())?;
            let constants = self.constants(value, a.scale(), a.limbs())?;
            let bound = self.bound(level, a.bound() * value.abs())?;
            let poly = a.poly().scale(&constants)?;
            let (context, batch) = (&self.context, a.batch());
            Ok(Ciphertext::pending(context, poly, batch, level, bound))
        })
    }

    /// `a * value` for an integer: exact, no level, no key; a pending operand stays pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::Overflow`]; [`CkksErrorKind::Cut`].
    pub fn multiply_integer(&self, a: &Ciphertext<B>, value: i64) -> Result<Ciphertext<B>> {
        CkksError::within("multiply_integer", || {
            self.check(a)?;
            let bound = self.bound(a.level(), a.bound() * value.unsigned_abs() as f64)?;
            let constants = (self.context).integer_constants(&BigInt::from(value), a.limbs());
            let product = a.with_poly(a.poly().scale(&constants)?, a.batch());
            Ok(product.with_bound(bound))
        })
    }

    /// `a * i` (the imaginary unit): no level, no key; a pending operand stays pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::Cut`].
    pub fn multiply_i(&self, a: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        self.check(a).named("multiply_i")?;
        // i is the value of X^(N/2) in every slot.
        let n = self.context.params().n();
        let mut words = vec![0; a.limbs().len() * n];
        for row in words.chunks_exact_mut(n) {
            if let Some(middle) = row.get_mut(n / 2) {
                *middle = 1;
            }
        }
        let shape = Shape::new(1, a.limbs().clone());
        let i = Poly::<B, Coeff>::from_words(self.context.ring(), &shape, &words)?.ntt();
        self.as_result(a.with_poly(a.poly().mul(&i)?, a.batch()))
    }

    /// round(value * scale) modulo each limb.
    fn constants(&self, value: f64, scale: f64, limbs: &Limbs) -> Result<LimbConstants> {
        let scaled = (value * scale).round();
        let out_of_range = || CkksErrorKind::OutOfRange {
            what: "the scalar",
            value,
            range: "finite numbers below 2^80 in magnitude".into(),
        };
        if value.abs() >= 2f64.powi(80) {
            return Err(out_of_range().into());
        }
        let integer = BigInt::from_f64(scaled).ok_or_else(out_of_range)?;
        Ok(self.context.integer_constants(&integer, limbs))
    }
}
