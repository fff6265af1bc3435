//! One stage of a map, encoded: a weighted sum of rotations, and what it does to ciphertexts.

use arras_hal::{Backend, Coeff, Eval, Poly, Shape};
use num_complex::Complex64;

use super::maps::Giant;
use crate::{Context, Evaluator, Result, encoding::Encoder};

/// A stage at a level; its result is a level lower.
pub(super) struct Stage<B: Backend> {
    level: usize,
    sums: Vec<Sum<B>>,
}

/// A sum of rotations with weights, rotated once more.
struct Sum<B: Backend> {
    giant: i64,
    steps: Vec<i64>,
    weights: Vec<Poly<B, Eval>>,
}

impl<B: Backend> Stage<B> {
    /// Encodes the weights, times `factor`, for `level`: in the ring whose degree is twice their period, then X becomes its power. So they err in
    /// that many coefficients alone.
    pub(super) fn new(
        context: &Context<B>,
        encoder: &Encoder,
        level: usize,
        giants: Vec<Giant>,
        factor: f64,
    ) -> Result<Self> {
        let sum = |giant: Giant| {
            context.stopped()?;
            let (steps, weights): (Vec<_>, Vec<_>) = giant.terms.into_iter().unzip();
            let encode = |weights: &Vec<Complex64>| {
                let weights: Vec<_> = weights.iter().map(|w| w * factor).collect();
                encoded(context, encoder, &weights, level)
            };
            Ok(Sum {
                giant: giant.step,
                steps,
                weights: weights.iter().map(encode).collect::<Result<_>>()?,
            })
        };
        Ok(Self {
            level,
            sums: giants.into_iter().map(sum).collect::<Result<_>>()?,
        })
    }

    /// The map of a batch `[2][B]` at the stage's level, a level lower.
    pub(super) fn apply(
        &self,
        evaluator: &Evaluator<B>,
        ciphertext: &Poly<B, Eval>,
    ) -> Result<Poly<B, Eval>> {
        let context = evaluator.context();
        let here = context.raised_window(self.level)?;
        let below = context.raised_window(self.level.saturating_sub(1))?;
        let alone = self.sums.len() == 1;
        let mut total: Option<Poly<B, Eval>> = None;
        for sum in &self.sums {
            context.stopped()?;
            let terms = evaluator.terms(&sum.steps, self.level)?;
            let weights: Vec<_> = sum.weights.iter().collect();
            let at_once = alone && sum.giant == 0;
            let to = if at_once { below } else { here };
            let switching = context.switching();
            let mut part = ciphertext.rotation_sum(&terms, &weights, switching, to)?;
            if at_once {
                return Ok(part);
            }
            if let [(galois, Some(key))] = evaluator.terms(&[sum.giant], self.level)?[..] {
                part = part.rotate(key, galois, switching, here)?;
            }
            match &mut total {
                Some(total) => total.add_assign(&part)?,
                None => total = Some(part),
            }
        }
        let total = total.ok_or(crate::CkksErrorKind::Empty)?;
        Ok(total.rescale(below)?)
    }
}

/// One period of weights over the window of `level` and the special limbs.
fn encoded<B: Backend>(
    context: &Context<B>,
    encoder: &Encoder,
    weights: &[Complex64],
    level: usize,
) -> Result<Poly<B, Eval>> {
    let limbs = context
        .raised_window(level)?
        .union(&context.switching().special);
    let coefficients = encoder.encode(weights, context.params().scale(level))?;
    let moduli = context.moduli_of(&limbs);
    let (n, small) = (context.params().n(), encoder.n());
    let mut words = vec![0; limbs.len() * n];
    context
        .engine()
        .workers()
        .each_chunk(&mut words, n, |i, row| {
            let mut residues = vec![0; small];
            if let Some(&q) = moduli.get(i) {
                coefficients.residues_into(q, &mut residues);
            }
            for (place, residue) in row.iter_mut().step_by(n / small).zip(residues) {
                *place = residue;
            }
            Ok::<_, arras_hal::HalError>(())
        })?;
    let shape = Shape::new(1, limbs);
    Ok(Poly::<B, Coeff>::from_words(context.ring(), &shape, &words)?.ntt())
}
