//! Base conversion: from residues modulo some primes to residues modulo others.

use crate::{HalErrorKind, LimbConstants, Limbs, Result, RingBasis};
use num_bigint::BigUint;
use num_traits::ToPrimitive;

/// How a base conversion represents the integer it converts.
///
/// With S the product of the source primes and x_i the residues already multiplied by (S/s_i)^-1 mod s_i,
/// the integer is known modulo S only; the mode picks the representative, to the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConversionMode {
    /// `sum lift(x_i) * (S/s_i)` with each x_i lifted to \[-(s_i-1)/2, (s_i-1)/2\]. Commutes with
    /// automorphisms bit for bit, so mod_up uses it.
    Centred,
    /// `sum x_i * (S/s_i) - v * S` with unsigned x_i and
    /// `v = (sum (x_i >> 14) * round(2^40 / s_i) + 2^25) >> 26`: within 0.53 S of the nearest. Rescale and
    /// mod_down use it.
    Quotient,
}

/// Constants of one base conversion.
///
/// `matrix[t][i] = (S/s_i) mod t`. Row order is that of the target limbs, column order that of the source
/// limbs. Sources are at most [`ConversionTable::MAX_SOURCES`], so that the quotient fits 32-bit
/// arithmetic.
#[derive(Debug)]
pub struct ConversionTable {
    mode: ConversionMode,
    from: Limbs,
    to: Limbs,
    matrix: Box<[u32]>,
    half: Box<[u32]>,
    reciprocal: Box<[u32]>,
    offset: Box<[u32]>,
}

impl ConversionTable {
    /// The largest number of source limbs: the quotient's sum of 26-bit terms stays below 2^32.
    pub const MAX_SOURCES: usize = 60;

    pub(crate) fn new(
        ring: &RingBasis,
        from: &Limbs,
        to: &Limbs,
        mode: ConversionMode,
    ) -> Result<Self> {
        let refuse = |why| {
            let (from, to) = (from.clone(), to.clone());
            Err(HalErrorKind::Plan { why, from, to }.into())
        };
        ring.check_limbs(from)?;
        ring.check_limbs(to)?;
        if from.is_empty() {
            return refuse("there is no source limb");
        }
        if from.len() > Self::MAX_SOURCES {
            return refuse("more than 60 source limbs; convert in several steps");
        }
        if !from.intersection(to).is_empty() {
            return refuse("source and target limbs overlap; copy the common rows instead");
        }
        let product = ring.product(from);
        let cofactors: Vec<BigUint> = from
            .iter()
            .map(|i| &product / ring.modulus(i).value())
            .collect();
        let residue = |x: &BigUint, q: u32| (x % q).to_u32().unwrap_or(0);
        let mut matrix = Vec::with_capacity(from.len() * to.len());
        let mut offset = Vec::with_capacity(to.len());
        for t in to.iter() {
            let q = ring.modulus(t);
            let row: Vec<u32> = cofactors.iter().map(|c| residue(c, q.value())).collect();
            offset.push(match mode {
                ConversionMode::Centred => q.neg(from.iter().zip(&row).fold(0, |acc, (i, &w)| {
                    let half = (ring.modulus(i).value() - 1) / 2;
                    q.add(acc, q.mul(half, w))
                })),
                ConversionMode::Quotient => q.neg(residue(&product, q.value())),
            });
            matrix.extend(row);
        }
        let half = from
            .iter()
            .map(|i| (ring.modulus(i).value() - 1) / 2)
            .collect();
        let reciprocal = from
            .iter()
            .map(|i| {
                let s = u64::from(ring.modulus(i).value());
                (((1u64 << 40) + s / 2) / s) as u32
            })
            .collect();
        Ok(Self {
            mode,
            from: from.clone(),
            to: to.clone(),
            matrix: matrix.into(),
            half,
            reciprocal,
            offset: offset.into(),
        })
    }

    /// The representative this conversion picks.
    pub fn mode(&self) -> ConversionMode {
        self.mode
    }

    /// Source limbs.
    pub fn from(&self) -> &Limbs {
        &self.from
    }

    /// Target limbs.
    pub fn to(&self) -> &Limbs {
        &self.to
    }

    /// `(S/s_i) mod t` for the target at a position, one entry per source.
    ///
    /// # Panics
    /// If the position is not below the number of targets.
    pub fn row(&self, target: usize) -> &[u32] {
        &self.matrix[target * self.from.len()..][..self.from.len()]
    }

    /// `(s_i - 1) / 2` per source: centred mode adds it to x_i modulo s_i.
    pub fn half(&self) -> &[u32] {
        &self.half
    }

    /// `round(2^40 / s_i)` per source: quotient mode. Primes are above 2^8, so it fits 32 bits for all
    /// primes above 2^8; primes below that are only met in toy rings, where it is truncated on every
    /// engine alike.
    pub fn reciprocal(&self) -> &[u32] {
        &self.reciprocal
    }

    /// Per target: centred mode `-sum half_i * (S/s_i) mod t`, which starts the accumulator; quotient mode
    /// `-S mod t`, which is multiplied by v.
    pub fn offset(&self) -> &[u32] {
        &self.offset
    }

    /// The quotient v of quotient mode, for one coefficient.
    pub fn quotient(&self, sources: impl Iterator<Item = u32>) -> u32 {
        let sum = sources
            .zip(self.reciprocal.iter())
            .fold(1u32 << 25, |acc, (x, &r)| {
                acc.wrapping_add((x >> 14).wrapping_mul(r))
            });
        sum >> 26
    }
}

/// `(S/s_i)^-1 * factor mod s_i` for every limb of `from`, S their product: what residues are multiplied by
/// before a conversion.
pub(crate) fn source_scale(ring: &RingBasis, from: &Limbs, factor: &BigUint) -> LimbConstants {
    let product = ring.product(from);
    ring.constants(from, |q| {
        let cofactor = (&product / q.value() % q.value()).to_u32().unwrap_or(0);
        q.mul(q.inv(cofactor), (factor % q.value()).to_u32().unwrap_or(0))
    })
}
