//! Making polynomials, reading them back, cutting and joining them.

use std::{ops::Range, sync::Arc};

use super::{Poly, PolyDomain, Ring, check};
use crate::{
    Backend, HalError, HalErrorKind, Limbs, Named, Result, SecretEngine, Shape, composites,
    error::ensure,
};

fn check_words<B: Backend>(ring: &Ring<B>, shape: &Shape, got: usize) -> Result<()> {
    ring.basis().check_limbs(&shape.limbs)?;
    let expected = shape.words(ring.basis().n());
    let right = shape.polys > 0 && !shape.limbs.is_empty() && expected == got;
    ensure(right, || HalErrorKind::WordCount { expected, got })
}

fn check_shape<B: Backend>(ring: &Ring<B>, shape: &Shape) -> Result<()> {
    check_words(ring, shape, shape.words(ring.basis().n()))
}

fn check_residues<B: Backend>(ring: &Ring<B>, shape: &Shape, words: &[u32]) -> Result<()> {
    check_words(ring, shape, words.len())?;
    check::canonical(ring, &shape.limbs, words)
}

impl<B: Backend, D: PolyDomain> Poly<B, D> {
    /// A batch with these residues, `[polys][limbs][N]`, rows in boundary order of the domain.
    ///
    /// # Errors
    /// [`HalErrorKind::BadLimbs`], [`HalErrorKind::WordCount`], [`HalErrorKind::NotCanonical`], or the engine's.
    pub fn from_words(ring: &Arc<Ring<B>>, shape: &Shape, words: &[u32]) -> Result<Self> {
        check_residues(ring, shape, words).named("from_words")?;
        Ok(Self::wrap(
            ring,
            ring.engine.upload(&ring.inner, shape, D::DOMAIN, words)?,
        ))
    }

    /// A batch of zeros.
    ///
    /// # Errors
    /// [`HalErrorKind::BadLimbs`], [`HalErrorKind::WordCount`] for an empty shape, or the engine's.
    pub fn zeros(ring: &Arc<Ring<B>>, shape: &Shape) -> Result<Self> {
        check_shape(ring, shape).named("zeros")?;
        let mut zeros = Self::output(ring, shape)?;
        ring.engine.zero(&ring.inner, &mut zeros.buf);
        Ok(zeros)
    }

    /// Waits for the engine and copies the residues out.
    ///
    /// # Errors
    /// The first deferred error of the engine.
    pub fn to_words(&self) -> Result<Vec<u32>> {
        let mut words = vec![0; self.shape().words(self.ring.basis.n())];
        self.download_into(&mut words)?;
        Ok(words)
    }

    /// As [`Poly::to_words`], into the caller's memory.
    ///
    /// # Errors
    /// [`HalErrorKind::WordCount`] or the first deferred error of the engine.
    pub fn download_into(&self, words: &mut [u32]) -> Result<()> {
        check_words(&self.ring, self.shape(), words.len()).named("download")?;
        let (e, r) = self.ring.parts();
        e.download(r, &self.buf, D::DOMAIN, words)
    }

