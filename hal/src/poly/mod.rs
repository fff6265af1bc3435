//! The typed layer: polynomials that know their ring, their limbs and, by type, their domain.
//!
//! All validation lives here, in one place above the engines. Wrong domains do not compile; wrong shapes,
//! limbs, rings, keys and residues are errors that name both sides. Engines trust what reaches them.

mod arithmetic;
mod check;
mod key;
mod key_switch;
mod modulus_switch;
mod storage;

use std::{fmt, marker::PhantomData, sync::Arc};

pub use key::Key;

use crate::{Backend, Domain, Limbs, Result, RingBasis, Shape};

/// A ring as one engine holds it: the engine, the basis and the engine's tables.
pub struct Ring<B: Backend> {
    engine: B,
    basis: Arc<RingBasis>,
    inner: B::Ring,
}

impl<B: Backend> Ring<B> {
    /// Prepares an engine for a ring. Polynomials of different `Ring` values do not mix.
    ///
    /// # Errors
    /// If the engine has no memory for its tables or has failed.
    pub fn new(engine: B, basis: &Arc<RingBasis>) -> Result<Arc<Self>> {
        let inner = engine.ring(basis)?;
        Ok(Arc::new(Self {
            engine,
            basis: basis.clone(),
            inner,
        }))
    }

    /// The engine and its state: where operations begin.
    pub(crate) fn parts(&self) -> (&B, &B::Ring) {
        (&self.engine, &self.inner)
    }

    /// The engine.
    pub fn engine(&self) -> &B {
        &self.engine
    }

    /// The basis.
    pub fn basis(&self) -> &Arc<RingBasis> {
        &self.basis
    }

    /// The engine's own state, for calls below the typed layer.
    pub fn inner(&self) -> &B::Ring {
        &self.inner
    }

    /// Waits for the engine.
    ///
    /// # Errors
    /// The first error since the last wait.
    pub fn sync(&self) -> Result<()> {
        self.engine.sync()
    }
}

impl<B: Backend> fmt::Debug for Ring<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Ring({}, N = {}, {} primes)",
            self.engine.name(),
            self.basis.n(),
            self.basis.len()
        )
    }
}

/// Coefficients of X^0 .. X^(N-1).
#[derive(Clone, Copy, Debug)]
pub enum Coeff {}

/// Values at the odd powers of the 2N-th root of unity.
#[derive(Clone, Copy, Debug)]
pub enum Eval {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Coeff {}
    impl Sealed for super::Eval {}
}

/// [`Coeff`] or [`Eval`].
pub trait PolyDomain: sealed::Sealed + Send + Sync + 'static {
    /// The domain as a value.
    const DOMAIN: Domain;
}

impl PolyDomain for Coeff {
    const DOMAIN: Domain = Domain::Coeff;
}

impl PolyDomain for Eval {
    const DOMAIN: Domain = Domain::Eval;
}

/// A batch of polynomials `[polys][limbs][N]` on an engine.
pub struct Poly<B: Backend, D: PolyDomain> {
    ring: Arc<Ring<B>>,
    pub(crate) buf: B::Buf,
    domain: PhantomData<D>,
}

impl<B: Backend, D: PolyDomain> Poly<B, D> {
    pub(crate) fn wrap(ring: &Arc<Ring<B>>, buf: B::Buf) -> Self {
        Self {
            ring: ring.clone(),
            buf,
            domain: PhantomData,
        }
    }

    /// A batch with unspecified contents, for outputs.
    pub(crate) fn output(ring: &Arc<Ring<B>>, shape: &Shape) -> Result<Self> {
        Ok(Self::wrap(ring, ring.engine.alloc(&ring.inner, shape)?))
    }

    /// A batch of this shape that an operation writes.
    fn computed(
        ring: &Arc<Ring<B>>,
        shape: &Shape,
        op: impl FnOnce(&B, &B::Ring, &mut B::Buf) -> Result<()>,
    ) -> Result<Self> {
        let mut dst = Self::output(ring, shape)?;
        op(&ring.engine, &ring.inner, &mut dst.buf)?;
        Ok(dst)
    }

    /// The ring.
    pub fn ring(&self) -> &Arc<Ring<B>> {
        &self.ring
    }

    /// The engine's buffer, for calls below the typed layer.
    pub fn buf(&self) -> &B::Buf {
        &self.buf
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        self.ring.engine.shape(&self.buf)
    }

    /// Number of polynomials.
    pub fn polys(&self) -> usize {
        self.shape().polys
    }

    /// Limbs of every polynomial.
    pub fn limbs(&self) -> &Limbs {
        &self.shape().limbs
    }
}

/// Shape only: contents may be secret.
impl<B: Backend, D: PolyDomain> fmt::Debug for Poly<B, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Poly({:?}, {} x {})",
            D::DOMAIN,
            self.polys(),
            self.limbs()
        )
    }
}
