//! Which rows a buffer has, and what they mean.

use std::{fmt, sync::Arc};

/// What the words of a buffer mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Coefficients of X^0 .. X^(N-1).
    Coeff,
    /// Evaluations; at the boundary, index i is the value at psi^(2 bitrev(i) + 1).
    Eval,
}

/// A strictly ascending list of indices into a ring's basis: the moduli of a buffer's limbs.
///
/// Levels are windows of the basis and not nested prefixes, so a buffer carries its list
/// ("which modulus a limb belongs to is data"). Clones share memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Limbs(Arc<[u16]>);

impl Limbs {
    /// The list of these indices, sorted, each once.
    pub fn new(indices: impl IntoIterator<Item = usize>) -> Self {
        let mut list: Vec<u16> = indices
            .into_iter()
            .map(|i| u16::try_from(i).unwrap_or(u16::MAX))
            .collect();
        list.sort_unstable();
        list.dedup();
        Self(list.into())
    }

    /// Number of limbs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no limb.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The indices in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + '_ {
        self.0.iter().map(|&i| usize::from(i))
    }

    /// The absolute index of the limb at a position.
    ///
    /// # Panics
    /// If the position is not below [`Limbs::len`].
    pub fn at(&self, position: usize) -> usize {
        usize::from(self.0[position])
    }

    /// Position of an absolute index in this list.
    pub fn position(&self, index: usize) -> Option<usize> {
        let index = u16::try_from(index).ok()?;
        self.0.binary_search(&index).ok()
    }

    /// Whether the list has this absolute index.
    pub fn contains(&self, index: usize) -> bool {
        self.position(index).is_some()
    }

    /// Whether every limb of `other` is in this list.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.iter().all(|i| self.contains(i))
    }

    /// Limbs of this list that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self::new(self.iter().filter(|&i| !other.contains(i)))
    }

    /// Limbs of both lists.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::new(self.iter().chain(other.iter()))
    }

    /// Limbs that both lists have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self::new(self.iter().filter(|&i| other.contains(i)))
    }

    /// Positions of this list's limbs in `outer`; `None` if one is missing there.
    pub fn positions_in(&self, outer: &Self) -> Option<Vec<usize>> {
        self.iter().map(|i| outer.position(i)).collect()
    }

    /// Whether all indices are below `basis`.
    pub fn fit(&self, basis: usize) -> bool {
        self.0.last().is_none_or(|&i| usize::from(i) < basis)
    }
}

impl FromIterator<usize> for Limbs {
    fn from_iter<T: IntoIterator<Item = usize>>(iter: T) -> Self {
        Self::new(iter)
    }
}

/// Runs are printed as ranges: `[0..4, 7, 9..12]`, ends excluded.
impl fmt::Display for Limbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        let mut start = 0;
        while start < self.len() {
            let mut end = start + 1;
            while end < self.len() && self.0[end] == self.0[end - 1] + 1 {
                end += 1;
            }
            if start > 0 {
                f.write_str(", ")?;
            }
            if end - start == 1 {
                write!(f, "{}", self.0[start])?;
            } else {
                write!(f, "{}..{}", self.0[start], u32::from(self.0[end - 1]) + 1)?;
            }
            start = end;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Limbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The shape of a buffer: `polys` polynomials, each with one row of `N` words per limb.
///
/// Row `(p, l)` starts at word `(p * limbs.len() + l) * N` of the boundary form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Number of polynomials: components of a ciphertext times the ciphertexts of a batch, components
    /// outermost.
    pub polys: usize,
    /// The limbs of every polynomial.
    pub limbs: Limbs,
}

impl Shape {
    /// A shape of `polys` polynomials over `limbs`.
    pub fn new(polys: usize, limbs: Limbs) -> Self {
        Self { polys, limbs }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.polys * self.limbs.len()
    }

    /// Number of 32-bit words for rows of `n` residues.
    pub fn words(&self, n: usize) -> usize {
        self.rows() * n
    }

    /// The same limbs, another number of polynomials.
    #[must_use]
    pub fn with_polys(&self, polys: usize) -> Self {
        Self {
            polys,
            limbs: self.limbs.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_sorted_and_distinct_and_prints_runs() {
        let list = Limbs::new([9, 1, 2, 3, 3, 0]);
        assert_eq!(list.to_string(), "[0..4, 9]");
        assert_eq!(list.position(9), Some(4));
        assert_eq!(list.position(4), None);
        assert_eq!(list.without(&Limbs::new([1, 9])).to_string(), "[0, 2..4]");
        assert_eq!(list.union(&Limbs::new([4])).to_string(), "[0..5, 9]");
        assert_eq!(list.intersection(&Limbs::new(2..5)).to_string(), "[2..4]");
        assert!(list.fit(10) && !list.fit(9));
        assert_eq!(Limbs::new([2, 9]).positions_in(&list), Some(vec![2, 4]));
        assert_eq!(Limbs::new([4]).positions_in(&list), None);
    }
}