    /// A copy.
    ///
    /// # Errors
    /// The engine's.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self::wrap(
            &self.ring,
            composites::copy_all(&self.ring.engine, &self.ring.inner, &self.buf)?,
        ))
    }

    /// The polynomials `polys` at the limbs `limbs`, copied.
    ///
    /// # Errors
    /// [`HalErrorKind::LimbMismatch`] if a limb is absent, [`HalErrorKind::PolyCount`] if the range is empty or outside.
    pub fn select(&self, polys: Range<usize>, limbs: &Limbs) -> Result<Self> {
        let positions = self.positions(&polys, limbs).named("select")?;
        let shape = Shape::new(polys.len(), limbs.clone());
        let mut dst = Self::output(&self.ring, &shape)?;
        self.copy_selected(&mut dst, polys, &positions);
        Ok(dst)
    }

    pub(super) fn positions(&self, polys: &Range<usize>, limbs: &Limbs) -> Result<Vec<usize>> {
        if polys.is_empty() || polys.end > self.polys() {
            let (expected, got) = (self.polys(), polys.end);
            return Err(HalErrorKind::PolyCount { expected, got }.into());
        }
        limbs
            .positions_in(self.limbs())
            .filter(|p| !p.is_empty())
            .ok_or_else(|| {
                HalErrorKind::LimbMismatch {
                    left: limbs.clone(),
                    right: self.limbs().clone(),
                }
                .into()
            })
    }

    fn copy_selected(&self, dst: &mut Self, polys: Range<usize>, positions: &[usize]) {
        let list = composites::rows(polys.enumerate(), positions.iter().copied().enumerate());
        let (e, r) = self.ring.parts();
        e.copy_rows(r, &mut dst.buf, &self.buf, &list);
    }

    /// The polynomials in this order (an index may repeat), copied.
    ///
    /// # Errors
    /// [`HalErrorKind::PolyCount`] if the list is empty or names a polynomial that is not there.
    pub fn pick(&self, polys: &[usize]) -> Result<Self> {
        Self::assemble(&polys.iter().map(|&p| (self, p)).collect::<Vec<_>>())
    }

    /// The polynomials of all parts, one after the other.
    ///
    /// # Errors
    /// [`HalErrorKind::ListLength`] without parts; [`HalErrorKind::RingMismatch`], [`HalErrorKind::LimbMismatch`].
    pub fn concat(parts: &[&Self]) -> Result<Self> {
        let all: Vec<_> = parts
            .iter()
            .flat_map(|&part| (0..part.polys()).map(move |p| (part, p)))
            .collect();
        Self::assemble(&all)
    }

    /// Polynomials of which each part has other limbs: their residues at all of these.
    ///
    /// # Errors
    /// [`HalErrorKind::ListLength`] without parts; [`HalErrorKind::RingMismatch`], [`HalErrorKind::PolyCount`];
    /// [`HalErrorKind::LimbMismatch`] if two parts have the same limb.
    pub fn join_limbs(parts: &[&Self]) -> Result<Self> {
        let (first, limbs) = HalError::within("join_limbs", || {
            check::lists(parts.len(), parts.len())?;
            let first = parts[0];
            let mut limbs = Limbs::new([]);
            for part in parts {
                check::same_ring(&first.ring, &part.ring)?;
                check::polys(first.polys(), part.polys())?;
                ensure(limbs.intersection(part.limbs()).is_empty(), || {
                    let (left, right) = (limbs.clone(), part.limbs().clone());
                    HalErrorKind::LimbMismatch { left, right }
                })?;
                limbs = limbs.union(part.limbs());
            }
            Ok((first, limbs))
        })?;
        let mut dst = Self::output(&first.ring, &Shape::new(first.polys(), limbs.clone()))?;
        for part in parts {
            let places = part.limbs().positions_in(&limbs).unwrap_or_default();
            let polys = (0..first.polys()).map(|p| (p, p));
            let list = composites::rows(polys, places.into_iter().enumerate().map(|(l, d)| (d, l)));
            let (e, r) = first.ring.parts();
            e.copy_rows(r, &mut dst.buf, &part.buf, &list);
        }
        Ok(dst)
    }

    /// A batch of single polynomials, each named by its batch and its position there.
    ///
    /// # Errors
    /// [`HalErrorKind::ListLength`] without sources; [`HalErrorKind::RingMismatch`], [`HalErrorKind::LimbMismatch`],
    /// [`HalErrorKind::PolyCount`].
    pub fn assemble(sources: &[(&Self, usize)]) -> Result<Self> {
        let first = HalError::within("assemble", || {
            check::lists(sources.len(), sources.len())?;
            let first = sources[0].0;
            for &(part, p) in sources {
                check::same_ring(&first.ring, &part.ring)?;
                check::same_limbs(first.limbs(), part.limbs())?;
                if p >= part.polys() {
                    let (expected, got) = (part.polys(), p);
                    return Err(HalErrorKind::PolyCount { expected, got }.into());
                }
            }
            Ok(first)
        })?;
        let mut dst = Self::output(&first.ring, &first.shape().with_polys(sources.len()))?;
        let limbs = 0..first.limbs().len();
        let mut start = 0;
        while start < sources.len() {
            // One copy for every run of polynomials of one source.
            let part = sources[start].0;
            let run = sources[start..]
                .iter()
                .take_while(|(s, _)| std::ptr::eq(*s, part))
                .count();
            let polys = sources[start..start + run].iter().map(|&(_, p)| p);
            let list = composites::rows(
                polys.enumerate().map(|(i, p)| (start + i, p)),
                limbs.clone().map(|l| (l, l)),
            );
            let (e, r) = first.ring.parts();
            e.copy_rows(r, &mut dst.buf, &part.buf, &list);
            start += run;
        }
        Ok(dst)
    }
}

impl<B: SecretEngine, D: PolyDomain> Poly<B, D> {
    /// [`Poly::from_words`] into memory that is overwritten when it is dropped.
    ///
    /// # Errors
    /// As [`Poly::from_words`].
    pub fn from_secret_words(ring: &Arc<Ring<B>>, shape: &Shape, words: &[u32]) -> Result<Self> {
        check_residues(ring, shape, words).named("from_secret_words")?;
        Ok(Self::wrap(
            ring,
            ring.engine
                .upload_secret(&ring.inner, shape, D::DOMAIN, words)?,
        ))
    }

    /// Zeros in memory that is overwritten when it is dropped: an output for operations on secrets.
    ///
    /// # Errors
    /// As [`Poly::zeros`].
    pub fn secret_zeros(ring: &Arc<Ring<B>>, shape: &Shape) -> Result<Self> {
        check_shape(ring, shape).named("secret_zeros")?;
        let mut zeros = Self::wrap(ring, ring.engine.alloc_secret(&ring.inner, shape)?);
        ring.engine.zero(&ring.inner, &mut zeros.buf);
        Ok(zeros)
    }

    /// [`Poly::select`] into memory that is overwritten when it is dropped.
    ///
    /// # Errors
    /// As [`Poly::select`].
    pub fn select_secret(&self, polys: Range<usize>, limbs: &Limbs) -> Result<Self> {
        let positions = self.positions(&polys, limbs).named("select_secret")?;
        let shape = Shape::new(polys.len(), limbs.clone());
        let (e, r) = self.ring.parts();
        let mut dst = Self::wrap(&self.ring, e.alloc_secret(r, &shape)?);
        self.copy_selected(&mut dst, polys, &positions);
        Ok(dst)
    }
}
