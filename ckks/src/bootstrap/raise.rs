//! From level 0 to the top: the modulus is raised under a sparse secret, so that few multiples of Q_0 come along.
//!
//! ```text
//! (b, a) under s modulo Q_0      key ToSparse        (b, a) under s', 32 entries +-1
//!    residues at T_1, T_0        copied; the integers of at most 0.502 Q_0 that they stand for, modulo every other prime
//! b + a s' = m + Q_0 I over the integers, |I| <= 13  key FromSparse   the same under s, modulo the top window
//! ```
//! Sparse-secret encapsulation: Bossuat, Troncoso-Pastoriza, Hubaux (ePrint 2022/024). The conversion is the one with the quotient: a centred one
//! would add up to a Q_0 of its own to b and to a, and double I.

use arras_hal::{Backend, ConversionMode, Eval, GaloisElement, Key, Poly};
use num_bigint::BigUint;
use num_traits::ToPrimitive;

use crate::{CkksErrorKind, Context, Evaluator, KeyKind, Result, keys::switching};

/// The key of one of the two switches.
pub(super) fn sparse_key<B: Backend>(evaluator: &Evaluator<B>, kind: KeyKind) -> Result<&Key<B>> {
    let (key, _) = evaluator
        .keys()
        .get(kind)
        .ok_or(CkksErrorKind::NoSparseKey { kind })?;
    Ok(key)
}

/// A batch `[2][B]` of level 0 under s, under the sparse secret.
pub(super) fn to_sparse<B: Backend>(
    evaluator: &Evaluator<B>,
    ciphertext: &Poly<B, Eval>,
) -> Result<Poly<B, Eval>> {
    let context = evaluator.context();
    let window = context.raised_window(0)?;
    let batch = ciphertext.polys() / 2;
    let b = ciphertext.select(0..batch, window)?;
    let a = ciphertext.select(batch..2 * batch, window)?;
    let key = sparse_key(evaluator, KeyKind::ToSparse)?;
    let spec = switching(context.params(), KeyKind::ToSparse);
    Ok(a.key_switch(Some(&b), key, GaloisElement::IDENTITY, &spec, window)?)
}

/// The same integers modulo the top window, and modulo the special primes of the key `FromSparse`.
pub(super) fn lift<B: Backend>(
    context: &Context<B>,
    ciphertext: Poly<B, Eval>,
) -> Result<Poly<B, Eval>> {
    let params = context.params();
    let window = context.raised_window(0)?;
    let special = switching(params, KeyKind::FromSparse).special;
    let top = context.raised_window(params.raised_level())?;
    let basis = context.ring().basis();
    let product = basis.product(window);
    // (Q_0 / T_i)^-1 modulo T_i, which a conversion wants its residues to be multiplied by.
    let inverse = basis.constants(window, |q| {
        let others: BigUint = &product / q.value();
        q.inv((others % q.value()).to_u32().unwrap_or(1))
    });
    let coefficients = ciphertext.intt();
    let others = coefficients.scale(&inverse)?.base_convert(
        &top.union(&special).without(window),
        ConversionMode::Quotient,
    )?;
    Ok(Poly::join_limbs(&[&coefficients, &others])?.ntt())
}

/// What [`lift`] gives, under s, modulo the top window.
pub(super) fn from_sparse<B: Backend>(
    evaluator: &Evaluator<B>,
    lifted: &Poly<B, Eval>,
) -> Result<Poly<B, Eval>> {
    let context = evaluator.context();
    let params = context.params();
    let top = context.raised_window(params.raised_level())?;
    let batch = lifted.polys() / 2;
    let b = lifted.select(0..batch, top)?;
    let a = lifted.select(batch..2 * batch, lifted.limbs())?;
    let key = sparse_key(evaluator, KeyKind::FromSparse)?;
    let spec = switching(params, KeyKind::FromSparse);
    Ok(a.key_switch_extended(Some(&b), key, &spec, top)?)
}
