//! Ciphertexts and plaintexts on an engine.

use std::any::Any;

use arras_hal::{Backend, Eval, Limbs, Named, Poly};

use crate::{CkksError, CkksErrorKind, Context, Result, context::parameters_mismatch, magnitude};

/// A batch of one or more ciphertexts at one level.
///
/// ```text
///   Ciphertext: poly = [component][ciphertext of the batch][limb][N], evaluations
///
///     settled   components (c0, c1), limbs = window of `level`, scale = s_level
///     pending   a product that has not been rescaled: limbs = window of `level + 1`, scale = s_(level+1)^2;
///               two components, or three if it has not been relinearized either
///     cut       settled, moduli dropped: limbs = a few of the window, for sending and decryption only
/// ```
/// Pending sums are added as they are, so a sum of products is relinearized and rescaled once. An operation
/// that needs a settled operand relinearizes and rescales it and keeps nothing: where a product is used several times,
/// [`Evaluator::relinearize_and_rescale`](crate::Evaluator::relinearize_and_rescale) does it once.
pub struct Ciphertext<B: Backend> {
    context: Context<B>,
    poly: Poly<B, Eval>,
    batch: usize,
    level: usize,
    pending: bool,
    bound: f64,
}

impl<B: Backend> Ciphertext<B> {
    pub(crate) fn new(
        context: &Context<B>,
        poly: Poly<B, Eval>,
        batch: usize,
        level: usize,
        pending: bool,
        bound: f64,
    ) -> Self {
        Self {
            context: context.clone(),
            poly,
            batch,
            level,
            pending,
            bound,
        }
    }

    /// A settled batch at `level`, which holds values up to `bound`.
    pub(crate) fn settled(
        context: &Context<B>,
        poly: Poly<B, Eval>,
        level: usize,
        bound: f64,
    ) -> Self {
        let batch = poly.polys() / 2;
        Self::new(context, poly, batch, level, false, bound)
    }

    /// A product over the window of `level + 1` whose rescale lands on `level`.
    pub(crate) fn pending(
        context: &Context<B>,
        poly: Poly<B, Eval>,
        batch: usize,
        level: usize,
        bound: f64,
    ) -> Self {
        Self::new(context, poly, batch, level, true, bound)
    }

    /// The context it belongs to.
    pub fn context(&self) -> &Context<B> {
        &self.context
    }

    /// The level: how many multiplications in a row it still allows. A pending product counts as rescaled.
    pub fn level(&self) -> usize {
        self.level
    }

    /// No value in any slot of the batch is larger than this in magnitude, up to the scheme's error. It was declared where the data were
    /// encrypted ([`Encryptor::largest_value`](crate::Encryptor::largest_value)) and follows every operation; it says nothing of the data
    /// that was not declared. Of a ciphertext read from a file it is what the file says: a hint, from whoever wrote it.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// The same ciphertexts with a tighter bound, if it is one: for values of which more is known than operations can tell. Whoever
    /// says so answers for it: where values are larger, later results may wrap around modulo Q without an error.
    ///
    /// # Errors
    /// [`CkksErrorKind::OutOfRange`] for a bound that is negative or not finite.
    pub fn assume(mut self, bound: f64) -> Result<Self> {
        let bound = magnitude::declared("the assumed bound", bound).named("assume")?;
        self.bound = self.bound.min(bound);
        Ok(self)
    }

    /// Number of ciphertexts.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Whether it waits for its rescale.
    pub fn is_pending(&self) -> bool {
        self.pending
    }

    /// Number of components of each ciphertext: 2, or 3 for a product that waits for its relinearization.
    pub fn components(&self) -> usize {
        self.poly.polys() / self.batch
    }

