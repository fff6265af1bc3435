//! Sums and differences of ciphertexts.

use arras_hal::{Backend, Eval, Named, Poly};

use super::{
    Evaluator,
    levels::{Operand, common_batch, repeated},
};
use crate::{Ciphertext, CkksError, CkksErrorKind, Result};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

impl<B: Backend> Evaluator<B> {
    /// `a + b`, slot by slot, at the lower of the two levels. A batch of 1 is repeated.
    ///
    /// # Errors
    /// [`CkksErrorKind::Overflow`]; [`CkksErrorKind::BatchMismatch`]; [`CkksErrorKind::Cut`]; those of
    /// [`Evaluator::relinearize_and_rescale`].
    pub fn add(&self, a: &Ciphertext<B>, b: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        self.combine(a, b, Sign::Plus).named("add")
    }

    /// `a - b`, slot by slot.
    ///
    /// # Errors
    /// As [`Evaluator::add`].
    pub fn sub(&self, a: &Ciphertext<B>, b: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        self.combine(a, b, Sign::Minus).named("sub")
    }

    /// `-a`.
    ///
    /// # Errors
    /// [`CkksErrorKind::Cut`].
    pub fn neg(&self, a: &Ciphertext<B>) -> Result<Ciphertext<B>> {
        self.check(a).named("neg")?;
        self.as_result(a.with_poly(a.poly().neg()?, a.batch()))
    }

    /// The sum of a list, pending products added before one settling.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`]; as [`Evaluator::add`].
    pub fn add_many(&self, terms: &[&Ciphertext<B>]) -> Result<Ciphertext<B>> {
        CkksError::within("add_many", || {
            let (first, rest) = terms.split_first().ok_or(CkksErrorKind::Empty)?;
            self.check(first)?;
            let Some((second, rest)) = rest.split_first() else {
                return first.try_clone();
            };
            let mut sum = self.combine(first, second, Sign::Plus)?;
            for term in rest {
                sum = self.combine(&sum, term, Sign::Plus)?;
            }
            Ok(sum)
        })
    }

    fn combine(&self, a: &Ciphertext<B>, b: &Ciphertext<B>, sign: Sign) -> Result<Ciphertext<B>> {
        self.check(a)?;
        self.check(b)?;
        let bound = self.bound(a.level().min(b.level()), a.bound() + b.bound())?;
        if a.is_pending() && b.is_pending() && a.level() == b.level() {
            let batch = common_batch(a.batch(), b.batch())?;
            let a = repeated(Operand::Borrowed(a), batch)?;
            let b = repeated(Operand::Borrowed(b), batch)?;
            return Ok(combine_pending(&a, &b, sign)?.with_bound(bound));
        }
        let (a, b) = self.aligned(a, b)?;
        let poly = combine_polys(a.poly(), b.poly(), sign)?;
        Ok(Ciphertext::settled(&self.context, poly, a.level(), bound))
    }
}

fn combine_polys<B: Backend>(
    a: &Poly<B, Eval>,
    b: &Poly<B, Eval>,
    sign: Sign,
) -> Result<Poly<B, Eval>> {
    Ok(match sign {
        Sign::Plus => a.add(b)?,
        Sign::Minus => a.sub(b)?,
    })
}

/// Both pending at one level: components that both have are combined, a third one is carried over.
fn combine_pending<B: Backend>(
    a: &Ciphertext<B>,
    b: &Ciphertext<B>,
    sign: Sign,
) -> Result<Ciphertext<B>> {
    let batch = a.batch();
    let poly = match (a.components(), b.components()) {
        (3, 2) => match sign {
            Sign::Plus => a.poly().add_leading(b.poly(), 2 * batch)?,
            Sign::Minus => a.poly().add_leading(&b.poly().neg()?, 2 * batch)?,
        },
        (2, 3) => match sign {
            Sign::Plus => b.poly().add_leading(a.poly(), 2 * batch)?,
            Sign::Minus => b.poly().neg()?.add_leading(a.poly(), 2 * batch)?,
        },
        _ => combine_polys(a.poly(), b.poly(), sign)?,
    };
    Ok(a.with_poly(poly, batch))
}
