//! Plaintexts and scalars.

use arras_hal::{Backend, Coeff, LimbConstants, Limbs, Named, Poly, Shape};
use num_bigint::{BigInt, Sign};
use num_complex::Complex64;
use num_traits::{FromPrimitive, ToPrimitive};

use super::{
    Evaluator,
    levels::{common_batch, repeated},
    products::product_level,
};
use crate::{
    Ciphertext, CkksError, CkksErrorKind, Plaintext, Result,
    ciphertext::PlaintextUse,
    encoding::{IntCoefficients, residue_rows},
};

impl<B: Backend> Evaluator<B> {
    /// Encodes vectors of real or complex numbers for sums with, and products of, ciphertexts at `level`. Shorter vectors are padded
    /// with zeros.
    ///
    /// # Errors
    /// [`CkksErrorKind::LevelTooHigh`], [`CkksErrorKind::Empty`], [`CkksErrorKind::Encoding`] naming the slot that does not fit.
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
    /// [`CkksErrorKind::PlaintextMismatch`], [`CkksErrorKind::BatchMismatch`]; those of [`Evaluator::relinearize_and_rescale`].
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
        let batch = common_batch(a.batch(), p.batch())?;
        let a = repeated(a, batch)?;
        let poly = if minus {
            a.poly().add_leading(&p.poly.neg()?, batch)?
        } else {
            a.poly().add_leading(&p.poly, batch)?
        };
        Ok(a.with_poly(poly, batch))
    }

    /// `a * p`, slot by slot; pending. The plaintext is encoded for the level of the settled operand.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`], [`CkksErrorKind::PlaintextMismatch`], [`CkksErrorKind::BatchMismatch`]; those of
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
            let terms = terms
                .into_iter()
                .map(|ct| repeated(ct, batch))
                .collect::<Result<Vec<_>>>()?;
            let polys: Vec<_> = terms.iter().map(|ct| ct.poly()).collect();
            let weights: Vec<_> = weights.iter().map(|w| &w.poly).collect();
            let poly = Poly::weighted_sum(&polys, &weights)?;
            Ok(Ciphertext::pending(&self.context, poly, batch, level))
        })
    }

    /// `a + value` in every slot, at no cost in levels; a pending operand stays pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] unless the value is finite and below 2^80; [`CkksErrorKind::Cut`].
    pub fn add_scalar(&self, a: &Ciphertext<B>, value: f64) -> Result<Ciphertext<B>> {
        CkksError::within("add_scalar", || {
            self.check(a)?;
            let constants = self.constants(value, a.scale(), a.limbs())?;
            // A constant polynomial has the same value at every point.
            let poly = a.poly().add_constants(&constants, a.batch())?;
            Ok(a.with_poly(poly, a.batch()))
        })
    }

    /// `a * value`, the value rounded to the level's scale; pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfLevels`], [`CkksErrorKind::OutOfRange`]; those of [`Evaluator::relinearize_and_rescale`].
    pub fn multiply_scalar(&self, a: &Ciphertext<B>, value: f64) -> Result<Ciphertext<B>> {
        CkksError::within("multiply_scalar", || {
            let a = self.settled(a)?;
            let level = product_level(a.level())?;
            let constants = self.constants(value, a.scale(), a.limbs())?;
            let poly = a.poly().scale(&constants)?;
            Ok(Ciphertext::pending(&self.context, poly, a.batch(), level))
        })
    }

    /// `a * value` for an integer: exact, no level, no key; a pending operand stays pending.
    ///
    /// # Errors
    /// [`CkksErrorKind::Cut`].
    pub fn multiply_integer(&self, a: &Ciphertext<B>, value: i64) -> Result<Ciphertext<B>> {
        self.check(a).named("multiply_integer")?;
        let constants = self.integer_constants(&BigInt::from(value), a.limbs());
        Ok(a.with_poly(a.poly().scale(&constants)?, a.batch()))
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
        Ok(a.with_poly(a.poly().mul(&i)?, a.batch()))
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
        Ok(self.integer_constants(&integer, limbs))
    }

    fn integer_constants(&self, value: &BigInt, limbs: &Limbs) -> LimbConstants {
        let negative = value.sign() == Sign::Minus;
        self.context.ring().basis().constants(limbs, |q| {
            let residue = (value.magnitude() % q.value()).to_u32().unwrap_or(0);
            if negative { q.neg(residue) } else { residue }
        })
    }
}