    /// Whether any ciphertext of the batch is transparent: every component but the first is zero, so that the first holds the message in
    /// the clear. Anyone can make one, without any key; encryptions and what is computed from them are none, except with
    /// negligible probability.
    ///
    /// # Errors
    /// The engine's.
    pub fn is_transparent(&self) -> Result<bool> {
        let masks = self.poly.to_words()?;
        let unit = self.limbs().len() * self.context.params().n();
        let (_, masks) = masks.split_at(self.batch * unit);
        let zero = |i: usize| {
            (0..self.components() - 1).all(|c| {
                let start = (c * self.batch + i) * unit;
                masks[start..start + unit].iter().all(|&word| word == 0)
            })
        };
        Ok((0..self.batch).any(zero))
    }

    /// Whether moduli were dropped for sending ([`Evaluator::drop_moduli`](crate::Evaluator::drop_moduli)).
    pub fn is_cut(&self) -> bool {
        !self.pending && self.limbs() != self.window()
    }

    /// The scale of its values: exactly the level's, or its square one level up for a pending product.
    pub fn scale(&self) -> f64 {
        let params = self.context.params();
        if self.pending {
            params.scale(self.level + 1) * params.scale(self.level + 1)
        } else {
            params.scale(self.level)
        }
    }

    /// The limbs it has.
    pub fn limbs(&self) -> &Limbs {
        self.poly.limbs()
    }

    /// Bytes of its residues on the engine, 4 per residue.
    pub fn bytes(&self) -> usize {
        self.poly.shape().words(self.context.params().n()) * 4
    }

    /// The components on the engine, `[component][batch]`.
    pub fn poly(&self) -> &Poly<B, Eval> {
        &self.poly
    }

    /// The level whose window its limbs are.
    pub(crate) fn window_level(&self) -> usize {
        self.level + usize::from(self.pending)
    }

    fn window(&self) -> &Limbs {
        // A ciphertext is only made at a level that exists.
        self.context
            .window(self.window_level())
            .unwrap_or(self.poly.limbs())
    }

    pub(crate) fn check_whole(&self) -> Result<()> {
        if self.is_cut() {
            let limbs = self.limbs().to_string();
            return Err(CkksErrorKind::Cut { limbs }.into());
        }
        Ok(())
    }

    /// A copy.
    ///
    /// # Errors
    /// The engine's.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(self.with_poly(self.poly.try_clone()?, self.batch))
    }

    /// The same ciphertexts in another context of the same parameters, on any engine: residues move, nothing is serialized. In its own
    /// context this is [`Self::try_clone`].
    ///
    /// # Errors
    /// [`CkksErrorKind::ParametersMismatch`]; the engines'.
    pub fn to_context<C: Backend>(&self, context: &Context<C>) -> Result<Ciphertext<C>> {
        let (from, to) = (self.context.params(), context.params());
        if from != to {
            return Err(parameters_mismatch(from, to).named("to_context"));
        }
        let here = (context as &dyn Any).downcast_ref::<Context<B>>();
        if here.is_some_and(|here| here.is(&self.context)) {
            let mut copy = Some(self.try_clone()?);
            let copy = (&mut copy as &mut dyn Any).downcast_mut::<Option<Ciphertext<C>>>();
            if let Some(copy) = copy.and_then(Option::take) {
                return Ok(copy);
            }
        }
        let poly = Poly::from_words(context.ring(), self.poly.shape(), &self.poly.to_words()?)?;
        let (batch, level) = (self.batch, self.level);
        Ok(Ciphertext::new(
            context,
            poly,
            batch,
            level,
            self.pending,
            self.bound,
        ))
    }

    /// The same level, form and bound, other components.
    pub(crate) fn with_poly(&self, poly: Poly<B, Eval>, batch: usize) -> Self {
        let (level, pending) = (self.level, self.pending);
        Self::new(&self.context, poly, batch, level, pending, self.bound)
    }

    /// The same ciphertexts with the bound of a result that they are.
    pub(crate) fn with_bound(self, bound: f64) -> Self {
        Self { bound, ..self }
    }

    /// The ciphertexts of this batch at these positions (a position may repeat), as a batch.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`], [`CkksErrorKind::BatchIndex`].
    pub fn pick(&self, indices: &[usize]) -> Result<Self> {
        CkksError::within("pick", || {
            if indices.is_empty() {
                return Err(CkksErrorKind::Empty.into());
            }
            if let Some(&index) = indices.iter().find(|&&i| i >= self.batch) {
                let batch = self.batch;
                return Err(CkksErrorKind::BatchIndex { index, batch }.into());
            }
            let polys: Vec<usize> = (0..self.components())
                .flat_map(|c| indices.iter().map(move |i| c * self.batch + i))
                .collect();
            Ok(self.with_poly(self.poly.pick(&polys)?, indices.len()))
        })
    }

    /// Joins batches of one level and form into one.
    ///
    /// # Errors
    /// [`CkksErrorKind::Empty`]; [`CkksErrorKind::WrongForm`] if levels or forms differ: the evaluator's `concat` aligns
    /// them first.
    pub fn concat(parts: &[&Self]) -> Result<Self> {
        CkksError::within("concat", || {
            let Some(first) = parts.first() else {
                return Err(CkksErrorKind::Empty.into());
            };
            for part in parts {
                first.context.check_same(&part.context)?;
                let same = part.level == first.level
                    && part.pending == first.pending
                    && part.components() == first.components()
                    && part.limbs() == first.limbs();
                if !same {
                    return Err(CkksErrorKind::WrongForm {
                        have: "at another level or in another form than the first of the list",
                        remedy: "use the evaluator's concat, which aligns them",
                    }
                    .into());
                }
            }
            let batch = parts.iter().map(|p| p.batch).sum();
            let sources: Vec<_> = (0..first.components())
                .flat_map(|c| {
                    parts.iter().flat_map(move |part| {
                        (0..part.batch).map(move |i| (&part.poly, c * part.batch + i))
                    })
                })
                .collect();
            let bound = parts.iter().map(|part| part.bound).fold(0.0, f64::max);
            let joined = first.with_poly(Poly::assemble(&sources)?, batch);
            Ok(joined.with_bound(bound))
        })
    }
}

impl<B: Backend> std::fmt::Debug for Ciphertext<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ciphertext")
            .field("batch", &self.batch)
            .field("level", &self.level)
            .field("components", &self.components())
            .field("pending", &self.pending)
            .field("bound", &self.bound)
            .field("limbs", self.limbs())
            .finish_non_exhaustive()
    }
}

/// Where an encoded plaintext may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaintextUse {
    /// In sums with, and products of, settled ciphertexts of a level: over its window, at its scale.
    Level(usize),
    /// As a weight of sums of rotations at a level: over its window and the special limbs, at its scale.
    Weight(usize),
}

impl std::fmt::Display for PlaintextUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level {level}"),
            Self::Weight(level) => write!(f, "weights of rotations at level {level}"),
        }
    }
}

/// A batch of encoded vectors on an engine.
pub struct Plaintext<B: Backend> {
    pub(crate) context: Context<B>,
    pub(crate) poly: Poly<B, Eval>,
    pub(crate) purpose: PlaintextUse,
    pub(crate) largest: f64,
}

impl<B: Backend> Plaintext<B> {
    /// What it was encoded for.
    pub fn purpose(&self) -> PlaintextUse {
        self.purpose
    }

    /// The largest magnitude of its values. Of a plaintext that was read from a file it is what the file says.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The same plaintext with a tighter bound on its values, if it is one.
    ///
    /// # Errors
    /// As [`Ciphertext::assume`].
    pub fn assume(mut self, largest: f64) -> Result<Self> {
        let largest = magnitude::declared("the assumed bound", largest).named("assume")?;
        self.largest = self.largest.min(largest);
        Ok(self)
    }

    /// Number of vectors.
    pub fn batch(&self) -> usize {
        self.poly.polys()
    }

    /// The polynomials on the engine.
    pub fn poly(&self) -> &Poly<B, Eval> {
        &self.poly
    }
}

impl<B: Backend> std::fmt::Debug for Plaintext<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plaintext({} for {})", self.batch(), self.purpose)
    }
}
